"""Bets on the whole law of durations: every bucket counts, the slower the more. Exact for any law.

For one interval, with buckets j in rising order of duration:

    symbol  name                meaning
    h_j     candidate           the new version's requests in bucket j, n_t in all
    c_j     baseline            the old version's, n_c in all
    rho     tolerance           how many times as many requests may be slower than any bound
    m_j     bends               how much likelier than tolerated bucket j is held to be; never falls with j
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from rollway.judge import tail
from rollway.judge import wager as wagers
from rollway.judge.codec import Form, encode, read_table
from rollway.judge.logs import FloatArray, floats
from rollway.judge.onset import Interval, Moved
from rollway.judge.quick import quick
from rollway.judge.wager import Odds, Wager

# There is no bet on safety here: it is shown at single cuts.
ODDS = Odds(np.log(tail.PRIOR), floats())
# The same as a row, as wealth has it: rows of one shape are added more quickly.
_ODDS = Odds(ODDS.log_effects[np.newaxis], ODDS.log_bets)

# Of the old version's law, what is this old counts half: durations change with the time of day.
HALF_LIFE_SECONDS = 1800.0


class Rises(NamedTuple):
    """m_j/m_0 - 1, of which only the bets depend, and what is reckoned of it once.

    table: itself, shape (bets, buckets), or (0,) before the first bet. first: the first bucket in which any
    of them rises; above, logs: the table and the logs of m_j/m_0 from there on. asked: what times the
    requests per bucket gives their sum and, for each bet, that of their rises, shape (1 + bets, buckets);
    pseudo: the same of the requests that are added to every bucket.
    """

    table: FloatArray
    first: int
    above: FloatArray
    logs: FloatArray
    asked: FloatArray
    pseudo: FloatArray


def rises_of(table: FloatArray) -> Rises:
    if table.ndim < 2:
        return Rises(table, 0, table, table, table, table)
    first = int(np.argmax(table.any(axis=0)))
    above, asked = table[:, first:].copy(), np.concatenate((np.ones((1, table.shape[1])), table))
    return Rises(table, first, above, np.log1p(above), asked, tail.PSEUDO_REQUESTS * asked.sum(axis=1))


AS_TABLE = Form(lambda rises: encode(rises.table), lambda raw: rises_of(read_table(raw)))


@quick
@dataclass(frozen=True, slots=True)
class Tilt:
    """Wealth on every bend of the law, and the old version's law as known before the next interval.

    recent: its requests per bucket, the older the less, shape (buckets,). rises: drawn in `stage` from
    `drawn_from` requests, `since` came later.
    """

    recent: FloatArray
    rises: Annotated[Rises, AS_TABLE]
    wager: Wager
    stage: str | None = None
    drawn_from: float = 0.0
    since: float = 0.0


NO_RISES = rises_of(np.zeros(0))


def start(buckets: int) -> Tilt:
    return Tilt(np.zeros(buckets), NO_RISES, wagers.start(1, ODDS))


def learn(tilt: Tilt, baseline: FloatArray, seconds: float, requests: float | None = None) -> Tilt:
    """The tilt that also knows this interval's requests of the old version, `requests` in all; nothing is bet
    on them."""
    recent = 0.5 ** (max(0.0, seconds) / HALF_LIFE_SECONDS) * tilt.recent
    recent += baseline
    since = tilt.since + (float(baseline.sum()) if requests is None else requests)
    return Tilt(recent, tilt.rises, tilt.wager, tilt.stage, tilt.drawn_from, since)


def draw(tilt: Tilt, bounds: tuple[float, ...], stage: str, tolerance: float) -> Tilt:
    """The tilt with bends drawn anew in a new stage, or once as much was seen again as they rest on.

    The wealth goes on. That is sound: bends are drawn from the past only, so whatever row k bets next
    multiplies its wealth by a factor of expectation at most 1 given the past, and a product of such
    factors is what an e-process is.
    """
    if tilt.stage == stage and tilt.since < tilt.drawn_from:
        return tilt
    bends = tail.bends(np.array(bounds), tilt.recent, tolerance)
    rises = rises_of(bends / bends[:, :1] - 1)
    return Tilt(tilt.recent, rises, tilt.wager, stage, float(tilt.recent.sum()), 0.0)


def narrowed(tilt: Tilt, recent: FloatArray) -> Tilt:
    """The tilt among fewer buckets, given what is known in them; the next bends are drawn anew."""
    return Tilt(recent, tilt.rises, tilt.wager)


def add(
    tilt: Tilt,
    candidate: FloatArray,
    baseline: FloatArray,
    interval: Interval,
    *,
    tolerance: float,
    divisor: float = 1.0,
    trials: tuple[float, float] | None = None,
    moved: Moved | None = None,
) -> Tilt:
    """The tilt after an interval's requests per bucket, each of shape (buckets,); drawn before.

    Where one version served nothing, nothing changes. Evidence is divided by `divisor` (>= 1), the
    arms' own noise. `trials` are the sums of candidate and baseline, where they are known already;
    `moved`: see `wager.add`.
    """
    n_t, n_c = trials if trials is not None else (float(candidate.sum()), float(baseline.sum()))
    if n_t <= 0 or n_c <= 0:
        return tilt
    against = _told(tilt, candidate, baseline, n_t, n_c, tolerance)
    if divisor > 1:
        against /= divisor
    wager = wagers.add(tilt.wager, _ODDS, interval, against[np.newaxis], None, moved)
    return Tilt(tilt.recent, tilt.rises, wager, tilt.stage, tilt.drawn_from, tilt.since)


def normed(bends: FloatArray, law: FloatArray, tolerance: float) -> FloatArray:
    """The bends scaled to what they are bets against: m_0 + rho sum_j q_j (m_j - m_0) = 1 in each row.

    `law` has the share q_j of each bucket. With another scale the bets are as valid, but pay for nothing.
    """
    lowest = bends[:, :1]
    found: FloatArray = bends / lowest * _lowest(bends / lowest - 1, law, tolerance)[:, np.newaxis]
    return found


def _lowest(rises: FloatArray, law: FloatArray, tolerance: float) -> FloatArray:
    """m_0 of bends that are normed, from how much they rise above it, m_j/m_0 - 1."""
    found: FloatArray = 1 / (1 + tolerance * rises.dot(law))
    return found


def increment(candidate: FloatArray, baseline: FloatArray, bends: FloatArray, tolerance: float) -> FloatArray:
    """What one interval adds to the log wealth of each bet: arms of shape (..., buckets) give (..., bets).

        sum_j [ h_j log m_j + (h_j + c_j) log b_j ],    a_j = m_j b_j,
        b_j = b_0 (n_t rho m_0 + n_c) / (n_t rho m_j + n_c),    b_0 = (n_t + n_c) / (n_t m_0 + n_c)

    It is a log e-value for every pair of laws with S'_j <= rho S_j at every bound, S' and S being the
    shares of slower requests of the new and the old version. Proof: a_j never falls with j, for m does
    not and m/(n_t rho m + n_c) rises with m. So, q' and q being the laws, summation by parts gives

        A = sum_j q'_j a_j = a_0 + sum_{j>0} (a_j - a_{j-1}) S'_j <= rho sum_j q_j a_j - (rho - 1) a_0.

    With B = sum_j q_j b_j, and n_t rho a_j + n_c b_j = b_0 (n_t rho m_0 + n_c) for every j by choice of b,

        n_t A + n_c B <= b_0 (n_t rho m_0 + n_c) - n_t (rho - 1) a_0 = b_0 (n_t m_0 + n_c) = n_t + n_c,

    so E[exp(increment)] = A^n_t B^n_c <= exp(n_t (A - 1) + n_c (B - 1)) <= 1. What the old version's law
    really is does not matter, nor that it drifts between intervals; what was known of it before decides
    only how much is won. Requests are taken to be independent, and alike in both arms, within an
    interval. At rho = 1 this is the ratio of the likelihood that the new version has the bent law to
    that of both having their mixture, bucket by bucket; with one cut and m_0 = 1 it is
    `processes.ratio_increment`.
    """
    both, lowest, rises = candidate + baseline, bends[:, 0], bends / bends[:, :1] - 1
    trials = both.sum(axis=-1)[..., np.newaxis]
    share = candidate.sum(axis=-1)[..., np.newaxis] / trials
    weight = lowest * (tolerance * share)
    tolerated = weight / (weight + (1 - share))
    paid = (np.log1p(tolerated[..., np.newaxis] * rises) @ both[..., np.newaxis])[..., 0]
    of_all = trials * (share * np.log(lowest) - np.log1p(share * (lowest - 1)))
    found: FloatArray = candidate.dot(np.log1p(rises).T) + of_all - paid
    return found


def _told(
    tilt: Tilt, candidate: FloatArray, baseline: FloatArray, n_t: float, n_c: float, tolerance: float
) -> FloatArray:
    """`increment` of the bends as they are normed now. What does not depend on the buckets is reckoned in
    plain numbers, which for ten bets is quicker."""
    rises, trials = tilt.rises, n_t + n_c
    requests, *risen = (rises.asked.dot(tilt.recent) + rises.pseudo).tolist()
    if tail.LEAST_SHARE * requests >= tail.PSEUDO_REQUESTS:
        requests, risen = 1.0, rises.table.dot(tail.shares(tilt.recent)).tolist()
    share, weight, scale = n_c / trials, tolerance * n_t / trials, tolerance / requests
    both, log1p = weight + share, math.log1p
    above = [scale * rise for rise in risen]
    # 1/m_0 - 1, by which what is paid for all requests is n_c log(1 + it) - n log(1 + it n_c/n).
    found = np.array([n_c * log1p(it) - trials * log1p(share * it) for it in above])
    slower = candidate[rises.first :]
    found += rises.logs.dot(slower)
    tolerated = np.array([weight / (both + share * it) for it in above])
    price = rises.above * tolerated[:, np.newaxis]
    np.log1p(price, out=price)
    found -= price.dot(slower + baseline[rises.first :])
    return found


def harm_of(tilt: Tilt, planned_seconds: float) -> float:
    """log e-value against "at every bound the share of slower requests is at most rho times as large"."""
    return float(wagers.harm_of(tilt.wager, planned_seconds)[0])
