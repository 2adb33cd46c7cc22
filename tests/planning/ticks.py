"""A rollout with one rate, tick by tick: the engine's rules and the judge's formulas, and no forecast.

Every tick of every course is drawn and judged, each course spends its own prior mass, and leaves each stage
by itself. It shares nothing with `planning.foresight` but the formula of the evidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rollway.judge.onset import (
    AT_STAGE_CHANGES,
    AT_START,
    LEFT_AFTER_A_CHANGE,
    OVER_LATER_TIME,
    OVER_PLANNED_TIME,
)
from rollway.judge.processes import (
    EFFECTS,
    LOG_EFFECT_PRIOR,
    LOG_SAFE_PRIOR,
    Arms,
    ratio_increment,
    safe_multipliers,
)
from rollway.planning import Plan

Figures = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Course:
    """Of each course: in which stage (index among those compared) it was found, or -1, and in which its
    patience ended; seconds since the first exposure; requests that the new version served since the fault."""

    found: NDArray[np.int_]
    asked: NDArray[np.int_]
    seconds: Figures
    served: Figures


def run(
    plan: Plan, *, per_second: float, ratio: float, fault_in: int, only_there: bool, runs: int, seed: int
) -> Course:
    """Courses of a plan with one gate (a rate) and no limit; the fault begins with the stage `fault_in`.

    `only_there`: courses end with that stage, or with its patience; else they go on, as if the person who is
    asked said go.
    """
    rng = np.random.default_rng(seed)
    guard, tick = plan.guards[0], plan.policy.tick_seconds
    stages = [stage for stage in plan.stages if 0 < stage.exposure.share < 1]
    planned = sum(stage.bake_seconds for stage in plan.stages)
    counts = np.array([guard.counts_in(stage.id) for stage in stages])
    changes = np.maximum(np.cumsum(counts) - 1, 0)
    assert guard.expected is not None
    harm, safe = np.full((runs, len(EFFECTS)), -np.inf), np.tile(LOG_SAFE_PRIOR, (runs, 1))
    at, since, elapsed, used = np.zeros(runs, int), np.zeros(runs), np.zeros(runs), np.zeros(runs)
    passed = np.zeros(runs)
    found, asked, served = np.full(runs, -1), np.full(runs, -1), np.zeros(runs)
    open_ = np.ones(runs, dtype=bool)
    while open_.any():
        rows = np.flatnonzero(open_)
        share = np.array([stage.exposure.share for stage in stages])[at[rows]]
        worse = np.where(at[rows] >= fault_in, ratio, 1.0)
        requests = per_second * tick
        arms = Arms(
            new := rng.poisson(requests * share).astype(float),
            rng.binomial(new.astype(int), np.minimum(1.0, guard.expected * worse)).astype(float),
            old := rng.poisson(requests * (1 - share)).astype(float),
            rng.binomial(old.astype(int), guard.expected).astype(float),
        )
        passed[rows] += tick * ((new > 0) & (old > 0))
        is_counted = counts[at[rows]]
        told = (new > 0) & (old > 0) & is_counted
        elapsed[rows] += tick * told
        spent = _spent(elapsed[rows] / planned, changes[at[rows]])
        mass = np.where(told, spent - used[rows], 0.0)
        used[rows] = np.where(told, spent, used[rows])
        with np.errstate(divide="ignore"):
            harm[rows] = np.logaddexp(harm[rows], np.log(mass)[:, None] + LOG_EFFECT_PRIOR)
        harm[rows] += ratio_increment(arms, guard.tolerance, EFFECTS) * is_counted[:, None]
        since[rows] += tick
        served[rows] += new * (at[rows] >= fault_in)
        log_e = np.log(np.exp(harm[rows]).sum(axis=1) + 1 - used[rows])
        is_found = log_e >= -math.log(plan.policy.alpha)
        leaves = np.zeros(len(rows), dtype=bool)
        for number, stage in enumerate(stages):
            here = at[rows] == number
            if not here.any():
                continue
            baked = here & (since[rows] >= stage.bake_seconds - 1e-9)
            margin = stage.margins.get(guard.kpi)
            if margin is not None:
                picked = Arms(new[here], arms.candidate_bad[here], old[here], arms.baseline_bad[here])
                safe[rows[here]] += ratio_increment(picked, margin, safe_multipliers(margin))
                is_safe = np.log(np.exp(safe[rows]).sum(axis=1)) >= -math.log(plan.policy.alpha_promote)
                baked &= is_safe
            leaves |= baked & ((log_e < math.log(3)) | (stage.advance == "time"))
            tired = here & (since[rows] >= max(stage.patience_seconds, stage.bake_seconds))
            asked[rows[tired & ~leaves & ~is_found]] = number
            leaves |= tired
        leaves &= ~is_found
        found[rows[is_found]] = at[rows[is_found]]
        open_[rows[is_found]] = False
        left = rows[leaves]
        is_last = (at[left] == len(stages) - 1) | (only_there & (at[left] == fault_in))
        open_[left[is_last]] = False
        at[left[~is_last]] += 1
        since[left], safe[left] = 0.0, LOG_SAFE_PRIOR
    return Course(found, asked, passed, served)


def _spent(elapsed: Figures, changes: NDArray[np.int_]) -> Figures:
    spent: Figures = (
        AT_START
        + AT_STAGE_CHANGES * (1 - LEFT_AFTER_A_CHANGE**changes)
        + OVER_PLANNED_TIME * np.minimum(elapsed, 1.0)
        + OVER_LATER_TIME * (1 - 0.5 ** np.maximum(0.0, elapsed - 1.0))
    )
    return spent
