"""What an event tells the judge's bets, so that thousands of courses can be drawn at once.

Every one of the judge's bets adds to its log wealth a sum over events: so much for each event of the new
version, so much for each of the old one's. With the trials at their expected numbers that sum is linear in
counts that are independent and Poisson. A sensor holds the counts' rates and what an event of each is worth.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rollway.judge.logs import FloatArray
from rollway.planning.arms_noise import ArmsNoise
from rollway.planning.chosen_cuts import Choices
from rollway.planning.model import Guard

PLENTY = 40.0
"""From so many requests of a version in a tick on, it does not matter that their number is left to chance."""

Gains = tuple[FloatArray, FloatArray]
"""What a count adds to each bet on harm, (counts, bets), and a request to both versions besides, (bets,)."""


@dataclass(frozen=True, slots=True)
class Question:
    """A guard at one share, with a fault of one size (`ratio`, 1: none).

    rate: the old version's usual one, 0..1 (of slow requests for a latency). margin: what is to be ruled out
    in the stage. alpha: what the guard has to reach by itself. pace: the requests to both versions in a tick
    of `tick` seconds. alone: how many of the old version's requests the judge has seen before the new one is
    exposed.
    """

    guard: Guard
    rate: float
    ratio: float
    share: float
    margin: float | None
    alpha: float
    pace: float
    tick: float
    alone: float = math.inf


@dataclass(frozen=True, slots=True)
class Sensor:
    """What a guard's numbers do to its bets.

    rates: expected counts for each request to both versions, shape (counts,). gains: what a count adds to
    each bet on harm, (counts, bets); drift: what a request to both versions adds besides, (bets,); start: the
    log of the bets' prior, (1, bets). safe: the same for bets on safety, (counts, cuts, bets), empty where
    the stage asks for no proof. nats: what a request to both versions adds to the best bet, fall: how much of
    it the good ones among them take away; safe_nats: the same of safety, (cuts,). scale: requests to both
    versions until the fault is found, about; infinite where it never is. All this is without the arms' own
    noise, by which evidence is divided, and with all known that there is to know.

    choices: where the judge may compare, if that is left to chance. The first bets are then at each of its
    cuts, and each course has those of its own choice; `start` has a row for each choice, of the bets that are
    left. `learn` gives gains and drift of bets, from the one at `learns_from` on, in several courses in which
    only so many requests of the old version are known.
    """

    rates: FloatArray
    gains: FloatArray
    drift: FloatArray
    start: FloatArray
    safe: FloatArray
    nats: float
    fall: float
    safe_nats: FloatArray
    scale: float
    noise: ArmsNoise | None = None
    choices: Choices | None = None
    learn: Callable[[float], tuple[Gains, ...]] | None = None
    learns_from: int = 0


def worth(question: Question, null: float, multipliers: FloatArray) -> FloatArray:
    """What an event of the new version and one of the old one's add to each bet, shape (2, bets).

    As `processes.ratio_increment`. Where a tick has many requests of both versions they are as share to
    1 - share. Where it has few, their numbers are averaged over, as an event meets them: it comes from a tick
    in proportion to its own version's requests, and counts only where the other version has some too.
    """
    is_reversed, share, pace = question.guard.direction == "less_is_worse", question.share, question.pace
    shares = (1 - share, share) if is_reversed else (share, 1 - share)
    if pace * min(shares) > PLENTY:
        price = np.log1p(shares[0] * null / (shares[0] * null + shares[1]) * (multipliers - 1))
        worse, other = np.log(multipliers) - price, -price
    else:
        worse, other = _sparse(shares[0] * pace, shares[1] * pace, null, multipliers)
    return np.stack((other, worse) if is_reversed else (worse, other))


def _sparse(
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


def kept_part(pace: float) -> float:
    """The part of the requests that teaches when ticks of `pace` requests are judged one by one.

    Of a tick's n requests one serves to meet the others: a share 1 - (1 - exp(-x))/x is left of Poisson n
    with mean x (see `judge.courses.kept_part`).
    """
    return 1 + math.expm1(-pace) / pace if pace > 1e-9 else pace / 2
