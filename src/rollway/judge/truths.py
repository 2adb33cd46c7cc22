"""Faults that a plan may meet, as they would show in the numbers: drawn, not assumed to be average."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np

from rollway.judge import difference, tail, tilt
from rollway.judge.arithmetic import information
from rollway.judge.comparison import ODDS
from rollway.judge.courses import Panel, Part, Setting, Step, Told, paced, served_by
from rollway.judge.dispersion import Pace, factor
from rollway.judge.kinds import latency
from rollway.judge.logs import FloatArray
from rollway.judge.moments import Seen
from rollway.judge.processes import EFFECTS, Arms, ratio_increment

KNOWN = 100_000.0
"""How many requests of the old version its law is known from before the new one is exposed."""
USUAL_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""The bounds (seconds) that Prometheus' clients give a histogram where nobody chooses others."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Bad requests, or requests slower than each of several cuts: the old version's share and the new one's.

    A rate has one share. With several they fall (each cut is above the one before it), and the evidence
    is the average over the cuts, as for a latency.
    """

    old: tuple[float, ...]
    new: tuple[float, ...]
    onset_seconds: float = 0.0

    @property
    def panels(self) -> tuple[Panel, ...]:
        return (Panel(ODDS, len(self.old)),)

    def told(self, setting: Setting, stage: Step, pace: FloatArray) -> Told:
        divisors = _divisors(setting, stage, pace[np.newaxis])
        rows = zip(self.old, self.new, divisors.tolist(), strict=True)
        return max((_told(setting, stage.share, *row) for row in rows), key=lambda each: each.nats)

    def events(self, setting: Setting, stage: Step, *, is_faulty: bool) -> FloatArray:
        share = stage.share
        new = np.array(self.new if is_faulty else self.old)
        return setting.pace(stage) * (share * new + (1 - share) * np.array(self.old))

    def increments(
        self, rng: np.random.Generator, setting: Setting, part: Part, luck: FloatArray, pace: Pace
    ) -> tuple[tuple[FloatArray, ...], Pace]:
        share = setting.stages[part.stage].share
        requests = setting.taught(part)
        dispersion = setting.dispersion
        new = self.new if part.is_faulty else self.old
        candidate = _draw(rng, requests * share, new, luck, dispersion.floor)
        baseline = _draw(rng, requests * (1 - share), self.old, np.ones_like(luck), dispersion.floor)
        arms = Arms(candidate[0], candidate[1], baseline[0], baseline[1])
        against = ratio_increment(arms, setting.tolerance, EFFECTS)
        if dispersion.is_none:
            return (against,), pace
        pace, divisors = _paced(setting, part, pace, candidate[1] + baseline[1])
        return (against / divisors[:, None],), pace


@dataclass(frozen=True, slots=True)
class Means:
    """Figures of single units whose mean moves by `effect` standard deviations of one unit, for the worse.

    `tolerated` is the difference that is no harm, in the same unit; 0 < tolerated < effect. `burn_in`
    units of each arm pass before anything counts (see `kinds.total`). Drawn as normal figures. The arms'
    own noise is not in it.
    """

    effect: float
    onset_seconds: float = 0.0
    tolerated: float = 0.0
    burn_in: float = 0.0

    @property
    def panels(self) -> tuple[Panel, ...]:
        return (Panel(difference.ODDS),)

    def told(self, setting: Setting, stage: Step, pace: FloatArray) -> Told:
        gap = max(0.0, self.effect - self.tolerated)
        return Told(gap**2 * (1 - stage.share) / 2, math.inf)

    def events(self, setting: Setting, stage: Step, *, is_faulty: bool) -> FloatArray:
        return np.zeros(0)

    def increments(
        self, rng: np.random.Generator, setting: Setting, part: Part, luck: FloatArray, pace: Pace
    ) -> tuple[tuple[FloatArray, ...], Pace] | None:
        share = setting.stages[part.stage].share
        if served_by(setting, part.start) < self.burn_in:
            return None
        units = setting.taught(part)
        candidate = _figures(rng, units * share, self.effect if part.is_faulty else 0.0, len(luck))
        baseline = _figures(rng, units * (1 - share), 0.0, len(luck))
        comparable = (candidate.units > 0) & (baseline.units > 0)
        sizes = np.tile(difference.EFFECTS, (len(luck), 1))
        gain, stake = difference.bet((candidate, baseline), sizes, 1.0, 1.0, None)
        return ((gain - stake * self.tolerated) * comparable[:, None],), pace


