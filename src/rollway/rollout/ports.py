"""The protocols that signals and targets fill. rollout names none of them; they are found by entry point."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from rollway.errors import InputError
from rollway.judge import Reading, Verdict
from rollway.planning import Plan
from rollway.rollout.model import CommandGiven, Entry, RunTask, State, TaskRan
from rollway.rollout.serving import Check, Served

Cursor = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Interval:
    """What a signal is asked about: the plan's stage and share, and the moment of asking (unix seconds)."""

    stage: str
    share: float
    now: float


@dataclass(frozen=True, slots=True)
class Collected:
    """A signal's answer: the new reading, and the cursor from which the next one starts.

    The reading is None only at the very first call, when there is nothing to subtract from. The cursor
    is plain JSON and is kept by the caller, so that a restart neither loses nor repeats an interval.
    `note` says for people why there is a problem, or what looks odd, in one sentence.
    """

    reading: Reading | None
    cursor: Cursor
    note: str = ""


class Signal(Protocol):
    """Where a KPI's numbers come from."""

    def collect(self, cursor: Cursor | None, interval: Interval) -> Collected:
        """Read the numbers since the cursor. Never raises for a source that is down: the reading then
        carries `problem="source_down"` and the cursor stays as it was."""
        ...


class Target(Protocol):
    """What can be told to expose the new version.

    `fence` rises with every tick of a rollout; a target that can remember refuses an older one, so that
    a delayed call never undoes a newer one. A target that knows groups of users has the class attribute
    `serves_groups = True`; its `apply` is also given `groups`: those that get the new version as a whole. One
    that can sample users as a control group has `samples_control = True`; its `apply` is also given
    `control`, their share of all users, and what it observes tells it. A target that switches others has the
    attribute `parts`: their identities (see `parts_of`). One that works in the background has `close`, which
    ends that when its rollout is over.
    """

    @property
    def identity(self) -> str:
        """What is switched, in one text: two rollouts with the same one would fight."""
        ...

    def apply(self, share: float, *, mirrored: float = 0.0, fence: int) -> None:
        """Serve the new version to this share, and send it copies of so many of the other requests.
        Absolute and idempotent. Raises TemporaryError."""
        ...

    def observe(self) -> Served:
        """What is served now, read back from what runs. Raises TemporaryError; no answer is never a zero."""
        ...

    def nearest(self, share: float) -> float:
        """The share that is really served when this one is asked for: weights are whole numbers."""
        ...

    def preflight(self) -> tuple[Check, ...]:
        """What is found before anything moves; nothing that users see changes."""
        ...


Written = Literal["written", "fenced", "held"]
"""fenced: a newer call of the same owner was faster, and is right; held: another owner has the flag."""


class FlagShelf(Protocol):
    """What the flag target needs of the flags that Rollway serves itself."""

    def read(self, key: str) -> Mapping[str, Any] | None:
        """The flag's definition (flagd format), or None where there is none. Raises TemporaryError where
        what is stored is no definition."""
        ...

    def write(self, key: str, definition: Mapping[str, Any], *, owner: str, fence: int) -> Written:
        """Store the definition, and say so; nothing changes where it is fenced or held."""
        ...


NO_SAMPLES = "this target cannot sample a control group"


def samples_control(target: object) -> bool:
    """Whether its `apply` is also given the share of a control group."""
    return bool(getattr(target, "samples_control", False))


def parts_of(target: Target) -> tuple[str, ...]:
    """The identities of all that a target switches: its own, or those of the targets that it is made of."""
    parts: tuple[str, ...] = getattr(target, "parts", ())
    return parts or (target.identity,)


def close_target(target: Target) -> None:
    """End what a target does in the background, if it does anything there."""
    close = getattr(target, "close", None)
    if callable(close):
        close()


