"""Drawn courses of a rollout: the judge's own e-process on a few thousand of them at once, one row each.

Ticks are merged where nothing can be decided in between; what looking less often misses is made good.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rollway.judge import dispersion as dispersions
from rollway.judge import wager as wagers
from rollway.judge.dispersion import NONE, Dispersion, Pace
from rollway.judge.logs import FloatArray, log_sum
from rollway.judge.onset import Interval
from rollway.judge.wager import Odds, Wager

BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.intp]

# How far a merged part may reach: a fraction of the evidence that is needed, or that has come together.
STEP = 0.04
STEP_WHEN_DECIDED = 0.3
DECIDED = 4.0
STEP_BEFORE_ONSET = 0.25
FEWEST_LOOKS = 12
# At so many moments of a part the pace of events is reckoned.
MOST_PACES = 4
# Of an arm that is served less than this nothing can be learned.
LEAST_SHARE = 1e-9
# What a mixture costs beyond log(1/alpha), in nats; it only sets the size of the steps.
MIXTURE_COST = 2.0
# Looking every k-th tick is like looking at each with a threshold that is higher by this many standard
# deviations of a tick's evidence, times sqrt(k) - 1 (Broadie, Glasserman & Kou 1997); the variance of a
# likelihood ratio's logarithm is about twice its mean.
LOOK_SHIFT = 0.5826


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of a ramp: its name, how long it lasts, the new version's share of the requests that are
    compared, and which part of all that is: less than 1 beside a control group."""

    name: str
    share: float
    seconds: float
    compared: float = 1.0


@dataclass(frozen=True, slots=True)
class Setting:
    """What the judge is given to see.

    per_second: requests (or units) to both versions together. `alpha` is the one this guard must reach
    by itself: the rollout's alpha times the guard's part of the weights. `tick_seconds`: between two
    evaluations. `dispersion`: the arms' own noise, in the evidence and in what is drawn.
    """

    per_second: float
    stages: tuple[Step, ...]
    tick_seconds: float = 10.0
    alpha: float = 0.01
    tolerance: float = 1.1
    dispersion: Dispersion = NONE

    @property
    def planned_seconds(self) -> float:
        return max(1.0, sum(stage.seconds for stage in self.stages))

    def pace(self, stage: Step) -> float:
        """Requests per second that are compared in the stage, of both versions together."""
        return self.per_second * stage.compared

    def taught(self, part: Part) -> float:
        """How many of a part's requests teach."""
        requests = self.pace(self.stages[part.stage]) * part.seconds
        return requests * kept_part(requests / part.ticks, part.ticks)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of one stage that is judged at once: `ticks` ticks, with or without the fault.

    `unseen` (nats) is how far the evidence is expected to have been above where it ends.
    """

    stage: int
    start: float
    seconds: float
    ticks: int
    is_faulty: bool
    unseen: float = 0.0


@dataclass(frozen=True, slots=True)
class Told:
    """What one request of the new version tells of a fault, in nats: on average, and how much of the
    evidence it takes away when it is a good one (evidence jumps up at bad ones, and falls in between).

    swing: the variance of what it tells, as a part of the usual 2 nats: below 1 where evidence is divided.
    """

    nats: float
    fall: float
    swing: float = 1.0


@dataclass(frozen=True, slots=True)
class Panel:
    """Tests side by side whose e-values are averaged: how many, how they spread their stake, and the log
    of their part of the guard's evidence."""

    odds: Odds
    rows: int = 1
    log_part: float = 0.0


class Truth(Protocol):
    """A fault as it really is, and what a part of the rollout teaches about it."""

    @property
    def onset_seconds(self) -> float:
        """When it begins, counted from the beginning of the exposure."""
        ...

    @property
    def panels(self) -> tuple[Panel, ...]:
        """The tests that the guard's evidence is made of."""
        ...

    def told(self, setting: Setting, stage: Step, pace: FloatArray) -> Told:
        """What one request of the new version tells at this pace of events per second, shape (cuts,)."""
        ...

    def events(self, setting: Setting, stage: Step, *, is_faulty: bool) -> FloatArray:
        """Events per second of both arms, shape (cuts,); (0,) where they make no difference."""
        ...

    def increments(
        self, rng: np.random.Generator, setting: Setting, part: Part, luck: FloatArray, pace: Pace
    ) -> tuple[tuple[FloatArray, ...], Pace] | None:
        """Log wealth that the part adds, for each panel of shape (courses * rows, effects), and the pace of
        events after it; None where it does not count at all. `luck`, shape (courses,), is the new
        version's own noise: it multiplies its rate. `pace` is that before it, of the first panel's rows."""
        ...


@dataclass(slots=True)
class _Courses:
    """Courses still undecided: their numbers, their wealth by panel, their new version's luck, and at what
    pace events came (see `dispersion.move`)."""

    index: IndexArray
    wagers: tuple[Wager, ...]
    luck: FloatArray
    pace: Pace
    block: int = -1


