"""Healthy history replayed: how often it would have been rolled back, and what that shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from rollway.errors import InputError
from rollway.judge import Counts, Depths, Dispersion, GuardRule, Histogram, Moments, Reading, Rules
from rollway.judge.calibration import (
    Calibration,
    blocks_of,
    calibrate,
    conclusions,
    cut,
    share_bounds,
    windows_to_show,
    with_factor,
    with_learned_dispersion,
)

RULES = Rules((GuardRule("errors", "rate", tolerance=1.0),), alpha=0.05, planned_seconds=1200.0)
WINDOW = 1200.0


def history(
    hours: float, *, spread: float = 0.2, seed: int = 97, share: float = 0.5, kpi: str = "errors"
) -> list[Reading]:
    """Two arms of the old version at 100 requests per second, a reading each minute, 1% errors.

    Each arm's rate has its own luck with a standard deviation of `spread`, kept for five minutes.
    """
    rng, kept = np.random.default_rng(seed), math.exp(-60 / 300)
    luck, readings = np.zeros(2), []
    for i in range(round(60 * hours)):
        luck = kept * luck + math.sqrt(1 - kept**2) * spread * rng.normal(size=2)
        trials = rng.poisson((6000 * share, 6000 * (1 - share)))
        bad = rng.binomial(trials, np.minimum(0.01 * np.exp(luck), 1.0))
        arms = [Counts(int(n), int(d)) for n, d in zip(trials, bad, strict=True)]
        readings.append(Reading(kpi, 60.0 * i, 60.0 * i + 60, "aa", share, *arms))
    return readings


@pytest.fixture(scope="module")
def windows() -> list[list[Reading]]:
    """Sixty windows of 20 minutes with 20% noise of each arm."""
    return cut(history(20), WINDOW)


@pytest.fixture(scope="module")
def found(windows: list[list[Reading]]) -> Calibration:
    return calibrate(RULES, windows)


def test_history_counts_whole_for_a_guard_of_some_stages(
    windows: list[list[Reading]], found: Calibration
) -> None:
    """What is recorded of two healthy arms bears the stages of another rollout, or of none."""
    guards = (replace(RULES.guards[0], stages=("cutover",)),)
    assert calibrate(replace(RULES, guards=guards), windows).tried == found.tried


# --- cutting ------------------------------------------------------------------------------------------


def test_windows_lie_side_by_side_and_hold_everything_once() -> None:
    """An hour and ten minutes make three windows of 20 minutes; the rest is left out."""
    readings = history(70 / 60)
    windows = cut(reversed(readings), WINDOW)
    assert [len(window) for window in windows] == [20, 20, 20]
    assert [reading for window in windows for reading in window] == readings[:60]


def test_only_exposed_windows_with_both_arms_count() -> None:
    """What could not have been rolled back must not make the share look small."""
    readings = history(1)
    silent = [replace(each, candidate=None) if each.end <= WINDOW else each for each in readings]
    assert len(cut(silent, WINDOW)) == 2
    assert cut([replace(each, share=0.0) for each in readings], WINDOW) == []
    down = [replace(each, problem="source_down") for each in readings]
    assert cut(down, WINDOW) == []
    assert cut([], WINDOW) == cut(readings, 0.0) == cut(readings, 7200.0) == []


def test_of_too_many_windows_the_latest_are_kept() -> None:
    """`most` counts from the end; 0 keeps none."""
    readings = history(1)
    assert cut(readings, WINDOW, 1) == cut(readings, WINDOW)[-1:]
    assert cut(readings, WINDOW, 0) == []
    assert len(cut(readings, WINDOW, 9)) == 3


# --- the bounds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "trials", "low", "high"),
    # From the closed forms for none and all, and the published tables of Clopper and Pearson.
    [(0, 200, 0.0, 0.01828), (10, 10, 0.69150, 1.0), (5, 100, 0.01643, 0.11284), (1, 20, 0.00127, 0.24873)],
)
def test_the_bounds_are_those_of_clopper_and_pearson(
    count: int, trials: int, low: float, high: float
) -> None:
    """Exact bounds agree with the tables."""
    assert share_bounds(count, trials) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3])
def test_the_bounds_hold_the_truth_often_enough(share: float) -> None:
    """Summed over every count that may be seen, the true share is inside at least 95% of the time."""
    trials, inside = 60, 0.0
    for count in range(trials + 1):
        low, high = share_bounds(count, trials)
        chance = math.comb(trials, count) * share**count * (1 - share) ** (trials - count)
        inside += chance * (low <= share <= high)
    assert inside >= 0.95


def test_how_many_windows_show_a_share() -> None:
    """368 clean windows show 1%, and 367 do not: 200 never can."""
    assert windows_to_show(0.01) == 368
    assert share_bounds(0, 368)[1] <= 0.01 < share_bounds(0, 367)[1]
    assert share_bounds(0, 200)[1] > 0.01


# --- calibrating --------------------------------------------------------------------------------------


def test_noise_that_is_not_known_of_is_seen_in_the_replay(found: Calibration) -> None:
    """Without dispersion a good part of healthy windows is rolled back; with the multiplier few are."""
    assert found.before.share > 0.15
    assert found.multiplier is not None
    assert found.multiplier > 1
    assert found.after.share <= RULES.alpha
    assert found.after.windows == 60


def test_the_multiplier_is_the_smallest_of_the_ladder(
    found: Calibration, windows: list[list[Reading]]
) -> None:
    """Every lower rung, judged on all windows, rolls back too many."""
    from rollway.judge.calibration import LADDER

    below = [each for each in LADDER if each < (found.multiplier or 0)]
    last = calibrate(with_factor(RULES, below[-1]), windows, ladder=(1.0,))
    assert last.multiplier is None
    assert last.after.share > RULES.alpha


def test_the_rules_that_come_back_realise_what_was_said(
    found: Calibration, windows: list[list[Reading]]
) -> None:
    """Judged with the returned rules, the same windows give the same share, and need no more."""
    again = calibrate(found.rules, windows)
    assert again.multiplier == 1.0
    assert again.before == again.after == found.after
    assert found.rules.guards[0].dispersion == Dispersion(floor=found.multiplier or 0.0)


def test_the_same_windows_give_the_same_answer(found: Calibration, windows: list[list[Reading]]) -> None:
    """Nothing is drawn at random."""
    assert calibrate(RULES, windows) == found


def test_the_work_is_bounded(found: Calibration) -> None:
    """Of the eighteen rungs of the ladder only a few are tried."""
    assert len(found.tried) <= 8


def test_what_is_learned_needs_little_more() -> None:
    """Eight hours teach enough that of twenty more hours hardly a window is rolled back."""
    learned = with_learned_dispersion(RULES, history(8, seed=101))
    assert not learned.guards[0].dispersion.is_none
    assert calibrate(learned, cut(history(20, seed=103), WINDOW)).before.share <= 0.05


def test_quiet_history_is_left_as_it_is() -> None:
    """Arms that are alike need no dispersion: the multiplier stays 1, and all is tried once."""
    quiet = calibrate(RULES, cut(history(10, spread=0.0), WINDOW))
    assert quiet.multiplier == 1.0
    assert quiet.before == quiet.after
    assert len(quiet.tried) == 1


def test_arms_that_are_not_alike_cannot_be_mended() -> None:
    """Where one arm fails ten times as often no multiplier of a short ladder helps, and that is said."""
    readings = [
        replace(each, candidate=Counts(each.candidate.trials, min(10 * each.candidate.bad, 3000)))
        for each in history(4, spread=0.0)
        if isinstance(each.candidate, Counts)
    ]
    found = calibrate(RULES, cut(readings, WINDOW), ladder=(1.0, 2.0, 3.0))
    assert found.multiplier is None
    assert found.after.share == 1.0
    assert any("No multiplier up to 3" in sentence for sentence in conclusions(found))


def test_no_window_at_all_is_refused() -> None:
    """Nothing replayed is not "no false rollback"."""
    with pytest.raises(InputError, match="no window of history"):
        calibrate(RULES, [])


def test_few_windows_are_said_to_show_little() -> None:
    """Of thirty clean windows it is said what they do not show, and how many would."""
    quiet = calibrate(replace(RULES, alpha=0.01), cut(history(10, spread=0.0), WINDOW))
    told = " ".join(conclusions(quiet))
    assert quiet.after.rolled_back == 0
    assert not quiet.is_shown
    assert "does not show a share of at most 1.00%" in told
    assert "368 windows" in told
    assert "independent" in told


def test_a_share_that_is_shown_is_not_called_unshown() -> None:
    """Enough clean windows carry the claim."""
    clean = calibrate(replace(RULES, alpha=0.2), cut(history(10, spread=0.0), WINDOW))
    assert clean.is_shown
    assert "does not show" not in " ".join(conclusions(clean))


# --- learning from readings ---------------------------------------------------------------------------


def test_blocks_add_up_the_readings() -> None:
    """Ten minutes are two blocks of five readings each, with nothing lost."""
    readings = history(10 / 60)
    blocks = blocks_of(RULES.guards[0], readings)
    assert blocks is not None
    assert blocks.starts.tolist() == [0.0, 300.0]
    trials = sum(each.candidate.trials for each in readings[:5] if isinstance(each.candidate, Counts))
    bad = sum(each.baseline.bad for each in readings[5:] if isinstance(each.baseline, Counts))
    assert blocks.candidate_trials[0, 0] == trials
    assert blocks.baseline_bad[1, 0] == bad


def test_a_block_in_which_the_share_changes_is_left_out() -> None:
    """Its sums would show a difference that is none of the arms' own."""
    readings = history(15 / 60)
    readings[7] = replace(readings[7], share=0.1)
    blocks = blocks_of(RULES.guards[0], readings)
    assert blocks is not None
    assert blocks.starts.tolist() == [0.0, 600.0]


