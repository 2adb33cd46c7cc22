"""Telemetry that is not as it should be: what each method makes of gaps, late failures and a silent arm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from benchmarks.judge import measure, product, scenarios, streams
from benchmarks.judge.measure import ARGO, FLAGGER, KAYENTA, PEEKED, POOLED, ROLLWAY, STRATIFIED
from benchmarks.judge.streams import Counts, Fault, FloatArray, World
from rollway import judge

WORLD = World(0.01, 100)
FAULT = Fault(2, onset_seconds=1200)
"""Errors double with the step to 10%."""
ONSET_TICK = round(FAULT.onset_seconds / WORLD.tick_seconds)
ALPHA = 0.05
MARGIN = 1.5
NONE = np.empty(0)
GAP = slice(25, 35)
SILENT_FROM = 25
LATE_TICKS = 2
MOST_VERDICT_RUNS = 400
"""Rollway is read run by run with its verdicts: a quarter of the runs, at most these."""
METHODS = (KAYENTA, FLAGGER, ARGO, STRATIFIED, POOLED, PEEKED)

Spoil = Callable[[Counts], Counts]
Read = Callable[[Counts, int, int], judge.Reading]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with the numbers.

    `read` is how a signal would hand a spoilt tick of a run to the judge, and `ask_at` the tick after
    which healthy runs are asked for their verdict. `is_told`: the source says which numbers are not
    complete, and only Rollway listens.
    """

    name: str
    spoil: Spoil
    read: Read
    ask_at: int
    is_told: bool = False


def measure_all(rng: np.random.Generator, runs: int) -> dict[str, Any]:
    """By trouble and method: healthy runs stopped, faults missed, requests exposed; what Rollway says."""
    healthy = streams.draw(WORLD, FAULT, rng, runs, is_faulty=False).counts
    faulty = streams.draw(WORLD, FAULT, rng, runs, is_faulty=True).counts
    return {trouble.name: _measure(trouble, healthy, faulty) for trouble in TROUBLES}


