"""Whole quarters placed by `rollway calendar solve`: time to build and to a proven optimum; what is out."""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, TypeVar

from rollway.planning.calendar.model import Booking, Calendar
from rollway.planning.windows import Span

Kind = Literal["easy", "hard", "joint"]
FIRST = date(2027, 1, 4)
QUARTER = Span(datetime(2027, 1, 4, tzinfo=UTC), datetime(2027, 4, 5, tzinfo=UTC))
REGIONS = {
    "europe": "Europe/Berlin",
    "britain": "Europe/London",
    "america": "America/New_York",
    "india": "Asia/Kolkata",
}
KINDS = ("core", "web", "tools")
NIGHTS = {
    "core": ({"days": ["sat"], "opens": "20:00", "closes": "08:00"},),
    "web": (
        {"days": ["tue", "wed", "thu"], "opens": "22:00", "closes": "04:00"},
        {"days": ["sat"], "opens": "20:00", "closes": "08:00"},
    ),
    "tools": (
        {"days": ["mon", "tue", "wed", "thu"], "opens": "10:00", "closes": "16:00"},
        {"days": ["tue", "wed", "thu"], "opens": "20:00", "closes": "02:00"},
    ),
}


def make_quarter(count: int, seed: int, kind: Kind = "easy") -> tuple[Calendar, tuple[Booking, ...]]:
    """A quarter with `count` releases, from departments with some 40 each.

    Teams, shared stores, scarce people and dependencies stay within a department. A `hard` quarter asks for
    more than there is room for; in a `joint` one limits that all releases share bind as well.
    """
    draw = random.Random(f"{seed} {kind}")
    departments = max(1, count // 40)
    services = [f"{draw.choices(KINDS, (3, 5, 2))[0]}-{number}" for number in range(max(6, count * 5 // 8))]
    teams = [f"team-{number}" for number in range(max(3, count * 3 // 20))]
    place = {service: number % departments for number, service in enumerate(services)}
    owner = {service: draw.choice(teams[place[service] :: departments]) for service in services}
    data: dict[str, Any] = {
        "calendar": {"name": "bench", "timezone": "Europe/Berlin"},
        "regions": [{"name": name, "timezone": zone} for name, zone in REGIONS.items()],
        "windows": list(_windows(services)),
        **_holds(draw, services),
        **_people(draw, teams, departments),
        "capacity": _capacity(count, kind),
        "conflicts": [
            {
                "name": f"store-{number}",
                "services": draw.sample(services[number % departments :: departments], 3),
            }
            for number in range(len(services) // 12)
        ],
        "releases": _releases(draw, place, owner, count, hard=kind == "hard"),
    }
    calendar = Calendar.model_validate(data)
    return calendar, calendar.releases


def _capacity(count: int, kind: Kind) -> dict[str, int]:
    if kind == "joint":
        return {
            "per_night": max(4, count // 18),
            "at_once": max(3, count // 30),
            "crowded_above": max(2, count // 22),
        }
    return {"per_night": max(6, count // 7), "at_once": max(6, count // 8)}


def _windows(services: list[str]) -> Any:
    for kind in KINDS:
        own = [service for service in services if service.startswith(kind)]
        for region, zone in REGIONS.items():
            for number, window in enumerate(NIGHTS[kind]):
                name = f"{kind}-{region}-{number}"
                if own:
                    yield {"name": name, "timezone": zone, "services": own, "regions": [region], **window}


def _holds(draw: random.Random, services: list[str]) -> dict[str, Any]:
    close = draw.sample(services, len(services) // 4)
    return {
        "freezes": [
            {"name": "month end", "rule": "FREQ=MONTHLY;BYMONTHDAY=-2,-1,1,2", "services": close},
            {
                "name": "audit",
                "first": "2027-02-15",
                "last": "2027-02-19",
                "services": draw.sample(services, 5),
            },
            {"name": "elections", "first": "2027-03-08", "last": "2027-03-10", "regions": ["india"]},
        ],
        "peaks": [
            {"name": "sales", "first": "2027-01-04", "last": "2027-01-10", "regions": ["britain"]},
            {"name": "spring", "first": "2027-03-20", "last": "2027-03-24", "overrun": True},
        ],
        "holidays": [
            {"country": "DE", "subdivision": "BY", "regions": ["europe"], "eve": True},
            {"country": "GB", "subdivision": "ENG", "regions": ["britain"]},
            {"country": "US", "regions": ["america"], "eve": True},
            {"country": "IN", "regions": ["india"]},
        ],
        "milestones": [
            {"name": "card-supplier", "valid_from": "2027-02-01"},
            {"name": "old-licence", "kind": "licence", "valid_until": "2027-03-12"},
        ],
    }


def _people(draw: random.Random, teams: list[str], departments: int) -> dict[str, Any]:
    hours = {"days": ["mon", "tue", "wed", "thu", "fri"], "opens": "08:00", "closes": "18:00"}
    people, rows = [], []
    for number in range(departments):
        first = FIRST + timedelta(days=draw.randrange(80))
        people.append(
            {"name": f"dba-{number}", "absences": [{"first": first, "last": first + timedelta(days=6)}]}
        )
    for team in teams:
        own = [f"{team}-{letter}" for letter in "abc"]
        for name in own:
            first = FIRST + timedelta(days=draw.randrange(85))
            last = first + timedelta(days=draw.randrange(1, 12))
            people.append({"name": name, "absences": [{"first": first, "last": last}]})
        rows.append(
            {
                "name": team,
                "people": own,
                "at_least": draw.choice((0, 1, 2)),
                "at_once": draw.choice((1, 1, 2)),
                "per_night": draw.choice((1, 2, 2, None)),
                "rest_nights": draw.choice((0, 0, 1)),
                "hours": [hours | {"timezone": draw.choice(list(REGIONS.values()))}],
            }
        )
    return {"people": people, "teams": rows}


def _releases(
    draw: random.Random, place: dict[str, int], owner: dict[str, str], count: int, *, hard: bool
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number in range(count):
        service = draw.choice(list(place))
        first = FIRST + timedelta(days=draw.randrange(0, 60))
        waves = draw.choices((1, 2, 3, 4), (50, 25, 15, 10))[0]
        one: dict[str, Any] = {
            "name": f"r{number:04}",
            "service": service,
            "team": owner[service],
            "duration": f"{draw.choice((30, 60, 60, 90, 120, 120, 180, 240))}m",
            "priority": draw.randint(1, 9),
            "earliest": first,
        }
        regions = draw.sample(list(REGIONS), waves)
        if waves == 1:
            one["regions"] = regions
        else:
            one["waves"] = [
                {"name": region, "regions": [region], "bake": f"{draw.randint(1, 4)}d"} for region in regions
            ]
        if draw.random() < 0.4:
            # A hard quarter has deadlines of which some cannot be kept.
            room = draw.randint(10, 40) if hard else draw.randint(35, 60)
            one["deadline"] = first + timedelta(days=room + 6 * (waves - 1))
        if draw.random() < 0.1:
            one["trained"], one["training_lead"] = first + timedelta(days=draw.randint(0, 10)), "2d"
        if draw.random() < 0.1:
            one["people"] = [f"dba-{place[service]}"]
        if draw.random() < 0.04:
            one["needs"] = ["card-supplier"] if draw.random() < 0.7 or not hard else ["old-licence"]
        near = [other for other in found if place[other["service"]] == place[service]]
        if near and draw.random() < 0.12:
            before = draw.choice(near)
            if hard or before["earliest"] <= first:
                one["after"], one["gap"] = [before["name"]], f"{draw.choice((1, 24, 48))}h"
        found.append(one)
    return found


def measure(count: int, seed: int, kind: Kind) -> str:
    """One line of figures: seconds of the processor, and of the clock in brackets."""
    from rollway.planning.calendar.solver.explain import explain_all
    from rollway.planning.calendar.solver.problem import make_problem
    from rollway.planning.calendar.solver.search import Effort, find
    from rollway.planning.calendar.solver.verify import verify

    calendar, bookings = make_quarter(count, seed, kind)
    took: list[str] = []
    build = _timed(took, lambda: make_problem(calendar, bookings, QUARTER))
    found = _timed(took, lambda: find(build, None, Effort()))
    deferred = _timed(took, lambda: explain_all(build, found.placed, Effort(work=2.0)))
    starts = {build.tasks[number].job.key: build.grid.moment(start) for number, start in found.placed.items()}
    broken = _timed(took, lambda: verify(calendar, bookings, starts))
    assert not broken, broken[:3]
    gap = 0.0 if found.cost.proven else 1 - found.cost.bound / max(1, found.cost.value)
    proof = "proven" if found.proven else f"gap {gap:.1%}"
    if not found.left_out.proven:
        proof += f", left out {found.left_out.value} of at least {found.left_out.bound}"
    figures = " ".join(took)
    return f"{count:>5} {seed:>4} {kind:<5} {len(build.tasks):>5} {figures} {len(deferred):>3} {proof}"


T = TypeVar("T")


def _timed(took: list[str], work: Callable[[], T]) -> T:
    clock, cpu = time.perf_counter(), time.process_time()
    result = work()
    took.append(f"{time.process_time() - cpu:>7.2f} ({time.perf_counter() - clock:>6.2f})")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="*", default=[60, 400])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--kinds", nargs="*", default=["easy", "hard", "joint"])
    words = parser.parse_args([] if __name__ != "__main__" else None)
    print("count seed kind  slots       build            solve          explain           verify   out")
    for count in words.counts:
        for kind in words.kinds:
            for seed in range(words.seeds):
                print(measure(count, seed, kind), flush=True)


if __name__ == "__main__":
    main()
