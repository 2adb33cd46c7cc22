"""Failures of users who stay with their version, counted once per user and depth."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from rollway.errors import InputError
from rollway.judge import Depths, Dispersion, GuardRule, Reading, Rules, begin, dump, load, replay, update
from rollway.judge import comparison as comparisons
from rollway.judge.kinds import KINDS
from rollway.judge.kinds.depths import safe_rows
from rollway.judge.logs import FloatArray
from rollway.judge.onset import Interval
from rollway.judge.processes import Arms

RULE = GuardRule("errors", "depths", depths=(1, 3))
RULES = Rules((RULE,), margins={"half": {"errors": 1.5}}, planned_seconds=600)
KIND = KINDS["depths"]


def reading(
    end: float, candidate: Depths | None, baseline: Depths | None, share: float = 0.5, stage: str = "half"
) -> Reading:
    return Reading("errors", end - 10, end, stage, share, candidate, baseline)


def steady(times: float, ticks: int, third_times: float | None = None) -> list[Reading]:
    """Readings in which the new version's users cross both depths `times` as often as 20 and 4 do."""
    third = times if third_times is None else third_times
    return [
        reading(10.0 * i, Depths(1000, (round(20 * times), round(4 * third))), Depths(1000, (20, 4)))
        for i in range(1, ticks + 1)
    ]


# --- why it is valid ---------------------------------------------------------------------------------


def courses(active: list[list[int]], crossing: list[list[int]], users: int, share: float) -> Any:
    """The evidence of every way to toss the coin for each user, and that way's probability.

    `active[i]` are the users seen in interval i, `crossing[i]` those of them who cross the depth in it:
    both are what they are, whatever version a user has.
    """
    tosses = np.array(list(product((0.0, 1.0), repeat=users)))
    chance = np.prod(np.where(tosses > 0, share, 1 - share), axis=1)
    compared = comparisons.start(len(tosses))
    for i, (seen, crossed) in enumerate(zip(active, crossing, strict=True)):
        new, new_bad = tosses[:, seen].sum(axis=1), tosses[:, crossed].sum(axis=1)
        arms = Arms(new, new_bad, len(seen) - new, len(crossed) - new_bad)
        interval = Interval("half", 10.0 * i, 10.0, 60.0)
        compared = comparisons.compare(compared, arms, interval, tolerance=1.0, margin=None)
    return comparisons.harm_of(compared, 60.0), chance


@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize("crossed", [0, 1, 3, 5, 9])
def test_tossing_a_coin_for_each_user_never_gains(share: float, crossed: int) -> None:
    """Over all 512 ways to divide nine users, whoever crosses the depth, the wealth is at most 1."""
    log_e, chance = courses([list(range(9))], [list(range(crossed))], 9, share)
    assert float(chance @ np.exp(log_e)) <= 1 + 1e-12


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_users_at_risk_are_exact_over_two_intervals(share: float) -> None:
    """With the users who have not crossed yet as trials, later intervals gain nothing either."""
    log_e, chance = courses([list(range(9)), list(range(3, 9))], [[0, 1, 2], [3, 4]], 9, share)
    assert float(chance @ np.exp(log_e)) <= 1 + 1e-12


def test_one_users_hundred_failures_would_gain_as_requests() -> None:
    """The coin is tossed for users: counted request by request the same data have far too much wealth."""
    log_e, chance = courses([[0] * 100 + list(range(1, 9)) * 100], [[0] * 50], 9, 0.5)
    assert float(chance @ np.exp(log_e)) > 2


