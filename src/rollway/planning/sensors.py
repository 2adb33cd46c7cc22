"""The sensor of a guard: what its numbers do to the judge's evidence."""

from __future__ import annotations

import math

import numpy as np

from rollway.judge import requests_to_detect
from rollway.judge.arithmetic import information
from rollway.judge.limit import LIMIT_WEIGHT, is_active
from rollway.judge.logs import FloatArray
from rollway.judge.processes import EFFECTS, LOG_EFFECT_PRIOR, LOG_SAFE_PRIOR, rates_above, safe_multipliers
from rollway.planning.arms_noise import UNDIVIDED, ArmsNoise, dispersion_of
from rollway.planning.bets import Question, Sensor, worth
from rollway.planning.latency_sensor import latency


def sensor(question: Question) -> Sensor:
    """The guard's sensor, by the kind of its numbers."""
    return latency(question) if question.guard.kind == "latency" else _rate(question)


def _rate(question: Question) -> Sensor:
    """Counts are the new version's events, the old one's, and, with a limit that is exceeded, the new
    version's other requests."""
    guard, share, rate, ratio = question.guard, question.share, question.rate, question.ratio
    is_reversed = guard.direction == "less_is_worse"
    new = rate / ratio if is_reversed else min(1.0, rate * ratio)
    gains, start = worth(question, guard.tolerance, EFFECTS), LOG_EFFECT_PRIOR
    rates = np.array((share * new, (1 - share) * rate))
    if is_active(guard.limit):
        start = start + math.log(1 - LIMIT_WEIGHT)
        if not is_reversed and new > guard.limit:
            rates = np.array((*rates, share * (1 - new)))
            gains, start = _with_limit(gains, start, guard.limit)
    safe = np.zeros((len(rates), 0, len(LOG_SAFE_PRIOR)))
    if question.margin is not None:
        safe = np.zeros((len(rates), 1, len(LOG_SAFE_PRIOR)))
        safe[:2, 0] = worth(question, question.margin, safe_multipliers(question.margin))
    # Where less is worse the versions change places: events are the good ones, the old one's too many.
    seen, base = (1 - share, new) if is_reversed else (share, rate)
    needed = requests_to_detect(
        base_rate=base, ratio=ratio, share=seen, alpha=question.alpha, tolerance=guard.tolerance
    )
    margin = question.margin or 0.0
    safe_nats = _told(base, ratio, margin, seen) if ratio < margin else 0.0
    odds = (seen * ratio + 1 - seen) / (seen * guard.tolerance + 1 - seen)
    return Sensor(
        rates,
        gains,
        np.zeros(len(start)),
        start[None, :],
        safe,
        nats=_told(base, ratio, guard.tolerance, seen) if ratio > guard.tolerance else 0.0,
        fall=base * (seen * ratio + 1 - seen) * max(0.0, math.log(odds)),
        safe_nats=np.full(safe.shape[1], safe_nats),
        scale=needed / seen,
        noise=_noise(question, rate, len(rates), len(start)),
    )


def _told(base: float, ratio: float, null: float | None, seen: float) -> float:
    """Nats that a request to both versions tells against a null."""
    return information(base_rate=base, truth=ratio, null=null or 1.0, share=seen) * seen


def _with_limit(gains: FloatArray, start: FloatArray, limit: float) -> tuple[FloatArray, FloatArray]:
    """With the bets against the limit beside them; the third count are the new version's good requests."""
    rates = rates_above(limit)
    bad, good = np.log(rates / limit), np.log((1 - rates) / (1 - limit))
    compared = np.vstack((gains, np.zeros(gains.shape[1])))
    limited = np.stack((bad, np.zeros(len(rates)), good))
    whole = np.concatenate((start, LOG_EFFECT_PRIOR + math.log(LIMIT_WEIGHT)))
    return np.hstack((compared, limited)), whole


def _noise(question: Question, rate: float, counts: int, bets: int) -> ArmsNoise | None:
    dispersion = dispersion_of(question.guard)
    if dispersion is None:
        return None
    arms = question.pace * question.share, question.pace * (1 - question.share)
    rows = np.zeros((counts, 1))
    rows[:2] = 1.0
    return ArmsNoise(
        dispersion,
        judged=arms[::-1] if question.guard.direction == "less_is_worse" else arms,
        tick=question.tick,
        tolerance=question.guard.tolerance,
        margin=question.margin or 1.0,
        rows=rows,
        of_bets=np.where(np.arange(bets) < len(EFFECTS), 0, UNDIVIDED),
        of_safe=np.zeros(1 if question.margin is not None else 0, dtype=np.intp),
        usual=np.array((rate,)),
        largest=0.0,
    )
