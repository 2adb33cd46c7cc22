"""What each KPI's numbers do to the judge's evidence, so that thousands of courses can be drawn at once.

Every one of the judge's bets adds to its log wealth a sum over events: so much for each event of the new
version, so much for each of the old one's. With the trials at their expected numbers that sum is linear in
counts that are independent and Poisson. A sensor holds the counts' rates and what an event of each is worth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from rollway.judge import requests_to_detect, tail, tilt
from rollway.judge.arithmetic import information
from rollway.judge.dispersion import Dispersion, factor
from rollway.judge.kinds.latency import LOG_CUTS_WEIGHT, LOG_TILT_WEIGHT, SLOW_SHARES
from rollway.judge.limit import LIMIT_WEIGHT, is_active
from rollway.judge.logs import FloatArray
from rollway.judge.processes import (
    EFFECTS,
    LOG_EFFECT_PRIOR,
    LOG_SAFE_PRIOR,
    Arms,
    rates_above,
    safe_multipliers,
)
from rollway.planning.evidence import SLOW_SHARE
from rollway.planning.model import Guard

USUAL_MEDIAN_SECONDS, USUAL_SIGMA = 0.1, 0.6
"""The law of durations that bets on the whole law are drawn from: log-normal, its p99 four times its median.
Only its shape counts."""
PLENTY = 40.0
"""From so many requests of a version in a tick on, it does not matter that their number is left to chance."""
KNOWN_REQUESTS = 100_000.0
SEEN_CUTS = tuple(SLOW_SHARES.index(share) for share in (0.1, 0.05, 0.01, 0.005))
"""The cuts at which such a fault shows; what is bet on the others is lost to it."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """One guard at one share, with a fault of one size (1: none).

    rates: expected counts for each request to both versions, shape (counts,). gains: what a count adds to
    each bet on harm, (counts, bets); drift: what a request to both versions adds besides, (bets,); start: the
    log of the bets' prior, (bets,). safe: the same for bets on
    safety, (counts, cuts, bets), empty where the stage asks for no proof. nats: what a request to both
    versions adds to the best bet, fall: how much of it the good ones among them take away. scale: requests to
    both versions until the fault is found, about; infinite where it never is.
    """

    rates: FloatArray
    gains: FloatArray
    drift: FloatArray
    start: FloatArray
    safe: FloatArray
    nats: float
    fall: float
    safe_nats: float
    scale: float


def sensor(
    guard: Guard,
    *,
    rate: float,
    ratio: float,
    share: float,
    margin: float | None,
    alpha: float,
    pace: float,
    tick: float,
) -> Sensor:
    """The guard's sensor. `rate` is the old version's usual one, 0..1 (of slow requests for a latency),
    `alpha` what the guard has to reach by itself, `pace` the requests to both versions in a tick
    of `tick` seconds."""
    made = _latency if guard.kind == "latency" else _rate
    return made(guard, rate, ratio, share, margin, alpha, pace, tick)


def _rate(
    guard: Guard,
    rate: float,
    ratio: float,
    share: float,
    margin: float | None,
    alpha: float,
    pace: float,
    tick: float,
) -> Sensor:
    is_reversed = guard.direction == "less_is_worse"
    new = rate / ratio if is_reversed else min(1.0, rate * ratio)
    divisor = _divisor(guard, rate, new, share, pace, tick)
    gains = _events(share, guard.tolerance, EFFECTS, is_reversed=is_reversed, pace=pace) / divisor
    start = LOG_EFFECT_PRIOR
    rates = np.array((share * new, (1 - share) * rate))
    if is_active(guard.limit):
        start = start + math.log(1 - LIMIT_WEIGHT)
        if not is_reversed and new > guard.limit:
            rates = np.array((*rates, share * (1 - new)))
            gains, start = _with_limit(gains, start, guard.limit)
    safe = np.zeros((len(rates), 0, len(LOG_SAFE_PRIOR)))
    if margin is not None:
        safe = np.zeros((len(rates), 1, len(LOG_SAFE_PRIOR)))
        bets = safe_multipliers(margin)
        safe[:2, 0] = _events(share, margin, bets, is_reversed=is_reversed, pace=pace) / divisor
    seen = 1 - share if is_reversed else share
    base = new if is_reversed else rate
    told = information(base_rate=base, truth=ratio, null=guard.tolerance, share=seen) * seen
    told = told / divisor if ratio > guard.tolerance else 0.0
    clear = 0.0
    if margin is not None and ratio < margin:
        clear = information(base_rate=base, truth=ratio, null=margin, share=seen) * seen / divisor
    odds = (seen * ratio + 1 - seen) / (seen * guard.tolerance + 1 - seen)
    fall = base * (seen * ratio + 1 - seen) * max(0.0, math.log(odds)) / divisor
    needed = requests_to_detect(
        base_rate=base, ratio=ratio, share=seen, alpha=alpha, tolerance=guard.tolerance
    )
    drift = np.zeros(len(start))
    return Sensor(rates, gains, drift, start, safe, told, fall, clear, needed * divisor / seen)


def _events(
    share: float, null: float, multipliers: FloatArray, *, is_reversed: bool, pace: float
) -> FloatArray:
    """What an event of the new version and one of the old one's add to each bet, shape (2, bets).

    As `processes.ratio_increment`. Where a tick has many requests of both versions they are as share to
    1 - share. Where it has few, their numbers are averaged over, as an event meets them: it comes from a tick
    in proportion to its own version's requests, and counts only where the other version has some too.
    """
    shares = (1 - share, share) if is_reversed else (share, 1 - share)
    if pace * min(shares) > PLENTY:
        price = np.log1p(shares[0] * null / (shares[0] * null + shares[1]) * (multipliers - 1))
        worse, other = np.log(multipliers) - price, -price
    else:
        worse, other = _sparse_events(shares[0] * pace, shares[1] * pace, null, multipliers)
    return np.stack((other, worse) if is_reversed else (worse, other))


def _sparse_events(
    judged: float, beside: float, null: float, multipliers: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The same of one tick with Poisson requests of the version that is judged and of the one beside it."""
    (n_t, p_t), (n_c, p_c) = _numbers(judged), _numbers(beside)
    met_t, met_c = n_t * p_t, n_c * p_c
    both = (n_t > 0)[:, None] & (n_c > 0)
    weight = np.where(both, n_t[:, None] * null, 0.0)
    share = weight / np.maximum(weight + n_c, 1e-300)
    price = np.log1p(share[..., None] * (multipliers - 1))
    seen = (met_t[:, None] * p_c * both)[..., None] / max(judged, 1e-300)
    beside_seen = (p_t[:, None] * met_c * both)[..., None] / max(beside, 1e-300)
    worse: FloatArray = (seen * (np.log(multipliers) - price)).sum(axis=(0, 1))
    other: FloatArray = -(beside_seen * price).sum(axis=(0, 1))
    return worse, other


