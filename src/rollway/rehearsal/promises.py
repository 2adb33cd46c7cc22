"""The plan's promises, kept or not: each is rehearsed from where its stage begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from rollway.planning import Plan, Promise
from rollway.planning.model import PlanPromise
from rollway.rehearsal import leaps
from rollway.rehearsal.course import Run, Script
from rollway.rehearsal.leaps import USUAL_PACE, Pace
from rollway.rehearsal.many import (
    STANDARD_ERRORS,
    TRUSTED,
    Branches,
    generator,
    reached,
    standard_error,
)
from rollway.rehearsal.scenario import Fault, People, Scenario
from rollway.rehearsal.world import World
from rollway.rollout.machine import live_share

AT_ONCE = People(go_seconds=0.0, answer_seconds=0.0, answer="promote")
CLOSE = 0.2
"""Averages (seconds, requests, users) that differ by less than this part are taken as the same."""
ENOUGH_FOUND = 20
WHOLE = "whole plan"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a promise: what was promised and what was rehearsed, with its standard error."""

    name: str
    promised: float
    rehearsed: float
    error: float
    is_kept: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """A promise and what became of it. caught, asked: shares of the runs in which the fault was found in the
    stage, and in which its patience ended first; `figures` are those that can be compared."""

    promise: Promise | PlanPromise
    runs: int
    caught: float
    asked: float
    figures: tuple[Figure, ...]

    @property
    def stage(self) -> str:
        """The stage it is for; `whole plan` for one of the whole plan."""
        return self.promise.stage if isinstance(self.promise, Promise) else WHOLE

    @property
    def is_kept(self) -> bool:
        return all(figure.is_kept for figure in self.figures)


def open_calendar(plan: Plan) -> Plan:
    """The plan without windows and freezes: promises take them as open."""
    return plan.model_copy(update={"windows": (), "freezes": ()})


def rehearse_promise(
    plan: Plan,
    promise: Promise,
    world: World,
    branches: Branches,
    *,
    runs: int,
    seed: int = 0,
    pace: Pace = USUAL_PACE,
) -> Kept:
    """Carry out the promise's stage with its fault, from runs that were healthy up to it."""
    here = plan.stage_index(promise.stage)
    name = f"{promise.stage}/{promise.kpi}/{promise.ratio:g}"
    done = [
        leaps.play(run, pace, stop=lambda run: _has_left(run, here))
        for run in _begun(plan, promise, promise.stage, name, world, branches, runs=runs, seed=seed)
    ]
    return _kept(promise, done, world, promise.stage)


def rehearse_plan_promise(
    plan: Plan,
    promise: PlanPromise,
    world: World,
    branches: Branches,
    *,
    runs: int,
    seed: int = 0,
    pace: Pace = USUAL_PACE,
    beside: Promise | None = None,
) -> tuple[Kept, Kept | None]:
    """Carry out the whole plan with a fault that is there from the first exposure, until everyone has it.

    Whoever is asked in between says go, as the promise takes it. `beside`: the first stage's promise for the
    same fault; the runs are the same until that stage is left, so they are looked at for it on their way.
    """
    first = first_live(plan)
    here = plan.stage_index(first)
    everyone = {n for n, stage in enumerate(plan.stages) if live_share(stage) >= 1}
    name = f"{WHOLE}/{promise.kpi}/{promise.ratio:g}"

    def is_over(run: Run) -> bool:
        return run.state.stage in everyone or run.state.phase not in ("running", "paused")

    left, done = [], []
    for run in _begun(plan, promise, first, name, world, branches, runs=runs, seed=seed):
        if beside is not None:
            leaps.play(run, pace, stop=lambda run: _has_left(run, here))
            left.append(run.copy())
        done.append(leaps.play(run, pace, stop=is_over))
    stage = None if beside is None else _kept(beside, left, world, first)
    return _kept(promise, done, world, first), stage


def first_live(plan: Plan) -> str:
    """The first stage with users of the new version."""
    return next(stage.id for stage in plan.stages if live_share(stage) > 0)


def _has_left(run: Run, stage: int) -> bool:
    """Whether what a stage's promise counts is over."""
    return run.state.stage != stage or run.state.phase != "running" or run.state.asked_at is not None


def _begun(
    plan: Plan,
    promise: Promise | PlanPromise,
    stage: str,
    name: str,
    world: World,
    branches: Branches,
    *,
    runs: int,
    seed: int,
) -> Iterator[Run]:
    """Runs in which the fault begins with the stage, each from a healthy one."""
    fault = Fault(promise.ratio, stage, (promise.kpi,))
    script = Script(open_calendar(plan), Scenario(name, name, world, fault=fault, people=AT_ONCE))
    starts = branches.by_stage.get(stage, [])
    for number in range(runs if starts else 0):
        start, rng = starts[number % len(starts)].copy(), generator(seed, name, number)
        yield replace(start, script=script, rng=rng, exposed=0.0, met=0.0, entries=[])


def _kept(promise: Promise | PlanPromise, runs: list[Run], world: World, stage: str) -> Kept:
    found = [run for run in runs if run.ending in ("evidence", "hard stop")]
    asked = [run for run in runs if run.ending == "patience" or run.state.asked_at is not None]
    count = max(len(runs), 1)
    figures = tuple(_figures(promise, runs, found, asked, world, stage)) if runs else ()
    return Kept(promise, len(runs), len(found) / count, len(asked) / count, figures)


def _figures(
    promise: Promise | PlanPromise,
    runs: list[Run],
    found: list[Run],
    asked: list[Run],
    world: World,
    stage: str,
) -> Iterator[Figure]:
    if promise.probability is not None:
        yield _chance(
            "probability", promise.probability, len(found) / len(runs), len(runs), is_better_above=True
        )
    if isinstance(promise, Promise) and promise.asked is not None:
        yield _chance("asked", promise.asked, len(asked) / len(runs), len(runs), is_better_above=None)
    if promise.rollback_seconds is not None and len(found) >= ENOUGH_FOUND:
        tick = runs[0].script.tick_seconds
        lasted = [run.found - run.told_at[stage] for run in found if run.found is not None]
        yield _average("rollback_seconds", promise.rollback_seconds, lasted, slack=tick)
    if promise.served is not None:
        yield _average("served", promise.served, [run.met for run in runs])
    if promise.exposed is not None:
        # What the last tick has told the target serves nobody yet.
        largest = [max((share for at, share in run.path if at < run.at), default=0.0) for run in runs]
        met = [reached(run.met, share, world.users) for run, share in zip(runs, largest, strict=True)]
        yield _average("exposed", promise.exposed, met)


def _chance(name: str, promised: float, told: float, runs: int, *, is_better_above: bool | None) -> Figure:
    """A chance is kept within 3 points and three standard errors; one that is better than promised, too."""
    error = standard_error(promised, runs)
    off = promised - told
    is_kept = (abs(off) if is_better_above is None else off) <= TRUSTED + STANDARD_ERRORS * error
    return Figure(name, promised, told, error, is_kept)


def _average(name: str, promised: float, values: list[float], slack: float = 0.0) -> Figure:
    """An average is kept where it is not above the promised one by more than chance and CLOSE explain."""
    error = float(np.std(values)) / max(1.0, len(values)) ** 0.5
    mean = float(np.mean(values))
    is_kept = mean <= promised * (1 + CLOSE) + STANDARD_ERRORS * error + slack
    return Figure(name, promised, mean, error, is_kept)
