"""The parts of a plan that people do, read and answer for: messages, gates, training, the way back.

A field that came later is left out of the content where it says nothing, so that older plans keep their
hash. Durations are seconds; offsets count from the moment at which the part's stage is entered.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rollway.planning.runbooks.model import DataPart, Extra, UndoStep

Probability = Annotated[float, Field(ge=0, le=1)]
MessageKind = Literal["notice", "reminder", "news", "decision", "delay", "rollback"]
GateKind = Literal["training", "message", "task", "person", "dependency"]


class Part(BaseModel):
    """A part of a plan: frozen, and nothing in it that the format does not name."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def unsaid(default: Any = "", **bounds: Any) -> Any:
    """A field that is left out of the content where it holds its default."""
    return Field(default=default, exclude_if=lambda value: value == default, **bounds)


class Message(Part):
    """One message of the communication plan, bound to a stage.

    `when` says in words when it is sent; `offset_seconds` says it from the entering of the stage, where that
    can be told, and `local_time` on whose clocks: those of `timezone`. It must be written in `language`;
    where `to_write` is true, `text` is the English text that somebody puts into that language.
    """

    stage: str
    when: str
    audience: str
    channel: str
    text: str
    id: str = unsaid()
    kind: MessageKind = unsaid("notice")
    group: str = unsaid()
    language: str = unsaid()
    timezone: str = unsaid()
    local_time: str = unsaid()
    offset_seconds: float | None = unsaid(None)
    to_write: bool = unsaid(False)
    sender: str = unsaid()


class Training(Part):
    """The training of one group before the stage in which it joins.

    `trained` is the share of the group that was trained when the plan was made (None: not known),
    `minimum` the share that the stage asks for. `day` is the last day of training that is planned.
    """

    stage: str
    group: str
    minimum: Probability
    trained: Probability | None = None
    users: int | None = unsaid(None)
    day: date | None = unsaid(None)
    champion: str = unsaid()
    language: str = unsaid()
    timezone: str = unsaid()


class Support(Part):
    """The support desk's load after a stage is entered; see `support.py` for the formula.

    `settling` are the users who have joined and still ask much. None means that it cannot be told.
    """

    stage: str
    joining: int | None
    settling: int | None
    requests_per_hour: float | None = None
    needed: int | None = None
    available: int | None = None
    finding: str = unsaid()


class Gate(Part):
    """What must be true before a stage is entered, besides the stage before it.

    training: `minimum` of `groups` are trained; message: message `of` went out; task: runbook task `of` is
    done; person: `decider` says go; dependency: the third party `of` is ready. `known` is what the facts said
    when the plan was made: a share for training, 1 or 0 for the others, None where nothing is known.
    """

    id: str
    stage: str
    kind: GateKind
    what: str
    minimum: Probability | None = unsaid(None)
    known: Probability | None = unsaid(None)
    groups: tuple[str, ...] = unsaid(())
    of: str = unsaid()
    decider: str = unsaid()

    @property
    def is_met(self) -> bool | None:
        """Whether it was met by what was known when the plan was made; None where nothing was known."""
        if self.known is None:
            return None
        return self.known >= (1.0 if self.minimum is None else self.minimum)


class Night(Part):
    """The head of the plan's runbook: the stage whose entering is T, its window, and who decides that night.

    `start` is T where it has a date already. `window_seconds` is how long the change window is from T on.
    """

    stage: str
    title: str
    timezone: str
    start: datetime | None = unsaid(None)
    window_seconds: float | None = unsaid(None, gt=0)
    decision_seconds: float = unsaid(0.0, ge=0)
    rest_seconds: float | None = unsaid(None, ge=0)
    authority: tuple[str, ...] = unsaid(())
    release: str = unsaid()
    note: str = unsaid()
    extra: Extra = unsaid(())


class GateOdds(Part):
    """How likely going back still ends inside the window if this task's decision is a no."""

    task: str
    back_in_time: Probability


class RollbackClock(Part):
    """Until when one can turn back, in seconds from the entering of `stage`; from `runs` drawn nights.

    `last_call` is the latest moment at which the word to go back ends inside the window in at least
    `confidence` of the nights: None where nothing limits it, negative where even T is too late.
    """

    stage: str
    runs: int
    seed: int
    confidence: Probability
    window_seconds: float | None = None
    decision_seconds: float = 0.0
    finish_p50: float
    finish_p90: float
    finish_in_window: Probability | None = None
    back_p50: float
    back_p90: float
    last_call: float | None = None
    no_return_p10: float | None = None
    no_return_p50: float | None = None
    critical: tuple[str, ...] = ()
    gates: tuple[GateOdds, ...] = ()
    assumed: tuple[str, ...] = ()


class RollbackPlan(Part):
    """How the release is taken back: by whom, in which steps, how fast, and what cannot be undone.

    `undo` are the steps of the night with their times, `data` what becomes of what was written since the
    start; `no_return` names the stage or task from which on there is no way back.
    """

    steps: tuple[str, ...]
    authority: tuple[str, ...] = ()
    tested: bool = False
    expected_seconds: float | None = None
    cannot_undo: tuple[str, ...] = ()
    undo: tuple[UndoStep, ...] = unsaid(())
    data: tuple[DataPart, ...] = unsaid(())
    data_unknown: str = unsaid()
    no_return: str = unsaid()
    clock: RollbackClock | None = unsaid(None)


class RiskResponse(Part):
    """A risk of the register, or one the method creates, with its response under this plan."""

    id: str
    title: str
    response: str
    trigger: str
    created_by_plan: bool = False


class Override(Part):
    """What a person changed in a plan that was computed: where, from what, to what, and why."""

    path: str
    by: str
    before: str
    after: str
    because: str = Field(min_length=1)


__all__ = [
    "Gate",
    "GateKind",
    "GateOdds",
    "Message",
    "MessageKind",
    "Night",
    "Override",
    "Part",
    "RiskResponse",
    "RollbackClock",
    "RollbackPlan",
    "Support",
    "Training",
    "unsaid",
]
