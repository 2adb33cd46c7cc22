"""What the state machine works on: the state of a rollout, the events it hears, the effects it asks for.

Times are aware UTC datetimes. Everything here is a value that survives a round trip through JSON.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from rollway.judge import Verdict, VerdictKind

Phase = Literal["waiting", "running", "paused", "rolling_back", "rolled_back", "done"]
"""waiting: approved and started, its first window not open yet; paused: by a person, because somebody else
changed the target, or because users are not split as planned; rolling_back: told to the target, not read
back yet."""

CommandKind = Literal["pause", "resume", "promote", "rollback", "override_window"]
FINAL_PHASES: frozenset[Phase] = frozenset({"rolled_back", "done"})


class Value(BaseModel):
    """A frozen value."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Override(Value):
    """Somebody's word that a rule does not hold here, with name and reason."""

    actor: str
    reason: str


class State(Value):
    """Where a rollout stands. `desired_share` is what the target is told, `served_share` what it said.

    `entered_at` is when the stage's exposure was first read back as served; None until then.
    `heard` is the kind of the last verdict. `standing` is why the rollout does not go on at this moment,
    in one sentence, for people. `mismatch_stage`: the stage that was last paused because users were not
    split as planned. `held_stage`: the one that was last held because its patience was over. `held_for`: the
    KPIs whose harm the plan answers by holding, once it was held for them. `blind_told`: whether people were
    told of the present blindness. `candidate_ready`, `baseline_ready`: what the target last said of the two
    versions. `unready_since`: since when the new version serves users and is not ready.
    """

    phase: Phase = "waiting"
    stage: int = 0
    started_at: datetime | None = None
    desired_share: float = 0.0
    served_share: float | None = None
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
    standing: str = ""
    override: Override | None = None
    ended_at: datetime | None = None

    @property
    def is_final(self) -> bool:
        return self.phase in FINAL_PHASES


# --- events ---------------------------------------------------------------------------------------


class TargetObserved(Value):
    """The target was asked what it serves, and answered.

    A version is ready when it could take the traffic that it may be given; None where the target cannot know.
    """

    at: datetime
    share: float
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
    """A person said something."""

    at: datetime
    kind: CommandKind
    actor: str
    reason: str = ""


class ClockTicked(Value):
    """Time went by; `verdict` is the judge's latest word at this moment, if it has spoken at all.

    `is_approved` says whether the plan still has its approvals; asked before anything has begun.
    """

    at: datetime
    verdict: Verdict | None = None
    is_approved: bool = True


Event = TargetObserved | TargetFailed | EvidenceRead | CommandGiven | ClockTicked


# --- effects --------------------------------------------------------------------------------------


class SetShare(Value):
    """Tell the target to serve the new version to this share. Absolute, so repeating it is harmless."""

    share: float


Effect = SetShare


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
