"""What each method may bring: users harmed, days to full value, double running, load on support. Simulated.

The figures compare methods with each other; they are no forecast. They never enter the ranking.

symbol  shape    meaning
e       (n,)     patience of the watchers, exponential with mean 1
T       (K, n)   mean hours until a fault is noticed in stage k
t       (n,)     hour of the alarm: where the sum over stages of (hours in stage)/T reaches e
h       (K, n)   hours for which those who joined in stage k are exposed
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rollway.choice.courses import Course, course_of
from rollway.choice.scoring import NAMES
from rollway.choice.setting import Floats, Setting, draw
from rollway.facts.model import MethodName, Release

DRAWS = 1000
SEED = 31_000
KEEPING_BOTH = 0.5  # people who keep the second version running, each day
DOUBLE_WORK = 0.25  # of a day, for each who does the work twice
NEWCOMERS_ASK_WITHIN = 3.0  # days
_ASKING = (("high", 0.12), ("medium", 0.06), ("low", 0.02))  # tickets per newcomer, by training load
_HARMED_ASK = 0.1


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over all draws: its mean, and the values that 10%, 50% and 90% of the draws stay below."""

    mean: float
    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one method brings. harmed: users whom a fault of the new version harms, over all draws, and over
    those in which there is a fault. days: until everyone has a version that works. double: person-days of
    running and doing things twice. tickets: on the worst day."""

    method: MethodName
    harmed: Spread
    harmed_if_faulty: Spread
    days: Spread
    double: Spread
    tickets: Spread


@dataclass(frozen=True, slots=True)
class Outcomes:
    """All methods in the same draws, in the order of the register; `fault` is the share of faulty draws."""

    rows: tuple[Outcome, ...]
    fault: float
    draws: int
    seed: int

    def of(self, method: MethodName) -> Outcome:
        return next(row for row in self.rows if row.method == method)


def simulate(release: Release, *, draws: int = DRAWS, seed: int = SEED) -> Outcomes:
    """The outcomes of all methods; unknown facts are drawn. The same arguments give the same figures.

    All methods meet the same draws, so that they differ by what they do and not by luck.
    """
    setting = draw(release, draws, seed)
    rows = tuple(_outcome(method, setting) for method in NAMES)
    return Outcomes(rows, float(setting.faulty.mean()), draws, seed)


def _outcome(method: MethodName, setting: Setting) -> Outcome:
    course = course_of(method, setting)
    caught = setting.luck < course.found
    escaped = setting.faulty & ~caught
    alarm = _alarm_hours(course, setting.patience)
    harmed = np.where(escaped, _harmed(course, setting, alarm), 0.0)
    planned = course.prepare + course.days.sum(axis=0)
    again = np.minimum(alarm / 24, course.days.sum(axis=0))
    # What is found in a trial is mended and tried again; what is found by users, mended and led up again.
    delay = setting.mend_days + np.where(caught, course.prepare / 2, again)
    days = planned + np.where(setting.faulty, delay, 0.0)
    double = course.both_days * (KEEPING_BOTH + DOUBLE_WORK * course.doubled)
    return Outcome(
        method=method,
        harmed=_spread(harmed),
        harmed_if_faulty=_spread(harmed[setting.faulty]),
        days=_spread(days),
        double=_spread(double),
        tickets=_spread(_tickets(course, setting, harmed, alarm)),
    )


def _alarm_hours(course: Course, patience: Floats) -> Floats:
    """The hour, counted from the first exposure, at which the fault is noticed.

    Each stage uses up (hours in stage)/T of the watchers' patience e; the last stage lasts until it is gone.
    """
    left, hour = patience.copy(), np.zeros(patience.shape)
    for stage, mean in zip(course.days * 24, course.hours, strict=True):
        # The last stage has no length, and neither has one that a shorter course leaves out.
        spent = np.minimum(left, stage / mean)
        hour += spent * mean
        left -= spent
    return np.asarray(hour + left * course.hours[-1])


def _harmed(course: Course, setting: Setting, alarm: Floats) -> Floats:
    """Of those who joined in stage k, 1 - exp(-uses x harm x h) are harmed; h ends with the rollback."""
    joined = np.diff(course.shares, axis=0, prepend=0.0)
    begins = np.cumsum(course.days * 24, axis=0) - course.days * 24
    exposed = np.where(alarm >= begins, alarm + course.back_hours - begins, 0.0)
    part = 1 - np.exp(-setting.uses * setting.harm * exposed)
    return np.asarray((setting.users * joined * part).sum(axis=0))


def _tickets(course: Course, setting: Setting, harmed: Floats, alarm: Floats) -> Floats:
    """Tickets on the worst day: what newcomers of the largest stage ask, and what the harmed report."""
    joined = np.diff(course.shares, axis=0, prepend=0.0)
    load = [setting.facts.has("stakeholders.training_load", level) for level, _ in _ASKING]
    asking = np.select(load, [rate for _, rate in _ASKING], default=0.06)
    asked = setting.users * joined.max(axis=0) * asking / NEWCOMERS_ASK_WITHIN
    reported = _HARMED_ASK * harmed / np.maximum(1.0, (alarm + course.back_hours) / 24)
    return np.asarray(asked + reported)


def _spread(values: Floats) -> Spread:
    if not len(values):
        return Spread(0.0, 0.0, 0.0, 0.0)
    low, middle, high = np.quantile(values, (0.1, 0.5, 0.9))
    return Spread(float(values.mean()), float(low), float(middle), float(high))
