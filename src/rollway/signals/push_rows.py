"""What senders write: rows of readings, checked one by one before any of them is taken; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from rollway.errors import InputError
from rollway.judge import Assigned, Counts, Histogram, Moments, Sample
from rollway.rollout.pushed import SentRow

MOST_ROWS = 1_000
MOST_BOUNDS = 200
MOST_TOLD = 20
OLDEST_SECONDS = 2 * 86_400.0
LONGEST_SECONDS = 7 * 86_400.0
AHEAD_SECONDS = 60.0
"""A sender's clock may be this much ahead of ours."""
LARGEST = 2**53
LARGEST_FIGURE = 1e150
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,59}")

SHAPES: tuple[tuple[str, ...], ...] = (
    ("trials", "bad"),
    ("units", "total", "squares"),
    ("units",),
    ("bounds", "counts"),
)
KNOWN = frozenset(
    {"source", "series", "arm", "time", "start", "end", *(name for one in SHAPES for name in one)}
)


class _RowError(ValueError):
    """Why a row cannot be taken: the field, and what is wrong with it."""


def sent_rows(body: Any, *, source: str, now: float) -> tuple[SentRow, ...]:
    """All rows of a request from `source` at `now` (unix seconds). Raises InputError naming each bad row."""
    if not isinstance(body, list) or not body:
        raise InputError("the body is no list of readings", hint='such as [{"series": "tickets", ...}]')
    if len(body) > MOST_ROWS:
        raise InputError(f"{len(body)} rows are more than {MOST_ROWS}", hint="send them in several requests")
    rows: list[SentRow] = []
    wrong: list[str] = []
    for number, raw in enumerate(body, start=1):
        try:
            rows.append(_row(raw, source, now))
        except _RowError as error:
            wrong.append(f"row {number}: {error}")
    if wrong:
        more = [f"and {len(wrong) - MOST_TOLD} more"] if len(wrong) > MOST_TOLD else []
        raise InputError(
            f"{len(wrong)} of {len(body)} rows cannot be used, so none was taken",
            details=(*wrong[:MOST_TOLD], *more),
            hint="correct them and send all of them again",
        )
    return tuple(rows)


def _row(raw: Any, source: str, now: float) -> SentRow:
    if not isinstance(raw, Mapping):
        raise _RowError(f"not an object: {str(raw)[:40]!r}")
    unknown = next((name for name in raw if name not in KNOWN), None)
    if unknown is not None:
        raise _RowError(f"{str(unknown)[:40]}: there is no such field; there are {', '.join(sorted(KNOWN))}")
    if raw.get("source", source) != source:
        raise _RowError(f"source: the token is for {source!r}, not for {str(raw['source'])[:60]!r}")
    start, end = _interval(raw, now)
    return SentRow(_name(raw, "series"), _arm(raw), start, end, _sample(raw))


def _name(raw: Mapping[str, Any], field: str) -> str:
    value = raw.get(field)
    if not isinstance(value, str) or not NAME.fullmatch(value):
        told = (
            "missing"
            if value is None
            else f"{str(value)[:60]!r} is no name of 1 to 60 letters, digits and ._/-"
        )
        raise _RowError(f"{field}: {told}")
    return value


def _arm(raw: Mapping[str, Any]) -> str:
    value = raw.get("arm")
    if not isinstance(value, str) or not 0 < len(value) <= 100 or not value.isprintable():
        raise _RowError("arm: missing" if value is None else "arm: no text of 1 to 100 printable characters")
    return value


def _interval(raw: Mapping[str, Any], now: float) -> tuple[float, float]:
    if "time" in raw:
        if "start" in raw or "end" in raw:
            raise _RowError("time: give either time, or start and end")
        start = end = _moment(raw, "time")
    else:
        start, end = _moment(raw, "start"), _moment(raw, "end")
        if not start < end:
            raise _RowError("end: not later than start")
    if end > now + AHEAD_SECONDS:
        raise _RowError(f"{_last(raw)}: {_told(end - now)} from now; the sender's clock is wrong")
    if end < now - OLDEST_SECONDS:
        raise _RowError(f"{_last(raw)}: {_told(now - end)} ago; nothing older than 48 hours is taken")
    if end - start > LONGEST_SECONDS:
        raise _RowError("start: more than 7 days before end")
    return start, end


