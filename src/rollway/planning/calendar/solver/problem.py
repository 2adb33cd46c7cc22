"""The quarter as numbers: jobs with their allowed steps, what they share, what follows what, what it costs.

Nothing here knows a solver; the greedy plan, the solver's model and the explanations all read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Literal

from rollway.errors import InputError
from rollway.planning.calendar.model import Booking, Calendar
from rollway.planning.calendar.rules import conflict_keys, pinned_start
from rollway.planning.calendar.solver.grid import (
    Grid,
    Steps,
    common,
    first_from,
    fitting_step,
    merged,
    nights,
)
from rollway.planning.calendar.solver.jobs import Job, Moments, jobs_of
from rollway.planning.windows import Span, zone_named

Kind = Literal["apart", "at_once", "per_night", "rest"]
Starts = Mapping[tuple[str, str], datetime]
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Shared:
    """What several jobs share: never two at once, some `limit` at once or in a night, or nights of rest."""

    kind: Kind
    rule: str
    limit: int
    members: tuple[int, ...]
    everybody: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """One job begins `lag` steps after another has ended, or later."""

    before: int
    after: int
    lag: int
    rule: str


@dataclass(frozen=True, slots=True)
class Task:
    """A job in steps: its length, where it may begin, its own earliest start, and which starts cost extra."""

    job: Job
    length: int
    allowed: Steps
    best: int
    weight: int
    costly: Steps = ()
    cost: int = 0
    begun: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A release: its tasks still to come, what leaving it out weighs, and which others it comes after.

    One that is not `possible` has no place even in an empty calendar, or comes after such a one.
    """

    name: str
    tasks: tuple[int, ...]
    weight: int
    after: tuple[str, ...]
    possible: bool = True


@dataclass(frozen=True, slots=True)
class Problem:
    """Everything that a plan of the quarter must obey and may cost, on one grid."""

    calendar: Calendar
    within: Span
    grid: Grid
    tasks: tuple[Task, ...]
    entries: tuple[Entry, ...]
    links: tuple[Link, ...]
    shared: tuple[Shared, ...]
    nights: tuple[tuple[date, int, int], ...]
    crowded_above: int | None
    crowded_cost: int

    @property
    def begun(self) -> dict[int, int]:
        """The starts of what began before; they are part of every plan."""
        return {number: task.best for number, task in enumerate(self.tasks) if task.begun}

    @property
    def last(self) -> int:
        """The last step at which anything may end."""
        return self.grid.at_or_before(self.within.end)

    def entry_of(self, task: int) -> str:
        return self.tasks[task].job.release

    def cost(self, starts: Mapping[int, int]) -> int:
        """What a plan costs, in points times steps per day: delay, work out of hours, crowded nights."""
        total = 0
        for number, start in starts.items():
            task = self.tasks[number]
            total += task.weight * (start - task.best)
            total += task.cost * any(low <= start <= high for low, high in task.costly)
        return total + self.crowded_cost * self.crowding(starts)

    def crowding(self, starts: Mapping[int, int]) -> int:
        """How many jobs are too many in their nights."""
        if self.crowded_above is None:
            return 0
        taken = list(starts.values())
        counts = (sum(low <= start <= high for start in taken) for _, low, high in self.nights)
        return sum(max(0, count - self.crowded_above) for count in counts)

    def weight_left_out(self, starts: Mapping[int, int]) -> int:
        return sum(entry.weight for entry in self.entries if entry.tasks[0] not in starts)


