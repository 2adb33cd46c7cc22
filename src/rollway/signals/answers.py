"""What a Prometheus server's answers say of series: as of a moment, and whether one fell before it; pure."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from rollway.errors import TemporaryError
from rollway.signals.look import series_text
from rollway.signals.pages import NativeSample, Page, Sample
from rollway.signals.spelling import spelled_once

Times = list[tuple[float, float]]
Told = tuple[tuple[str, dict[str, str]], Times]
Found = list[Told]


def _read(one: Mapping[str, Any]) -> Told | None:
    """One series: its name and labels, and its samples (unix seconds, value), oldest first."""
    labels = dict(spelled_once(one["metric"]))
    times = [(float(at), float(value)) for at, value in one.get("values", ())]
    return ((labels.pop("__name__", ""), labels), times) if times else None


def read_series(answer: Iterable[Mapping[str, Any]]) -> Found:
    """All series that have samples; a bucket that was spelled otherwise before an upgrade is one of them."""
    found: dict[tuple[str, ...], Told] = {}
    for (name, labels), times in (told for one in answer if (told := _read(one)) is not None):
        key = (name, *(text for pair in sorted(labels.items()) for text in pair))
        known = found.get(key)
        found[key] = ((name, labels), times if known is None else sorted([*known[1], *times]))
    return list(found.values())


def newest_of(series: Found) -> float:
    return max(times[-1][0] for _, times in series)


def samples_at(series: Found, at: float) -> tuple[Sample, ...]:
    """Each as of `at`."""
    return tuple(
        Sample(name, name, labels, value)
        for (name, labels), times in series
        if (value := _as_of(at, times)) is not None
    )


def page_of(series: Found, at: float, since: float | None, now: float, **more: Any) -> Page:
    """All of them as of `at`; `since`: when the last look was."""
    fell = fallen(series, since, at) if since else ""
    return Page(samples_at(series, at), min(at, now), fallen=fell, **more)


def newest_page(series: Found, since: float | None, now: float) -> Page:
    """All of them as of the newest sample."""
    return page_of(series, newest_of(series), since, now) if series else Page(())


def fallen(series: Found, since: float, at: float) -> str:
    """A series that fell between the last look, `since`, and `at`, whatever it has risen to by then; empty
    where none did."""
    for (name, labels), times in series:
        first = max(0, bisect_right(times, (since, math.inf)) - 1)
        seen = [value for moment, value in times[first:] if moment <= at and not math.isnan(value)]
        if any(later < earlier for earlier, later in pairwise(seen)):
            return series_text(name, labels)
    return ""


def _as_of(at: float, times: Times) -> float | None:
    """The value of the last sample that is not newer; NaN marks a series that had ended by then."""
    values: Iterator[float] = (value for moment, value in reversed(times) if moment <= at)
    value = next(values, None)
    return None if value is None or math.isnan(value) else value


def read_natives(answer: Iterable[Mapping[str, Any]]) -> list[NativeSample]:
    return [found for one in answer if (found := _read_native(one)) is not None]


def _read_native(one: Mapping[str, Any]) -> NativeSample | None:
    """The newest sample of a series; None for one of plain numbers, as a summary has them.

    Of a bucket the API tells first whether its bounds are its own, then the bounds and how many.
    """
    try:
        samples = one.get("histograms") or ([one["histogram"]] if "histogram" in one else ())
        plain = one.get("values") or ()
        if not samples or (plain and float(plain[-1][0]) > float(samples[-1][0])):
            return None
        _, told = samples[-1]
        labels = dict(one["metric"])
        name = labels.pop("__name__", "")
        buckets = tuple(
            (float(low), float(high), float(count)) for _, low, high, count in told.get("buckets") or ()
        )
        return NativeSample(name, labels, float(told["count"]), buckets)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TemporaryError("a native histogram is not told as Prometheus tells it") from error
