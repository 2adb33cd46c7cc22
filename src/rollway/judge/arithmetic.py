"""How many requests an answer takes: for plans, before anything runs, and for what is still missing.

symbol  meaning
p       base_rate: the old version's rate of bad requests
w       share of the requests that the new version serves
D(a|b)  a log(a/b) + (1-a) log((1-a)/(1-b)), what one event tells, in nats
"""

from __future__ import annotations

import math

# What the mixture over effects and onsets costs beyond the limit, in nats: measured, see below.
MIXTURE_NATS = 1.6
# What the mixture of safety bets costs, in nats.
SAFE_NATS = 0.35


def requests_to_detect(
    *, base_rate: float, ratio: float, share: float, alpha: float, tolerance: float = 1.0
) -> float:
    """Requests of the new version, on average, until evidence of harm reaches 1/alpha.

        N = limit * factor,   limit = log(1/alpha) / information,
        factor = 1 + (1.6 + log(ratio/tolerance)) / log(1/alpha)

    for a fault of `ratio` times the old rate that is there from the start. The limit is Wald's (1945)
    for two samples. The factor is the price of knowing neither the size of the fault nor its onset, and
    of the last event's overshoot. Measured with 600 runs each at p of 0.1% to 5%, ratios of 1.2 to 10,
    shares of 1% to 50% and alpha of 0.05, 0.01 and 0.0033: N is within 15% of the measured mean, and
    the factor lies between 1.3 (times 2, small alpha) and 2.3 (times 10, alpha 0.05).
    A guard among several reaches the threshold by itself at alpha times its share of the weights: pass
    that as `alpha`. Infinite where the fault is within tolerance or one version is not served.
    """
    if ratio <= tolerance:
        return math.inf
    nats = math.log(1 / alpha) + MIXTURE_NATS + math.log(ratio / tolerance)
    return _requests(base_rate, truth=ratio, null=tolerance, share=share, nats=nats)


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
