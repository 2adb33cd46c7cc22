"""A rule: a condition with a name; where it holds, it states the facts that make it hold."""

from __future__ import annotations

from dataclasses import dataclass

from rollway.choice.condition import Condition
from rollway.facts.model import Release


@dataclass(frozen=True, slots=True)
class Rule:
    """`holds` decides whether the rule fires; what that means for a method stands in the method's file.

    A rule never fires on an unknown alone.
    """

    id: str
    title: str
    holds: Condition

    @property
    def facts(self) -> tuple[str, ...]:
        """The paths that it looks at."""
        return self.holds.facts

    def state(self, release: Release) -> str:
        """The facts with their sources where the rule fires, and "" where it does not."""
        told = self.holds.told(release)
        return "" if told is None else ", ".join(told)
