"""How many readings one core judges in a minute, and that the hundred-thousandth costs what the first did."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import numpy as np

from benchmarks.judge import durations
from benchmarks.judge.targets import Check
from rollway import judge

TARGET_PER_MINUTE = 1_000_000
EARLY, LATE = 1_000, 100_000
BATCH = 1_000
"""Readings between two looks at the clock."""
ROUNDS = 7
STEADY = 0.85
VARIED = 500
"""Different samples that are read in turn, so that drawing them is not part of what is timed."""
SHARE = 0.1
TICK_SECONDS = 10.0

Pair = tuple[judge.Sample, judge.Sample]
Moments = list[list[judge.Reading]]


def measure_all(seed: int, *, quick: bool) -> dict[str, Any]:
    """By case: readings per minute early and late (CPU time), and bytes of the dumped state at both."""
    rng = np.random.default_rng(seed)
    late = 10_000 if quick else LATE
    cases = {
        "rate": (_rate_samples(rng), 1),
        "rate, 20 KPIs in one update": (_rate_samples(rng), 20),
        "latency, 14 classic buckets": (_latency_samples(rng, durations.CLASSIC), 1),
        "latency, 75 fine buckets": (_latency_samples(rng, durations.FINE), 1),
    }
    return {name: _measure(samples, kpis, late) for name, (samples, kpis) in cases.items()}


def _measure(samples: list[Pair], kpis: int, late: int) -> dict[str, Any]:
    """Both states are kept and then timed in turn, so that a busy machine is not taken for a difference."""
    kind = "rate" if isinstance(samples[0][0], judge.Counts) else "latency"
    rules = judge.Rules(tuple(judge.GuardRule(f"kpi {i}", kind) for i in range(kpis)), alpha=1e-300)
    states = {0: judge.begin(rules)}
    for read in range(0, late, BATCH):
        states = {mark: state for mark, state in states.items() if mark in (EARLY, read)}
        states[read + BATCH] = _read(rules, states[read], _moments(samples, kpis, read))[0]
    fastest = dict.fromkeys((EARLY, late), math.inf)
    for _ in range(ROUNDS):
        for mark, least in fastest.items():
            _, spent = _read(rules, states[mark], _moments(samples, kpis, mark))
            fastest[mark] = min(least, spent)
    told = [
        {
            "readings": mark,
            "per_minute": 60 * BATCH / spent,
            "state_bytes": len(json.dumps(judge.dump(states[mark]))),
        }
        for mark, spent in fastest.items()
    ]
    return {"early": told[0], "late": told[1]}


def _read(rules: judge.Rules, state: judge.JudgeState, moments: Moments) -> tuple[judge.JudgeState, float]:
    """The state after these moments, and the seconds of CPU time that it took."""
    began = time.process_time()
    for moment in moments:
        state = judge.update(rules, state, moment)
    return state, time.process_time() - began


def _moments(samples: list[Pair], kpis: int, read: int) -> Moments:
    return [_moment(samples, kpis, (read + i) // kpis) for i in range(0, BATCH, kpis)]


def _moment(samples: list[Pair], kpis: int, tick: int) -> list[judge.Reading]:
    start = tick * TICK_SECONDS
    found = []
    for kpi in range(kpis):
        new, old = samples[(tick * kpis + kpi) % VARIED]
        found.append(judge.Reading(f"kpi {kpi}", start, start + TICK_SECONDS, "ten", SHARE, new, old))
    return found


def _rate_samples(rng: np.random.Generator) -> list[Pair]:
    return [
        (judge.Counts(new, int(rng.binomial(new, 0.01))), judge.Counts(old, int(rng.binomial(old, 0.01))))
        for new, old in rng.poisson((100, 900), (VARIED, 2)).tolist()
    ]


def _latency_samples(rng: np.random.Generator, bounds: tuple[float, ...]) -> list[Pair]:
    law = durations.law(durations.scaled(1.0))

    def draw(size: int) -> judge.Histogram:
        counts = durations.merged(rng.multinomial(size, law).astype(np.float64), bounds)
        return judge.Histogram(bounds, tuple(counts.astype(np.int64).tolist()))

    return [(draw(100), draw(900)) for _ in range(VARIED)]


def lines(found: dict[str, Any]) -> list[str]:
    """The figures as text, with a line for each target."""
    rows = [
        f"{name:<30}{case['early']['per_minute']:>12,.0f}{case['late']['per_minute']:>12,.0f}"
        f"{case['early']['state_bytes']:>12,}{case['late']['state_bytes']:>12,}"
        for name, case in found.items()
    ]
    marks = [f"{case['readings']:,}" for case in next(iter(found.values())).values()]
    head = f"{'readings per minute, bytes at':<30}" + "".join(f"{mark:>12}" for mark in 2 * marks)
    checks = [check for name, case in found.items() for check in _checks(name, case)]
    return [head, *rows, *map(str, checks)]


def _checks(name: str, case: dict[str, Any]) -> tuple[Check, Check]:
    early, late = case["early"], case["late"]
    is_steady = (
        late["per_minute"] >= STEADY * early["per_minute"]
        and late["state_bytes"] <= early["state_bytes"] / STEADY
    )
    return (
        Check(
            f"{name}: {late['per_minute']:,.0f} >= {TARGET_PER_MINUTE:,} readings a minute",
            late["per_minute"] >= TARGET_PER_MINUTE,
        ),
        Check(
            f"{name}: after {late['readings']:,} readings as fast and as small as after {EARLY:,}", is_steady
        ),
    )
