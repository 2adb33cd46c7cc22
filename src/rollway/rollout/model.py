"""What the state machine works on: the state of a rollout, the events it hears, the effects it asks for.

Times are aware UTC datetimes. Everything here is a value that survives a round trip through JSON.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from rollway.judge import Verdict, VerdictKind

Phase = Literal["waiting", "running", "paused", "rolling_back", "rolled_back", "done"]
"""waiting: approved and started, its first stage not entered yet; paused: by a person, because somebody else
changed the target, because users are not split as planned, or because a task failed; rolling_back: told to
the target, not read back yet, or undo steps are left."""

CommandKind = Literal[
    "pause",
    "resume",
    "promote",
    "rollback",
    "override_window",
    "roll_forward",
    "begin",
    "confirm",
    "fail",
    "skip",
    "go",
    "no_go",
    "waive",
    "repeat",
]
"""What people say: to the rollout as a whole; and of one gate, task or undo step, which is the subject."""

SUBJECT_KINDS: frozenset[CommandKind] = frozenset(
    {"begin", "confirm", "fail", "skip", "go", "no_go", "waive", "repeat"}
)
FINAL_PHASES: frozenset[Phase] = frozenset({"rolled_back", "done"})


class Value(BaseModel):
    """A frozen value."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Override(Value):
    """Somebody's word that a rule does not hold here, with name and reason."""

    actor: str
    reason: str


class Word(Value):
    """What somebody said of a gate: met, not to be asked for, or not met (any more); `reached` if asked."""

    said: Literal["met", "waived", "not met"]
    actor: str
    at: datetime
    note: str = ""
    reached: float | None = None


class Astray(Value):
    """The target serves more than it was told: what that was, since when it is seen, and whether the record
    says so yet."""

    wanted: float
    since: datetime
    is_told: bool = False


DoingState = Literal["ready", "running", "done", "failed", "skipped", "unsure"]
"""unsure: its command was cut off and may have run, so a person is asked."""


class Doing(Value):
    """How far a task or an undo step has come. One that nothing is known of yet has no `Doing`.

    `actor` is who began, ended or decided it; "rollway" where Rollway runs its command, `attempt` times.
    """

    state: DoingState
    ready_at: datetime
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    actor: str = ""
    note: str = ""
    attempt: int = 0

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "skipped")

    @property
    def is_stuck(self) -> bool:
        return self.state in ("failed", "unsure")


class State(Value):
    """Where a rollout stands. `desired_*` is what the target is told, `served_*` what it said.

    `entered_at` is when the stage's exposure was first read back as served; None until then. `told_at` is
    when it was last told from the start, `stage_at` when the stage was entered and `before_at` when the one
    before it was. The moments that durations are counted from are by the clock as it is now: where it jumps,
    or nobody looks, they move with it (elapsed). `heard` is the kind of the last verdict.
    `standing` is why the rollout does not go on at this moment, in one sentence, for people.
    `mismatch_stage`: the stage that was last paused because users were not split as planned. `held_stage`:
    the one that was last held because its patience was over. `held_for`: the KPIs whose harm the plan answers
    by holding, once it was held for them. `blind_told`: whether people were told of the present blindness.
    `candidate_ready`, `baseline_ready`: what the target last said of the two versions. `unready_since`: since
    when the new version serves users and is not ready. `refusal`: why the target would not go further, once
    it was paused for that.

    `words` are what people said of gates, `tasks` and `undo` how far these have come, each by id and only
    where there is something to say. `turns`: when the turn of each stage came, where tasks are followed.
    `is_promoted`: the present stage's rule was overridden by name. `closing_at`: since when only the tasks
    after the last stage are left. `held_by_task`: paused because a task failed, and for no other reason.
    `no_return`: the stage or task with which the way back was closed. `back_at`: when traffic was read back
    as served by the old version, in a rollback with undo steps. `mended_at`: from when on evidence counts.
    `awaited`: the stage of whose gates people were last told. `astray`: the target serves more than it is
    told, again and again. `nobody_at`: when it was last known that the new version serves nobody.
    `split_at`: when users were first seen to be split as they are.
    `is_dead_told`: whether people were told that it died past the point of no return.
    """

    phase: Phase = "waiting"
    stage: int = 0
    started_at: datetime | None = None
    desired_share: float = 0.0
    desired_mirrored: float = 0.0
    desired_groups: tuple[str, ...] = ()
    desired_control: float = 0.0
    served_share: float | None = None
    served_mirrored: float = 0.0
    served_control: float = 0.0
    served_groups: tuple[str, ...] | None = None
    stage_at: datetime | None = None
    before_at: datetime | None = None
    told_at: datetime | None = None
    entered_at: datetime | None = None
    heard: VerdictKind | None = None
    blind_since: datetime | None = None
    asked_at: datetime | None = None
    mismatch_stage: int | None = None
    held_stage: int | None = None
    held_for: tuple[str, ...] = ()
    blind_told: bool = False
    candidate_ready: bool | None = None
    baseline_ready: bool | None = None
    unready_since: datetime | None = None
    target_problem: str = ""
    refusal: str = ""
    standing: str = ""
    override: Override | None = None
    words: dict[str, Word] = {}
    tasks: dict[str, Doing] = {}
    undo: dict[str, Doing] = {}
    turns: dict[str, datetime] = {}
    is_promoted: bool = False
    held_by_task: bool = False
    no_return: str = ""
    closing_at: datetime | None = None
    back_at: datetime | None = None
    mended_at: datetime | None = None
    awaited: str = ""
    astray: Astray | None = None
    nobody_at: datetime | None = None
    split_at: datetime | None = None
    is_dead_told: bool = False
    ended_at: datetime | None = None

    @property
    def is_final(self) -> bool:
        return self.phase in FINAL_PHASES


