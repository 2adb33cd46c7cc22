"""Calendar files: every mistake is told with its place and what may be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from planning.calendar.made import read
from rollway.errors import InputError
from rollway.facts.problems import ReleaseFileError, SourceText
from rollway.facts.reading import read_source
from rollway.planning.calendar.load import joined, parse_bookings

EXAMPLE = Path(__file__).parents[3] / "examples" / "calendar" / "harbour.yaml"
HEAD = "calendar: {name: x, timezone: Europe/Zurich}\n"


def problems(text: str, *more: str) -> list[str]:
    with pytest.raises(ReleaseFileError) as caught:
        read(HEAD + text, *more)
    return [problem.headline for problem in caught.value.problems]


def test_the_example_is_sound() -> None:
    """What people start from is read without a complaint."""
    from rollway.planning.calendar.load import parse_calendar

    one = parse_calendar(read_source(EXAMPLE))
    assert [window.name for window in one.windows] == ["weeknight", "third Saturday", "tracking in Singapore"]
    assert len(joined(one.releases)) == 4


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "windows: [{name: w, opens: '22:00', closes: '4:00'}]",
            "a.yaml:2:45: windows.0.closes: '4:00' is not",
        ),
        ("freezes: [{name: f, first: 2026-12-01}]", "this freeze has no days; give first and last"),
        ("freezes: [{name: f, first: 2026-12-03, last: 2026-12-01}]", "last 2026-12-01 is before first"),
        ("freezes: [{name: f, days: [mon], overide: [x]}]", "there is no such key; did you mean 'override'?"),
        ("freezes: [{name: f, rule: FREQ=MONTHLY}]", "it does not say on which days: add BYDAY"),
        ("freezes: [{name: f, rule: FREQ=HOURLY}]", "a rule of days has FREQ=DAILY"),
        ("freezes: [{name: f, rule: 'FREQ=DAILY;INTERVAL=2'}]", "count from a day: give 'first'"),
        ("freezes: [{name: f, rule: 'FREQ=WEEKLY;BYDAY=XX'}]", "this rule cannot be read"),
        ("freezes: [{name: f, rule: 'FREQ=DAILY;BYHOUR=2'}]", "'BYHOUR' is no part of a rule of days"),
        ("windows: [{name: w, opens: '1:00', closes: '02:00', timezone: CET+1}]", "did you mean '01:00'?"),
        ("holidays: [{country: ZZ}]", "'ZZ' is no country whose holidays are known"),
        ("holidays: [{country: CH, categories: [bank]}]", "CH has no 'bank' holidays; known: de_facto"),
        ("holidays: [{country: CH, subdivision: XX}]", "CH has no subdivision 'XX'"),
        ("teams: [{name: t, people: [ana], at_least: 1}]", "there is no person 'ana'"),
        ("people: [{name: ana}]\nteams: [{name: t, people: [ana], at_least: 2}]", "2 of 1 people can never"),
        ("services: [shop]\nfreezes: [{name: f, days: [mon], services: [shup]}]", "did you mean 'shop'?"),
        (
            "regions: [{name: us, timezone: America/New_York}]\nholidays: [{country: US, regions: [usa]}]",
            "there is no region 'usa'",
        ),
        (
            "freezes: [{name: f, days: [mon]}]\npeaks: [{name: f, days: [tue]}]",
            "a.yaml:3:16: peaks.0.name: 'f' is a name under freezes already",
        ),
        ("releases: [{name: r, service: s, pinned: 9999-12-31 23:00}]", "is no time to plan for"),
        ("releases: [{name: r, service: s, pinned: 2027-03-28 02:30}]", "does not exist in Europe/Zurich"),
        (
            "releases: [{name: r, service: s, pinned: 2026-10-25 02:30}]",
            "comes twice in Europe/Zurich; write",
        ),
        ("releases: [{name: r, service: s, duration: 0h}]", "a release that takes no time needs no slot"),
        (
            "freezes: [{name: f, days: [mon], override: [cfo]}]\n"
            "releases: [{name: r, service: s, overrides: [{freeze: f, by: me, reason: x}]}]",
            "'me' may not override 'f'; who may: cfo",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, told: str) -> None:
    """File, line and column, what is wrong, and what may be meant."""
    found = problems(text + "\n")
    assert any(told in headline for headline in found), found
    assert all(headline.startswith("a.yaml:") and headline.split(":")[1].isdigit() for headline in found)


def test_all_mistakes_are_told_at_once() -> None:
    """Nobody runs a check five times to find five mistakes."""
    text = "windows:\n  - {name: w, opens: late, closes: '04:00'}\nfreezes:\n  - {name: f, days: [funday]}\n"
    found = problems(text)
    assert [headline.split(":")[1] for headline in found] == ["3", "5"]


def test_files_are_read_as_one() -> None:
    """Lists are joined, and absences of a person in another file are that person's."""
    base = HEAD + "people: [{name: ana, timezone: UTC}]\nfreezes: [{name: f, days: [mon]}]\n"
    away = "absences: [{first: 2026-12-01, last: 2026-12-02}]"
    more = f"people:\n  - name: ana\n    {away}\nfreezes: [{{name: g, days: [tue]}}]\n"
    one = read(base, more)
    assert [freeze.name for freeze in one.freezes] == ["f", "g"]
    assert [(person.timezone, len(person.absences)) for person in one.people] == [("UTC", 1)]


def test_a_mistake_in_a_second_file_names_that_file() -> None:
    """A place is where the mistake is, also when files are joined."""
    assert problems("", "freezes: [{name: f}]\n")[0].startswith(
        "b.yaml:1:11: freezes.0: this freeze has no days"
    )
    assert problems("", HEAD)[0].startswith("b.yaml:1:1: calendar: 'calendar' is given in a.yaml already")
    named_twice = problems("freezes: [{name: f, days: [mon]}]\n", "freezes: [{name: f, days: [tue]}]\n")
    assert named_twice[0].startswith("b.yaml:1:18: freezes.1.name: 'f' is named twice")


def test_releases_may_stand_in_a_file_of_their_own() -> None:
    """They are checked against the calendar that they are for."""
    one = read(HEAD + "people: [{name: ana}]\n")
    good = SourceText("r.yaml", "releases: [{name: r, service: s, people: [ana]}]\n")
    assert [booking.people for booking in parse_bookings(good, one)] == [("ana",)]
    with pytest.raises(
        ReleaseFileError, match=r"r\.yaml:1:43: releases\.0\.people\.0: there is no person 'bo'"
    ):
        parse_bookings(SourceText("r.yaml", "releases: [{name: r, service: s, people: [bo]}]\n"), one)


@pytest.mark.parametrize(
    ("releases", "told"),
    [
        (
            "[{name: a, service: s, after: [b]}, {name: b, service: s, after: [a]}]",
            "wait for each other: a, b",
        ),
        ("[{name: a, service: s, after: [c]}]", "there is no such release"),
    ],
)
def test_releases_that_can_never_go_are_refused(releases: str, told: str) -> None:
    """Circles and names that nobody knows."""
    with pytest.raises(InputError, match=told):
        joined(read(f"{HEAD}releases: {releases}\n").releases)


@pytest.mark.parametrize("text", ["", "[]\n", "hello\n"])
def test_what_is_no_calendar_is_told(text: str) -> None:
    """An empty file says what belongs into it."""
    with pytest.raises(ReleaseFileError, match="a calendar file holds keys such as calendar:"):
        read(text)
