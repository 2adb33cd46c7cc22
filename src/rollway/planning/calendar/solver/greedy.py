"""A first plan without a solver: the most important first, each at the first step that is still free."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Sequence

from rollway.planning.calendar.solver.grid import first_from
from rollway.planning.calendar.solver.problem import Entry, Link, Problem, Shared

Placed = dict[int, int]
"""The start of each placed task, in steps."""
_NEVER = 1 << 60


def first_plan(problem: Problem, near: Placed | None = None) -> Placed:
    """The best of a few plans, each made release by release in its own order; one keeps to `near`."""
    found = [_plan(problem, order) for order in _orders(problem)]
    if near:
        found.append(_plan(problem, _in_turn(problem, _by_start(problem, near)), near))
    return min(found, key=lambda placed: (problem.weight_left_out(placed), problem.cost(placed)))


def fits(problem: Problem, placed: Placed, entry: Entry) -> Placed | None:
    """The earliest starts of one release beside those that are placed already; None where there are none."""
    return Desk(problem, placed).place(entry)


def _by_start(problem: Problem, near: Placed) -> list[Entry]:
    """What keeps its place first, then the most important."""

    def key(entry: Entry) -> tuple[bool, int, int]:
        return entry.tasks[0] not in near, near.get(entry.tasks[0], 0), -entry.weight

    return sorted(problem.entries, key=key)


def _orders(problem: Problem) -> list[Sequence[Entry]]:
    room = {
        entry.name: sum(
            high - low + 1 for number in entry.tasks for low, high in problem.tasks[number].allowed
        )
        for entry in problem.entries
    }
    latest = {
        entry.name: min(
            (problem.tasks[number].allowed[-1][1] if problem.tasks[number].allowed else 0)
            for number in entry.tasks
        )
        for entry in problem.entries
    }
    keys: list[Callable[[Entry], tuple[int, ...]]] = [
        lambda entry: (-entry.weight, latest[entry.name]),
        lambda entry: (latest[entry.name], -entry.weight),
        lambda entry: (room[entry.name], -entry.weight),
        lambda entry: (room[entry.name] // max(1, entry.weight), latest[entry.name]),
    ]
    return [_in_turn(problem, sorted(problem.entries, key=key)) for key in keys]


def _in_turn(problem: Problem, ordered: Sequence[Entry]) -> list[Entry]:
    """The same order, but each release after those it comes after."""
    by_name = {entry.name: entry for entry in problem.entries}
    result: dict[str, Entry] = {}

    def visit(entry: Entry) -> None:
        if entry.name not in result:
            for name in (one for one in entry.after if one in by_name):
                visit(by_name[name])
            result[entry.name] = entry

    for entry in ordered:
        visit(entry)
    return list(result.values())


def _plan(problem: Problem, order: Sequence[Entry], near: Placed | None = None) -> Placed:
    desk = Desk(problem)
    for entry in order:
        found = desk.keep(entry, near or {}) or desk.place(entry)
        for number, start in (found or {}).items():
            desk.take(number, start)
    return desk.placed


class Desk:
    """Where things stand while releases are placed one after the other."""

    def __init__(self, problem: Problem, placed: Placed | None = None) -> None:
        self.problem = problem
        self.placed: Placed = {}
        self._shared: dict[int, list[int]] = {}
        self._taken: list[list[tuple[int, int]]] = [[] for _ in problem.shared]
        self._nights: list[dict[int, int]] = [{} for _ in problem.shared]
        self._begins = [low for _, low, _ in problem.nights]
        for index, shared in enumerate(problem.shared):
            for number in shared.members:
                self._shared.setdefault(number, []).append(index)
        self._links: dict[int, list[Link]] = {}
        self._next: dict[int, list[Link]] = {}
        for link in problem.links:
            self._links.setdefault(link.after, []).append(link)
            self._next.setdefault(link.before, []).append(link)
        for number, start in (problem.begun | (placed or {})).items():
            self.take(number, start)

    def take(self, number: int, start: int) -> None:
        self.placed[number] = start
        task = self.problem.tasks[number]
        night = self._night(start)
        for index in self._shared.get(number, ()):
            insort(self._taken[index], (start, start + task.length))
            self._nights[index][night] = self._nights[index].get(night, 0) + 1

    def leave(self, number: int) -> None:
        start = self.placed.pop(number)
        task = self.problem.tasks[number]
        night = self._night(start)
        for index in self._shared.get(number, ()):
            self._taken[index].remove((start, start + task.length))
            self._nights[index][night] -= 1

    def keep(self, entry: Entry, near: Placed) -> Placed | None:
        """The starts that a release has in another plan, if they are still possible."""
        return self._each(entry, lambda number: near.get(number, -_NEVER))

    def place(self, entry: Entry) -> Placed | None:
        """The earliest starts of a release's tasks, one after the other; the desk is left as it was."""
        return self._each(entry, lambda number: None)

    def holds(self, index: int) -> bool:
        """Is a shared rule obeyed by what is placed?"""
        shared = self.problem.shared[index]
        if shared.kind == "per_night":
            return max(self._nights[index].values(), default=0) <= shared.limit
        taken = self._taken[index]
        return all(sum(low <= begin < high for low, high in taken) <= shared.limit for begin, _ in taken)

    def _each(self, entry: Entry, wanted: Callable[[int], int | None]) -> Placed | None:
        found: Placed = {}
        for number in entry.tasks:
            start = self._start(number, wanted(number))
            if start is None:
                break
            found[number] = start
            self.take(number, start)
        for number in found:
            self.leave(number)
        return found if len(found) == len(entry.tasks) else None

    def _start(self, number: int, wanted: int | None) -> int | None:
        """The first start that is free, or the one that is wanted if it is."""
        task = self.problem.tasks[number]
        begin, latest = (-_NEVER, _NEVER) if wanted is None else (wanted, wanted)
        for link in self._links.get(number, ()):
            if link.before not in self.placed:
                return None
            begin = max(begin, self.placed[link.before] + self.problem.tasks[link.before].length + link.lag)
        for link in self._next.get(number, ()):
            if link.after in self.placed:
                latest = min(latest, self.placed[link.after] - link.lag - task.length)
        start = first_from(task.allowed, begin)
        while start is not None and start <= latest:
            later = max(
                (self._later(index, start, task.length) for index in self._shared.get(number, ())),
                default=start,
            )
            if later <= start:
                return start
            start = first_from(task.allowed, later)
        return None

    def _later(self, index: int, start: int, length: int) -> int:
        """`start` itself where the shared thing is free, else a later step before which it is not."""
        shared = self.problem.shared[index]
        if shared.kind in ("per_night", "rest"):
            return self._later_night(index, shared, start)
        over = [(low, high) for low, high in self._taken[index] if low < start + length and high > start]
        if len(over) < shared.limit:
            return start
        # Where the most run at once is what counts; it only falls when one of them ends.
        most = max(
            sum(low <= edge < high for low, high in over) for edge in {start, *(low for low, _ in over)}
        )
        return start if most < shared.limit else min(high for _, high in over)

    def _later_night(self, index: int, shared: Shared, start: int) -> int:
        night, taken = self._night(start), self._nights[index]
        if shared.kind == "per_night":
            full = taken.get(night, 0) >= shared.limit
        else:
            full = not taken.get(night) and any(
                taken.get(night + away) for away in range(-shared.limit, shared.limit + 1)
            )
        return self.problem.nights[night][2] + 1 if full else start

    def _night(self, start: int) -> int:
        return max(0, bisect_right(self._begins, start) - 1)