@dataclass(frozen=True, slots=True)
class Durations:
    """Durations that become slower: each bucket's share of the old version's requests and of the new one's.

    `bounds` (seconds) are those of the histogram that the source keeps; buckets are one more. Judged as a
    latency is: at several cuts, and by the whole law. What the old version is like is known beforehand.
    """

    bounds: tuple[float, ...]
    old: tuple[float, ...]
    new: tuple[float, ...]
    onset_seconds: float = 0.0

    @property
    def cuts(self) -> tuple[int, ...]:
        """The bounds, by number, at which the versions are compared."""
        return _cuts(self.old)

    @property
    def panels(self) -> tuple[Panel, ...]:
        return (
            Panel(ODDS, len(self.cuts), latency.LOG_CUTS_WEIGHT),
            Panel(tilt.ODDS, 1, latency.LOG_TILT_WEIGHT),
        )

    def told(self, setting: Setting, stage: Step, pace: FloatArray) -> Told:
        cut, share = self._at_cuts.told(setting, stage, pace), stage.share
        candidate, baseline = KNOWN * share * np.array(self.new), KNOWN * (1 - share) * np.array(self.old)
        bends = _bends(self.bounds, self.old, setting.tolerance)
        whole = tilt.increment(candidate, baseline, bends, setting.tolerance) / (KNOWN * share)
        divisor = float(_divisors(setting, stage, pace[np.newaxis]).max())
        nats, swing = max(0.0, float(whole.max())) / divisor, max(setting.dispersion.floor, 1.0) / divisor
        return Told(nats, math.inf, swing) if nats > cut.nats else cut

    def events(self, setting: Setting, stage: Step, *, is_faulty: bool) -> FloatArray:
        return self._at_cuts.events(setting, stage, is_faulty=is_faulty)

    def increments(
        self, rng: np.random.Generator, setting: Setting, part: Part, luck: FloatArray, pace: Pace
    ) -> tuple[tuple[FloatArray, ...], Pace]:
        share, new = setting.stages[part.stage].share, self.new if part.is_faulty else self.old
        requests = setting.taught(part)
        law = np.array(new) * np.where(np.arange(len(new)) > 0, luck[:, None], 1.0)
        law /= law.sum(axis=1, keepdims=True)
        candidate = rng.poisson(requests * share * law).astype(np.float64)
        old = rng.poisson(requests * (1 - share) * np.array(self.old), candidate.shape).astype(np.float64)
        above = (_above(candidate, self.cuts), _above(old, self.cuts))
        trials = (np.repeat(each.sum(axis=1), len(self.cuts)) for each in (candidate, old))
        arms = Arms(next(trials), above[0], next(trials), above[1])
        cuts = ratio_increment(arms, setting.tolerance, EFFECTS)
        served = candidate.any(axis=1) & old.any(axis=1)
        bends = _bends(self.bounds, self.old, setting.tolerance)
        whole = np.zeros((len(luck), len(bends)))
        whole[served] = tilt.increment(candidate[served], old[served], bends, setting.tolerance)
        if setting.dispersion.is_none:
            return (cuts, whole), pace
        pace, divisors = _paced(setting, part, pace, above[0] + above[1])
        largest = divisors.reshape(len(luck), -1).max(axis=1)
        return (cuts / divisors[:, None], whole / largest[:, None]), pace

    @property
    def _at_cuts(self) -> Shares:
        return Shares(self._beyond(self.old), self._beyond(self.new))

    def _beyond(self, law: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(_above(np.array([law]), self.cuts))


def _above(counts: FloatArray, cuts: tuple[int, ...]) -> FloatArray:
    """How much lies above each cut, of counts of shape (courses, buckets): shape (courses * cuts,)."""
    slower = counts[:, ::-1].cumsum(axis=1)[:, ::-1]
    return slower[:, [cut + 1 for cut in cuts]].ravel()


@cache
def _cuts(old: tuple[float, ...]) -> tuple[int, ...]:
    return latency.choose_cuts(np.array(old) * KNOWN)


@cache
def _bends(bounds: tuple[float, ...], old: tuple[float, ...], tolerance: float) -> FloatArray:
    """What the whole law is bet on, from a law that is well known, shape (bets, buckets)."""
    known = np.array(old) * KNOWN
    return tilt.normed(tail.bends(np.array(bounds), known, tolerance), tail.shares(known), tolerance)


def slower(
    *,
    median: float,
    p99: float,
    times: float,
    is_tail_only: bool = False,
    bounds: tuple[float, ...] = USUAL_BOUNDS,
    onset_seconds: float = 0.0,
) -> Durations:
    """Log-normal durations (seconds) of which all, or only the slowest hundredth, take `times` as long."""
    sigma = math.log(p99 / median) / NormalDist().inv_cdf(0.99)

    def beyond(bound: float) -> float:
        return 1 - NormalDist(math.log(median), sigma).cdf(math.log(bound))

    def later(bound: float) -> float:
        moved = beyond(bound / times)
        return max(beyond(bound), min(0.01, moved)) if is_tail_only else moved

    old, new = (np.diff([1.0, *map(law, bounds), 0.0]) * -1 for law in (beyond, later))
    return Durations(bounds, tuple(old.tolist()), tuple(new.tolist()), onset_seconds)


def _figures(rng: np.random.Generator, units: float, mean: float, courses: int) -> Seen:
    """The sums of normal figures with variance 1, which is known, shape (courses,)."""
    n = rng.poisson(units, courses).astype(np.float64)
    total = mean * n + np.sqrt(n) * rng.standard_normal(courses)
    rest = 2 * rng.standard_gamma(np.maximum(n - 1, 1e-9) / 2)
    squares = np.where(n > 0, total**2 / np.maximum(n, 1.0) + rest, 0.0)
    return Seen(n, total, squares, np.ones(courses), np.zeros(courses))


def rate_fault(base_rate: float, ratio: float, *, onset_seconds: float = 0.0) -> Shares:
    """A rate that rises to `ratio` times the old version's, `onset_seconds` after the exposure began."""
    return Shares((base_rate,), (min(1.0, base_rate * ratio),), onset_seconds)


def _told(setting: Setting, share: float, old: float, new: float, divisor: float) -> Told:
    """What a request tells at one cut, divided by the dispersion's factor."""
    if not (0 < share < 1 and 0 < old < new and new / old > setting.tolerance):
        return Told(0.0, 0.0)
    nats = information(base_rate=old, truth=new / old, null=setting.tolerance, share=share)
    odds = (share * new / old + 1 - share) / (share * setting.tolerance + 1 - share)
    fall = (share * new + (1 - share) * old) / share * math.log(odds)
    return Told(nats / divisor, fall / divisor, max(setting.dispersion.floor, 1.0) / divisor)


def _paced(setting: Setting, part: Part, pace: Pace, events: FloatArray) -> tuple[Pace, FloatArray]:
    """The pace after a part with these events, shape (rows,), and what they divide its evidence by."""
    after, paces = paced(setting, pace, events / part.seconds, part.seconds / part.ticks, part.ticks)
    return after, _divisors(setting, setting.stages[part.stage], paces)


def _divisors(setting: Setting, stage: Step, paces: FloatArray) -> FloatArray:
    """By what the arms' noise divides the evidence in each row, (rows,): the harmonic mean over the moments
    of `paces`, events per second of shape (moments, rows)."""
    requests, no_bad = setting.pace(stage) * setting.tick_seconds, np.zeros(paces.size)
    arms = Arms(requests * stage.share, no_bad, requests * (1 - stage.share), no_bad)
    pace = Pace(paces.ravel(), 1.0)
    found = factor(setting.dispersion, arms, setting.tolerance, setting.tick_seconds, pace)
    divisors: FloatArray = 1 / (1 / found).reshape(paces.shape).mean(axis=0)
    return divisors


def _draw(
    rng: np.random.Generator, requests: float, shares: tuple[float, ...], noise: FloatArray, floor: float
) -> tuple[FloatArray, FloatArray]:
    """Requests and bad ones of one arm, shape (paths * cuts,): independent Poisson numbers per bucket.

    Events come in clusters of `floor`, which makes their variance so many times their mean.
    """
    bounds = (*shares, 0.0)
    cluster = max(floor, 1.0)
    between = np.diff(bounds) * -requests / cluster
    counts = cluster * rng.poisson(np.maximum(noise[:, None] * between, 0.0))
    bad = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]
    good = np.maximum(requests * (1 - noise * shares[0]), 0.0)
    trials = bad[:, 0] + rng.poisson(good)
    return np.repeat(trials, len(shares)).astype(np.float64), bad.ravel().astype(np.float64)
