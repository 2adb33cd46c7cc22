"""Rollway where the noise of single arms was learned first, from eight hours of the old version beside
itself, at the rollout's own shares."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.judge import product, streams
from benchmarks.judge import users as sticky
from benchmarks.judge.streams import Counts, Fault, FloatArray, Stream, World
from rollway.judge.dispersion import Blocks, Dispersion, learn

HOURS = 8
"""Rollouts of an hour without any fault; a longer rollout lends more."""
BLOCK_SECONDS = 300.0
RUNS_PER_HISTORY = 10


def rates(stream: Stream, rng: np.random.Generator) -> FloatArray:
    """The evidence on a rate, divided by what was learned; each history serves ten runs."""
    counts, world = stream.counts, stream.world

    def history() -> Counts:
        return streams.draw(replace(world, drift=1.0), Fault(1.0), rng, HOURS, is_faulty=False).counts

    return _judged(counts, world, [learn(blocks_of(history(), world)) for _ in _histories(counts)])


def users(drawn: sticky.Users, rng: np.random.Generator) -> FloatArray:
    """The same where users stay with their version."""

    def history() -> Counts:
        return sticky.draw(drawn.world, rng, HOURS, is_faulty=False).counts

    learned = [learn(blocks_of(history(), drawn.world)) for _ in _histories(drawn.counts)]
    return _judged(drawn.counts, drawn.world, learned)


def blocks_of(counts: Counts, world: World) -> Blocks:
    """The runs one after the other, an hour apart, in blocks of five minutes."""
    ticks, runs = counts.candidate_trials.shape
    width = round(BLOCK_SECONDS / world.tick_seconds)

    def blocks(figures: FloatArray) -> FloatArray:
        total: FloatArray = figures.T.reshape(-1, width).sum(axis=1)[:, np.newaxis]
        return total

    inside = np.arange(0, ticks, width) * world.tick_seconds
    hours = np.arange(runs)[:, np.newaxis] * (world.planned_seconds + 3600)
    return Blocks(
        (hours + inside).ravel(),
        blocks(counts.candidate_trials),
        blocks(counts.candidate_bad),
        blocks(counts.baseline_trials),
        blocks(counts.baseline_bad),
        BLOCK_SECONDS,
    )


def _histories(counts: Counts) -> range:
    return range(-(-counts.candidate_trials.shape[1] // RUNS_PER_HISTORY))


def _judged(counts: Counts, world: World, learned: list[Dispersion]) -> FloatArray:
    scores = np.empty_like(counts.candidate_trials)
    for run in range(scores.shape[1]):
        scores[:, run] = product.by_update(counts, world, run, learned[run // RUNS_PER_HISTORY])
    return scores
