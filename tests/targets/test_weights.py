"""Shares become whole-number weights as close as they can be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.targets.weights import share_of, steps_of, weights_for

SHARES = st.floats(0, 1)
COUNTS = st.integers(1, 12)


@given(share=SHARES, new=COUNTS, old=COUNTS)
def test_no_other_pair_of_weights_comes_closer(share: float, new: int, old: int) -> None:
    """Every pair of weights from 1 to 64 is as far from the share as the one that was chosen, or farther."""
    chosen = abs(share_of(*weights_for(share, new, old, most=64), new, old) - share)
    others = (abs(share_of(a, b, new, old) - share) for a in range(1, 65) for b in range(1, 65))
    assert chosen <= min(others) + 1e-12


@given(share=st.floats(1e-9, 1 - 1e-9), new=COUNTS, old=COUNTS)
def test_a_share_between_nobody_and_everyone_leaves_neither_side_without_traffic(
    share: float, new: int, old: int
) -> None:
    """A tenth of a percent never becomes nobody."""
    assert min(weights_for(share, new, old)) >= 1


@given(low=SHARES, high=SHARES, new=COUNTS, old=COUNTS)
def test_a_larger_share_never_serves_fewer(low: float, high: float, new: int, old: int) -> None:
    """What is served rises with what is asked for."""
    low, high = min(low, high), max(low, high)
    assert share_of(*weights_for(low, new, old), new, old) <= share_of(*weights_for(high, new, old), new, old)


def test_nobody_and_everyone_are_exact() -> None:
    """Share 0 gives the new servers no weight, share 1 the old ones none."""
    assert (weights_for(0, 2, 3), weights_for(1, 2, 3)) == ((0, 256), (256, 0))


def test_a_share_outside_its_range_is_refused() -> None:
    """There are no weights for 1.2, nor for a side without servers."""
    with pytest.raises(ValueError, match="no weights"):
        weights_for(1.2, 1, 1)
    with pytest.raises(ValueError, match="no weights"):
        weights_for(0.5, 0, 1)


@given(share=st.floats(0, 1), steps=st.integers(2, 1_000_000))
def test_steps_never_turn_some_into_nobody_or_everyone(share: float, steps: int) -> None:
    """Within half a step of what was asked for, or the first step where that would be nobody or all."""
    found = steps_of(share, steps)
    assert (found in (0, steps)) == (share in (0, 1))
    assert abs(found / steps - share) <= 0.5 / steps + 1e-12 or found in (1, steps - 1)
