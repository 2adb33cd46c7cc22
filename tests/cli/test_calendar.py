"""`rollway calendar` on the example and on broken files: what people read, and what programs read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import icalendar
import pytest
from click.testing import CliRunner, Result

from rollway.cli.main import cli
from rollway.errors import InputError, NotFoundError, RefusedError

ROOT = Path(__file__).parents[2]
HARBOUR = ROOT / "examples" / "calendar" / "harbour.yaml"
REPORTING = ROOT / "examples" / "reporting" / "release.yaml"


def calendar(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["calendar", *map(str, words)])


def answered(*words: str | Path) -> Any:
    done = calendar(*words, "--json")
    assert done.exit_code in (0, 4), done.exception
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["check", "show", "next", "export", "import"])
def test_every_command_teaches_by_an_example(name: str) -> None:
    """Each command explains itself and shows how it is called."""
    assert f"rollway calendar {name} " in calendar(name, "--help").output


def test_the_group_is_light() -> None:
    """Its help imports neither the models nor the libraries behind it."""
    code = (
        "import sys; from rollway.cli.main import cli;"
        "cli.main(['calendar', '--help'], standalone_mode=False);"
        "print([n for n in ('pydantic', 'ruamel', 'holidays', 'icalendar', 'dateutil', 'ortools')"
        " if n in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_the_example_is_sound() -> None:
    """It is what people start from."""
    done = calendar("check", HARBOUR)
    assert done.exit_code == 0
    assert "3 windows, 4 freezes, 4 releases; no errors" in done.output


def test_a_mistake_is_told_with_file_line_and_column(tmp_path: Path) -> None:
    """And as JSON for programs, with code 2."""
    broken = tmp_path / "broken.yaml"
    broken.write_text("calendar: {name: x, timezone: Europe/Zurig}\n", encoding="utf-8")
    done = calendar("check", broken)
    assert isinstance(done.exception, InputError)
    assert str(done.exception.message).startswith(f"{broken}:1:31: calendar.timezone: there is no time zone")
    as_json = calendar("check", broken, "--json")
    assert as_json.exit_code == 2
    assert [one["line"] for one in json.loads(as_json.stdout)["errors"]] == [1]


def test_a_month_is_shown_at_a_glance() -> None:
    """A letter for each kind of entry of a day, and below it what holds when."""
    done = calendar("show", HARBOUR, "--from", "2026-12-17", "--to", "2026-12-27")
    lines = done.output.splitlines()
    assert "December 2026, days of Europe/Zurich" in lines
    assert any(line.startswith("21 wFp    22 wFp") for line in lines)
    assert any(
        "freeze         year end: Fri 18 Dec 2026 00:00 to Wed 6 Jan 2027 00:00" in line for line in lines
    )
    assert not any(line.strip().startswith("16") for line in lines), "days that nobody asked for"


def test_a_service_sees_what_concerns_it() -> None:
    """Another service's windows are left out; a service that nobody knows is an error, not freedom."""
    shown = answered("show", HARBOUR, "--from", "2026-12-01", "--to", "2026-12-31", "--service", "ledger")
    names = {entry["name"] for entry in shown["entries"]}
    assert {"month end", "year end", "customers at work"} <= names
    assert "weeknight" not in names
    wrong = calendar("show", HARBOUR, "--service", "leger")
    assert isinstance(wrong.exception, NotFoundError)
    assert wrong.exception.hint == "did you mean 'ledger'?"


def test_the_next_slots_are_told_with_what_was_passed_over() -> None:
    """Local time, UTC, the window, and the reason for each window that was of no use."""
    done = calendar(
        "next", "--name", "ledger-2027", "--calendar", HARBOUR, "--from", "2026-12-01", "--count", "2"
    )
    assert done.exit_code == 0
    lines = [line.strip() for line in done.output.splitlines()]
    assert lines[0] == "ledger-2027 (ledger), 5h"
    assert lines[1] == (
        "no  Sat 19 Dec 2026 18:00 to Sun 10:00 Europe/Zurich: "
        "freeze 'year end' (the books are closed) until Wed 6 Jan 2027 00:00 CET"
    )
    assert lines[2] == "1   Sat 16 Jan 2027 22:00 to Sun 03:00 Europe/Zurich (21:00 UTC), third Saturday"
    assert lines[3] == (
        "not earlier: 'identity-5' takes conflict group 'core data' until Sat 16 Jan 2027 22:00 CET"
    )


def test_programs_get_the_same_as_people() -> None:
    """Moments in UTC and by each clock, rules and reasons."""
    found = answered("next", "--name", "ledger-2027", "--calendar", HARBOUR, "--from", "2026-12-01")
    assert found["slots"][0]["start"] == "2027-01-16T21:00:00+00:00"
    assert found["slots"][0]["local"][0]["start"] == "2027-01-16T22:00:00+01:00"
    assert [(one["windows"], one["rules"]) for one in found["refused"]] == [(1, ["freeze 'year end'"])]


def test_a_release_file_is_asked_about_and_what_is_assumed_is_said() -> None:
    """Its own windows hold besides the calendar's."""
    done = calendar("next", REPORTING, "--calendar", HARBOUR, "--from", "2026-12-01")
    assert done.exit_code == 0
    assert "no duration is known: 2h are assumed" in done.output
    assert "third Saturday, its own window" in done.output


