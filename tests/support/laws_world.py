"""What happens to a rollout under the laws: the world, people, and the death of the engine at any moment."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from rollway.judge import VerdictKind
from rollway.planning import Plan
from rollway.rollout import ClockTicked, CommandKind, Event, EvidenceRead, TargetFailed
from rollway.rollout.needs import lacking
from support.laws import plans
from support.laws_engine import OF_SOMETHING, WHOLE, Death, Engine
from support.laws_ledger import next_change

MOST_STEPS = 400
DEATHS = st.sampled_from(["", "", "", "", "before commit", "before acting", "told twice"])


class Laws(Engine):
    """The rules: what happens to a rollout, one thing after another."""

    @initialize(plan=plans(), until=st.sampled_from([0, 0, 1, 2, 4, 7, 12]), seed=st.integers(0, 2**20))
    def start(self, plan: Plan, until: int, seed: int) -> None:
        """A rollout that is already some way on."""
        self.plan, self.chance = plan, Random(seed)
        self.decided = {task.id for task in plan.runbook if task.gate or not task.reversible}
        self.begin()
        for _ in range(until):
            if self.state.phase != "paused":
                self.help_along(seconds=45)

    # --- the world ---

    @rule(
        seconds=st.sampled_from([1, 1, 5, 15, 40, 400, 40_000]),
        kind=st.sampled_from(["healthy", "healthy", "undecided", "blind", "blind", "harmful"]),
        about=st.sampled_from(["", "", "", "mismatch", "before", "named"]),
        is_approved=st.sampled_from([True, True, True, False]),
        death=DEATHS,
    )
    def tick(self, seconds: int, kind: VerdictKind, about: str, is_approved: bool, death: Death) -> None:
        self.look(seconds, kind, about, is_approved=is_approved, death=death)
        self.probe()

    def look(
        self, seconds: int, kind: VerdictKind, about: str = "", *, is_approved: bool = True, death: Death = ""
    ) -> None:
        """One tick, as the engine makes it."""
        self.now += timedelta(seconds=seconds)
        said = self.verdict(kind, about)
        events: tuple[Event, ...] = (
            self.seen(),
            EvidenceRead(at=self.now, verdict=said),
            ClockTicked(at=self.now, verdict=said, is_approved=is_approved),
        )
        self.dying(death, *events)

    @rule(count=st.integers(2, 8), kind=st.sampled_from(["healthy", "healthy", "blind", "undecided"]))
    def it_goes_on_like_this(self, count: int, kind: VerdictKind) -> None:
        for _ in range(count):
            self.look(15, kind)
        self.probe()

    @rule(
        share=st.sampled_from([None, None, 0.0, 0.05, 1.0]),
        candidate=st.sampled_from([True, False, False, None]),
        baseline=st.sampled_from([True, False, None]),
        refusal=st.sampled_from(["", "", "a site says no"]),
        control=st.sampled_from([None, None, 0.0, 0.05]),
    )
    def the_target_changes(
        self,
        share: float | None,
        candidate: bool | None,
        baseline: bool | None,
        refusal: str,
        control: float | None,
    ) -> None:
        """Somebody else moves it, a version dies or comes back, it refuses."""
        self.share = self.share if share is None else share
        self.control = self.control if control is None else control
        self.candidate, self.baseline = candidate, baseline
        self.hear(self.seen().model_copy(update={"refusal": refusal}))
        self.probe()

    @rule(does=st.booleans())
    def the_target_is_deaf(self, does: bool) -> None:
        self.does_as_told = does
        self.hear(TargetFailed(at=self.now, problem="connection refused"))

    @rule(does=st.booleans())
    def the_target_samples(self, does: bool) -> None:
        """It may be unable to draw a control group, or fail to."""
        self.does_sample = does

    @rule(kind=st.sampled_from(WHOLE), reason=st.sampled_from(["", "because"]), death=DEATHS)
    def somebody_speaks(self, kind: CommandKind, reason: str, death: Death) -> None:
        self.dying(death, self.word(kind, reason=reason))
        self.probe()

    @rule(
        kind=st.sampled_from(OF_SOMETHING),
        place=st.integers(0, 1000),
        reason=st.sampled_from(["", "because", "92% of them", "40% of them"]),
        death=DEATHS,
    )
    def somebody_speaks_of_something(self, kind: CommandKind, place: int, reason: str, death: Death) -> None:
        names = self.subjects()
        self.dying(death, self.word(kind, names[place % len(names)] if names else "nothing", reason=reason))
        self.probe()

    @rule(count=st.integers(1, 8), is_patient=st.booleans(), seconds=st.sampled_from([1, 30, 4000]))
    def things_go_on(self, count: int, is_patient: bool, seconds: int) -> None:
        if self.state.is_final:
            # The same plan once more, on a target that is as it was left.
            self.begin()
        for _ in range(count):
            self.help_along(is_patient=is_patient, seconds=seconds)
        self.probe()

    @precondition(lambda self: self.at_work)
    @rule(code=st.sampled_from([0, 0, 1, None]), is_cut_off=st.booleans(), death=DEATHS)
    def a_command_ends(self, code: int | None, is_cut_off: bool, death: Death) -> None:
        effect = self.at_work.pop()
        self.dying(death, self.lost(effect) if is_cut_off else self.ran(effect, code))
        self.probe()

    def teardown(self) -> None:
        """No dead end: with a world that works and people who do what is asked, every rollout ends."""
        if not hasattr(self, "plan"):
            return
        for _ in range(MOST_STEPS):
            if self.state.is_final:
                assert lacking(self.plan, self.state, self.now) == ()
                return
            waits_for = lacking(self.plan, self.state, self.now)
            before = self.state
            self.help_along(seconds=20_000)
            assert waits_for or self.state != before, f"{before.phase}, and nothing is waited for"
        needs = lacking(self.plan, self.state, self.now)
        raise AssertionError(f"{self.state.phase} for ever: {self.state.standing} {needs}")

    def help_along(self, *, is_patient: bool = True, seconds: int = 20_000) -> None:
        """People do what is asked, and time goes by; who is not patient does not wait for commands to end."""
        self.does_as_told, self.does_sample, self.baseline = True, True, None
        self.candidate = None if self.candidate is None else True
        for gate in self.plan.gates:
            if gate.stage == self.next_stage.id and not self.ledger.gate_is_met(gate):
                is_tasks = gate.kind == "task" and self.ledger.is_followed
                if not is_tasks or (gate.of in self.ledger.over) or gate.id in self.ledger.words:
                    self.hear(self.word("waive" if is_tasks else "confirm", gate.id))
        for effect in tuple(self.at_work) if is_patient else ():
            self.at_work.remove(effect)
            self.hear(self.ran(effect, 0))
        is_back = self.state.phase == "rolling_back"
        for name, doing in (self.state.undo if is_back else self.state.tasks).items():
            if not doing.is_over and (doing.state, doing.actor) != ("running", "rollway"):
                if name in self.decided and doing.begun_at is None:
                    self.hear(self.word("go", name))
                    if doing.is_stuck and self.state.phase == "paused":
                        self.hear(self.word("skip", name))
                self.hear(self.word("begin" if doing.state == "ready" else "confirm", name))
                self.hear(self.word("confirm", name))
        kinds: tuple[CommandKind, ...] = ("resume", "roll_forward", "rollback")
        for kind in kinds:
            # A target that cannot tell does not see that the version was mended.
            is_unseen = kind == "roll_forward" and self.candidate is None and self.state.is_dead_told
            if self.state.phase == "paused" or is_unseen:
                self.hear(self.word(kind))
        self.now += timedelta(seconds=seconds)
        if seconds > 1000 and self.state.phase in ("waiting", "running"):
            self.now = next_change(self.plan, self.now)
        self.look(0, "healthy")
        if self.state.phase == "running" and self.stage.advance == "person":
            self.hear(self.word("promote"))
