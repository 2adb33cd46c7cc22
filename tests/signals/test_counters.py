"""From cumulative counters to increases: the laws."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.judge import Counts, Histogram
from rollway.signals.counters import (
    MOST_SERIES,
    ImplausibleError,
    Mark,
    RestartedError,
    Series,
    TornError,
    compare_process,
    counts_by_arm,
    histograms_by_arm,
    increases,
    refuse_doubtful,
    remembered,
    whole,
)


def series(key: str, value: int, unit: str = "") -> Series:
    return Series(key, unit or key, "candidate", "total", value)


def buckets(unit: str, cumulative: dict[float, int], arm: str = "candidate") -> list[Series]:
    return [
        Series(f"{unit} {bound}", unit, arm, "bucket", value, bound)  # type: ignore[arg-type]
        for bound, value in cumulative.items()
    ]


STEPS = st.tuples(st.integers(0, 50), st.integers(0, 50))  # good ones and bad ones


@given(st.lists(st.lists(STEPS, min_size=1, max_size=6), min_size=1, max_size=5))
def test_a_restart_that_is_seen_never_makes_evidence(lives: list[list[tuple[int, int]]]) -> None:
    """Every interval is either counted exactly or not at all, over any number of restarts.

    A life in which no counter is below where the last one ended cannot be told from its going on; such a
    story needs the process's start time and is left out here.
    """
    mark = Mark({"total": 0, "bad": 0})
    for life in lives:
        total = bad = 0
        for number, (good, worse) in enumerate(life):
            total, bad = total + good + worse, bad + worse
            now = [
                Series("total", "total", "candidate", "total", total),
                Series("bad", "bad", "candidate", "bad", bad),
            ]
            if total < mark.counters["total"] or bad < mark.counters["bad"]:
                assert number == 0
                with pytest.raises(RestartedError, match="not counted"):
                    counts_by_arm(now, mark)
            elif number > 0:
                assert counts_by_arm(now, mark)["candidate"] == Counts(good + worse, worse)
            mark = remembered(now, mark)


def test_a_counter_that_fell_in_one_arm_leaves_no_numbers_in_the_other() -> None:
    """They may be of one process, and the other arm's rise then be half of the truth."""
    before = Mark({"new": 1000, "old": 40})
    now = [series("new", 1200), Series("old", "old", "baseline", "total", 24)]
    with pytest.raises(RestartedError, match="old fell from 40 to 24"):
        counts_by_arm(now, before)


def test_a_restart_is_seen_for_the_whole_histogram() -> None:
    """One bucket that fell spoils all of them, even those that have outgrown their past."""
    before = Mark({"h 0.1": 5, "h inf": 100})
    with pytest.raises(RestartedError, match="h inf fell from 100 to 20"):
        histograms_by_arm(buckets("h", {0.1: 8, math.inf: 20}), before)


def test_a_series_that_is_new_began_at_zero() -> None:
    """An error that happens for the first time is an increase of one."""
    assert increases([series("ok", 12), series("error", 1)], Mark({"ok": 10})) == {"ok": 2, "error": 1}


def test_a_series_that_is_gone_for_a_while_does_not_bring_its_history_back() -> None:
    """What was counted before the gap stays counted."""
    held = remembered([], Mark({"a": 1_000_000}))
    assert increases([series("a", 1_000_003)], held) == {"a": 3}
    assert increases([series("a", 1_000_003)], remembered([], held)) == {"a": 3}


def test_a_series_that_comes_back_with_less_began_again() -> None:
    """It was not there at the last look, so all of it is new."""
    assert increases([series("a", 3)], Mark(absent={"a": 40})) == {"a": 3}


def test_series_that_come_back_some_with_less_and_some_with_more_are_not_counted() -> None:
    """A total that seems to go on beside errors that began again would overstate the errors."""
    back = [series("total", 1200), series("bad", 24)]
    with pytest.raises(RestartedError, match="bad came back with 24 after 40"):
        increases(back, Mark(absent={"total": 1000, "bad": 40}))


@given(st.lists(st.floats(0, 5), min_size=1, max_size=50))
def test_fractions_add_up(steps: list[float]) -> None:
    """A counter that rises by fractions loses none of them to rounding."""
    value, before, total = 0.0, 0, 0
    for step in steps:
        value += step
        now = whole(value, of="a")
        total, before = total + now - before, now
    assert total == math.floor(value + 1e-9)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0])
def test_what_no_counter_can_be_is_refused(value: float) -> None:
    """NaN, the infinities and negative numbers are not counts."""
    with pytest.raises(ImplausibleError, match="which no counter can be"):
        whole(value, of="a")


