"""iCalendar files: freezes and holidays, all-day or timed, in any time zone, once or recurring."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from time import process_time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rollway.facts.importers.given import beginning, clean
from rollway.facts.importers.model import (
    Given,
    Imported,
    Importer,
    Options,
    Row,
    Skips,
    UnreadableError,
    counted,
)
from rollway.facts.time_zones import known_zones

if TYPE_CHECKING:
    from icalendar import Event

MAX_FREEZES = 5_000
_SECONDS = 20  # a rule that never comes true is followed to the year 9999, which takes seconds
UTC = "UTC"
_ALSO_UTC = ("", "UTC", "Etc/UTC", "Etc/GMT", "GMT", "Etc/UCT", "UCT", "Zulu", "Etc/Zulu")
DAY = timedelta(days=1)
_YEAR = timedelta(days=366)  # a freeze without end ends a year after the last day that was asked for
_WHOLE_DAYS = timedelta(hours=20)  # a timed event that lasts this long takes the day
_FREEZE = re.compile(
    r"freez|frozen|blackout|moratorium|no[ -](change|deploy|release)|lock ?down"
    r"|holiday|feiertag|jour férié|sperre",
    re.IGNORECASE,
)
_WINDOW = re.compile(
    r"\b(change|maintenance|release|deploy(ment)?|wartungs?)[ -]?(window|fenster)", re.IGNORECASE
)
_PRIVATE = re.compile(
    r"birthday|geburtstag|\bpto\b|vacation|urlaub|out of office|\bleave\b|abwesen", re.IGNORECASE
)
_TOO_OFTEN = ("SECONDLY", "MINUTELY", "HOURLY")


Moved = set[tuple[str, date | None]]
"""The occurrences that another event stands for: the identity of the series, and the day."""


class _Unfit(Exception):  # noqa: N818 - travels within this file only
    """Why an event is left out."""


@dataclass(frozen=True, slots=True, order=True)
class _Freeze:
    """Whole days, both included, in a named time zone."""

    first: date
    last: date
    timezone: str
    reason: str


def read(given: Given, options: Options) -> Imported:
    """The freezes between the options' first and last day; what lasts hours is widened to whole days."""
    skips, found, widened, begun = Skips(), set[_Freeze](), 0, process_time()
    for calendar in _calendars(given):
        zone = _calendar_zone(calendar, options)
        events = calendar.walk("VEVENT")
        moved = _moved(events, zone)
        for event in events:
            if process_time() - begun > _SECONDS or len(found) > MAX_FREEZES:
                message = f"{given.name}: this calendar recurs too often to be a calendar of freezes"
                raise UnreadableError(message, hint="export the freezes alone, or bring --until nearer")
            freezes = _of_event(event, zone, options, moved, skips)
            widened += bool(freezes) and not _is_all_day(event)
            found.update(freezes)
    return _imported(_joined(sorted(found)), widened, skips)


def _imported(freezes: list[_Freeze], widened: int, skips: Skips) -> Imported:
    notes = (f"{counted(widened, 'event')} with times of day widened to whole days",) if widened else ()
    told = counted(len(freezes), "freeze")
    told += f" from {freezes[0].first} to {max(one.last for one in freezes)}" if freezes else ""
    rows = {"agreements.freezes": tuple(map(_row, freezes))} if freezes else {}
    return Imported(told, (), rows, skips.result(), notes)


def _of_event(event: Event, zone: str, options: Options, moved: Moved, skips: Skips) -> list[_Freeze]:
    """The freezes of one event; none where it is skipped."""
    from icalendar.error import BrokenCalendarProperty

    reason = clean(event.get("SUMMARY"), 120)
    try:
        freezes = list(_freezes(event, reason, zone, options, moved))
    except _Unfit as unfit:
        skips.add(str(unfit), repr(reason) if reason else "")
    except (BrokenCalendarProperty, OverflowError):
        skips.add("a date or rule of it cannot be read", repr(reason) if reason else "")
    else:
        if not freezes:
            skips.add(f"not between {options.first} and {options.last}", repr(reason))
        return freezes
    return []


