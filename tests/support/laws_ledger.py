"""What somebody knows of a rollout who reads its plan and its record, and watches the world: never its state.

The laws ask this ledger and not the machine's own functions, so that a fault in those does not hide itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rollway.facts.model import Window
from rollway.planning import Gate, Guard, Plan, Stage, Task
from rollway.rollout import (
    CommandGiven,
    Entry,
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
)

NEARLY = 1e-4
SAME = 1e-5
Attempt = tuple[str, int, bool]


@dataclass
class Ledger:
    """The book of one rollout. `read_at`: since when the present stage is seen to be served as planned."""

    plan: Plan
    words: dict[str, Entry] = field(default_factory=dict)
    over: dict[str, str] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    goes: set[str] = field(default_factory=set)
    undone: list[str] = field(default_factory=list)
    ran: set[Attempt] = field(default_factory=set)
    at_work: set[Attempt] = field(default_factory=set)
    stage: int | None = None
    read_at: datetime | None = None
    is_promoted: bool = False
    is_past: bool = False
    is_overridden: bool = False
    is_asked: bool = False
    is_back: bool = False
    candidate_ready: bool | None = None
    baseline_ready: bool | None = None
    dead_at: datetime | None = None
    heard: EvidenceRead | None = None
    blind_at: datetime | None = None
    nobody_at: datetime | None = None
    is_death_told: bool = False
    mismatched: int | None = None
    split: tuple[datetime, float, float, float] | None = None
    told_at: datetime | None = None
    is_blind_told: bool = False

    def copy(self) -> Ledger:
        """A book for what is only tried."""
        own = {
            name: value.copy() for name, value in vars(self).items() if isinstance(value, dict | set | list)
        }
        return replace(self, **own)

    def note(self, before: State, event: Event, step: Step) -> None:
        """Write down what happened, and what the record says of it."""
        self._see(before, event)
        for entry in step.entries:
            self._read(entry, event)
            if entry.kind in ("version_dead", "version_back", "roll_forward"):
                self.is_death_told = entry.kind == "version_dead"
        for effect in step.effects:
            if isinstance(effect, RunTask):
                self._began(effect)
            elif before.desired_share <= 0 < effect.share:
                self.nobody_at = event.at
            if isinstance(effect, SetShare) and _is_told_anew(event, step):
                self.told_at = event.at

    # --- the world ---

    def _see(self, before: State, event: Event) -> None:
        match event:
            case TargetObserved():
                self._observe(event, before.desired_share)
            case EvidenceRead() if self.stage is not None and before.phase in ("running", "paused"):
                self.heard = event
                self.blind_at = (self.blind_at or event.at) if event.verdict.kind == "blind" else None
                self.is_blind_told &= event.verdict.kind == "blind"
            case TaskRan() | TaskLost():
                self.at_work.discard((event.subject, event.attempt, event.is_undo))

    def _observe(self, event: TargetObserved, told: float) -> None:
        self.candidate_ready, self.baseline_ready = event.candidate_ready, event.baseline_ready
        self.split = (self.split_since(event), event.share, event.mirrored, event.control)
        if event.share <= 0:
            self.nobody_at = event.at
        is_lasting = event.candidate_ready is None and self.is_death_told
        # What serves another share than it was told is set right first, and looked at then.
        is_as_told = abs(event.share - told) < NEARLY
        if event.share <= 0 or (is_as_told and event.candidate_ready is not False and not is_lasting):
            self.dead_at = None
            self.is_death_told = False
        elif event.candidate_ready is False and is_as_told:
            self.dead_at = self.dead_at or event.at
        self.is_back = event.share == 0 and event.mirrored == 0
        if self.stage is not None:
            self.read_at = (self.read_at or event.at) if self.serves(event) else None

    def serves(self, event: TargetObserved) -> bool:
        """Whether the target serves what the present stage asks for."""
        assert self.stage is not None
        exposure = self.plan.stages[self.stage].exposure
        copies = event.mirrored if self.has_copies else exposure.mirrored
        is_split = (
            abs(event.share - exposure.live) < NEARLY and abs(event.control - exposure.control) < NEARLY
        )
        return is_split and abs(copies - exposure.mirrored) < NEARLY

    def split_since(self, event: TargetObserved) -> datetime:
        """When users were first seen to be split as this look finds them."""
        now = (event.share, event.mirrored, event.control)
        is_new = self.split is None or any(
            abs(one - other) > SAME for one, other in zip(self.split[1:], now, strict=True)
        )
        return event.at if is_new or self.split is None else self.split[0]

    # --- the record ---

    def _read(self, entry: Entry, event: Event) -> None:
        data = entry.data
        task, undo = data.get("task"), data.get("undo")
        match entry.kind:
            case "stage_entered":
                self.stage = next(i for i, stage in enumerate(self.plan.stages) if stage.id == data["stage"])
                self.read_at, self.is_promoted, self.is_asked = None, False, False
                self.is_past |= not self.plan.stages[self.stage].reversible
            case "promote":
                self.is_promoted = True
                self.over |= {f"{self.plan.stages[self.stage or 0].id}-decide": "done"}
            case "roll_forward":
                self.read_at, self.blind_at, self.heard, self.dead_at = None, None, None, None
                self.is_promoted, self.mismatched, self.is_asked = False, None, False
                self.is_blind_told = False
            case "resume":
                self.is_asked = False
            case "override_window":
                self.is_overridden = True
            case "asked" | "told" | "held":
                self.is_asked = True
                self.is_blind_told |= isinstance(event, EvidenceRead) and entry.kind != "held"
            case "mismatch":
                self.mismatched = self.stage
            case "confirm" | "go" | "no_go" | "fail" | "waive" if "gate" in data:
                self.words[str(data["gate"])] = entry
            case "task_done" | "confirm" | "skip" | "go" if isinstance(task, str):
                self._ended(task, entry)
            case "begin" | "fail" | "repeat" if isinstance(task, str) and data.get("began"):
                self._begun(task)
            case "task_done" | "confirm" | "skip" if isinstance(undo, str):
                self.undone.append(undo)
        if entry.kind == "go" and isinstance(event, CommandGiven):
            self.goes.add(str(task or event.subject))

    def _ended(self, name: str, entry: Entry) -> None:
        task = task_of(self.plan, name)
        if entry.kind != "go" or task.gate:
            self.over[name] = "skipped" if entry.kind == "skip" else "done"
        if entry.kind != "skip" or entry.data.get("began"):
            self._begun(name)

    def _begun(self, name: str) -> None:
        self.begun.add(name)
        self.is_past |= not task_of(self.plan, name).reversible

    def _began(self, effect: RunTask) -> None:
        key = (effect.subject, effect.attempt, effect.is_undo)
        self.ran.add(key)
        self.at_work.add(key)
        if not effect.is_undo:
            self._begun(effect.subject)

    # --- what follows from both ---

    def blind_for(self, at: datetime) -> float:
        """The seconds in which users were served the new version and nobody saw: none while nobody was."""
        since = [one for one in (self.blind_at, self.nobody_at) if one is not None]
        return (at - max(since)).total_seconds() if self.blind_at is not None else 0.0

    @property
    def has_copies(self) -> bool:
        """Whether the plan asks for copies anywhere; else those that are sent are somebody else's."""
        return any(stage.exposure.mirrored for stage in self.plan.stages)

    @property
    def is_followed(self) -> bool:
        return self.plan.policy.tasks == "followed"

    def is_over(self, name: str, step: Step) -> bool:
        """Whether the record says that a task is done or left out; Rollway's own are told by their stages."""
        if name in self.over:
            return True
        if any(entry.kind == "task_done" and entry.data.get("task") == name for entry in step.entries):
            return True
        doing = step.state.tasks.get(name)
        return is_own(task_of(self.plan, name)) and doing is not None and doing.is_over

    def is_done(self, name: str, step: Step) -> bool:
        """Whether it is over and was not left out."""
        doing = step.state.tasks.get(name)
        is_skipped = self.over.get(name) == "skipped" or (doing is not None and doing.state == "skipped")
        return self.is_over(name, step) and not is_skipped

    def gate_is_met(self, gate: Gate) -> bool:
        """By the last word, else by the facts, else by its task, where tasks are followed."""
        word = self.words.get(gate.id)
        if word is None:
            if gate.known is not None and gate.known >= (gate.minimum or 1.0):
                return True
            return self.is_followed and gate.kind == "task" and self.over.get(gate.of) == "done"
        if word.kind == "waive":
            return bool(word.data["reason"])
        reached = word.data.get("reached")
        is_enough = gate.minimum is None or (isinstance(reached, float) and reached >= gate.minimum)
        return word.kind in ("confirm", "go") and is_enough

    def is_open(self, stage: Stage, at: datetime) -> bool:
        """Whether windows and freezes let the stage be entered, or somebody overrode them."""
        return not stage.in_window or self.is_overridden or may_change(self.plan, at)

    def needed_undo(self, step: Step) -> list[str]:
        """What has to be undone, in the plan's order: of what was begun, and what no task names."""
        own = {name for name, doing in step.state.tasks.items() if doing.begun_at is not None}
        begun = self.begun | {task.id for task in self.plan.runbook if is_own(task) and task.id in own}
        if not self.is_followed or (self.stage is None and not begun):
            return []
        named = {one for task in self.plan.runbook for one in task.undo}
        wanted = {one for task in self.plan.runbook if task.id in begun for one in task.undo}
        return [one.id for one in self.plan.rollback.undo if one.id in wanted or one.id not in named]


