"""Arithmetic on rows side by side, or on a single row given as plain numbers, which is several times quicker.

Sums over units are tables of shape (rows,). Where one KPI is judged there is one row, and what numbers can
say needs no table. Functions written with these do the same for both.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rollway.judge.logs import FloatArray

# A table of shape (rows,), or a float in its place; the latter is told apart by its type alone.
Row = FloatArray


def is_plain(row: Any) -> bool:
    """Whether it is one row as a plain number."""
    return type(row) is float


def column(row: Any) -> Row:
    """As it is set beside bets: shape (rows, 1)."""
    found: Any = row if type(row) is float else row[:, None]
    return found  # type: ignore[no-any-return]


def larger(one: Any, other: Any) -> Row:
    """The larger of both; NaN where `one` is."""
    found: Any = (other if other > one else one) if type(one) is float else np.maximum(one, other)
    return found  # type: ignore[no-any-return]


def smaller(one: Any, other: Any) -> Row:
    """The smaller of both; NaN where `one` is."""
    found: Any = (other if other < one else one) if type(one) is float else np.minimum(one, other)
    return found  # type: ignore[no-any-return]


def either(is_so: Any, yes: Any, no: Any) -> Row:
    """`yes` where it is so, else `no`; both can be reckoned."""
    found: Any = (yes if is_so else no) if type(is_so) is bool else np.where(is_so, yes, no)
    return found  # type: ignore[no-any-return]


def root(row: Any) -> Row:
    """The square root."""
    found: Any = math.sqrt(row) if type(row) is float else np.sqrt(row)
    return found  # type: ignore[no-any-return]


def is_number(row: Any) -> Any:
    """Whether it is neither NaN nor infinite."""
    return math.isfinite(row) if type(row) is float else np.isfinite(row)


def all_of(row: Any, value: float) -> Row:
    """The value in place of every row's."""
    found: Any = value if type(row) is float else np.full_like(row, value)
    return found  # type: ignore[no-any-return]
