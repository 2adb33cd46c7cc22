"""Unlike histograms made alike: nothing is lost but detail, and nothing is guessed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.errors import InputError
from rollway.judge import Histogram
from rollway.judge.buckets import (
    coarsen,
    from_intervals,
    from_native,
    merge,
    native_bounds,
    place,
    shared,
)

FINE = (0.1, 0.2, 0.3, 0.5, 1.0)
ONE = Histogram(FINE, (1, 2, 3, 4, 5, 6))


def subsets() -> st.SearchStrategy[tuple[float, ...]]:
    """Some of the fine bounds, 0.2 always among them."""
    return st.sets(st.sampled_from(FINE)).map(lambda some: tuple(sorted({*some, 0.2})))


@st.composite
def histograms(draw: st.DrawFn) -> Histogram:
    bounds = draw(subsets())
    return Histogram(bounds, tuple(draw(st.integers(0, 10**9)) for _ in range(len(bounds) + 1)))


def test_fewer_bounds_add_buckets_up() -> None:
    """What lies between two kept bounds is counted together."""
    assert coarsen(ONE, (0.2, 1.0)) == Histogram((0.2, 1.0), (3, 12, 6))
    assert coarsen(ONE, FINE) is ONE


def test_a_bound_that_is_not_there_is_not_guessed() -> None:
    """Durations are never split: the missing bound is named."""
    with pytest.raises(InputError, match=r"0\.25 s"):
        coarsen(ONE, (0.2, 0.25))


def test_bounds_are_the_same_but_for_rounding() -> None:
    """0.1 + 0.2 is the bound 0.3."""
    assert coarsen(ONE, (0.1 + 0.2,)).counts == (6, 15)
    assert place(FINE, 0.1 + 0.2) == 2
    assert place((-0.5, 0.0, 1.0), -0.5) == 0
    assert place((-0.5, 0.0, 1.0), 0.0) == 1
    assert place(FINE, 0.4) is None


@given(histograms(), histograms(), histograms())
def test_the_order_of_merging_does_not_matter(one: Histogram, two: Histogram, three: Histogram) -> None:
    """Merging is commutative and associative, and keeps every request."""
    assert merge(one, two).counts == merge(two, one).counts
    assert merge(merge(one, two), three) == merge(one, merge(two, three))
    assert sum(merge(one, two).counts) == sum(one.counts) + sum(two.counts)


@given(histograms(), subsets())
def test_coarsening_in_steps_is_coarsening_at_once(histogram: Histogram, bounds: tuple[float, ...]) -> None:
    """It does not matter through which bounds one comes to fewer."""
    few = shared(histogram.bounds, bounds)
    assert coarsen(coarsen(histogram, few), (0.2,)) == coarsen(histogram, (0.2,))


def test_histograms_without_a_shared_bound_are_not_merged() -> None:
    """There is nothing that could be said of both."""
    with pytest.raises(InputError, match="share no bucket bound"):
        merge(Histogram((0.1,), (1, 1)), Histogram((0.2,), (1, 1)))


def test_bounds_of_a_coarse_schema_are_among_those_of_a_fine_one() -> None:
    """To the last bit, or merging would lose them; each doubling has 2^schema buckets."""
    for schema in range(-4, 5):
        assert set(native_bounds(schema)) <= set(native_bounds(schema + 1))
    assert native_bounds(2, (0, 1)) == pytest.approx((1, 2**0.25, 2**0.5, 2**0.75, 2))
    assert native_bounds(-2) == (2.0**-8, 2.0**-4, 1.0, 16.0)


def test_a_native_histogram_is_read_through_its_spans_and_deltas() -> None:
    """Schema 1: buckets -1, 0 and 3 are up to 0.71, 1 and 2.83 s, with 2, 5 and 1 requests."""
    read = from_native(1, 2**-128, 4, [(-1, 2), (2, 1)], [2, 3, -4])
    told = {bound: count for bound, count in zip(read.bounds, read.counts, strict=False) if count}
    assert told == pytest.approx({2**-10: 4, 2**-0.5: 2, 1.0: 5, 2**1.5: 1})
    assert read.counts[-1] == 0
    floats = from_native(1, 2**-128, 4, [(-1, 2), (2, 1)], positive_counts=[2, 5, 1])
    assert floats == read


@given(st.integers(-4, 8), st.floats(0.002, 60))
def test_a_finer_schema_falls_into_the_buckets_of_a_coarser_one(schema: int, seconds: float) -> None:
    """A duration's native bucket of any schema is counted in a bucket that holds the duration."""
    index = math.ceil(math.log2(seconds) * 2.0**schema)
    read = from_native(schema, 0.0, 0, [(index, 1)], [1])
    at = read.counts.index(1)
    low = read.bounds[at - 1] if at else 0.0
    high = read.bounds[at] if at < len(read.bounds) else math.inf
    assert low * (1 - 1e-9) <= seconds <= high * (1 + 1e-9)
    assert read.bounds == native_bounds(min(schema, 2))


def test_what_is_faster_or_slower_than_any_bound_is_kept() -> None:
    """Durations outside of all bounds are counted at the ends, and a wide zero bucket costs bounds."""
    read = from_native(0, 0.0, 0, [(-1000, 1), (2000, 1)], [1, 0])
    assert (read.counts[0], read.counts[-1]) == (1, 1)
    assert from_native(0, 0.3, 7, [], []).bounds[0] == 0.5


def test_instances_of_different_schemas_are_merged() -> None:
    """What a fine and a coarse one share are the coarse one's bounds."""
    both = merge(from_native(3, 0.0, 0, [(1, 8)], [1] + 7 * [0]), from_native(0, 0.0, 0, [(1, 1)], [5]))
    assert both.bounds == native_bounds(0)
    assert both.counts[both.bounds.index(2.0)] == 13


def test_other_native_histograms_are_refused() -> None:
    """Custom buckets are not exponential, and counts must fit their spans."""
    with pytest.raises(InputError, match="-53"):
        from_native(-53, 0.0, 0, [(0, 1)], [1])
    with pytest.raises(InputError, match="2 buckets and 1 counts"):
        from_native(1, 0.0, 0, [(0, 2)], [1])


def test_the_buckets_of_the_http_api_are_read() -> None:
    """They come as intervals; a bound inside a filled one is left out, for its requests cannot be split."""
    read = from_intervals([(-1e-9, 1e-9, 2.0), (1.0, 2**0.25, 3.0), (2.0, 4.0, 1.5), (8.0, 16.0, 0.0)])
    assert read.counts[0] == 2.0
    assert read.counts[read.bounds.index(2**0.25)] == 3.0
    assert read.counts[read.bounds.index(4.0)] == 1.5
    assert [bound for bound in read.bounds if 2 <= bound <= 4] == [2.0, 4.0]
    assert 2**3.5 in read.bounds
