"""Where things lie on the small drawings of a page, in percent of their width. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]

LOWEST_E = 0.01
SPANS = (2.0, 4.0, 10.0, 50.0)


def on_log_scale(value: float, low: float, high: float) -> float:
    """The place of a value between two ends of a log scale, 0..100; beyond an end it is at the end."""
    place = 100 * (math.log(max(value, 1e-300)) - math.log(low)) / (math.log(high) - math.log(low))
    return round(min(100.0, max(0.0, place)), 2)


def evidence_scale(log_e: float, threshold: float) -> Json:
    """An e-value against the threshold at which it decides: a bar from 1 (no evidence) to the e-value.

    `zero`, `at`, `threshold` and the ticks are percent of the width; `fraction` is how much of the way
    from 1 to the threshold is gone, in powers (0..1).
    """
    high = 3 * threshold

    def place(value: float) -> float:
        return on_log_scale(value, LOWEST_E, high)

    # exp() of more than 700 overflows; the scale ends long before.
    at = place(math.exp(min(log_e, 700.0)))
    powers = [10.0**power for power in range(-1, math.ceil(math.log10(threshold)))]
    # One that would stand under the threshold is left out.
    apart = [power for power in powers if place(power) < place(threshold)]
    return {
        "zero": place(1.0),
        "at": at,
        "start": min(at, place(1.0)),
        "length": round(abs(at - place(1.0)), 2),
        "threshold": place(threshold),
        "ticks": [{"at": place(power), "label": f"{power:g}"} for power in apart],
        "reached": log_e >= math.log(threshold),
        "fraction": min(1.0, max(0.0, log_e / math.log(threshold))),
    }


def ratio_scale(ratio: float | None, low: float | None, high: float | None, marks: Sequence[float]) -> Json:
    """The ratio of the two rates with its band, on a log scale that is even around 1.

    `marks` are ratios that must be on the scale too (tolerance, margin). Everything is percent of the
    width; an open end of the band reaches the end of the scale.
    """
    inside = [one for one in (ratio, *marks) if one]
    reach = max((max(one, 1 / one) for one in inside), default=1.0) * 1.15
    span = next((span for span in SPANS if span >= reach), SPANS[-1])

    def place(value: float) -> float:
        return on_log_scale(value, 1 / span, span)

    start, end = (0.0 if low is None else place(low)), (100.0 if high is None else place(high))
    return {
        "span": span,
        "one": place(1.0),
        "at": None if ratio is None else place(ratio),
        "start": start,
        "length": round(max(0.8, end - start), 2),
        "is_known": low is not None or high is not None,
        "is_open": low is None or high is None,
        "marks": [place(mark) for mark in marks],
    }
