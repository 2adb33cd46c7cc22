"""A calendar as an iCalendar file that others subscribe to or take over.

Each entry keeps its UID as long as its line of the calendar file stays. What has changed since the file was
written last gets the next SEQUENCE, what is gone is cancelled, and what is as it was keeps every byte.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from rollway.planning.calendar.entries import Occurrence
from rollway.planning.calendar.recurring import wall_kind
from rollway.planning.calendar.zone_block import zone_lines
from rollway.planning.windows import Span, zone_named

PRODUCT = "-//Rollway//Calendar//EN"
_SUMMARIES = {
    "window": "Change window: ",
    "freeze": "Freeze: ",
    "peak season": "Peak season: ",
    "business hours": "Business hours: ",
    "release": "Release: ",
}
_BUSY = ("absence", "release")
_LINE = 75
_FAR = timedelta(days=1000)
_OURS_ALONE = ("DTSTAMP", "SEQUENCE", "LAST-MODIFIED")
_CANCELLED = "STATUS:CANCELLED"
_BREAK = re.compile(r"\r?\n")


@dataclass(frozen=True, slots=True)
class Exported:
    """The bytes of a file, and how its events differ from those of the file before."""

    data: bytes
    new: int
    changed: int
    cancelled: int
    same: int


def export_feed(
    name: str,
    zone: str,
    title: str,
    found: Sequence[Occurrence],
    within: Span,
    stamp: datetime,
    previous: str = "",
) -> Exported:
    """An iCalendar file of some entries. `previous` is the text of the file that it replaces.

    `within` is the stretch that the entries were asked for: what lay outside of it is left alone. `stamp`
    is now, for what is new or changed.
    """
    before = _events(previous)
    events, counts = dict[str, list[str]](), {"new": 0, "changed": 0, "cancelled": 0, "same": 0}
    for uid, body in _bodies(name, found, within).items():
        kind, events[uid] = _versioned(uid, body, before.get(uid), stamp)
        counts[kind] += 1
    for uid, lines in before.items():
        if uid in events or _moment(lines, "DTEND", zone) <= within.start:
            continue  # what is over is no news to anybody
        is_gone = _CANCELLED not in lines and _moment(lines, "DTSTART", zone) < within.end
        counts["cancelled" if is_gone else "same"] += 1
        events[uid] = _cancelled(lines, stamp) if is_gone else lines
    return Exported(_document(title or name, zone, events), **counts)


@dataclass(frozen=True, slots=True)
class Event:
    """An entry whose identity and version somebody else keeps: what a service says of itself.

    `status` is CONFIRMED, TENTATIVE or CANCELLED, or "" where that says nothing. It never makes anybody busy.
    """

    one: Occurrence
    uid: str
    stamp: datetime
    sequence: int = 0
    status: str = ""


def service_feed(title: str, zone: str, events: Iterable[Event], within: Span) -> bytes:
    """An iCalendar file of events that know their own versions; the same events give the same bytes."""
    found: dict[str, list[str]] = {}
    for event in events:
        body = [line for line in _body(event.one, within) if not line.startswith("TRANSP:")]
        body += ["TRANSP:TRANSPARENT", *([f"STATUS:{event.status}"] if event.status else [])]
        found[event.uid] = _with_version(event.uid, body, event.stamp, event.sequence)
    return _document(title, zone, found)


def _document(title: str, zone: str, events: dict[str, list[str]]) -> bytes:
    zones = sorted(_zones_of(events.values()))
    span = _whole_years(events.values())
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
    lines += [f"X-WR-CALNAME:{_text(title)}", f"X-WR-TIMEZONE:{zone}"]
    lines += [line for one in zones for line in zone_lines(one, span)]
    for uid in sorted(events, key=lambda uid: (_begin(events[uid]), uid)):
        lines += ["BEGIN:VEVENT", *events[uid], "END:VEVENT"]
    lines.append("END:VCALENDAR")
    return "".join(folded + "\r\n" for line in lines for folded in _folded(line)).encode()


def is_ours(text: str) -> bool:
    """Was this file written by `export_feed`?"""
    return PRODUCT in text[:500]


# --- events ------------------------------------------------------------------------------------------


def _bodies(name: str, found: Sequence[Occurrence], within: Span) -> dict[str, list[str]]:
    """Each entry's lines by its UID, without stamp and sequence."""
    bodies: dict[str, list[str]] = {}
    for one in found:
        uid = _uid(name, one)
        number = 1
        while uid in bodies:
            number += 1
            uid = _uid(name, one, number)
        bodies[uid] = list(_body(one, within))
    return bodies


def _uid(name: str, one: Occurrence, number: int = 1) -> str:
    scope = one.scope if one.kind == "holiday" else ""
    told = "\n".join([one.kind, one.name, one.key, scope, *([str(number)] if number > 1 else [])])
    return f"{hashlib.sha256(told.encode()).hexdigest()[:24]}@{name}.rollway"


def _body(one: Occurrence, within: Span) -> Iterator[str]:
    yield from _times(one, within)
    yield f"SUMMARY:{_text(_SUMMARIES.get(one.kind, '') + one.name)}"
    about = [one.note, f"For {one.scope}." if one.scope else ""]
    if told := "\n".join(part for part in about if part):
        yield f"DESCRIPTION:{_text(told)}"
    yield f"CATEGORIES:{one.kind.upper()}"
    yield f"TRANSP:{'OPAQUE' if one.kind in _BUSY else 'TRANSPARENT'}"


