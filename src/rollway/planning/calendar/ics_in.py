"""iCalendar files of others: freezes, company holidays and absences, as lines of a calendar file.

What recurs by a rule that a calendar file can say stays a rule; anything else is written out. Times of day
are kept by the wall clock of the event's own zone. What is left out is counted, with the reason.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from rollway.errors import InputError
from rollway.facts.time_zones import known_zones
from rollway.facts.yaml_text import written
from rollway.planning.calendar.left_out import LeftOut, Skipped, one_line
from rollway.planning.calendar.recurring import DAY, rule_days
from rollway.planning.windows import zone_named

Wanted = Literal["freezes", "absences"]
Row = dict[str, Any]
MOST_ROWS = 2_000
_AWAY = re.compile(
    r"\booo\b|out[ -]of[ -](the )?office|vacation|\bpto\b|annual leave|\bleave\b|urlaub|abwesen|ferien|congé",
    re.IGNORECASE,
)
_FREEZE = re.compile(
    r"freez|frozen|blackout|moratorium|no[ -](change|deploy|release)|lock ?down|holiday|feiertag|jour férié"
    r"|sperre",
    re.IGNORECASE,
)
_WINDOW = re.compile(
    r"\b(change|maintenance|release|deploy(ment)?|wartungs?)[ -]?(window|fenster)", re.IGNORECASE
)
_NO_FREEZES = {"WINDOW", "MILESTONE", "RELEASE", "ABSENCE"}
_OUR_WORDS = re.compile(r"(Freeze|Peak season|Business hours): ")
_WHOLE_DAYS = timedelta(hours=20)  # a timed event that lasts this long takes the day
_DAY_RULE = re.compile(r"FREQ|INTERVAL|COUNT|UNTIL|BY(DAY|MONTHDAY|MONTH|SETPOS|WEEKNO|YEARDAY)|WKST")
_TOO_OFTEN = ("SECONDLY", "MINUTELY", "HOURLY")


class _Unfit(Exception):  # noqa: N818 - travels within this file only
    """Why an event is left out."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of a file: freezes, or the absences of one person; the days that are looked at."""

    wanted: Wanted
    first: date
    last: date
    zone: str
    person: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """The rows of a calendar file that events make, what was left out, and how things were understood."""

    rows: tuple[Row, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Event:
    """One VEVENT by the wall clock of its zone. `days`: it is made of whole days."""

    uid: str
    name: str
    start: datetime
    end: datetime
    zone: str
    days: bool
    rule: str = ""
    until: datetime | None = None
    added: tuple[datetime, ...] = ()
    excluded: tuple[datetime, ...] = ()
    instead_of: datetime | None = None
    notes: tuple[str, ...] = field(default=())


def read_ics(data: bytes, name: str, wish: Wish) -> Read:
    """The freezes or absences in an iCalendar file. Raises InputError where it is none."""
    skips, notes, events = LeftOut(), dict[str, None](), list[_Event]()
    for calendar in _calendars(data, name):
        zone = _zone_name(str(calendar.get("X-WR-TIMEZONE") or "")) or wish.zone
        for component in calendar.walk("VEVENT"):
            told = one_line(component.get("SUMMARY"))
            try:
                _refuse_others(component, told, wish)
                events.append(_event(component, told, zone))
            except _Unfit as unfit:
                skips.add(str(unfit), told)
    moved = {(event.uid, event.instead_of) for event in events if event.instead_of is not None}
    rows: list[Row] = []
    for event in events:
        notes |= dict.fromkeys(event.notes)
        try:
            found = list(_rows(event, wish, moved))
        except _Unfit as unfit:
            skips.add(str(unfit), event.name)
            continue
        if not found:
            skips.add(f"not between {wish.first} and {wish.last}", event.name)
        rows += found
        if len(rows) > MOST_ROWS:
            raise InputError(f"{name}: more than {MOST_ROWS:,} entries", hint="bring --to nearer")
    return Read(tuple(_named_once(rows)), skips.result(), tuple(notes))


def fragment(read: Read, wish: Wish) -> str:
    """The rows as the text of a calendar file that is read beside the main one."""
    margin = "  "
    if wish.wanted == "absences":
        head = f"people:\n  - name: {written(wish.person)}\n    absences:"
        margin = "      "
        rows = [{key: value for key, value in row.items() if key != "name"} for row in read.rows]
    else:
        head, rows = "freezes:", list(read.rows)
    lines = [f"{margin}- {written(row)}" for row in rows]
    return "\n".join([head, *lines]) + "\n" if rows else ""


# --- one event ---------------------------------------------------------------------------------------


def _calendars(data: bytes, name: str) -> list[Any]:
    from icalendar import Calendar

    try:
        calendars = list(Calendar.from_ical(data, multiple=True))
    except Exception as error:  # the parser lets ValueError, KeyError, IndexError and others through
        told = one_line(error, 160) or type(error).__name__
        raise InputError(f"{name}: this is not iCalendar: {told}") from None
    if not calendars:
        raise InputError(f"{name}: this calendar does not end; was it cut off?")
    return calendars


def _refuse_others(component: Any, told: str, wish: Wish) -> None:
    """FREE says that nobody's time is taken: of a company's holiday it says nothing, of an absence all."""
    if str(component.get("STATUS", "")).upper() == "CANCELLED":
        raise _Unfit("cancelled")
    busy = str(component.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper()
    is_away = busy == "OOF" or bool(_AWAY.search(told))
    if wish.wanted == "absences":
        is_free = busy == "FREE" or str(component.get("TRANSP", "")).upper() == "TRANSPARENT"
        _refuse_no_absence(component, is_away=is_away, is_free=is_free, elsewhere=busy == "WORKINGELSEWHERE")
    else:
        _refuse_no_freeze(component, told, is_away=is_away)


def _refuse_no_absence(component: Any, *, is_away: bool, is_free: bool, elsewhere: bool) -> None:
    if is_free and not is_away:
        raise _Unfit("marked as free")
    if elsewhere:
        raise _Unfit("working elsewhere")
    if not is_away and isinstance(_start(component), datetime):
        raise _Unfit("an appointment, not an absence")


def _refuse_no_freeze(component: Any, told: str, *, is_away: bool) -> None:
    categories = _categories(component)
    is_freeze = bool(_FREEZE.search(f"{told} {' '.join(categories)}"))
    if _NO_FREEZES & categories or (_WINDOW.search(told) and not is_freeze):
        raise _Unfit("a window, a milestone or a release, not a freeze")
    if is_away and not is_freeze:
        raise _Unfit("one person's absence: read it with --person")
    start = _start(component)
    if not is_freeze and isinstance(start, datetime) and component.end - start < _WHOLE_DAYS:
        raise _Unfit("an appointment of some hours")


def _categories(component: Any) -> set[str]:
    found = component.get("CATEGORIES")
    entries = found if isinstance(found, list) else [found] if found else []
    return {str(name).upper() for entry in entries for name in getattr(entry, "cats", [entry])}


def _start(component: Any) -> date:
    try:
        start: date = component.start
    except Exception:  # what is missing, broken, or half of it with a time zone
        raise _Unfit("its dates cannot be read") from None
    return start


def _event(component: Any, told: str, zone: str) -> _Event:
    start = _start(component)
    try:
        end: date = component.end
        name, notes = _zone_of(start, zone)
        begins, ends = _wall(start, name), _wall(end, name)
        rule, until = _rule(component, name)
        instead = _dates(component, "RECURRENCE-ID", name)
        event = _Event(
            uid=str(component.get("UID")),
            name=_OUR_WORDS.sub("", told, count=1) or "freeze",
            start=begins,
            end=ends,
            zone=name,
            days=not isinstance(start, datetime),
            rule=rule,
            until=until,
            added=_dates(component, "RDATE", name),
            excluded=_dates(component, "EXDATE", name),
            instead_of=instead[0] if instead else None,
            notes=notes,
        )
    except _Unfit:
        raise
    except Exception:  # as above: icalendar raises whatever its parsers raise
        raise _Unfit("its dates cannot be read") from None
    if event.end <= event.start:
        raise _Unfit("it takes no time")
    return event


def _zone_of(start: date, zone: str) -> tuple[str, tuple[str, ...]]:
    """The zone whose wall clock the event is read from. UTC and unknown zones become the calendar's."""
    if not isinstance(start, datetime) or start.tzinfo is None:
        return zone, ()
    told = str(getattr(start.tzinfo, "key", "") or getattr(start.tzinfo, "_tzid", "") or start.tzname())
    name = _zone_name(told)
    if name and name not in ("UTC", "Etc/UTC", "GMT", "Etc/GMT"):
        return name, ()
    if name or start.utcoffset() == timedelta(0):
        return "UTC", ()
    return zone, (f"the time zone {told!r} is not known: its times are told in {zone}",)


def _zone_name(told: str) -> str:
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    told = WINDOWS_TO_OLSON.get(told, told)
    return told if told in known_zones() else ""


def _wall(moment: date, zone: str) -> datetime:
    """A date or time by the wall clock of a zone; a time without a zone is read from that clock."""
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time())
    return moment.astimezone(zone_named(zone)).replace(tzinfo=None) if moment.tzinfo else moment


def _rule(component: Any, zone: str) -> tuple[str, datetime | None]:
    """The rule without its end, and the last moment at which an occurrence may begin, by the wall clock."""
    rule = component.get("RRULE")
    if rule is None:
        return "", None
    if isinstance(rule, list):
        raise _Unfit("it has more than one rule of recurrence")
    if rule.get("FREQ", [""])[0] in _TOO_OFTEN or 0 in rule.get("INTERVAL", [1]):
        raise _Unfit("it recurs more often than daily")
    until = [
        _wall(one, zone) if isinstance(one, datetime) else datetime.combine(one, time.max)
        for one in rule.get("UNTIL", [])
    ]
    text = re.sub(r"UNTIL=[^;]*;?", "", rule.to_ical().decode()).strip(";")
    return text, min(until, default=None)


def _dates(component: Any, key: str, zone: str) -> tuple[datetime, ...]:
    found = component.get(key)
    listed = found if isinstance(found, list) else [found] if found is not None else []
    dates = [one.dt for entry in listed for one in getattr(entry, "dts", [entry])]
    return tuple(_wall(one[0] if isinstance(one, tuple) else one, zone) for one in dates)


# --- rows --------------------------------------------------------------------------------------------


def _rows(event: _Event, wish: Wish, moved: set[tuple[str, datetime]]) -> Iterator[Row]:
    stands_in = {when for uid, when in moved if uid == event.uid and event.instead_of is None}
    if event.rule and not event.added and not event.excluded and not stands_in and (row := _by_rule(event)):
        last = row.get("last")
        if (last is None or date.fromisoformat(last) >= wish.first) and event.start.date() <= wish.last:
            yield row
        return
    length = event.end - event.start
    excluded = {_day_or_moment(event, when) for when in (*event.excluded, *stands_in)}
    for begins in _starts(event, wish):
        ends = begins + length
        if _day_or_moment(event, begins) in excluded:
            continue
        if ends.date() >= wish.first and begins.date() <= wish.last:
            yield _once(event, begins, ends)


def _day_or_moment(event: _Event, when: datetime) -> date:
    return when.date() if event.days else when


def _starts(event: _Event, wish: Wish) -> list[datetime]:
    found = {event.start, *event.added}
    if event.rule:
        from dateutil.rrule import rrulestr

        limit = min(datetime.combine(wish.last, time.max), event.until or datetime.max)  # noqa: DTZ901
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a count beside an end is what dateutil frowns on
                series = rrulestr(event.rule, dtstart=event.start).replace(until=limit)
            for number, begins in enumerate(series):
                if number > MOST_ROWS * 10:
                    raise _Unfit("it recurs too often")
                found.add(begins)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _Unfit(f"its rule cannot be read: {one_line(error, 60)}") from None
    return sorted(found)


def _by_rule(event: _Event) -> Row | None:
    """The event as a line that recurs, where a calendar file can say so; else None."""
    keys = [part.partition("=")[0] for part in event.rule.split(";")]
    first = event.start.date()
    try:
        named = all(map(_DAY_RULE.fullmatch, keys)) and first in rule_days(event.rule, first, first, first)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    if not named:
        return None
    until = event.until
    if until is not None and event.start.time() > until.time():
        until -= DAY  # what would begin after the last moment does not begin
    row = _once(event, event.start, event.end)
    lasts = (date.fromisoformat(row["last"]) - first).days + 1
    begins, ends = row.get("begins", "00:00"), row.get("ends", "24:00")
    if lasts == 2 and ends <= begins:
        lasts = 1
    del row["last"]
    row["rule"] = event.rule
    if until is not None:
        row["last"] = until.date().isoformat()
    if lasts > 1:
        row["lasts_days"] = lasts
    return row


def _once(event: _Event, begins: datetime, ends: datetime) -> Row:
    """One occurrence: seconds are rounded outwards; a midnight at the end is the end of the day before."""
    ends = ends if not ends.second else ends.replace(second=0) + timedelta(minutes=1)
    last = ends.date() if ends.time() != time() else ends.date() - DAY
    row: Row = {"name": event.name, "first": begins.date().isoformat(), "last": last.isoformat()}
    if begins.time() != time():
        row["begins"] = f"{begins:%H:%M}"
    if ends.time() != time():
        row["ends"] = f"{ends:%H:%M}"
    return row | {"timezone": event.zone}


def _named_once(rows: list[Row]) -> Iterator[Row]:
    """Rows sorted by their first day; the day makes a name different that comes again."""
    seen: set[str] = set()
    for row in sorted(rows, key=lambda row: (row["first"], row.get("begins", ""), row["name"])):
        name = row["name"]
        if name in seen:
            name = f"{name} {row['first']}"
        number = 1
        while name in seen:
            number += 1
            name = f"{row['name']} {row['first']} {number}"
        seen.add(name)
        yield row | {"name": name}