def test_what_is_no_evidence_teaches_nothing() -> None:
    """Readings with a problem, of another KPI, incomplete or before exposure are passed over."""
    readings = history(5 / 60)
    others: list[Sequence[Reading]] = [
        [replace(each, problem="implausible") for each in readings],
        [replace(each, kpi="other") for each in readings],
        [replace(each, is_complete=False) for each in readings],
        [replace(each, share=0.0) for each in readings],
    ]
    for each in others:
        blocks = blocks_of(RULES.guards[0], each)
        assert blocks is not None
        assert len(blocks.starts) == 0


def test_long_readings_make_long_blocks() -> None:
    """A reading of ten minutes cannot be cut in two."""
    readings = [
        Reading("errors", 600.0 * i, 600.0 * i + 600, "aa", 0.5, Counts(9, 1), Counts(9, 2)) for i in (0, 1)
    ]
    blocks = blocks_of(RULES.guards[0], readings)
    assert blocks is not None
    assert blocks.block_seconds == 600.0
    assert blocks.baseline_bad.tolist() == [[2.0], [2.0]]


def test_depths_and_latency_are_learned_row_by_row() -> None:
    """A row for each depth, and one for each cut of the old version's durations."""
    depths = [Reading("users", 0.0, 300.0, "aa", 0.5, Depths(100, (9, 2)), Depths(100, (7, 1)))]
    found = blocks_of(GuardRule("users", "depths"), depths)
    assert found is not None
    assert found.candidate_bad.tolist() == [[9.0, 2.0]]
    slow = Histogram((0.1, 0.5), (900, 90, 10))
    found = blocks_of(GuardRule("speed", "latency"), [Reading("speed", 0.0, 300.0, "aa", 0.5, slow, slow)])
    assert found is not None
    assert found.candidate_bad.tolist() == [[100.0, 10.0]]
    assert found.candidate_trials.tolist() == [[1000.0, 1000.0]]


