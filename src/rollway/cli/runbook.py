"""runbook: check, show and time a cutover's runbook; exchange it with people who work in spreadsheets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rollway.cli.common import heading, json_option, print_json
from rollway.cli.runbook_files import read_runbook
from rollway.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from rollway.planning.runbooks import Finding, Runbook, Schedule, Task
    from rollway.planning.runbooks.turning import Turning

F = TypeVar("F", bound=Callable[..., Any])
MOST_CONFLICTS = 20


def runbook_argument(function: F) -> F:
    return click.argument("file", metavar="RUNBOOK", type=click.Path(path_type=Path))(function)


@click.group()
def runbook() -> None:
    """The runbook of a cutover: who does what when, until when one can go back, and how.

    It is a YAML file or an Excel workbook; both say the same, and one is made from the other.

    \b
    Example
      rollway runbook check cutover.yaml              is it whole?
      rollway runbook times cutover.yaml              critical path, load, last call
      rollway runbook export cutover.yaml -o cutover.xlsx
    """


@runbook.command()
@runbook_argument
@json_option
def check(file: Path, as_json: bool) -> None:
    """Read a runbook and say what is wrong with it, with the place of each finding.

    Errors end with code 2; warnings do not.

    \b
    Example
      rollway runbook check cutover.yaml
    """
    from rollway.planning.runbooks import RunbookError

    try:
        book, warnings = read_runbook(file)
    except RunbookError as error:
        if not as_json:
            raise
        print_json({"errors": [finding.to_json() for finding in error.findings], "warnings": []})
        raise SystemExit(error.exit_code) from None
    if as_json:
        print_json({"errors": [], "warnings": [finding.to_json() for finding in warnings]})
        return
    _warn(warnings)
    gates = sum(task.gate for task in book.tasks)
    final = sum(not task.reversible for task in book.tasks)
    click.echo(
        f"{file}: {_count(len(book.tasks), 'task')}, {_count(gates, 'gate')}, {final} of no return, "
        f"{_count(len(book.undo), 'undo step')}; no errors, {_count(len(warnings), 'warning')}"
    )


@runbook.command()
@runbook_argument
@click.option("--task", "name", help="One task with all that it says.")
@click.option("--chart", is_flag=True, help="When tasks run, as a chart.")
@json_option
def show(file: Path, name: str | None, chart: bool, as_json: bool) -> None:
    """Show a runbook as a tree, as a chart, or one task of it.

    \b
    *  on the critical path     G  go/no-go gate     !  cannot be taken back
    Example
      rollway runbook show cutover.yaml --chart
      rollway runbook show cutover.yaml --task switch
    """
    from rollway.planning.runbooks import make_schedule, pictures
    from rollway.planning.runbooks.plain import runbook_json, task_json

    book, _ = read_runbook(file)
    schedule = make_schedule(book)
    if name is not None:
        task = _task(book, name)
        print_json(task_json(book, task, schedule)) if as_json else _show_task(book, task, schedule)
    elif as_json:
        print_json(runbook_json(book, schedule))
    else:
        heading(_title(book))
        for line in _chart(book) if chart else pictures.tree(book, schedule):
            click.echo(line)
        if not chart:
            _show_undo(book)


@runbook.command()
@runbook_argument
@click.option(
    "--runs", default=10_000, show_default=True, type=click.IntRange(100, 1_000_000), help="Nights drawn."
)
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Same seed, same numbers.")
@click.option("--law", type=click.Choice(["lognormal", "empirical"]), default="lognormal", show_default=True)
@click.option(
    "--confidence",
    default=0.9,
    show_default=True,
    type=click.FloatRange(0.5, 0.999),
    help="Of the last call.",
)
@click.option(
    "--shared", default=0.1, show_default=True, type=click.FloatRange(0, 1), help="Spread all tasks share."
)
@json_option
def times(
    file: Path, runs: int, seed: int, law: Any, confidence: float, shared: float, as_json: bool
) -> None:
    """Critical path, slack, load of each person, conflicts, and until when one can still go back.

    Each time is shown on the clocks of the task's owner. The chances come from many nights, drawn from the
    rehearsed times of the tasks.

    \b
    Example
      rollway runbook times cutover.yaml --confidence 0.95
    """
    from rollway.planning.rollback_clock import DECISION_SECONDS
    from rollway.planning.runbooks import conflicts, make_schedule, person_loads
    from rollway.planning.runbooks.chance import Settings, simulate
    from rollway.planning.runbooks.plain import runbook_json
    from rollway.planning.runbooks.turning import turning_point

    book, _ = read_runbook(file)
    schedule = make_schedule(book)
    if book.night and not book.decision:
        book = replace(book, decision=DECISION_SECONDS)
    nights = simulate(book, Settings(runs=runs, seed=seed, law=law, shared=shared))
    turning = turning_point(book, nights, confidence)
    clashes, loads = conflicts(book, schedule), person_loads(book, schedule)
    if as_json:
        from dataclasses import asdict

        body = runbook_json(book, schedule) | {
            "loads": [asdict(load) for load in loads],
            "conflicts": [asdict(clash) for clash in clashes],
            "going_back": asdict(turning) | {"law": law, "seed": seed, "shared": shared},
        }
        print_json(body)
        return
    heading(_title(book))
    _show_slack(book, schedule)
    _show_load(book, loads, clashes)
    _show_turning(book, turning)


@runbook.command()
@runbook_argument
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="A file that ends in .xlsx or .yaml.",
)
def export(file: Path, output: Path) -> None:
    """Write a runbook as a workbook (.xlsx) or as YAML. Nothing is lost, and no cell becomes a formula.

    \b
    Example
      rollway runbook export cutover.yaml -o cutover.xlsx
    """
    _convert(file, output)


@runbook.command("import")
@runbook_argument
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="A file that ends in .yaml or .xlsx.",
)
def import_runbook(file: Path, output: Path) -> None:
    """Take a runbook back from a workbook. What it cannot mean is an error with its sheet and cell.

    \b
    Example
      rollway runbook import cutover.xlsx -o cutover.yaml
    """
    _convert(file, output)


# --- files -------------------------------------------------------------------------------------------


def _convert(file: Path, output: Path) -> None:
    ending = output.suffix.lower()
    if ending not in (".xlsx", ".yaml", ".yml"):
        raise InputError(f"{output}: the name says no form", hint="end it in .xlsx or .yaml")
    book, warnings = read_runbook(file)
    if ending == ".xlsx":
        from rollway.planning.runbooks.xlsx_out import write_xlsx

        data = write_xlsx(book)
    else:
        from rollway.planning.runbooks import write_yaml

        data = write_yaml(book).encode()
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes(data)
    except OSError as error:
        raise InputError(f"{output}: cannot be written: {error.strerror}") from error
    _warn(warnings)
    click.echo(f"wrote {_count(len(book.tasks), 'task')} to {output}")


def _warn(warnings: tuple[Finding, ...]) -> None:
    for finding in warnings:
        click.echo(f"{click.style('warning:', fg='yellow', bold=True)} {finding}", err=True)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


# --- showing -----------------------------------------------------------------------------------------


def _task(book: Runbook, name: str) -> Task:
    if name in book.index:
        return book.tasks[book.index[name]]
    from rollway.facts.problems import did_you_mean

    raise NotFoundError(f"there is no task '{name}'", hint=did_you_mean(name, book.index))


def _title(book: Runbook) -> str:
    from rollway.planning.runbooks.pictures import clock

    closes = book.window_seconds
    if not book.dated:
        until = "" if closes is None else f"; the window closes at {clock(book, closes)}"
        return f"{book.title}\nT has no date yet{until}"
    until = "" if closes is None else f" to {clock(book, closes, zone=True)}"
    return f"{book.title}\nT is {book.moment(0):%Y-%m-%d} {clock(book, 0, zone=True)}{until}"


def _show_task(book: Runbook, task: Task, schedule: Schedule) -> None:
    from rollway.planning.runbooks.chance import usual_and_long
    from rollway.planning.runbooks.columns import TASKS
    from rollway.planning.runbooks.pictures import clock, minutes
    from rollway.planning.runbooks.yaml_out import row_cells

    heading(task.title)
    at, zone = schedule.times[task.id], book.zone_of(task)
    click.echo(f"  earliest      {clock(book, at.earliest_start, zone, zone=True)}")
    click.echo(f"  latest        {clock(book, at.latest_start, zone, zone=True)}")
    if (times := usual_and_long(task)) is not None:
        click.echo(f"  P50, P90      {minutes(times[0])}, {minutes(times[1])}")
    for name, value in row_cells(TASKS.columns, task):
        lines = value.split("\n") if isinstance(value, str) else [", ".join(value)]
        click.echo(f"  {name:<13} {lines[0]}")
        for line in lines[1:]:
            click.echo(f"  {'':<13} {line}".rstrip())


def _show_undo(book: Runbook) -> None:
    from rollway.planning.runbooks.pictures import clipped, minutes

    if book.undo:
        click.echo("Going back, in this order")
    needed_by: dict[str, list[str]] = {}
    for task in book.tasks:
        for name in task.undo:
            needed_by.setdefault(name, []).append(task.id)
    for number, step in enumerate(book.undo, 1):
        why = f"after {needed_by[step.id][0]}" if step.id in needed_by else "always"
        seconds = step.duration if step.duration is not None else max(step.rehearsed)
        click.echo(f"  {number:>2}. {minutes(seconds):>6} {clipped(step.title, 40):<40} {clipped(why, 27)}")
    for part in book.data:
        click.echo(f"  data: {part.rule:<8} {clipped(part.title, 62)}")
    for line in book.cannot_undo:
        click.echo(f"  stays: {clipped(line, 71)}")


def _chart(book: Runbook) -> Iterator[str]:
    """When tasks run; of a plan's runbook the night alone, because a bake of days would leave no room."""
    from rollway.planning.runbooks import make_schedule, pictures
    from rollway.planning.runbooks.chance import night_of

    night = night_of(book)
    return pictures.chart(night, make_schedule(night))


