"""Users who are not split as planned: found in minutes, seldom without cause, and never called healthy."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from rollway.judge import Assigned, Counts, GuardRule, Reading, Rules, begin, dump, load, update, verdict
from rollway.judge import wager as wagers
from rollway.judge.logs import FloatArray
from rollway.judge.mismatch import ODDS, PRIOR, TIMES, increment
from rollway.judge.onset import Interval

RULES = Rules(guards=(GuardRule("users", "assignment"), GuardRule("errors", "rate")), planned_seconds=3600.0)


def users(end: float, new: Any, old: Any, *, stage: str = "ten", share: float = 0.1) -> Reading:
    samples = (None if each is None else Assigned(each) for each in (new, old))
    return Reading("users", end - 10, end, stage, share, *samples)


def errors(end: float, *, stage: str = "ten", share: float = 0.1) -> Reading:
    return Reading("errors", end - 10, end, stage, share, Counts(100, 2), Counts(900, 18))


def course(new: int, old: int, ticks: int, *, since: int = 0, **more: Any) -> list[Reading]:
    ends = [10.0 * (since + tick + 1) for tick in range(ticks)]
    return [one for end in ends for one in (users(end, new, old, **more), errors(end, **more))]


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.97])
@pytest.mark.parametrize("units", [1, 7, 40])
def test_each_interval_multiplies_the_wealth_by_one_on_average(share: float, units: int) -> None:
    """Summed over all ways in which the units can fall, every bet has expectation 1: exact validity."""
    ways = np.arange(units + 1)
    chances = [math.comb(units, way) * share**way * (1 - share) ** (units - way) for way in ways]
    factors = np.exp(increment(ways.astype(np.float64), (units - ways).astype(np.float64), share))
    assert np.allclose(np.array(chances) @ factors, 1.0, rtol=1e-9)


def test_the_stakes_add_up_to_one() -> None:
    """The prior over the sizes of a loss is a probability, on rising sizes of both signs."""
    assert PRIOR.sum() == pytest.approx(1.0)
    assert (np.diff(TIMES) > 0).all()
    assert (TIMES < 1).sum() >= 5 <= (TIMES > 1).sum()


def simulated(runs: int, kept: float, *, seed: int) -> FloatArray:
    """When each of `runs` rollouts with 20 new users per second alarms (seconds; inf: never).

    Stages of 10 minutes at 1%, 10% and 50%; of the new version's users a part `kept` is reported.
    """
    rng = np.random.default_rng(seed)
    wager, alarmed = wagers.start(runs, ODDS), np.full(runs, math.inf)
    for tick in range(180):
        stage, share = (("one", 0.01), ("ten", 0.1), ("half", 0.5))[tick // 60]
        units = rng.poisson(200, runs)
        new = rng.binomial(units, share)
        old, new = units - new, rng.binomial(new, kept)
        against = increment(new.astype(np.float64), old.astype(np.float64), share)
        interval = Interval(stage, 10.0 * tick, 10.0, 1800.0)
        wager = wagers.add(wager, ODDS, interval, against, None)
        is_over = wagers.harm_of(wager, 1800.0) >= math.log(1000)
        alarmed = np.minimum(alarmed, np.where(is_over, 10.0 * (tick + 1), math.inf))
    return alarmed


def test_a_split_as_planned_is_almost_never_called_wrong() -> None:
    """Over a whole ramp with 180 looks false alarms stay within 0.001, and chance of 3000 runs."""
    alarmed = np.isfinite(simulated(3000, 1.0, seed=61))
    assert alarmed.mean() <= 0.001 + 3 * math.sqrt(0.001 / 3000)


def test_a_loss_of_three_tenths_is_found_in_minutes() -> None:
    """With 20 new users per second, 30% lost telemetry is found within two minutes of the 10% stage."""
    found = simulated(200, 0.7, seed=67)
    assert np.median(found) <= 600 + 120
    assert np.isfinite(found).all()


def test_total_silence_of_the_new_version_is_found() -> None:
    """At 1% no user of the new version among some 1000 cannot be chance, although all else looks well."""
    readings = course(0, 100, 14, share=0.01)
    said = verdict(RULES, update(RULES, begin(RULES), readings), now=140.0, stage="ten", share=0.01)
    assert said.mismatch.startswith("users: the new version was planned to get 1.0% and got 0% of ")


def test_a_mismatch_says_by_how_much_and_is_never_healthy() -> None:
    """The sentence has the planned share, the seen share, of how many, and where to look."""
    state = update(RULES, begin(RULES), course(70, 930, 60))
    said = verdict(RULES, state, now=600.0, stage="ten", share=0.1)
    assert said.kind == "undecided"
    assert said.reason == said.mismatch == said.missing[0]
    assert "planned to get 10.0% and got 7.0% of " in said.mismatch
    assert "lost telemetry, a redirect, a bot filter, or a crash before the first event" in said.mismatch
    assert said.mismatch_log_e >= math.log(1000)
    assert said.harm_log_e < 0.1
    as_planned = update(RULES, begin(RULES), course(100, 900, 60))
    assert verdict(RULES, as_planned, now=600.0, stage="ten", share=0.1).kind == "healthy"


def test_a_mismatch_belongs_to_its_stage() -> None:
    """It stays for as long as the stage lasts, whatever follows; the next stage is tested anew."""
    state = update(RULES, begin(RULES), course(70, 930, 30) + course(130, 870, 30, since=30))
    assert verdict(RULES, state, now=600.0, stage="ten", share=0.1).mismatch
    state = update(RULES, state, course(500, 500, 6, since=60, stage="half", share=0.5))
    said = verdict(RULES, state, now=660.0, stage="half", share=0.5)
    assert (said.kind, said.mismatch) == ("healthy", "")
    state = update(RULES, state, course(400, 600, 6, since=66, stage="half", share=0.5))
    assert "50.0%" in verdict(RULES, state, now=720.0, stage="half", share=0.5).mismatch


def test_evidence_is_carried_over_changes_of_stage() -> None:
    """Two stages of a little doubt each make one doubt that is enough."""
    one = course(85, 915, 5, stage="ten")
    two = course(85, 915, 5, since=5, stage="ten too")
    first, last = (update(RULES, begin(RULES), each) for each in (one, one + two))
    lows = verdict(RULES, first, now=50.0, stage="ten", share=0.1)
    assert not lows.mismatch
    assert (
        verdict(RULES, last, now=100.0, stage="ten too", share=0.1).mismatch_log_e > lows.mismatch_log_e + 1
    )


@pytest.mark.parametrize(("new", "old"), [(None, 900), (100, None), (None, None), (0, 0)])
def test_nothing_reported_is_no_mismatch(new: Any, old: Any) -> None:
    """A version that was not reported on is not a version without users."""
    state = update(RULES, begin(RULES), [users(10.0 * n, new, old) for n in range(1, 50)])
    assert verdict(RULES, state, now=490.0, stage="ten", share=0.1).mismatch_log_e == 0.0


def test_assignment_takes_nothing_from_the_other_guards() -> None:
    """Users are no evidence of harm, and share in none of its weight."""
    bad = [
        Reading("errors", 10.0 * n, 10.0 * n + 10, "ten", 0.1, Counts(9, 4), Counts(90, 2)) for n in range(4)
    ]
    alone = Rules(guards=RULES.guards[1:], planned_seconds=3600.0)
    both = [verdict(r, update(r, begin(r), bad), now=40.0, stage="ten", share=0.1) for r in (RULES, alone)]
    assert both[0].harm_log_e == both[1].harm_log_e > 1


def test_a_mismatch_survives_a_restart() -> None:
    """Saved and loaded, it is the same to the last bit, with bets that are lost for good."""
    state = update(RULES, begin(RULES), course(70, 930, 60))
    raw = json.loads(json.dumps(dump(state), allow_nan=False))
    assert dump(load(RULES, raw)) == dump(state)
