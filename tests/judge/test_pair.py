"""Two histograms as one table: only what is sure to be right, and never another pair's numbers."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from rollway.judge import Histogram
from rollway.judge.pair import pair, trials_of

BOUNDS = (0.1, 0.2)
GOOD = Histogram(BOUNDS, (1, 2, 3))
BEYOND = 10**400


def test_counts_become_a_table() -> None:
    """Candidate first; whole numbers and fractions alike."""
    fractions: tuple[Any, ...] = (4, 0.5, 0)
    found = pair(GOOD, Histogram((0.1, 0.2), fractions), BOUNDS)
    assert found is not None
    assert found.counts.tolist() == [[1.0, 2.0, 3.0], [4.0, 0.5, 0.0]]
    assert found.trials == (6.0, 4.5)


def test_no_sample_counts_nothing() -> None:
    """An arm that reported nothing has no request in any bucket."""
    found = pair(None, GOOD, BOUNDS)
    assert found is not None
    assert found.counts.tolist() == [[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]
    assert found.trials == (0.0, 6.0)


def test_the_pair_kept_is_given_for_the_same_samples_only() -> None:
    """Equal or not, another sample is looked at anew, and so is the same one between other bounds."""
    other = Histogram(BOUNDS, (1, 2, 4))
    first = pair(GOOD, other, BOUNDS)
    assert pair(GOOD, other, BOUNDS) is first
    assert pair(GOOD, other, (0.1, 0.3)) is None
    swapped = pair(other, GOOD, BOUNDS)
    assert swapped is not None
    assert swapped.trials == (7.0, 6.0)
    assert (trials_of(GOOD), trials_of(other), trials_of(Histogram(BOUNDS, (5, 5, 5)))) == (6.0, 7.0, 15.0)


@pytest.mark.parametrize(
    "counts",
    [
        (1, 2),
        (1, -1, 0),
        (1, math.nan, 0),
        (1, math.inf, 0),
        (1, 2**54, 0),
        (1, "2", 0),
        (1, None, 0),
        (1, Decimal(2), 0),
        (BEYOND, -BEYOND, 0),
    ],
)
def test_known_bounds_do_not_make_counts_plausible(counts: tuple[Any, ...]) -> None:
    """The quick look at a histogram refuses what the thorough one refuses, in either arm."""
    wrong = Histogram(BOUNDS, counts)
    assert pair(wrong, GOOD, BOUNDS) is None
    assert pair(GOOD, wrong, BOUNDS) is None
    assert pair(wrong, None, BOUNDS) is None


def test_what_is_no_histogram_is_not_paired() -> None:
    """Nor one of other bounds."""
    for wrong in (3, "x", Histogram((0.1, 0.3), (1, 2, 3)), Histogram((0.1,), (1, 2))):
        assert pair(GOOD, wrong, BOUNDS) is None
