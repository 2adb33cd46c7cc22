"""Latency: requests slower than a cut among all requests, at several cuts at once.

The cuts are bounds of the histogram, chosen from the old version's own first durations, so a cut never
depends on the interval it judges. Harm is the average over the cuts, safety the worst of two of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rollway.judge import exceedance
from rollway.judge.evidence import Safety, Shown
from rollway.judge.exceedance import Exceedance
from rollway.judge.logs import FloatArray
from rollway.judge.model import GuardRule, Histogram, Reading, Rules, Sample
from rollway.judge.plausible import is_histogram
from rollway.judge.processes import SUSPICIOUS_LOG_E
from rollway.judge.words import accusation

# The shares of slow requests at which the arms are compared: above p50, p75, p90, p95, p99 and p99.5.
SLOW_SHARES = (0.5, 0.25, 0.1, 0.05, 0.01, 0.005)
ENOUGH_TO_CHOOSE = 500
# Safety is shown where a tenth, and where a hundredth of the old version's requests are slower; the
# latter only where enough really are, for a cut that nothing exceeds can never be shown to be safe.
SAFE_SHARE = 0.1
SAFE_TAIL_SHARE = 0.01
LEAST_TAIL_SHARE = 0.005
LEAST_TAIL_REQUESTS = 8


@dataclass(frozen=True, slots=True)
class Latency:
    """`seen` counts the old version's requests per bucket so far, shape (buckets,); `known` is what was
    seen before the last reading: where to compare is decided on it, so a slow start is soon outweighed."""

    bounds: tuple[float, ...]
    seen: FloatArray
    known: FloatArray
    evidence: Exceedance


class LatencyKind:
    """Durations of requests, read as histograms."""

    state = Latency
    enough_baseline = ENOUGH_TO_CHOOSE

    def faults(self, rule: GuardRule) -> tuple[str, ...]:
        return ()

    def begin(self) -> Latency:
        return Latency((), np.zeros(0), np.zeros(0), exceedance.begin(0))

    def is_plausible(self, state: Latency, reading: Reading) -> bool:
        samples = [s for s in (reading.candidate, reading.baseline) if s is not None]
        if not all(is_histogram(sample) for sample in samples):
            return False
        bounds = {tuple(s.bounds) for s in samples if isinstance(s, Histogram)}
        return len(bounds | ({state.bounds} if state.bounds else set())) <= 1

    def trials(self, sample: Sample | None) -> float:
        return float(sum(sample.counts)) if isinstance(sample, Histogram) else 0.0

    def absorb(self, rule: GuardRule, rules: Rules, state: Latency, reading: Reading) -> Latency:
        state = _with_bounds(state, reading)
        if not state.bounds:
            return state
        buckets = (_buckets(state, reading.candidate), _buckets(state, reading.baseline))
        if not state.evidence.cuts and reading.share > 0 and state.seen.sum() >= ENOUGH_TO_CHOOSE:
            chosen = exceedance.with_cuts(state.evidence, choose_cuts(state.seen))
            state = replace(state, evidence=chosen)
        state = replace(state, known=state.seen, seen=state.seen + buckets[1])
        found = exceedance.absorb(
            state.evidence,
            buckets=buckets,
            limit_cut=limit_cut(state.bounds, rule),
            reading=reading,
            rule=rule,
            rules=rules,
        )
        return replace(state, evidence=found)

    def harm(self, rule: GuardRule, rules: Rules, state: Latency) -> float:
        return exceedance.harm(state.evidence, rule, rules)

    def safety(self, rule: GuardRule, rules: Rules, state: Latency, stage: str) -> Safety:
        if not state.evidence.cuts:
            lacking = ENOUGH_TO_CHOOSE - float(state.seen.sum())
            text = f"{lacking:.0f} more requests of the old version are needed to choose where to compare"
            return Safety(0.0, None, None, text if lacking > 0 else "")
        return exceedance.safety(state.evidence, stage, safe_rows(state.known, state.evidence.cuts))

    def shown(self, rule: GuardRule, rules: Rules, state: Latency) -> Shown:
        if not state.bounds:
            return exceedance.shown(state.evidence, 0, None)
        cuts = state.evidence.cuts
        if not cuts:
            cut = _nearest(state.seen, SAFE_SHARE)
            return exceedance.shown(state.evidence, cut, None, state.bounds[cut])
        row, log_e = exceedance.worst_row(state.evidence, rules)
        if log_e < SUSPICIOUS_LOG_E:
            row = safe_rows(state.known, cuts)[0]
        return exceedance.shown(state.evidence, cuts[row], row, state.bounds[cuts[row]])

    def accuse(self, rule: GuardRule, rules: Rules, state: Latency, at: float) -> str:
        found = exceedance.accused(state.evidence, rule, rules, limit_cut(state.bounds, rule))
        cut = state.bounds[found.cut] if state.bounds else 0.0
        return accusation(rule, found, at, what=f"share of requests slower than {cut:g} s")


def choose_cuts(known: FloatArray) -> tuple[int, ...]:
    """The bounds (indices, rising) nearest to SLOW_SHARES, from counts per bucket, shape (buckets,)."""
    return tuple(sorted({_nearest(known, share) for share in SLOW_SHARES}))


def safe_rows(known: FloatArray, cuts: tuple[int, ...]) -> tuple[int, ...]:
    """The rows of `cuts` at which safety is shown: near p90, and in the tail where it has enough mass."""
    slow = np.array([float(known[cut + 1 :].sum()) for cut in cuts])
    shares = (slow + 0.5) / (known.sum() + 1)
    middle = int(np.argmin(np.abs(np.log(shares / SAFE_SHARE))))
    distance = np.abs(np.log(shares / SAFE_TAIL_SHARE))
    distance[slow < max(LEAST_TAIL_SHARE * known.sum(), LEAST_TAIL_REQUESTS)] = np.inf
    tail = int(np.argmin(distance))
    return (middle, tail) if np.isfinite(distance[tail]) and tail != middle else (middle,)


def limit_cut(bounds: tuple[float, ...], rule: GuardRule) -> int | None:
    """The first bound at or above `limit_seconds`; rounding up never counts a fast request as slow."""
    if rule.limit_seconds is None:
        return None
    return next((i for i, bound in enumerate(bounds) if bound >= rule.limit_seconds * (1 - 1e-9)), None)


def _nearest(known: FloatArray, share: float) -> int:
    """The bound above which the share of requests is nearest, as a ratio, to `share`.

    Half a request is added above every bound, so that a bound nothing exceeded yet can be chosen too.
    """
    slow = np.cumsum(known[::-1])[::-1][1:]
    return int(np.argmin(np.abs(np.log((slow + 0.5) / (known.sum() + 1) / share))))


def _with_bounds(state: Latency, reading: Reading) -> Latency:
    if state.bounds:
        return state
    for sample in (reading.baseline, reading.candidate):
        if isinstance(sample, Histogram):
            buckets = len(sample.counts)
            bounds = tuple(float(bound) for bound in sample.bounds)
            return Latency(bounds, np.zeros(buckets), np.zeros(buckets), exceedance.begin(buckets))
    return state


def _buckets(state: Latency, sample: Sample | None) -> FloatArray:
    if not isinstance(sample, Histogram):
        return np.zeros(len(state.bounds) + 1)
    return np.array(sample.counts, dtype=np.float64)