def _numbers(mean: float) -> tuple[FloatArray, FloatArray]:
    """Poisson numbers and their probabilities; of a large mean a few numbers stand for all."""
    if mean > PLENTY:
        nodes, weights = np.polynomial.hermite_e.hermegauss(5)
        found: FloatArray = np.maximum(1.0, mean + math.sqrt(mean) * nodes)
        return found, weights / weights.sum()
    most = int(mean + 8 * math.sqrt(mean) + 8)
    numbers = np.arange(most + 1, dtype=np.float64)
    logs = numbers * math.log(max(mean, 1e-300)) - mean - np.cumsum(np.log(np.maximum(numbers, 1.0)))
    return numbers, np.exp(logs)


def _with_limit(gains: FloatArray, start: FloatArray, limit: float) -> tuple[FloatArray, FloatArray]:
    """With the bets against the limit beside them; the third count are the new version's good requests."""
    rates = rates_above(limit)
    bad, good = np.log(rates / limit), np.log((1 - rates) / (1 - limit))
    compared = np.vstack((gains, np.zeros(gains.shape[1])))
    limited = np.stack((bad, np.zeros(len(rates)), good))
    whole = np.concatenate((start, LOG_EFFECT_PRIOR + math.log(LIMIT_WEIGHT)))
    return np.hstack((compared, limited)), whole


def _divisor(guard: Guard, old: float, new: float, share: float, pace: float, tick: float) -> float:
    """By what the arms' own noise divides the evidence, at the average pace."""
    if guard.dispersion is None:
        return 1.0
    noise = Dispersion(**guard.dispersion.model_dump())
    one = np.ones(1)
    arms = Arms(
        pace * share * one, pace * share * new * one, pace * (1 - share) * one, pace * (1 - share) * old * one
    )
    return max(1.0, float(factor(noise, arms, guard.tolerance, tick)[0]))


# --- durations --------------------------------------------------------------------------------------


