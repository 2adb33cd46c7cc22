"""A rollout on an engine that may die, with what could happen to it tried and forgotten again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal, get_args

from hypothesis.stateful import RuleBasedStateMachine

from rollway.judge import GuardVerdict, Verdict, VerdictKind
from rollway.judge.model import GuardStanding
from rollway.planning import Plan, Stage
from rollway.rollout import (
    SUBJECT_KINDS,
    ClockTicked,
    CommandGiven,
    CommandKind,
    Event,
    EvidenceRead,
    RunTask,
    State,
    Step,
    TargetObserved,
    TaskLost,
    TaskRan,
    advance,
    begin,
)
from support.laws import EVENING, with_other_answers
from support.laws_checked import holds
from support.laws_ledger import Ledger, is_counted
from support.stories import standing, verdict

WHOLE: tuple[CommandKind, ...] = tuple(kind for kind in get_args(CommandKind) if kind not in SUBJECT_KINDS)
OF_SOMETHING: tuple[CommandKind, ...] = tuple(sorted(SUBJECT_KINDS))
BRANCHES, BRANCH_LENGTH = 3, 6
"""How many things that could happen are tried after each rule, one after the other, and forgotten again."""
KEPT = ("plan", "state", "ledger", "at_work", "share", "mirrored", "control", "now")

Death = Literal["", "before commit", "before acting", "told twice"]
"""When the engine dies in a tick: nothing was written, nothing was done, or what came is told once more."""
SAYINGS: tuple[tuple[VerdictKind, str], ...] = (
    *(("healthy", ""), ("harmful", ""), ("healthy", "mismatch"), ("undecided", ""), ("blind", "")),
    *(("healthy", "before"), ("harmful", "named"), ("blind", ""), ("blind", "named"), ("undecided", "named")),
)
OBSTACLES = (
    *(
        "window",
        "gate",
        "gate",
        "task",
        "skipped",
        "go",
        "go",
        "failed",
        "blind",
        "verdict",
        "lowered",
        "dead",
    ),
    *("approval", "reason", "skipped", "figure", "kept", "deaf", "group"),
)
"""What is left out, or done otherwise, when all else lets a rollout go on."""
SIGHTS: tuple[dict[str, object], ...] = (
    *({}, {"share": 0.0}, {"share": 0.05}, {"share": 1.0}, {"mirrored": 0.3}, {"refusal": "a site says no"}),
    *({"candidate_ready": False}, {"candidate_ready": False}, {"baseline_ready": False}),
    *({"control": 0.0}, {"control": 0.3}, {"share": 0.05, "control": 0.05}),
)


class Engine(RuleBasedStateMachine):
    """A rollout, its target, its tasks' commands, and what must hold after every event."""

    def __init__(self) -> None:
        super().__init__()
        self.plan: Plan
        self.now = EVENING
        self.share = self.mirrored = self.control = 0.0
        self.candidate: bool | None = None
        self.baseline: bool | None = None
        self.does_as_told = self.does_sample = True
        self.death: Death = ""

    def begin(self) -> None:
        self.state: State = begin()
        self.ledger = Ledger(self.plan)
        self.at_work: list[RunTask] = []

    # --- the engine ---

    def dying(self, death: Death, *events: Event) -> None:
        """Events of one commit, with the engine dying on the way."""
        if death == "before commit":
            self.is_the_same_after_death(events)
        self.death = death
        for event in events:
            self.hear(event)
        self.death = ""
        if death:
            # Whoever goes on has read the state from the database.
            again = State.model_validate_json(self.state.model_dump_json())
            assert again == self.state
            self.state = again

    def is_the_same_after_death(self, events: tuple[Event, ...]) -> None:
        """Nothing was written, so the same comes again, to a state that is read from the database."""
        here, there = self.state, State.model_validate_json(self.state.model_dump_json())
        for event in events:
            first, second = advance(self.plan, here, event), advance(self.plan, there, event)
            assert first == second
            here, there = first.state, State.model_validate_json(second.state.model_dump_json())

    def hear(self, event: Event) -> None:
        before = self.state
        after = self.take(event).state
        if self.death != "told twice":
            return
        step = self.take(event)
        assert not any(isinstance(effect, RunTask) for effect in step.effects)
        # What the clock lets happen may go on; a target that does not follow at once is told again; and what
        # was kept as the target serves it is looked at for itself the second time.
        is_kept = (before.phase, before.desired_share) != (after.phase, after.desired_share)
        goes_on = isinstance(event, TargetObserved) and is_kept
        if not goes_on and not isinstance(event, ClockTicked):
            new = {name: value for name, value in step.state if value != getattr(after, name)}
            assert not new, f"{event} was told twice, and done twice: {new}"

    def take(self, event: Event) -> Step:
        step = advance(self.plan, self.state, event)
        holds(self.ledger, self.state, event, step)
        self.ledger.note(self.state, event, step)
        self.state = step.state
        for effect in step.effects:
            if isinstance(effect, RunTask):
                self.at_work.append(effect)
            elif self.does_as_told and self.death != "before acting":
                self.share, self.mirrored = effect.share, effect.mirrored
                self.control = effect.control if self.does_sample else 0.0
        return step

    # --- what might happen next, tried and forgotten ---

    def probe(self) -> None:
        """The laws hold for whatever could happen from here on, not only for what does."""
        if self.state.is_final:
            return
        kept = {name: getattr(self, name) for name in KEPT}
        for _ in range(BRANCHES):
            self.ledger, self.at_work = kept["ledger"].copy(), list(kept["at_work"])
            if self.chance.random() < 0.4:
                self.tempt()
            for _ in range(BRANCH_LENGTH):
                self.take(self.conceivable())
            for name, value in kept.items():
                setattr(self, name, value)
        for ask in (*[self.be_blind] * 3, *[self.be_open] * 3) if self.state.desired_share else ():
            self.plan = with_other_answers(kept["plan"], self.chance)
            self.ledger, self.at_work = kept["ledger"].copy(), list(kept["at_work"])
            self.ledger.plan = self.plan
            ask()
            for name, value in kept.items():
                setattr(self, name, value)

    def be_blind(self) -> None:
        """Nobody sees anything, for longer than the plan bears: the guards that count say what is done."""
        about = self.chance.choice(("", "named"))
        for _ in range(3):
            self.now += timedelta(seconds=25)
            self.take(EvidenceRead(at=self.now, verdict=self.verdict("blind", about)))

    def be_open(self) -> None:
        """Nothing is decided until the patience ends: the guards that are open say what is done."""
        self.take(self.seen_at(self.state.desired_share, candidate_ready=True))
        self.now += timedelta(seconds=90_000)
        self.take(ClockTicked(at=self.now, verdict=self.verdict("undecided", "named")))

    def tempt(self) -> None:
        """All that lets a rollout go on, but for one thing: whether that is left out is what a law sees."""
        but, saying = self.obstacle()
        for effect in self.at_work:
            self.take(self.ran(effect, 1 if but == "failed" else 0))
        self.at_work.clear()
        if but != "window":
            self.take(self.word("override_window"))
        if self.state.phase == "paused":
            self.take(self.word("resume"))
        self.tempt_gates(but)
        self.tempt_tasks(but)
        if but in ("blind", "deaf"):
            for _ in range(3):
                self.now += timedelta(seconds=25)
                self.take(EvidenceRead(at=self.now, verdict=self.verdict("blind", "")))
        share = 0.05 if but == "lowered" else self.state.desired_share
        for seconds in (90_000, 1, 90_000):
            self.take(
                self.seen_at(share, candidate_ready=but != "dead", is_drawn=but not in ("group", "lowered"))
            )
            if but == "lowered":
                self.take(self.word("resume"))
            self.now += timedelta(seconds=seconds)
            said = self.verdict(*saying)
            self.take(ClockTicked(at=self.now, verdict=said, is_approved=but != "approval"))
            share = share if but == "deaf" else self.state.desired_share
            if but in ("blind", "deaf"):
                self.take(self.seen_at(share, candidate_ready=True))
                self.take(EvidenceRead(at=self.now, verdict=self.verdict("blind", "")))
        if but == "kept":
            self.take(self.word("pause"))
            self.take(self.seen().model_copy(update={"share": 0.05, "candidate_ready": None}))
        self.take(self.word("promote", reason="" if but == "reason" else "why"))

    def tempt_gates(self, but: str) -> None:
        gates = [gate.id for gate in self.plan.gates if gate.stage == self.next_stage.id]
        left_out = {gate.id: gate.of for gate in self.plan.gates if but == "skipped" and gate.kind == "task"}
        for name in gates:
            self.take(self.word("skip" if name in left_out else "confirm", left_out.get(name, name)))
        spared = self.chance.choice(gates) if gates else "nothing"
        if but == "gate":
            kind = self.chance.choice(("fail", "confirm", "skip"))
            self.take(self.word(kind, spared, reason="40% of them"))
        for gate in self.plan.gates if but == "figure" else ():
            if gate.minimum is not None:
                self.take(self.word("confirm", gate.id, reason="40% of them"))

    def obstacle(self) -> tuple[str, tuple[VerdictKind, str]]:
        """What is left out, and what the judge says; where something is at hand, that comes more often."""
        at_hand: list[str] = []
        if any(name in self.decided and not doing.is_over for name, doing in self.state.tasks.items()):
            at_hand.append("go")
        if any(gate.kind == "task" and gate.stage == self.next_stage.id for gate in self.plan.gates):
            at_hand.append("skipped")
        if self.state.closing_at is not None:
            at_hand += ("lowered", "dead")
        elif self.ledger.stage is not None and not self.state.desired_share:
            at_hand += ("blind", "deaf")
        is_closing = self.state.closing_at is not None
        likely = 0.8 if is_closing else 0.4
        but = self.chance.choice(at_hand if at_hand and self.chance.random() < likely else OBSTACLES)
        if self.stage.advance == "time" and not is_closing and self.chance.random() < 0.4:
            return "verdict", ("blind", "")
        return but, self.chance.choice(SAYINGS[1:] if but == "verdict" else SAYINGS[:1])

    def tempt_tasks(self, but: str) -> None:
        left = [name for name, doing in self.state.tasks.items() if not doing.is_over]
        spared = self.chance.choice(left) if left else ""
        if self.state.closing_at is not None and but in ("lowered", "dead"):
            for task in self.plan.runbook:
                if task.phase == "after":
                    self.take(self.word("skip", task.id))
        for name in left:
            if but == "task" and name == spared:
                continue
            if name in self.decided:
                kinds: tuple[CommandKind, ...] = ("fail", "repeat") if but == "go" else ("go", "confirm")
            else:
                kinds = ("skip",) if but == "skipped" else ("begin", "confirm")
            for kind in kinds:
                self.take(self.word(kind, name))

    def conceivable(self) -> Event:
        """Something that could happen now; what the state makes possible comes more often than not."""
        match self.chance.choice("wwwsssseeecctta"):
            case "w":
                return self.word(self.chance.choice(WHOLE), reason=self.chance.choice(("", "why", "why")))
            case "s":
                return self.conceivable_word()
            case "e":
                self.now += timedelta(seconds=self.chance.choice((1, 10, 30)))
                return EvidenceRead(at=self.now, verdict=self.verdict(*self.chance.choice(SAYINGS)))
            case "t":
                self.now += timedelta(seconds=1)
                return self.seen().model_copy(update=self.chance.choice(SIGHTS))
            case "a" if self.at_work:
                effect = self.chance.choice(self.at_work)
                if self.chance.random() < 0.3:
                    effect = effect.model_copy(
                        update={"attempt": effect.attempt + self.chance.choice((1, -1))}
                    )
                return self.lost(effect) if self.chance.random() < 0.5 else self.ran(effect, 0)
            case _:
                self.now += timedelta(seconds=self.chance.choice((1, 20, 400, 90_000)))
                said = self.verdict(*self.chance.choice(SAYINGS))
                return ClockTicked(at=self.now, verdict=said, is_approved=self.chance.random() < 0.8)

    def conceivable_word(self) -> CommandGiven:
        is_back = self.state.phase == "rolling_back"
        doings = self.state.undo if is_back else self.state.tasks
        names = [name for name, doing in doings.items() if not doing.is_over]
        kinds = OF_SOMETHING
        if not names or self.chance.random() < 0.4:
            names = list(self.subjects())
        elif doings[names[-1]].is_stuck:
            kinds = ("repeat", "repeat", "go", "confirm", "skip")
        name = self.chance.choice(names) if names else "nothing"
        if name in self.decided and self.chance.random() < 0.8:
            kinds = ("go", "no_go", "fail", "repeat", "begin")
        reason = self.chance.choice(("", "why", "92% of them", "40% of them"))
        return self.word(self.chance.choice(kinds), name, reason=reason)

    # --- words of this file ---

    @property
    def stage(self) -> Stage:
        return self.plan.stages[self.state.stage]

    @property
    def next_stage(self) -> Stage:
        place = 0 if self.ledger.stage is None else self.ledger.stage + 1
        return self.plan.stages[min(place, len(self.plan.stages) - 1)]

    def subjects(self) -> tuple[str, ...]:
        """What people may speak of now, the nearest first."""
        gates = tuple(
            gate.id for gate in self.plan.gates if gate.stage in (self.stage.id, self.next_stage.id)
        )
        is_open = {name for name, doing in self.state.tasks.items() if not doing.is_over}
        here = tuple(task.id for task in self.plan.runbook if task.stage == self.next_stage.id)
        if self.state.phase == "rolling_back":
            return tuple(step.id for step in self.plan.rollback.undo)
        return (*sorted(is_open), *gates, *here)

    def seen(self) -> TargetObserved:
        return TargetObserved(
            at=self.now,
            share=self.share,
            mirrored=self.mirrored,
            control=self.control,
            candidate_ready=self.candidate,
            baseline_ready=self.baseline,
        )

    def seen_at(self, share: float, *, candidate_ready: bool, is_drawn: bool = True) -> TargetObserved:
        """The target serves this share, and copies and a control group as it was told; or a group that
        nobody asked for."""
        told = {"share": share, "mirrored": self.state.desired_mirrored, "candidate_ready": candidate_ready}
        group = self.state.desired_control if is_drawn else 0.3
        return self.seen().model_copy(update={**told, "control": group})

    def verdict(self, kind: VerdictKind, about: str) -> Verdict:
        """The judge's word; `before`: on another stage, `named`: it says what it thinks of each guard."""
        place = self.state.stage - 1 if about == "before" else self.state.stage
        said = verdict(kind, self.now, self.plan.stages[place].id, ready=about != "before")
        return replace(
            said,
            mismatch="users are not split as planned" if about == "mismatch" else "",
            guards=self.standings(kind, said.stage) if about == "named" else (),
            drivers=self.drivers() if (kind, about) == ("harmful", "named") else (),
        )

    def drivers(self) -> tuple[str, ...]:
        """Some of the guards, of those too that counted before and do not count here."""
        names = [guard.kpi for guard in self.plan.guards]
        return tuple(self.chance.sample(names, self.chance.randint(1, len(names))))

    def standings(self, kind: VerdictKind, stage_id: str) -> tuple[GuardVerdict, ...]:
        """What the judge makes of each guard; who does not count in this stage is neither blind nor open."""
        by_itself: dict[VerdictKind, tuple[GuardStanding, ...]] = {
            "blind": ("blind", "undecided"),
            "undecided": ("undecided", "healthy"),
        }
        return tuple(
            standing(guard, self.chance.choice(by_itself.get(kind, ("healthy",))))
            if is_counted(guard, stage_id)
            else standing(guard, "uncounted")
            for guard in self.plan.guards
        )

    def word(self, kind: CommandKind, subject: str = "", *, reason: str = "99% done") -> CommandGiven:
        return CommandGiven(at=self.now, kind=kind, actor="po", reason=reason, subject=subject)

    def ran(self, effect: RunTask, code: int | None) -> TaskRan:
        named: dict[str, Any] = {"subject": effect.subject, "attempt": effect.attempt}
        return TaskRan(at=self.now, is_undo=effect.is_undo, code=code, output="said", **named)

    def lost(self, effect: RunTask) -> TaskLost:
        return TaskLost(at=self.now, subject=effect.subject, attempt=effect.attempt, is_undo=effect.is_undo)
