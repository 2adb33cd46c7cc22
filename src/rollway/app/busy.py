"""Who switches a target already: also where two rollouts share only a part of what they switch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from rollway.errors import RollwayError
from rollway.planning import Plan
from rollway.rollout import Target, parts_of
from rollway.store import SqlRollouts


class Targets(Protocol):
    """Builds the target of a rollout's plan."""

    def target(self, rollout: str, plan: Plan) -> Target: ...


@dataclass(frozen=True, slots=True)
class Holder:
    """A rollout that is carried out, and what it switches of a target."""

    rollout: str
    part: str

    @property
    def told(self) -> str:
        return f"{self.rollout} is carried out on the same target ({self.part})"

    @property
    def hint(self) -> str:
        return f"wait for it to end, or take it back: rollway rollback {self.rollout}"


def holder_of(target: Target, rollouts: SqlRollouts, targets: Targets, *, besides: str = "") -> Holder | None:
    """The running rollout that switches the same thing, or the same part of something; not `besides`."""
    holder = rollouts.holder_of(target.identity)
    if holder is not None and holder != besides:
        return Holder(holder, target.identity)
    parts = set(parts_of(target))
    for row in rollouts.summaries():
        if row.target is None or row.id == besides:
            continue
        shared = parts & {row.target, *_parts(row.id, rollouts, targets)}
        if shared:
            return Holder(row.id, min(shared))
    return None


def _parts(rollout: str, rollouts: SqlRollouts, targets: Targets) -> tuple[str, ...]:
    loaded = rollouts.load(rollout)
    try:
        return () if loaded is None else parts_of(targets.target(rollout, loaded.plan))
    except RollwayError:
        return ()  # a target that cannot be built here is known by its identity alone
