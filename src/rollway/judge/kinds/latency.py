"""Latency: durations of requests, read as histograms and compared bucket by bucket.

Harm is found by two tests of one null: at every bound the share of slower requests is at most tolerance
times the old version's. One looks at a few cuts, the other at the whole law. Both are made from the old
version's durations before the interval they judge. Safety is shown at the worst of two cuts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from rollway.judge import buckets, exceedance, tilt
from rollway.judge import comparison as comparisons
from rollway.judge import dispersion as dispersions
from rollway.judge import limit as limits
from rollway.judge import tally as tallies
from rollway.judge import wager as wagers
from rollway.judge.comparison import Comparison
from rollway.judge.evidence import Safety, Shown, interval_of
from rollway.judge.exceedance import Exceedance
from rollway.judge.logs import FloatArray, log_total
from rollway.judge.model import GuardRule, Histogram, Reading, Rules, Sample
from rollway.judge.onset import move
from rollway.judge.pair import pair, trials_of
from rollway.judge.plausible import is_histogram
from rollway.judge.processes import SUSPICIOUS_LOG_E, Arms
from rollway.judge.quick import quick
from rollway.judge.tally import Tally
from rollway.judge.tilt import Tilt
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
# The cuts' say in harm; the rest is the tilt's. Cuts find what no tilt is drawn for: a few requests that
# take very much longer.
LOG_CUTS_WEIGHT, LOG_TILT_WEIGHT = math.log(0.15), math.log(0.85)


@quick
@dataclass(frozen=True, slots=True)
class Latency:
    """`seen` counts the old version's requests per bucket so far, shape (buckets,); `known` is what was
    seen before the last reading: where to compare is decided on it, so a slow start is soon outweighed."""

    bounds: tuple[float, ...]
    seen: FloatArray
    known: FloatArray
    evidence: Exceedance
    tilt: Tilt


class LatencyKind:
    """Durations of requests, read as histograms."""

    state = Latency
    enough_baseline = ENOUGH_TO_CHOOSE

    def faults(self, rule: GuardRule) -> tuple[str, ...]:
        found = dispersions.faults(rule.dispersion)
        if rule.direction != "more_is_worse":
            found += (f"its direction is {rule.direction}, but a longer duration is always the worse one",)
        return found

    def begin(self) -> Latency:
        return _with_bounds(())

    def is_plausible(self, rule: GuardRule, state: Latency, reading: Reading) -> bool:
        new, old, bounds = reading.candidate, reading.baseline, state.bounds
        if bounds and pair(new, old, bounds) is not None:
            return True
        if not (_is_right(new, bounds) and _is_right(old, bounds)):
            return False
        common = _common(bounds, reading)
        if common is bounds or common == bounds:
            return len(common) > 0 or (new is None and old is None)
        needed = tuple(state.bounds[cut] for cut in state.evidence.cuts)
        return len(common) > 0 and buckets.shared(needed, common) == needed

    def trials(self, sample: Sample | None) -> float:
        return trials_of(sample) if isinstance(sample, Histogram) else 0.0

    def absorb(self, rule: GuardRule, rules: Rules, state: Latency, reading: Reading) -> Latency:
        state = _narrowed(state, _common(state.bounds, reading))
        if not state.bounds:
            return state
        counts, trials = _counted(state.bounds, reading)
        candidate, baseline = counts[0], counts[1]
        evidence, found, interval, moved = state.evidence, state.tilt, None, None
        if not evidence.cuts and reading.share > 0 and state.seen.sum() >= ENOUGH_TO_CHOOSE:
            evidence = exceedance.with_cuts(evidence, choose_cuts(state.seen))
        if evidence.comparison is not None and reading.share > 0:
            found = tilt.draw(found, state.bounds, reading.stage, rule.tolerance)
            divisor = _divisor(evidence.comparison, state.seen, evidence.cuts, counts, rule, reading)
            interval = interval_of(reading, rules)
            # Both tests bet on the same intervals.
            before, beside = found.wager.onset, evidence.comparison.wager.onset
            moved = move(before, interval) if before is beside or before == beside else None
            found = tilt.add(
                found,
                candidate,
                baseline,
                interval,
                tolerance=rule.tolerance,
                divisor=divisor,
                trials=trials,
                moved=moved,
            )
        evidence = exceedance.absorb(
            evidence,
            counts,
            trials,
            limit_cut=limit_cut(state.bounds, rule),
            reading=reading,
            rule=rule,
            rules=rules,
            interval=interval,
            moved=moved,
        )
        found = tilt.learn(found, baseline, reading.end - reading.start, trials[1])
        return Latency(state.bounds, state.seen + baseline, state.seen, evidence, found)

    def harm(self, rule: GuardRule, rules: Rules, state: Latency) -> float:
        """log e-value against "within tolerance at every bound, and within the limit".

        Cuts and tilt are e-processes for the first of the two, and so is their average.
        """
        compared = 0.0
        if state.evidence.comparison is not None:
            cuts = comparisons.total_of(state.evidence.comparison, rules.planned_seconds)
            whole = tilt.harm_of(state.tilt, rules.planned_seconds)
            compared = log_total((LOG_CUTS_WEIGHT + cuts, LOG_TILT_WEIGHT + whole))
        if not limits.is_active(rule.limit):
            return compared
        return limits.combine(compared, limits.log_e(state.evidence.limit, rules.planned_seconds))

    def harm_at_most(self, rule: GuardRule, rules: Rules, state: Latency) -> float:
        whole = wagers.at_most(state.tilt.wager)
        return max(whole, exceedance.harm_at_most(state.evidence, rule))

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


def _with_bounds(bounds: tuple[float, ...]) -> Latency:
    number = len(bounds) + 1 if bounds else 0
    zeros = np.zeros(number)
    return Latency(bounds, zeros, zeros, exceedance.begin(number), tilt.start(number))


def _is_right(sample: Sample | None, bounds: tuple[float, ...]) -> bool:
    """Whether it is no sample or a plausible one; quick where it has these bounds."""
    is_quick = len(bounds) > 0 and pair(sample, None, bounds) is not None
    return is_quick or sample is None or is_histogram(sample)


def _common(bounds: tuple[float, ...], reading: Reading) -> tuple[float, ...]:
    """The bounds that the reading's histograms share with each other, and with `bounds` where there are."""
    first: Sample | None = reading.baseline if isinstance(reading.baseline, Histogram) else reading.candidate
    if not bounds and isinstance(first, Histogram):
        bounds = first.bounds
    for sample in (reading.baseline, reading.candidate):
        if isinstance(sample, Histogram) and sample.bounds is not bounds and sample.bounds != bounds:
            bounds = buckets.shared(bounds, sample.bounds)
    return bounds


