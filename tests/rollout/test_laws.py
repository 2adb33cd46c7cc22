"""The laws of the state machine, for every plan and whatever happens: the world, people, crashes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from rollway.judge import VerdictKind
from rollway.planning import Plan, Stage, Task
from rollway.planning.calendar.in_plan import plan_state
from rollway.rollout import (
    SUBJECT_KINDS,
    ClockTicked,
    CommandGiven,
    CommandKind,
    Event,
    EvidenceRead,
    RunTask,
    SetShare,
    State,
    Step,
    TargetFailed,
    TargetObserved,
    TaskLost,
    TaskRan,
    advance,
    begin,
    live_share,
)
from rollway.rollout.gates import confirmations, unmet_gates
from rollway.rollout.needs import lacking
from rollway.rollout.steps import is_past_return, next_stage
from support.laws import plans
from support.stories import verdict

EVENING = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
WHOLE: tuple[CommandKind, ...] = tuple(kind for kind in get_args(CommandKind) if kind not in SUBJECT_KINDS)
MOST_STEPS = 400


class Laws(RuleBasedStateMachine):
    """A rollout, its target, its tasks' commands, and what must hold after every event."""

    def __init__(self) -> None:
        super().__init__()
        self.plan: Plan
        self.state: State = begin()
        self.now = EVENING
        self.share = self.mirrored = 0.0
        self.does_as_told = True
        self.ran: set[tuple[str, int, bool]] = set()
        self.at_work: list[RunTask] = []
        self.read_back = 0.0

    @initialize(plan=plans())
    def start(self, plan: Plan) -> None:
        self.plan = plan

    # --- what happens ---

    @rule(
        seconds=st.sampled_from([1, 1, 5, 40, 400, 40_000]),
        kind=st.sampled_from(["healthy", "healthy", "healthy", "undecided", "blind", "harmful"]),
        mismatch=st.sampled_from(["", "", "", "users are not split as planned"]),
        is_approved=st.sampled_from([True, True, True, False]),
    )
    def tick(self, seconds: int, kind: VerdictKind, mismatch: str, is_approved: bool) -> None:
        self.now += timedelta(seconds=seconds)
        said = replace(verdict(kind, self.now, self.stage.id), mismatch=mismatch)
        self.hear(self.seen())
        self.hear(EvidenceRead(at=self.now, verdict=said))
        self.hear(ClockTicked(at=self.now, verdict=said, is_approved=is_approved))

    @rule(count=st.integers(2, 12))
    def all_is_well(self, count: int) -> None:
        for _ in range(count):
            self.tick(15, "healthy", "", True)

    @rule(share=st.sampled_from([0.0, 0.05, 0.5, 1.0]), ready=st.sampled_from([True, False, None]))
    def somebody_else_moves_the_target(self, share: float, ready: bool | None) -> None:
        self.share = share
        self.hear(
            self.seen().model_copy(
                update={"candidate_ready": ready, "refusal": "a site says no" if ready is False else ""}
            )
        )

    @rule(does=st.booleans(), old=st.sampled_from([True, False, None]))
    def the_target_changes_its_mind(self, does: bool, old: bool | None) -> None:
        self.does_as_told = does
        self.hear(TargetFailed(at=self.now, problem="connection refused"))
        self.hear(self.seen().model_copy(update={"baseline_ready": old}))

    @rule(kind=st.sampled_from(WHOLE), reason=st.sampled_from(["", "because"]))
    def somebody_speaks(self, kind: CommandKind, reason: str) -> None:
        self.hear(CommandGiven(at=self.now, kind=kind, actor="mallory", reason=reason))

    @rule(
        kind=st.sampled_from(sorted(SUBJECT_KINDS)),
        place=st.integers(0, 1000),
        reason=st.sampled_from(["", "because", "92% of them"]),
    )
    def somebody_speaks_of_something(self, kind: CommandKind, place: int, reason: str) -> None:
        known = (*self.state.undo, *self.state.tasks) or tuple(gate.id for gate in self.plan.gates)
        names = known if place % 3 else tuple(one.id for one in (*self.plan.gates, *self.plan.runbook))
        name = names[place % len(names)] if names else "nothing"
        self.hear(CommandGiven(at=self.now, kind=kind, actor="eva", reason=reason, subject=name))

    @rule(count=st.integers(1, 15), is_patient=st.booleans())
    def things_go_on(self, count: int, is_patient: bool) -> None:
        for _ in range(count):
            self.help_along(is_patient=is_patient)

    @rule()
    def gates_are_confirmed(self) -> None:
        stage = next_stage(self.plan, self.state)
        for command in confirmations(self.plan, self.state, "ana", self.now, stage):
            self.hear(command)

    @precondition(lambda self: self.at_work)
    @rule(code=st.sampled_from([0, 0, 1, None]), is_cut_off=st.booleans())
    def a_command_ends(self, code: int | None, is_cut_off: bool) -> None:
        effect = self.at_work.pop()
        named: dict[str, Any] = {"subject": effect.subject, "attempt": effect.attempt}
        if is_cut_off:
            self.hear(TaskLost(at=self.now, is_undo=effect.is_undo, **named))
        else:
            self.hear(TaskRan(at=self.now, is_undo=effect.is_undo, code=code, output="said", **named))

    def teardown(self) -> None:
        """No dead end: with a world that works and people who do what is asked, every rollout ends."""
        if not hasattr(self, "plan"):
            return
        for _ in range(MOST_STEPS):
            if self.state.is_final:
                assert lacking(self.plan, self.state, self.now) == ()
                return
            is_at_hand = self.state.phase in ("running", "waiting")
            assert is_at_hand or lacking(self.plan, self.state, self.now)
            self.help_along()
        needs = lacking(self.plan, self.state, self.now)
        raise AssertionError(f"{self.state.phase} for ever: {self.state.standing} {needs}")

    def help_along(self, *, is_patient: bool = True) -> None:
        """People do what is asked, and time goes by; who is not patient does not wait for commands to end."""
        self.does_as_told = True
        self.gates_are_confirmed()
        for effect in tuple(self.at_work) if is_patient else ():
            self.at_work.remove(effect)
            named: dict[str, Any] = {"subject": effect.subject, "attempt": effect.attempt}
            self.hear(TaskRan(at=self.now, is_undo=effect.is_undo, code=0, **named))
        decided = {task.id for task in self.plan.runbook if task.gate or not task.reversible}
        progress = self.state.undo if self.state.phase == "rolling_back" else self.state.tasks
        for name, doing in progress.items():
            if not doing.is_over and (doing.state, doing.actor) != ("running", "rollway"):
                if name in decided and doing.begun_at is None:
                    self.hear(self.word("go", name))
                self.hear(self.word("begin" if doing.state == "ready" else "confirm", name))
                self.hear(self.word("confirm", name))
        for gate in unmet_gates(self.plan, self.state, next_stage(self.plan, self.state) or self.stage):
            if gate.kind == "task" and (done := self.state.tasks.get(gate.of)) and done.is_over:
                self.hear(self.word("waive", gate.id))
        if self.state.phase == "paused":
            kinds: tuple[CommandKind, ...] = ("resume", "roll_forward", "rollback")
            for kind in kinds:
                if self.state.phase == "paused":
                    self.hear(self.word(kind, ""))
        self.tick(20_000, "healthy", "", True)
        if self.state.phase == "running" and self.stage.advance == "person":
            self.hear(self.word("promote", ""))

    def word(self, kind: CommandKind, subject: str) -> CommandGiven:
        return CommandGiven(at=self.now, kind=kind, actor="po", reason="99% done", subject=subject)

    # --- the world ---

    @property
    def stage(self) -> Stage:
        return self.plan.stages[self.state.stage]

    def seen(self) -> TargetObserved:
        return TargetObserved(at=self.now, share=self.share, mirrored=self.mirrored)

    def hear(self, event: Event) -> None:
        before = self.state
        step = advance(self.plan, before, event)
        # A crash before the commit: the same event comes again, to a state that was read from the database.
        again = State.model_validate_json(before.model_dump_json())
        assert advance(self.plan, again, event) == step
        if isinstance(event, TargetObserved):
            self.read_back = event.share
        self.check(before, event, step)
        self.state = step.state
        for effect in step.effects:
            if isinstance(effect, RunTask):
                self.at_work.append(effect)
            elif self.does_as_told:
                self.share, self.mirrored = effect.share, effect.mirrored

    # --- the laws ---

    def check(self, before: State, event: Event, step: Step) -> None:
        after, kinds = step.state, [entry.kind for entry in step.entries]
        if before.is_final:
            assert after == before
            assert step.effects == ()
            return
        self.check_exposure(before, event, step, kinds)
        self.check_way_back(before, event, after)
        self.check_tasks(before, event, step)
        told = ("phase", "stage", "desired_share", "no_return", "entered_at", "back_at", "turns")
        for field in told[:4]:
            if getattr(before, field) != getattr(after, field):
                assert kinds, f"{field} changed and the record does not say so"
        for entry in step.entries:
            assert entry.text
            if entry.kind in (
                "verdict",
                "held",
                "asked",
                "rollback",
                "stage_passed",
                "stage_entered",
                "drift",
            ):
                assert entry.data or entry.kind == "held", entry
        if isinstance(event, CommandGiven):
            assert event.actor in {entry.actor for entry in step.entries}

    def check_exposure(self, before: State, event: Event, step: Step, kinds: list[str]) -> None:
        """Exposure grows only by entering the next stage: by its rule, its gates, its window, its tasks."""
        after = step.state
        assert after.desired_share <= live_share(self.plan.stages[after.stage])
        told = [effect for effect in step.effects if isinstance(effect, SetShare)]
        assert all(effect.share == after.desired_share for effect in told)
        if "stage_entered" not in kinds:
            assert after.stage == before.stage
            is_going_on = isinstance(event, CommandGiven) and before.phase == "paused"
            assert after.desired_share <= before.desired_share or is_going_on
            return
        stage, is_first = self.plan.stages[after.stage], before.started_at is None
        assert after.stage == (0 if is_first else before.stage + 1)
        assert not unmet_before(self.plan, before, after, stage)
        assert after.override or not stage.in_window or plan_state(self.plan, self.now).is_open
        assert not (before.candidate_ready is False and live_share(stage) > before.desired_share)
        if self.plan.policy.tasks == "followed":
            assert all(
                (doing := after.tasks.get(task.id)) is not None and doing.is_over
                for task in self.plan.runbook
                if (task.phase, task.stage) == ("before", stage.id)
            )
        if is_first:
            assert isinstance(event, ClockTicked)
            assert event.is_approved
            return
        assert before.entered_at is not None, "a stage that was never read back was left"
        if self.plan.policy.tasks == "followed":
            left_open = [
                task.id
                for task in self.plan.runbook
                if (task.phase, task.stage) == ("during", self.plan.stages[before.stage].id)
                and not ((doing := after.tasks.get(task.id)) and doing.is_over)
            ]
            assert not left_open, "a stage was left before its tasks were over"
        if isinstance(event, ClockTicked) and not before.is_promoted:
            left = self.plan.stages[before.stage]
            assert (self.now - before.entered_at).total_seconds() >= left.bake_seconds
            if left.advance != "person":
                assert event.verdict is not None
                assert not event.verdict.mismatch
                assert event.verdict.kind not in ("harmful", "blind") or left.advance == "ready"
                assert event.verdict.kind == "healthy" or left.advance in ("time", "ready")

    def check_way_back(self, before: State, event: Event, after: State) -> None:
        """Harm and people's words lead back while there is a way back, and never after."""
        is_past = is_past_return(self.plan, before)
        if is_past:
            assert is_past_return(self.plan, after)
            assert before.phase == "rolling_back" or after.phase not in ("rolling_back", "rolled_back")
        is_word = isinstance(event, CommandGiven) and event.kind == "rollback"
        is_harm = isinstance(event, EvidenceRead) and event.verdict.kind == "harmful"
        exposed = before.phase in ("running", "paused") and before.started_at is not None
        if (is_word or (is_harm and exposed)) and not is_past:
            assert after.phase in ("rolling_back", "rolled_back")
            assert after.desired_share == 0
        if is_harm and exposed and is_past:
            assert after.phase == "paused"
        if after.phase == "rolled_back" and before.phase == "rolling_back" and before.started_at is not None:
            assert self.read_back == 0
        if after.phase == "done":
            assert after.desired_share == 1.0
            if self.plan.policy.tasks == "followed":
                assert all(doing.is_over for doing in after.tasks.values())
                assert {task.id for task in self.plan.runbook} == after.tasks.keys()

    def check_tasks(self, before: State, event: Event, step: Step) -> None:
        """Nothing is run twice that must not be, nothing precedes what it waits for, undoing is in order."""
        after = step.state
        assert self.plan.policy.tasks == "followed" or not after.tasks
        tasks = {task.id: task for task in self.plan.runbook}
        steps = {one.id: one for one in self.plan.rollback.undo}
        for effect in step.effects:
            if isinstance(effect, RunTask):
                key = (effect.subject, effect.attempt, effect.is_undo)
                assert key not in self.ran
                self.ran.add(key)
                what = steps[effect.subject] if effect.is_undo else tasks[effect.subject]
                doing = (after.undo if effect.is_undo else after.tasks)[effect.subject]
                assert (doing.state, doing.attempt) == ("running", effect.attempt)
                if effect.attempt > 1 and not what.idempotent:
                    assert isinstance(event, CommandGiven), "run again without a person's word"
                if isinstance(what, Task) and not what.reversible:
                    assert isinstance(event, CommandGiven)
                    assert event.kind in ("go", "repeat")
        for name, doing in after.tasks.items():
            if name not in before.tasks and doing.state != "skipped":
                assert all(
                    (known := after.tasks.get(one)) is not None and known.is_over for one in tasks[name].after
                ), f"{name} came before what it waits for"
        begun = [name for name in after.undo if after.undo[name].state != "skipped"]
        order = [name for name in steps if name in begun]
        assert begun == order, "undone in another order"
        if after.undo and not before.undo:
            assert before.back_at is not None


def unmet_before(plan: Plan, before: State, after: State, stage: Stage) -> list[str]:
    """The gates of a stage that was entered and that were not met; its own tasks may come later."""
    is_followed = plan.policy.tasks == "followed"
    within = {task.id for task in plan.runbook if (task.phase, task.stage) == ("during", stage.id)}
    return [
        gate.id
        for gate in unmet_gates(plan, after if is_followed else before, stage)
        if not (is_followed and gate.of in within and _comes_late(plan, stage, gate.of))
    ]


def _comes_late(plan: Plan, stage: Stage, name: str) -> bool:
    """Whether a task waits for the exposure itself."""
    tasks = {task.id: task for task in plan.runbook}
    left, seen = [name], set[str]()
    while left:
        one = left.pop()
        if one == f"{stage.id}-expose":
            return True
        if one not in seen:
            seen.add(one)
            left += tasks[one].after
    return False


TestLaws = Laws.TestCase
TestLaws.settings = settings(
    max_examples=100,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
