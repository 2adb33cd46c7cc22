"""What was seen of each arm and when, and whether a KPI is blind. No data is no evidence, and is told."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

from rollway.judge.model import BlindReason, Problem, Reading
from rollway.judge.quick import quick

# An arm is called silent only when its silence is not chance: at a share of 1% most intervals of a small
# service hold no request of the new version at all. At these odds the other arm has served so much that
# none of it falling on this arm has a probability below 1/1000.
SILENCE_LOG_ODDS = math.log(1000)

# By this part of its length an interval may overlap with those before it: sources keep time loosely.
OVERLAP = 0.05


@quick
@dataclass(frozen=True, slots=True)
class Arm:
    """What was seen of one arm of a KPI; times are unix seconds, None for never.

    `silence_log_odds` is -log of the probability that the arm would be unseen since `seen_at` if every
    request were routed by the share. `was_reported` tells zero trials from nothing reported. `total` counts
    the trials of the whole exposure, `stage_total` those of this stage.
    """

    seen_at: float | None = None
    total: float = 0.0
    is_seen_in_stage: bool = False
    silence_log_odds: float = 0.0
    was_reported: bool = False
    stage_total: float = 0.0


@quick
@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of one KPI: the end of its last reading, that reading's stage and problem, and how many
    seconds of this stage had usable numbers."""

    last_end: float | None = None
    stage: str | None = None
    problem: Problem | None = None
    candidate: Arm = Arm()
    baseline: Arm = Arm()
    stage_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Blindness:
    """Why a KPI has no usable numbers, which arm lacks them, and for how long (seconds)."""

    reason: BlindReason
    seconds: float


def is_apart(sight: Sight, reading: Reading) -> bool:
    """Whether the interval is none that was counted before, nor one of two stages.

    What is counted twice is evidence twice. Over a gap one interval may stand for all that was missed; but
    where the stage changed meanwhile its share did too, and two shares of one interval cannot be compared.
    """
    begun = reading.start + OVERLAP * (reading.end - reading.start)
    before = sight.last_end if sight.stage != reading.stage else None
    for at in (sight.candidate.seen_at, sight.baseline.seen_at, before):
        if at is not None and begun < at:
            return False
    return True


def look(sight: Sight, reading: Reading, problem: Problem | None, trials: tuple[float, float]) -> Sight:
    """The sight after a reading with these trials of candidate and baseline."""
    if sight.stage != reading.stage:
        sight = replace(
            sight,
            stage=reading.stage,
            candidate=replace(sight.candidate, is_seen_in_stage=False, stage_total=0.0),
            baseline=replace(sight.baseline, is_seen_in_stage=False, stage_total=0.0),
            stage_seconds=0.0,
        )
    if problem is not None:
        return replace(sight, last_end=reading.end, problem=problem)
    (candidate, baseline), end, share = trials, reading.end, reading.share
    seconds = end - reading.start
    return Sight(
        end,
        sight.stage,
        None,
        _look_at(sight.candidate, end, candidate, reading.candidate, baseline, 1 - share),
        _look_at(sight.baseline, end, baseline, reading.baseline, candidate, share),
        sight.stage_seconds + (seconds if seconds > 0.0 else 0.0),
    )


@lru_cache(maxsize=64)
def _log_odds(chance_of_other: float) -> float:
    """-log of the probability that one request falls on the other arm."""
    return -math.log(chance_of_other) if 0 < chance_of_other < 1 else 0.0


def _look_at(
    arm: Arm, end: float, trials: float, sample: object, others: float, chance_of_other: float
) -> Arm:
    """The arm after an interval with these trials of its own and of the other arm."""
    if trials > 0:
        # Seen now and in this stage, with no silence, and reported.
        return Arm(end, arm.total + trials, True, 0.0, True, arm.stage_total + trials)
    silence = others * _log_odds(min(max(chance_of_other, 0.0), 1.0))
    return replace(arm, silence_log_odds=arm.silence_log_odds + silence, was_reported=sample is not None)


def expected_arms(share: float, *, alone: bool = False) -> tuple[bool, bool]:
    """Whether candidate and baseline are expected at this share: one of them at 0 and at 1, else both.

    `alone`: the KPI is one of the new version only, and nothing of the old one is ever expected.
    """
    return share > 0, share < 1 and not alone


def is_seen(sight: Sight, stage: str, share: float, *, alone: bool = False) -> bool:
    """Whether every expected arm had trials in this stage."""
    candidate, baseline = expected_arms(share, alone=alone)
    return (
        sight.stage == stage
        and (sight.candidate.is_seen_in_stage or not candidate)
        and (sight.baseline.is_seen_in_stage or not baseline)
    )


def trials_per_second(sight: Sight, stage: str) -> float:
    """How much of the new version was seen per second of this stage, on average; 0 where nothing was."""
    if sight.stage != stage or sight.stage_seconds <= 0:
        return 0.0
    return sight.candidate.stage_total / sight.stage_seconds


def blindness(
    sight: Sight,
    *,
    now: float,
    clock: float | None,
    share: float,
    blind_seconds: float,
    waiting: Reading | None = None,
    alone: bool = False,
) -> Blindness | None:
    """Why the KPI is blind at `now`, or None. Silence counts from `clock` at the earliest; None: not yet.

    A source that is down, numbers that cannot be right, no reading at all: blind once an expected arm
    has been unseen for longer than `blind_seconds`, or the last reading is that far ahead. One silent arm:
    only when that cannot be chance. `waiting` is the newest reading that has come and may not be judged
    yet. `alone`: see `expected_arms`.
    """
    if sight.last_end is not None and sight.last_end - now > blind_seconds:
        # After a reading from the future all others are late, and nothing is seen until then.
        return Blindness("implausible", sight.last_end - now)
    if clock is None:
        return None
    expects_candidate, expects_baseline = expected_arms(share, alone=alone)
    unseen_candidate = _unseen(sight.candidate, now, clock) if expects_candidate else 0.0
    unseen_baseline = _unseen(sight.baseline, now, clock) if expects_baseline else 0.0
    longest = max(unseen_candidate, unseen_baseline)
    if longest <= blind_seconds:
        return None
    problem, last_end = sight.problem, sight.last_end
    if waiting is not None:
        problem, last_end = waiting.problem, waiting.end
    if problem is not None:
        return Blindness(problem, longest)
    if last_end is None or now - last_end > blind_seconds:
        return Blindness("stale", longest)
    if waiting is not None:
        return Blindness("waiting", longest)
    is_chance_possible = 0 < share < 1 and not alone
    silent = unseen_candidate > blind_seconds, unseen_baseline > blind_seconds
    reason = _silent_arm(sight, *silent, is_chance_possible)
    return Blindness(reason, longest) if reason else None


def _unseen(arm: Arm, now: float, clock: float) -> float:
    return now - (clock if arm.seen_at is None else max(clock, arm.seen_at))


def _silent_arm(
    sight: Sight, is_candidate_silent: bool, is_baseline_silent: bool, is_chance_possible: bool
) -> BlindReason | None:
    if is_candidate_silent and is_baseline_silent:
        return "no_traffic"
    arm = sight.candidate if is_candidate_silent else sight.baseline
    if not is_chance_possible and arm.was_reported:
        return "no_traffic"
    if is_chance_possible and arm.silence_log_odds < SILENCE_LOG_ODDS:
        return None
    return "candidate_silent" if is_candidate_silent else "baseline_silent"
