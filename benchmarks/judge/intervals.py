"""How much the check interval costs by itself: errors 1% -> 2% at 10,000 requests/s, in the 1% stage."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.judge import oracle, product, streams
from benchmarks.judge.measure import ALPHAS, LIMIT, ROLLWAY, TWO_SAMPLE, stopped_at
from benchmarks.judge.streams import Fault, FloatArray, Stream, World

SECONDS = (1, 5, 15, 30, 60)
SHOWN_SECONDS = 300.0
ROLLOUT_SECONDS = 3600.0


def measure_all(rng: np.random.Generator, runs: int) -> dict[str, Any]:
    """By interval (seconds), method and alpha: requests of the new version until it is stopped, mean."""
    found: dict[str, Any] = {}
    for seconds in SECONDS:
        world = World(
            0.01,
            10_000,
            stage_seconds=SHOWN_SECONDS,
            tick_seconds=float(seconds),
            stages=streams.STAGES[:1],
            rollout_seconds=ROLLOUT_SECONDS,
        )
        stream = streams.draw(world, Fault(2), rng, runs, is_faulty=True)
        scores = {
            LIMIT: oracle.wald(stream),
            TWO_SAMPLE: oracle.two_sample(stream),
            ROLLWAY: product.rates(stream),
        }
        found[str(seconds)] = {method: _exposed(stream, each) for method, each in scores.items()}
    return found


def _exposed(stream: Stream, scores: FloatArray) -> dict[str, float]:
    served = stream.served
    last = len(served) - 1
    found = {}
    for alpha in ALPHAS:
        stopped = np.minimum(stopped_at(scores, np.log(1 / alpha)), last)
        found[f"{alpha:g}"] = float(np.take_along_axis(served, stopped[np.newaxis], axis=0).mean())
    return found
