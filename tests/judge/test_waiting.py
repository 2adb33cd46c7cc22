"""Readings before their time, out of order, and too late."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.judge import Counts, GuardRule, JudgeState, Reading, Rules, begin, dump, load, update, verdict
from rollway.judge.waiting import MOST_WAITING, REMEMBERED

RULES = Rules(guards=(GuardRule("errors", "rate"), GuardRule("logins", "rate")), margins={})


def reading(end: float, bad: int = 1, *, kpi: str = "errors", **more: Any) -> Reading:
    return Reading(kpi, end - 10, end, "one", 0.1, Counts(10, bad), Counts(90, 9), **more)


def feed(state: JudgeState, readings: Iterable[Reading], *, one_by_one: bool = True) -> JudgeState:
    """The state after the readings, saved and loaded after each of them."""
    for group in [[one] for one in readings] if one_by_one else [list(readings)]:
        state = update(RULES, state, group)
        state = load(RULES, json.loads(json.dumps(dump(state), allow_nan=False)))
    return state


def counted(state: JudgeState) -> tuple[float, float]:
    """How many requests of the new version were judged, and how many of them were bad: of errors."""
    shown = verdict(RULES, state, now=0.0, stage="one", share=0.1).guards[0]
    return shown.candidate_trials, shown.candidate_bad


def test_nothing_is_judged_past_the_earlier_watermark() -> None:
    """Complete for one version only is not complete: the interval waits for the other's watermark."""
    state = feed(begin(RULES), [reading(10, candidate_until=10.0, baseline_until=5.0)])
    assert counted(state) == (0, 0)
    state = feed(state, [reading(20, candidate_until=15.0, baseline_until=12.0)])
    assert counted(state) == (10, 1)
    state = feed(state, [reading(30, candidate_until=30.0, baseline_until=30.0)])
    assert counted(state) == (30, 3)
    assert state.guards[0].waiting.readings == ()


def test_watermarks_never_fall() -> None:
    """A reading that knows of less than one before it takes nothing back."""
    state = feed(begin(RULES), [reading(10, candidate_until=20.0, baseline_until=20.0)])
    state = feed(state, [reading(20, candidate_until=12.0, baseline_until=12.0)])
    assert counted(state) == (20, 2)


def test_an_incomplete_reading_is_replaced_by_the_complete_one() -> None:
    """The first figures wait and are never added to the second ones; what comes after them waits too."""
    state = feed(begin(RULES), [reading(10, 3, is_complete=False), reading(20, 1)])
    assert counted(state) == (0, 0)
    state = feed(state, [reading(10, 5, is_complete=False), reading(10, 7)])
    assert counted(state) == (20, 8)
    assert counted(feed(state, [reading(10, 9), reading(20, 9)])) == (20, 8)


def test_a_second_reading_of_a_complete_one_is_ignored_while_it_waits() -> None:
    """The first complete word on an interval is the last."""
    far = {"candidate_until": 0.0, "baseline_until": 0.0}
    state = feed(begin(RULES), [reading(10, 1, **far), reading(10, 9, **far), reading(20)])
    assert counted(state) == (20, 2)


def test_what_waits_is_judged_in_the_order_of_time() -> None:
    """Arrived as 30, 10, 20 and released at once, the readings give the state of 10, 20, 30."""
    early = {"candidate_until": 0.0, "baseline_until": 0.0}
    late = {"candidate_until": 40.0, "baseline_until": 40.0}
    mixed = [reading(30, 3, **early), reading(10, 1, **early), reading(20, 2, **early), reading(40, **late)]
    one, other = feed(begin(RULES), mixed), feed(begin(RULES), sorted(mixed, key=lambda r: r.end))
    plain = update(
        RULES, begin(RULES), [replace(r, candidate_until=None, baseline_until=None) for r in mixed]
    )
    assert dump(one)["guards"] == dump(other)["guards"]
    assert dump(one)["guards"][0]["evidence"] == dump(plain)["guards"][0]["evidence"]


def test_what_comes_too_late_is_dropped_counted_and_told() -> None:
    """A reading that ends before one that was judged changes no evidence; the verdict says how many did."""
    state = feed(begin(RULES), [reading(10), reading(30)])
    after = feed(state, [reading(20, 9), reading(20, 9), reading(10), reading(30)])
    assert counted(after) == counted(state) == (20, 2)
    said = verdict(RULES, after, now=30.0, stage="one", share=0.1)
    assert said.guards[0].late_readings == 1
    assert "errors: of its readings 1 came too late, and were not judged" in said.missing


