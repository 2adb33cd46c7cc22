"""Rollway's judge on simulated streams: scores are its log e-values of harm, shape (ticks, runs).

Where every run has numbers of both versions in every tick, the runs are rows of one comparison, which
is the product's own mathematics; otherwise each run is read by `rollway.judge.update` itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.judge.streams import Counts, FloatArray, Stream, World
from benchmarks.judge.users import DEPTHS, Users
from rollway import judge
from rollway.judge import comparison
from rollway.judge.dispersion import NONE, Dispersion
from rollway.judge.harm import contributions
from rollway.judge.onset import Interval
from rollway.judge.processes import Arms

KPI = "kpi"
TOLERANCE = 1.0
"""With 1 a healthy version is exactly at the edge of what the judge must not roll back."""

ReadTick = Callable[[int], judge.Reading]


def rates(stream: Stream) -> FloatArray:
    """The evidence on one rate, at every tick."""
    counts, world = stream.counts, stream.world
    has_both = np.all((counts.candidate_trials > 0) & (counts.baseline_trials > 0), axis=0)
    scores = np.empty_like(counts.candidate_trials)
    scores[:, has_both] = by_rows(_only(counts, has_both), world)
    for run in np.flatnonzero(~has_both):
        scores[:, run] = by_update(counts, world, int(run))
    return scores


def by_rows(counts: Counts, world: World) -> FloatArray:
    """All runs side by side; every one must have trials of both versions in every tick."""
    runs = counts.candidate_trials.shape[1]
    compared, scores = comparison.start(runs), np.empty_like(counts.candidate_trials)
    for tick in range(len(scores)):
        compared = comparison.compare(
            compared, arms_of(counts, tick), interval_of(world, tick), tolerance=TOLERANCE, margin=None
        )
        scores[tick] = comparison.harm_of(compared, world.planned_seconds)
    return scores


def by_update(counts: Counts, world: World, run: int, dispersion: Dispersion = NONE) -> FloatArray:
    """One run through the public door, shape (ticks,)."""

    def read(tick: int) -> judge.Reading:
        samples = (
            judge.Counts(int(trials[tick, run]), int(bad[tick, run]))
            for trials, bad in (
                (counts.candidate_trials, counts.candidate_bad),
                (counts.baseline_trials, counts.baseline_bad),
            )
        )
        return reading(world, tick, *samples)

    rule = judge.GuardRule(KPI, "rate", tolerance=TOLERANCE, dispersion=dispersion)
    return judged(rule, world, read)


def judged(
    rule: judge.GuardRule, world: World, read: ReadTick, before: Sequence[judge.Reading] = ()
) -> FloatArray:
    """The log e-value after each tick's reading, shape (ticks,); `before` is read first."""
    rules = judge.Rules((rule,), alpha=1e-300, planned_seconds=world.planned_seconds)
    state = judge.update(rules, judge.begin(rules), before)
    scores = np.empty(world.ticks)
    for tick in range(world.ticks):
        state = judge.update(rules, state, (read(tick),))
        scores[tick] = contributions(rules, state)[0]
    return scores


def reading(
    world: World, tick: int, candidate: judge.Sample | None, baseline: judge.Sample | None
) -> judge.Reading:
    """The reading of a tick."""
    stage, share = world.stage(tick)
    start = tick * world.tick_seconds
    return judge.Reading(KPI, start, start + world.tick_seconds, stage, share, candidate, baseline)


def latencies(
    world: World,
    bounds: tuple[float, ...],
    candidate: FloatArray,
    baseline: FloatArray,
    before: FloatArray,
) -> FloatArray:
    """Histograms of shape (ticks, runs, buckets); `before` are ticks of the old version alone."""
    rule = judge.GuardRule(KPI, "latency", tolerance=TOLERANCE)
    scores = np.empty(candidate.shape[:2])
    for run in range(candidate.shape[1]):
        early = [
            _alone(world, tick - len(before), histogram(bounds, counts[run]))
            for tick, counts in enumerate(before)
        ]

        def read(tick: int, run: int = run) -> judge.Reading:
            new, old = (histogram(bounds, arm[tick, run]) for arm in (candidate, baseline))
            return reading(world, tick, new, old)

        scores[:, run] = judged(rule, world, read, early)
    return scores


def depths(drawn: Users) -> FloatArray:
    """Users who meet their first and their third failure."""
    rule = judge.GuardRule(KPI, "depths", tolerance=TOLERANCE, depths=DEPTHS)
    trials = drawn.counts.candidate_trials, drawn.counts.baseline_trials
    scores = np.empty_like(trials[0])
    for run in range(scores.shape[1]):

        def read(tick: int, run: int = run) -> judge.Reading:
            samples = (
                judge.Depths(int(trials[arm][tick, run]), _whole(drawn.reached[:, arm, tick, run]))
                for arm in (0, 1)
            )
            return reading(drawn.world, tick, *samples)

        scores[:, run] = judged(rule, drawn.world, read)
    return scores


def histogram(bounds: tuple[float, ...], counts: FloatArray) -> judge.Histogram:
    """One arm's durations as the judge reads them."""
    return judge.Histogram(bounds, _whole(counts))


def _alone(world: World, tick: int, baseline: judge.Sample) -> judge.Reading:
    """A tick of the old version before anyone is exposed."""
    start = tick * world.tick_seconds
    return judge.Reading(KPI, start, start + world.tick_seconds, "before", 0.0, None, baseline)


def _whole(counts: FloatArray) -> tuple[int, ...]:
    return tuple(counts.astype(np.int64).tolist())


def average(streams: Sequence[Stream]) -> FloatArray:
    """Several rates of one service, of equal weight: the e-values' mean, as the judge combines guards."""
    logs = np.stack([rates(stream) for stream in streams])
    total: FloatArray = np.logaddexp.reduce(logs, axis=0) - np.log(len(streams))
    return total


def arms_of(counts: Counts, tick: int) -> Arms:
    """A tick's counts of all runs."""
    return Arms(
        counts.candidate_trials[tick],
        counts.candidate_bad[tick],
        counts.baseline_trials[tick],
        counts.baseline_bad[tick],
    )


def interval_of(world: World, tick: int) -> Interval:
    """A tick's place in the rollout."""
    stage, _ = world.stage(tick)
    return Interval(stage, tick * world.tick_seconds, world.tick_seconds, world.planned_seconds)


def _only(counts: Counts, chosen: NDArray[np.bool_]) -> Counts:
    return Counts(
        counts.candidate_trials[:, chosen],
        counts.candidate_bad[:, chosen],
        counts.baseline_trials[:, chosen],
        counts.baseline_bad[:, chosen],
        counts.slice_trials[:, chosen],
        counts.slice_bad[:, chosen],
    )