@pytest.mark.parametrize(
    ("before", "now", "answer"),
    [
        (None, 500.0, "same"),
        (500.0, None, "same"),
        (500.0, 501.5, "same"),  # the clock behind a start time is not exact
        (500.0, 1003.0, "restarted"),
        (500.0, 996.0, "restarted"),  # its clock runs a little behind ours
        (500.0, 600.0, "another"),  # it was there long before we last looked
        (600.0, 500.0, "another"),
    ],
)
def test_a_restart_is_told_from_another_process(before: float, now: float, answer: str) -> None:
    """A later start is a restart only if it lies after we last looked."""
    assert compare_process(before, now, seen_at=1000.0) == answer


def test_more_bad_ones_than_there_were_is_implausible() -> None:
    """Such numbers would be evidence of anything."""
    found = [Series("t", "t", "baseline", "total", 5), Series("b", "b", "baseline", "bad", 6)]
    with pytest.raises(ImplausibleError, match="6 bad ones among 5 in the baseline arm"):
        counts_by_arm(found, Mark())
    assert counts_by_arm(found, Mark({"b": 1}))["baseline"] == Counts(5, 5)


def test_unlike_buckets_are_compared_where_they_are_alike() -> None:
    """Two versions with other buckets still give exact counts at the bounds that both have."""
    found = [
        *buckets("new", {0.1: 4, 0.2: 6, 0.5: 9, math.inf: 10}, "candidate"),
        *buckets("old", {0.1: 40, 0.5: 90, 1.0: 95, math.inf: 100}, "baseline"),
    ]
    assert histograms_by_arm(found, Mark()) == {
        "candidate": Histogram((0.1, 0.5), (4, 5, 1)),
        "baseline": Histogram((0.1, 0.5), (40, 50, 10)),
    }


@pytest.mark.parametrize(
    ("cumulative", "problem"),
    [
        ({0.1: 1, 0.5: 2}, "no bucket le="),
        ({0.1: 3, 0.5: 2, math.inf: 4}, "not cumulative"),
        ({math.inf: 4}, "share no bucket bound"),
    ],
)
def test_broken_buckets_are_implausible(cumulative: dict[float, int], problem: str) -> None:
    """A histogram that cannot be true is not read as if it were."""
    with pytest.raises(ImplausibleError, match=problem):
        histograms_by_arm(buckets("h", cumulative), Mark())


def test_a_bucket_that_falls_alone_is_implausible() -> None:
    """Its cumulative counts rose, and yet it lost a request: such a page is half written, or made up."""
    before = Mark({"h 0.1": 10, "h inf": 20})
    with pytest.raises(ImplausibleError, match="went back by itself"):
        histograms_by_arm(buckets("h", {0.1: 16, math.inf: 25}), before)


def test_no_other_histogram_hides_a_bucket_that_fell_alone() -> None:
    """One instance began again and is ahead of its past, another one goes on: their sum looks as if it rose,
    and would have ten times as many slow requests as there were."""
    before = Mark({"a 0.1": 0, "a inf": 50, "b 0.1": 0, "b inf": 0})
    now = [*buckets("a", {0.1: 60, math.inf: 60}), *buckets("b", {0.1: 100, math.inf: 200})]
    with pytest.raises(TornError, match="a bucket of a went back by itself"):
        histograms_by_arm(now, before)


def test_too_many_series_are_refused() -> None:
    """A cursor is kept with every tick; it must not grow without bound."""
    with pytest.raises(ImplausibleError, match="narrow the selector"):
        refuse_doubtful(series(str(number), 1) for number in range(MOST_SERIES + 1))
    many = [series(str(number), 1) for number in range(MOST_SERIES)]
    refuse_doubtful(many)
    kept = remembered(many, Mark({"gone": 1}))
    assert (len(kept.counters), kept.absent) == (MOST_SERIES, {})


def test_what_has_just_gone_is_forgotten_last() -> None:
    """Of many instances that came and went the one that missed a single scrape goes on where it was."""
    old = {f"old{number}": 1 for number in range(MOST_SERIES - 1)}
    kept = remembered([series("there", 5)], Mark({"there": 4, "missed": 900}, old))
    assert kept == Mark({"there": 5}, {"missed": 900})


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=10),
)
def test_a_histogram_loses_no_request(ticks: list[tuple[int, int, int]]) -> None:
    """Tick by tick, every observation lands in its bucket exactly once."""
    totals, before, seen = [0, 0, 0], Mark(), [0, 0, 0]
    for tick in ticks:
        totals = [total + more for total, more in zip(totals, tick, strict=True)]
        now = buckets("h", {0.1: totals[0], 0.5: sum(totals[:2]), math.inf: sum(totals)})
        histogram = histograms_by_arm(now, before)["candidate"]
        assert histogram is not None
        seen = [total + more for total, more in zip(seen, histogram.counts, strict=True)]
        before = remembered(now, before)
    assert seen == totals
