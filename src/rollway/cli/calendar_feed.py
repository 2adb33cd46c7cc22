"""calendar export and import: iCalendar files out and in."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click

from rollway.cli.calendar import calendar_argument, now, read_calendar, read_day
from rollway.cli.common import json_option, print_json
from rollway.cli.files import write_atomically
from rollway.errors import InputError, RefusedError

_MONTHS = 13
_AHEAD = timedelta(days=550)
_HEAD = "# read by `rollway calendar import`\n"
_USUAL = ("window", "freeze", "peak season", "holiday", "milestone", "release")
_KINDS = ("window", "freeze", "peak-season", "business-hours", "holiday", "absence", "milestone", "release")


@click.command()
@calendar_argument
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The .ics file.")
@click.option("--from", "first", metavar="DATE", default="", help="[default: the first of this month]")
@click.option("--to", "last", metavar="DATE", default="", help="[default: 13 months later]")
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice(_KINDS), help="Only these. May be repeated."
)
@click.option("--service", default="", help="Only what has a say for this service.")
@click.option("--region", default="", help="Only what has a say in this region.")
@click.option("--force", is_flag=True, help="Replace a file that `rollway calendar export` did not write.")
@json_option
def export(
    files: tuple[str, ...],
    output: Path,
    first: str,
    last: str,
    kinds: tuple[str, ...],
    service: str,
    region: str,
    force: bool,
    as_json: bool,
) -> None:
    """Write the calendar as an iCalendar file.

    An older export under the same name is carried on: what changed gets the next version, what is gone is
    cancelled, and where nothing changed no byte does. Absences and business hours are left out unless
    --kind asks for them.

    \b
    Example
      rollway calendar export harbour.yaml -o harbour.ics
    """
    from rollway.planning.calendar.entries import entries
    from rollway.planning.calendar.feed import export_feed
    from rollway.planning.calendar.recurring import Horizon, day_span
    from rollway.planning.windows import zone_named

    read = read_calendar(files)
    zone = zone_named(read.calendar.timezone)
    begin = read_day(first, "--from") if first else now().astimezone(zone).date().replace(day=1)
    end = read_day(last, "--to") if last else _months_later(begin)
    if end < begin:
        raise InputError(f"--to {end} is before --from {begin}")
    span = day_span(begin, end, zone)
    wanted = {kind.replace("-", " ") for kind in kinds} or set(_USUAL)
    found = [
        one
        for one in entries(read, Horizon(span.start, span.end))
        if one.kind in wanted and one.concerns(service, region)
    ]
    previous = _previous(output, force=force)
    heading = read.calendar
    exported = export_feed(heading.name, heading.timezone, heading.title, found, span, now(), previous)
    text = exported.data.decode()
    if text != previous:
        write_atomically(output, text)
    counts = {
        "new": exported.new,
        "changed": exported.changed,
        "cancelled": exported.cancelled,
        "same": exported.same,
    }
    if as_json:
        print_json({"file": str(output), "written": text != previous, **counts})
        return
    told = ", ".join(f"{number} {word}" for word, number in counts.items() if number) or "no entries"
    click.echo(f"{'wrote' if text != previous else 'nothing changed in'} {output}: {told}")


@click.command("import")
@click.argument("file", metavar="FILE.ICS")
@click.option("--person", default="", help="Read the absences of this person, instead of freezes.")
@click.option("--timezone", default="UTC", show_default=True, help="For days and times without a zone.")
@click.option(
    "--from", "first", metavar="DATE", default="", help="What ends before is left out.  [default: today]"
)
@click.option("--to", "last", metavar="DATE", default="", help="How far ahead.  [default: 550 days later]")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write a file to read beside a calendar."
)
@click.option("--force", is_flag=True, help="Replace a file that `rollway calendar import` did not write.")
@json_option
def import_calendar(
    file: str,
    person: str,
    timezone: str,
    first: str,
    last: str,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Read freezes or absences from iCalendar.

    Without --person it takes freezes and company holidays. They are printed as lines of a calendar file, or
    written to one of their own (-o) that is given beside the calendar:
    `rollway calendar next ... --calendar harbour.yaml --calendar company.yaml`.

    \b
    Example
      rollway calendar import company.ics --timezone Europe/Zurich -o company.yaml
      rollway calendar import ana.ics --person ana
    """
    from rollway.facts.importers import read_given
    from rollway.facts.importers.model import counted
    from rollway.planning.calendar.ics_in import Wish, fragment, read_ics
    from rollway.planning.windows import zone_named

    zone_named(timezone)
    begin = read_day(first, "--from") if first else now().date()
    end = read_day(last, "--to") if last else begin + _AHEAD
    wish = Wish("absences" if person else "freezes", begin, end, timezone, person)
    given = read_given(file)
    if given.folder:
        raise InputError(f"{file}: this is a folder", hint="name the .ics file inside it")
    read = read_ics(given.data, given.name, wish)
    text = fragment(read, wish)
    if as_json:
        print_json(_import_json(read, wish, output))
    else:
        for line in (*read.notes, *(one.told() for one in read.skipped)):
            click.echo(f"  {click.style(line, fg='yellow')}", err=True)
    if output is not None:
        _write(output, text, force=force)
        if not as_json:
            click.echo(f"wrote {counted(len(read.rows), wish.wanted[:-1])} to {output}")
    elif not as_json:
        click.echo(text or f"# no {wish.wanted} between {begin} and {end}\n", nl=False)


def _import_json(read: Any, wish: Any, output: Path | None) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        wish.wanted: list(read.rows),
        "skipped": [asdict(one) for one in read.skipped],
        "notes": read.notes,
        "written": output and str(output),
    }


def _write(output: Path, text: str, *, force: bool) -> None:
    if output.exists() and not force and not output.read_bytes().startswith(_HEAD.encode()):
        hint = "give another name, or --force to replace it"
        raise RefusedError(f"{output} was not written by `rollway calendar import`", hint=hint)
    write_atomically(output, _HEAD + (text or "freezes: []\n"))


def _previous(output: Path, *, force: bool) -> str:
    from rollway.planning.calendar.feed import is_ours

    try:
        text = output.read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise InputError(f"{output}: {error.strerror}") from error
    if is_ours(text):
        return text
    if not force:
        hint = "give another name, or --force to replace it"
        raise RefusedError(f"{output} was not written by `rollway calendar export`", hint=hint)
    return ""


def _months_later(begin: date) -> date:
    month = begin.month - 1 + _MONTHS
    return date(begin.year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
