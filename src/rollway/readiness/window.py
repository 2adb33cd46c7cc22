"""How long a change may take: the longest stretch of open change window, and what must fit into it."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

from rollway.facts.duration import format_duration
from rollway.facts.model import WEEKDAYS, Release, Window
from rollway.readiness.answer import Answer
from rollway.readiness.wording import cite, fact_at

DAY, WEEK = 1440, 10080  # minutes


def window_length(release: Release) -> timedelta | None:
    """The stated length of the change window, else the longest stretch that the windows leave open.

    Wall-clock length of an ordinary week: the hour that a change to summer time takes is not counted.
    """
    stated = release.agreements.window_duration
    if stated.value is not None:
        return stated.value
    by_zone: dict[str, list[Window]] = defaultdict(list)
    for window in release.agreements.windows:
        by_zone[window.timezone].append(window)
    return max((_longest_stretch(windows) for windows in by_zone.values()), default=None)


def cite_window(release: Release) -> str:
    """The change window's length and where it comes from."""
    length = window_length(release)
    if length is None or release.agreements.window_duration.is_stated:
        return cite(release, "agreements.window_duration")
    return f"change window: {format_duration(length)} (agreements.windows)"


def fits_window(
    release: Release, path: str, *, factor: float = 1.0, extra: timedelta = timedelta()
) -> Answer:
    """Whether the duration at `path`, times `factor`, plus `extra`, fits into the change window."""
    duration, length = fact_at(release, path).value, window_length(release)
    evidence = f"{cite(release, path)}, {cite_window(release)}"
    if duration is None or length is None:
        missing = (path,) * (duration is None) + ("agreements.window_duration",) * (length is None)
        return Answer(None, evidence, missing)
    needed = duration.total_seconds() * factor + extra.total_seconds()
    return Answer(needed <= length.total_seconds(), evidence)


def _longest_stretch(windows: list[Window]) -> timedelta:
    """Overlapping and adjoining windows count as one, also across the end of the week."""
    # Two weeks laid out one after the other, so that a stretch over Sunday night shows in one piece.
    spans = sorted(span for week in (0, WEEK) for window in windows for span in _spans(window, week))
    longest = reach = 0
    start = spans[0][0]
    for opens, closes in spans:
        if opens > reach:
            start = opens
        reach = max(reach, closes)
        longest = max(longest, reach - start)
    return timedelta(minutes=min(longest, WEEK))


def _spans(window: Window, offset: int) -> list[tuple[int, int]]:
    opens, closes = _minutes(window.opens), _minutes(window.closes)
    length = closes - opens if closes > opens else closes - opens + DAY
    return [
        (start, start + length)
        for day in window.days
        for start in [offset + WEEKDAYS.index(day) * DAY + opens]
    ]


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
