"""calendar: what an organisation's calendar says, and the next slot of a release; iCalendar out and in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rollway.cli.common import heading, json_option, print_json, read_release
from rollway.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from rollway.planning.calendar.model import Booking, Calendar
    from rollway.planning.calendar.slots import Refusal, Search, Slot
    from rollway.planning.calendar.waves import Part

F = TypeVar("F", bound=Callable[..., Any])
_SHOWN_DAYS = 31
_CHANGES = ("new_increment", "replacement", "fix", "emergency")
_MORE = {
    "solve": "calendar_solve:solve",
    "export": "calendar_feed:export",
    "import": "calendar_feed:import_calendar",
}
"""Commands of this group that stand in modules of their own: name -> module:attribute."""


def calendar_argument(function: F) -> F:
    return click.argument("files", metavar="CALENDAR...", nargs=-1, required=True)(function)


class CalendarGroup(click.Group):
    """Finds the commands of other modules when they are called; a missing module is left out."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *(name for name in _MORE if self._more(name) is not None)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) or self._more(cmd_name)

    @staticmethod
    def _more(name: str) -> click.Command | None:
        from importlib import import_module
        from importlib.util import find_spec

        module, _, attribute = _MORE.get(name, "").partition(":")
        if not module or find_spec(f"rollway.cli.{module}") is None:
            return None
        command: click.Command = getattr(import_module(f"rollway.cli.{module}"), attribute)
        return command


@click.group(cls=CalendarGroup)
def calendar() -> None:
    """The calendar: change windows, freezes, holidays, who is away, and when a release can go out.

    It is a YAML file; several are read as one. Times of day are wall-clock times of the zone they name.

    \b
    Example
      rollway calendar check harbour.yaml
      rollway calendar show harbour.yaml --from 2026-12-01
      rollway calendar next release.yaml --calendar harbour.yaml
    """


@calendar.command()
@calendar_argument
@json_option
def check(files: tuple[str, ...], as_json: bool) -> None:
    """Say what is wrong with a calendar, or odd.

    Besides mistakes it tells what is surely not meant: windows that never open, freezes that never hold,
    pins against a rule, and each edge that the clocks skip or repeat in the next 400 days. Errors end with
    code 2; warnings do not.

    \b
    Example
      rollway calendar check harbour.yaml
    """
    from rollway.facts.problems import ReleaseFileError
    from rollway.planning.calendar.warnings import calendar_warnings, clock_changes

    try:
        read = read_calendar(files)
    except ReleaseFileError as error:
        if not as_json:
            raise
        print_json({"errors": error.to_json(), "warnings": [], "clock_changes": []})
        raise SystemExit(error.exit_code) from None
    at = now()
    warnings, clocks = list(calendar_warnings(read, at)), clock_changes(read, at)
    if as_json:
        print_json({"errors": [], "warnings": warnings, "clock_changes": clocks})
        return
    for line in warnings:
        click.echo(f"{click.style('warning:', fg='yellow', bold=True)} {line}", err=True)
    for line in clocks:
        click.echo(f"{click.style('clocks:', fg='cyan', bold=True)} {line}", err=True)
    counts = ", ".join(
        f"{len(rows)} {word if len(rows) == 1 else word + 's'}"
        for word, rows in (
            ("window", read.windows),
            ("freeze", (*read.freezes, *read.peaks)),
            ("release", read.releases),
        )
    )
    told = f"{len(warnings)} warning{'' if len(warnings) == 1 else 's'}"
    click.echo(f"{', '.join(files)}: {counts}; no errors, {told}")


@calendar.command()
@calendar_argument
@click.option("--from", "first", metavar="DATE", default="", help="The first day.  [default: today]")
@click.option("--to", "last", metavar="DATE", default="", help="The last day.  [default: 30 days later]")
@click.option("--service", default="", help="Only what has a say for this service.")
@click.option("--region", default="", help="Only what has a say in this region.")
@json_option
def show(files: tuple[str, ...], first: str, last: str, service: str, region: str, as_json: bool) -> None:
    """Show what holds when, months at a glance.

    \b
    Example
      rollway calendar show harbour.yaml --from 2026-12-01 --to 2027-01-31 --service shop
    """
    from rollway.planning.calendar.entries import entries
    from rollway.planning.calendar.recurring import Horizon, clock_notes, day_span
    from rollway.planning.windows import zone_named

    read = read_calendar(files)
    zone = zone_named(read.calendar.timezone)
    begin = read_day(first, "--from") if first else now().astimezone(zone).date()
    end = read_day(last, "--to") if last else begin + timedelta(days=_SHOWN_DAYS - 1)
    if end < begin:
        raise InputError(f"--to {end} is before --from {begin}")
    _refuse_unknown(read, service, region)
    span = day_span(begin, end, zone)
    horizon = Horizon(span.start, span.end)
    found = [one for one in entries(read, horizon) if one.concerns(service, region)]
    clocks = clock_notes(read, read.windows, (*read.freezes, *read.peaks), horizon)
    if as_json:
        print_json({"entries": [_entry_json(one) for one in found], "clock_changes": clocks})
        return
    _show(read, found, clocks, begin, end)


