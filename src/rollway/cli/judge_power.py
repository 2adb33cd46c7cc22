"""judge power: which faults a plan would catch, how soon, and who meets them first."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rollway.cli.common import heading, json_option, print_json, read_release
from rollway.errors import InputError

if TYPE_CHECKING:
    from rollway.facts import Release
    from rollway.judge.courses import Truth
    from rollway.judge.power import Power, Setting, Step
    from rollway.planning import Plan

RATIOS = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
TIMES = (1.05, 1.1, 1.25, 2.0)
TAIL_TIMES = (1.25, 2.0)
EFFECTS = (0.02, 0.05, 0.1, 0.2, 0.5)
CHANCE = 0.9
LIMIT_PART = 0.25
STAGES = "1%:20m,10%:20m,50%:20m"
ALPHA = 0.01


@dataclass(frozen=True, slots=True)
class Fault:
    """A size of fault: its name, how it shows, and the share of requests that are bad because of it."""

    name: str
    truth: Truth
    bad: float | None


@dataclass(frozen=True, slots=True)
class Question:
    """One guard to foresee. `base_rate` is None where faults are not told as ratios of a rate."""

    guard: str
    setting: Setting
    faults: tuple[Fault, ...]
    base_rate: float | None
    users: int | None = None


@click.command("power")
@click.argument("release_file", metavar="[RELEASE.YAML]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--rps", type=click.FloatRange(min=0, min_open=True), help="Requests per second, both versions."
)
@click.option(
    "--base",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="The old version's rate of bad requests, such as 0.01.",
)
@click.option(
    "--kind",
    type=click.Choice(["rate", "latency", "mean"]),
    default="rate",
    show_default=True,
    help="latency: faults make durations longer. mean: they move a figure by parts of its deviation.",
)
@click.option("--ratio", "sizes", type=float, multiple=True, help="A size of fault; may be repeated.")
@click.option("--stages", default=STAGES, show_default=True, help="SHARE:DURATION, one after the other.")
@click.option("--onset", default="0s", show_default=True, help="When the fault begins.")
@click.option("--tolerance", type=click.FloatRange(min=1), default=1.1, show_default=True)
@click.option(
    "--alpha",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=ALPHA,
    show_default=True,
    help="Chance of a false rollback; of several guards, the part of one.",
)
@click.option("--tick", default="10s", show_default=True, help="Time between two looks.")
@click.option(
    "--median", default=0.1, show_default=True, help="latency: half of the requests take less, seconds."
)
@click.option("--p99", default=0.4, show_default=True, help="latency: 99 in 100 take less, seconds.")
@click.option(
    "--users", type=click.IntRange(min=1), help="How many there are, if each stays with its version."
)
@json_option
def power(release_file: Path | None, as_json: bool, **given: Any) -> None:
    """Say before a rollout runs which faults it would catch, how soon, and how many meet them first.

    For every size of fault: the chance that it is caught by the end of each stage, how long after it
    began, and what the new version served meanwhile. Then, for every stage, the smallest fault that it
    catches by itself. Computed with the judge's own mathematics; the same question has the same answer.
    With a release file, for each guard of its plan; a stage lasts as long as its bake.

    \b
    Example
      rollway judge power --rps 100 --base 0.01 --ratio 2 --stages 1%:20m,10%:20m,50%:20m
      rollway judge power release.yaml
    """
    questions = _of_release(release_file, given) if release_file else _of_options(given)
    answers = []
    for question in questions:
        table = [(fault, _foresee(question, fault)) for fault in question.faults]
        smallest = _smallest(question)
        answers.append(_as_json(question, table, smallest))
        if not as_json:
            _show(question, table, smallest)
    if as_json:
        print_json({"guards": answers})
    elif not answers:
        click.echo("There is nothing to foresee: no guard may roll back, or no stage has both versions.")


def _foresee(question: Question, fault: Fault) -> Power:
    from rollway.judge.power import foresee

    return foresee(question.setting, fault.truth)


def _smallest(question: Question) -> list[float] | None:
    """For each stage the smallest ratio it catches; None where ratios say nothing."""
    from rollway.judge.power import smallest_ratio

    base, setting = question.base_rate, question.setting
    if base is None:
        return None
    return [smallest_ratio(setting, base, n, chance=CHANCE) for n in range(len(setting.stages))]


# --- what is asked ----------------------------------------------------------------------------------


def _of_options(given: dict[str, Any]) -> Iterator[Question]:
    from rollway.judge.power import Setting

    if given["rps"] is None:
        raise InputError("how many requests there are is not known", hint="give --rps 100, or a release file")
    if given["kind"] == "rate" and given["base"] is None:
        raise InputError("the old version's rate of bad requests is not known", hint="give --base 0.01")
    setting = Setting(
        per_second=given["rps"],
        stages=parse_stages(given["stages"]),
        tick_seconds=_seconds(given["tick"], "--tick"),
        alpha=given["alpha"],
        tolerance=given["tolerance"] if given["kind"] != "mean" else 1.0,
    )
    faults = _faults(given["kind"], given["base"], setting.tolerance, given)
    base = given["base"] if given["kind"] == "rate" else None
    yield Question(f"{given['kind']} at {given['rps']:g} per second", setting, faults, base, given["users"])


def _of_release(path: Path, given: dict[str, Any]) -> Iterator[Question]:
    from rollway.choice import choose
    from rollway.facts import without_places
    from rollway.judge.power import Setting
    from rollway.planning import make_plan

    release = without_places(read_release(path))
    plan = make_plan(release, choose(release))
    per_second = given["rps"] or release.architecture.requests_per_second.value
    if not per_second:
        raise InputError(
            f"{path}: how many requests there are is not known",
            hint="state architecture.requests_per_second, or give --rps 100",
        )
    steps = _steps(plan)
    voters = [guard for guard in plan.guards if guard.say != "watch"]
    weight = sum(guard.weight for guard in voters)
    for guard in voters if steps else ():
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
        )
        is_rate = guard.kind == "rate"
        faults = _faults(guard.kind, base if is_rate else None, guard.tolerance, given)
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
        Step(stage.id, stage.exposure.share, stage.bake_seconds) for stage in live if stage.bake_seconds > 0
    )


def _faults(kind: str, base: float | None, tolerance: float, given: dict[str, Any]) -> tuple[Fault, ...]:
    """The sizes asked for, or telling ones, each beyond the tolerance."""
    onset, sizes = _seconds(given["onset"], "--onset"), given["sizes"]
    makers: dict[str, Callable[[], list[Fault]]] = {
        "rate": lambda: _of_rate(base or 0.0, tolerance, sizes or RATIOS, onset),
        "latency": lambda: _of_latency(sizes, onset, given),
        "mean": lambda: _of_mean(sizes or EFFECTS, onset),
    }
    found = makers[kind]()
    if not found:
        raise InputError(
            "no size of fault is left to foresee",
            hint=f"give a --ratio above the tolerance ({tolerance:g}) that leaves a rate below 1",
        )
    return tuple(found)


def _of_rate(base: float, tolerance: float, sizes: tuple[float, ...], onset: float) -> list[Fault]:
    from rollway.judge.power import rate_fault

    return [
        Fault(f"x{size:g}", rate_fault(base, size, onset_seconds=onset), base * size)
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
        )
        for size, is_tail in kinds
        if size > 1
    ]


def _of_mean(sizes: tuple[float, ...], onset: float) -> list[Fault]:
    from rollway.judge.kinds.total import BURN_IN
    from rollway.judge.power import Means

    return [
        Fault(f"{size:g} sd", Means(size, onset_seconds=onset, burn_in=BURN_IN), 1.0)
        for size in sizes
        if size > 0
    ]


def parse_stages(text: str) -> tuple[Step, ...]:
    """`1%:20m,10%:20m`: shares and durations. Raises InputError that says which part is wrong."""
    from rollway.judge.power import Step

    steps = []
    for part in text.split(","):
        share, sign, length = part.strip().partition(":")
        number = share.strip().removesuffix("%")
        try:
            value = float(number) / (100 if share.strip().endswith("%") else 1)
        except ValueError:
            value = math.nan
        if not sign or not 0 < value <= 1:
            raise InputError(
                f"--stages: {part.strip()!r} is no stage", hint=f"write SHARE:DURATION: {STAGES}"
            )
        steps.append(Step(share.strip(), value, _seconds(length.strip(), "--stages")))
    return tuple(steps)


def _seconds(text: str, option: str) -> float:
    from rollway.facts.duration import parse_duration

    try:
        return parse_duration(text).total_seconds()
    except ValueError as error:
        raise InputError(f"{option}: {text!r} is no duration", hint=str(error)) from error


# --- what is answered -------------------------------------------------------------------------------


def _meet(question: Question, fault: Fault, found: Power) -> float:
    """How many users meet the fault: one for each request that it hits, but no more than were exposed."""
    hit = found.met * (fault.bad if fault.bad is not None else 1.0)
    return hit if question.users is None else min(hit, question.users * found.exposed)


def _show(question: Question, table: list[tuple[Fault, Power]], smallest: list[float] | None) -> None:
    setting = question.setting
    base = "" if question.base_rate is None else f", {question.base_rate:.3g} of them bad"
    heading(question.guard)
    click.echo(
        f"  {setting.per_second:g} requests per second{base}; tolerance {setting.tolerance:g}, "
        f"alpha {setting.alpha:.3g}, a look each {_time(setting.tick_seconds)}"
    )
    stages = [f"{100 * stage.share:.3g}%" for stage in setting.stages]
    heads = ["fault", *stages, "half", "nine in ten", "requests", "users"]
    lasts = ["", *(_time(stage.seconds) for stage in setting.stages), "within", "within", "before", "meet it"]
    rows = [
        [
            fault.name,
            *(_percent(chance) for chance in found.caught_by),
            _time(found.seconds[1]),
            _time(found.seconds[2]),
            _amount(found.met),
            _amount(_meet(question, fault, found)),
        ]
        for fault, found in table
    ]
    click.echo("  the chance that a fault is caught by the end of each stage, and how soon after it began:")
    _columns([heads, lasts, *rows])
    if smallest is not None:
        told = ", ".join(
            f"{name} {'none' if math.isinf(ratio) else f'x{ratio:.3g}'}"
            for name, ratio in zip(stages, smallest, strict=True)
        )
        click.echo(f"  smallest fault that a stage catches by itself, nine times in ten: {told}")
    click.echo()


def _columns(rows: list[list[str]]) -> None:
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    for number, row in enumerate(rows):
        first, *rest = row
        cells = [f"{first:<{widths[0]}}", *(f"{cell:>{w}}" for cell, w in zip(rest, widths[1:], strict=True))]
        line = f"  {'  '.join(cells)}".rstrip()
        click.echo(click.style(line, dim=True) if number < 2 else line)


def _percent(chance: float) -> str:
    if 0 < chance < 0.01:
        return "<1%"
    return ">99%" if 0.99 < chance < 1 else f"{chance:.0%}"


def _time(length: float) -> str:
    from rollway.judge.words import seconds

    return "never" if math.isinf(length) else seconds(length)


def _amount(number: float) -> str:
    from rollway.judge.words import amount

    return "0" if number < 0.05 else amount(number)


def _as_json(
    question: Question, table: list[tuple[Fault, Power]], smallest: list[float] | None
) -> dict[str, Any]:
    """The same as plain JSON; what never happens is null."""
    setting = question.setting
    return {
        "guard": question.guard,
        "per_second": setting.per_second,
        "base_rate": question.base_rate,
        "alpha": setting.alpha,
        "tolerance": setting.tolerance,
        "tick_seconds": setting.tick_seconds,
        "stages": [
            {"name": stage.name, "share": stage.share, "seconds": stage.seconds} for stage in setting.stages
        ],
        "faults": [
            {
                "fault": fault.name,
                "caught_by": found.caught_by,
                "seconds": [_finite(each) for each in found.seconds],
                "requests": [_finite(each) for each in found.requests],
                "requests_before": found.met,
                "users_who_meet_it": _meet(question, fault, found),
            }
            for fault, found in table
        ],
        "smallest_ratio": None if smallest is None else [_finite(each) for each in smallest],
    }


def _finite(number: float) -> float | None:
    return None if math.isinf(number) else number
