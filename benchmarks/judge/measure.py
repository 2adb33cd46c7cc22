"""From scores to figures: who was stopped, after how many requests of the new version, and when."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.judge import kayenta, rivals
from benchmarks.judge.streams import FloatArray

ALPHAS = (0.05, 0.01)
MATCHED = 0.05

LIMIT = "limit (knows all)"
TWO_SAMPLE = "limit, old rate unknown"
SHIRYAEV = "limit, onset unknown"
ROLLWAY = "Rollway"
LEARNED = "Rollway, learned noise"
USERS = "Rollway, users"
KAYENTA = "Kayenta"
FLAGGER = "Flagger"
ARGO = "Argo Rollouts"
STRATIFIED = "conf. sequence, by tick"
POOLED = "conf. sequence, pooled"
PEEKED = "z-test, peeked"
ORACLES = (LIMIT, TWO_SAMPLE, SHIRYAEV)


@dataclass(frozen=True, slots=True)
class Paths:
    """What each method's score was in each tick, shape (ticks, runs), and the requests served by then."""

    served: FloatArray
    scores: Mapping[str, FloatArray]


def threshold(method: str, alpha: float) -> float:
    """The score at which a method stops the rollout by its default rule at `alpha`, if it knows one."""
    fixed = {
        KAYENTA: kayenta.QUANTILE,
        FLAGGER: float(rivals.FLAGGER_THRESHOLD),
        ARGO: rivals.ARGO_FAILURE_LIMIT + 1.0,
        PEEKED: NormalDist().inv_cdf(1 - alpha),
    }
    return fixed.get(method, math.log(1 / alpha))


def join(parts: list[Paths]) -> Paths:
    """The runs of several paths as one."""
    return Paths(
        np.concatenate([part.served for part in parts], axis=1),
        {
            method: np.concatenate([part.scores[method] for part in parts], axis=1)
            for method in parts[0].scores
        },
    )


def stopped_at(scores: FloatArray, at_least: float) -> NDArray[np.int64]:
    """The tick at which each run is stopped, shape (runs,); the number of ticks where it never is."""
    is_over = scores >= at_least
    return np.where(is_over.any(axis=0), is_over.argmax(axis=0), len(scores))


def matched_threshold(healthy: FloatArray, rate: float = MATCHED) -> float:
    """The lowest threshold at which at most this share of healthy runs is stopped."""
    highest = np.sort(healthy.max(axis=0))[::-1]
    return float(np.nextafter(highest[math.floor(rate * len(highest))], np.inf))


def figures(healthy: Paths, faulty: Paths, *, onset_tick: int, tick_seconds: float) -> dict[str, Any]:
    """By method: its figures at each of ALPHAS and at matched false alarms, as plain JSON."""
    found: dict[str, Any] = {}
    for method, scores in faulty.scores.items():
        levels = {f"{alpha:g}": threshold(method, alpha) for alpha in ALPHAS}
        levels["matched"] = matched_threshold(healthy.scores[method])
        found[method] = {
            level: {
                "false": float((stopped_at(healthy.scores[method], at) < len(scores)).mean()),
                **_detection(faulty.served, stopped_at(scores, at), onset_tick, tick_seconds),
            }
            for level, at in levels.items()
        }
    return {method: _beside_limit(levels, found.get(LIMIT)) for method, levels in found.items()}


def _detection(
    served: FloatArray, stopped: NDArray[np.int64], onset_tick: int, tick_seconds: float
) -> dict[str, Any]:
    """Of the runs not stopped before the fault began. A missed fault exposes all that was served."""
    ticks = len(served)
    counted = stopped >= onset_tick
    if not counted.any():
        return {"missed": None, "exposed": None, "exposed_error": None, "minutes": None}
    stopped, served = stopped[counted], served[:, counted]
    before = served[onset_tick - 1] if onset_tick else 0.0
    exposed = np.take_along_axis(served, np.minimum(stopped, ticks - 1)[np.newaxis], axis=0)[0] - before
    is_missed = stopped == ticks
    minutes = np.where(is_missed, np.inf, (stopped + 1 - onset_tick) * tick_seconds / 60)
    median = float(np.median(minutes))
    return {
        "missed": float(is_missed.mean()),
        "exposed": float(exposed.mean()),
        "exposed_error": float(exposed.std() / math.sqrt(len(exposed))),
        "minutes": median if math.isfinite(median) else None,
    }


def _beside_limit(levels: dict[str, Any], limit: dict[str, Any] | None) -> dict[str, Any]:
    for level, told in levels.items():
        least = limit[level]["exposed"] if limit else None
        told["times_limit"] = told["exposed"] / least if least and told["exposed"] is not None else None
    return levels
