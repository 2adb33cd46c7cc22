"""Simulated rollouts: what both versions served, tick by tick, for many runs at once.

All draws come from a generator that the caller seeds. Arrays have shape (ticks, runs) unless said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.judge.noise import Series

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

STAGES = (("one", 0.01), ("ten", 0.1), ("half", 0.5))
LARGEST_RATE = 0.95


@dataclass(frozen=True, slots=True)
class World:
    """A service and its rollout; rates are shares of requests, times seconds.

    common_sd shakes both versions together, arm_sd each by itself: standard deviations of the log of
    the rate, whose correlation from one minute to the next is `memory`. `drift` is by what the rate has
    been multiplied at the end of the ramp. `series`, where given, replaces rate, traffic and noise.
    `rollout_seconds` is how long the rollout is planned to last where only its beginning is simulated.
    """

    base_rate: float
    per_second: float
    stage_seconds: float = 1200.0
    tick_seconds: float = 60.0
    common_sd: float = 0.0
    arm_sd: float = 0.0
    memory: float = 0.8
    drift: float = 1.0
    series: Series | None = None
    stages: tuple[tuple[str, float], ...] = STAGES
    rollout_seconds: float | None = None

    @property
    def ticks(self) -> int:
        return round(self.stage_seconds / self.tick_seconds) * len(self.stages)

    @property
    def planned_seconds(self) -> float:
        return self.rollout_seconds or self.ticks * self.tick_seconds

    def stage(self, tick: int) -> tuple[str, float]:
        """The name of the tick's stage and the new version's share in it."""
        return self.stages[tick * len(self.stages) // self.ticks]

    @property
    def shares(self) -> FloatArray:
        """Shape (ticks,)."""
        return np.array([self.stage(tick)[1] for tick in range(self.ticks)])


@dataclass(frozen=True, slots=True)
class Fault:
    """The new version's rate is `ratio` times the old one's from `onset_seconds` on."""

    ratio: float
    onset_seconds: float = 0.0

    def ratios(self, world: World) -> FloatArray:
        """The true ratio in each tick, shape (ticks,)."""
        starts = np.arange(world.ticks) * world.tick_seconds
        return np.where(starts >= self.onset_seconds - 1e-9, self.ratio, 1.0)


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests and bad ones of the new version, of the old one, and of a slice of the old one that is
    as large as the new version's part (what a judge of time series is usually given)."""

    candidate_trials: FloatArray
    candidate_bad: FloatArray
    baseline_trials: FloatArray
    baseline_bad: FloatArray
    slice_trials: FloatArray
    slice_bad: FloatArray


@dataclass(frozen=True, slots=True)
class Stream:
    """Runs of one rollout. `rates` is the old version's true rate, `ratios` the fault that the oracles
    know of, shape (ticks,), whether it is there in these runs or not."""

    world: World
    counts: Counts
    rates: FloatArray
    ratios: FloatArray

    @property
    def served(self) -> FloatArray:
        """Requests of the new version up to the end of each tick."""
        return np.cumsum(self.counts.candidate_trials, axis=0)


def draw(world: World, fault: Fault, rng: np.random.Generator, runs: int, *, is_faulty: bool) -> Stream:
    """Runs of a rollout with the fault, or the same without it."""
    (stream,) = draw_many(world, (fault,), rng, runs, is_faulty=is_faulty)
    return stream


def draw_many(
    world: World, faults: tuple[Fault, ...], rng: np.random.Generator, runs: int, *, is_faulty: bool
) -> tuple[Stream, ...]:
    """One stream for each fault, all of the same requests: several KPIs of one service."""
    rates, traffic = _paths(world, rng, runs)
    total = rng.poisson(traffic * world.tick_seconds)
    candidate = rng.binomial(total, world.shares[:, np.newaxis])
    return tuple(
        _draw_one(world, fault, rng, rates, (candidate, total - candidate), is_faulty=is_faulty)
        for fault in faults
    )


def _draw_one(
    world: World,
    fault: Fault,
    rng: np.random.Generator,
    rates: FloatArray,
    trials: tuple[IntArray, IntArray],
    *,
    is_faulty: bool,
) -> Stream:
    ratios, runs = fault.ratios(world), rates.shape[1]
    truth = ratios[:, np.newaxis] if is_faulty else 1.0
    new = np.minimum(rates * truth * _noise(world, world.arm_sd, rng, runs), LARGEST_RATE)
    old = np.minimum(rates * _noise(world, world.arm_sd, rng, runs), LARGEST_RATE)
    bad = rng.binomial(trials[0], new), rng.binomial(trials[1], old)
    counts = with_slice(world.shares, rng, trials[0], bad[0], trials[1], bad[1])
    return Stream(world, counts, rates, ratios)


def with_slice(
    shares: FloatArray, rng: np.random.Generator, n_t: IntArray, d_t: IntArray, n_c: IntArray, d_c: IntArray
) -> Counts:
    """The counts with a slice of the old version's requests, each kept with probability w/(1-w)."""
    keep = np.minimum(shares / (1 - shares), 1.0)[:, np.newaxis]
    bad = rng.binomial(d_c, keep)
    good = rng.binomial(n_c - d_c, keep)
    return Counts(*(np.asarray(each, dtype=np.float64) for each in (n_t, d_t, n_c, d_c, good + bad, bad)))


def _paths(world: World, rng: np.random.Generator, runs: int) -> tuple[FloatArray, FloatArray]:
    """The old version's true rate, and the service's requests per second."""
    shape = (world.ticks, runs)
    if world.series is not None:
        return world.series.sample(rng, shape, world.tick_seconds)
    done = (np.arange(world.ticks) + 0.5)[:, np.newaxis] / world.ticks
    rates = world.base_rate * world.drift**done * _noise(world, world.common_sd, rng, runs)
    return np.minimum(rates, LARGEST_RATE), np.full(shape, world.per_second)


def _noise(world: World, deviation: float, rng: np.random.Generator, runs: int) -> FloatArray:
    """exp of a stationary AR(1) process, with mean 1."""
    if deviation == 0:
        return np.ones((world.ticks, runs))
    kept = world.memory ** (world.tick_seconds / 60)
    path = rng.normal(0.0, deviation, (world.ticks, runs))
    for tick in range(1, world.ticks):
        path[tick] = kept * path[tick - 1] + np.sqrt(1 - kept**2) * path[tick]
    noise: FloatArray = np.exp(path - deviation**2 / 2)
    return noise
