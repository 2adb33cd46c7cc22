"""Simulated durations of requests: log-normal around 0.1 s, as histograms of both versions.

The limit reads finer buckets than any method: both grids together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from benchmarks.judge.streams import FloatArray, World

MEDIAN_SECONDS = 0.1
SIGMA = 0.6
FINE = tuple(0.01 * 2 ** (step / 8) for step in range(74))
"""Eight buckets for each doubling, as native histograms have them, from 10 ms to 5.6 s."""
CLASSIC = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
ALL_BOUNDS = tuple(sorted({*FINE, *CLASSIC}))
BEFORE_TICKS = 10
"""Ticks of the old version alone that a judge may read before anyone is exposed."""
TAIL_FROM = 0.95

Slow = Callable[[float], float]
"""From a duration of the new version to the old version's, as logs: the inverse of the fault."""


def scaled(factor: float) -> Slow:
    """Every request takes `factor` times as long."""
    return lambda log_seconds: log_seconds - math.log(factor)


def tail(factor: float) -> Slow:
    """p99 is `factor` times as long, p95 and all below it are unchanged, what lies between is stretched."""
    start = math.log(MEDIAN_SECONDS) + SIGMA * NormalDist().inv_cdf(TAIL_FROM)
    p99 = math.log(MEDIAN_SECONDS) + SIGMA * NormalDist().inv_cdf(0.99)
    stretch = 1 + math.log(factor) / (p99 - start)

    def back(log_seconds: float) -> float:
        return log_seconds if log_seconds <= start else start + (log_seconds - start) / stretch

    return back


def law(slow: Slow) -> FloatArray:
    """The probability of each bucket of ALL_BOUNDS, shape (buckets,)."""
    normal = NormalDist(math.log(MEDIAN_SECONDS), SIGMA)
    below = [normal.cdf(slow(math.log(bound))) for bound in ALL_BOUNDS]
    parts = np.maximum(np.diff([0.0, *below, 1.0]), 1e-15)
    found: FloatArray = parts / parts.sum()
    return found


@dataclass(frozen=True, slots=True)
class Durations:
    """Counts by bucket of ALL_BOUNDS, shape (ticks, runs, buckets); `before`: the old version alone.

    baseline_slice is a part of the baseline as large as the candidate's.
    """

    world: World
    candidate: FloatArray
    baseline: FloatArray
    baseline_slice: FloatArray
    before: FloatArray


def draw(world: World, slow: Slow, rng: np.random.Generator, runs: int, *, is_faulty: bool) -> Durations:
    """Runs of a rollout in which the new version is slow, or is not."""
    old = law(scaled(1.0))
    new = law(slow) if is_faulty else old
    total = rng.poisson(world.per_second * world.tick_seconds, (world.ticks, runs))
    trials = rng.binomial(total, world.shares[:, np.newaxis])
    keep = np.minimum(world.shares / (1 - world.shares), 1.0)[:, np.newaxis, np.newaxis]
    baseline = rng.multinomial(total - trials, old)
    before = rng.poisson(world.per_second * world.tick_seconds, (BEFORE_TICKS, runs))
    return Durations(
        world,
        rng.multinomial(trials, new).astype(np.float64),
        baseline.astype(np.float64),
        rng.binomial(baseline, keep).astype(np.float64),
        rng.multinomial(before, old).astype(np.float64),
    )


def wald(durations: Durations, slow: Slow) -> FloatArray:
    """The limit: knows both laws in full, shape (ticks, runs)."""
    told = np.log(law(slow) / law(scaled(1.0)))
    return np.cumsum(durations.candidate @ told, axis=0)


def merged(counts: FloatArray, bounds: tuple[float, ...]) -> FloatArray:
    """Counts by bucket of ALL_BOUNDS as counts by bucket of some of these bounds."""
    starts = np.searchsorted(bounds, ALL_BOUNDS, side="left")
    starts = np.append(starts, len(bounds))
    first = np.searchsorted(starts, np.arange(len(bounds) + 1), side="left")
    found: FloatArray = np.add.reduceat(counts, first, axis=-1)
    return found


def p99(counts: FloatArray, bounds: tuple[float, ...]) -> FloatArray:
    """The 99th percentile of each histogram, straight between a bucket's ends; NaN without requests."""
    below = np.cumsum(counts, axis=-1)
    wanted = 0.99 * below[..., -1:]
    bucket = np.minimum((below < wanted).sum(axis=-1), len(bounds) - 1)[..., np.newaxis]
    ends = np.array([0.0, *bounds, bounds[-1]])
    inside = np.take_along_axis(counts, bucket, axis=-1)
    over = wanted - np.take_along_axis(below, bucket, axis=-1) + inside
    part = np.clip(over / np.maximum(inside, 1.0), 0.0, 1.0)
    seconds = ends[bucket] + part * (ends[bucket + 1] - ends[bucket])
    return np.where(below[..., -1] > 0, seconds[..., 0], np.nan)


def log_middles(bounds: tuple[float, ...]) -> FloatArray:
    """The log of each bucket's middle, shape (buckets,)."""
    ends = np.log(np.array([bounds[0] / 2, *bounds, bounds[-1] * 2]))
    middles: FloatArray = (ends[1:] + ends[:-1]) / 2
    return middles
