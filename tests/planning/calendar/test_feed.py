"""iCalendar files: two other readers see every moment as it is; versions, cancellations, steady bytes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import vobject
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.calendar.made import at, calendar, freeze, window
from rollway.planning.calendar.entries import entries
from rollway.planning.calendar.feed import Exported, export_feed
from rollway.planning.calendar.recurring import Horizon, day_span
from rollway.planning.calendar.zone_block import changes, zone_lines
from rollway.planning.windows import Span, zone_named

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kolkata",
)
STAMP = at("2026-11-23T12:00Z")
LATER = at("2026-11-24T09:30Z")


def span(first: str = "2026-11-01", last: str = "2026-12-31", zone: str = "Europe/Zurich") -> Span:
    return day_span(date.fromisoformat(first), date.fromisoformat(last), zone_named(zone))


def exported(one: Any, within: Span, stamp: datetime = STAMP, previous: bytes = b"") -> Exported:
    found = entries(one, Horizon(within.start, within.end))
    heading = one.calendar
    return export_feed(heading.name, heading.timezone, heading.title, found, within, stamp, previous.decode())


def by_icalendar(data: bytes) -> set[tuple[str, datetime, datetime]]:
    """UID, beginning and end of every event, as `icalendar` reads them, UTC."""
    found = icalendar.Calendar.from_ical(data).walk("VEVENT")
    return {(str(event["UID"]), event.start.astimezone(UTC), event.end.astimezone(UTC)) for event in found}


def by_vobject(data: bytes) -> set[tuple[str, datetime, datetime]]:
    """The same as `vobject` reads them, which believes the file's own zones."""
    found = vobject.readOne(data.decode()).vevent_list
    return {
        (event.uid.value, event.dtstart.value.astimezone(UTC), event.dtend.value.astimezone(UTC))
        for event in found
    }


@pytest.mark.parametrize("zone", ZONES)
def test_two_readers_see_every_moment_as_it_is(zone: str) -> None:
    """Windows around each hour at which clocks change, through two years with all of their changes."""
    windows = [
        {
            **window(f"{hour:02d}:{minute}", f"{(hour + 1) % 24:02d}:{minute}", days=["sat", "sun"]),
            "name": f"w{hour}",
        }
        for hour, minute in ((1, "15"), (2, "30"), (23, "30"))
    ]
    one, within = calendar(zone, windows=windows), span("2026-01-01", "2027-12-31", zone)
    truth = {(one.span.start, one.span.end) for one in entries(one, Horizon(within.start, within.end))}
    data = exported(one, within).data
    # A zone of a name that nobody knows is read from the file's own block alone.
    unknown = data.replace(b"TZID=" + zone.encode(), b"TZID=Own/%d" % ZONES.index(zone))
    unknown = unknown.replace(b"TZID:" + zone.encode(), b"TZID:Own/%d" % ZONES.index(zone))
    for read in (by_icalendar(data), by_vobject(data), by_icalendar(unknown), by_vobject(unknown)):
        assert {(start, end) for _, start, end in read} == truth
    assert len(truth) > 600


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.integers(0, 23),
    st.sampled_from(("00", "15", "30", "59")),
    st.sampled_from(("2026-10-24", "2027-03-27", "2026-10-03", "2027-02-06", "2026-10-31")),
)
def test_a_freeze_near_a_change_is_kept_to_the_minute(zone: str, hour: int, minute: str, day: str) -> None:
    """Beginnings in a gap, ends in an hour that comes twice, and zones that change by half an hour."""
    frozen = freeze(
        first=day, last=str(date.fromisoformat(day) + timedelta(days=2)), begins=f"{hour:02d}:{minute}",
        ends=f"{hour:02d}:{minute}",
    )  # fmt: skip
    one = calendar(zone, freezes=[frozen])
    within = span(day, day, zone)
    truth = {(one.span.start, one.span.end) for one in entries(one, Horizon(within.start, within.end))}
    data = exported(one, within).data
    assert {(start, end) for _, start, end in by_icalendar(data)} == truth
    assert {(start, end) for _, start, end in by_vobject(data)} == truth


def test_whole_days_are_days() -> None:
    """A holiday is a day, not midnight to midnight of somebody's clocks."""
    one = calendar(holidays=[{"country": "CH"}], milestones=[{"name": "m", "valid_from": "2026-12-01"}])
    events = icalendar.Calendar.from_ical(exported(one, span()).data).walk("VEVENT")
    days = {str(event["SUMMARY"]): (event.start, event.end) for event in events}
    assert days["Christmas Day (CH)"] == (date(2026, 12, 25), date(2026, 12, 26))
    assert days["supplier 'm' begins"] == (date(2026, 12, 1), date(2026, 12, 2))


def test_the_file_keeps_to_the_form() -> None:
    """Lines of at most 75 bytes, CRLF, escaped text, nothing a summary could smuggle in."""
    name = "Jahres\u00adabschluß; BEGIN:VEVENT, " + "ü" * 80
    one = calendar(freezes=[freeze(name, first="2026-12-01", last="2026-12-02", reason="a\nb; c, d\\e")])
    data = exported(one, span()).data
    assert data.endswith(b"END:VCALENDAR\r\n")
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    assert data.replace(b"\r\n", b"").count(b"\n") == 0
    events = icalendar.Calendar.from_ical(data).walk("VEVENT")
    assert [str(event["DESCRIPTION"]) for event in events] == ["a\nb; c, d\\e"]
    assert str(events[0]["SUMMARY"]) == "Freeze: " + name.replace("\u00ad", "")
    assert vobject.readOne(data.decode()).vevent.description.value == "a\nb; c, d\\e"


