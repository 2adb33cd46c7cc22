"""How many requests an answer takes: for plans, before anything runs, and for what is still missing.

symbol  meaning
p       base_rate: the old version's rate of bad requests
w       share of the requests that the new version serves
D(a|b)  a log(a/b) + (1-a) log((1-a)/(1-b)), what one event tells, in nats
g m v   the judge's prior over effects, the effects, and the prior mass of an onset at the start
"""

from __future__ import annotations

import math

import numpy as np

from rollway.judge.logs import FloatArray
from rollway.judge.onset import AT_START
from rollway.judge.processes import EFFECTS, LOG_EFFECT_PRIOR

SMALLEST_NATS = 1e-9
LARGEST_LOG = 700.0
# The best of the bets is ahead of what it gains on average by half a nat: half of what a chi-square with
# one degree of freedom is on average, for one thing, the size of the fault, is learned from the data.
AHEAD_NATS = 0.5
# The last bad request carries the evidence past the threshold by half of what it is worth.
OVERSHOOT = 0.5
# What the mixture of safety bets costs, in nats.
SAFE_NATS = 0.35


def requests_to_detect(
    *, base_rate: float, ratio: float, share: float, alpha: float, tolerance: float = 1.0
) -> float:
    """Requests of the new version, on average, until evidence of harm reaches 1/alpha.

        N solves  log( v sum_k g_k exp(N I_k) ) = log(1/alpha) + log(ratio/tolerance)/2 - 1/2

    for a fault of `ratio` times the old rate that is there from the start: v is the prior mass of such an
    onset, g_k that of the bet on effect m_k, and I_k what a request adds to its log wealth on average,

        I_k = p ratio log m_k - p (w ratio + 1 - w)/w log( (w tolerance m_k + 1 - w)/(w tolerance + 1 - w) ).

    So the price of knowing neither size nor onset comes from the judge's own prior; the last two terms are
    the overshoot of the last bad request and the luck of the best bet. Measured against 1,500 drawn
    courses each at p of 0.1% to 5%, ratios of 1.2 to 10, shares of 1% to 50%, alpha of 0.05, 0.01 and
    0.0033, tolerances of 1 and 1.25: the measured mean is 0.90 to 1.14 times N.
    A guard among several reaches the threshold by itself at alpha times its share of the weights: pass
    that as `alpha`. Infinite where the fault is within tolerance, or so little above it that no bet gains
    from it, or where one version is not served.
    """
    if ratio <= tolerance or not (0 < share < 1 and base_rate > 0):
        return math.inf
    others = (1 - share) / share
    room = np.log((tolerance * EFFECTS + others) / (tolerance + others))
    gains = base_rate * (ratio * np.log(EFFECTS) - (ratio + others) * room)
    best = float(gains.max())
    if best <= 0:
        return math.inf
    needed = math.log(1 / alpha) + OVERSHOOT * math.log(ratio / tolerance) - AHEAD_NATS - math.log(AT_START)
    return _solve(gains, LOG_EFFECT_PRIOR, max(needed, 0.0) + SMALLEST_NATS)


def _solve(gains: FloatArray, log_prior: FloatArray, needed: float) -> float:
    """N with log sum g exp(N gains) = needed > 0, by bisection in log N.

    The sum is at most exp(N max gains), and at least its largest term, which gives where to look.
    """
    low = math.log(needed / float(gains.max()))
    high = low + math.log1p(float(-log_prior.min()) / needed) + 1e-9
    for _ in range(60 if high < LARGEST_LOG else 0):
        middle = (low + high) / 2
        if float(np.logaddexp.reduce(log_prior + math.exp(middle) * gains)) >= needed:
            high = middle
        else:
            low = middle
    return math.exp(high) if high < LARGEST_LOG else math.inf


def requests_to_clear(*, base_rate: float, margin: float, share: float, alpha_promote: float) -> float:
    """Requests of the new version, on average, until `margin` is excluded when both versions are equal.

        N = limit * factor,   limit = log(1/alpha_promote) / information,
        factor = 1 + 0.35 / log(1/alpha_promote)

    Source and measurement as for `requests_to_detect`, at margins of 1.1 to 3: N is within 10% of the
    measured mean. Half of all healthy releases take longer; every stage starts anew. Of a latency gate
    the slower of two tests counts, and that is the one where a hundredth of the old version's requests
    are slower: pass a `base_rate` of 0.01. Infinite where the margin is 1 or less, or share is 0 or 1.
    """
    if margin <= 1:
        return math.inf
    nats = math.log(1 / alpha_promote) + SAFE_NATS
    return _requests(base_rate, truth=1.0, null=margin, share=share, nats=nats)


def information(*, base_rate: float, truth: float, null: float, share: float) -> float:
    """Nats that one request of the new version tells about `ratio = null` when it is `truth`.

        p ((w truth + 1 - w) / w) D(a|b),   a = w truth/(w truth + 1 - w),   b = w null/(w null + 1 - w)

    Events arrive at the rate in front; each falls on the new version with probability a under the truth
    and b under the null. No test that does not know the base rate learns faster (Wald 1945 for the
    likelihood ratio of the events' labels).
    """
    if not (0 < share < 1 and base_rate > 0 and truth > 0 and null > 0):
        return 0.0
    events, expected = share * truth + 1 - share, share * null + 1 - share
    # a/b and (1-a)/(1-b) written out, so that a ratio that leaves no room for 1-a stays finite.
    told = share * truth * math.log(truth * expected / (null * events))
    told += (1 - share) * math.log(expected / events)
    return base_rate / share * told


def _requests(base_rate: float, *, truth: float, null: float, share: float, nats: float) -> float:
    told = information(base_rate=base_rate, truth=truth, null=null, share=share)
    return nats / told if told > 0 else math.inf
