"""Noise of the arms' own: what divides the evidence, and how it is learned from history."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from rollway.errors import InputError
from rollway.judge import Dispersion, GuardRule, Rules, begin
from rollway.judge import comparison as comparisons
from rollway.judge import dispersion as dispersions
from rollway.judge.dispersion import CAUTIOUS, NONE, Blocks, Prior, factor, learn, scaled
from rollway.judge.logs import FloatArray
from rollway.judge.onset import Interval
from rollway.judge.processes import Arms

WEAK = Prior(CAUTIOUS.dispersion, blocks=0.5)


def arms(*counts: float) -> Arms:
    return Arms(*(np.array([count]) for count in counts))


def blocks(
    rng: np.random.Generator, number: int, *, spread: float = 0.0, kept: float = 0.0, cluster: int = 1
) -> Blocks:
    """Five-minute blocks at shares of 1%, 10% and 50% of 30,000 requests with an error rate of 1%.

    spread: the standard deviation of each arm's log rate; kept: its correlation from block to block;
    cluster: how many events each failure brings.
    """
    share = np.resize(np.repeat((0.01, 0.1, 0.5), 12), number)
    luck = np.empty((number, 2))
    luck[0] = spread * rng.normal(size=2)
    for i in range(1, number):
        luck[i] = kept * luck[i - 1] + math.sqrt(1 - kept**2) * spread * rng.normal(size=2)
    trials = np.stack((30_000 * share, 30_000 * (1 - share)), axis=1)
    bad = cluster * rng.poisson(trials * 0.01 / cluster * np.exp(luck)).astype(np.float64)
    return Blocks(300.0 * np.arange(number), trials[:, :1], bad[:, :1], trials[:, 1:], bad[:, 1:])


def test_without_noise_of_their_own_nothing_is_divided() -> None:
    """The default changes no evidence at all."""
    seen, interval = arms(100, 9, 900, 18), Interval("one", 0.0, 10.0, 60.0)
    plain = comparisons.compare(comparisons.start(1), seen, interval, tolerance=1.0, margin=1.5)
    none = comparisons.compare(
        comparisons.start(1), seen, interval, tolerance=1.0, margin=1.5, dispersion=Dispersion()
    )
    assert comparisons.harm_of(plain, 60.0) == comparisons.harm_of(none, 60.0)
    assert NONE.is_none
    assert not Dispersion(1.2).is_none
    assert not Dispersion(1.0, 0.1).is_none


def test_the_factor_follows_its_formula() -> None:
    """phi = phi0 + tau^2 D pi (1 - pi) over a block, with the null's share of the events."""
    noise = Dispersion(floor=2.0, growth=0.05, block_seconds=300.0)
    share = 100 * 1.5 / (100 * 1.5 + 900)
    expected = 2.0 + 0.05 * 27 * 5 * share * (1 - share)
    assert factor(noise, arms(100, 9, 900, 18), 1.5, 60.0)[0] == pytest.approx(expected)
    assert factor(noise, arms(0, 0, 900, 18), 1.5, 60.0)[0] == 2.0
    assert factor(Dispersion(0.2, -1.0), arms(100, 9, 900, 18), 1.5, 60.0)[0] == 1.0


def test_the_factor_takes_the_events_of_a_block_not_of_a_moment() -> None:
    """One event in one second is no proof of 300 in five minutes, once the seconds before had none."""
    noise, pace = Dispersion(1.0, 0.05, 300.0), dispersions.start(1)
    quiet, event = arms(50, 0, 50, 0), arms(50, 1, 50, 0)
    for _ in range(200):
        pace = dispersions.move(pace, noise, quiet, 1.0)
    pace = dispersions.move(pace, noise, event, 1.0)
    assert factor(noise, event, 1.0, 1.0)[0] > 4
    assert factor(noise, event, 1.0, 1.0, pace)[0] < 1.05


@pytest.mark.parametrize("seconds", [5.0, 30.0, 60.0])
def test_the_factor_does_not_depend_on_the_tick(seconds: float) -> None:
    """At a steady pace a short tick and a long one are divided by the same."""
    noise, pace = Dispersion(1.0, 0.05, 300.0), dispersions.start(1)
    seen = arms(10 * seconds, 0.1 * seconds, 90 * seconds, 0.9 * seconds)
    for _ in range(20):
        pace = dispersions.move(pace, noise, seen, seconds)
    assert factor(noise, seen, 1.0, seconds, pace)[0] == pytest.approx(1 + 0.05 * 300 * 0.09)


