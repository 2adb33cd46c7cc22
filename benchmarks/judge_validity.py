"""Does the judge keep its promises? False rollbacks, missed faults, and what finding one costs.

    python benchmarks/judge_validity.py             about half a minute
    python benchmarks/judge_validity.py --runs 200  quicker and rougher

Every case is run over a ramp of 1%, 10% and 50%, half an hour each. Healthy runs have a base rate that
drifts by a factor of three and shakes by 40% from tick to tick; faulty runs have a steady one, so that
the limit is exact. The limit is what a test that knows the fault and its onset needs at least (Wald's
bound for two samples).
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from rollway import judge
from rollway.judge import comparison
from rollway.judge.arithmetic import information
from rollway.judge.kinds.latency import choose_cuts
from rollway.judge.logs import FloatArray, log_sum
from rollway.judge.onset import Interval
from rollway.judge.processes import Arms

STAGES = (("one", 0.01), ("ten", 0.1), ("half", 0.5))
TICKS = 180
TICK_SECONDS = 10.0
PLANNED_SECONDS = len(STAGES) * TICKS * TICK_SECONDS
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
ALPHAS = (0.05, 0.01)

Draw = Callable[[float, float], Arms]


@dataclass(frozen=True, slots=True)
class Case:
    """A fault, how to draw one tick of it at (share, drift), and what a request tells about it (nats)."""

    name: str
    per_second: float
    cuts: int
    healthy: Draw
    faulty: Draw
    information: Callable[[float], float]


def moments() -> Iterator[tuple[Interval, float, float]]:
    """Interval, share and the drift of the base rate (1 to 3) of each tick."""
    total = len(STAGES) * TICKS
    for tick in range(total):
        stage, share = STAGES[tick // TICKS]
        interval = Interval(stage, tick * TICK_SECONDS, TICK_SECONDS, PLANNED_SECONDS)
        yield interval, share, 1 + 2 * math.sin(math.pi * tick / total)


def served_until_harmful(draw: Draw, *, runs: int, cuts: int, alpha: float, drifts: bool) -> FloatArray:
    """Requests of the new version until the evidence is enough, shape (runs,); NaN where it never was.

    The rows of one run are its cuts, and their e-values are averaged.
    """
    compared = comparison.start(runs * cuts)
    served, found_at = np.zeros(runs), np.full(runs, np.nan)
    for interval, share, drift in moments():
        arms = draw(share, drift if drifts else 1.0)
        compared = comparison.compare(compared, arms, interval, tolerance=1.0, margin=None)
        served += arms.candidate_trials.reshape(runs, cuts)[:, 0]
        log_e = log_sum(comparison.harm_of(compared, PLANNED_SECONDS).reshape(runs, cuts)) - math.log(cuts)
        found_at = np.where(np.isnan(found_at) & (log_e >= math.log(1 / alpha)), served, found_at)
        if not np.isnan(found_at).any():
            break
    return found_at


def limit_of(case: Case, alpha: float) -> float:
    """Requests of the new version until a test that knows everything has seen log(1/alpha) nats."""
    lacking, served = math.log(1 / alpha), 0.0
    for _, share, _ in moments():
        requests, told = case.per_second * TICK_SECONDS * share, case.information(share)
        if requests * told >= lacking:
            return served + lacking / told
        lacking, served = lacking - requests * told, served + requests
    return math.inf


def rate_case(rng: np.random.Generator, runs: int, base: float, ratio: float, per_second: float) -> Case:
    """Bad events of a base rate, `ratio` times as frequent in the faulty version."""

    def draw(truth: float, shakes: bool) -> Draw:
        def tick(share: float, drift: float) -> Arms:
            trials = rng.poisson(per_second * TICK_SECONDS, runs)
            candidate = rng.binomial(trials, share)
            shock = np.exp(rng.normal(-0.08, 0.4, runs)) if shakes else np.ones(runs)
            rate = np.minimum(base * drift * shock, 0.9)
            bad = rng.binomial(candidate, rate * truth), rng.binomial(trials - candidate, rate)
            return _arms(candidate, bad[0], trials - candidate, bad[1])

        return tick

    return Case(
        name=f"{base:.1%} -> {base * ratio:.1%} at {per_second:g}/s",
        per_second=per_second,
        cuts=1,
        healthy=draw(1.0, shakes=True),
        faulty=draw(ratio, shakes=False),
        information=lambda share: information(base_rate=base, truth=ratio, null=1.0, share=share),
    )


def latency_case(rng: np.random.Generator, runs: int, slow_factor: float, per_second: float) -> Case:
    """Log-normal durations; in the faulty version the slowest tenth takes `slow_factor` times as long."""
    old, new = durations(1.0), durations(slow_factor)
    cuts = choose_cuts(rng.multinomial(300, old).astype(np.float64))

    def draw(law: FloatArray) -> Draw:
        def tick(share: float, _drift: float) -> Arms:
            trials = rng.poisson(per_second * TICK_SECONDS, runs)
            candidate = rng.binomial(trials, share)
            arms = rng.multinomial(candidate, law), rng.multinomial(trials - candidate, old)
            above = [
                np.stack([arm[:, cut + 1 :].sum(axis=1) for cut in cuts], axis=1).ravel() for arm in arms
            ]
            wide = np.repeat(candidate, len(cuts)), np.repeat(trials - candidate, len(cuts))
            return _arms(wide[0], above[0], wide[1], above[1])

        return tick

    def told(share: float) -> float:
        pairs = zip(old, new, strict=True)
        return sum(
            information(base_rate=p, truth=q / p, null=1.0, share=share) for p, q in pairs if p > 0 and q > 0
        )

    name = f"slowest 10% x{slow_factor:g} at {per_second:g}/s"
    return Case(name, per_second, len(cuts), draw(old), draw(new), told)


def durations(slow_factor: float, size: int = 400_000) -> FloatArray:
    """The law of log-normal durations (median 0.1 s) over the buckets, the slowest tenth stretched."""
    drawn = np.random.default_rng(0).lognormal(math.log(0.1), 0.6, size)
    drawn[drawn > np.quantile(drawn, 0.9)] *= slow_factor
    law: FloatArray = np.bincount(np.searchsorted(BOUNDS, drawn), minlength=len(BOUNDS) + 1) / size
    return law


def _arms(*counts: np.ndarray) -> Arms:
    return Arms(*(count.astype(np.float64) for count in counts))


def report(case: Case, runs: int, alpha: float) -> None:
    """One line of the table."""
    false = served_until_harmful(case.healthy, runs=runs, cuts=case.cuts, alpha=alpha, drifts=True)
    found = served_until_harmful(case.faulty, runs=runs, cuts=case.cuts, alpha=alpha, drifts=False)
    rolled_back, missed = np.mean(~np.isnan(false)), np.mean(np.isnan(found))
    mean, limit = float(np.nanmean(found)), limit_of(case, alpha)
    print(
        f"{case.name:<30}{alpha:>6}{100 * rolled_back:>17.1f}{100 * missed:>9.1f}"
        f"{mean:>12,.0f}{limit:>10,.0f}{mean / limit:>8.2f}",
        flush=True,
    )


def speed() -> None:
    """Milliseconds for one update and one verdict with two rates and a latency."""
    rules = judge.Rules(
        guards=(
            judge.GuardRule("errors", "rate", limit=0.2),
            judge.GuardRule("logins", "rate"),
            judge.GuardRule("latency", "latency", limit=0.1, limit_seconds=2.5),
        ),
        margins={"ten": {"errors": 1.5, "logins": 1.5, "latency": 1.5}},
    )
    rng, state, spent = np.random.default_rng(3), judge.begin(rules), []
    law = durations(1.0)
    for tick in range(300):
        end = 10.0 * tick
        readings = [
            judge.Reading(kpi, end - 10, end, "ten", 0.1, judge.Counts(100, 1), judge.Counts(900, 9))
            for kpi in ("errors", "logins")
        ]
        arms = [judge.Histogram(BOUNDS, tuple(rng.multinomial(n, law).tolist())) for n in (100, 900)]
        readings.append(judge.Reading("latency", end - 10, end, "ten", 0.1, arms[0], arms[1]))
        began = time.perf_counter()
        state = judge.update(rules, state, readings)
        judge.verdict(rules, state, now=end, stage="ten", share=0.1)
        spent.append(1000 * (time.perf_counter() - began))
    print(
        f"update and verdict, three guards: median {np.median(spent):.2f} ms, "
        f"99% within {np.quantile(spent, 0.99):.2f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="The judge's promises, measured.")
    parser.add_argument("--runs", type=int, default=1000, help="simulated rollouts per case (1000)")
    runs = parser.parse_args().runs
    rng = np.random.default_rng(11)
    cases = [
        rate_case(rng, runs, 0.01, 2, 100),
        rate_case(rng, runs, 0.001, 2, 100),
        rate_case(rng, runs, 0.01, 5, 100),
        rate_case(rng, runs, 0.01, 2, 1000),
        latency_case(rng, runs, 2, 100),
        latency_case(rng, runs, 1.3, 100),
    ]
    heads = ("false rollback %", "missed %", "requests", "limit", "x limit")
    print(f"{'case':<30}{'alpha':>6}{heads[0]:>17}{heads[1]:>9}{heads[2]:>12}{heads[3]:>10}{heads[4]:>8}")
    for alpha in ALPHAS:
        for case in cases:
            report(case, runs, alpha)
    speed()


if __name__ == "__main__":
    main()