def test_histograms_of_unlike_buckets_are_learned_on_shared_bounds() -> None:
    """A bucket that only some readings have is merged away."""
    fine, coarse = Histogram((0.1, 0.2, 0.5), (900, 50, 40, 10)), Histogram((0.1, 0.5), (900, 90, 10))
    readings = [
        Reading("speed", 0.0, 100.0, "aa", 0.5, fine, coarse),
        Reading("speed", 100.0, 200.0, "aa", 0.5, coarse, fine),
    ]
    found = blocks_of(GuardRule("speed", "latency"), readings)
    assert found is not None
    assert found.candidate_bad.tolist() == found.baseline_bad.tolist() == [[200.0, 20.0]]


def test_kinds_that_count_nothing_are_left_alone() -> None:
    """A mean's noise is not learned from counts, but multiplied; an assignment has none at all."""
    rules = Rules((GuardRule("basket", "mean", bound=10.0),))
    readings = [Reading("basket", 0.0, 300.0, "aa", 0.5, Moments(9, 9.0, 9.0), Moments(9, 9.0, 9.0))]
    assert with_learned_dispersion(rules, readings) == rules
    assert with_factor(rules, 3.0).guards[0].dispersion.floor == 3.0
    paused = Rules((GuardRule("split", "assignment"),))
    assert with_factor(paused, 3.0) == paused


def test_history_of_one_arm_is_refused_by_name() -> None:
    """The message names the KPI, and says what to record."""
    alone = [replace(each, baseline=None) for each in history(1)]
    with pytest.raises(InputError, match=r"errors: .*only one arm"):
        with_learned_dispersion(RULES, alone)
