"""What the calendar says to one release: the face of the rules, for planning one date or a whole quarter.

`openings` are when windows let it begin, `blocks` what stands against it when and by which rule, and
`starts` takes the one from the other. Two releases with a key of `conflict_keys` in common never run at once.
"""

from __future__ import annotations

from rollway.planning.calendar.model import Booking, Calendar
from rollway.planning.calendar.obstacles import blocks, pinned_start
from rollway.planning.calendar.openings import openings
from rollway.planning.calendar.terms import (
    ALWAYS,
    Block,
    Interval,
    Opening,
    starts,
    told_day,
    told_moment,
)

__all__ = [
    "ALWAYS",
    "Block",
    "Interval",
    "Opening",
    "blocks",
    "conflict_keys",
    "openings",
    "pinned_start",
    "starts",
    "told_day",
    "told_moment",
]


def conflict_keys(calendar: Calendar, booking: Booking) -> tuple[str, ...]:
    """What a release takes for itself, in words: its service, environments, people and conflict groups."""
    groups = (
        group.name
        for group in calendar.conflicts
        if booking.service in group.services
        or group.name in booking.conflicts
        or set(group.environments) & set(booking.environments)
    )
    return (
        f"service '{booking.service}'",
        *(f"environment '{name}'" for name in sorted(set(booking.environments))),
        *(f"{name}, who is needed by both" for name in sorted(set(booking.people))),
        *(f"conflict group '{name}'" for name in groups),
    )
