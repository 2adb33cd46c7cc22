"""One row as a plain number says what a table of one row says."""

from __future__ import annotations

import numpy as np
import pytest

from rollway.judge import rows

VALUES = (-2.0, 0.0, 0.5, 3.0, float("nan"))


@pytest.mark.parametrize("one", VALUES)
@pytest.mark.parametrize("other", VALUES[:-1])
def test_helpers_agree(one: float, other: float) -> None:
    """Of plain numbers and of tables with one row the same comes out, also of NaN."""
    table, beside = np.array([one]), np.array([other])
    for helper in (rows.larger, rows.smaller):
        np.testing.assert_array_equal(helper(table, beside)[0], helper(one, other))
    np.testing.assert_array_equal(
        rows.either(table > beside, table, beside)[0], rows.either(one > other, one, other)
    )
    assert rows.is_number(table)[0] == rows.is_number(one)
    assert rows.all_of(table, 2.0)[0] == rows.all_of(one, 2.0) == 2.0
    assert rows.column(table).shape == (1, 1)
    assert not rows.is_plain(table)
    assert rows.is_plain(other)
    assert rows.root(np.array([4.0]))[0] == rows.root(4.0) == 2.0
    assert rows.number(np.array([4.0])) == rows.number(4.0) == 4.0
