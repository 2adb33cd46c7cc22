"""Who is at work when: too much at once, too long without rest, and how much in all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rollway.planning.runbooks.model import DAY_SECONDS, ROLE_SEATS, Person, Runbook, Task
from rollway.planning.runbooks.schedule import ROUNDING, Schedule


@dataclass(frozen=True, slots=True)
class Conflict:
    """What one person cannot do. Seconds from T; `tasks` are those that meet, or those of the long shift."""

    kind: Literal["twice at once", "no rest"]
    person: str
    start: float
    end: float
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """One person's work: how many tasks, seconds of work, the first start, the last end, longest shift."""

    person: str
    tasks: int
    seconds: float
    start: float
    end: float
    longest_shift: float


@dataclass(frozen=True, slots=True)
class _Piece:
    """One task in the timetable of one person, seconds from T."""

    start: float
    end: float
    task: Task


def person_loads(runbook: Runbook, schedule: Schedule) -> tuple[Load, ...]:
    """The load of everybody who owns a task, in the order of the table of people.

    Nobody is kept busy by a wait, and a role that stands for whoever is needed has no load of its own.
    """
    loads = []
    for person in runbook.people:
        if person.seats >= ROLE_SEATS:
            continue
        pieces = _pieces(person, runbook, schedule)
        if pieces:
            shifts = _shifts(pieces, runbook.rest)
            loads.append(
                Load(
                    person.id,
                    len(pieces),
                    sum(piece.end - piece.start for piece in pieces),
                    pieces[0].start,
                    max(piece.end for piece in pieces),
                    max(_end(shift) - shift[0].start for shift in shifts),
                )
            )
    return tuple(loads)


def conflicts(runbook: Runbook, schedule: Schedule) -> tuple[Conflict, ...]:
    """Who would have to be in two places, and who would have no rest, by earliest times.

    A task begins at its earliest time here; moving one with slack may mend it. Between two shifts lie at
    least `rest` seconds without work, and a shift with no such gap lasts at most 24 h - `rest`. Teams with
    several seats work in turns, so only people with one seat are asked about rest.
    """
    found: list[Conflict] = []
    for person in runbook.people:
        pieces = _pieces(person, runbook, schedule)
        found += _crowds(person, pieces)
        if person.seats == 1:
            found += _long_shifts(person, pieces, runbook.rest)
    return tuple(sorted(found, key=lambda conflict: (conflict.start, conflict.person)))


def _pieces(person: Person, runbook: Runbook, schedule: Schedule) -> list[_Piece]:
    pieces = [
        _Piece(times.earliest_start, times.earliest_end, task)
        for task in runbook.tasks
        if task.owner == person.id and task.seconds > 0 and not task.is_wait
        for times in (schedule.times[task.id],)
    ]
    return sorted(pieces, key=lambda piece: (piece.start, piece.end))


def _crowds(person: Person, pieces: list[_Piece]) -> list[Conflict]:
    """One conflict for each task that begins while every seat is taken."""
    found: list[Conflict] = []
    active: list[_Piece] = []
    for piece in pieces:
        active = [one for one in active if one.end > piece.start + ROUNDING]
        active.append(piece)
        if len(active) > person.seats:
            ids = tuple(one.task.id for one in active)
            until = min(one.end for one in active)
            found.append(Conflict("twice at once", person.id, piece.start, until, ids))
    return found


def _shifts(pieces: list[_Piece], rest: float) -> list[list[_Piece]]:
    """The pieces, parted where there is rest between them."""
    shifts: list[list[_Piece]] = []
    reached = -float("inf")
    for piece in pieces:
        if piece.start >= reached + rest - ROUNDING:
            shifts.append([])
        shifts[-1].append(piece)
        reached = max(reached, piece.end)
    return shifts


def _end(shift: list[_Piece]) -> float:
    return max(piece.end for piece in shift)


def _long_shifts(person: Person, pieces: list[_Piece], rest: float) -> list[Conflict]:
    return [
        Conflict("no rest", person.id, shift[0].start, _end(shift), tuple(piece.task.id for piece in shift))
        for shift in _shifts(pieces, rest)
        if _end(shift) - shift[0].start > DAY_SECONDS - rest + ROUNDING
    ]