@calendar.command("next")
@click.argument("release_file", metavar="[RELEASE.YAML]", required=False, type=click.Path(path_type=Path))
@click.option("--calendar", "files", metavar="FILE", multiple=True, required=True, help="May be repeated.")
@click.option("--name", default="", help="A release that the calendar lists, instead of a release file.")
@click.option("--count", default=1, show_default=True, type=click.IntRange(1, 100), help="How many slots.")
@click.option("--from", "start", metavar="MOMENT", default="", help="Such as 2026-12-01.  [default: now]")
@click.option("--duration", default="", metavar="4h", help="How long it takes, if not as the files say.")
@click.option("--change", type=click.Choice(_CHANGES), help="What if it were such a change?")
@click.option("--days", default=400, show_default=True, type=click.IntRange(1, 1500), help="How far to look.")
@json_option
def next_slot(
    release_file: Path | None,
    files: tuple[str, ...],
    name: str,
    count: int,
    start: str,
    duration: str,
    change: str | None,
    days: int,
    as_json: bool,
) -> None:
    """Find the earliest slots of a release.

    Says why each earlier window is of no use. A release with waves gets slots for each of them, after the
    first slot of the wave before and its bake. Ends with code 4 where there is no slot.

    \b
    Example
      rollway calendar next release.yaml --calendar harbour.yaml --count 3
      rollway calendar next --name ledger-2027 --calendar harbour.yaml --from 2026-12-01
    """
    from rollway.planning.calendar.load import joined
    from rollway.planning.calendar.neighbours import neighbour_blocks
    from rollway.planning.calendar.waves import parts_of, wave_slots

    read = read_calendar(files)
    booking, notes = _booking(read, release_file, name, duration)
    booking = booking.model_copy(update={"change": change}) if change else booking
    at = _moment(start, read) if start else now()
    bookings = joined([one for one in read.releases if one.name != booking.name], [booking])
    also = neighbour_blocks(read, bookings, booking, at)
    found = wave_slots(read, booking, at, count, timedelta(days=days), also)
    if as_json:
        told = [(part.wave, _search_json(part.booking, notes, search)) for part, search in found]
        waves = [{"wave": wave, **answer} for wave, answer in told]
        print_json({"release": booking.name, "waves": waves} if booking.waves else told[0][1])
    else:
        for part, search in found:
            _tell(part, notes, search)
            notes = ()
        for late in parts_of(booking)[len(found) :]:
            click.echo(f"wave {late.wave}: follows a wave that has no slot")
    if not found[-1][1].slots:
        raise SystemExit(4)


# --- files -------------------------------------------------------------------------------------------


def read_calendar(files: tuple[str, ...]) -> Calendar:
    """The calendar in one file or several. Raises InputError (`ReleaseFileError`) with every problem."""
    from rollway.facts.reading import read_source
    from rollway.planning.calendar.load import joined, parse_calendar

    for file in files:
        if not Path(file).exists():
            raise InputError(f"{file}: there is no such file", hint="docs/calendar.md shows how one begins")
    sources = [read_source(file) for file in dict.fromkeys(files)]
    read = parse_calendar(*sources)
    joined(read.releases)
    return read


def _booking(
    read: Calendar, release_file: Path | None, name: str, duration: str
) -> tuple[Booking, tuple[str, ...]]:
    from rollway.facts.problems import did_you_mean
    from rollway.planning.calendar.of_release import booking_of

    if (release_file is None) is not bool(name):
        raise InputError("give a release file, or --name of a release that the calendar lists; one of them")
    length = _duration(duration)
    if release_file is not None:
        return booking_of(read_release(release_file), read, length)
    names = [one.name for one in read.releases]
    if name not in names:
        hint = did_you_mean(name, names) or f"it lists {', '.join(names) or 'none'}"
        raise NotFoundError(f"the calendar lists no release '{name}'", hint=hint)
    booking = read.releases[names.index(name)]
    return (booking.model_copy(update={"duration": length}) if length else booking), ()


def _duration(text: str) -> timedelta | None:
    from rollway.facts.duration import parse_duration

    try:
        length = parse_duration(text) if text else None
    except ValueError as error:
        raise InputError(f"--duration {text}: {error}") from None
    if text and not length:
        raise InputError("--duration: a release that takes no time needs no slot")
    return length


