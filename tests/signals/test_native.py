"""What is known of durations from native buckets is exact; what is not known is left out."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.judge import Histogram
from rollway.judge.buckets import native_bounds
from rollway.signals.counted_options import read_options
from rollway.signals.counters import (
    MOST_SERIES,
    ImplausibleError,
    Mark,
    RestartedError,
    Series,
    histograms_by_arm,
)
from rollway.signals.forms import (
    Memory,
    Native,
    Told,
    as_buckets,
    in_one_form,
    memory_after,
    refuse_many,
    refuse_switched,
)
from rollway.signals.look import Look
from rollway.signals.native import CUSTOM, Steps, bounds_of, steps_of
from rollway.signals.pages import NativeSample, Page, Sample

HALF_OCTAVES = native_bounds(1, (-12, 8))
LENGTHS = st.lists(st.one_of(st.just(0.0), st.floats(1e-5, 900), st.sampled_from(HALF_OCTAVES)), max_size=30)
SCHEMAS = st.integers(-4, 8)


def index_of(seconds: float, schema: int) -> int:
    """The bucket that a duration falls into; what is a bound itself falls below it."""
    return math.ceil(math.log2(seconds) * 2.0**schema - 1e-9)


def told(lengths: list[float], schema: int, zero: float = 2.0**-128) -> Steps:
    """As the API tells of these durations."""
    found = Counter(index_of(seconds, schema) for seconds in lengths if seconds > zero)
    buckets = [
        (2.0 ** ((i - 1) / 2.0**schema), 2.0 ** (i / 2.0**schema), float(n)) for i, n in sorted(found.items())
    ]
    short = sum(seconds <= zero for seconds in lengths)
    return steps_of(len(lengths), [(-zero, zero, float(short)), *buckets], of="d")


def custom(lengths: list[float], bounds: tuple[float, ...]) -> Steps:
    """As the API tells of a classic histogram that was made a native one."""
    edges = (-math.inf, *bounds, math.inf)
    rows = [(low, high, float(sum(low < one <= high for one in lengths))) for low, high in pairwise(edges)]
    return steps_of(len(lengths), [row for row in rows if row[2]], of="d")


def native(steps: Steps, unit: str = "d{}", arm: str = "candidate") -> Native:
    return Native(unit, (f'{unit}_bucket{{le="', "}"), arm, steps)  # type: ignore[arg-type]


def since(now: Told, before: Told) -> dict[str, Histogram]:
    memory = memory_after(before, Memory())
    return {arm: one for arm, one in histograms_by_arm(*as_buckets(now, memory)).items() if one is not None}


@given(LENGTHS, SCHEMAS)
def test_what_is_told_at_a_bound_is_exact(lengths: list[float], schema: int) -> None:
    """Whatever the schema; and from two buckets for each doubling on, every half octave is known."""
    steps = told(lengths, schema)
    for bound in HALF_OCTAVES:
        known = steps.up_to(bound)
        assert known in (None, sum(seconds <= bound * (1 + 1e-9) for seconds in lengths))
        assert known is not None or schema < 1
    assert steps.total == len(lengths)
    assert Steps.from_json(steps.to_json()).to_json() == steps.to_json()


@given(LENGTHS, st.floats(1e-4, 0.9))
def test_a_wide_zero_bucket_hides_only_what_lies_inside_it(lengths: list[float], zero: float) -> None:
    """Above it every half octave is known, and exact."""
    steps = told(lengths, 3, zero)
    for bound in HALF_OCTAVES:
        known = steps.up_to(bound)
        assert known in (None, sum(seconds <= bound * (1 + 1e-9) for seconds in lengths))
        assert known is not None or bound < 2 * zero


@given(LENGTHS, LENGTHS, SCHEMAS, SCHEMAS)
def test_what_came_between_two_looks_is_exact_though_the_schema_changes(
    first: list[float], more: list[float], before: int, now: int
) -> None:
    """Each request once; at each bound that is left, as many as were at most so long."""
    old, new = Told(natives=(native(told(first, before)),)), Told(natives=(native(told(first + more, now)),))
    try:
        (found,) = since(new, old).values()
    except ImplausibleError:
        assert min(before, now) < -3  # a factor of 65,536: no bound, or one
        return
    assert sum(found.counts) == len(more)
    for at, bound in enumerate(found.bounds):
        assert sum(found.counts[: at + 1]) == sum(seconds <= bound * (1 + 1e-9) for seconds in more)


@given(LENGTHS, st.integers(1, 8))
def test_bounds_stay_whatever_is_in_the_buckets(lengths: list[float], schema: int) -> None:
    """The judge loses what a bound told before that is gone, so none comes or goes with the traffic."""
    assert bounds_of([told([*lengths, 0.3], schema)], ()) == HALF_OCTAVES
    coarse = bounds_of([told([*lengths, 0.3], 0), told(lengths, schema)], ())
    assert coarse == native_bounds(0, (-12, 8))
    assert all(told(lengths, 0).up_to(bound) is not None for bound in coarse)


def test_custom_buckets_are_read_at_their_own_bounds() -> None:
    """Those of a classic histogram that Prometheus made a native one; a new one's past is known, too."""
    bounds = (0.005, 0.1, 0.3, 2.5, 10.0)
    before, now = custom([0.05, 0.2], bounds), custom([0.05, 0.2, 0.001, 0.2, 7.0, 99.0], bounds)
    assert now.schema == CUSTOM
    found = since(Told(natives=(native(now),)), Told(natives=(native(before),)))["candidate"]
    assert found == Histogram((0.005, 0.1, 0.3, 2.5, 10.0), (1, 0, 1, 0, 1, 1))


