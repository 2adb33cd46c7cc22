"""What a plan takes durations to be, and what a slower version is."""

from __future__ import annotations

from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.planning.durations import USUAL_BOUNDS, ratio_beyond, slower, usual_law

bounds = st.lists(st.floats(0.001, 1000.0), min_size=1, max_size=20, unique=True).map(
    lambda found: tuple(sorted(found))
)
ratios = st.floats(1.0, 200.0)


@given(bounds, ratios)
def test_a_law_is_a_law_and_a_slower_one_is_nowhere_faster(found: tuple[float, ...], ratio: float) -> None:
    """Shares of all requests; above every bound there are as many or more, at most `ratio` times as many."""
    old = usual_law(found)
    new = slower(old, ratio)
    for law in (old, new):
        assert sum(law) == pytest.approx(1.0)
        assert min(law) >= 0
        assert len(law) == len(found) + 1
    for above_old, above_new in zip(accumulate(reversed(old)), accumulate(reversed(new)), strict=True):
        assert above_old - 1e-9 <= above_new <= ratio * above_old + 1e-9


def test_the_slowest_hundredth_grows_and_the_rest_shrinks_in_proportion() -> None:
    """Written out: of the middle bucket's 3%, half a percent are slow and the rest are not."""
    new = slower((0.9, 0.07, 0.025, 0.005), 4.0)
    fast = 0.96 / 0.99
    assert new == pytest.approx((0.9 * fast, 0.07 * fast, 0.02 * fast + 4 * 0.005, 4 * 0.005))
    assert sum(new) == pytest.approx(1.0)
    assert slower((0.5, 0.5), 1000.0) == pytest.approx((0.0, 1.0))


def test_nothing_slower_is_the_same_law() -> None:
    """With a ratio of 1 there is no fault."""
    assert slower(usual_law(USUAL_BOUNDS), 1.0) == pytest.approx(usual_law(USUAL_BOUNDS))


def test_the_slowest_hundredth_begins_between_two_bounds() -> None:
    """More than a hundredth above the lower one of the two in the middle, less above the upper one."""
    for found in (USUAL_BOUNDS, (60.0, 300.0, 600.0), (1.0,)):
        slow = list(accumulate(reversed(usual_law(found))))[::-1][1:]
        middle = len(found) // 2
        assert slow[middle] < 0.01
        assert middle == 0 or slow[middle - 1] > 0.01
        assert all(a > b for a, b in pairwise(slow))


@given(bounds, st.floats(1.0, 20.0), st.data())
def test_a_fault_of_this_size_shows_so_much_at_the_bound(
    found: tuple[float, ...], ratio: float, data: st.DataObject
) -> None:
    """So many times as many exceed it as before; or all are slower than the slowest hundredth was."""
    law = usual_law(found)
    bound = data.draw(st.integers(0, len(found) - 1))
    before = sum(law[bound + 1 :])
    size = ratio_beyond(law, bound, ratio)
    after = sum(slower(law, size)[bound + 1 :])
    if size < 100:
        assert after == pytest.approx(ratio * before, rel=1e-6)
    else:
        assert size == pytest.approx(100)
        assert after <= ratio * before + 1e-9