def _last(raw: Mapping[str, Any]) -> str:
    return "time" if "time" in raw else "end"


def _told(seconds: float) -> str:
    hours = seconds / 3600
    return (
        f"{seconds:.0f} s" if hours < 1 else f"{hours:.1f} hours" if hours < 100 else f"{hours / 24:.0f} days"
    )


def _moment(raw: Mapping[str, Any], field: str) -> float:
    """Unix seconds, or ISO 8601 with its offset: without one nobody knows when it was."""
    value = raw.get(field)
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise _RowError(f"{field}: {value[:40]!r} is no time; write 2027-03-01T09:00:00+01:00") from None
        if moment.tzinfo is None:
            raise _RowError(f"{field}: {value} has no offset; write such as 2027-03-01T09:00:00+01:00")
        return moment.timestamp()
    if value is None:
        raise _RowError(f"{field}: missing" + ("; give time, or start and end" if field == "start" else ""))
    return _number(value, field)


def _number(value: Any, field: str) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # The comparison is also what a whole number with hundreds of digits survives.
    if not is_number or not -LARGEST_FIGURE <= value <= LARGEST_FIGURE:
        raise _RowError(f"{field}: {str(value)[:40]!r} is no number")
    return float(value)


def _count(value: Any, field: str) -> int:
    number = _number(value, field)
    if not 0 <= number <= LARGEST or number != int(number):
        raise _RowError(f"{field}: {value!r} is no count")
    return int(number)


def _sample(raw: Mapping[str, Any]) -> Sample:
    given = {name for shape in SHAPES for name in shape if name in raw}
    shape = next((shape for shape in SHAPES if set(shape) == given), None)
    if shape is None:
        told = ", ".join(sorted(given)) or "no figures"
        shapes = "; ".join(" and ".join(shape) for shape in SHAPES)
        raise _RowError(f"it has {told}; give one of: {shapes}")
    return _MAKE[shape](raw)


def _counts(raw: Mapping[str, Any]) -> Counts:
    trials, bad = _count(raw["trials"], "trials"), _count(raw["bad"], "bad")
    if bad > trials:
        raise _RowError(f"bad: {bad} bad ones among {trials} trials")
    return Counts(trials, bad)


def _moments(raw: Mapping[str, Any]) -> Moments:
    units = _count(raw["units"], "units")
    total, squares = _number(raw["total"], "total"), _number(raw["squares"], "squares")
    # Cauchy and Schwarz: no figures have a smaller sum of squares.
    if squares * units < total * total * (1 - 1e-9) or (units == 0 and squares > 0):
        raise _RowError(
            f"squares: {units} figures that add up to {total:g} have squares of more than {squares:g}"
        )
    return Moments(units, total, squares)


def _histogram(raw: Mapping[str, Any]) -> Histogram:
    bounds, counts = raw["bounds"], raw["counts"]
    if not isinstance(bounds, Sequence) or not isinstance(counts, Sequence) or isinstance(bounds, str):
        raise _RowError("bounds: give two lists, bounds (seconds) and counts")
    if not 1 <= len(bounds) <= MOST_BOUNDS or len(counts) != len(bounds) + 1:
        raise _RowError(f"counts: for {len(bounds)} bounds there is one count more, the last for all above")
    edges = tuple(_number(bound, "bounds") for bound in bounds)
    if edges[0] <= 0 or any(later <= earlier for earlier, later in pairwise(edges)):
        raise _RowError("bounds: they do not rise from above 0")
    return Histogram(edges, tuple(_count(one, "counts") for one in counts))


_MAKE: dict[tuple[str, ...], Callable[[Mapping[str, Any]], Sample]] = {
    SHAPES[0]: _counts,
    SHAPES[1]: _moments,
    SHAPES[2]: lambda raw: Assigned(_count(raw["units"], "units")),
    SHAPES[3]: _histogram,
}
