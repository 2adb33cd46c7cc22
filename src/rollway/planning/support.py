"""The support desk after each stage: how many people it needs, and whether it has them.

The users who joined within the last seven days ask much; those from before ask as ever and are not counted.
In the busiest hour, which has 15 percent of a day's questions or an even part of the hours if that is more,
their questions come at the rate r and keep somebody busy for h each: a = r h is the load in erlangs. With m
people a question waits longer than t with the probability (A. K. Erlang 1917; N. Gans, G. Koole and
A. Mandelbaum 2003, Telephone call centers, Manufacturing & Service Operations Management 5(2), section 4)

    C(m, a) exp(-(m - a) t / h),    C = B / (1 - (a/m) (1 - B)),    B(m) = a B(m-1) / (m + a B(m-1)), B(0) = 1

and the desk needs the smallest m at which four questions in five are taken within two minutes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from rollway.facts.model import Release, SupportDesk
from rollway.planning.joining import entered_at, joining_users, reaches_users
from rollway.planning.model import Stage, Support
from rollway.planning.stages import DAY, HOUR
from rollway.planning.words import listing

SETTLING_SECONDS = 7 * DAY
BUSIEST_HOUR = 0.15
WAITING_SECONDS = 120.0
MAY_WAIT_LONGER = 0.2
LARGE_LOAD = 2_000.0
"""Beyond this many erlangs the square-root rule is used, which is exact enough there."""


def make_support(release: Release, stages: Sequence[Stage]) -> tuple[Support, ...]:
    """A line for each stage in which users join; None where the facts do not tell."""
    joined, at = joining_users(release, stages), entered_at(stages)
    desk = release.stakeholders.support_desk or SupportDesk()
    rows: list[Support] = []
    for stage in stages:
        if not reaches_users(stage) or joined[stage.id] == 0:
            continue
        settling = _settling(joined, at, at[stage.id])
        rows.append(_row(desk, stage, joined[stage.id], settling))
    return tuple(rows)


def _settling(joined: dict[str, int | None], at: dict[str, float], now: float) -> int | None:
    recent = [joined[name] for name, entered in at.items() if now - SETTLING_SECONDS < entered <= now]
    known = [users for users in recent if users is not None]
    return sum(known) if len(known) == len(recent) else None


def _row(desk: SupportDesk, stage: Stage, joining: int | None, settling: int | None) -> Support:
    rate = desk.requests_per_user_day
    if rate is None or settling is None or desk.handling_time is None:
        return Support(stage=stage.id, joining=joining, settling=settling, available=desk.people)
    hourly = settling * rate * max(BUSIEST_HOUR, 1 / desk.hours_per_day)
    needed = people_needed(hourly, desk.handling_time.total_seconds())
    short = desk.people is not None and needed > desk.people
    finding = f"{stage.title} needs {needed}"
    return Support(
        stage=stage.id,
        joining=joining,
        settling=settling,
        requests_per_hour=round(hourly, 1),
        needed=needed,
        available=desk.people,
        finding=finding if short else "",
    )


def support_notes(rows: Sequence[Support]) -> Iterator[str]:
    """One line for all stages in which the desk is too small."""
    short = [row for row in rows if row.finding]
    if short:
        yield (
            f"Support has {short[0].available} people, and in the busiest hour "
            f"{listing((row.finding for row in short), 6)}: join fewer users at a time, wait longer between "
            "stages, or add people."
        )


def people_needed(requests_per_hour: float, handling_seconds: float) -> int:
    """How many people take four questions in five within two minutes; 0 where nobody asks."""
    load = requests_per_hour / HOUR * handling_seconds
    if load <= 0:
        return 0
    if load > LARGE_LOAD:
        return math.ceil(load + math.sqrt(load))
    people, blocked = 0, 1.0
    while True:
        people += 1
        blocked = load * blocked / (people + load * blocked)
        if people <= load:
            continue
        waits = blocked / (1 - load / people * (1 - blocked))
        if waits * math.exp(-(people - load) * WAITING_SECONDS / handling_seconds) <= MAY_WAIT_LONGER:
            return people