def test_where_there_is_no_slot_the_code_says_so() -> None:
    """A script can tell it from an error."""
    late = calendar("next", "--name", "ledger-2027", "--calendar", HARBOUR, "--from", "2027-03-16")
    assert late.exit_code == 4
    assert "no slot before 2028-04-18" in late.output


def test_a_freeze_that_is_not_for_every_kind_of_change_can_be_asked_about() -> None:
    """As an emergency it would go out on the very next Saturday night."""
    words = ("next", "--name", "identity-5", "--calendar", HARBOUR, "--from", "2026-12-01")
    found = answered(*words, "--change", "emergency")
    assert not any("freeze 'year end'" in one["rules"] for one in found["refused"])
    assert answered(*words)["slots"][0]["start"] == "2027-01-16T19:00:00+00:00"


def test_what_never_ends_is_shown_at_once(tmp_path: Path) -> None:
    """A freeze until further notice marks the days that are shown, and no others."""
    frozen = tmp_path / "frozen.yaml"
    frozen.write_text(
        "calendar: {name: x, timezone: Pacific/Auckland}\n"
        "freezes: [{name: f, first: 2020-01-01, last: 9999-12-31}]\n",
        encoding="utf-8",
    )
    done = calendar("show", frozen, "--from", "2026-12-30", "--to", "2027-01-02")
    assert "30 F      31 F" in done.output
    assert "until further notice" in done.output
    assert len(re.findall(r"\d F\b", done.output)) == 4
    assert calendar("export", frozen, "-o", tmp_path / "x.ics", "--from", "2026-12-01").exit_code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--from", "2026-10-25 02:30"), "comes twice"),
        (("--from", "9999-12-31"), "is no time to plan for"),
        (("--duration", "soon"), "--duration soon"),
        (("--name", "ledger"), "lists no release 'ledger'"),
    ],
)
def test_what_cannot_be_meant_is_asked_back(words: tuple[str, ...], told: str) -> None:
    """A moment that comes twice, a duration that is none, a name that nobody knows."""
    done = calendar("next", "--name", "ledger-2027", "--calendar", HARBOUR, *words)
    assert isinstance(done.exception, InputError | NotFoundError)
    assert told in done.exception.message


def test_an_export_is_carried_on(tmp_path: Path) -> None:
    """The second run changes nothing, the third knows what is gone, and nobody else's file is touched."""
    feed, changed = tmp_path / "harbour.ics", tmp_path / "changed.yaml"
    days = ("--from", "2026-12-01", "--to", "2027-01-31")
    first = answered("export", HARBOUR, "-o", feed, *days)
    assert first["written"] is True
    before = feed.read_bytes()
    assert answered("export", HARBOUR, "-o", feed, *days)["written"] is False
    assert feed.read_bytes() == before
    text = HARBOUR.read_text(encoding="utf-8").replace("pinned: 2027-01-16 20:00", "deadline: 2027-03-01")
    changed.write_text(text, encoding="utf-8")
    assert answered("export", changed, "-o", feed, *days)["cancelled"] == 1
    events = icalendar.Calendar.from_ical(feed.read_bytes()).walk("VEVENT")
    assert [str(event["SUMMARY"]) for event in events if event.get("STATUS") == "CANCELLED"] == [
        "Release: identity-5"
    ]
    other = tmp_path / "other.ics"
    other.write_text("BEGIN:VCALENDAR\nEND:VCALENDAR\n", encoding="utf-8")
    assert isinstance(calendar("export", HARBOUR, "-o", other).exception, RefusedError)


def test_absences_are_exported_only_when_asked_for_and_never_with_their_reason(tmp_path: Path) -> None:
    """Why somebody is away is nobody's business."""
    feed = tmp_path / "people.ics"
    days = ("--from", "2026-12-01", "--to", "2026-12-31")
    assert calendar("export", HARBOUR, "-o", feed, *days).exit_code == 0
    assert b"ana is away" not in feed.read_bytes()
    assert calendar("export", HARBOUR, "-o", feed, *days, "--kind", "absence").exit_code == 0
    assert b"ana is away" in feed.read_bytes()
    assert b"part time" not in feed.read_bytes()


def test_an_import_is_read_beside_the_calendar(tmp_path: Path) -> None:
    """A colleague's out of office holds her release up."""
    ics, away = tmp_path / "ana.ics", tmp_path / "ana.yaml"
    ics.write_bytes(
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n"
        b"SUMMARY:Out of office\r\nDTSTART;VALUE=DATE:20270110\r\nDTEND;VALUE=DATE:20270201\r\nEND:VEVENT\r\n"
        b"END:VCALENDAR\r\n"
    )
    done = calendar(
        "import", ics, "--person", "ana", "--timezone", "Europe/Zurich", "--from", "2026-12-01", "-o", away
    )
    assert f"wrote 1 absence to {away}" in done.output
    words = ("next", "--name", "ledger-2027", "--calendar", HARBOUR, "--from", "2026-12-01")
    found = answered(*words, "--calendar", away)
    assert found["slots"][0]["start"] == "2027-02-20T17:00:00+00:00"
    assert any("absence of ana" in one["rules"] for one in found["refused"])
    away.write_text("mine", encoding="utf-8")
    assert isinstance(calendar("import", ics, "--person", "ana", "-o", away).exception, RefusedError)