def make_problem(
    calendar: Calendar, bookings: Sequence[Booking], within: Span, previous: Starts | None = None
) -> Problem:
    """The problem of placing all bookings between two moments.

    Jobs of `previous` that began before the stretch stay where they are, and no rule is asked of them.
    Raises InputError for a pin that is no whole minute and for two waves of one name.
    """
    _refuse_odd_jobs(calendar, bookings)
    ordered = sorted(bookings, key=lambda booking: booking.name)
    jobs = [job for booking in ordered for job in jobs_of(booking)]
    moments = Moments(calendar, within)
    begun = {key: start for key, start in (previous or {}).items() if start < within.start}
    free = [[] if job.key in begun else moments.of(job.booking) for job in jobs]
    grid = Grid(within.start, _step(within, jobs, free, ordered, previous or {}))
    tasks = []
    for job, intervals in zip(jobs, free, strict=True):
        if job.key in begun:
            start = grid.at_or_before(begun[job.key])
            tasks.append(
                Task(job, grid.length(job.booking.duration), ((start, start),), start, 0, begun=True)
            )
        else:
            tasks.append(_task(job, intervals, moments, grid))
    links = tuple(_links(ordered, jobs, grid))
    tasks = _with_best(tasks, links)
    first = min([0, *(task.best for task in tasks if task.begun)])
    dark = nights(
        grid, zone_named(calendar.calendar.timezone), first, max(first, grid.at_or_before(within.end))
    )
    tonight = next(begin for _, begin, end in dark if end >= 0)
    capacity = calendar.capacity
    return Problem(
        calendar=calendar,
        within=within,
        grid=grid,
        tasks=tuple(tasks),
        entries=_entries(ordered, tasks),
        links=links,
        shared=tuple(_binding(shared, tasks, tonight) for shared in _shared(calendar, jobs)),
        nights=dark,
        crowded_above=capacity.crowded_above if calendar.weights.crowded else None,
        crowded_cost=calendar.weights.crowded * grid.steps_per_day,
    )


# --- tasks -------------------------------------------------------------------------------------------


def _refuse_odd_jobs(calendar: Calendar, bookings: Sequence[Booking]) -> None:
    for booking in bookings:
        waves = [wave.name for wave in booking.waves]
        if len(set(waves)) < len(waves):
            raise InputError(
                f"'{booking.name}' has two waves of one name", hint="give each a name of its own"
            )
        for job in jobs_of(booking):
            pinned = pinned_start(calendar, job.booking)
            if pinned is not None and (pinned.second or pinned.microsecond):
                message = f"'{job.title}' is pinned to {job.booking.pinned}"
                raise InputError(message, hint="pin it to a whole minute")


def _step(
    within: Span,
    jobs: Sequence[Job],
    free: Sequence[Sequence[tuple[datetime, datetime]]],
    bookings: Sequence[Booking],
    previous: Starts,
) -> timedelta:
    edges = {low for intervals in free for low, _ in intervals}
    edges |= {previous[job.key] for job in jobs if job.key in previous}
    lengths = {job.booking.duration for job in jobs} | {job.bake for job in jobs}
    lengths |= {booking.gap for booking in bookings}
    return fitting_step(within.start, edges, lengths)


