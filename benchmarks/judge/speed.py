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
TICKS = 50
STEADY = 0.85
VARIED = 500
"""Different samples that are read in turn, so that drawing them is not part of what is timed."""
SHARE = 0.1
TICK_SECONDS = 10.0
CAP = 50.0

Pair = tuple[judge.Sample, judge.Sample]
"""Of the new version and of the old one."""
Part = tuple[list[Pair], dict[str, Any]]
"""A KPI's samples, and its rule."""
Moments = list[list[judge.Reading]]


def measure_all(seed: int, *, quick: bool) -> dict[str, Any]:
    """By case: readings per minute early and late (CPU time), and bytes of the dumped state at both."""
    rng = np.random.default_rng(seed)
    late = 10_000 if quick else LATE
    noise = judge.Dispersion(1.5, 0.04, 600.0)
    rates, classic = _rate_samples(rng), _latency_samples(rng, durations.CLASSIC)
    rate: Part = (rates, {"kind": "rate"})
    cases: dict[str, list[Part]] = {
        "a plan: three rates, a latency": [rate, (classic, {"kind": "latency"}), rate, rate],
        "rate": [rate],
        "rate, 20 KPIs in one update": [rate] * 20,
        "rate with learned noise": [(rates, {"kind": "rate", "dispersion": noise})],
        "rate with a limit": [(rates, {"kind": "rate", "limit": 0.05})],
        "users (depths)": [(_depth_samples(rng), {"kind": "depths"})],
        "assignment": [(_assigned_samples(rng), {"kind": "assignment"})],
        "latency, 14 classic buckets": [(classic, {"kind": "latency"})],
        "latency, 75 fine buckets": [(_latency_samples(rng, durations.FINE), {"kind": "latency"})],
        "mean of a bounded figure": [(_mean_samples(rng), {"kind": "mean", "bound": 1.0})],
        "total, cut off at a cap": [(_total_samples(rng), {"kind": "total", "cap": CAP})],
        "quotient of two totals": [(_total_samples(rng), {"kind": "quotient"})],
    }
    return {name: _measure(parts, late) for name, parts in cases.items()}


def _measure(parts: list[Part], late: int) -> dict[str, Any]:
    """Both states are kept and then timed in turn, so that a busy machine is not taken for a difference."""
    guards = tuple(judge.GuardRule(f"kpi {i}", **rule) for i, (_, rule) in enumerate(parts))
    rules = judge.Rules(guards, alpha=1e-300)
    states = {0: judge.begin(rules)}
    for read in range(0, late, BATCH):
        states = {mark: state for mark, state in states.items() if mark in (EARLY, read)}
        states[read + BATCH] = _read(rules, states[read], _moments(parts, read))[0]
    fastest = dict.fromkeys((EARLY, late), math.inf)
    for _ in range(ROUNDS):
        for mark, least in fastest.items():
            _, spent = _read(rules, states[mark], _moments(parts, mark))
            fastest[mark] = min(least, spent)
    told = [
        {
            "readings": mark,
            "per_minute": 60 * BATCH / spent,
            "state_bytes": len(json.dumps(judge.dump(states[mark]))),
        }
        for mark, spent in fastest.items()
    ]
    tick = _tick(rules, states[late], _moments(parts, late)) / len(parts)
    return {"early": told[0], "late": told[1], "tick_microseconds": 1e6 * tick}


def _tick(rules: judge.Rules, state: judge.JudgeState, moments: Moments) -> float:
    """Seconds of CPU time that a tick of a rollout takes, from the stored state to the stored state."""
    text, fastest = json.dumps(judge.dump(state)), math.inf
    for _ in range(ROUNDS):
        began = time.process_time()
        for moment in moments[:TICKS]:
            known = judge.update(rules, judge.load(rules, json.loads(text)), moment)
            judge.verdict(rules, known, now=moment[0].end, stage=moment[0].stage, share=SHARE)
            json.dumps(judge.dump(known))
        fastest = min(fastest, (time.process_time() - began) / len(moments[:TICKS]))
    return fastest


def _read(rules: judge.Rules, state: judge.JudgeState, moments: Moments) -> tuple[judge.JudgeState, float]:
    """The state after these moments, and the seconds of CPU time that it took."""
    began = time.process_time()
    for moment in moments:
        state = judge.update(rules, state, moment)
    return state, time.process_time() - began


def _moments(parts: list[Part], read: int) -> Moments:
    return [_moment(parts, (read + i) // len(parts)) for i in range(0, BATCH, len(parts))]


def _moment(parts: list[Part], tick: int) -> list[judge.Reading]:
    start = tick * TICK_SECONDS
    found = []
    for kpi, (samples, _) in enumerate(parts):
        new, old = samples[(tick * len(parts) + kpi) % VARIED]
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


def _depth_samples(rng: np.random.Generator) -> list[Pair]:
    def draw(size: int) -> judge.Depths:
        first = int(rng.binomial(size, 0.01))
        return judge.Depths(size, (first, int(rng.binomial(first, 0.3))))

    return [(draw(new), draw(old)) for new, old in rng.poisson((100, 900), (VARIED, 2)).tolist()]


def _assigned_samples(rng: np.random.Generator) -> list[Pair]:
    sizes = rng.poisson((100, 900), (VARIED, 2)).tolist()
    return [(judge.Assigned(new), judge.Assigned(old)) for new, old in sizes]


def _mean_samples(rng: np.random.Generator) -> list[Pair]:
    def draw(size: int) -> judge.Moments:
        figures = rng.beta(2, 5, size)
        return judge.Moments(size, float(figures.sum()), float(figures @ figures))

    return [(draw(new), draw(old)) for new, old in rng.poisson((100, 900), (VARIED, 2)).tolist()]


def _total_samples(rng: np.random.Generator) -> list[Pair]:
    def draw(size: int) -> judge.Moments:
        figures, others = np.minimum(rng.lognormal(1.0, 1.0, size), CAP), rng.lognormal(0.0, 0.5, size)
        sums = figures.sum(), figures @ figures, others.sum(), others @ others, figures @ others
        return judge.Moments(size, *map(float, sums))

    return [(draw(new), draw(old)) for new, old in rng.poisson((100, 900), (VARIED, 2)).tolist()]


def lines(found: dict[str, Any]) -> list[str]:
    """The figures as text, with a line for each target."""
    rows = [
        f"{name:<30}{case['early']['per_minute']:>12,.0f}{case['late']['per_minute']:>12,.0f}"
        f"{case['early']['state_bytes']:>12,}{case['late']['state_bytes']:>12,}"
        f"{case['tick_microseconds']:>12,.0f}"
        for name, case in found.items()
    ]
    first = next(iter(found.values()))
    marks = [f"{first[mark]['readings']:,}" for mark in ("early", "late")]
    head = f"{'readings per minute, bytes at':<30}" + "".join(
        f"{mark:>12}" for mark in (*marks, *marks, "tick us")
    )
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
