"""The way back needs no pen: what goes on looking while nothing can be written down. See decision 0008.

It knows each rollout as this process last wrote it down. Where that was too long ago, it looks and decides as
a tick would, and does one thing only: tell the target the way back. What it decided is kept, and is the first
thing to be written once that is possible, at the place in the record that a tick would have had.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from rollway.planning.words import length
from rollway.rollout.collecting import Connectors
from rollway.rollout.model import Entry, SetShare
from rollway.rollout.pace import Moment, Pace
from rollway.rollout.ports import Loaded, Move, Rollouts
from rollway.rollout.steps import is_past_return
from rollway.rollout.tick import afterwards, evaluate, tell_target

log = logging.getLogger("rollway.standby")

UNWRITTEN_AFTER = 10.0
"""Seconds without a tick that could be written after which it looks; at least three ticks."""
ANSWERS_WITHIN = 2.0
"""Seconds in which a database that can be read says whether somebody else has gone on."""
LOOK_EVERY = 1.0
STOPPED_FROM = 5.0
"""Seconds between two looks from which on this process itself was stopped."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A rollout as it was last written, and when that was (steady seconds). `owed` is the way back that was
    decided since, `effect` what the target is told of it, and `told_after` how long nothing could be written
    when it heard that; None as long as it did not, because of `problem`."""

    loaded: Loaded
    at: float
    owed: Move | None = None
    effect: SetShare | None = None
    told_after: float | None = None
    problem: str = ""


class Standby:
    """One for each process that calls ticks. `look` is called again and again by a thread of its own."""

    def __init__(
        self,
        rollouts: Rollouts,
        connectors: Connectors,
        clock: Callable[[], datetime],
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rollouts, self._connectors, self._clock, self._steady = rollouts, connectors, clock, steady
        self._known: dict[str, _Known] = {}
        self._asking: threading.Thread | None = None
        self._looked_at = steady()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rollway-standby", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def keep(self, loaded: Loaded) -> None:
        """A tick was written; the rollout stands so now."""
        if loaded.state.is_final:
            self._known.pop(loaded.id, None)
        else:
            self._known[loaded.id] = _Known(loaded, self._steady())

    def settle(self, rollout: str, seq: int) -> bool:
        """Write down what is owed to this rollout, if that is its next tick; whether that was done. Raises
        what the database raises; then it is still owed."""
        known = self._known.get(rollout)
        if known is None or known.owed is None or known.owed.seq != seq:
            return False
        move = replace(known.owed, entries=(*known.owed.entries, *_told(known)))
        is_written = self._rollouts.commit(move)
        if is_written:
            self.keep(afterwards(known.loaded, move))
        else:
            self._known.pop(rollout, None)
        return is_written

    def look(self) -> None:
        """Look at every rollout that nothing could be written of for too long."""
        now, before = self._steady(), self._looked_at
        self._looked_at = now
        if now - before > STOPPED_FROM:
            # The ticks did not run either: they come first.
            for rollout, known in tuple(self._known.items()):
                self._known[rollout] = replace(known, at=min(now, known.at + now - before))
        for rollout, known in tuple(self._known.items()):
            try:
                self._look_at(known)
            except Exception:
                # It is the last one that still looks, so it goes on whatever happens.
                log.exception("the standby met an error in %s and goes on", rollout)

    def _run(self) -> None:
        while not self._ending.wait(LOOK_EVERY):
            self.look()

    def _look_at(self, known: _Known) -> None:
        loaded = known.loaded
        waits = max(UNWRITTEN_AFTER, 3 * loaded.plan.policy.tick_seconds)
        if self._steady() - known.at < waits or not _can_go_back(loaded):
            return
        if self._has_gone_on(loaded):
            self._known.pop(loaded.id, None)
            return
        if known.owed is None:
            known = self._decide(known)
        # A tick that was written in the meantime knows more.
        if self._put(known) and known.effect is not None and known.told_after is None:
            self._put(self._tell(known, known.effect))

    def _put(self, known: _Known) -> bool:
        latest = self._known.get(known.loaded.id)
        if latest is None or latest.loaded.seq != known.loaded.seq:
            return False
        self._known[known.loaded.id] = known
        return True

    def _decide(self, known: _Known) -> _Known:
        loaded = known.loaded
        now = Pace.time_of(Moment(self._clock(), 0.0), loaded.moved_at)
        move, effects = evaluate(loaded, self._connectors, now)
        effect = next((one for one in effects if isinstance(one, SetShare)), None)
        if move.state.phase != "rolling_back" or effect is None:
            # Each look begins where the last tick ended, but for how long something is so already.
            lasting = {name: getattr(move.state, name) for name in ("blind_since", "unready_since")}
            return replace(known, loaded=replace(loaded, state=loaded.state.model_copy(update=lasting)))
        return replace(known, owed=move, effect=effect)

    def _tell(self, known: _Known, effect: SetShare) -> _Known:
        loaded = known.loaded
        try:
            tell_target(self._connectors.target(loaded.id, loaded.plan), effect, loaded.seq + 1)
        except Exception as error:
            if str(error) != known.problem:
                log.error("%s is to go back, and its target cannot be told: %s", loaded.id, error)
            return replace(known, problem=str(error))
        log.error("%s goes back; nothing can be written down, which is done as soon as it can", loaded.id)
        return replace(known, told_after=self._steady() - known.at)

    def _has_gone_on(self, loaded: Loaded) -> bool:
        """Whether a tick was written since, by somebody else. A database that does not answer has none."""
        if self._asking is not None and self._asking.is_alive():
            return False
        found: list[int | None] = []

        def ask() -> None:
            try:
                now = self._rollouts.load(loaded.id)
            except Exception:
                return
            found.append(None if now is None else now.seq)

        self._asking = threading.Thread(target=ask, name="rollway-standby-asks", daemon=True)
        self._asking.start()
        self._asking.join(ANSWERS_WITHIN)
        return bool(found) and found[0] != loaded.seq


def _told(known: _Known) -> tuple[Entry, ...]:
    if known.told_after is None:
        return ()
    text = (
        "The target was told so before it was written down here: nothing could be written for "
        f"{length(known.told_after)}."
    )
    data = {"unwritten_seconds": round(known.told_after, 3)}
    return (Entry(kind="told_unwritten", text=text, data=data),)


def _can_go_back(loaded: Loaded) -> bool:
    state = loaded.state
    is_exposed = state.desired_share > 0 or state.desired_mirrored > 0
    return state.phase in ("running", "paused") and is_exposed and not is_past_return(loaded.plan, state)


__all__ = ["Standby"]
