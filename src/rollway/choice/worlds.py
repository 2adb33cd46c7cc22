"""Many worlds at once: one release, and what its facts might be instead, as columns of numbers.

A column is one number for all worlds, or one number per world; NaN stands for unknown. Shapes: a mask is a
single bool or an array of `count` bools, so that what does not vary costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rollway.facts.model import Release
from rollway.readiness import Answer, fact_at

Mask: TypeAlias = Any  # a numpy bool, or an array of `count` of them
Masks: TypeAlias = tuple[Mask, Mask]
Column: TypeAlias = Any  # a float, or an array of `count` floats

_TRUE, _FALSE = np.bool_(True), np.bool_(False)


class Worlds:
    """`count` worlds around one release.

    `columns` holds, per path of a fact or name of a closer look, what differs from the release: an array
    of `count` codes (see `code`), NaN where it is unknown there. What the release assumes, and no column
    replaces, is an assumption in every world.
    """

    def __init__(self, release: Release, count: int, columns: Mapping[str, NDArray[np.float64]]) -> None:
        self.release, self.count, self.columns = release, count, columns
        self._known: dict[str, Column] = {}
        self._looked: dict[str, Answer] = {}

    def column(self, path: str) -> Column:
        """The codes of a fact: from the columns, else the release's own value for all worlds."""
        if path in self.columns:
            return self.columns[path]
        if path not in self._known:
            self._known[path] = np.float64(code(fact_at(self.release, path).value))
        return self._known[path]

    def unknown(self, path: str) -> Mask:
        """Where nothing is known of the fact."""
        return np.isnan(self.column(path))

    def among(self, path: str, values: Sequence[object], *, strict: bool) -> Masks:
        """Where the fact has one of the values, and where it has another."""
        column = self.column(path)
        good = _FALSE
        for value in values:
            good = good | (column == code(value))
        return self._doubt(path, good, strict), ~good & ~np.isnan(column)

    def at_least(self, path: str, limit: object, *, below: bool, strict: bool) -> Masks:
        """Where the number is at least `limit` (or below it), and where it is known not to be."""
        column, threshold = self.column(path), code(limit)
        over, under = column >= threshold, column < threshold
        good, bad = (under, over) if below else (over, under)
        return self._doubt(path, good, strict), bad

    def seen(self, name: str, look: Callable[[Release], Answer]) -> Masks:
        """The answer of a closer look: the release's own, or the column of its name."""
        if name in self.columns:
            return self.columns[name] == 1.0, self.columns[name] == 0.0
        if name not in self._looked:
            self._looked[name] = look(self.release)
        holds = self._looked[name].holds
        return np.bool_(holds is True), np.bool_(holds is False)

    def constant(self, value: bool) -> Masks:
        return (_TRUE, _FALSE) if value else (_FALSE, _TRUE)

    def mask(self, value: Any) -> Mask:
        return np.bool_(value) if np.ndim(value) == 0 else value

    def spread(self, mask: Mask) -> NDArray[np.bool_]:
        """A mask as an array of `count` bools."""
        return np.broadcast_to(mask, (self.count,))

    def _doubt(self, path: str, good: Mask, strict: bool) -> Mask:
        """Asked strictly, an assumption is no evidence."""
        if strict and path not in self.columns and fact_at(self.release, path).state == "assumed":
            return good & _FALSE
        return good


def code(value: Any) -> float:
    """A fact's value as a number: numbers as they are, durations in seconds, words by their letters.

    NaN for None. Two words of one fact have two codes, because the words of a fact are short and few.
    """
    if value is None:
        return float("nan")
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, date):
        return float(value.toordinal())
    if isinstance(value, str):
        return float(int.from_bytes(value.encode()[:6], "big"))
    return float(value)