def test_custom_and_exponential_buckets_meet_at_powers_of_two() -> None:
    """Nothing else is a bound of both."""
    old = native(custom([0.2, 0.3, 0.9, 1.4], (0.1, 0.25, 0.5, 1.0, 2.5)), "d{old}", "baseline")
    new = native(told([0.2, 0.3, 0.9, 1.4], 3), "d{new}")
    found = since(Told(natives=(old, new)), Told())
    assert found["candidate"] == found["baseline"] == Histogram((0.25, 0.5, 1.0), (1, 1, 1, 1))


def test_other_buckets_than_before_are_not_subtracted() -> None:
    """A histogram whose layout has changed altogether costs an interval, and no more."""
    before = memory_after(Told(natives=(native(told([0.2, 0.3], 3)),)), Memory())
    now = Told(natives=(native(custom([0.2, 0.3, 0.4], (0.21, 0.33))),))
    with pytest.raises(RestartedError, match="none of the buckets that it had"):
        as_buckets(now, before)


@pytest.mark.parametrize(
    ("now", "problem"),
    [
        (told([0.2] * 60, 3), "lost durations of some lengths"),
        (custom([1.5] * 60, (1.45, 1.6)), "none of the buckets that it had"),
    ],
)
def test_one_that_was_gone_and_began_again_costs_an_interval_and_no_more(now: Steps, problem: str) -> None:
    """It was away for a look and has more than before: taken for one that went on, it would be implausible
    for as long as its first life had been."""
    first = memory_after(Told(natives=(native(told([1.5] * 50, 3)),)), Memory())
    memory = memory_after(Told(), first)
    assert memory.absent
    with pytest.raises(RestartedError, match=problem):
        as_buckets(Told(natives=(native(now),)), memory)


@pytest.mark.parametrize("number", [-1.0, math.nan, math.inf])
def test_what_no_counter_can_be_is_refused(number: float) -> None:
    """A bucket with such a count is not read as if it were one."""
    with pytest.raises(ImplausibleError, match="which no counter can be"):
        steps_of(3, [(0.5, 1.0, 3.0), (1.0, 2.0, number)], of="d")