def test_bounds_that_people_see_widen_with_the_noise() -> None:
    """The ratio stays where it is; its 95% interval is that of the divided evidence."""
    from rollway.judge import ratio as ratios

    plain, noisy = comparisons.start(1), comparisons.start(1)
    for tick in range(20):
        interval, seen = Interval("one", 10.0 * tick, 10.0, 600.0), arms(1000, 40, 1000, 40)
        plain = comparisons.compare(plain, seen, interval, tolerance=1.0, margin=None)
        noisy = comparisons.compare(
            noisy, seen, interval, tolerance=1.0, margin=None, dispersion=Dispersion(5.0)
        )
    assert ratios.estimate(noisy.ratio, 0) == pytest.approx(1.0)
    assert ratios.rates(noisy.ratio, 0) == pytest.approx((0.04, 0.04))
    narrow, wide = ratios.bounds(plain.ratio, 0), ratios.bounds(noisy.ratio, 0)
    assert narrow[0] is not None
    assert wide[0] is not None
    assert wide[0] < narrow[0] < 1.0
    by_hand = comparisons.compare(
        comparisons.start(1),
        arms(4000, 160, 4000, 160),
        Interval("one", 0.0, 10.0, 600.0),
        tolerance=1.0,
        margin=None,
    )
    assert wide == pytest.approx(ratios.bounds(by_hand.ratio, 0))


@pytest.mark.parametrize(
    "wrong",
    [
        Dispersion(math.nan),
        Dispersion(0.9),
        Dispersion(1.0, -0.1),
        Dispersion(1.0, math.inf),
        Dispersion(1, 0, 0),
    ],
)
def test_noise_that_cannot_be_divided_by_is_refused(wrong: Dispersion) -> None:
    """Evidence is never NaN: what would make it so does not get past the rules."""
    with pytest.raises(InputError, match="cannot work with these rules"):
        begin(Rules((GuardRule("errors", "rate", dispersion=wrong),)))


def test_scaling_scales_the_factor() -> None:
    """Three times the dispersion divides by three times as much."""
    noise, seen = Dispersion(1.5, 0.05, 200.0), arms(100, 9, 900, 18)
    assert factor(scaled(noise, 3.0), seen, 1.1, 10.0) == pytest.approx(3 * factor(noise, seen, 1.1, 10.0))


# --- learning -----------------------------------------------------------------------------------------


def learned(spread: float, kept: float = 0.0, cluster: int = 1, prior: Prior = WEAK) -> FloatArray:
    """floor, growth and block_seconds over 40 histories of a day, shape (40, 3)."""
    rng = np.random.default_rng(59)
    found = [learn(blocks(rng, 288, spread=spread, kept=kept, cluster=cluster), prior) for _ in range(40)]
    return np.array([(each.floor, each.growth, each.block_seconds) for each in found])


def test_arms_that_differ_are_learned_as_growth() -> None:
    """Two arms with 20% noise each: the variance of the log ratio is 0.08, and no clusters are seen."""
    floor, growth, _ = np.median(learned(0.2), axis=0)
    assert growth == pytest.approx(0.08, rel=0.15)
    assert floor < 1.6


def test_clusters_are_learned_as_a_floor() -> None:
    """Failures that bring four events each: a factor of four at any traffic, and no growth to speak of."""
    floor, growth, _ = np.median(learned(0.0, cluster=4), axis=0)
    assert floor == pytest.approx(4.0, rel=0.25)
    assert growth < 0.01


def test_arms_that_are_alike_are_learned_as_nearly_none() -> None:
    """Chance alone leaves a factor near 1 over a day of history."""
    floor, growth, _ = np.median(learned(0.0), axis=0)
    assert floor < 1.3
    assert growth < 0.003


def test_luck_that_is_kept_is_learned_as_longer_blocks() -> None:
    """Luck with a correlation of 0.6 from block to block counts for longer than luck without."""
    fresh, kept = (np.median(learned(0.2, kept=each), axis=0)[2] for each in (0.0, 0.6))
    assert fresh < 450
    tapered = 1 + 2 * sum((1 - lag / 5) * 0.6**lag for lag in range(1, 5))
    assert kept == pytest.approx(300 * tapered, rel=0.25)


def test_a_pair_across_a_gap_is_no_neighbour() -> None:
    """Luck is only followed between blocks that lie next to each other in time."""
    history = blocks(np.random.default_rng(61), 96, spread=0.2, kept=0.9)
    apart = replace(history, starts=history.starts * 10)
    assert learn(apart, WEAK).block_seconds < 400 < learn(history, WEAK).block_seconds


def test_no_history_is_the_prior_and_little_history_is_near_it() -> None:
    """A new service is taken to have ordinary noise, not none; a day of quiet history persuades."""
    history = blocks(np.random.default_rng(67), 288)
    nothing, hour, day = (_first(history, number) for number in (0, 12, 288))
    assert learn(nothing) == CAUTIOUS.dispersion
    assert not CAUTIOUS.dispersion.is_none
    assert learn(hour).growth > 0.3 * CAUTIOUS.dispersion.growth
    assert learn(day).growth < 0.15 * CAUTIOUS.dispersion.growth
    strong = replace(CAUTIOUS, blocks=5000.0)
    assert learn(day, strong).growth > 0.5 * CAUTIOUS.dispersion.growth