def _times(one: Occurrence, within: Span) -> tuple[str, str]:
    """Whole days as dates; else the clocks of its zone, or UTC where a wall time would not be enough.

    What reaches further than some years is cut off there: the changes of its clocks are not known.
    """
    if one.days is not None:
        after = one.days[1] + timedelta(days=1)
        return f"DTSTART;VALUE=DATE:{_day(one.days[0])}", f"DTEND;VALUE=DATE:{_day(after)}"
    zone = zone_named(one.zone)
    span = Span(max(one.span.start, within.start - _FAR), min(one.span.end, within.end + _FAR))
    start, end = (moment.astimezone(zone).replace(tzinfo=None) for moment in (span.start, span.end))
    if one.zone == "UTC" or "twice" in (wall_kind(start, zone), wall_kind(end, zone)):
        return f"DTSTART:{_clock(span.start)}Z", f"DTEND:{_clock(span.end)}Z"
    return f"DTSTART;TZID={one.zone}:{_clock(start)}", f"DTEND;TZID={one.zone}:{_clock(end)}"


def _versioned(uid: str, body: list[str], before: list[str] | None, stamp: datetime) -> tuple[str, list[str]]:
    """How an event differs from what it was, and its lines."""
    if before is None:
        return "new", _with_version(uid, body, stamp, 0)
    if _plain(before) == [f"UID:{uid}", *body]:
        return "same", before
    return "changed", _with_version(uid, body, stamp, _sequence(before) + 1)


def _cancelled(lines: list[str], stamp: datetime) -> list[str]:
    uid, *body = _plain(lines)
    return _with_version(uid.removeprefix("UID:"), [*body, _CANCELLED], stamp, _sequence(lines) + 1)


def _with_version(uid: str, body: list[str], stamp: datetime, sequence: int) -> list[str]:
    version = [f"DTSTAMP:{_clock(stamp.astimezone(UTC))}Z", f"SEQUENCE:{sequence}"]
    return [f"UID:{uid}", *version, *body]


def _plain(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if re.split("[:;]", line)[0] not in _OURS_ALONE]


def _sequence(lines: Sequence[str]) -> int:
    told = next((line.partition(":")[2] for line in lines if line.startswith("SEQUENCE:")), "0")
    return int(told) if told.isdigit() else 0


# --- the file before ---------------------------------------------------------------------------------


def _events(text: str) -> dict[str, list[str]]:
    """The events of a file that `export_feed` wrote: UID -> unfolded lines."""
    events: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in _BREAK.split(re.sub(r"\r?\n[ \t]", "", text)):
        if line == "BEGIN:VEVENT":
            current = []
        elif line == "END:VEVENT" and current is not None:
            uid = next((one[4:] for one in current if one.startswith("UID:")), "")
            events[uid] = current
            current = None
        elif current is not None:
            current.append(line)
    events.pop("", None)
    return events


def _moment(lines: Sequence[str], key: str, zone: str) -> datetime:
    """When a former event begins or ends, UTC; days by the clocks of a zone, and long ago if unreadable."""
    line = next((line for line in lines if line.startswith(key)), "")
    named, _, told = line.rpartition(":")
    own = re.search("TZID=([^;:]+)", named)
    try:
        moment = datetime.fromisoformat(told.removesuffix("Z"))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    clock = UTC if told.endswith("Z") else zone_named(own[1] if own else zone)
    return moment.replace(tzinfo=clock).astimezone(UTC)


def _begin(lines: Sequence[str]) -> str:
    return next((line.rpartition(":")[2] for line in lines if line.startswith("DTSTART")), "")


def _zones_of(events: Iterable[Sequence[str]]) -> set[str]:
    found: set[str] = set()
    for lines in events:
        for line in lines:
            if told := re.match(r"DT(?:START|END);TZID=([^:]+):", line):
                found.add(told[1])
    return found


def _whole_years(events: Iterable[Sequence[str]]) -> Span:
    """The years that the events touch and one around them: the zones' blocks change once a year at most."""
    dates = [
        line.rpartition(":")[2] for lines in events for line in lines if line.startswith(("DTST", "DTE"))
    ]
    years = [int(told[:4]) for told in dates if told[:4].isdigit()] or [1970]
    first, last = min(years) - 1, max(years) + 1
    return Span(datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC))


# --- text --------------------------------------------------------------------------------------------


def _text(told: str) -> str:
    plain = "".join(c for c in told if c == "\n" or c.isprintable())
    return re.sub(r"([\\;,])", r"\\\1", plain).replace("\n", "\\n")


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def _clock(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%S}"


def _folded(line: str) -> Iterator[str]:
    """A line in pieces of at most 75 bytes, none of which parts a character."""
    piece, size, limit = "", 0, _LINE
    for character in line:
        length = len(character.encode())
        if size + length > limit:
            yield piece
            piece, size, limit = " ", 1, _LINE
        piece, size = piece + character, size + length
    yield piece
