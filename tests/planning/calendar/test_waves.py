"""Releases that go out in waves, wherever the calendar is asked: next, neighbours, export, check."""

from __future__ import annotations

from typing import Any

import pytest

from planning.calendar.made import at, booking, calendar, read, window
from rollway.facts.problems import ReleaseFileError
from rollway.planning.calendar.entries import entries
from rollway.planning.calendar.neighbours import neighbour_blocks
from rollway.planning.calendar.recurring import Horizon
from rollway.planning.calendar.slots import next_slots
from rollway.planning.calendar.warnings import calendar_warnings
from rollway.planning.calendar.waves import parts_of, wave_slots

NOW = at("2026-11-23T12:00Z")
WAVES: list[dict[str, Any]] = [
    {"name": "pilot", "bake": "3d", "pinned": "2026-12-01 22:00"},
    {"name": "everyone", "duration": "4h"},
]
NIGHTS = calendar(
    windows=[window(days=["tue", "thu"])], releases=[{"name": "wide", "service": "shop", "waves": WAVES}]
)
WIDE = NIGHTS.releases[0]


def test_each_wave_takes_from_the_release_what_it_leaves_out() -> None:
    """Its own duration and pin, else those of the release; a pin of the release is the first wave's."""
    one = booking(pinned="2026-12-01 22:00", waves=[{"name": "a"}, {"name": "b", "duration": "30m"}])
    first, second = parts_of(one)
    assert [part.booking.pinned for part in (first, second)] == ["2026-12-01 22:00", ""]
    assert [part.booking.duration.total_seconds() for part in (first, second)] == [7200, 1800]
    assert [part.wave for part in parts_of(booking())] == [""]


def test_the_next_slots_of_waves_follow_one_another() -> None:
    """The second begins in the first window after the first one's end and bake, and says why not earlier."""
    (_, pilot), (_, everyone) = wave_slots(NIGHTS, WIDE, NOW)
    assert pilot.slots[0].start == at("2026-12-01T21:00Z")
    assert everyone.slots[0].start == at("2026-12-08T21:00Z"), "Friday midnight is after Thursday's window"
    assert "follows wave 'pilot', which is watched until Sat 5 Dec" in everyone.refusals[-1].reasons[0]


def test_after_a_wave_without_a_slot_none_is_looked_for() -> None:
    """The answer ends with the wave that has none."""
    one = booking(waves=[{"name": "a", "pinned": "2026-12-02 12:00"}, {"name": "b"}])
    assert [part.wave for part, _ in wave_slots(NIGHTS, one, NOW)] == ["a"]


def test_what_comes_after_waits_for_the_last_wave() -> None:
    """Not for the end of the first one, and for ever where a wave has no slot."""
    after = booking(name="later", after=["wide"], service="ledger")
    found = neighbour_blocks(NIGHTS, NIGHTS.releases, after, NOW)
    assert next_slots(NIGHTS, after, NOW, also=found).slots[0].start == at("2026-12-09T01:00Z")
    stuck = booking(name="wide", waves=[{"name": "a"}, {"name": "b", "pinned": "2026-12-02 12:00"}])
    blocked = neighbour_blocks(NIGHTS, [stuck], after, NOW)
    assert "which has no slot" in blocked[0].words
    assert next_slots(NIGHTS, after, NOW, also=blocked).slots == ()


def test_pins_of_waves_take_what_they_share() -> None:
    """A neighbour of the same service keeps out of the pilot's pinned hours."""
    found = neighbour_blocks(NIGHTS, NIGHTS.releases, booking(), NOW)
    assert [(block.span.start, block.span.end) for block in found] == [
        (at("2026-12-01T21:00Z"), at("2026-12-01T23:00Z"))
    ]
    assert "'wide, pilot' takes service 'shop'" in found[0].words


def test_pinned_waves_are_exported_one_by_one() -> None:
    """Each under its own name and key, so that each keeps a UID of its own."""
    waves = [{**WAVES[0]}, {**WAVES[1], "pinned": "2026-12-08 22:00"}]
    one = calendar(releases=[{"name": "wide", "service": "shop", "waves": waves}])
    found = entries(one, Horizon(NOW, at("2027-01-01T00:00Z")))
    told = [(entry.name, entry.key, entry.span.end.isoformat()) for entry in found]
    assert told == [
        ("wide, pilot", "pilot", "2026-12-01T23:00:00+00:00"),
        ("wide, everyone", "everyone", "2026-12-09T01:00:00+00:00"),
    ]


def test_waves_that_are_pinned_too_close_are_told() -> None:
    """A pin before the wave before it has baked is allowed, and surely not meant."""
    waves = [{**WAVES[0]}, {**WAVES[1], "pinned": "2026-12-03 22:00"}]
    one = NIGHTS.model_copy(update={"releases": (booking(name="wide", waves=waves),)})
    told = list(calendar_warnings(one, NOW))
    assert told == [
        "release 'wide, everyone' is pinned to a time before wave 'pilot' has ended and was watched"
    ]


BROKEN = """\
calendar: {name: t, timezone: Europe/Zurich}
regions: [{name: ch, timezone: Europe/Zurich}]
people: [{name: ana}]
teams:
  - name: blue
    people: [ana]
    hours:
      - {days: [mon], opens: "08:00", closes: "18:00", timezone: Europe/Atlantis}
releases:
  - name: shop
    service: shop
    pinned: 2026-12-01 22:00
    waves:
      - {name: pilot, pinned: 2026-12-01 23:00}
      - {name: pilot, pinned: 2027-03-28 02:30}
      - {name: rest, regions: [de], zones: [Mars/Phobos]}
"""


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("a.yaml:8:66", "there is no time zone 'Europe/Atlantis'"),
        ("a.yaml:14:31", "a pin of the release is the first wave's"),
        ("a.yaml:15:16", "'pilot' is the name of two waves"),
        ("a.yaml:15:31", "does not exist in Europe/Zurich"),
        ("a.yaml:16:32", "there is no region 'de'"),
        ("a.yaml:16:45", "there is no time zone 'Mars/Phobos'"),
    ],
)
def test_mistakes_in_waves_and_hours_have_a_place(place: str, words: str) -> None:
    """File, line and column of zones, pins and names, all at once."""
    with pytest.raises(ReleaseFileError) as told:
        read(BROKEN)
    assert any(line.startswith(place) and words in line for line in _lines(told.value)), _lines(told.value)


def _lines(error: ReleaseFileError) -> list[str]:
    return [f"{one.file}:{one.line}:{one.column}: {one.message}" for one in error.problems]