def _task(job: Job, intervals: Sequence[tuple[datetime, datetime]], moments: Moments, grid: Grid) -> Task:
    booking = job.booking
    allowed = in_steps(intervals, grid)
    priced = moments.calendar.weights.out_of_hours if moments.has_hours(booking.team) else 0
    costly = common(allowed, in_steps(moments.outside_hours(booking, intervals), grid)) if priced else ()
    cost = priced * -(-booking.duration // _HOUR) * grid.steps_per_day
    return Task(job, grid.length(booking.duration), allowed, 0, booking.priority, costly, cost)


def in_steps(intervals: Sequence[tuple[datetime, datetime]], grid: Grid) -> Steps:
    """The steps of the grid that lie in stretches of moments."""
    return merged((grid.at_or_after(low), grid.at_or_before(high)) for low, high in intervals)


def _with_best(tasks: list[Task], links: Sequence[Link]) -> list[Task]:
    """Each task with the earliest start that it could have alone, after the waves before it."""
    numbers = {task.job.key: number for number, task in enumerate(tasks)}
    waits = {
        link.after: (link.before, link.lag)
        for link in links
        if tasks[link.before].job.release == tasks[link.after].job.release
    }
    result = list(tasks)
    for number in sorted(numbers.values(), key=lambda number: tasks[number].job.number):
        task, begin = tasks[number], -(10**9)
        if number in waits:
            before, lag = waits[number]
            begin = result[before].best + result[before].length + lag
        best = first_from(task.allowed, begin)
        result[number] = replace(task, best=best if best is not None else max(begin, 0))
    return result


# --- what holds between them -------------------------------------------------------------------------


def _links(bookings: Sequence[Booking], jobs: Sequence[Job], grid: Grid) -> Iterator[Link]:
    numbers: dict[str, list[int]] = {}
    for number, job in enumerate(jobs):
        numbers.setdefault(job.release, []).append(number)
    for booking in bookings:
        own = numbers[booking.name]
        for before, after in pairwise(own):
            yield Link(before, after, grid.length(jobs[before].bake), "waves in order")
        for name in sorted(set(booking.after)):
            if name in numbers:
                rule = f"after '{name}'"
                yield Link(numbers[name][-1], own[0], grid.length(booking.gap), rule)


def _shared(calendar: Calendar, jobs: Sequence[Job]) -> Iterator[Shared]:
    by_key: dict[str, list[int]] = {}
    for number, job in enumerate(jobs):
        for key in dict.fromkeys(conflict_keys(calendar, job.booking)):
            by_key.setdefault(key, []).append(number)
    for key, members in sorted(by_key.items()):
        yield Shared("apart", key, 1, tuple(members))
    for team in calendar.teams:
        members = [number for number, job in enumerate(jobs) if job.booking.team == team.name]
        if team.at_once:
            yield Shared("at_once", f"team '{team.name}' at once", team.at_once, tuple(members))
        if team.per_night:
            yield Shared("per_night", f"team '{team.name}' in a night", team.per_night, tuple(members))
        if team.rest_nights:
            yield Shared("rest", f"rest of team '{team.name}'", team.rest_nights, tuple(members))
    every = tuple(range(len(jobs)))
    if calendar.capacity.at_once:
        yield Shared("at_once", "all releases at once", calendar.capacity.at_once, every, everybody=True)
    if calendar.capacity.per_night:
        yield Shared(
            "per_night", "all releases in a night", calendar.capacity.per_night, every, everybody=True
        )


def _binding(shared: Shared, tasks: Sequence[Task], tonight: int) -> Shared:
    """The rule without what is past: what has begun is not asked, however many of them there are."""
    begun = [number for number in shared.members if tasks[number].begun]
    if not begun:
        return shared
    ends = {number: tasks[number].best + tasks[number].length for number in begun}
    if shared.kind in ("apart", "rest"):
        begun = [max(begun, key=lambda number: (ends[number], number))]
    elif shared.kind == "at_once":
        begun = [number for number in begun if ends[number] > 0]
    else:
        begun = [number for number in begun if tasks[number].best >= tonight]
    ahead = [number for number in shared.members if not tasks[number].begun]
    return replace(shared, members=tuple(sorted(ahead + begun)), limit=max(shared.limit, len(begun)))


def _entries(bookings: Sequence[Booking], tasks: Sequence[Task]) -> tuple[Entry, ...]:
    """The releases. To leave out one that is pinned or has begun weighs more than all others together."""
    ahead: dict[str, list[int]] = {}
    for number, task in enumerate(tasks):
        if not task.begun:
            ahead.setdefault(task.job.release, []).append(number)
    held = {task.job.release for task in tasks if task.begun or task.job.booking.pinned}
    total = sum(booking.priority for booking in bookings)
    found = []
    for booking in bookings:
        if booking.name in ahead:
            weight = booking.priority + (total if booking.name in held else 0)
            after = tuple(sorted(set(booking.after) & ahead.keys()))
            found.append(Entry(booking.name, tuple(ahead[booking.name]), weight, after))
    return _with_possible(found, tasks)


def _with_possible(entries: Sequence[Entry], tasks: Sequence[Task]) -> tuple[Entry, ...]:
    lost = {
        entry.name
        for entry in entries
        if any(
            first_from(tasks[number].allowed, tasks[number].best) != tasks[number].best
            for number in entry.tasks
        )
    }
    while more := {one.name for one in entries if set(one.after) & lost} - lost:
        lost |= more
    return tuple(replace(entry, possible=entry.name not in lost) for entry in entries)
