"""judge power: which faults a plan would catch, how soon, and who meets them first."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rollway.cli.common import heading, json_option, print_json
from rollway.cli.judge_numbers import PART, SCREEN, Number, say
from rollway.cli.judge_questions import ALPHA, STAGES, Fault, Question, check_use, of_options, of_release

if TYPE_CHECKING:
    from rollway.judge.power import Power

CHANCE = 0.9


@click.command("power")
@click.argument("release_file", metavar="[RELEASE.YAML]", required=False, type=click.Path(path_type=Path))
@click.option("--rps", type=Number(1e-6, 1e9), help="Requests per second, both versions together.")
@click.option(
    "--base",
    type=Number(1e-9, 1, max_open=True),
    help="rate: the old version's rate of bad requests, such as 0.01.",
)
@click.option(
    "--kind",
    type=click.Choice(["rate", "latency", "mean"]),
    default="rate",
    show_default=True,
    help="latency: faults make durations longer. mean: they move a figure by parts of its deviation.",
)
@click.option(
    "--ratio",
    "sizes",
    type=Number(min=0, max=1e6, min_open=True),
    multiple=True,
    help="A size of fault: so many times as bad or as long; for a mean, standard deviations. "
    "May be repeated.",
)
@click.option("--stages", default=STAGES, show_default=True, help="SHARE:DURATION,...")
@click.option("--onset", default="0s", show_default=True, help="When the fault begins, after the start.")
@click.option(
    "--tolerance",
    type=Number(1, 1000),
    default=1.1,
    show_default=True,
    help="So many times as bad is no harm yet.",
)
@click.option(
    "--alpha",
    type=PART,
    default=ALPHA,
    show_default=True,
    help="Chance of a false rollback; of several guards, the part of one.",
)
@click.option("--tick", default="10s", show_default=True, help="Time between two looks.")
@click.option(
    "--median",
    type=Number(1e-6, 1e6),
    default=0.1,
    show_default=True,
    help="latency: half of the requests take less, seconds.",
)
@click.option(
    "--p99",
    type=Number(1e-6, 1e6),
    default=0.4,
    show_default=True,
    help="latency: 99 in 100 take less, seconds.",
)
@click.option(
    "--users", type=click.IntRange(min=1), help="How many there are, if each stays with its version."
)
@click.option(
    "--dispersion",
    "dispersion_file",
    type=click.Path(path_type=Path),
    help="The arms' own noise: a file of `rollway judge calibrate --write`.",
)
@click.option("--kpi", help="Whose noise of the --dispersion file, where it has several.")
@json_option
@click.pass_context
def power(ctx: click.Context, /, release_file: Path | None, as_json: bool, **given: Any) -> None:
    """Say before a rollout runs which faults it would catch, how soon, and how many meet them first.

    For every size of fault: the chance that it is caught by the end of each stage, how long after it
    began, and what the new version served meanwhile. Then, for every stage, the smallest fault that it
    catches by itself. Computed with the judge's own mathematics; the same question has the same answer.
    With a release file, for each guard of its plan; a stage lasts as long as its bake.

    \b
    Example
      rollway judge power --rps 100 --base 0.01 --ratio 2 --stages 1%:20m,10%:20m,50%:20m
      rollway judge power release.yaml
      rollway judge power release.yaml --dispersion dispersion.json
    """
    check_use(ctx, given["kind"], has_release=release_file is not None)
    questions = of_release(release_file, given) if release_file else of_options(given)
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


# --- what is answered -------------------------------------------------------------------------------


def _meet(question: Question, fault: Fault, found: Power) -> float:
    """How many users meet the fault: one for each request that it hits, but no more than were exposed."""
    hit = found.met * (fault.bad if fault.bad is not None else 1.0)
    return hit if question.users is None else min(hit, question.users * found.exposed)


def _show(question: Question, table: list[tuple[Fault, Power]], smallest: list[float] | None) -> None:
    setting, noise = question.setting, question.setting.dispersion
    base = "" if question.base_rate is None else f", {question.base_rate:.3g} of them bad"
    heading(question.guard)
    say(
        f"{setting.per_second:g} requests per second{base}; tolerance {setting.tolerance:g}, "
        f"alpha {setting.alpha:.3g}, a look each {_time(setting.tick_seconds)}"
    )
    if not noise.is_none:
        say(
            f"noise of the arms' own: evidence divided by {noise.floor:.2f} and more, rates that differ by "
            f"{noise.growth**0.5:.0%} for {_time(noise.block_seconds)}"
        )
    stages = [f"{100 * stage.share:.3g}%" for stage in setting.stages]
    chances = [["fault", *stages], ["", *(_time(stage.seconds) for stage in setting.stages)]]
    soon = [["half", "nine in ten", "requests", "users"], ["within", "within", "before", "meet it"]]
    chances += [[fault.name, *(_percent(chance) for chance in found.caught_by)] for fault, found in table]
    soon += [
        [
            _time(found.seconds[1]),
            _time(found.seconds[2]),
            _amount(found.met),
            _amount(_meet(question, fault, found)),
        ]
        for fault, found in table
    ]
    say("the chance that a fault is caught by the end of each stage, and how soon after it began:")
    _tables(chances, soon)
    if smallest is not None:
        told = ", ".join(
            f"{name} {'none' if math.isinf(ratio) else f'x{ratio:.3g}'}"
            for name, ratio in zip(stages, smallest, strict=True)
        )
        say(f"smallest fault that a stage catches by itself, nine times in ten: {told}")
    click.echo()


def _tables(chances: list[list[str]], soon: list[list[str]]) -> None:
    """Side by side where the screen is wide enough; else the stages in parts, and the times below."""
    whole = [left + right for left, right in zip(chances, soon, strict=True)]
    if _width(whole) <= SCREEN:
        _columns(whole)
        return
    names, most = [row[:1] for row in chances], len(chances[0])
    per = next(
        n for n in range(most - 1, 0, -1) if n == 1 or _width([r[:1] + r[-n:] for r in chances]) <= SCREEN
    )
    for start in range(1, most, per):
        _columns([row[:1] + row[start : start + per] for row in chances])
    _columns([name + right for name, right in zip(names, soon, strict=True)])


def _width(rows: list[list[str]]) -> int:
    return sum(2 + max(len(row[n]) for row in rows) for n in range(len(rows[0])))


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
        "dispersion": None if setting.dispersion.is_none else asdict(setting.dispersion),
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