def _show_slack(book: Runbook, schedule: Schedule) -> None:
    from rollway.planning.runbooks.pictures import clipped, clock, flags, minutes

    click.echo(f"\n   {'task':<24} {'earliest':<14} {'latest':<14} {'lasts':>7} {'slack':>7}")
    for task in book.tasks:
        at, zone = schedule.times[task.id], book.zone_of(task)
        earliest, latest = (clock(book, one, zone, zone=True) for one in (at.earliest_start, at.latest_start))
        front = f"{flags(task, schedule):<2} {clipped(task.id, 24):<24} {clipped(earliest, 14):<14}"
        click.echo(f"{front} {clipped(latest, 14):<14} {minutes(task.seconds):>7} {minutes(at.slack):>7}")
    click.echo(f"\nCritical path, to {clock(book, schedule.finish, zone=True)}")
    for line in _wrapped(" -> ".join(schedule.critical)):
        click.echo(f"  {line}")


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 78, break_long_words=False, break_on_hyphens=False)


def _show_load(book: Runbook, loads: Any, clashes: Any) -> None:
    from rollway.planning.runbooks.pictures import clipped, clock, minutes

    if not loads:
        click.echo("\nNobody is named yet whose time could be added up; roles are whoever is needed.")
        return
    click.echo(f"\n{'person':<20} {'tasks':>5} {'work':>8} {'first':<10} {'last':<10} {'longest shift':>13}")
    for load in loads:
        zone = book.person[load.person].timezone
        first, last = clock(book, load.start, zone), clock(book, load.end, zone)
        work, shift = minutes(load.seconds), minutes(load.longest_shift)
        click.echo(
            f"{clipped(load.person, 20):<20} {load.tasks:>5} {work:>8} {first:<10} {last:<10} {shift:>13}"
        )
    for clash in clashes[:MOST_CONFLICTS]:
        when = f"{clock(book, clash.start)} to {clock(book, clash.end, zone=True)}"
        click.echo(f"{click.style('conflict:', fg='red', bold=True)} {clash.person}, {clash.kind}, {when}")
        for line in _wrapped(", ".join(clash.tasks)):
            click.echo(f"  {line}")
    if len(clashes) > MOST_CONFLICTS:
        click.echo(f"… and {len(clashes) - MOST_CONFLICTS} more conflicts")


