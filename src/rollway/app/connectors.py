"""Finding signals and targets by name: what ships with Rollway comes through the same door as a plugin."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from rollway.errors import InputError
from rollway.planning import Guard, Plan
from rollway.rollout import ErrandShelf, FlagShelf, Signal, Surroundings, Target
from rollway.rollout.ports import close_target
from rollway.rollout.pushed import PushedShelf

SIGNALS = "rollway.signals"
TARGETS = "rollway.targets"


class PluginConnectors:
    """Builds each rollout's signals and target once and keeps them, with their open connections."""

    def __init__(
        self, flags: FlagShelf, pushed: PushedShelf, errands: Callable[[str], ErrandShelf] | None = None
    ) -> None:
        """`errands` gives a rollout the shelf on which it asks people."""
        self._flags = flags
        self._pushed = pushed
        self._errands = errands
        self._signals: dict[tuple[str, str], Signal] = {}
        self._targets: dict[str, Target] = {}
        self._lock = threading.Lock()

    def signal(self, rollout: str, guard: Guard) -> Signal:
        with self._lock:
            key = (rollout, guard.kpi)
            if key not in self._signals:
                make = _find(SIGNALS, guard.signal.type, f"the signal of KPI {guard.kpi}")
                # Signals of what was sent to Rollway itself say so, and are given where it is kept.
                given = {"pushed": self._pushed} if getattr(make, "reads_pushed", False) else {}
                self._signals[key] = make(guard.kpi, guard.kind, guard.signal.options(), **given)
            return self._signals[key]

    def target(self, rollout: str, plan: Plan) -> Target:
        if plan.target is None:
            raise InputError(
                f"the plan of {plan.name} {plan.version} names no target to switch",
                hint="add a `target:` section to the release file and plan again",
            )
        with self._lock:
            if rollout not in self._targets:
                asked = self._errands(rollout) if self._errands else None
                around = Surroundings(rollout, self._flags, asked, make_target)
                self._targets[rollout] = make_target(plan.target.type, plan.target.options(), around)
            return self._targets[rollout]

    def forget(self, rollout: str) -> None:
        """Drop what a finished rollout used."""
        with self._lock:
            target = self._targets.pop(rollout, None)
            if target is not None:
                close_target(target)
            for key in [key for key in self._signals if key[0] == rollout]:
                del self._signals[key]


def make_target(kind: str, options: Mapping[str, Any], around: Surroundings) -> Target:
    """A target of an installed type. Raises InputError."""
    target: Target = _find(TARGETS, kind, "the target")(options, around)
    return target


def _find(group: str, name: str, what: str) -> Any:
    found: dict[str, EntryPoint] = {entry.name: entry for entry in entry_points(group=group)}
    if name not in found:
        raise InputError(
            f"{what} is of type {name!r}, which is not installed",
            hint=f"installed here: {', '.join(sorted(found)) or 'none'}",
        )
    return found[name].load()