def _is_told_anew(event: Event, step: Step) -> bool:
    """Whether the target has its time again to begin with copies, or to draw a control group: it is told by
    people or by the plan, or what somebody changed of these is set back."""
    if not isinstance(event, TargetObserved | TargetFailed):
        return True
    return any(
        entry.kind == "drift" and ("control" in entry.data or "mirrored" in entry.data)
        for entry in step.entries
    )


# --- the plan, read plainly --------------------------------------------------------------------------


def task_of(plan: Plan, name: str) -> Task:
    return next(task for task in plan.runbook if task.id == name)


def is_own(task: Task) -> bool:
    """What Rollway does by carrying the plan out: nobody says so."""
    if task.gate or task.automatic:
        return False
    return task.id == "before-approval" or (
        task.phase == "during" and task.id in (f"{task.stage}-expose", f"{task.stage}-decide")
    )


def is_counted(guard: Guard, stage_id: str) -> bool:
    """Whether a guard counts in a stage; without a list it does in all."""
    return stage_id in guard.stages if guard.stages else True


def may_change(plan: Plan, at: datetime) -> bool:
    """The laws' plans have windows that open every day, and freezes of whole days."""
    for freeze in plan.freezes:
        if freeze.first <= at.astimezone(ZoneInfo(freeze.timezone)).date() <= freeze.last:
            return False
    return not plan.windows or any(_is_within(at, window) for window in plan.windows)


