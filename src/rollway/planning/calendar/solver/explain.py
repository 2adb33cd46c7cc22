"""Why a release is left out: rules that together keep it out, and none of which can be spared."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from rollway.facts.duration import format_duration
from rollway.planning.calendar.solver.greedy import Placed, first_plan, fits
from rollway.planning.calendar.solver.jobs import WINDOWS, Moments
from rollway.planning.calendar.solver.model import build, cp_sat
from rollway.planning.calendar.solver.problem import Entry, Link, Problem, Shared, in_steps
from rollway.planning.calendar.solver.search import Effort, components, obeys_all, read, settings

_WAVES = "waves in order"


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that has a part in keeping a release out. `alone`: without it the release has a slot."""

    rule: str
    words: str
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Deferral:
    """A release that has no slot, and why. Not `proven`: the search ended before it could tell."""

    release: str
    reasons: tuple[Reason, ...]
    proven: bool = True


def explain(problem: Problem, placed: Placed, entry: Entry, effort: Effort) -> Deferral:
    """A minimal set of rules that leave no slot for a release beside all that are placed.

    The rules are left out for this release alone, as an override would; the others may move, but none of
    them is left out, and among themselves they obey all rules. With every rule of the set the release has
    no slot, and without any one of them it has.
    """
    case = _Case(problem, placed, entry, effort)
    every = case.rules()
    if case.has_slot(every) is not False:
        return Deferral(entry.name, (), proven=False)
    own = [rule for rule in every if rule not in case.between]
    kept = own if own and case.has_slot(own) is False else every
    for rule in sorted(kept, key=lambda rule: (rule not in case.between, rule)):
        rest = [other for other in kept if other != rule]
        if case.has_slot(rest) is False:
            kept = rest
    reasons = []
    for rule in kept:
        alone = case.has_slot([other for other in every if other != rule]) is True
        reasons.append(Reason(rule, case.words(rule), alone))
    return Deferral(entry.name, tuple(reasons), case.sure)


class _Case:
    """One release that is left out, beside those that are placed."""

    def __init__(self, problem: Problem, placed: Placed, entry: Entry, effort: Effort) -> None:
        self.problem, self.placed, self.entry, self.effort = problem, placed, entry, effort
        self.moments = Moments(problem.calendar, problem.within)
        self.sure = True
        self._known: dict[frozenset[str], bool | None] = {}
        self._there = {problem.entry_of(number) for number in placed}
        self.between = {
            *(link.rule for link in problem.links if self._concerns(link) and link.rule != _WAVES),
            *(shared.rule for shared in problem.shared if set(shared.members) & set(entry.tasks)),
        }

    def rules(self) -> list[str]:
        """Every rule that has a say about the release."""
        found = set(self.between)
        if len(self.entry.tasks) > 1 or any(
            link.rule == _WAVES and self._concerns(link) for link in self.problem.links
        ):
            found.add(_WAVES)
        for number in self.entry.tasks:
            booking = self.problem.tasks[number].job.booking
            found |= {block.rule for block in self.moments.blocks_of(booking)}
            if self.moments.has_windows(booking):
                found.add(WINDOWS)
        return sorted(found)

    def has_slot(self, kept: Collection[str]) -> bool | None:
        """Is there a slot under these rules? None where the search ended before it could tell."""
        key = frozenset(kept)
        if key not in self._known:
            self._known[key] = self._ask(key)
            self.sure &= self._known[key] is not None
        return self._known[key]

    def _ask(self, kept: frozenset[str]) -> bool | None:
        problem = self._under(kept)
        own = next(entry for entry in problem.entries if entry.name == self.entry.name)
        if any(not problem.tasks[number].allowed for number in own.tasks):
            return False
        if any(link.after in own.tasks and not self._stands(link.before) for link in problem.links):
            return False
        if fits(problem, self.placed, own) is not None:
            return True
        return _possible(problem, own, self.placed, self.effort)

    def _under(self, kept: frozenset[str]) -> Problem:
        """The problem of the placed releases and this one, of which only these rules are asked."""
        own = set(self.entry.tasks)
        tasks = list(self.problem.tasks)
        for number in own:
            free = self.moments.by_rules(tasks[number].job.booking, kept)
            allowed = in_steps(free, self.problem.grid)
            best = allowed[0][0] if allowed else 0
            tasks[number] = replace(tasks[number], allowed=allowed, best=best)
        shared = [
            one if one.rule in kept else replace(one, members=tuple(n for n in one.members if n not in own))
            for one in self.problem.shared
        ]
        return replace(
            self.problem,
            tasks=tuple(tasks),
            entries=tuple(
                replace(entry, possible=True)
                for entry in self.problem.entries
                if entry.name in self._there or entry.name == self.entry.name
            ),
            links=tuple(
                link
                for link in self.problem.links
                if (link.rule in kept or not self._concerns(link))
                and (self._stands(link.after) or link.after in own)
            ),
            shared=tuple(one for one in shared if one.members),
            crowded_above=None,
        )

    def _concerns(self, link: Link) -> bool:
        return link.after in self.entry.tasks

    def _stands(self, number: int) -> bool:
        return number in self.placed or number in self.entry.tasks

    def words(self, rule: str) -> str:
        for shared in self.problem.shared:
            if shared.rule == rule:
                return _shared_words(shared, self.problem, self._there, self.entry)
        for link in self.problem.links:
            if link.rule == rule and self._concerns(link):
                return self._link_words(link)
        told: dict[str, None] = {}
        for number in self.entry.tasks:
            for block in self.moments.blocks_of(self.problem.tasks[number].job.booking):
                if block.rule == rule:
                    told[block.words] = None
        if told:
            some = list(told)
            return some[0] if len(some) == 1 else f"{some[0]}, and {len(some) - 1} more such"
        lengths = {self.problem.tasks[number].job.booking.duration for number in self.entry.tasks}
        return f"it takes {format_duration(max(lengths))} and must lie in an open change window"

    def _link_words(self, link: Link) -> str:
        before = self.problem.tasks[link.before].job
        if link.rule == _WAVES:
            return "its waves go out one after the other, each watched before the next"
        where = "" if self._stands(link.before) else ", which has no slot either"
        return f"it comes after '{before.release}'{where}"


