"""Every plan of a small calendar, tried one after the other: slow, plain, and no code of the solver."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise, product
from typing import Any
from zoneinfo import ZoneInfo

from rollway.planning.calendar.model import Booking, Calendar
from rollway.planning.calendar.recurring import Horizon
from rollway.planning.calendar.rules import Opening, blocks, conflict_keys, openings, starts
from rollway.planning.windows import Span

HALF = timedelta(minutes=30)
DAY = timedelta(days=1)
Key = tuple[str, str]
Plan = dict[Key, datetime]


@dataclass(frozen=True)
class Part:
    """One slot that a release takes."""

    booking: Booking
    bake: timedelta


def parts_of(booking: Booking) -> dict[Key, Part]:
    if not booking.waves:
        return {(booking.name, ""): Part(booking, timedelta(0))}
    found = {}
    for number, wave in enumerate(booking.waves):
        update: dict[str, Any] = {
            "waves": (),
            "pinned": wave.pinned or (booking.pinned if number == 0 else ""),
        }
        if wave.duration is not None:
            update["duration"] = wave.duration
        found[booking.name, wave.name] = Part(booking.model_copy(update=update), wave.bake)
    return found


class Small:
    """A calendar small enough to try everything; `kept` names the rules that are asked of one release."""

    def __init__(self, calendar: Calendar, within: Span) -> None:
        self.calendar, self.within = calendar, within
        self.parts = {key: part for one in calendar.releases for key, part in parts_of(one).items()}
        self.zone = ZoneInfo(calendar.calendar.timezone)
        self._known: dict[Any, list[datetime]] = {}
        self.keys = {key: set(conflict_keys(calendar, part.booking)) for key, part in self.parts.items()}

    def moments(self, key: Key, kept: set[str] | None = None) -> list[datetime]:
        """When a slot may begin by itself, on the half hours."""
        asked = (key, None if kept is None else frozenset(kept))
        if asked not in self._known:
            self._known[asked] = self._moments(key, kept)
        return self._known[asked]

    def _moments(self, key: Key, kept: set[str] | None) -> list[datetime]:
        booking = self.parts[key].booking
        near = Horizon(self.within.start - DAY, self.within.end + DAY)
        against = [one for one in blocks(self.calendar, booking, near) if kept is None or one.rule in kept]
        free = [
            pair
            for opening in openings(self.calendar, booking, near)
            for pair in starts(opening, against, booking.duration)
        ]
        if kept is not None and "change windows" not in kept:
            free = starts(Opening(self.within, None, "", "UTC"), against, booking.duration)
        found, moment = [], self.within.start
        while moment + booking.duration <= self.within.end:
            if any(low <= moment <= high for low, high in free):
                found.append(moment)
            moment += HALF
        return found

    def night(self, moment: datetime) -> int:
        return (moment.astimezone(self.zone).replace(tzinfo=None) - timedelta(hours=12)).toordinal()

    def best(self, key: Key) -> datetime | None:
        release = key[0]
        earliest: datetime | None = self.within.start
        for own in [one for one in self.parts if one[0] == release]:
            earliest = next(
                (one for one in self.moments(own) if earliest is not None and one >= earliest), None
            )
            if own == key or earliest is None:
                return earliest
            earliest += self.parts[own].booking.duration + self.parts[own].bake
        raise AssertionError(key)

    def plans(self, only: set[str] | None = None) -> Iterator[Plan]:
        """Every plan that obeys all rules; with `only` those that place exactly these releases."""
        bookings = [one for one in self.calendar.releases if only is None or one.name in only]
        choices: list[list[Plan]] = []
        for booking in bookings:
            keys = list(parts_of(booking))
            placed = [
                dict(zip(keys, some, strict=True)) for some in product(*(self.moments(key) for key in keys))
            ]
            choices.append(
                [one for one in placed if self.obeys(one, alone=True)] + ([{}] if only is None else [])
            )
        for some in product(*choices):
            plan = {key: start for one in some for key, start in one.items()}
            if self.obeys(plan):
                yield plan

    def room_for(self, name: str, placed: set[str], kept: set[str]) -> bool:
        """Can a release join these, if only the rules in `kept` are asked of it?"""
        others = [one for one in self.calendar.releases if one.name in placed]
        mine = next(one for one in self.calendar.releases if one.name == name)
        choices = []
        for booking in [mine, *others]:
            keys = list(parts_of(booking))
            own = kept if booking.name == name else None
            placed_so = [
                dict(zip(keys, some, strict=True))
                for some in product(*(self.moments(key, own) for key in keys))
            ]
            choices.append([one for one in placed_so if self.obeys(one, name, kept, alone=True)])
        return any(
            self.obeys({key: start for one in some for key, start in one.items()}, name, kept)
            for some in product(*choices)
        )

    def obeys(self, plan: Plan, name: str = "", kept: set[str] | None = None, *, alone: bool = False) -> bool:
        def asked(rule: str, *keys: Key) -> bool:
            return kept is None or rule in kept or all(key[0] != name for key in keys)

        ends = {key: start + self.parts[key].booking.duration for key, start in plan.items()}
        items = list(plan.items())
        for number, (one, start) in enumerate(items):
            for other, begin in items[:number]:
                meet = start < ends[other] and begin < ends[one]
                if meet and any(asked(key, one, other) for key in self.keys[one] & self.keys[other]):
                    return False
        for booking in self.calendar.releases:
            keys = [key for key in parts_of(booking) if key in plan]
            for one, other in pairwise(keys):
                if plan[other] < ends[one] + self.parts[one].bake and asked("waves in order", one):
                    return False
            for before in booking.after if keys and not alone else ():
                if not asked(f"after '{before}'", keys[0]):
                    continue
                last = [key for key in plan if key[0] == before]
                if not last or plan[keys[0]] < ends[last[-1]] + booking.gap:
                    return False
        return self._limits(plan, ends, asked)

    def _limits(self, plan: Plan, ends: Mapping[Key, datetime], asked: Any) -> bool:
        whole = self.calendar.capacity
        limits = [("all releases", "", whole.at_once, whole.per_night, 0)]
        limits += [
            (f"team '{one.name}'", one.name, one.at_once, one.per_night, one.rest_nights)
            for one in self.calendar.teams
        ]
        for rule, team, at_once, per_night, rest in limits:
            own = [key for key in plan if not team or self.parts[key].booking.team == team]
            within = [key for key in own if asked(f"{rule} at once", key)]
            if at_once and any(
                sum(plan[other] <= plan[key] < ends[other] for other in within) > at_once for key in within
            ):
                return False
            nights = [self.night(plan[key]) for key in own if asked(f"{rule} in a night", key)]
            if per_night and any(nights.count(night) > per_night for night in nights):
                return False
            worked = {self.night(plan[key]) for key in own if asked(f"rest of {rule}", key)}
            if any(0 < other - one <= rest for one in worked for other in worked):
                return False
        return True

    def left_out(self, plan: Plan) -> int:
        total = sum(one.priority for one in self.calendar.releases)
        return sum(
            one.priority + (total if any(part.booking.pinned for part in parts_of(one).values()) else 0)
            for one in self.calendar.releases
            if not any(key[0] == one.name for key in plan)
        )

    def cost(self, plan: Plan, bests: Mapping[Key, datetime | None]) -> float:
        total = 0.0
        for key, start in plan.items():
            booking, best = self.parts[key].booking, bests[key]
            assert best is not None
            total += booking.priority * ((start - best) / DAY)
            hours = [one for team in self.calendar.teams if team.name == booking.team for one in team.hours]
            if hours and not any(self._inside(one, start, start + booking.duration) for one in hours):
                begun = -(-booking.duration // timedelta(hours=1))
                total += self.calendar.weights.out_of_hours * begun
        above = self.calendar.capacity.crowded_above
        nights = [self.night(start) for start in plan.values()]
        if above is not None:
            over = sum(max(0, nights.count(night) - above) for night in set(nights))
            total += self.calendar.weights.crowded * over
        return total

    def _inside(self, hours: Any, start: datetime, end: datetime) -> bool:
        zone = ZoneInfo(hours.timezone)
        begin, stop = start.astimezone(zone), end.astimezone(zone)
        day = f"{begin:%a}".lower()
        if begin.date() != stop.date() or day not in hours.days:
            return False
        return bool(hours.opens <= f"{begin:%H:%M}" and f"{stop:%H:%M}" <= hours.closes)

    def least(self, previous: Plan | None = None) -> tuple[int, int, float]:
        """The least that must be left out; then the fewest moves; then the least cost, in points."""
        bests = {key: self.best(key) for key in self.parts}
        return min(
            (self.left_out(plan), self.moves(plan, previous or {}), round(self.cost(plan, bests), 6))
            for plan in self.plans()
        )

    def moves(self, plan: Plan, previous: Plan) -> int:
        return len({key[0] for key in plan if key in previous and previous[key] != plan[key]})