def found_at(setting: Setting, truth: Truth, *, paths: int, seed: int, last: int | None = None) -> FloatArray:
    """When each course is found harmful, in seconds since the exposure began; inf where never. (paths,)"""
    rng = np.random.default_rng(seed)
    found = np.full(paths, np.inf)
    started = tuple(wagers.start(paths * panel.rows, panel.odds) for panel in truth.panels)
    pace = dispersions.start(paths * truth.panels[0].rows)
    courses = _Courses(np.arange(paths), started, np.ones(paths), pace)
    for part in _parts(setting, truth, len(setting.stages) - 1 if last is None else last):
        _draw_luck(rng, setting, courses, part)
        before, interval = courses.wagers, _interval(setting, part)
        told = truth.increments(rng, setting, part, courses.luck, courses.pace)
        if told is None:
            continue
        gained, courses.pace = told
        courses.wagers = tuple(
            wagers.add(wager, panel.odds, interval, against, None)
            for wager, panel, against in zip(before, truth.panels, gained, strict=True)
        )
        crossed, evidence = _crossed(setting, truth, courses.wagers, part)
        if crossed.any():
            old = _evidence(setting, truth, _kept(before, truth, crossed))
            found[courses.index[crossed]] = _moment(setting, part, old, evidence)
            courses = _Courses(
                courses.index[~crossed],
                _kept(courses.wagers, truth, ~crossed),
                courses.luck[~crossed],
                _kept_pace(courses.pace, truth, ~crossed),
                courses.block,
            )
        if len(courses.index) == 0:
            break
    return found


def _crossed(
    setting: Setting, truth: Truth, state: tuple[Wager, ...], part: Part
) -> tuple[BoolArray, FloatArray]:
    """Which courses have enough evidence, shape (courses,), and the evidence of these.

    Most are far from it, and that shows in their largest bet alone: no sum of n is above n times it.
    """
    enough = math.log(1 / setting.alpha) - part.unseen
    bets = sum(panel.rows * len(panel.odds.log_effects) for panel in truth.panels) + 1
    largest = [
        wager.harm.reshape(-1, wager.harm.shape[1] * panel.rows).max(axis=1)
        for wager, panel in zip(state, truth.panels, strict=True)
    ]
    crossed: BoolArray = np.maximum.reduce(largest) >= enough - math.log(bets)
    evidence = _evidence(setting, truth, _kept(state, truth, crossed))
    is_enough = evidence >= enough
    crossed[crossed] = is_enough
    return crossed, evidence[is_enough]


def _evidence(setting: Setting, truth: Truth, state: tuple[Wager, ...]) -> FloatArray:
    """log e-value of each course, shape (courses,): the average over panels by part, and over their rows."""
    total: FloatArray | None = None
    for panel, wager in zip(truth.panels, state, strict=True):
        by_row = wagers.harm_of(wager, setting.planned_seconds)
        if panel.rows > 1:
            by_row = log_sum(by_row.reshape(-1, panel.rows)) - math.log(panel.rows)
        by_row = by_row + panel.log_part
        total = by_row if total is None else np.logaddexp(total, by_row)
    if total is None:
        raise ValueError("a truth has at least one panel")
    return total


def _kept(state: tuple[Wager, ...], truth: Truth, kept: BoolArray) -> tuple[Wager, ...]:
    """The wealth of some of the courses."""
    chosen = []
    for panel, wager in zip(truth.panels, state, strict=True):
        rows = np.repeat(kept, panel.rows)
        chosen.append(Wager(wager.onset, wager.harm[rows], wager.safe[rows]))
    return tuple(chosen)


def _kept_pace(pace: Pace, truth: Truth, kept: BoolArray) -> Pace:
    """The pace of some of the courses."""
    return Pace(pace.events[np.repeat(kept, truth.panels[0].rows)], pace.seconds)


def _moment(setting: Setting, part: Part, old: FloatArray, new: FloatArray) -> FloatArray:
    """When the threshold was crossed within the part: on a line between its ends, at a tick's end."""
    way = (math.log(1 / setting.alpha) - part.unseen - old) / np.maximum(new - old, 1e-9)
    ticks = np.clip(np.ceil(way * part.ticks), 1, part.ticks)
    moments: FloatArray = part.start + ticks * part.seconds / part.ticks
    return moments