def _calendars(given: Given) -> list[Any]:
    from icalendar import Calendar

    try:
        calendars = list(Calendar.from_ical(given.data, multiple=True))
    except Exception as error:  # the parser lets ValueError, KeyError, IndexError and others through
        told = clean(error, 160) or type(error).__name__
        raise UnreadableError(f"{given.name}: this is not iCalendar: {told}") from None
    if not calendars:
        raise UnreadableError(f"{given.name}: this calendar does not end; was it cut off?")
    return calendars


def _freezes(event: Event, reason: str, zone: str, options: Options, moved: Moved) -> Iterator[_Freeze]:
    """Each occurrence as whole days. Raises `_Unfit` where the event is no freeze."""
    try:
        start = event.start
        length = event.end - start
    except Exception:  # what is missing, broken, or half of it with a time zone
        raise _Unfit("its dates cannot be read") from None
    if length < timedelta():
        raise _Unfit("it ends before it begins")
    _refuse_others(event, reason, length)
    local, name = _local(start, zone)
    for begins in _occurrences(event, local, ZoneInfo(name), options.last):
        is_elsewhere = event.get("RECURRENCE-ID") is None and (str(event.get("UID")), begins.date()) in moved
        last = _last_day(begins, length)
        if not is_elsewhere and last >= options.first and begins.date() <= options.last:
            yield _Freeze(begins.date(), min(last, options.last + _YEAR), name, reason or "freeze")


def _refuse_others(event: Event, reason: str, length: timedelta) -> None:
    told = f"{reason} {clean(_categories(event))}"
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        raise _Unfit("cancelled")
    if _WINDOW.search(told) and not _FREEZE.search(told):
        raise _Unfit("change windows, which belong under agreements.windows")
    if _FREEZE.search(told):
        return
    if _PRIVATE.search(told):
        raise _Unfit("one person's days")
    if not _is_all_day(event) and length < _WHOLE_DAYS:
        raise _Unfit("appointments of some hours")


def _categories(event: Event) -> str:
    categories = event.get("CATEGORIES")
    entries = categories if isinstance(categories, list) else [categories] if categories else []
    return " ".join(str(name) for entry in entries for name in getattr(entry, "cats", [entry]))


def _occurrences(event: Event, start: datetime, zone: ZoneInfo, last: date) -> Iterator[datetime]:
    """When it begins, by the wall clock of its own time zone: by its rule and dates, up to a last day."""
    excluded = {_wall(one, start, zone) for one in _dates(event, "EXDATE")}
    added = {_wall(one, start, zone) for one in _dates(event, "RDATE")}
    yield from sorted({start, *added, *_by_rule(event, start, zone, last)} - excluded)


def _by_rule(event: Event, start: datetime, zone: ZoneInfo, last: date) -> Iterator[datetime]:
    from dateutil.rrule import rrulestr

    rule = event.get("RRULE")
    if rule is None:
        return
    if isinstance(rule, list):
        raise _Unfit("it has more than one rule of recurrence")
    if rule.get("FREQ", [""])[0] in _TOO_OFTEN or 0 in rule.get("INTERVAL", [1]):
        raise _Unfit("it recurs more often than daily")
    limit = datetime.combine(last, time.max)
    for until in rule.get("UNTIL", []):
        limit = min(limit, _wall(until, start, zone) if isinstance(until, datetime) else _end_of(until))
    text = re.sub(r"UNTIL=[^;]*;?", "", rule.to_ical().decode()).strip(";")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # a rule with a count gets an end as well, which dateutil frowns on
            yield from rrulestr(text, dtstart=start).replace(until=limit)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _Unfit(f"its rule cannot be read: {clean(error, 60)}") from None


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.max)


def _dates(event: Event, key: str) -> list[date]:
    entries = event.get(key)
    entries = entries if isinstance(entries, list) else [entries] if entries else []
    dates = [one.dt for entry in entries for one in getattr(entry, "dts", [])]
    return [one[0] if isinstance(one, tuple) else one for one in dates]