# --- events ---------------------------------------------------------------------------------------


class TargetObserved(Value):
    """The target was asked what it serves, and answered.

    A version is ready when it could take the traffic that it may be given; None where the target cannot know.
    `groups` are those that it serves as a whole, None where it knows no groups; `refusal` is why it will not
    go further by itself; `control` is the share of users who are its control group.
    """

    at: datetime
    share: float
    mirrored: float = 0.0
    control: float = 0.0
    groups: tuple[str, ...] | None = None
    refusal: str = ""
    candidate_ready: bool | None = None
    baseline_ready: bool | None = None


class TargetFailed(Value):
    """The target did not answer, or refused what it was told."""

    at: datetime
    problem: str


class EvidenceRead(Value):
    """The judge spoke."""

    at: datetime
    verdict: Verdict


class CommandGiven(Value):
    """A person said something; `subject` is the gate, the task or the undo step that it is about."""

    at: datetime
    kind: CommandKind
    actor: str
    reason: str = ""
    subject: str = ""


class ClockTicked(Value):
    """Time went by; `verdict` is the judge's latest word at this moment, if it has spoken at all.

    `is_approved` says whether the plan still has its approvals; asked before anything has begun.
    """

    at: datetime
    verdict: Verdict | None = None
    is_approved: bool = True


class ClockCompared(Value):
    """What is known of the time since the tick before; heard first, as all else counts time.

    `jumped`: the seconds by which the wall clock was moved meanwhile, forward or back. `ahead`: by which this
    rollout's time went on further than time did; that is the same, but where its time waits for a clock that
    was set back. `gap`: in which nobody looked, and nothing was written. `is_timed`: by a steady clock;
    where there is none, as after a restart, a jump cannot be told from a gap.
    """

    at: datetime
    jumped: float = 0.0
    ahead: float = 0.0
    gap: float = 0.0
    is_timed: bool = True


class TaskRan(Value):
    """The command of an automatic task or undo step ended. `code` is None where it could not be run, or was
    ended because it took too long; `output` is the end of what it said."""

    at: datetime
    subject: str
    attempt: int
    is_undo: bool = False
    code: int | None = None
    output: str = ""
    problem: str = ""
    seconds: float = 0.0


class TaskLost(Value):
    """Nobody runs this command any more, and nobody knows how it ended."""

    at: datetime
    subject: str
    attempt: int
    is_undo: bool = False


Event = (
    TargetObserved
    | TargetFailed
    | EvidenceRead
    | CommandGiven
    | ClockTicked
    | ClockCompared
    | TaskRan
    | TaskLost
)


# --- effects --------------------------------------------------------------------------------------


class SetShare(Value):
    """Tell the target to serve the new version to this share, or to these groups where it knows groups, to
    send it copies of so many of the other requests, and to make so many users its control group. Absolute, so
    repeating it is harmless."""

    share: float
    mirrored: float = 0.0
    groups: tuple[str, ...] = ()
    control: float = 0.0


class RunTask(Value):
    """Run the command of an automatic task, or undo step. It is committed as running before it is run, and
    run once for each attempt."""

    subject: str
    attempt: int
    is_undo: bool = False
    command: tuple[str, ...]
    timeout: float


Effect = SetShare | RunTask


class Entry(Value):
    """A line for the record: what happened, and the numbers behind it."""

    kind: str
    text: str
    actor: str = "rollway"
    data: dict[str, Any] = {}


class Step(Value):
    """What the machine answers: where it stands now, what is to be done, what is to be remembered."""

    state: State
    effects: tuple[Effect, ...] = ()
    entries: tuple[Entry, ...] = ()