@pytest.fixture(scope="module")
def clustered() -> tuple[FloatArray, FloatArray]:
    """The most evidence, by user and by request, in healthy ramps where a few users fail all the time."""
    rng, runs, users = np.random.default_rng(53), 150, 1500
    tosses = rng.random((runs, users))
    often = np.where(rng.random((runs, users)) < 0.02, 0.8, 0.01)
    failed = np.zeros((runs, users), dtype=np.int64)
    by_user, by_request = comparisons.start(2 * runs), comparisons.start(runs)
    most_user, most_request = np.zeros(runs), np.zeros(runs)
    for tick in range(30):
        stage = tick // 10
        is_new = tosses < (0.05, 0.2, 0.5)[stage]
        now = rng.poisson(often)
        after = failed + now
        crossed = [(failed < depth) & (after >= depth) for depth in (1, 3)]
        failed = after
        interval = Interval(str(stage), 60.0 * tick, 60.0, 1800.0)

        def counted(events: list[Any], is_new: Any = is_new) -> Arms:
            new = np.tile(is_new.sum(axis=1) * 3.0, len(events))
            new_bad = np.concatenate([(each * is_new).sum(axis=1) for each in events]).astype(float)
            bad = np.concatenate([each.sum(axis=1) for each in events]).astype(float)
            return Arms(new, new_bad, 3.0 * users - new, bad - new_bad)

        by_user = comparisons.compare(by_user, counted(crossed), interval, tolerance=1.0, margin=None)
        by_request = comparisons.compare(by_request, counted([now]), interval, tolerance=1.0, margin=None)
        rows = comparisons.harm_of(by_user, 1800.0).reshape(2, runs)
        most_user = np.maximum(most_user, np.logaddexp(*rows) - math.log(2))
        most_request = np.maximum(most_request, comparisons.harm_of(by_request, 1800.0))
    return most_user, most_request


def test_clustered_users_seldom_cause_a_false_rollback(clustered: tuple[FloatArray, FloatArray]) -> None:
    """Users with their own rate of failure: by user alpha holds, by request it does not."""
    by_user, by_request = clustered
    assert np.mean(by_user >= math.log(20)) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / len(by_user))
    assert np.mean(by_request >= math.log(20)) > 0.12


# --- what it says ------------------------------------------------------------------------------------


def test_a_fault_for_everyone_is_found_at_the_first_depth() -> None:
    """Twice as many first failures: harmful, with the depth and the ratio in words."""
    said = replay(RULES, steady(2.0, 40, third_times=1.0))[-1]
    assert said.kind == "harmful"
    assert "rate of users at their first failure is 2 times the old one's" in said.reason


def test_a_fault_for_a_few_is_found_at_the_third_depth() -> None:
    """As many first failures as ever, and three times as many third ones."""
    said = replay(RULES, steady(1.0, 60, third_times=3.0))[-1]
    assert said.kind == "harmful"
    assert "third failure" in said.reason
    assert said.guards[0].candidate_bad == 60 * 12


def test_harm_is_the_average_over_the_depths() -> None:
    """The evidence is that of a rate for each depth, averaged."""
    readings = steady(1.5, 10, third_times=2.0)
    state = update(RULES, begin(RULES), readings).guards[0].evidence
    compared = comparisons.start(2)
    for each in readings:
        arms = Arms(
            *(np.array(counts) for counts in ((1000.0,) * 2, (30.0, 8.0), (1000.0,) * 2, (20.0, 4.0)))
        )
        interval = Interval("half", each.start, 10.0, 600.0)
        compared = comparisons.compare(compared, arms, interval, tolerance=1.1, margin=1.5)
    expected = np.logaddexp(*comparisons.harm_of(compared, 600.0)) - math.log(2)
    assert KIND.harm(RULE, RULES, state) == pytest.approx(float(expected))


def test_safety_waits_for_the_worst_depth() -> None:
    """With the first depth long since safe, the third one at its margin keeps the gate closed."""
    mild = replace(RULES, guards=(replace(RULE, tolerance=3.0),))
    state = update(mild, begin(mild), steady(1.0, 100, third_times=1.5)).guards[0].evidence
    first, third = comparisons.safe_of(state.comparison, "half")
    assert first > math.log(20) > third
    assert KIND.safety(RULE, mild, state, "half").log_e == pytest.approx(third)
    assert replay(RULES, steady(1.0, 100))[-1].kind == "healthy"


def test_a_depth_that_hardly_anyone_reaches_does_not_hold_a_release_up() -> None:
    """Safety is asked for at the first depth, and at deeper ones that a tenth of those users reach."""
    assert safe_rows(np.array([0.0, 0.0])) == (0,)
    assert safe_rows(np.array([200.0, 19.0])) == (0,)
    assert safe_rows(np.array([200.0, 20.0])) == (0, 1)
    assert safe_rows(np.array([20.0, 7.0, 8.0])) == (0, 2)