def _first(history: Blocks, number: int) -> Blocks:
    counts = (
        history.candidate_trials,
        history.candidate_bad,
        history.baseline_trials,
        history.baseline_bad,
    )
    return Blocks(history.starts[:number], *(each[:number] for each in counts))


def test_the_noisiest_row_counts() -> None:
    """Of a quiet cut and a noisy one the noisy one is what both are divided by."""
    rng = np.random.default_rng(71)
    quiet, noisy = blocks(rng, 96), blocks(rng, 96, spread=0.3)
    both = Blocks(
        quiet.starts,
        *(
            np.hstack((getattr(quiet, name), getattr(noisy, name)))
            for name in ("candidate_trials", "candidate_bad", "baseline_trials", "baseline_bad")
        ),
    )
    assert learn(both).growth == learn(noisy).growth
    assert learn(both).growth > 3 * learn(quiet).growth


def test_swapping_the_arms_teaches_the_same() -> None:
    """Which arm is called the candidate does not matter to the noise between them."""
    one = blocks(np.random.default_rng(73), 96, spread=0.2)
    other = Blocks(one.starts, one.baseline_trials, one.baseline_bad, one.candidate_trials, one.candidate_bad)
    assert learn(one).floor == pytest.approx(learn(other).floor)
    assert learn(one).growth == pytest.approx(learn(other).growth)


def test_one_arm_alone_teaches_nothing_and_is_refused() -> None:
    """Without a concurrent control there is no answer, and the message says what to record instead."""
    history = blocks(np.random.default_rng(79), 12)
    alone = replace(
        history, baseline_trials=history.baseline_trials * 0, baseline_bad=history.baseline_bad * 0
    )
    with pytest.raises(InputError, match="only one arm") as caught:
        learn(alone)
    assert "split at random" in caught.value.hint


def test_blocks_that_cannot_be_right_are_refused() -> None:
    """Shapes that do not fit, counts that are none, and blocks that overlap."""
    history = blocks(np.random.default_rng(83), 12)
    for wrong in (
        replace(history, candidate_bad=history.candidate_bad[:5]),
        replace(history, candidate_bad=history.candidate_bad * np.nan),
        replace(history, baseline_bad=-history.baseline_bad - 1),
        replace(history, starts=history.starts / 2),
    ):
        with pytest.raises(InputError, match="blocks of history"):
            learn(wrong)


# --- what it is for -----------------------------------------------------------------------------------


def false_rollbacks(rng: np.random.Generator, noise: Dispersion, per_second: float, runs: int) -> float:
    """Of healthy ramps of 3 x 20 minutes with 20% noise of each arm: how many reach 1/0.05."""
    kept, compared, most = math.exp(-60 / 300), comparisons.start(runs), np.zeros(runs)
    luck = 0.2 * rng.normal(size=(2, runs))
    for tick in range(60):
        luck = kept * luck + math.sqrt(1 - kept**2) * 0.2 * rng.normal(size=(2, runs))
        share = (0.01, 0.1, 0.5)[tick // 20]
        new = rng.poisson(60 * per_second * share, runs)
        old = rng.poisson(60 * per_second * (1 - share), runs)
        rates = np.minimum(1.0, 0.01 * np.exp(luck - 0.02))
        counts = new, rng.binomial(new, rates[0]), old, rng.binomial(old, rates[1])
        interval = Interval(str(share), 60.0 * tick, 60.0, 3600.0)
        seen = Arms(*(each.astype(np.float64) for each in counts))
        compared = comparisons.compare(compared, seen, interval, tolerance=1.0, margin=None, dispersion=noise)
        most = np.maximum(most, comparisons.harm_of(compared, 3600.0))
    return float(np.mean(most >= math.log(20)))


@pytest.mark.parametrize("per_second", [100.0, 10_000.0])
def test_arms_with_their_own_luck_seldom_cause_a_false_rollback(per_second: float) -> None:
    """With what eight hours of such luck teach, at most 8% at alpha 5%; without it, far more."""
    rng = np.random.default_rng(89)
    number, kept = 480, math.exp(-60 / 300)
    luck = np.zeros((number, 2))
    for i in range(1, number):
        luck[i] = kept * luck[i - 1] + math.sqrt(1 - kept**2) * 0.2 * rng.normal(size=2)
    share = np.resize(np.repeat((0.01, 0.1, 0.5), 20), number)
    trials = 60 * per_second * np.stack((share, 1 - share), axis=1)
    bad = rng.poisson(trials * 0.01 * np.exp(luck - 0.02))
    sums = [each.reshape(96, 5, 2).sum(axis=1).astype(np.float64) for each in (trials, bad)]
    history = Blocks(300.0 * np.arange(96), sums[0][:, :1], sums[1][:, :1], sums[0][:, 1:], sums[1][:, 1:])
    assert false_rollbacks(rng, learn(history), per_second, 400) <= 0.08
    assert false_rollbacks(rng, NONE, per_second, 400) > 0.25