def _draw_luck(rng: np.random.Generator, setting: Setting, courses: _Courses, part: Part) -> None:
    """The new version's luck: gamma with mean 1 and variance tau^2, anew in each block."""
    growth, block = setting.dispersion.growth, setting.dispersion.block_seconds
    if growth <= 0 or int(part.start // block) == courses.block:
        return
    courses.block = int(part.start // block)
    shape = max(1.0, part.seconds / block) / growth
    courses.luck = rng.gamma(shape, 1 / shape, len(courses.index))


def _interval(setting: Setting, part: Part) -> Interval:
    """The part as the onset's prior sees it: only ticks in which both versions served spend mass."""
    stage = setting.stages[part.stage]
    tick = setting.pace(stage) * part.seconds / part.ticks
    usable = -math.expm1(-tick * stage.share) * -math.expm1(-tick * (1 - stage.share))
    return Interval(stage.name, part.start, part.seconds * usable, setting.planned_seconds)


def _parts(setting: Setting, truth: Truth, last: int) -> Iterator[Part]:
    """The stages up to `last` cut at the onset and merged where little is to be learned."""
    gathered, pace = 0.0, Pace(np.zeros(1))
    for number in range(last + 1):
        stage, start = setting.stages[number], start_of(setting, number)
        if not LEAST_SHARE <= stage.share <= 1 - LEAST_SHARE:
            continue
        ticks = max(1, math.ceil(stage.seconds / setting.tick_seconds - 1e-9))
        tick = stage.seconds / ticks
        onset = min(max(round((truth.onset_seconds - start) / tick), 0), ticks)
        at = 0
        while at < ticks:
            is_faulty = at >= onset
            events = truth.events(setting, stage, is_faulty=is_faulty)
            _, upcoming = paced(setting, pace, events, tick, 1)
            told = _per_tick(setting, truth, stage, tick, upcoming[0])
            most = _most_ticks(setting, told.nats, gathered if is_faulty else None, onset - at)
            size = min(most, max(1, ticks // FEWEST_LOOKS), ticks - at if is_faulty else onset - at)
            unseen = _unseen(told, size) if is_faulty else 0.0
            pace, _ = paced(setting, pace, events, tick, size)
            yield Part(number, start + at * tick, size * tick, size, is_faulty, unseen)
            at += size
            gathered += told.nats * size if is_faulty else 0.0


def paced(
    setting: Setting, pace: Pace, events: FloatArray, tick: float, ticks: int
) -> tuple[Pace, FloatArray]:
    """The pace after so many more ticks with `events` per second, of shape (rows,), and the events per second
    that it amounted to at some of them, shape (moments, rows).

    As `dispersion.move` adds it up: what a fault adds is counted by and by, as the judge comes to see it.
    """
    block = max(setting.dispersion.block_seconds, 1e-9)
    seen = np.unique(np.linspace(1, ticks, min(ticks, MOST_PACES)).round())[:, None] * tick / block
    left, grown = np.exp(-seen), np.expm1(-seen) / math.expm1(-tick / block) * tick
    counted, seconds = left * pace.events + grown * events, left * pace.seconds + grown
    return Pace(counted[-1], float(seconds[-1, 0])), counted / seconds


def _per_tick(setting: Setting, truth: Truth, stage: Step, tick: float, pace: FloatArray) -> Told:
    told, requests = truth.told(setting, stage, pace), setting.pace(stage) * stage.share * tick
    return Told(told.nats * requests, told.fall * requests, told.swing)


def _unseen(told: Told, ticks: int) -> float:
    """How far the evidence was above its value at the end of a part of so many ticks, on average."""
    by_chance = LOOK_SHIFT * (math.sqrt(ticks) - 1) * math.sqrt(2 * told.nats * told.swing)
    return min(by_chance, told.fall * (ticks - 1) / 2)


def _most_ticks(setting: Setting, told: float, gathered: float | None, left: int) -> int:
    """How many ticks may be merged, each telling `told` nats, after `gathered` or `left` before the onset."""
    if told <= 0:
        return 10**9
    needed = math.log(1 / setting.alpha) + MIXTURE_COST
    if gathered is None:
        nats = STEP_BEFORE_ONSET * max(1.0, told * left)
    elif gathered > DECIDED * needed:
        nats = STEP_WHEN_DECIDED * gathered
    else:
        nats = STEP * max(needed, gathered)
    return max(1, int(min(nats / told, 1e9)))


def kept_part(tick: float, ticks: int) -> float:
    """The part of the requests that still teaches when ticks of so many requests are judged one by one.

    Of a tick's n requests one serves to meet the others: with Poisson n of mean x a share
    1 - (1 - exp(-x))/x is left. A merged part loses less, so the difference is taken off here.
    """

    def left(expected: float) -> float:
        return 1 + math.expm1(-expected) / expected if expected > 1e-9 else expected / 2

    return left(tick) / left(tick * ticks) if tick > 0 else 1.0


def served_by(setting: Setting, seconds: float) -> float:
    """Requests that the new version is expected to have served by a moment of the exposure."""
    total, start = 0.0, 0.0
    for stage in setting.stages:
        total += setting.pace(stage) * stage.share * min(max(seconds - start, 0.0), stage.seconds)
        start += stage.seconds
    return total


def start_of(setting: Setting, stage: int) -> float:
    return sum(each.seconds for each in setting.stages[:stage])
