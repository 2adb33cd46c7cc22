"""How many requests come, from the two facts that tell of it."""

from __future__ import annotations

from rollway.facts.model import Architecture


def requests_by_hour(architecture: Architecture) -> tuple[float, ...]:
    """Requests per second in each hour of the day or of the week; one figure where they are taken as even.

    The figures by hour are taken as they are where no number per second is stated, and else scaled to it.
    Empty where nothing is known.
    """
    stated, hours = architecture.requests_per_second.value, architecture.requests_by_hour
    if not hours or sum(hours) <= 0:
        return () if stated is None else (stated,)
    by = 1.0 if stated is None else stated * len(hours) / sum(hours)
    return tuple(by * figure for figure in hours)


def requests_per_second(architecture: Architecture) -> float | None:
    """On average over the day or the week; None where nothing is known."""
    hours = requests_by_hour(architecture)
    return sum(hours) / len(hours) if hours else None