def test_fewer_users_with_their_first_order_is_harm_too() -> None:
    """Where less is worse the depths count what is good."""
    rules = replace(RULES, guards=(replace(RULE, direction="less_is_worse"),))
    said = replay(rules, steady(0.4, 60))[-1]
    assert said.kind == "harmful"
    assert "first success is 0.4 times" in said.reason
    assert replay(rules, steady(2.0, 60))[-1].kind == "healthy"


def test_learned_noise_divides_its_evidence() -> None:
    """A dispersion of the rule reaches the rows."""
    noisy = replace(RULES, guards=(replace(RULE, dispersion=Dispersion(floor=4.0)),))
    plain, divided = (
        KIND.harm(rules.guards[0], rules, update(rules, begin(rules), steady(2.0, 10)).guards[0].evidence)
        for rules in (RULES, noisy)
    )
    assert 0 < divided < plain / 2


# --- what it takes and keeps --------------------------------------------------------------------------


def test_nothing_before_exposure_is_evidence() -> None:
    """At share 0 users are counted for people to see, and no test begins."""
    state = KIND.absorb(
        RULE, RULES, KIND.begin(), reading(10.0, Depths(9, (9, 9)), Depths(99, (1, 0)), share=0.0)
    )
    assert state.comparison is None
    assert KIND.harm(RULE, RULES, state) == 0.0
    assert KIND.shown(RULE, RULES, state).baseline_bad == 1
    assert KIND.safety(RULE, RULES, state, "half").log_e == 0.0


def test_before_any_reading_there_is_nothing_to_show() -> None:
    """The empty state answers everything, with nothing in it."""
    state = KIND.begin()
    shown = KIND.shown(RULE, RULES, state)
    assert (shown.candidate_trials, shown.candidate_rate, shown.ratio) == (0, None, None)
    assert "errors" in KIND.accuse(RULE, RULES, state, 0.0)


@pytest.mark.parametrize(
    "wrong",
    [
        Depths(10, (11, 0)),
        Depths(-1, (0, 0)),
        Depths(10, (1, -1)),
        Depths(10, ()),
        Depths(10, (math.nan, 0)),  # type: ignore[arg-type]  # a source may give anything
    ],
)
def test_counts_that_cannot_be_right_are_implausible(wrong: Depths) -> None:
    """More users than trials, negative or missing counts: noted, never evidence."""
    state = KIND.begin()
    assert not KIND.is_plausible(RULE, state, reading(10.0, wrong, Depths(10, (1, 0))))
    assert not KIND.is_plausible(RULE, state, reading(10.0, Depths(10, (1, 0)), wrong))
    assert KIND.is_plausible(RULE, state, reading(10.0, None, Depths(10, (1, 0))))


def test_the_number_of_depths_may_not_change() -> None:
    """A source that counts three depths after two is implausible, and so is one arm with another number."""
    state = KIND.absorb(RULE, RULES, KIND.begin(), steady(1.0, 1)[0])
    assert not KIND.is_plausible(RULE, state, reading(20.0, Depths(10, (1, 0, 0)), Depths(10, (1, 0, 0))))
    assert not KIND.is_plausible(RULE, KIND.begin(), reading(20.0, Depths(10, (1,)), Depths(10, (1, 0))))


@pytest.mark.parametrize(
    "changes",
    [
        {"depths": ()},
        {"depths": (3, 1)},
        {"depths": (0, 1)},
        {"depths": tuple(range(1, 10))},
        {"limit": 0.1},
        {"dispersion": Dispersion(0.5)},
    ],
)
def test_rules_that_cannot_be_judged_by_are_refused(changes: dict[str, Any]) -> None:
    """No depths, falling ones, a zeroth failure, too many, or an absolute limit."""
    with pytest.raises(InputError, match="cannot work with these rules"):
        begin(Rules((replace(RULE, **changes),)))


def test_the_state_survives_a_round_trip() -> None:
    """Saved and read back, before exposure and after, the evidence is the same bit for bit."""
    for readings in ([], steady(1.3, 1), steady(1.3, 12)):
        state = update(RULES, begin(RULES), readings)
        assert dump(load(RULES, dump(state))) == dump(state)