def _measure(trouble: Trouble, healthy: Counts, faulty: Counts) -> dict[str, Any]:
    served = np.cumsum(faulty.candidate_trials, axis=0)
    few = min(MOST_VERDICT_RUNS, -(-served.shape[1] // 4))
    spoilt = trouble.spoil(healthy), trouble.spoil(faulty)
    read = [_judge(trouble, true, seen, few) for true, seen in zip((healthy, faulty), spoilt, strict=True)]
    found = {ROLLWAY: _row(served[:, :few], read[0].scores, read[1].scores, ROLLWAY)}
    if not trouble.is_told:
        others = [scenarios.rival_scores(streams.Stream(WORLD, c, NONE, NONE)) for c in spoilt]
        found |= {m: _row(served, others[0][m], others[1][m], m) for m in METHODS}
    passed = float(np.mean(read[1].is_passed))
    return {"methods": found, "says": dict(read[0].says), "faulty_passed": passed}


def _row(served: FloatArray, healthy: FloatArray, faulty: FloatArray, method: str) -> dict[str, Any]:
    paths = measure.Paths(served, {method: healthy}), measure.Paths(served, {method: faulty})
    found = measure.figures(*paths, onset_tick=ONSET_TICK, tick_seconds=WORLD.tick_seconds)[method]
    told: dict[str, Any] = found[f"{ALPHA:g}"]
    return told


@dataclass(frozen=True, slots=True)
class _Read:
    """Scores, shape (ticks, runs); how often which verdict was given at `ask_at`; whether the run was
    ever called healthy in the first stage."""

    scores: FloatArray
    says: Counter[str]
    is_passed: list[bool]


def _judge(trouble: Trouble, true: Counts, seen: Counts, runs: int) -> _Read:
    rule = judge.GuardRule(product.KPI, "rate", tolerance=product.TOLERANCE)
    margins = {stage: {product.KPI: MARGIN} for stage, _ in streams.STAGES}
    rules = judge.Rules((rule,), margins=margins, alpha=ALPHA, planned_seconds=WORLD.planned_seconds)
    scores, says, is_passed = np.zeros((WORLD.ticks, runs)), Counter[str](), []
    for run in range(runs):
        state, passed = judge.begin(rules), False
        for tick in range(WORLD.ticks):
            state = judge.update(rules, state, _readings(trouble, true, seen, tick, run))
            stage, share = WORLD.stage(tick)
            now = (tick + 1) * WORLD.tick_seconds
            said = judge.verdict(rules, state, now=now, stage=stage, share=share)
            scores[tick, run] = np.inf if said.kind == "harmful" else 0.0
            passed |= said.kind == "healthy" and stage == "ten"
            if tick == trouble.ask_at:
                reason = next((g.blind_reason for g in said.guards if g.blind_reason), None)
                says[f"blind ({reason})" if said.kind == "blind" else said.kind] += 1
        is_passed.append(passed)
    return _Read(scores, says, is_passed)


def _readings(trouble: Trouble, true: Counts, seen: Counts, tick: int, run: int) -> list[judge.Reading]:
    found = [trouble.read(seen, tick, run)]
    if not found[0].is_complete and tick >= LATE_TICKS:
        found.append(plain(true, tick - LATE_TICKS, run))
    return found


def plain(counts: Counts, tick: int, run: int) -> judge.Reading:
    """A tick of one run as it should be reported."""
    new = judge.Counts(int(counts.candidate_trials[tick, run]), int(counts.candidate_bad[tick, run]))
    old = judge.Counts(int(counts.baseline_trials[tick, run]), int(counts.baseline_bad[tick, run]))
    return product.reading(WORLD, tick, new, old)


def _gap(counts: Counts) -> Counts:
    return _cleared(counts, GAP, [field.name for field in fields(Counts)])


def _read_gap(counts: Counts, tick: int, run: int) -> judge.Reading:
    is_gap = GAP.start <= tick < GAP.stop
    reading = plain(counts, tick, run)
    return replace(reading, candidate=None, baseline=None) if is_gap else reading


def _silent(counts: Counts) -> Counts:
    return _cleared(counts, slice(SILENT_FROM, None), ["candidate_trials", "candidate_bad"])


def _read_silent(counts: Counts, tick: int, run: int) -> judge.Reading:
    reading = plain(counts, tick, run)
    return replace(reading, candidate=None) if tick >= SILENT_FROM else reading


def _cleared(counts: Counts, when: slice, names: list[str]) -> Counts:
    changed: dict[str, FloatArray] = {}
    for name in names:
        changed[name] = getattr(counts, name).copy()
        changed[name][when] = 0.0
    return replace(counts, **changed)


def late(counts: Counts) -> Counts:
    """Failures are reported two ticks after the successes of the same moment."""
    changed: dict[str, FloatArray] = {}
    for arm in ("candidate", "baseline", "slice"):
        trials, bad = getattr(counts, f"{arm}_trials"), getattr(counts, f"{arm}_bad")
        seen = np.concatenate([np.zeros((LATE_TICKS, bad.shape[1])), bad[:-LATE_TICKS]])
        changed |= {f"{arm}_bad": seen, f"{arm}_trials": trials - bad + seen}
    return Counts(**changed)


def _read_incomplete(counts: Counts, tick: int, run: int) -> judge.Reading:
    """What is known at once, marked as incomplete; the full numbers follow two ticks later."""
    return replace(plain(counts, tick, run), is_complete=False)


TROUBLES = (
    Trouble("no numbers of either version, minutes 26 to 35", _gap, _read_gap, GAP.stop - 1),
    Trouble("the new version is silent from minute 26", _silent, _read_silent, SILENT_FROM + 4),
    Trouble("failures reported 2 min late", late, plain, 21),
    Trouble("failures reported 2 min late, and said so", late, _read_incomplete, 21, is_told=True),
)