ErrandState = Literal["asked", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Errand:
    """What a target asks a named person to do, and what that person said of it."""

    key: str
    owner: str
    text: str
    state: ErrandState = "asked"
    actor: str = ""
    note: str = ""


class ErrandShelf(Protocol):
    """Where a target asks people to do something, and reads what they said. One rollout's errands."""

    def ask(self, errands: Iterable[Errand]) -> None:
        """Ask for what was not asked for yet; a key that is known is left as it is."""
        ...

    def withdraw(self, keys: Iterable[str]) -> None:
        """Take back what nobody has answered, and forget what was answered, so that it can be asked anew."""
        ...

    def read(self) -> Mapping[str, Errand]:
        """All errands of this rollout, by key. Raises TemporaryError."""
        ...


MakeTarget = Callable[[str, Mapping[str, Any], "Surroundings"], Target]


def no_other_target(kind: str, options: Mapping[str, Any], around: Surroundings) -> Target:
    """For surroundings in which no target is made of others."""
    raise InputError(f"the target {kind} cannot be built here")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a signal or a target is given besides its options: who asks, Rollway's own flags, and people.

    `errands` is None outside a rollout (a check beforehand asks nobody anything). `make` builds a target that
    another one switches, by its type, its options and its own surroundings. Raises InputError.
    """

    rollout: str
    flags: FlagShelf
    errands: ErrandShelf | None = None
    make: MakeTarget = no_other_target


# --- what the ticks need of the database, and of what wakes them ----------------------------------


@dataclass(frozen=True, slots=True)
class Pending:
    """A person's command, or the end of a task's command, that no tick has heard yet."""

    id: int
    event: CommandGiven | TaskRan


@dataclass(frozen=True, slots=True)
class Loaded:
    """A rollout as a tick finds it. `due_at`: when this tick was due; None where nobody said."""

    id: str
    seq: int
    plan: Plan
    state: State
    judge: dict[str, Any]
    cursors: dict[str, Cursor]
    target_problem: str
    pending: tuple[Pending, ...]
    moved_at: datetime
    due_at: datetime | None = None
    is_approved: bool = True


@dataclass(frozen=True, slots=True)
class Move:
    """All that one tick changes; committed as a whole or not at all."""

    rollout: str
    seq: int
    at: datetime
    state: State
    judge: dict[str, Any]
    cursors: dict[str, Cursor]
    readings: tuple[Reading, ...]
    verdict: Verdict | None
    entries: tuple[Entry, ...]
    heard: tuple[int, ...]
    wake_after: timedelta | None


class Rollouts(Protocol):
    """Where rollouts are kept."""

    def load(self, rollout: str) -> Loaded | None: ...

    def commit(self, move: Move) -> bool:
        """Move the row from `move.seq` to the next number, append the record and set when the next tick is
        due, in one transaction. False where somebody else moved it first; then nothing changed."""
        ...

    def note_target_problem(self, rollout: str, seq: int, problem: str) -> None:
        """Remember that the target refused what it was told before tick `seq`, for that tick to hear.
        Nothing is remembered where a later tick has been."""
        ...


class TaskRunner(Protocol):
    """What runs the commands of automatic tasks, beside the ticks."""

    def run(self, rollout: str, task: RunTask) -> None:
        """Begin to run it, and return at once. Its end is left for the next tick, as a `TaskRan`."""
        ...

    def knows(self, rollout: str, subject: str, attempt: int, since: datetime, *, is_undo: bool) -> bool:
        """Whether somebody runs this attempt, or ran it and left its end; also where that cannot be told
        yet. `since` is when it was begun. False: it was cut off."""
        ...


class NoRunner:
    """For ticks that run nothing: what was begun elsewhere is taken to be known there."""

    def run(self, rollout: str, task: RunTask) -> None:
        raise InputError(f"'{task.subject}' cannot be run here")

    def knows(self, rollout: str, subject: str, attempt: int, since: datetime, *, is_undo: bool) -> bool:
        return True


class TickCaller(Protocol):
    """What runs ticks, durably: the port behind which the engine can be exchanged."""

    def launch(self) -> None:
        """Start working, first on what an earlier life of this worker left unfinished."""
        ...

    def call(self, rollout: str, seq: int, why: str) -> None:
        """Run this tick at once, beside others. A second call with the same words is none."""
        ...

    def prune(self, finished_before: datetime) -> int:
        """Forget what the engine itself remembers of older ticks. Returns how many."""
        ...

    def close(self) -> None: ...