# --- versions -----------------------------------------------------------------------------------------


def frozen_calendar(**changes: Any) -> Any:
    base: dict[str, Any] = {
        "windows": [window(days=["sat"])],
        "freezes": [
            freeze("year end", first="2026-12-18", last="2027-01-05"),
            freeze("audit", first="2026-12-01", last="2026-12-02"),
        ],
    }
    return calendar(**{**base, **changes})


def versions(data: bytes) -> dict[str, tuple[int, str, datetime]]:
    """Sequence, status and stamp of every event by its summary and day."""
    return {
        f"{event['SUMMARY']} {event.start:%m-%d}": (
            int(event["SEQUENCE"]),
            str(event.get("STATUS", "")),
            event["DTSTAMP"].dt,
        )
        for event in icalendar.Calendar.from_ical(data).walk("VEVENT")
    }


def test_where_nothing_changed_no_byte_does() -> None:
    """Not on the next day, not in another order of the lines."""
    first = exported(frozen_calendar(), span()).data
    again = exported(frozen_calendar(), span(), LATER, first)
    assert (again.data, again.changed, again.new, again.cancelled) == (first, 0, 0, 0)
    turned = frozen_calendar(freezes=list(reversed(frozen_calendar().model_dump(mode="json")["freezes"])))
    assert exported(turned, span(), LATER, first).data == first


def test_what_changed_gets_the_next_version_and_what_is_gone_is_cancelled() -> None:
    """The freeze is longer, the audit is off; everything else is as it was."""
    first = exported(frozen_calendar(), span()).data
    longer = frozen_calendar(freezes=[freeze("year end", first="2026-12-18", last="2027-01-10")])
    second = exported(longer, span(), LATER, first)
    assert (second.changed, second.cancelled, second.new) == (1, 1, 0)
    told = versions(second.data)
    assert told["Freeze: year end 12-18"] == (1, "", LATER)
    assert told["Freeze: audit 12-01"] == (1, "CANCELLED", LATER)
    assert told["Change window: night 12-05"] == (0, "", STAMP)
    # A cancellation stays as it is, and a change of mind takes it back.
    third = exported(longer, span(), LATER + timedelta(days=1), second.data)
    assert third.data == second.data
    fourth = exported(frozen_calendar(), span(), LATER + timedelta(days=2), third.data)
    assert versions(fourth.data)["Freeze: audit 12-01"][:2] == (2, "")
    assert versions(fourth.data)["Freeze: year end 12-18"][:2] == (2, "")


def test_uids_are_those_of_the_lines() -> None:
    """A window that opens an hour earlier is the same window; one of another name is another."""
    uids = [uid for uid, _, _ in by_icalendar(exported(frozen_calendar(), span()).data)]
    earlier = frozen_calendar(windows=[window("21:00", days=["sat"])])
    assert {uid for uid, _, _ in by_icalendar(exported(earlier, span()).data)} == set(uids)
    renamed = frozen_calendar(windows=[{**window(days=["sat"]), "name": "late"}])
    assert len({uid for uid, _, _ in by_icalendar(exported(renamed, span()).data)} & set(uids)) == 2
    assert len(set(uids)) == len(uids)


def test_what_is_over_goes_without_a_word_and_what_lies_beyond_stays() -> None:
    """A month later the windows of November are no cancellations; nor is what lies after --to."""
    one = frozen_calendar()
    first = exported(one, span("2026-11-01", "2027-03-31")).data
    december = exported(one, span("2026-12-01", "2026-12-31"), LATER, first)
    assert december.cancelled == 0
    told = versions(december.data)
    assert "Change window: night 11-21" not in told
    assert told["Change window: night 03-27"] == (0, "", STAMP)


def test_two_lines_for_the_same_holiday_are_two_events() -> None:
    """Two lists of holidays of one country, for two services."""
    both = [{"country": "CH", "services": [service]} for service in ("a", "b")]
    found = by_vobject_days(exported(calendar(holidays=both), span()).data)
    assert len(found) == len(set(found)) == 2


def by_vobject_days(data: bytes) -> list[str]:
    return [event.uid.value for event in vobject.readOne(data.decode()).vevent_list]


# --- zones --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", [*ZONES, "America/St_Johns", "Pacific/Apia", "Europe/Dublin"])
def test_a_zones_block_knows_every_change(zone: str) -> None:
    """Each change is found to the second, and told by the clocks as they were before it."""
    within = Span(datetime(2025, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC))
    local = ZoneInfo(zone)
    found = list(changes(local, within))
    for moment in found:
        before = moment - timedelta(seconds=1)
        assert before.astimezone(local).utcoffset() != moment.astimezone(local).utcoffset()
    edges = [within.start, *found, within.end]
    for low, high in pairwise(edges):
        assert (
            len({(low + part * (high - low) / 20).astimezone(local).utcoffset() for part in range(20)}) == 1
        )
    text = "\n".join(zone_lines(zone, within))
    assert text.count("BEGIN:STANDARD") + text.count("BEGIN:DAYLIGHT") == len(found) + 1


def test_a_change_is_told_by_the_clocks_before_it() -> None:
    """As the form demands: spring begins at two by the winter's clocks, winter at three by the summer's."""
    within = Span(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    lines = list(zone_lines("Europe/Berlin", within))
    assert [line for line in lines if line.startswith("DTSTART")] == [
        "DTSTART:20260101T010000",
        "DTSTART:20260329T020000",
        "DTSTART:20261025T030000",
    ]
