"""A hard rule: demands joined by Kleene's "and", so that new evidence never turns what is settled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rollway.choice.actions import cheapest
from rollway.choice.condition import Condition
from rollway.choice.model import Action, Veto, VetoResult, VetoState
from rollway.facts.model import Release
from rollway.readiness import ask_for, every

if TYPE_CHECKING:
    from rollway.choice.worlds import Column, Mask, Worlds

_STATES: dict[bool | None, VetoState] = {True: "satisfied", False: "violated", None: "unknown"}


@dataclass(frozen=True, slots=True)
class Demand:
    """One thing that a hard rule asks for, and the actions of which each would provide it."""

    needs: Condition
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class HardRule:
    """A rule that holds when all its demands are met; called with a release it gives the result."""

    id: str
    title: str
    demands: tuple[Demand, ...]

    def __call__(self, release: Release) -> VetoResult:
        answer = every(*(demand.needs.ask(release) for demand in self.demands))
        unlock = ""
        if answer.holds is False:
            unlock = "; ".join(action.does for action in cheapest(self.wanted(release)))
        elif answer.holds is None:
            unlock = " ".join(ask_for(path) for path in answer.facts)
        return VetoResult(self.id, self.title, _STATES[answer.holds], answer.evidence, unlock)

    def wanted(self, release: Release) -> tuple[tuple[Action, ...], ...]:
        """For each demand that is violated, the actions that would meet it."""
        return tuple(demand.actions for demand in self.demands if demand.needs.ask(release).holds is False)

    def open_facts(self, release: Release) -> tuple[str, ...]:
        """The facts that would settle the rule; empty when it is settled."""
        return every(*(demand.needs.ask(release) for demand in self.demands)).facts

    def over(self, worlds: Worlds) -> tuple[Mask, Mask, Column]:
        """In which worlds the rule is satisfied, in which violated, and the days that lifting it takes."""
        kept, broken = worlds.constant(True)
        days: Column = 0.0
        for demand in self.demands:
            good, bad = demand.needs.over(worlds, strict=True)
            kept, broken = kept & good, broken | bad
            days = days + bad * min(action.days for action in demand.actions)
        return kept, broken, days


def veto(id_: str, title: str, *demands: Demand) -> Veto:
    """A hard rule that holds when all its demands are met."""
    return Veto(id_, title, HardRule(id_, title, demands))


def demand(needs: Condition, *actions: Action) -> Demand:
    """What is needed, and the actions of which each would provide it."""
    return Demand(needs, actions)
