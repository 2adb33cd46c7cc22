"""The scenarios by name: for each, how to draw runs of it and let every method read them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from benchmarks.judge import durations, kayenta, learned, oracle, product, rivals, streams, users
from benchmarks.judge.measure import (
    ARGO,
    FLAGGER,
    KAYENTA,
    LEARNED,
    LIMIT,
    PEEKED,
    POOLED,
    ROLLWAY,
    SHIRYAEV,
    STRATIFIED,
    TWO_SAMPLE,
    USERS,
    Paths,
)
from benchmarks.judge.noise import Series
from benchmarks.judge.streams import Counts, Fault, FloatArray, Stream, World

Draw = Callable[[np.random.Generator, int, bool], Paths]
"""From a generator, the number of runs and whether the fault is there, to scores."""

LOW, HIGH = 0.001, 0.01
BUSY_SECONDS = 15.0
"""Length of a tick at 10,000 requests a second: a minute of its first stage exposes more than is needed."""
LOOK_SECONDS = 60.0
"""How often the rules of others look; confidence sequences are read at every tick, as Rollway's."""
POINT_SECONDS = 600.0
"""Length of a point of Kayenta's series where a minute has too few requests to have a rate."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """`title` for the table, `draw` for the runs; `cost` is about how many seconds 100 runs take.

    `is_calibrated` is False where the noise is more than a test of independent requests allows for.
    """

    name: str
    title: str
    draw: Draw
    world: World
    onset_seconds: float = 0.0
    is_calibrated: bool = True

    @property
    def onset_tick(self) -> int:
        return round(self.onset_seconds / self.world.tick_seconds)


def rate_scenario(
    name: str, title: str, world: World, fault: Fault, *, is_calibrated: bool = True
) -> Scenario:
    """One rate; under noise of the arms also with what can be learned of it."""

    def draw(rng: np.random.Generator, runs: int, is_faulty: bool) -> Paths:
        stream = streams.draw(world, fault, rng, runs, is_faulty=is_faulty)
        scores = rate_scores(stream)
        if fault.onset_seconds > 0:
            scores[SHIRYAEV] = oracle.shiryaev(stream)
        if world.arm_sd > 0:
            scores[LEARNED] = learned.rates(stream, rng)
        return Paths(stream.served, scores)

    return Scenario(name, title, draw, world, fault.onset_seconds, is_calibrated)


def rate_scores(stream: Stream) -> dict[str, FloatArray]:
    """Every method that reads a rate."""
    return {
        LIMIT: oracle.wald(stream),
        TWO_SAMPLE: oracle.two_sample(stream),
        ROLLWAY: product.rates(stream),
        **rival_scores(stream),
    }


def rival_scores(stream: Stream) -> dict[str, FloatArray]:
    """The rules in use elsewhere, on a rate."""
    world, sums = stream.world, rivals.sums_of(stream.counts)
    every = round(LOOK_SECONDS / world.tick_seconds)
    minutes = together(stream.counts, every)
    failed = rivals.failed_rate_checks(minutes)
    found = {
        PEEKED: rivals.pooled_z(rivals.sums_of(minutes)),
        FLAGGER: rivals.flagger(failed),
        ARGO: rivals.argo(failed),
    }
    return {
        STRATIFIED: rivals.stratified_sequence(sums),
        POOLED: rivals.pooled_sequence(sums),
        KAYENTA: kayenta_on_rates(stream),
        **{method: seen_every(every, scores) for method, scores in found.items()},
    }


def kayenta_on_rates(stream: Stream) -> FloatArray:
    """Points of a minute, or of ten where the new version serves less than ten requests a minute."""
    world = stream.world
    is_sparse = world.series is None and world.per_second * 60 * streams.STAGES[0][1] < 10
    width = round((POINT_SECONDS if is_sparse else LOOK_SECONDS) / world.tick_seconds)
    points = together(stream.counts, width)
    candidate = points.candidate_bad / np.maximum(points.candidate_trials, 1.0)
    baseline = points.slice_bad / np.maximum(points.slice_trials, 1.0)
    return seen_every(width, kayenta.scores(candidate, baseline))


def together(counts: Counts, width: int) -> Counts:
    """The counts of each `width` ticks added up."""
    if width == 1:
        return counts
    arrays = (getattr(counts, field.name) for field in fields(Counts))
    return Counts(*(each.reshape(-1, width, each.shape[1]).sum(axis=1) for each in arrays))


def seen_every(width: int, scores: FloatArray) -> FloatArray:
    """Scores of longer looks, placed at the tick that ends each; in between nothing is said (-inf)."""
    found = np.full((len(scores) * width, scores.shape[1]), -np.inf)
    found[width - 1 :: width] = scores
    return found


def many_scenario(name: str, title: str, world: World, faults: tuple[Fault, ...]) -> Scenario:
    """Several rates of one service. Rules without a way to combine them stop at any one of them."""

    def draw(rng: np.random.Generator, runs: int, is_faulty: bool) -> Paths:
        kpis = streams.draw_many(world, faults, rng, runs, is_faulty=is_faulty)
        scores = {
            LIMIT: np.sum([oracle.wald(kpi) for kpi in kpis], axis=0),
            ROLLWAY: product.average(kpis),
        }
        scores |= any_of([rival_scores(kpi) for kpi in kpis])
        for method in (STRATIFIED, POOLED):
            scores[method] = scores[method] - np.log(len(kpis))
        return Paths(kpis[0].served, scores)

    return Scenario(name, title, draw, world)


def any_of(scores: Sequence[dict[str, FloatArray]]) -> dict[str, FloatArray]:
    """For each method the highest score of any KPI."""
    return {method: np.max([each[method] for each in scores], axis=0) for method in scores[0]}


def latency_scenario(
    name: str, title: str, world: World, slow: durations.Slow, bounds: tuple[float, ...] = durations.FINE
) -> Scenario:
    """Durations of requests, read as histograms with these bounds."""

    def draw(rng: np.random.Generator, runs: int, is_faulty: bool) -> Paths:
        drawn = durations.draw(world, slow, rng, runs, is_faulty=is_faulty)
        new, old, part = (
            durations.merged(each, bounds) for each in (drawn.candidate, drawn.baseline, drawn.baseline_slice)
        )
        before = durations.merged(drawn.before, bounds)
        p99 = durations.p99(new, bounds), durations.p99(part, bounds)
        failed = rivals.failed_latency_checks(p99[0])
        sums = rivals.Sums(_log_sums(new, bounds), _log_sums(old, bounds))
        scores = {
            LIMIT: durations.wald(drawn, slow),
            ROLLWAY: product.latencies(world, bounds, new, old, before),
            STRATIFIED: rivals.stratified_sequence(sums, tuned_variance=100.0),
            POOLED: rivals.pooled_sequence(sums),
            PEEKED: rivals.pooled_z(sums),
            KAYENTA: kayenta.scores(*p99),
            FLAGGER: rivals.flagger(failed),
            ARGO: rivals.argo(failed),
        }
        return Paths(np.cumsum(new.sum(axis=-1), axis=0), scores)

    return Scenario(name, title, draw, world)


def _log_sums(counts: FloatArray, bounds: tuple[float, ...]) -> tuple[FloatArray, FloatArray, FloatArray]:
    middles = durations.log_middles(bounds)
    return counts.sum(axis=-1), counts @ middles, counts @ middles**2


def users_scenario(world: World) -> Scenario:
    """Sticky users, read as requests and as users."""
    old, new = users.request_rates()

    def draw(rng: np.random.Generator, runs: int, is_faulty: bool) -> Paths:
        drawn = users.draw(world, rng, runs, is_faulty=is_faulty)
        ratios = np.full(world.ticks, new / old)
        stream = Stream(world, drawn.counts, np.full((world.ticks, runs), old), ratios)
        scores = rate_scores(stream)
        scores[LEARNED] = learned.users(drawn, rng)
        scores[USERS] = product.depths(drawn)
        return Paths(stream.served, scores)

    title = "bug in 2% of the users, who stay, 1,000/s"
    return Scenario("sticky-users", title, draw, world, is_calibrated=False)


def all_scenarios(series: Series | None = None) -> dict[str, Scenario]:
    """Every scenario by name; with a series also the one that uses it."""
    found = [*_errors(), *_noisy(), *_latencies(), *_twenty(), users_scenario(World(HIGH, 1000))]
    if series is not None:
        world = World(0.0, 0.0, series=series)
        found.append(rate_scenario("series", "rate x2, the given series", world, Fault(2)))
    return {scenario.name: scenario for scenario in found}


def _errors() -> list[Scenario]:
    found = []
    for base, ratio in ((LOW, 2.0), (HIGH, 2.0), (HIGH, 5.0), (HIGH, 1.2)):
        for per_second, word in ((1, "1"), (100, "100"), (10_000, "10k")):
            seconds = 7200.0 if per_second == 1 else 1200.0
            change = f"{100 * base:g}% -> {100 * base * ratio:g}%"
            found.append(
                rate_scenario(
                    f"errors-{100 * base:g}-to-{100 * base * ratio:g}-at-{word}",
                    f"errors {change}, {per_second:,}/s",
                    World(base, per_second, seconds, BUSY_SECONDS if per_second > 1000 else 60.0),
                    Fault(ratio),
                )
            )
    return found


def _noisy() -> list[Scenario]:
    late, plain = Fault(2, onset_seconds=1800), World(HIGH, 100)
    noisy = replace(plain, arm_sd=0.2)
    return [
        rate_scenario("late-1-to-2-at-100", "errors 1% -> 2% from minute 30, 100/s", plain, late),
        rate_scenario(
            "late-0.1-to-0.2-at-100", "errors 0.1% -> 0.2% from minute 30, 100/s", World(LOW, 100), late
        ),
        rate_scenario(
            "late-1-to-2-at-10k",
            "errors 1% -> 2% from minute 30, 10,000/s",
            World(HIGH, 10_000, tick_seconds=BUSY_SECONDS),
            late,
        ),
        rate_scenario(
            "common-noise",
            "errors x2, noise of both (sd 0.4), 100/s",
            replace(plain, common_sd=0.4),
            Fault(2),
        ),
        rate_scenario("drift", "errors x2, rate drifts x3, 100/s", replace(plain, drift=3.0), Fault(2)),
        rate_scenario(
            "arm-noise-at-100",
            "errors x2, noise of each (sd 0.2), 100/s",
            noisy,
            Fault(2),
            is_calibrated=False,
        ),
        rate_scenario(
            "arm-noise-at-10k",
            "errors x2, noise of each (sd 0.2), 10,000/s",
            replace(noisy, per_second=10_000.0, tick_seconds=BUSY_SECONDS),
            Fault(2),
            is_calibrated=False,
        ),
        rate_scenario(
            "slow-arm-noise-at-100",
            "the same, luck lasts half an hour, 100/s",
            replace(noisy, memory=0.97),
            Fault(2),
            is_calibrated=False,
        ),
    ]


def _latencies() -> list[Scenario]:
    found = [
        latency_scenario(
            f"latency-all-at-{word}",
            f"latency x1.1, {per_second:,}/s",
            World(HIGH, per_second),
            durations.scaled(1.1),
        )
        for per_second, word in ((10, "10"), (100, "100"), (1000, "1k"))
    ]
    found += [
        latency_scenario(
            f"latency-tail-{percent}-at-100",
            f"p99 +{percent}% (tail only), 100/s",
            World(HIGH, 100),
            durations.tail(1 + percent / 100),
        )
        for percent in (10, 50)
    ]
    found.append(
        latency_scenario(
            "latency-all-classic-at-100",
            "latency x1.1, 14 classic buckets, 100/s",
            World(HIGH, 100),
            durations.scaled(1.1),
            durations.CLASSIC,
        )
    )
    return found


def _twenty() -> list[Scenario]:
    world, same = World(HIGH, 100), (Fault(1.0),)
    return [
        many_scenario("twenty-one-doubles", "20 rates, one x2, 100/s", world, (Fault(2), *same * 19)),
        many_scenario(
            "twenty-ten-rise", "20 rates, ten x1.3, 100/s", world, (*(Fault(1.3),) * 10, *same * 10)
        ),
    ]
