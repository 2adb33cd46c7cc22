"""What Rollway says of gates itself, because it has seen the evidence: numbers arrive, a message came.

Pure, but for the `Speaker`. A person's word is never overruled: where somebody has spoken, Rollway is silent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from rollway.planning import Gate, Message, Plan
from rollway.planning.words import length
from rollway.rollout import CommandGiven, Loaded, State
from rollway.rollout.gates import TELEMETRY, is_followed, is_met
from rollway.rollout.tasks import task_of
from rollway.store import Delivered, SqlRollouts

ROLLWAY = "rollway"


@dataclass(frozen=True, slots=True)
class OwnWord:
    """What Rollway will say of a gate: from when on, what it has `seen`, and how it says so."""

    gate: Gate
    due: datetime
    seen: str
    reason: str


def own_gates(plan: Plan, state: State) -> tuple[Gate, ...]:
    """The gates ahead that Rollway may see met by itself, and of which nobody has spoken yet."""
    if state.is_final or state.phase == "rolling_back":
        return ()
    entered = -1 if state.started_at is None else state.stage
    return tuple(
        gate
        for gate in plan.gates
        if plan.stage_index(gate.stage) > entered
        and gate.id not in state.words
        and not is_met(plan, state, gate)
        and (_is_telemetry(plan, gate) or _message(plan, gate) is not None)
    )


def expected(
    plan: Plan, state: State, proof: Mapping[str, Any], delivered: Mapping[str, Delivered]
) -> Iterator[OwnWord]:
    """What it will say of these gates. `proof` is the data of the record's preflight, empty without one;
    `delivered` the messages of the plan that arrived, by their ids."""
    for gate in own_gates(plan, state):
        message = _message(plan, gate)
        if message is not None and (seen := delivered.get(message.id)) is not None:
            notice = timedelta(seconds=max(0.0, -(message.offset_seconds or 0.0)))
            over = f", and the notice of {length(notice.total_seconds())} is over" if notice else ""
            told = f"delivered by {seen.channel} at {_told(seen.at)}"
            yield OwnWord(gate, seen.at + notice, told, f"{told}{over}")
        elif message is None and proof.get("is_telemetry_proven"):
            at = datetime.fromisoformat(proof["looked_at"])
            kpis = ", ".join(proof["proven"])
            told = f"the preflight at {_told(at)} saw the numbers of {kpis}"
            yield OwnWord(gate, at, told, told)


def own_words(loaded: Loaded, known: Iterable[OwnWord], now: datetime) -> tuple[CommandGiven, ...]:
    """What is to be said now of all that is `known`; not what was said and is not heard yet."""
    said = {one.event.subject for one in loaded.pending if isinstance(one.event, CommandGiven)}
    return tuple(
        CommandGiven(at=now, kind="confirm", actor=ROLLWAY, reason=word.reason, subject=word.gate.id)
        for word in known
        if word.due <= now and not {word.gate.id, word.gate.of} & said and _may_be_said(loaded, word.gate)
    )


def _may_be_said(loaded: Loaded, gate: Gate) -> bool:
    """A task that is followed is done in its turn, and not beforehand."""
    if gate.kind != "task" or not is_followed(loaded.plan):
        return True
    doing = loaded.state.tasks.get(gate.of)
    return doing is not None and doing.state in ("ready", "running")


def _is_telemetry(plan: Plan, gate: Gate) -> bool:
    """Whether it is the plan's own gate for numbers that arrive; a team's command or decision is its own."""
    if (gate.kind, gate.of) != ("task", TELEMETRY):
        return False
    task = task_of(plan, gate.of)
    return task is None or not (task.gate or task.automatic)


def _message(plan: Plan, gate: Gate) -> Message | None:
    if gate.kind != "message":
        return None
    return next((one for one in plan.communication if one.id == gate.of and not one.to_write), None)


def _told(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


# --- while rollouts run -----------------------------------------------------------------------------


class Speaks(Protocol):
    """What the `Speaker` needs of the use cases."""

    rollouts: SqlRollouts

    def load(self, rollout: str) -> Loaded: ...

    def say_own_words(self, rollout: str) -> int: ...


class Speaker:
    """Looks at rollouts whose gates Rollway may see met, once after each of their ticks."""

    def __init__(self, rollway: Speaks) -> None:
        self._rollway = rollway
        self._looked: dict[str, int] = {}
        self._silent: set[str] = set()

    def look(self, stopping: Callable[[], bool] = lambda: False) -> int:
        """Say what can be said now. Returns how many words that were."""
        running = self._rollway.rollouts.running()
        self._looked = {name: self._looked[name] for name, _ in running if name in self._looked}
        self._silent &= self._looked.keys()
        return sum(self._look_at(name, seq) for name, seq in running if not stopping())

    def _look_at(self, rollout: str, seq: int) -> int:
        if rollout in self._silent or self._looked.get(rollout) == seq:
            return 0
        self._looked[rollout] = seq
        loaded = self._rollway.load(rollout)
        if not own_gates(loaded.plan, loaded.state):
            # What was met or passed once is never asked for again.
            self._silent.add(rollout)
            return 0
        return self._rollway.say_own_words(rollout)