def _latency(
    guard: Guard,
    rate: float,
    ratio: float,
    share: float,
    margin: float | None,
    alpha: float,
    pace: float,
    tick: float,
) -> Sensor:
    """Counts are the requests between the cuts of SEEN_CUTS, of either version; those faster than all of them
    are taken at their expected number."""
    old, bends = _usual_law(guard.tolerance)
    new = _with_more_slow(old, ratio)
    divisor = _divisor(guard, SLOW_SHARE, min(1.0, SLOW_SHARE * ratio), share, pace, tick)
    first = SEEN_CUTS[0] + 1
    rates = np.concatenate((share * new[first:], (1 - share) * old[first:]))
    counts = len(old) - first
    whole = _tilted(bends, share, guard.tolerance) * kept_part(pace)
    idle = np.concatenate((share * new[:first], (1 - share) * old[:first]))
    kept = [*range(first, len(old)), *range(len(old) + first, 2 * len(old))]
    spent = idle @ whole[[*range(first), *range(len(old), len(old) + first)]]
    per_event = _events(share, guard.tolerance, EFFECTS, is_reversed=False, pace=pace)
    cuts = [_above(per_event, cut, counts) for cut in range(counts)]
    gains = np.hstack((*cuts, whole[kept])) / divisor
    drift = np.concatenate((np.zeros(gains.shape[1] - len(spent)), spent)) / divisor
    by_cut = LOG_EFFECT_PRIOR + LOG_CUTS_WEIGHT - math.log(len(SLOW_SHARES))
    start = np.concatenate((*(by_cut for _ in cuts), np.log(tail.PRIOR) + LOG_TILT_WEIGHT))
    if is_active(guard.limit):
        start = start + math.log(1 - LIMIT_WEIGHT)
    safe = np.zeros((2 * counts, 0, len(LOG_SAFE_PRIOR)))
    if margin is not None:
        bets = _events(share, margin, safe_multipliers(margin), is_reversed=False, pace=pace)
        safe = np.stack([_above(bets, cut, counts) for cut in (0, 2)], axis=1) / divisor
    best = max(0.0, float((rates @ gains + drift).max()))
    clear = max(0.0, float((rates @ safe.reshape(2 * counts, -1)).max())) if safe.size else 0.0
    needed = (math.log(1 / alpha) + 3.0) / best if best > 0 else math.inf
    return Sensor(rates, gains, drift, start, safe, best, best, clear, needed)


@lru_cache(maxsize=32)
def _usual_law(tolerance: float) -> tuple[FloatArray, FloatArray]:
    """Each bucket's share of the old version's requests, (buckets,), and the bets on the whole law."""
    normal = NormalDist(math.log(USUAL_MEDIAN_SECONDS), USUAL_SIGMA)
    bounds = np.exp([normal.inv_cdf(1 - share) for share in SLOW_SHARES])
    old = -np.diff((1.0, *SLOW_SHARES, 0.0))
    known = old * KNOWN_REQUESTS
    bends = tilt.normed(tail.bends(bounds, known, tolerance), tail.shares(known), tolerance)
    return old, bends


def _with_more_slow(old: FloatArray, ratio: float) -> FloatArray:
    """The law of which `ratio` times as much is slower than the slowest hundredth; else alike."""
    slow = SLOW_SHARES.index(SLOW_SHARE) + 1
    share = min(1.0, SLOW_SHARE * ratio)
    new = old * (1 - share) / (1 - SLOW_SHARE)
    new[slow:] = old[slow:] * share / SLOW_SHARE
    return new


def _tilted(bends: FloatArray, share: float, tolerance: float) -> FloatArray:
    """What a request in each bucket adds to each bet on the whole law: the new version's, then the old one's.

    `tilt.increment` of one request with n_t/n = share: shape (2 * buckets, bets).
    """
    lowest = bends[:, 0]
    price = (
        np.log(share * tolerance * bends + 1 - share)
        - np.log(share * tolerance * lowest + 1 - share)[:, None]
    )
    of_all = -np.log(share * lowest + 1 - share)
    # b_j = b_0 (n_t rho m_0 + n_c)/(n_t rho m_j + n_c): what `price` takes, `of_all` gives.
    old = of_all[:, None] - price
    new = np.log(bends) + old
    return np.hstack((new, old)).T


def _above(per_event: FloatArray, cut: int, counts: int) -> FloatArray:
    """Of events above a cut: shape (2 * counts, bets), the new version's buckets, then the old one's."""
    is_above = (np.arange(counts) >= cut).astype(np.float64)
    return np.vstack((np.outer(is_above, per_event[0]), np.outer(is_above, per_event[1])))


def kept_part(pace: float) -> float:
    """The part of the requests that teaches when ticks of `pace` requests are judged one by one.

    Of a tick's n requests one serves to meet the others: a share 1 - (1 - exp(-x))/x is left of Poisson n
    with mean x (see `judge.courses.kept_part`).
    """
    return 1 + math.expm1(-pace) / pace if pace > 1e-9 else pace / 2
