"""Does a plan obey every rule? It is asked after each search, and shares no code with it.

The rules are read from the calendar itself, in moments, not in the steps that the search counts in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations, pairwise

from rollway.planning.calendar.model import Booking, Calendar
from rollway.planning.calendar.recurring import DAY, Horizon
from rollway.planning.calendar.rules import blocks, conflict_keys, openings, starts
from rollway.planning.calendar.solver.jobs import Job, jobs_of
from rollway.planning.windows import instant, zone_named

Starts = Mapping[tuple[str, str], datetime]
_Set = tuple[Job, datetime, datetime]
"""A job with its start and its end."""


@dataclass(frozen=True, slots=True, order=True)
class Breach:
    """A rule that a plan breaks: by which release and wave, and what it says."""

    release: str
    wave: str
    rule: str
    words: str

    def __str__(self) -> str:
        return f"{self.release}{f', {self.wave}' if self.wave else ''}: {self.rule}: {self.words}"


def verify(
    calendar: Calendar,
    bookings: Sequence[Booking],
    placements: Starts,
    *,
    begun_before: datetime | None = None,
) -> list[Breach]:
    """Every rule that a plan breaks; `placements` are starts by release and wave ("" without waves).

    Of what began before a moment nothing is asked but that it is over in time for what comes after it.
    """
    found: list[Breach] = []
    held: list[_Set] = []
    for booking in bookings:
        jobs = jobs_of(booking)
        there = [job for job in jobs if job.key in placements]
        held += [(job, placements[job.key], placements[job.key] + job.booking.duration) for job in there]
        begun = begun_before is not None and any(placements[job.key] < begun_before for job in there)
        if there and len(there) < len(jobs) and not begun:
            missing = ", ".join(job.wave for job in jobs if job not in there)
            found.append(Breach(booking.name, "", "whole releases", f"no slot for {missing}"))
    known = {job.key for booking in bookings for job in jobs_of(booking)}
    found += [Breach(*key, "known releases", "there is no such release") for key in placements.keys() - known]
    ahead = [one for one in held if begun_before is None or one[1] >= begun_before]
    for one in ahead:
        found += _alone(calendar, *one)
    found += _in_order(bookings, held, {one[0].key for one in ahead})
    found += _apart(calendar, held, {one[0].key for one in ahead})
    found += _at_once(calendar, held, ahead)
    found += _by_night(calendar, held, ahead)
    return sorted(found)


def _alone(calendar: Calendar, job: Job, start: datetime, end: datetime) -> Iterator[Breach]:
    near = Horizon(start - 2 * DAY, end + 2 * DAY)
    opened = [one for one in openings(calendar, job.booking, near) if one.span.has(start)]
    length = job.booking.duration
    if not any(low <= start <= high for one in opened for low, high in starts(one, (), length)):
        yield Breach(*job.key, "change windows", f"none is open from {start:%Y-%m-%d %H:%M} on for all of it")
    for block in blocks(calendar, job.booking, near):
        before = start if block.overrun else end
        if (
            block.span.start < before
            and start < block.span.end
            and (start >= block.span.start or not block.overrun)
        ):
            yield Breach(*job.key, block.rule, block.words)


def _in_order(
    bookings: Sequence[Booking], held: Sequence[_Set], ahead: set[tuple[str, str]]
) -> Iterator[Breach]:
    own: dict[str, list[_Set]] = {}
    for one in held:
        own.setdefault(one[0].release, []).append(one)
    for booking in bookings:
        waves = own.get(booking.name, [])
        for (before, _, end), (wave, start, _) in pairwise(waves):
            if start < end + before.bake and wave.key in ahead:
                yield Breach(*wave.key, "waves in order", f"'{before.wave}' is not over and watched")
        for name in booking.after if waves and waves[0][0].key in ahead else ():
            if not any(other.name == name for other in bookings):
                continue
            others = own.get(name, [])
            whole = len(others) == len(jobs_of(next(other for other in bookings if other.name == name)))
            if not whole or waves[0][1] < others[-1][2] + booking.gap:
                yield Breach(booking.name, "", f"after '{name}'", "it is not over, or the gap is too short")


def _apart(calendar: Calendar, held: Sequence[_Set], ahead: set[tuple[str, str]]) -> Iterator[Breach]:
    keys: dict[str, list[_Set]] = {}
    for one in held:
        for key in set(conflict_keys(calendar, one[0].booking)):
            keys.setdefault(key, []).append(one)
    for key, members in keys.items():
        for (job, begin, end), (other, start, stop) in combinations(members, 2):
            if begin < stop and start < end and {job.key, other.key} & ahead:
                yield Breach(*job.key, key, f"taken by '{other.title}' at the same time")


def _at_once(calendar: Calendar, held: Sequence[_Set], ahead: Sequence[_Set]) -> Iterator[Breach]:
    limits: list[tuple[str, int | None, list[_Set]]] = [
        ("all releases at once", calendar.capacity.at_once, list(held))
    ]
    for team in calendar.teams:
        own = [one for one in held if one[0].booking.team == team.name]
        limits.append((f"team '{team.name}' at once", team.at_once, own))
    for rule, limit, members in limits:
        for job, start, _ in ahead if limit else ():
            running = sum(begin <= start < end for _, begin, end in members)
            if any(one[0].key == job.key for one in members) and running > (limit or 0):
                yield Breach(*job.key, rule, f"{running} run at once, {limit} may")


def _by_night(calendar: Calendar, held: Sequence[_Set], ahead: Sequence[_Set]) -> Iterator[Breach]:
    fresh = {_night(calendar, start) for _, start, _ in ahead}
    limits = [("all releases", "", calendar.capacity.per_night, 0)]
    limits += [
        (f"team '{team.name}'", team.name, team.per_night, team.rest_nights) for team in calendar.teams
    ]
    for rule, name, limit, rest in limits:
        own = [one for one in held if not name or one[0].booking.team == name]
        counts = Counter(_night(calendar, start) for _, start, _ in own)
        who = {_night(calendar, start): job.key for job, start, _ in own}
        for night, count in counts.items():
            if limit and count > limit and night in fresh:
                yield Breach(*who[night], f"{rule} in a night", f"{count} on {night}, {limit} may")
        for one, other in pairwise(sorted(counts)):
            if (other - one).days <= rest and other in fresh:
                yield Breach(*who[other], f"rest of {rule}", f"nights of {one} and {other}, {rest} between")


def _night(calendar: Calendar, moment: datetime) -> date:
    """The day at whose noon the night begins, by the calendar's clocks."""
    zone = zone_named(calendar.calendar.timezone)
    day = moment.astimezone(zone).date()
    noon = instant(datetime.combine(day, time(12)), zone, last=False)
    return day if moment.astimezone(UTC) >= noon else day - timedelta(days=1)
