"""The course that each method takes: who is exposed when, who watches, and what it costs to wait.

Planning makes the real stages; these are rough ones, enough to compare methods by before a plan is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rollway.choice.setting import Bools, Floats, Setting
from rollway.choice.volume import canary_share, part_compared
from rollway.facts.model import MethodName

ALPHA, ALPHA_PROMOTE, TOLERANCE, MARGIN = 0.01, 0.05, 1.25, 2.0
LONGEST_STAGE_DAYS = 14.0
SHORTEST_BAKE_DAYS = 1 / 24
PILOT_DAYS, WAVE_DAYS, PARALLEL_DAYS = 14.0, 5.0, 40.0
QUICK_HOURS = 0.1  # a flag, a share or a switch
COMPLAINTS = 250.0  # users who must be harmed before complaints add up to an alarm
ASKED_HOURS = 24.0  # until a pilot group that is asked every day has said so
UNMEASURED_DAYS = 2.0  # how long people look at a share that nothing measures apart
NEVER = 1e9
_RATE, _KNOTS = 0.001, 24  # the rate and the number of ratios at which the judge's arithmetic is asked


@dataclass(frozen=True, slots=True)
class Course:
    """One method's way to everyone. K stages; arrays (K, count) or (count,).

    shares: who has it from the begin of each stage, rising to 1. days: how long each stage lasts before the
    next (0 for the last). hours: mean time until a fault is noticed in each stage. prepare: days before the
    first stage. found: chance that a fault is found before anyone depends on it. back_hours: from the alarm
    until nobody is exposed. both_days: days on which old and new are both kept up. doubled: people who do
    their work twice meanwhile.
    """

    shares: Floats
    days: Floats
    hours: Floats
    prepare: Floats
    found: Floats
    back_hours: Floats
    both_days: Floats
    doubled: Floats


def course_of(method: MethodName, setting: Setting) -> Course:
    """The course of a method in a setting."""
    return _COURSES[method](setting)


# --- the six ----------------------------------------------------------------------------------------


def _big_bang(setting: Setting) -> Course:
    rehearsed = setting.facts.has("migration.rehearsed", True)
    return _course(
        setting,
        shares=[1.0],
        prepare=3.0,
        found=np.where(rehearsed, 0.35, 0.1),
        # Whoever stops everything and restores needs half an hour at least.
        back_hours=np.maximum(setting.rollback_hours, 0.5),
    )


def _blue_green(setting: Setting) -> Course:
    return _course(
        setting,
        shares=[1.0],
        prepare=3.0,
        found=0.25,
        back_hours=_quick(setting, np.ones(setting.users.shape, dtype=bool)),
        kept_after=2.0,
    )


def _canary(setting: Setting) -> Course:
    share = canary_share(setting.release)
    apart = _measured_apart(setting)
    days = [_clear_days(setting, one, apart) for one in (share, 0.5)]
    facts = setting.facts
    can_split = facts.has("architecture.feature_flags", True) | facts.has("architecture.traffic_split", True)
    return _course(
        setting,
        shares=[share, 0.5, 1.0],
        days=days,
        detect=[_detect_hours(setting, one, apart) for one in (share, 0.5)],
        prepare=1.0,
        found=0.0,
        back_hours=_quick(setting, can_split),
        kept_after=1.0,
    )


def _phased(setting: Setting) -> Course:
    waves = np.clip(np.round(1 + np.log2(_places(setting))), 2, 8)
    steps = int(waves.max())
    shares = [np.minimum(1.0, (step + 1) / waves) for step in range(steps)]
    each = _wave_days(setting)
    days = [np.where(share < 1, each, 0.0) for share in shares[:-1]]
    return _course(
        setting,
        shares=shares,
        days=days,
        prepare=2.0,
        found=0.0,
        back_hours=np.maximum(setting.rollback_hours, 0.5),
    )


def _pilot(setting: Setting) -> Course:
    places = _places(setting)
    share = np.clip(1 / places, 0.02, 0.25)
    cycle = PILOT_DAYS * _teaching(setting)
    after = np.where(places > 2, _wave_days(setting), 0.0)
    course = _course(
        setting,
        shares=[share, np.where(places > 2, 0.5, 1.0), 1.0],
        days=[cycle, after],
        prepare=2.0,
        found=0.0,
        back_hours=np.maximum(setting.rollback_hours, 0.5),
    )
    asked = course.hours.copy()
    asked[0] = 1 / (1 / asked[0] + 1 / ASKED_HOURS)
    return _with_hours(course, asked)


def _parallel(setting: Setting) -> Course:
    facts = setting.facts
    run = PARALLEL_DAYS * setting.tempo
    by_hand = ~facts.has("migration.side_effects_suppressed", True)
    inside = ~facts.has("stakeholders.users_external", True)
    doubled = np.where(by_hand & inside, np.minimum(0.1 * setting.users, 200.0), 0.0)
    course = _course(
        setting,
        shares=[1.0],
        prepare=5.0 + run,
        found=0.85,
        back_hours=np.full(setting.users.shape, 1.0),
    )
    return Course(
        course.shares,
        course.days,
        course.hours,
        course.prepare,
        course.found,
        course.back_hours,
        run,
        doubled,
    )


_COURSES: Mapping[MethodName, Callable[[Setting], Course]] = {
    "pilot": _pilot,
    "phased": _phased,
    "canary": _canary,
    "blue_green": _blue_green,
    "parallel": _parallel,
    "big_bang": _big_bang,
}


# --- what they share --------------------------------------------------------------------------------


def _course(
    setting: Setting,
    *,
    shares: Sequence[Floats | float],
    prepare: Floats | float,
    found: Floats | float,
    back_hours: Floats,
    days: Sequence[Floats] | None = None,
    detect: Sequence[Floats] | None = None,
    kept_after: float = 0.0,
) -> Course:
    """Fills a course: arrays in shape, and the hours until somebody notices.

    In each stage three watch independently, so their rates add up: the comparison of both versions (where
    `detect` gives its hours), the instruments on the whole service (which see a share thinned), complaints.
    """
    count = setting.users.shape
    reached = np.array([np.broadcast_to(np.asarray(share, dtype=float), count) for share in shares])
    lasting = np.zeros(reached.shape)
    for index, one in enumerate(days or []):
        lasting[index] = one
    compared = np.full(reached.shape, NEVER)
    for index, one in enumerate(detect or []):
        compared[index] = one
    watched = setting.watch_hours / reached
    hours = 1 / (1 / compared + 1 / watched + 1 / _complaint_hours(setting, reached))
    whole = np.ones(count)
    return Course(
        shares=reached,
        days=lasting,
        hours=hours,
        prepare=whole * prepare * setting.tempo,
        found=whole * found,
        back_hours=np.minimum(back_hours, setting.mend_days * 24),
        both_days=lasting.sum(axis=0) + kept_after,
        doubled=np.zeros(count),
    )


def _with_hours(course: Course, hours: Floats) -> Course:
    return Course(
        course.shares,
        course.days,
        hours,
        course.prepare,
        course.found,
        course.back_hours,
        course.both_days,
        course.doubled,
    )


def _complaint_hours(setting: Setting, shares: Floats) -> Floats:
    """Until so many users are harmed that their complaints are an alarm: of n users who each are harmed at a
    rate h, m are after  -log(1 - m/n) / h  hours; two more until somebody believes it."""
    exposed = setting.users * shares
    part = np.minimum(COMPLAINTS / np.maximum(exposed, 1.0), 0.99)
    hours: Floats = 2.0 - np.log1p(-part) / (setting.uses * setting.harm)
    return hours


def _quick(setting: Setting, where: Bools) -> Floats:
    """Back by a switch where there is one and the change can be taken back at all."""
    quick = where & np.isfinite(setting.rollback_hours)
    return np.where(quick, np.minimum(setting.rollback_hours, QUICK_HOURS), setting.rollback_hours)


def _measured_apart(setting: Setting) -> Bools:
    return setting.facts.has("architecture.per_version_telemetry", True)


def _places(setting: Setting) -> Floats:
    """Into how many parts it can go: sites, named groups, or four modules."""
    groups = len(setting.release.stakeholders.groups)
    modules = np.where(setting.facts.has("backlog.modular", True), 4.0, 1.0)
    return np.maximum(np.maximum(setting.facts.number("stakeholders.sites"), modules), max(groups, 1))


def _teaching(setting: Setting) -> Floats:
    """How much longer people take to learn it, as planned and as it turns out."""
    much = setting.facts.has("stakeholders.training_load", "high")
    some = setting.facts.has("stakeholders.training_load", "medium")
    return np.select([much, some], [1.6, 1.25], default=1.0) * setting.tempo


def _wave_days(setting: Setting) -> Floats:
    """A working week, longer where there is much to teach, few to help, or something to install."""
    thin = setting.facts.has("stakeholders.support_capacity", "low")
    fitted = setting.facts.has("architecture.hardware_install", True)
    days: Floats = WAVE_DAYS * _teaching(setting) * np.where(thin, 1.5, 1.0) * np.where(fitted, 2.0, 1.0)
    return days


def _detect_hours(setting: Setting, share: float, apart: Bools) -> Floats:
    """Hours until the judge sees the fault, where each version is measured apart; else never."""
    ratios = np.geomspace(setting.ratio.min(), setting.ratio.max(), _KNOTS)
    part = part_compared(setting.release, share)
    needed = [_detect(float(ratio), part) for ratio in ratios]
    # The figure is smooth in the ratio and inversely proportional to the rate, so a few calls do for all.
    log_needed = np.interp(np.log(setting.ratio), np.log(ratios), np.log(needed))
    hours = np.exp(log_needed) * _RATE / setting.bad_rate / _requests_per_hour(setting, share)
    return np.where(apart, np.minimum(hours, NEVER), NEVER)


def _detect(ratio: float, part: float) -> float:
    from rollway.judge import requests_to_detect

    return requests_to_detect(base_rate=_RATE, ratio=ratio, share=part, alpha=ALPHA, tolerance=TOLERANCE)


def _clear_days(setting: Setting, share: float, apart: Bools) -> Floats:
    """Days until the judge can rule out `MARGIN` times the old rate; at least the bake, at most two weeks."""
    from rollway.judge import requests_to_clear

    part = part_compared(setting.release, share)
    needed = requests_to_clear(base_rate=_RATE, margin=MARGIN, share=part, alpha_promote=ALPHA_PROMOTE)
    days = needed * _RATE / setting.bad_rate / _requests_per_hour(setting, share) / 24
    bake = setting.release.rollout.bake
    shortest = bake.total_seconds() / 86_400 if bake else SHORTEST_BAKE_DAYS
    return np.where(apart, np.clip(days, shortest, max(shortest, LONGEST_STAGE_DAYS)), UNMEASURED_DAYS)


def _requests_per_hour(setting: Setting, share: float) -> Floats:
    return np.maximum(setting.requests * share * 3600, 1e-9)
