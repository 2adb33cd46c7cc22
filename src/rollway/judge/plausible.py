"""Can these numbers be right? What cannot be right is never evidence, and never an exception."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from itertools import pairwise

from rollway.judge.model import Counts, Histogram, Reading

# Beyond this a float no longer counts by ones.
LARGEST_COUNT = 2**53


def is_placed(reading: Reading) -> bool:
    """Whether the reading's end can be put in order at all; one that cannot is ignored."""
    return is_finite(reading.end)


def is_sound(reading: Reading) -> bool:
    """Whether its times and its share can be right."""
    return (
        is_finite(reading.start)
        and reading.start <= reading.end
        and is_finite(reading.share)
        and 0 <= reading.share <= 1
    )


def are_counts(sample: object) -> bool:
    """Counts with 0 <= bad <= trials."""
    return (
        isinstance(sample, Counts)
        and is_count(sample.trials)
        and is_count(sample.bad)
        and sample.bad <= sample.trials
    )


def is_histogram(sample: object) -> bool:
    """A histogram with rising finite bounds, one count more than bounds, and no negative count."""
    return (
        isinstance(sample, Histogram)
        and len(sample.bounds) > 0
        and len(sample.counts) == len(sample.bounds) + 1
        and all(is_finite(bound) for bound in sample.bounds)
        and all(low < high for low, high in pairwise(sample.bounds))
        and all(is_count(count) for count in sample.counts)
    )


def is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def is_count(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value <= LARGEST_COUNT


def is_plain(sample: object) -> bool:
    """Whether a sample (or None) holds nothing but finite numbers, so that it can be written down."""
    if sample is None:
        return True
    values = [getattr(sample, field.name) for field in fields(sample)] if is_dataclass(sample) else [math.nan]
    flat = [each for value in values for each in (value if isinstance(value, tuple) else (value,))]
    return all(is_finite(value) for value in flat)