def _show_turning(book: Runbook, turning: Turning) -> None:
    from rollway.planning.runbooks.pictures import clipped, clock, minutes, offset

    def at(seconds: float) -> str:
        return f"{clock(book, seconds, zone=True)} ({offset(seconds)})" if book.dated else offset(seconds)

    click.echo(f"\nOf {turning.runs:,} nights drawn from the rehearsals")
    click.echo(f"  finish              P50 {at(turning.finish.p50)}, P90 {at(turning.finish.p90)}")
    if turning.finish_in_window is not None:
        click.echo(f"  inside the window   {turning.finish_in_window:.1%}")
    if turning.no_return is not None:
        click.echo(f"  point of no return  P50 {at(turning.no_return.p50)}, P10 {at(turning.no_return.p10)}")
    back = turning.back
    if book.night:
        click.echo(f"  deciding takes      {minutes(book.decision)}")
    click.echo(f"  going back takes    P50 {minutes(back.p50)}, P90 {minutes(back.p90)}, at its longest")
    for gate in turning.gates:
        click.echo(f"  a no at {clipped(gate.id, 18):<18}  back in time in {gate.back_in_time:.1%} of nights")
    if turning.latest_safe is None:
        click.echo("  last call           nothing limits it")
        return
    if turning.latest_safe < 0:
        click.echo("  last call           even at T it is too late to be sure")
    click.echo(
        f"  last call           {at(turning.latest_safe)}, back in time in {turning.confidence:.0%} of nights"
    )
    click.echo("  still able to go back inside the window, if one decides at")
    for chance in turning.curve:
        bar = "█" * round(chance.back_in_time * 40)
        click.echo(f"    {clock(book, chance.seconds)}  {chance.back_in_time:>6.1%} {bar}".rstrip())