def _is_within(at: datetime, window: Window) -> bool:
    local = at.astimezone(ZoneInfo(window.timezone))
    clock, opens, closes = local.hour * 60 + local.minute, _minutes(window.opens), _minutes(window.closes)
    return opens <= clock < closes if opens < closes else clock >= opens or clock < closes


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def next_change(plan: Plan, at: datetime) -> datetime:
    """A moment at which a change may happen; every window of the laws is open for an hour."""
    while not may_change(plan, at):
        at += timedelta(minutes=40)
    return at


def tasks_in(plan: Plan, phase: str, stage: Stage) -> tuple[Task, ...]:
    return tuple(task for task in plan.runbook if (task.phase, task.stage) == (phase, stage.id))


def waits_for(plan: Plan, name: str, other: str) -> bool:
    """Whether a task waits for another one, or for one that does."""
    return any(one == other or waits_for(plan, one, other) for one in task_of(plan, name).after)


def comes_before_exposure(plan: Plan, stage: Stage, task: Task) -> bool:
    """Whether a task in a stage is done before anybody is served: the exposure or a gate waits for it."""
    expose = f"{stage.id}-expose"
    if task.id == expose or waits_for(plan, task.id, expose):
        return False
    own = {one.id for one in tasks_in(plan, "during", stage)}
    heads = {expose} & own
    for gate in plan.gates:
        is_asked = (gate.kind, gate.stage) == ("task", stage.id) and gate.of in own
        if is_asked and not waits_for(plan, gate.of, expose):
            heads.add(gate.of)
    return any(head == task.id or waits_for(plan, head, task.id) for head in heads)