def _wall(moment: date, start: datetime, zone: ZoneInfo) -> datetime:
    """A date or time by the wall clock of the series' zone; a bare date takes the time of day of `start`.

    Ends and exceptions of a series stand mostly in UTC (RFC 5545, 3.3.10), which can be another day there.
    """
    if not isinstance(moment, datetime):
        return datetime.combine(moment, start.time())
    return moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment


def _local(start: date, zone: str) -> tuple[datetime, str]:
    """The start by the wall clock of its time zone, and that zone's name."""
    if not isinstance(start, datetime):
        return datetime.combine(start, time.min), zone
    if start.tzinfo is None:
        return start, zone
    name = _zone_name(start.tzinfo)
    if name in _ALSO_UTC:
        return start.astimezone(ZoneInfo(zone)).replace(tzinfo=None), zone
    return start.replace(tzinfo=None), name


def _last_day(begins: datetime, length: timedelta) -> date:
    """The last day of which it takes any part; the end itself is no part of it."""
    ends = begins + length
    return max(ends - timedelta(microseconds=1), begins).date()


def _zone_name(zone: tzinfo) -> str:
    """The zone's name in the time zone database; "" where it has none."""
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    told = str(getattr(zone, "key", "") or getattr(zone, "_tzid", ""))
    told = WINDOWS_TO_OLSON.get(told, told)
    return told if told in known_zones() else ""


def _calendar_zone(calendar: Any, options: Options) -> str:
    told = options.timezone or clean(calendar.get("X-WR-TIMEZONE"), 60) or UTC
    if options.timezone and told not in known_zones():
        raise UnreadableError(f"--timezone {told}: there is no such time zone", hint="such as Europe/Zurich")
    return told if told in known_zones() else UTC


def _is_all_day(event: Event) -> bool:
    return not isinstance(event.start, datetime)


def _moved(events: list[Event], zone: str) -> Moved:
    """The occurrences that have events of their own, by the clocks of the series that they belong to."""
    zones: dict[str, str] = {}
    for event in events:
        if event.get("RECURRENCE-ID") is None:
            zones[str(event.get("UID"))] = _own_zone(event, zone)
    return {
        (uid, _day_of(event, zones.get(uid) or _own_zone(event, zone)))
        for event in events
        if (uid := str(event.get("UID")))
    }


def _own_zone(event: Event, zone: str) -> str:
    try:
        return _local(event.start, zone)[1]
    except Exception:  # a broken beginning says so when the event is read
        return zone


def _day_of(event: Event, zone: str) -> date | None:
    """The day of the occurrence that an event stands for instead; None where it stands for itself."""
    try:
        moment = getattr(event.get("RECURRENCE-ID"), "dt", None)
    except ValueError:  # a broken property says so when it is looked into
        return None
    if isinstance(moment, datetime) and moment.tzinfo:
        return moment.astimezone(ZoneInfo(zone)).date()
    return moment.date() if isinstance(moment, datetime) else moment


def _joined(freezes: list[_Freeze]) -> list[_Freeze]:
    """Days that follow one another for the same reason, as one freeze."""
    joined: list[_Freeze] = []
    open_: dict[tuple[str, str], int] = {}
    for freeze in freezes:
        key = (freeze.reason, freeze.timezone)
        before = joined[open_[key]] if key in open_ else None
        if before is not None and freeze.first <= before.last + DAY:
            last = max(before.last, freeze.last)
            joined[open_[key]] = _Freeze(before.first, last, before.timezone, before.reason)
        else:
            open_[key] = len(joined)
            joined.append(freeze)
    return joined


def _row(freeze: _Freeze) -> Row:
    return {
        "first": freeze.first.isoformat(),
        "last": freeze.last.isoformat(),
        "timezone": freeze.timezone,
        "reason": freeze.reason,
    }


def _recognises(given: Given) -> bool:
    return "BEGIN:VCALENDAR" in beginning(given).upper()


IMPORTER = Importer("ical", "iCalendar", _recognises, read)
