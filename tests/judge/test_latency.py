"""Latency: where it is compared, and what it finds."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rollway.errors import InputError
from rollway.judge import (
    Dispersion,
    GuardRule,
    Histogram,
    JudgeState,
    Reading,
    Rules,
    begin,
    dump,
    load,
    replay,
    update,
    verdict,
)
from rollway.judge.kinds.latency import ENOUGH_TO_CHOOSE, LatencyKind, choose_cuts, safe_rows

RULES = Rules(
    guards=(GuardRule("latency", "latency"),),
    margins={"ten": {"latency": 2.0}},
    alpha=0.01,
    planned_seconds=1200,
)
BOUNDS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)


def law(*above: float) -> Any:
    """Counts per bucket of 1000 requests, of which this many are above each bound."""
    edges = np.array([1000, *above, 0])
    return edges[:-1] - edges[1:]


def test_cuts_lie_where_the_old_version_is_slow() -> None:
    """The bounds nearest to the median, the quartile and the tails are chosen, each once."""
    assert choose_cuts(law(500, 240, 110, 40, 9, 4).astype(float)) == (0, 1, 2, 3, 4, 5)
    assert choose_cuts(law(990, 950, 480, 100, 0, 0).astype(float)) == (2, 3, 4)


def test_safety_is_shown_in_the_middle_and_in_the_tail() -> None:
    """One test sits near the slowest tenth, one near the slowest hundredth if enough requests are there."""
    rich = law(500, 240, 110, 40, 9, 4).astype(float)
    assert [choose_cuts(rich)[row] for row in safe_rows(rich, choose_cuts(rich))] == [2, 4]
    poor = law(500, 110, 1, 0, 0, 0).astype(float)
    assert [choose_cuts(poor)[row] for row in safe_rows(poor, choose_cuts(poor))] == [1]


def test_cuts_are_chosen_before_the_interval_they_judge() -> None:
    """Readings before the old version has served enough are no evidence; the choice then stays."""
    state = begin(RULES)
    sample = Histogram(BOUNDS, (60, 20, 10, 5, 3, 1, 1))
    for number in range(1, 10):
        before = state.guards[0].evidence
        reading = Reading("latency", 10.0 * number, 10.0 * number + 10, "ten", 0.5, sample, sample)
        state = update(RULES, state, [reading])
        after = state.guards[0].evidence
        assert bool(after.evidence.cuts) == (before.seen.sum() >= ENOUGH_TO_CHOOSE)
    assert verdict(RULES, begin(RULES), now=0, stage="ten", share=0.5).guards[0].cut_seconds is None


def test_a_slow_start_of_the_old_version_is_soon_outweighed() -> None:
    """Where safety is shown follows what the old version is known to be, before each interval it judges."""
    state = begin(RULES)
    slow, usual = (
        Histogram(BOUNDS, (300, 100, 50, 25, 15, 15, 15)),
        Histogram(BOUNDS, (300, 130, 50, 15, 5, 0, 0)),
    )
    rows = []
    for number, sample in enumerate([slow] + 40 * [usual]):
        seen = state.guards[0].evidence.seen
        reading = Reading("latency", 10.0 * number, 10.0 * number + 10, "ten", 0.5, sample, sample)
        state = update(RULES, state, [reading])
        latency = state.guards[0].evidence
        assert latency.known.sum() == seen.sum()
        if latency.evidence.cuts:
            rows.append(safe_rows(latency.known, latency.evidence.cuts))
    assert rows[-1][-1] < rows[0][-1]


def test_a_slower_tail_is_found(service: Any) -> None:
    """When the slowest tenth takes twice as long, the rollout is stopped at 1% within minutes."""
    for readings in service.ticks(10, "zero", 0.0):
        keep(service, readings)
    service.slow_tenth = 2.0
    for readings in service.ticks(60, "one", 0.01):
        keep(service, readings)
    said = next(v for v in replay(RULES, service.kept) if v.kind == "harmful")
    assert said.guards[0].candidate_trials < 250
    assert said.guards[0].cut_seconds is not None
    assert "share of requests slower than" in said.reason


def test_equal_durations_are_shown_to_be_safe(service: Any) -> None:
    """A version that is just as fast passes its margin, and is shown with the share of slow requests."""
    for share, stage, number in ((0.0, "zero", 10), (0.1, "ten", 60)):
        for readings in service.ticks(number, stage, share):
            keep(service, readings)
    said = replay(RULES, service.kept)[-1]
    assert said.kind == "healthy"
    guard = said.guards[0]
    assert guard.cut_seconds in (0.15, 0.25)
    assert guard.ratio == pytest.approx(1.0, abs=0.15)
    assert guard.ratio_low is not None
    assert guard.ratio_high is not None
    assert guard.ratio_low < 1 < guard.ratio_high < 2


def test_equal_durations_are_not_stopped(service: Any) -> None:
    """Of 10 rollouts of an equal version none is stopped over 40 looks."""
    for _ in range(10):
        service.kept = []
        for readings in service.ticks(10, "zero", 0.0):
            keep(service, readings)
        for readings in service.ticks(40, "ten", 0.1):
            keep(service, readings)
        assert update(RULES, begin(RULES), service.kept).finding is None


def test_before_there_are_cuts_the_verdict_says_how_many_requests_are_missing() -> None:
    """A gate that cannot be judged yet tells what it waits for."""
    few = Histogram(BOUNDS, (60, 20, 10, 5, 3, 1, 1))
    state = update(RULES, begin(RULES), [Reading("latency", 0, 10, "ten", 0.5, few, few)])
    said = verdict(RULES, state, now=10, stage="ten", share=0.5)
    assert "400 more requests of the old version" in said.missing[0]
    assert said.guards[0].cut_seconds == 0.4


def keep(service: Any, readings: list[Reading]) -> None:
    """Collect the latency readings of a service."""
    service.kept = [*getattr(service, "kept", []), *(r for r in readings if r.kpi == "latency")]


GEOMETRIC = tuple(round(0.025 * 1.32**k, 6) for k in range(15))


def lognormal(bounds: tuple[float, ...], times: float = 1.0, tail: float = 1.0) -> Any:
    """Shares per bucket of durations with median 0.1 s, sigma 0.6, p99 404 ms, `times` as long.

    The tail takes `tail` times as long from p99 on, and less so down to p95, below which nothing changes.
    """
    z = np.linspace(-6, 9, 30_001)
    above = np.array([0.5 * math.erfc(each / 2**0.5) for each in z])
    slow = np.clip((1 - above - 0.95) / 0.04, 0, 1)
    taken = 0.1 * times * np.exp(0.6 * z) * (1 + (tail - 1) * slow)
    survival = np.interp(bounds, taken, above)
    return -np.diff(survival, prepend=1.0, append=0.0)


def served_until_found(new: Any, tolerance: float, runs: int) -> tuple[float, float]:
    """How many candidate requests on average, and in how many runs harm was found at alpha 0.05.

    100 requests per second, a reading a minute, 1%, 10% and 50% for 20 minutes each.
    """
    rng = np.random.default_rng(17)
    old = lognormal(GEOMETRIC)
    rules = Rules((GuardRule("latency", "latency", tolerance=tolerance),), alpha=0.05, planned_seconds=3600)
    served, found = 0, 0
    for _ in range(runs):
        warm = Histogram(GEOMETRIC, tuple(rng.multinomial(60_000, old).tolist()))
        state = update(rules, begin(rules), [Reading("latency", 0.0, 600.0, "zero", 0.0, None, warm)])
        for minute in range(60):
            share = (0.01, 0.1, 0.5)[minute // 20]
            n_t = int(rng.binomial(6000, share))
            arms = [rng.multinomial(n, law).tolist() for n, law in ((n_t, new), (6000 - n_t, old))]
            samples = [Histogram(GEOMETRIC, tuple(arm)) for arm in arms]
            at = 600.0 + 60 * minute
            state = update(rules, state, [Reading("latency", at, at + 60, str(share), share, *samples)])
            served += n_t
            if state.finding:
                found += 1
                break
    return served / runs, found / runs


@pytest.mark.parametrize(
    ("times", "tail", "tolerance", "most"),
    [(1.1, 1.0, 1.0, 700), (1.1, 1.0, 1.1, 3000), (1.0, 1.1, 1.0, 8800), (1.0, 1.5, 1.0, 500)],
)
def test_slower_durations_are_found_near_the_limit(
    times: float, tail: float, tolerance: float, most: float
) -> None:
    """All a tenth slower, or only the tail by a tenth or by half: about as soon as measured (see the judge's
    benchmark), and always."""
    served, found = served_until_found(lognormal(GEOMETRIC, times, tail), tolerance, 40)
    assert served < most
    assert found == 1


def test_rollouts_of_an_equal_version_go_through() -> None:
    """Of 60 rollouts at alpha 0.05 at most 6 are stopped."""
    _, found = served_until_found(lognormal(GEOMETRIC), 1.0, 60)
    assert found <= 0.1


def fed(rules: Rules = RULES, *, times: int = 12, bounds: tuple[float, ...] = BOUNDS) -> JudgeState:
    """A judge that has compared the two versions for some intervals."""
    state = begin(rules)
    slow = Histogram(bounds, (40, 35, *(5 for _ in bounds[1:])))
    usual = Histogram(bounds, (60, 20, *(4 for _ in bounds[1:])))
    for number in range(times):
        reading = Reading("latency", 10.0 * number, 10.0 * number + 10, "ten", 0.5, slow, usual)
        state = update(rules, state, [reading])
    return state


def test_the_state_survives_a_round_trip_bit_for_bit() -> None:
    """Saved as JSON and loaded, the judge goes on as if nothing had happened."""
    state = fed()
    text = json.dumps(dump(state), allow_nan=False)
    again = load(RULES, json.loads(text))
    assert json.dumps(dump(again)) == text
    reading = Reading("latency", 900.0, 910.0, "ten", 0.5, *2 * [Histogram(BOUNDS, (9, 8, 7, 6, 5, 4, 3))])
    assert dump(update(RULES, state, [reading])) == dump(update(RULES, again, [reading]))


def test_the_state_does_not_grow() -> None:
    """After a thousand readings it has as many numbers as after twenty."""

    def numbers(state: JudgeState) -> int:
        return json.dumps(dump(state)["guards"][0]["evidence"]).count(",")

    assert numbers(fed(times=1000)) == numbers(fed(times=20))


def test_buckets_that_a_service_adds_meanwhile_do_not_blind_the_judge() -> None:
    """They are added up to the buckets there were: the state is the same as without them."""
    state = fed()
    sample = Histogram(BOUNDS, (9, 8, 7, 6, 5, 4, 3))
    finer = Histogram((0.05, *BOUNDS[:2], 0.3, *BOUNDS[2:]), (4, 5, 8, 3, 4, 6, 5, 4, 3))
    place = ("latency", 900.0, 910.0, "ten", 0.5)
    for pair in ((finer, sample), (finer, finer), (sample, finer)):
        assert dump(update(RULES, state, [Reading(*place, *pair)])) == dump(
            update(RULES, state, [Reading(*place, sample, sample)])
        )


def test_a_bound_that_is_compared_at_may_not_get_lost() -> None:
    """Without it the numbers are implausible; a bound that nothing hangs on is given up."""
    bounds = (*BOUNDS, 6.4, 12.8)
    before = fed(bounds=bounds)
    needed = before.guards[0].evidence.evidence.cuts
    idle = next(i for i in range(len(bounds)) if i not in needed)
    place = ("latency", 900.0, 910.0, "ten", 0.5)

    def without(at: int) -> Any:
        kept = bounds[:at] + bounds[at + 1 :]
        sample = Histogram(kept, (7,) * (len(kept) + 1))
        return update(RULES, before, [Reading(*place, sample, sample)]).guards[0]

    assert without(needed[0]).sight.problem == "implausible"
    assert without(needed[0]).evidence is before.guards[0].evidence
    after = without(idle).evidence
    assert without(idle).sight.problem is None
    assert len(after.bounds) == len(bounds) - 1
    assert [after.bounds[cut] for cut in after.evidence.cuts] == [bounds[cut] for cut in needed]
    assert after.seen.sum() == before.guards[0].evidence.seen.sum() + 7 * len(bounds)
    assert math.isfinite(LatencyKind().harm(RULES.guards[0], RULES, after))


def test_versions_with_unlike_buckets_are_compared_at_what_they_share() -> None:
    """From the very first reading on; without any shared bound nothing can be said."""
    one = Histogram((0.1, 0.2, 0.4), (300, 200, 100, 50))
    other = Histogram((0.1, 0.3, 0.4), (300, 150, 150, 50))
    state = update(RULES, begin(RULES), [Reading("latency", 0, 10, "ten", 0.5, one, other)])
    assert state.guards[0].evidence.bounds == (0.1, 0.4)
    state = update(
        RULES,
        begin(RULES),
        [Reading("latency", 0, 10, "ten", 0.5, one, Histogram((0.7,), (1, 1)))],
    )
    assert state.guards[0].sight.problem == "implausible"


def test_noise_of_the_arms_makes_evidence_smaller() -> None:
    """Where arms differ by themselves, cuts and tilt both speak more softly."""
    noisy = replace(RULES, guards=(replace(RULES.guards[0], dispersion=Dispersion(1.5, 0.001)),))
    loud, soft = fed(times=40).guards[0].evidence, fed(noisy, times=40).guards[0].evidence
    kind = LatencyKind()
    assert kind.harm(noisy.guards[0], noisy, soft) < kind.harm(RULES.guards[0], RULES, loud) - 1
    assert soft.tilt.wager.harm.max() < loud.tilt.wager.harm.max() - 1


def test_durations_have_one_direction() -> None:
    """A rule under which shorter is worse is refused."""
    wrong = replace(RULES, guards=(replace(RULES.guards[0], direction="less_is_worse"),))
    with pytest.raises(InputError) as error:
        begin(wrong)
    assert "a longer duration is always the worse one" in str(error.value.details)
