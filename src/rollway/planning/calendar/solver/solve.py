"""One call from a calendar and its releases to a timetable that has been checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from rollway.errors import InputError
from rollway.planning.calendar.model import Booking, Calendar
from rollway.planning.calendar.recurring import DAY, Horizon
from rollway.planning.calendar.rules import ALWAYS, openings
from rollway.planning.calendar.slots import Slot
from rollway.planning.calendar.solver.explain import explain_all
from rollway.planning.calendar.solver.greedy import Placed
from rollway.planning.calendar.solver.model import cp_sat
from rollway.planning.calendar.solver.problem import Problem, Task, make_problem
from rollway.planning.calendar.solver.search import Effort, Found, find, moved
from rollway.planning.calendar.solver.timetable import Costs, Placement, Timetable
from rollway.planning.calendar.solver.verify import verify
from rollway.planning.windows import Span, zone_named

Starts = Mapping[tuple[str, str], datetime]
_MOST_DAYS = 400


def solve_calendar(
    calendar: Calendar,
    bookings: Sequence[Booking],
    within: Span,
    *,
    previous: Starts | None = None,
    effort: Effort | None = None,
) -> Timetable:
    """Place all releases between two moments (UTC), as well as can be; the same input, the same answer.

    As little as can be is left out, by priority; with `previous` starts, as few releases as can be move;
    then delay, work out of hours and crowded nights cost as little as can be. Raises InputError where
    OR-Tools is not installed or the stretch of time is odd, and AssertionError if the plan breaks a rule.
    """
    cp_sat()
    _check(within)
    effort = effort or Effort()
    problem = make_problem(calendar, bookings, within, previous)
    before = _in_steps(problem, previous or {})
    found = find(problem, before or None, effort)
    # Each release that is left out asks a dozen questions; none may take as long as a search.
    deferred = explain_all(problem, found.placed, replace(effort, work=effort.work / 10))
    timetable = Timetable(
        within=within,
        step=problem.grid.step,
        placements=_placements(problem, found.placed, previous or {}),
        deferred=tuple(deferred),
        moved=tuple(moved(problem, before, found.placed)),
        costs=_costs(problem, found),
        proven=found.proven,
        stopped_by_clock=any(
            answer is not None and answer.stopped_by_clock
            for answer in (found.left_out, found.moves, found.cost)
        ),
    )
    broken = verify(calendar, bookings, timetable.starts, begun_before=within.start)
    if broken:
        raise AssertionError("the plan breaks a rule: " + "; ".join(map(str, broken[:5])))
    return timetable


def _check(within: Span) -> None:
    if within.end <= within.start:
        raise InputError("the stretch to plan ends before it begins", hint="give a later --to")
    if within.end - within.start > _MOST_DAYS * DAY:
        raise InputError(
            f"more than {_MOST_DAYS} days cannot be planned at once", hint="plan quarter by quarter"
        )


def _in_steps(problem: Problem, previous: Starts) -> Placed:
    """The starts before, in steps; one that lies off the grid is no place to stay at."""
    grid = problem.grid
    return {
        number: grid.at_or_before(previous[task.job.key])
        for number, task in enumerate(problem.tasks)
        if task.job.key in previous
    }


def _placements(problem: Problem, placed: Placed, previous: Starts) -> tuple[Placement, ...]:
    found = []
    for number, start in placed.items():
        task = problem.tasks[number]
        job = task.job
        begin = previous[job.key] if task.begun else problem.grid.moment(start)
        slot = _slot(problem.calendar, task, begin)
        found.append(
            Placement(job.release, job.wave, job.booking.service, slot, previous.get(job.key), task.begun)
        )
    return tuple(sorted(found, key=lambda one: (one.slot.start, one.release, one.wave)))


def _slot(calendar: Calendar, task: Task, begin: datetime) -> Slot:
    booking = task.job.booking
    end = begin + booking.duration
    near = Horizon(begin - DAY, end + DAY)
    around = [one for one in openings(calendar, booking, near) if one.span.has(begin)]
    name, zone = (around[0].name, around[0].zone) if around else (ALWAYS, calendar.calendar.timezone)
    others = tuple(other for other in dict.fromkeys(booking.zones) if other != zone)
    return Slot(begin, end, name, zone_named(zone).key, (), others)


def _costs(problem: Problem, found: Found) -> Costs:
    per_day = problem.grid.steps_per_day
    tasks = problem.tasks
    extra = sum(
        tasks[number].cost * any(low <= start <= high for low, high in tasks[number].costly)
        for number, start in found.placed.items()
    )
    crowded = problem.crowded_cost * problem.crowding(found.placed)
    total = problem.cost(found.placed)
    least = found.cost.bound if found.proven else min(found.cost.bound, total)
    return Costs(
        delay=(total - extra - crowded) / per_day,
        out_of_hours=extra / per_day,
        crowded=crowded / per_day,
        total=total / per_day,
        least=least / per_day,
    )
