"""Arithmetic on rows side by side, or on a single row given as plain numbers, which is several times quicker.

Sums over units are tables of shape (rows,). Where one KPI is judged there is one row, and what numbers can
say needs no table. Functions written with these do the same for both.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np

from rollway.judge.codec import form_of_rows

# A table of shape (rows,), or a float in its place; the latter is told apart by its type alone. Both are
# written alike: as a table of shape (rows,), or (rows, 1).
Row = Annotated[Any, form_of_rows()]
Cell = Annotated[Any, form_of_rows((1,))]


def is_plain(row: Any) -> bool:
    """Whether it is one row as a plain number."""
    return type(row) is float


def column(row: Any) -> Row:
    """As it is set beside bets: shape (rows, 1)."""
    return row if type(row) is float else row[:, None]


def larger(one: Any, other: Any) -> Row:
    """The larger of both; NaN where `one` is."""
    return (other if other > one else one) if type(one) is float else np.maximum(one, other)


def smaller(one: Any, other: Any) -> Row:
    """The smaller of both; NaN where `one` is."""
    return (other if other < one else one) if type(one) is float else np.minimum(one, other)


def either(is_so: Any, yes: Any, no: Any) -> Row:
    """`yes` where it is so, else `no`; both can be reckoned."""
    return (yes if is_so else no) if type(is_so) is bool else np.where(is_so, yes, no)


def root(row: Any) -> Row:
    """The square root."""
    return math.sqrt(row) if type(row) is float else np.sqrt(row)


def is_number(row: Any) -> Any:
    """Whether it is neither NaN nor infinite."""
    return math.isfinite(row) if type(row) is float else np.isfinite(row)


def all_of(row: Any, value: float) -> Row:
    """The value in place of every row's."""
    return value if type(row) is float else np.full_like(row, value)


def number(row: Any) -> float:
    """The one row as a plain number."""
    return row if type(row) is float else float(row.item())
