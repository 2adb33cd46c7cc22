"""Arithmetic in natural logs, so that no amount of evidence overflows. Log of zero is -inf."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# So few numbers are added up more quickly one by one.
FEW = 16


def floats(*values: float) -> FloatArray:
    """The values as a one-dimensional array."""
    return np.array(values, dtype=np.float64)


def log_sum(logs: FloatArray) -> FloatArray:
    """log of the sum of exp(logs) along the last axis: shape (..., n) gives (...)."""
    total: FloatArray = np.logaddexp.reduce(logs, axis=-1)
    return total


def log_flat(logs: FloatArray) -> float:
    """log of the sum of exp(logs) over all entries of a table; -inf where all are."""
    if logs.size <= FEW:
        return log_total(logs.ravel().tolist())
    largest = float(logs.max())
    return largest if math.isinf(largest) else largest + math.log(float(np.exp(logs - largest).sum()))


def log_total(logs: Iterable[float]) -> float:
    """log of the sum of exp(logs); -inf of nothing. For a few plain numbers quicker than an array."""
    values = list(logs)
    largest = max(values) if values else -math.inf
    if math.isinf(largest):
        return largest
    return largest + math.log(sum([math.exp(value - largest) for value in values]))


def log_mean(logs: FloatArray) -> float:
    """log of the mean of exp(logs), shape (n,)."""
    return float(log_sum(logs)) - math.log(len(logs))


def log_or_never(value: float) -> float:
    """log(value), and -inf for what is not above zero."""
    return math.log(value) if value > 0 else -math.inf