def test_repetition_is_not_lateness() -> None:
    """Sending again what was judged, however long ago, counts nothing and changes nothing."""
    record = [reading(10.0 * n) for n in range(1, 3 * REMEMBERED)]
    state = update(RULES, begin(RULES), record)
    assert update(RULES, state, record) is state


def test_at_most_so_many_wait_and_the_oldest_is_given_up() -> None:
    """A reading that is never completed holds the others up only until too many wait; it is counted."""
    stuck = reading(10, is_complete=False)
    many = [reading(10.0 * n) for n in range(2, MOST_WAITING + 1)]
    state = update(RULES, begin(RULES), [stuck, *many])
    assert counted(state) == (0, 0)
    assert len(state.guards[0].waiting.readings) == MOST_WAITING
    state = feed(state, [reading(10.0 * (MOST_WAITING + 1))])
    assert counted(state)[0] == 10 * MOST_WAITING
    said = verdict(RULES, state, now=10.0, stage="one", share=0.1)
    assert said.guards[0].lost_readings == 1
    assert any("1 were never completed" in line for line in said.missing)
    assert len(json.dumps(dump(state))) < 40_000


def test_waiting_for_too_long_is_blind_and_says_so() -> None:
    """Readings that come and cannot be judged are neither silence nor a source that is down."""
    stuck = [reading(10.0 * n, candidate_until=5.0, baseline_until=5.0) for n in range(1, 20)]
    state = feed(begin(RULES), [*stuck, *(reading(10.0 * n, kpi="logins") for n in range(1, 20))])
    said = verdict(RULES, state, now=190.0, stage="one", share=0.1)
    assert (said.kind, said.guards[0].blind_reason) == ("blind", "waiting")
    down = Reading("errors", 200, 200, "one", 0.1, problem="source_down")
    state = feed(state, [down])
    assert verdict(RULES, state, now=200.0, stage="one", share=0.1).guards[0].blind_reason == "source_down"
    assert verdict(RULES, state, now=900.0, stage="one", share=0.1).guards[0].blind_reason == "source_down"


@pytest.mark.parametrize("mark", [math.nan, math.inf, "soon"])
def test_a_watermark_that_cannot_be_right_is_implausible(mark: Any) -> None:
    """Nonsense in a watermark makes the reading unusable and moves nothing."""
    state = feed(begin(RULES), [reading(10, candidate_until=mark)])
    assert counted(state) == (0, 0)
    assert state.guards[0].sight.problem == "implausible"
    assert state.guards[0].waiting.candidate_until is None


marks = st.none() | st.sampled_from([0.0, 15.0, 25.0, 45.0, 90.0])


@st.composite
def arrivals(draw: st.DrawFn) -> list[Reading]:
    ends = draw(st.lists(st.integers(1, 8), min_size=1, max_size=14))
    return [
        reading(
            10.0 * end,
            draw(st.integers(0, 10)),
            kpi=draw(st.sampled_from(["errors", "logins"])),
            candidate_until=draw(marks),
            baseline_until=draw(marks),
            is_complete=draw(st.booleans()),
            problem=draw(st.sampled_from([None, None, None, "source_down"])),
        )
        for end in ends
    ]


@settings(max_examples=40, deadline=None)
@given(given=arrivals())
def test_whatever_arrives_is_judged_once_in_order_and_never_early(given: list[Reading]) -> None:
    """Each interval is judged at most once; none is judged that is not complete or past a watermark; and
    what was saved is what goes on."""
    kept, saved = begin(RULES), begin(RULES)
    for one in given:
        kept, saved = update(RULES, kept, [one]), feed(saved, [one])
        assert dump(kept) == dump(saved)
    for guard in kept.guards:
        queue = guard.waiting.readings
        assert [one.end for one in queue] == sorted({one.end for one in queue})
        assert all(one.end > (guard.sight.last_end or 0.0) for one in queue)
        assert not queue or not queue[0].is_complete or queue[0].problem is None
    complete = {(one.kpi, one.end) for one in given if one.is_complete and one.problem is None}
    assert counted(kept)[0] <= 10 * sum(kpi == "errors" for kpi, _ in complete)
    assert dump(update(RULES, kept, given[-1:])) == dump(kept)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_order_of_one_moments_readings_does_not_matter(data: st.DataObject) -> None:
    """A moment's complete readings give the same verdict in whatever order they are handed over."""
    moment = [reading(10, data.draw(st.integers(0, 10)), kpi=kpi) for kpi in ("errors", "logins")]
    moment += [replace(moment[0], is_complete=False, candidate=Counts(3, 3))]
    shuffled = data.draw(st.permutations(moment))
    first, second = (update(RULES, begin(RULES), each) for each in (moment, shuffled))
    assert dump(first) == dump(second)
