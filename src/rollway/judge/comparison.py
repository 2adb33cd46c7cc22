"""All that comparing the two versions' rates interval by interval teaches: harm, safety, the ratio."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rollway.judge import dispersion as dispersions
from rollway.judge import ratio as ratios
from rollway.judge import stretch as stretches
from rollway.judge import wager as wagers
from rollway.judge.dispersion import NONE, Dispersion, Pace
from rollway.judge.logs import FloatArray
from rollway.judge.model import Direction
from rollway.judge.onset import Interval, Moved
from rollway.judge.processes import (
    EFFECTS,
    LOG_EFFECT_PRIOR,
    LOG_SAFE_PRIOR,
    Arms,
    Stakes,
    are_comparable,
    increments,
    ratio_increment,
    safe_multipliers,
    stakes_on,
    strata,
    swapped,
)
from rollway.judge.quick import quick
from rollway.judge.ratio import NODES, Ratio
from rollway.judge.stretch import Stretch
from rollway.judge.wager import Odds, Wager

ODDS = Odds(LOG_EFFECT_PRIOR, LOG_SAFE_PRIOR)
# Where in a row of increments the bets on harm and on safety stand, and what the ratio takes.
HARM = slice(0, len(EFFECTS))
SAFE = slice(HARM.stop, HARM.stop + len(LOG_SAFE_PRIOR))
SHOWN = slice(SAFE.stop, None)


@quick
@dataclass(frozen=True, slots=True)
class Comparison:
    """One test per row: a rate has one, the durations of requests one for each cut."""

    wager: Wager
    ratio: Ratio
    stretch: Stretch
    pace: Pace


def start(rows: int) -> Comparison:
    return Comparison(
        wagers.start(rows, ODDS), ratios.start(rows), stretches.start(rows), dispersions.start(rows)
    )


def compare(
    comparison: Comparison,
    arms: Arms,
    interval: Interval,
    *,
    tolerance: float,
    margin: float | None,
    dispersion: Dispersion = NONE,
    direction: Direction = "more_is_worse",
    moved: Moved | None = None,
) -> Comparison:
    """The comparison after one more interval. Without trials in both arms of any row nothing changes.

    `tolerance` is the ratio candidate/baseline that harm must exceed, `margin` the one that safety must
    stay below; None where the stage asks for none. Where less is worse the events are good ones, the
    arms change places in the tests, and both bound baseline/candidate: the proof in `ratio_increment`
    names no arm, so it holds for them as they are handed over. Ratio and stretch, which people see,
    keep the arms as they are. `moved`: see `wager.add`.
    """
    if not are_comparable(arms):
        return comparison
    is_reversed = direction == "less_is_worse"
    tested = swapped(arms) if is_reversed else arms
    nulls, multipliers, stakes = _bets(tolerance, margin)
    n_t, n_c = tested.candidate_trials, tested.baseline_trials
    if isinstance(n_t, float) and isinstance(n_c, float):
        told = increments(tested, n_t, n_c, stakes)
    else:
        told = ratio_increment(tested, nulls, multipliers)
    pace, counted = comparison.pace, strata(arms)
    summed = counted
    if not dispersion.is_none:
        pace = dispersions.move(pace, dispersion, tested, interval.seconds)
        divisors = dispersions.factors(dispersion, tested, nulls, interval.seconds, pace)
        told /= divisors
        # The last of the nulls is that the versions are alike.
        summed = counted / divisors[:, -1]
    # The evidence for a ratio r of the arms in each other's place is that for 1/r of the arms.
    # Copies, for what lies together is added up in half the time.
    gains = (told[:, SHOWN][:, ::-1] if is_reversed else told[:, SHOWN]).copy()
    gains += comparison.ratio.gains
    against = told[:, HARM].copy()
    for_safety = None if margin is None else told[:, SAFE]
    return Comparison(
        wagers.add(comparison.wager, _odds(len(against)), interval, against, for_safety, moved),
        Ratio(gains, comparison.ratio.strata + summed),
        stretches.add(comparison.stretch, counted, against, interval.start),
        pace,
    )


@lru_cache(maxsize=64)
def _odds(rows: int) -> Odds:
    """The odds written out for every row, which are added to its wealth more quickly."""
    return Odds(np.tile(ODDS.log_effects, (rows, 1)), ODDS.log_bets)


@lru_cache(maxsize=256)
def _bets(tolerance: float, margin: float | None) -> tuple[FloatArray, FloatArray, Stakes]:
    """The nulls and multipliers of harm, of safety (1 where none is asked for, which bets nothing), and of
    the ratio, to be counted in one go; and both once more as they are quickest to use."""
    safe = np.ones(len(LOG_SAFE_PRIOR)) if margin is None else safe_multipliers(margin)
    parts = (np.full(len(EFFECTS), tolerance), np.full(len(safe), margin or 1.0), np.ones(len(NODES)))
    nulls, multipliers = np.concatenate(parts), np.concatenate((EFFECTS, safe, NODES))
    return nulls, multipliers, stakes_on(nulls, multipliers)


def harm_of(comparison: Comparison, planned_seconds: float) -> FloatArray:
    """log e-values against `rate_candidate <= tolerance * rate_baseline`, shape (rows,).

    Where less is worse: against `rate_baseline <= tolerance * rate_candidate`.
    """
    return wagers.harm_of(comparison.wager, planned_seconds)


def total_of(comparison: Comparison, planned_seconds: float) -> float:
    """log of the mean over rows of those e-values."""
    return wagers.total_of(comparison.wager, planned_seconds)


def safe_of(comparison: Comparison, stage: str) -> FloatArray:
    """log e-values against `rate_candidate >= margin * rate_baseline` in this stage, shape (rows,).

    Where less is worse: against `rate_baseline >= margin * rate_candidate`.
    """
    return wagers.safe_of(comparison.wager, stage)