def _shared_words(shared: Shared, problem: Problem, there: Collection[str], entry: Entry) -> str:
    others = sorted({problem.entry_of(number) for number in shared.members} & set(there) - {entry.name})
    some = ", ".join(others[:4]) + (f" and {len(others) - 4} more" if len(others) > 4 else "")
    told = {
        "apart": f"{shared.rule} is for one release at a time",
        "at_once": f"{shared.rule}: no more than {shared.limit}",
        "per_night": f"{shared.rule}: no more than {shared.limit}",
        "rest": f"{shared.rule}: {shared.limit} between two nights of work",
    }[shared.kind]
    return f"{told}; also wanted by {some}" if others else told


def _possible(problem: Problem, own: Entry, placed: Placed, effort: Effort) -> bool | None:
    """Can all releases of the problem be placed? None where the search ended before it could tell.

    First only those are asked that have to do with this one, the others staying where they are.
    """
    part = next(one for one in components(problem) if own in one.entries)
    near = _greedy(part, own)
    sure = near is not None
    if near is None:
        near, sure = _any_plan(part, effort)
        if near is None:
            return False if sure else None
    if obeys_all(problem, placed | near):
        return True
    if _greedy(problem, own) is not None:
        return True
    found, sure = _any_plan(problem, effort)
    return True if found is not None else False if sure else None


def _greedy(problem: Problem, own: Entry) -> Placed | None:
    """A plan with all releases, made release by release with this one early; None where that finds none."""
    total = sum(entry.weight for entry in problem.entries)
    first = replace(own, weight=total)
    entries = tuple(first if entry.name == own.name else entry for entry in problem.entries)
    placed = first_plan(replace(problem, entries=entries))
    return placed if all(entry.tasks[0] in placed for entry in entries) else None


def _any_plan(problem: Problem, effort: Effort) -> tuple[Placed | None, bool]:
    """A plan with all releases, or None; and whether the answer is sure."""
    model = build(problem, entries=[entry.name for entry in problem.entries])
    solver = cp_sat().CpSolver()
    settings(solver, effort)
    solver.parameters.linearization_level = 1
    status = solver.solve(model.cp)
    if status in (cp_sat().OPTIMAL, cp_sat().FEASIBLE):
        return read(model, solver), True
    return None, status == cp_sat().INFEASIBLE


def explain_all(problem: Problem, placed: Placed, effort: Effort) -> list[Deferral]:
    """Each release that is left out with its reasons, in the order of their names."""
    left_out: Sequence[Entry] = [entry for entry in problem.entries if entry.tasks[0] not in placed]
    return [explain(problem, placed, entry, effort) for entry in left_out]
