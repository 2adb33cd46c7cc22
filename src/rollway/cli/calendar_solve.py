"""calendar solve: place a whole quarter of releases, and say what must wait and why."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rollway.cli.common import heading, json_option, print_json, write_file
from rollway.errors import InputError

if TYPE_CHECKING:
    from rollway.planning.calendar.model import Calendar
    from rollway.planning.calendar.solver import Deferral, Timetable
    from rollway.planning.windows import Span

_QUARTER = 91
_WIDTH = 100


@click.command()
@click.argument("files", metavar="CALENDAR [RELEASES]...", nargs=-1, required=True)
@click.option("--from", "first", metavar="DATE", default="", help="The first day.  [default: from now on]")
@click.option("--to", "last", metavar="DATE", default="", help="The last day.  [default: 13 weeks later]")
@click.option(
    "--previous",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A timetable to keep to: as few releases as can be are moved.",
)
@click.option(
    "--write",
    "output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write the timetable, for --previous.",
)
@click.option(
    "--effort",
    default=20.0,
    show_default=True,
    type=click.FloatRange(0.01, 10_000),
    help="How long each search may go on, in the solver's own units, about seconds.",
)
@json_option
def solve(
    files: tuple[str, ...],
    first: str,
    last: str,
    previous: Path | None,
    output: Path | None,
    effort: float,
    as_json: bool,
) -> None:
    """Place a whole quarter of releases: every window, freeze, absence, team, wave and dependency at once.

    As little as can be is left out, the least important first. Then releases go out as early as can be, by
    priority, at little cost out of hours. It says whether a better plan is ruled out, and for each release
    that is left out a smallest set of rules that keep it out. Times are local to the window, and UTC.

    \b
    Example
      rollway calendar solve harbour.yaml releases.yaml --from 2027-01-04 --write q1.json
      rollway calendar solve harbour.yaml releases.yaml --from 2027-01-04 --previous q1.json
    """
    from rollway.cli.calendar import read_calendar
    from rollway.planning.calendar.solver import Effort, solve_calendar

    calendar = read_calendar(files)
    if not calendar.releases:
        raise InputError(
            "there is no release to place", hint="list them under releases:, or add a file that does"
        )
    before = _read_previous(previous)
    timetable = solve_calendar(
        calendar,
        calendar.releases,
        _within(calendar, first, last),
        previous=before,
        effort=Effort(work=effort),
    )
    if output is not None:
        write_file(output, timetable.to_text())
    if as_json:
        print_json(timetable.to_json())
        return
    _show(timetable, has_previous=previous is not None)
    if output is not None:
        click.echo(f"\nwrote {output}")


def _within(calendar: Calendar, first: str, last: str) -> Span:
    from rollway.cli.calendar import now, read_day
    from rollway.planning.calendar.recurring import day_span
    from rollway.planning.windows import Span, zone_named

    zone = zone_named(calendar.calendar.timezone)
    if first:
        begin_day = read_day(first, "--from")
        begin = day_span(begin_day, begin_day, zone).start
    else:
        begin, begin_day = _half_hour(now()), now().astimezone(zone).date()
    end_day: date = read_day(last, "--to") if last else begin_day + timedelta(days=_QUARTER - 1)
    if end_day < begin_day:
        raise InputError(f"--to {end_day} is before --from {begin_day}")
    return Span(begin, day_span(end_day, end_day, zone).end)


def _half_hour(moment: datetime) -> datetime:
    """The next half hour, UTC."""
    midnight = datetime.combine(moment.date(), time(), tzinfo=UTC)
    return midnight - (midnight - moment) // timedelta(minutes=30) * timedelta(minutes=30)


def _read_previous(path: Path | None) -> dict[tuple[str, str], datetime] | None:
    if path is None:
        return None
    from rollway.planning.calendar.solver import read_starts

    try:
        return read_starts(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", hint="`--write FILE` makes one") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: this is no text", hint="`--write FILE` makes one") from error


# --- showing -----------------------------------------------------------------------------------------


def _show(timetable: Timetable, *, has_previous: bool) -> None:
    heading(_summary(timetable, has_previous=has_previous))
    _show_slots(timetable)
    for one in timetable.deferred:
        _show_deferral(one)
    costs = timetable.costs
    click.echo(
        f"\n{costs.total:,.0f} points: {costs.delay:,.0f} for delay, "
        f"{costs.out_of_hours:,.0f} for work out of hours, {costs.crowded:,.0f} for crowded nights"
    )
    click.echo(_proof(timetable))


def _summary(timetable: Timetable, *, has_previous: bool) -> str:
    placed = len({one.release for one in timetable.placements})
    told = f"{placed} release{'' if placed == 1 else 's'} in {len(timetable.placements)} slots"
    told += f", {len(timetable.deferred)} left out"
    return told + (f", {len(timetable.moved)} moved" if has_previous else "")


def _show_slots(timetable: Timetable) -> None:
    from rollway.planning.calendar.rules import told_moment

    if not timetable.placements:
        return
    titles = [f"{one.release}, {one.wave}" if one.wave else one.release for one in timetable.placements]
    width = min(36, max(len(title) for title in titles))
    click.echo(f"\n  {'release':<{width}}  slot (UTC in brackets)")
    for title, one in zip(titles, timetable.placements, strict=True):
        shown = title if len(title) <= width else title[: width - 1] + "…"
        mark = "=" if one.begun else "*" if one.moved else " "
        click.echo(f"{mark} {shown:<{width}}  {one.slot.words}")
        if one.moved and one.before is not None:
            click.echo(f"  {'':<{width}}  before: {told_moment(one.before)} UTC")
    if any(one.begun for one in timetable.placements):
        click.echo("= began before and stays")
    if timetable.moved:
        click.echo("* moved")


def _show_deferral(one: Deferral) -> None:
    import textwrap

    click.echo(f"\n{click.style('left out:', fg='yellow', bold=True)} {one.release}")
    if not one.reasons:
        told = (
            "the search ended before a reason was shown; a better plan may have it"
            if not one.proven
            else ("it is longer than the whole stretch of time")
        )
        click.echo(f"  {told}")
        return
    for reason in one.reasons:
        mark = "  (lifting this alone lets it in)" if reason.alone else ""
        for line in textwrap.wrap(f"- {reason.words}{mark}", _WIDTH - 2, subsequent_indent="  "):
            click.echo(f"  {line}")
    if not one.proven:
        click.echo("  The search ended early: fewer of these may be enough to keep it out.")


def _proof(timetable: Timetable) -> str:
    minutes = timetable.step // timedelta(minutes=1)
    if timetable.proven:
        return f"Proven: no plan on a grid of {minutes} minutes is better."
    told = (
        f"Not proven: a better plan may save up to {timetable.costs.gap:.1%} of the points, or leave out less"
    )
    if timetable.stopped_by_clock:
        return f"{told}. The clock ended the search, so another run may differ; give a smaller --effort."
    return f"{told}; a larger --effort looks further."
