"""Quick bounds on evidence are bounds, and what is told of all rows at once is their mean."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from rollway.judge import wager as wagers
from rollway.judge.logs import FloatArray, log_flat
from rollway.judge.onset import Onset
from rollway.judge.wager import Wager

PLANNED = 3600.0
wealth = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, max_side=9),
    elements=st.one_of(st.just(-math.inf), st.floats(-700, 700)),
)
onsets = st.sampled_from((Onset(), Onset("one", 0, 10.0), Onset("half", 4, 9000.0)))


def wager(harm: FloatArray, onset: Onset) -> Wager:
    return Wager(onset, harm, np.zeros((len(harm), 4)))


@given(wealth, onsets)
def test_no_evidence_is_above_its_quick_bound(harm: FloatArray, onset: Onset) -> None:
    """Whatever the wealth and however much of the stake is left, and the bound is not far off either."""
    found = wager(harm, onset)
    most = wagers.at_most(found)
    assert (wagers.harm_of(found, PLANNED) <= most + 1e-9).all()
    assert wagers.total_of(found, PLANNED) <= most + 1e-9
    assert most <= max(0.0, harm.max()) + math.log(harm.shape[1] + 1) + 1e-9


@given(wealth, onsets)
def test_the_evidence_of_all_rows_is_their_mean(harm: FloatArray, onset: Onset) -> None:
    """As it would be from the rows one by one."""
    found = wager(harm, onset)
    rows = wagers.harm_of(found, PLANNED)
    expected = float(np.logaddexp.reduce(rows)) - math.log(len(rows))
    assert wagers.total_of(found, PLANNED) == pytest.approx(expected, rel=1e-12, abs=1e-9)


@given(wealth)
def test_few_numbers_and_many_are_added_up_alike(harm: FloatArray) -> None:
    """One by one or as an array, and nothing overflows."""
    assert log_flat(harm) == pytest.approx(float(np.logaddexp.reduce(harm, axis=None)), rel=1e-12, abs=1e-9)
