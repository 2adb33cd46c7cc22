"""What `rollway judge power` is asked: options, or the guards of a plan, as settings and sizes of fault."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rollway.cli.common import read_release
from rollway.errors import InputError

if TYPE_CHECKING:
    from rollway.facts import Release
    from rollway.judge.courses import Truth
    from rollway.judge.dispersion import Dispersion
    from rollway.judge.power import Setting, Step
    from rollway.planning import Plan

RATIOS = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
TIMES = (1.05, 1.1, 1.25, 2.0)
TAIL_TIMES = (1.25, 2.0)
EFFECTS = (0.02, 0.05, 0.1, 0.2, 0.5)
LIMIT_PART = 0.25
MOST_STAGES = 20
STAGES = "1%:20m,10%:20m,50%:20m"
ALPHA = 0.01


@dataclass(frozen=True, slots=True)
class Fault:
    """A size of fault: its name, how it shows, the share of requests that are bad because of it, and the
    size that was asked for."""

    name: str
    truth: Truth
    bad: float | None
    size: float


@dataclass(frozen=True, slots=True)
class Question:
    """One guard to foresee. `base_rate` is None where faults are not told as ratios of a rate."""

    guard: str
    setting: Setting
    faults: tuple[Fault, ...]
    base_rate: float | None
    users: int | None = None


OF_PLAN = ("kind", "stages", "tolerance", "alpha", "tick", "kpi")
UNUSED = {
    "rate": ("median", "p99"),
    "latency": ("base",),
    "mean": ("base", "median", "p99", "tolerance", "dispersion_file"),
}


def check_use(ctx: click.Context, kind: str, *, has_release: bool) -> None:
    """Raises InputError where an option was given that would change nothing."""
    given = {
        name
        for name in ctx.params
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    }
    unused = [name for name in (OF_PLAN if has_release else UNUSED[kind]) if name in given]
    if unused:
        option = f"--{unused[0].removesuffix('_file')}"
        raise InputError(
            f"{option} has no use {'beside a release file' if has_release else f'with --kind {kind}'}",
            hint="the plan of the release states it; change it there" if has_release else "leave it out",
        )
    if "kpi" in given and "dispersion_file" not in given:
        raise InputError("--kpi has no use without --dispersion", hint="leave it out")


def of_options(given: dict[str, Any]) -> Iterator[Question]:
    """The one question that the options ask. Raises InputError where something is missing or wrong."""
    from rollway.judge.power import Setting
    from rollway.judge.words import seconds

    if given["rps"] is None:
        raise InputError("how many requests there are is not known", hint="give --rps 100, or a release file")
    if given["kind"] == "rate" and given["base"] is None:
        raise InputError("the old version's rate of bad requests is not known", hint="give --base 0.01")
    stages, tick = parse_stages(given["stages"]), _seconds(given["tick"], "--tick")
    if tick <= 0:
        raise InputError("--tick: 0s is no time between two looks", hint="give --tick 10s")
    setting = Setting(
        per_second=given["rps"],
        stages=stages,
        tick_seconds=tick,
        alpha=given["alpha"],
        tolerance=given["tolerance"] if given["kind"] != "mean" else 1.0,
        dispersion=_noise(given),
    )
    if _seconds(given["onset"], "--onset") >= setting.planned_seconds:
        raise InputError(
            f"--onset {given['onset']}: the last stage has ended by then",
            hint=f"the stages last {seconds(setting.planned_seconds)} together; give an earlier onset",
        )
    faults = _faults(given["kind"], given["base"], setting.tolerance, given)
    base = given["base"] if given["kind"] == "rate" else None
    yield Question(f"{given['kind']} at {given['rps']:g} per second", setting, faults, base, given["users"])


def _noise(given: dict[str, Any]) -> Dispersion:
    from rollway.cli.judge_dispersion import one_of, read_dispersion
    from rollway.judge.dispersion import NONE

    path: Path | None = given["dispersion_file"]
    return NONE if path is None else one_of(read_dispersion(path), given["kpi"], path)


def of_release(path: Path, given: dict[str, Any]) -> Iterator[Question]:
    """A question for each guard of the plan that may roll back."""
    from rollway.choice import choose
    from rollway.cli.judge_dispersion import of_plan, read_dispersion
    from rollway.facts import without_places
    from rollway.judge.power import Setting
    from rollway.planning import make_plan

    file: Path | None = given["dispersion_file"]
    learned = {} if file is None else read_dispersion(file)
    release = without_places(read_release(path))
    plan = make_plan(release, choose(release))
    per_second = given["rps"] or release.architecture.requests_per_second.value
    if not per_second:
        raise InputError(
            f"{path}: how many requests there are is not known",
            hint="state architecture.requests_per_second, or give --rps 100",
        )
    is_compared = bool(_steps(plan))
    voters = [guard for guard in plan.guards if guard.say != "watch"]
    weight = sum(guard.weight for guard in voters)
    for name in sorted(set(learned) - {guard.kpi for guard in plan.guards}):
        click.echo(f"{name}: {file} tells its noise, but the plan has no such guard", err=True)
    for guard in voters if is_compared else ():
        steps = tuple(step for step in _steps(plan) if guard.counts_in(step.name))
        if not any(step.share < 1 for step in steps):
            told = "it counts in no stage with users of both versions, so nothing is foretold"
            click.echo(f"{guard.kpi}: {told}", err=True)
            continue
        base = given["base"] or guard.expected
        if guard.kind == "rate" and not (base and 0 < base < 1):
            click.echo(
                f"{guard.kpi}: its usual rate is not stated (expected), so nothing is foretold", err=True
            )
            continue
        part = 1 - LIMIT_PART if guard.limit is not None else 1.0
        setting = Setting(
            per_second=float(per_second),
            stages=steps,
            tick_seconds=plan.policy.tick_seconds,
            alpha=plan.policy.alpha * guard.weight / weight * part,
            tolerance=guard.tolerance,
            dispersion=learned.get(guard.kpi) or of_plan(guard),
        )
        is_rate = guard.kind == "rate"
        try:
            faults = _faults(guard.kind, base if is_rate else None, guard.tolerance, given)
        except InputError as error:
            click.echo(f"{guard.kpi}: {error.message}; {error.hint}", err=True)
            continue
        # Planning knows requests only; a brake may count what few users do, an answer or an order.
        name = guard.kpi if guard.say == "gate" else f"{guard.kpi}, as if every request counted for it"
        yield Question(name, setting, faults, base if is_rate else None, _users(release, given))


def _users(release: Release, given: dict[str, Any]) -> int | None:
    users: int | None = given["users"] or release.stakeholders.users.value
    return users


def _steps(plan: Plan) -> tuple[Step, ...]:
    from rollway.judge.power import Step

    live = [stage for stage in plan.stages if stage.exposure.mode == "live" and stage.exposure.share > 0]
    if not any(stage.exposure.share < 1 for stage in live):
        return ()
    return tuple(
        Step(stage.id, stage.exposure.part, stage.bake_seconds, stage.exposure.compared)
        for stage in live
        if stage.bake_seconds > 0
    )


_WHICH_SIZES = {
    "rate": "a fault lies above the tolerance ({tolerance:g}), and leaves a rate of at most 1",
    "latency": "a fault makes durations longer: give a --ratio above 1",
    "mean": "give a --ratio above 0: how many standard deviations the mean moves",
}


def _faults(kind: str, base: float | None, tolerance: float, given: dict[str, Any]) -> tuple[Fault, ...]:
    """The sizes asked for, or telling ones, each beyond the tolerance."""
    onset, sizes = _seconds(given["onset"], "--onset"), given["sizes"]
    makers: dict[str, Callable[[], list[Fault]]] = {
        "rate": lambda: _of_rate(base or 0.0, tolerance, sizes or RATIOS, onset),
        "latency": lambda: _of_latency(sizes, onset, given),
        "mean": lambda: _of_mean(sizes or EFFECTS, onset),
    }
    found = makers[kind]()
    told = {fault.size for fault in found}
    left_out = [f"{size:g}" for size in sizes if size not in told]
    if left_out or not found:
        what = f"--ratio {left_out[0]} cannot be foreseen" if left_out else "no size of fault can be foreseen"
        raise InputError(what, hint=_WHICH_SIZES[kind].format(tolerance=tolerance))
    return tuple(found)


def _of_rate(base: float, tolerance: float, sizes: tuple[float, ...], onset: float) -> list[Fault]:
    from rollway.judge.power import rate_fault

    return [
        Fault(f"x{size:g}", rate_fault(base, size, onset_seconds=onset), base * size, size)
        for size in sizes
        if size > tolerance and base * size <= 1
    ]


def _of_latency(sizes: tuple[float, ...], onset: float, given: dict[str, Any]) -> list[Fault]:
    from rollway.judge.power import slower

    median, p99 = given["median"], given["p99"]
    if not 0 < median < p99:
        raise InputError(f"--median {median:g} is not below --p99 {p99:g}", hint="give both in seconds")
    kinds = [(size, False) for size in sizes or TIMES] + [(size, True) for size in sizes or TAIL_TIMES]
    return [
        Fault(
            f"{'slowest 1%' if is_tail else 'all'} x{size:g}",
            slower(median=median, p99=p99, times=size, is_tail_only=is_tail, onset_seconds=onset),
            0.01 if is_tail else 1.0,
            size,
        )
        for size, is_tail in kinds
        if size > 1
    ]


def _of_mean(sizes: tuple[float, ...], onset: float) -> list[Fault]:
    from rollway.judge.kinds.total import BURN_IN
    from rollway.judge.power import Means

    return [
        Fault(f"{size:g} sd", Means(size, onset_seconds=onset, burn_in=BURN_IN), 1.0, size)
        for size in sizes
        if size > 0
    ]


def parse_stages(text: str) -> tuple[Step, ...]:
    """`1%:20m,10%:20m`: shares and durations. Raises InputError that says which part is wrong."""
    if len(parts := [part.strip() for part in text.split(",")]) > MOST_STAGES:
        raise InputError(f"--stages: {len(parts)} stages are too many", hint=f"give at most {MOST_STAGES}")
    steps = tuple(_step(part, number) for number, part in enumerate(parts, start=1))
    if not any(step.share < 1 for step in steps):
        raise InputError(
            "--stages: with 100% no old version is left to compare with",
            hint=f"name a stage below 100%: {STAGES}",
        )
    return steps


def _step(part: str, number: int) -> Step:
    from rollway.judge.power import Step

    def wrong(what: str) -> InputError:
        return InputError(f"--stages: stage {number} {what}", hint=f"write SHARE:DURATION: {STAGES}")

    if not part:
        raise wrong("is empty; is there a comma too many?")
    share, sign, length = (each.strip() for each in part.partition(":"))
    try:
        value = float(share.removesuffix("%")) / (100 if share.endswith("%") else 1)
    except ValueError:
        value = math.nan
    if not sign:
        raise wrong(f"({part!r}) lacks a duration")
    if not 0 < value <= 1:
        raise wrong(f"({part!r}) has no share above 0% and up to 100%; without % write 0.1 for 10%")
    seconds = _seconds(length, f"--stages: stage {number}")
    if seconds <= 0:
        raise wrong(f"({part!r}) lasts no time")
    return Step(share, value, seconds)


def _seconds(text: str, option: str) -> float:
    from rollway.facts.duration import parse_duration

    try:
        return parse_duration(text).total_seconds()
    except ValueError as error:
        raise InputError(f"{option}: {text!r} is no duration", hint=str(error)) from error