def _moment(text: str, read: Calendar) -> datetime:
    from rollway.planning.calendar.recurring import pinned_moment
    from rollway.planning.windows import zone_named

    try:
        return pinned_moment(text, zone_named(read.calendar.timezone))
    except InputError as error:
        raise InputError(f"--from {error.message}", hint=error.hint) from None


def read_day(text: str, option: str) -> date:
    """The day that an option gives. Raises InputError."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option} {text}: this is not a date", hint="such as 2026-12-31") from None
    if not 1970 <= day.year <= 2999:
        raise InputError(f"{option} {text}: give a day between 1970 and 2999")
    return day


def _refuse_unknown(read: Calendar, service: str, region: str) -> None:
    """A misspelt name would show an empty calendar, and an empty calendar looks like freedom."""
    from rollway.facts.problems import did_you_mean

    scoped: tuple[Any, ...] = (
        *read.windows,
        *read.freezes,
        *read.peaks,
        *read.business_hours,
        *read.holidays,
    )
    services = {*read.services, *(one for entry in scoped for one in entry.services)}
    services |= {one.service for one in read.releases}
    regions = {one.name for one in read.regions} | {one for entry in scoped for one in entry.regions}
    for option, word, known in (("--service", service, services), ("--region", region, regions)):
        if word and word not in known:
            hint = did_you_mean(word, sorted(known)) or f"it names {', '.join(sorted(known)) or 'none'}"
            raise NotFoundError(f"{option} {word}: the calendar does not name it", hint=hint)


def now() -> datetime:
    """This moment, UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


# --- showing -----------------------------------------------------------------------------------------


def _show(read: Calendar, found: Any, clocks: list[str], begin: date, end: date) -> None:
    from rollway.planning.calendar.glance import LEGEND, entry_lines, month_lines

    heading(read.calendar.title or read.calendar.name)
    click.echo()
    for line in month_lines(found, begin, end, read.calendar.timezone):
        click.echo(line)
    click.echo(LEGEND)
    heading(f"\n{begin} to {end}")
    for line in entry_lines(found):
        click.echo(line)
    if not found:
        click.echo("the calendar says nothing about these days")
    for line in clocks:
        click.echo(f"{click.style('clocks:', fg='cyan', bold=True)} {line}")


def _entry_json(one: Any) -> dict[str, Any]:
    from rollway.planning.windows import zone_named

    zone = zone_named(one.zone)
    return {
        "kind": one.kind,
        "name": one.name,
        "start": one.span.start.isoformat(),
        "end": one.span.end.isoformat(),
        "local_start": one.span.start.astimezone(zone).isoformat(),
        "local_end": one.span.end.astimezone(zone).isoformat(),
        "timezone": one.zone,
        "note": one.note,
        "services": one.services,
        "regions": one.regions,
        "tenants": one.tenants,
    }


def _tell(part: Part, notes: tuple[str, ...], search: Search) -> None:
    from rollway.facts.duration import format_duration
    from rollway.planning.calendar.waves import title_of

    booking = part.booking
    watched = f", watched for {format_duration(part.bake)}" if part.bake else ""
    heading(f"{title_of(booking, part)} ({booking.service}), {format_duration(booking.duration)}{watched}")
    for line in notes:
        click.echo(f"  {click.style(line, fg='yellow')}")
    steps = [(one.first.start, _refusal_lines(one)) for one in search.refusals]
    steps += [(slot.start, _slot_lines(number, slot)) for number, slot in enumerate(search.slots, 1)]
    for _, lines in sorted(steps, key=lambda step: step[0]):
        for line in lines:
            click.echo(line)
    if not search.slots:
        click.echo(f"  no slot before {search.looked_until:%Y-%m-%d}")


def _slot_lines(number: int, slot: Slot) -> list[str]:
    mark = click.style(f"{number:<3}", fg="green", bold=True)
    lines = [f"  {mark} {click.style(slot.words, bold=True)}, {slot.window}"]
    return lines + [f"      {line}" for line in (*slot.elsewhere, *slot.notes)]


def _refusal_lines(refusal: Refusal) -> list[str]:
    return [f"  {click.style('no', fg='red')}  {refusal.words}"]


def _search_json(booking: Booking, notes: tuple[str, ...], search: Search) -> dict[str, Any]:
    from rollway.facts.duration import format_duration

    return {
        "release": booking.name,
        "service": booking.service,
        "duration": format_duration(booking.duration),
        "slots": [slot.to_json() for slot in search.slots],
        "refused": [refusal.to_json() for refusal in search.refusals],
        "looked_until": search.looked_until.isoformat(),
        "notes": notes,
    }