def _narrowed(state: Latency, bounds: tuple[float, ...]) -> Latency:
    """The state with no more bounds than these; its cuts are among them.

    A service that adds buckets while it is rolled out changes nothing here, one that drops some costs
    detail.
    """
    if bounds is state.bounds or bounds == state.bounds:
        return state
    if not state.bounds:
        are_floats = all(type(bound) is float for bound in bounds)
        return _with_bounds(bounds if are_floats else tuple(float(bound) for bound in bounds))

    def coarse(counts: FloatArray) -> FloatArray:
        return np.array(buckets.coarsened(counts.tolist(), state.bounds, bounds), dtype=np.float64)

    old = state.evidence
    tally = Tally(coarse(old.tally.candidate), coarse(old.tally.baseline), old.tally.is_exposed)
    cuts = tuple(
        at for at in (buckets.place(bounds, state.bounds[cut]) for cut in old.cuts) if at is not None
    )
    return Latency(
        bounds,
        coarse(state.seen),
        coarse(state.known),
        replace(old, tally=tally, cuts=cuts),
        tilt.narrowed(state.tilt, coarse(state.tilt.recent)),
    )


def _counted(bounds: tuple[float, ...], reading: Reading) -> tuple[FloatArray, tuple[float, float]]:
    """The counts of candidate and baseline between these bounds, shape (2, buckets), and their sums."""
    found = pair(reading.candidate, reading.baseline, bounds)
    if found is not None:
        return found.counts, found.trials
    counts = np.array([_counts(bounds, one) for one in (reading.candidate, reading.baseline)], np.float64)
    new, old = counts.sum(axis=1).tolist()
    return counts, (new, old)


def _counts(bounds: tuple[float, ...], sample: Sample | None) -> tuple[float, ...]:
    if not isinstance(sample, Histogram):
        return (0.0,) * (len(bounds) + 1)
    # All bounds of the state are among the sample's.
    return sample.counts if len(sample.bounds) == len(bounds) else buckets.coarsen(sample, bounds).counts


def _divisor(
    before: Comparison,
    seen: FloatArray,
    cuts: tuple[int, ...],
    counts: FloatArray,
    rule: GuardRule,
    reading: Reading,
) -> float:
    """The largest of the cuts' factors of the arms' own noise, for a tilt leans on all of the law.

    At the pace before the reading: given the requests it counts, a tilt's e-value may be expected to
    exceed 1, so what they show must not choose the root taken of it. Before there is a pace the slow
    requests are as many as the old version's, `seen` earlier, have it.
    """
    if rule.dispersion.is_none:
        return 1.0
    slow = np.array([tallies.above(seen, cut) for cut in cuts]) / seen.sum()
    new, old = counts.sum(axis=1).tolist()
    expected = Arms(new, new * slow, old, old * slow)
    pace = before.pace if before.pace.seconds > 0 else None
    seconds = reading.end - reading.start
    return float(dispersions.factor(rule.dispersion, expected, rule.tolerance, seconds, pace).max())
