"""The difference of two means that the data leave open: for people to look at, not for deciding."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rollway.judge.logs import FloatArray, floats, log_sum
from rollway.judge.quick import quick

CONFIDENCE = 0.95
# Far more steps than are ever needed.
MOST_STEPS = 60
# Bets on differences of so many standard deviations of one unit; a factor of 2 between two of them costs
# at most a ninth of the evidence.
EFFECTS = floats(0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28)
LOG_EFFECT_PRIOR = np.log(floats(0.04, 0.08, 0.12, 0.16, 0.18, 0.16, 0.12, 0.08, 0.06))


@quick
@dataclass(frozen=True, slots=True)
class Band:
    """Sums over all intervals of gains and stakes against m_t - m_c <= a, upwards, and >= a, for any a.

    Each of shape (rows, 2 effects), upwards first: log wealth is gain - stake a upwards, gain + stake a
    downwards.
    """

    gain: FloatArray
    stake: FloatArray


def start(rows: int) -> Band:
    return Band(np.zeros((rows, 2 * len(EFFECTS))), np.zeros((rows, 2 * len(EFFECTS))))


def bounds(band: Band, row: int) -> tuple[float | None, float | None]:
    """The differences m_t - m_c that the data leave open at 95%, at every look at once; None: open-ended.

    Against each difference the wealth of the even-handed mixture over EFFECTS must stay below
    2/(1 - CONFIDENCE) on either side (Ville's inequality), for a difference that stays the same.
    """
    gains, stakes = (np.split(each[row], 2) for each in (band.gain, band.stake))
    low, high = map(_lowest, gains, stakes)
    return low, None if high is None else -high


def _lowest(gain: FloatArray, stake: FloatArray) -> float | None:
    """Where the falling log of sum of p exp(gain - stake x) meets the threshold.

    The curve is convex, so steps of Newton from the left never go beyond.
    """
    if not (stake > 0).all():
        return None
    threshold = math.log(2 / (1 - CONFIDENCE))
    low = float(np.max((gain + LOG_EFFECT_PRIOR - threshold) / stake))
    high = float(np.max((gain - threshold) / stake))
    for _ in range(MOST_STEPS):
        logs = LOG_EFFECT_PRIOR + gain - stake * low
        level = float(log_sum(logs))
        moved = min(low + (level - threshold) / float(np.exp(logs - level).dot(stake)), high)
        if not moved > low:
            break
        low = moved
    return low
