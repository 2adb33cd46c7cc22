"""rehearse: a plan carried out on a simulated service, thousands of times as fast, before it is started."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rollway.cli.common import find_plan, heading, json_option, opened, print_json, write_file
from rollway.cli.judge_numbers import SCREEN
from rollway.errors import InputError

if TYPE_CHECKING:
    from rollway.planning import Plan
    from rollway.rehearsal import Rehearsal, Scenario

NOT_KEPT = 14
LEVEL_COLOURS = {"ok": "green", "warning": "yellow", "missed": "red"}
HEALTHY = "healthy"


@click.command()
@click.argument("reference", metavar="PLAN")
@click.option(
    "--runs",
    type=click.IntRange(1, 100_000),
    default=200,
    show_default=True,
    help="How often the healthy release is run; each promise half as often, other stories a tenth.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32),
    default=1,
    show_default=True,
    help="The same seed gives the same answer.",
)
@click.option("--start", help="When it is started, such as 2026-11-23T22:00; else at many moments.")
@click.option("--traffic", help="Requests to both versions together: 50/s. Else as the plan says.")
@click.option("--base", "bases", multiple=True, metavar="KPI=RATE", help="The old version's usual rate.")
@click.option("--users", type=click.IntRange(1), help="How many users there are. Else as the plan says.")
@click.option("--go", default="5m", show_default=True, help="How long after a bake a person says go.")
@click.option(
    "--answer",
    default="15m",
    show_default=True,
    help="How long a person who is asked takes; then it is taken back.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="KPI=RATIO[@STAGE][+AFTER]",
    help="A fault to be rehearsed instead of the usual stories: errors=5@50-percent+10m, all=10.",
)
@click.option(
    "--trouble",
    "troubles",
    multiple=True,
    metavar="WHAT=LENGTH[@STAGE][+AFTER]",
    help="Likewise: source_down, target_refuses, target_lies or target_slow, as in source_down=10m.",
)
@click.option(
    "--recorded",
    multiple=True,
    metavar="FILE",
    help="The old version as recorded: CSV (time,kpi,trials,bad), or NAME=FILE of Prometheus answers.",
)
@click.option("--prometheus", metavar="URL", help="The same from a server, with --query.")
@click.option(
    "--query",
    "queries",
    multiple=True,
    metavar="NAME=QUERY",
    help="requests=..., and one for each KPI: bad requests per second.",
)
@click.option(
    "--hours",
    type=click.FloatRange(0.1, 24 * 90),
    default=24.0,
    show_default=True,
    help="How much of the server's past.",
)
@click.option("--no-promises", is_flag=True, help="Leave the plan's promises out.")
@click.option("--story", "show", help="Tell the first run of this story line by line.")
@click.option("--svg", type=click.Path(path_type=Path), help="Draw the share of users over time to a file.")
@json_option
@click.pass_context
def rehearse(ctx: click.Context, /, reference: str, **given: Any) -> None:
    """Carry a plan out on a simulated service before it is started, and see whether it keeps its promises.

    The real state machine and the real judge run on drawn traffic: a release that is well, faults, sources
    and targets that fail, people who have to be asked. Said is what would happen, how long it would take,
    and who would meet a fault first. Exit code 14 where the plan does not keep what it promises.

    \b
    Examples
      rollway rehearse plan.json
      rollway rehearse plan.json --start 2026-11-23T22:00 --svg rehearsal.svg
      rollway rehearse plan.json --fault errors=5@50-percent+10m --trouble source_down=10m@50-percent
      rollway rehearse plan.json --recorded last_week.csv
    """
    from rollway.rehearsal import rehearse_plan
    from rollway.rehearsal.picture import svg
    from rollway.rehearsal.report import to_json

    with opened(ctx) as rollway:
        plan = find_plan(rollway, reference)
    scenarios, start = _scenarios(plan, given)
    _check_story(given["show"], scenarios)
    rehearsal = rehearse_plan(
        plan,
        scenarios,
        runs=given["runs"],
        seed=given["seed"],
        start=start,
        with_promises=not given["no_promises"] and not given["faults"] and not given["troubles"],
        told=_progress if sys.stderr.isatty() else None,
    )
    if sys.stderr.isatty():
        click.echo("\r\033[K", err=True, nl=False)
    if given["svg"]:
        write_file(given["svg"], svg(rehearsal))
    if given["as_json"]:
        print_json(to_json(rehearsal))
    else:
        _print(rehearsal, scenarios[0], given)
    if not rehearsal.is_kept:
        raise click.exceptions.Exit(NOT_KEPT)


def check_plan(plan: Plan, *, as_json: bool) -> None:
    """A short rehearsal of a plan that was just made; says what it found, and exits where it failed.

    Beside JSON it speaks on stderr. A plan whose traffic is not known is not rehearsed, and that is told.
    """
    from rollway.rehearsal import check
    from rollway.rehearsal.report import conclusion

    try:
        rehearsal = check(plan, told=_progress if sys.stderr.isatty() else None)
    except InputError as error:
        click.echo(_wrapped(f"not rehearsed: {error.message}; {error.hint}"), err=True)
        return
    word, sentence = conclusion(rehearsal)
    click.echo(click.style(_wrapped(sentence), fg=LEVEL_COLOURS[word]), err=as_json)
    _findings(rehearsal, err=as_json)
    if not rehearsal.is_kept:
        click.echo("`rollway rehearse` tells more; it should not be approved as it is.", err=as_json)
        raise click.exceptions.Exit(NOT_KEPT)


def _progress(text: str) -> None:
    click.echo(f"\r\033[K{text}", err=True, nl=False)


def _scenarios(plan: Plan, given: dict[str, Any]) -> tuple[Sequence[Scenario], datetime | None]:
    """The stories that are asked for, and when they start. Raises InputError."""
    from rollway.cli import rehearse_options as options
    from rollway.rehearsal import People, Scenario, Steady, stories, world_of

    recorded = options.recorded_of(
        given["recorded"], given["prometheus"], given["queries"], given["hours"], datetime.now(UTC)
    )
    if recorded is not None and given["traffic"]:
        raise InputError("--traffic has no use beside a record of it", hint="leave it out")
    steady = Steady(options.traffic_of(given["traffic"])) if given["traffic"] else None
    world = world_of(
        plan,
        traffic=recorded or steady,
        rates=options.rates_of(given["bases"], plan),
        users=given["users"],
    )
    people = People(options.seconds_of(given["go"], "--go"), options.seconds_of(given["answer"], "--answer"))
    usual = stories(plan, world, people)
    own = [
        Scenario(f"fault {text}", text, world, fault=fault, people=people, expected="not_passed")
        for text, fault in options.faults_of(given["faults"], plan)
    ]
    troubles = options.troubles_of(given["troubles"], plan)
    if troubles:
        name = " ".join(text for text, _ in troubles)
        around = tuple(trouble for _, trouble in troubles)
        own = [replace(each, troubles=around) for each in own] or [
            Scenario(f"trouble {name}", name, world, troubles=around, people=people, expected="any")
        ]
    start = options.start_of(given["start"], plan)
    return ([usual[0], *own] if own else usual), start


def _check_story(name: str | None, scenarios: Sequence[Scenario]) -> None:
    names = [scenario.name for scenario in scenarios]
    if name is not None and name not in names:
        raise InputError(f"--story: there is no story {name!r}", hint=f"there are {', '.join(names)}")


# --- what is printed --------------------------------------------------------------------------------


def _print(rehearsal: Rehearsal, first: Scenario, given: dict[str, Any]) -> None:
    from rollway.rehearsal import picture, report

    plan = rehearsal.plan
    word, sentence = report.conclusion(rehearsal)
    heading(click.style(_wrapped(sentence), fg=LEVEL_COLOURS[word]))
    _say(
        f"{plan.title or plan.name} {plan.version}, plan {plan.hash[:12]}; "
        f"{report.world_words(first.world)}. "
        "Of two figures the first holds for half of the runs, the second for nine in ten."
    )
    _findings(rehearsal)
    for result in rehearsal.results:
        if result.scenario.name == HEALTHY:
            heading("\nIf all is well")
            for line in report.healthy_lines(plan, result):
                _say(line)
            plain = not (sys.stdout.encoding or "ascii").lower().startswith("utf")
            click.echo("\n".join(picture.characters(plan, result, plain=plain)))
    others = [result for result in rehearsal.results if result.scenario.name != HEALTHY]
    if others:
        heading("\nWhat if")
        for result in others:
            _story(result)
    if rehearsal.promises:
        heading("\nPromises (promised / rehearsed)")
        head = ["stage", "fault", "caught", "found within", "users meet it", ""]
        _table([head, *(report.promise_rows(kept) for kept in rehearsal.promises)])
    if given["show"]:
        _tell(next(r for r in rehearsal.results if r.scenario.name == given["show"]))
    if given["svg"]:
        click.echo(f"\nwrote {given['svg']}")


def _findings(rehearsal: Rehearsal, *, err: bool = False) -> None:
    for finding in rehearsal.findings:
        word = "missed" if finding.level == "missed" else "note"
        text = _wrapped(f"{word}  {finding.about}: {finding.text}", "        ")
        marked = click.style(word, fg=LEVEL_COLOURS[finding.level], bold=True)
        click.echo(marked + text[len(word) :], err=err)


def _story(result: Any) -> None:
    from rollway.rehearsal import report

    name, told = result.scenario.name, f"{result.scenario.name}: {result.scenario.told}"
    lines = textwrap.wrap(told, SCREEN, initial_indent="  ", subsequent_indent="    ")
    click.echo("\n".join(lines).replace(name, click.style(name, bold=True), 1))
    click.echo(
        textwrap.fill(report.story_line(result), SCREEN, initial_indent="    ", subsequent_indent="    ")
    )


def _tell(result: Any) -> None:
    from rollway.rehearsal import report

    heading(f"\nOne run of: {result.scenario.name}")
    outcome = result.outcomes[0]
    origin = outcome.started or 0.0
    for at, text in outcome.story:
        sign = "-" if at < origin else "+"
        click.echo(_wrapped(f"{sign + report.short(abs(at - origin)):>10}  {text}", " " * 12))


def _table(rows: list[list[str]]) -> None:
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    for number, row in enumerate(rows):
        line = "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        style = {"dim": True} if number == 0 else {"fg": "red"} if row[-1] == "MISSED" else {}
        click.echo(click.style(line, **style))


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, SCREEN, subsequent_indent=indent)


def _say(text: str) -> None:
    click.echo(_wrapped(text))
