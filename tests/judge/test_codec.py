"""What is written down is read back to the last bit."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from rollway.judge.codec import decode, encode
from rollway.judge.logs import FloatArray


@dataclass(frozen=True, slots=True)
class Inner:
    at: float | None = None
    seen: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Outer:
    table: FloatArray
    inner: Inner
    log: float
    name: str = "new"


tables = arrays(
    np.float64, array_shapes(min_dims=1, max_dims=3, min_side=0), elements=st.floats(allow_nan=False)
)
numbers = st.floats(allow_nan=False, max_value=1e308, min_value=-1e308)


@given(tables, st.none() | numbers, st.lists(numbers), st.just(-np.inf) | numbers)
def test_every_float_survives_the_way_through_json(
    table: FloatArray, at: float | None, seen: list[float], log: float
) -> None:
    """Tables of any shape, with log of zero, in JSON that knows neither NaN nor infinity."""
    before = Outer(table, Inner(at, tuple(seen)), log)
    after = decode(Outer, json.loads(json.dumps(encode(before), allow_nan=False)))
    assert after.table.shape == table.shape
    assert after.table.tobytes() == table.tobytes()
    assert (after.inner, after.log, after.name) == (before.inner, before.log, before.name)


def test_a_table_that_was_read_can_be_reckoned_with() -> None:
    """It is an array of its own, in the machine's order of bytes."""
    table = decode(Outer, encode(Outer(np.ones((2, 3)), Inner(), 0.0))).table
    table += 1
    assert table.dtype == np.float64
    assert table.sum() == 12


@pytest.mark.parametrize(
    "table", ["2x3 AAAA", "3 !!!!", "AAAAAAAAAAA=", "x AAAAAAAAAAA=", [1.0, 2.0], None, "2 AAAAAAAAAAA="]
)
def test_a_table_that_is_cut_or_spoiled_is_no_table(table: object) -> None:
    """It is an error that the reader of a state turns into one with a way out."""
    raw = {**encode(Outer(np.ones(1), Inner(), 0.0)), "table": table}
    with pytest.raises((ValueError, TypeError, AttributeError)):
        decode(Outer, raw)
