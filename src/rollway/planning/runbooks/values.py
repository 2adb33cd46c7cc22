"""What the cells of a runbook mean: texts, durations, T-offsets, lists; and how each is written again.

Every reader takes what a YAML value or a spreadsheet cell may be and raises ValueError with plain words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rollway.errors import InputError
from rollway.facts.duration import format_duration, parse_duration
from rollway.facts.problems import closest
from rollway.planning.windows import zone_named

LONGEST_TEXT = 20_000
"""A spreadsheet's cell holds 32,767 characters, and some are escaped."""
LONGEST_SECONDS = 3 * 365 * 86_400.0
MOST_SEATS = 10_000
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_OFFSET = re.compile(r"T(?:\s*([+-])\s*(\S.*))?", re.IGNORECASE)
# What no text may hold: a terminal would obey it, or a workbook could not hold it.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_YES, _NO = {"yes", "true", "y", "x"}, {"no", "false", "n"}


@dataclass(frozen=True, slots=True)
class Kind:
    """How a column's values are read and written; `write` gives a text, or a list for YAML."""

    told: str
    read: Callable[[Any], Any]
    write: Callable[[Any], str | list[str]]


def read_text(raw: Any) -> str:
    """A text without the space around it, its line breaks as LF."""
    if isinstance(raw, bool):
        return "yes" if raw else "no"
    if isinstance(raw, list | dict):
        raise ValueError("write one text here, not a list")
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < 1e15:
        raw = int(raw)
    if isinstance(raw, datetime | date | time):
        raw = raw.isoformat()
    text = str(raw).replace("\r\n", "\n").replace("\r", "\n").strip()
    if control := _CONTROL.search(text):
        raise ValueError(f"this text holds the character U+{ord(control[0]):04X}, which cannot be kept")
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"this text has {len(text):,} characters, and {LONGEST_TEXT:,} is the most")
    return text


def read_id(raw: Any) -> str:
    if isinstance(raw, float) and not raw.is_integer():
        raise ValueError(f"this is the number {raw:g}, and 1.10 would be 1.1; format the cell as text")
    text = read_text(raw)
    if not _ID.fullmatch(text):
        raise ValueError("an id is made of ASCII letters, digits, '.', '_' and '-', 80 at most")
    return text


def _split(raw: Any, pattern: str) -> list[Any]:
    if isinstance(raw, list):
        return raw
    if not isinstance(raw, str):
        return [raw]
    return [part for part in re.split(pattern, read_text(raw)) if part.strip()]


def read_ids(raw: Any) -> tuple[str, ...]:
    ids = tuple(read_id(part) for part in _split(raw, r"[,;\n]"))
    if doubled := next((one for place, one in enumerate(ids) if one in ids[:place]), ""):
        raise ValueError(f"'{doubled}' stands twice in this list")
    return ids


def read_lines(raw: Any) -> tuple[str, ...]:
    """A list of one-line texts: a YAML list, or the lines of a cell."""
    lines = tuple(read_text(part) for part in _split(raw, r"\n"))
    if any("\n" in line for line in lines):
        raise ValueError("each entry of this list is one line")
    return tuple(line for line in lines if line)


def read_duration(raw: Any) -> float:
    """Seconds; a spreadsheet's own times of day and durations are taken too."""
    if isinstance(raw, datetime):
        raise ValueError("this is a date; write a duration such as 15m or 1h30m")
    if isinstance(raw, time):
        raw = timedelta(hours=raw.hour, minutes=raw.minute, seconds=raw.second, microseconds=raw.microsecond)
    seconds = parse_duration(raw).total_seconds()
    if not 0 <= seconds <= LONGEST_SECONDS:
        raise ValueError("a duration lasts from 0s to three years")
    return seconds


def read_durations(raw: Any) -> tuple[float, ...]:
    seconds = tuple(read_duration(part) for part in _split(raw, r"[,;\n]"))
    if 0.0 in seconds:
        raise ValueError("what was rehearsed took some time; write at least 1s")
    return seconds


def write_duration(seconds: float) -> str:
    return format_duration(timedelta(seconds=seconds))


def read_offset(raw: Any) -> float:
    """`T`, `T-2h` or `T+1d30m`: elapsed seconds from T. A day has 24 hours here, on any night."""
    found = _OFFSET.fullmatch(raw.strip()) if isinstance(raw, str) else None
    if not found:
        raise ValueError("write an offset such as 'T-2h', 'T' or 'T+45m'")
    seconds = read_duration(found[2]) if found[2] else 0.0
    return -seconds if found[1] == "-" else seconds


def write_offset(seconds: float) -> str:
    return f"T{'-' if seconds < 0 else '+'}{write_duration(abs(seconds))}" if seconds else "T"


def read_yes(raw: Any) -> bool:
    word = read_text(raw).lower()
    if word not in _YES | _NO:
        raise ValueError("write yes or no")
    return word in _YES


def read_seats(raw: Any) -> int:
    text = read_text(raw)
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= MOST_SEATS:
        raise ValueError("write how many tasks they can do at once: 1, 2, …")
    return int(text)


def read_zone(raw: Any) -> str:
    text = read_text(raw)
    try:
        zone_named(text)
    except InputError as error:
        raise ValueError(f"{error.message}; {error.hint}") from None
    return text


def choice(*options: str) -> Kind:
    def read(raw: Any) -> str:
        word = read_text(raw).lower()
        if word in options:
            return word
        near = closest(word, options)
        raise ValueError(f"write {', '.join(options)}" + (f"; did you mean '{near}'?" if near else ""))

    return Kind(" | ".join(options), read, str)


def read_moment(raw: Any, timezone: str) -> datetime:
    """The moment (UTC) of a time on the clocks of the zone, or of one with its own offset (ISO 8601).

    Raises ValueError for a wall time that the clocks skip, and for one that comes twice.
    """
    if isinstance(raw, datetime):
        moment = raw
    else:
        try:
            moment = datetime.fromisoformat(read_text(raw).replace(" ", "T", 1))
        except ValueError:
            raise ValueError("write a moment such as 2027-03-27T22:00") from None
    zone = ZoneInfo(timezone)
    if not 1900 < moment.year < 9000:
        raise ValueError("this year is far from ours")
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    early, late = (moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if early.utcoffset() == late.utcoffset():
        return early.astimezone(UTC)
    if early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        raise ValueError(f"the clocks of {timezone} skip this time; write one before or after the gap")
    both = " or ".join(one.isoformat(timespec="minutes") for one in (early, late))
    raise ValueError(f"the clocks of {timezone} show this time twice; write {both}")


def write_moment(moment: datetime, timezone: str) -> str:
    """The moment on the clocks of the zone, with their offset, so that it is never read for another."""
    local = moment.astimezone(ZoneInfo(timezone))
    return local.isoformat(timespec="auto" if local.second or local.microsecond else "minutes")


def _listed(values: tuple[str, ...]) -> list[str]:
    return list(values)


TEXT = Kind("text", read_text, str)
ID = Kind("id", read_id, str)
IDS = Kind("ids", read_ids, _listed)
LINES = Kind("lines", read_lines, _listed)
DURATION = Kind("duration, such as 15m or 1h30m", read_duration, write_duration)
DURATIONS = Kind("durations", read_durations, lambda values: [write_duration(one) for one in values])
OFFSET = Kind("T-offset, such as T-2h", read_offset, write_offset)
YES = Kind("yes or no", read_yes, lambda value: "yes" if value else "no")
SEATS = Kind("number", read_seats, str)
ZONE = Kind("time zone, such as Europe/Berlin", read_zone, str)