def test_a_cursor_is_bounded() -> None:
    """Too many histograms are refused; those that are gone are forgotten before those that are there."""
    steps = told([0.001 * 1.5**i for i in range(30)], 3)
    many = tuple(native(steps, f"d{{{i}}}") for i in range(MOST_SERIES // len(steps.edges)))
    with pytest.raises(ImplausibleError, match="narrow the selector"):
        refuse_many(Told(natives=many))
    assert memory_after(Told(), memory_after(Told(natives=many), Memory())).absent == {}


def test_what_has_just_gone_is_forgotten_last() -> None:
    """A service whose instances come and go leaves many behind; one that misses a single scrape afterwards is
    no burst of all that it ever counted."""
    steps = told([0.001 * 1.5**i for i in range(30)], 3)
    figures = len(steps.edges) + 1
    old = {f"old{number}": steps for number in range(MOST_SERIES // figures - 1)}
    there, missed = native(steps, "there"), native(steps, "missed")
    memory = Memory(natives={"there": steps, "missed": steps}, absent=old)
    kept = memory_after(Told(natives=(there,)), memory)
    assert kept.absent == {"missed": steps}
    back = memory_after(Told(natives=(there, missed)), kept)
    assert (set(back.natives), back.absent) == ({"there", "missed"}, {})


def bucket(unit: str, value: int) -> Series:
    return Series(f'{unit}_bucket{{le="+Inf"}}', unit, "candidate", "bucket", value)


def test_only_the_form_that_is_read_has_to_fit_into_a_cursor() -> None:
    """Each form by itself fits; a server that begins to scrape the other one beside it changes nothing."""
    given = {"url": "http://127.0.0.1", "arm_label": "v", "candidate": "2", "baseline": "1", "histogram": "d"}
    units = [{"v": "2", "instance": str(number)} for number in range(230)]
    octaves = tuple((2.0**power, 2.0 ** (power + 0.5), 1.0) for power in range(-8, 1))
    natives = tuple(NativeSample("d", labels, 9.0, octaves) for labels in units)
    bounds = (*map(str, range(11)), "+Inf")
    classic = tuple(
        Sample("d_bucket", "d_bucket", {**labels, "le": bound}, 9.0) for labels in units for bound in bounds
    )
    look = Look.of(Page(classic, natives=natives), read_options("test", "kpi", "latency", given))
    assert len(look.in_one_form(Memory()).told.natives) == len(units)
    assert len(look.in_one_form(Memory(Mark({"d": 1}))).told.series) == len(classic)


def test_the_form_that_all_have_is_read_and_kept() -> None:
    """Native where all are; classic where only that one is told of all; else each in what it has."""
    one, two = native(told([0.2], 3), "one"), native(told([0.2], 3), "two")
    classic_one, classic_two = bucket("one", 1), bucket("two", 1)
    both = Told((classic_one, classic_two), (one, two))
    assert in_one_form(both, Memory()) == Told((), (one, two))
    held = Memory(Mark({classic_one.key: 1}))
    assert in_one_form(both, held) == Told((classic_one, classic_two))
    assert in_one_form(Told((classic_one,), (one, two)), held) == Told((), (one, two))
    assert in_one_form(Told((classic_one, classic_two), (one,)), Memory()) == Told((classic_one, classic_two))
    assert in_one_form(Told((classic_one,), (two,)), Memory()) == Told((classic_one,), (two,))


def test_a_histogram_is_remembered_in_one_form_only() -> None:
    """Gone from one form to the other and back, its old past is not there to be subtracted from."""
    classic = Told((bucket("d", 100),))
    turned = Told(natives=(Native("d", ('d_bucket{le="', '"}'), "candidate", told([0.2], 3)),))
    memory = memory_after(classic, Memory())
    with pytest.raises(RestartedError, match="is a native histogram now"):
        refuse_switched(turned, memory)
    memory = memory_after(turned, memory)
    assert (memory.mark.counters, memory.mark.absent) == ({}, {})
    with pytest.raises(RestartedError, match="is a classic histogram now"):
        refuse_switched(classic, memory)
    memory = memory_after(classic, memory)
    assert (memory.natives, memory.absent) == ({}, {})
