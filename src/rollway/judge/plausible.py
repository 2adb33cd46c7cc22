"""Can these numbers be right? What cannot be right is never evidence, and never an exception."""

from __future__ import annotations

import math
import sys
from dataclasses import fields, is_dataclass
from itertools import pairwise

from rollway.judge.model import Counts, Histogram, Reading

# Beyond this a float no longer counts by ones.
LARGEST_COUNT = 2**53
# Work on a histogram grows with the square of its bounds; nobody's durations need so many.
MOST_BOUNDS = 1000
LARGEST_FLOAT = sys.float_info.max
NUMBER = (int, float)


def is_placed(reading: Reading) -> bool:
    """Whether the reading's end can be put in order at all; one that cannot is ignored."""
    return is_finite(reading.end)


def is_sound(reading: Reading) -> bool:
    """Whether its times and its share can be right."""
    return (
        is_finite(reading.start)
        and reading.start <= reading.end
        and is_finite(reading.end - reading.start)
        and isinstance(reading.share, NUMBER)
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
        and isinstance(sample.bounds, tuple)
        and isinstance(sample.counts, tuple)
        and 0 < len(sample.bounds) <= MOST_BOUNDS
        and len(sample.counts) == len(sample.bounds) + 1
        and all(is_finite(bound) for bound in sample.bounds)
        and all(low < high for low, high in pairwise(sample.bounds))
        and all(is_count(count) for count in sample.counts)
    )


def is_finite(value: object) -> bool:
    """Whether it is a number; a whole one that no float can hold is none."""
    return isinstance(value, NUMBER) and -LARGEST_FLOAT <= value <= LARGEST_FLOAT


def is_count(value: object) -> bool:
    return isinstance(value, NUMBER) and 0 <= value <= LARGEST_COUNT


def is_plain(sample: object) -> bool:
    """Whether a sample (or None) holds nothing but finite numbers, so that it can be written down."""
    if sample is None:
        return True
    values = [getattr(sample, field.name) for field in fields(sample)] if is_dataclass(sample) else [math.nan]
    flat = [each for value in values for each in (value if isinstance(value, tuple) else (value,))]
    return all(is_finite(value) for value in flat)
