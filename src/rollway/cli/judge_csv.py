"""Two CSV files: rows of outcomes, durations or figures, or counts per interval."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import numpy as np

from rollway.cli.judge_numbers import read_text
from rollway.errors import InputError
from rollway.judge.logs import FloatArray

FileKind = Literal["rate", "latency", "mean"]
TIME_NAMES = ("time", "timestamp", "at", "date", "datetime", "t")
DURATION_NAMES = ("duration", "latency", "seconds", "ms", "elapsed", "response_time")
COUNTS = ("trials", "bad")
ORDINARY = 0.999
LARGEST = 1e100
"""The square of a larger figure could not be calculated with."""
MOST_COUNTED = 2**53
LAST_SECOND = 253_402_300_800.0
"""The end of the year 9999. Larger times are milliseconds."""
YES, NO = ("1", "1.0", "true"), ("0", "0.0", "false")


@dataclass(frozen=True, slots=True)
class Table:
    """One file: its column names, and for each row its line, its text and its fields."""

    source: str
    names: tuple[str, ...]
    lines: tuple[int, ...]
    texts: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    separator: str

    def index(self, name: str) -> int:
        """Where a column is. Raises InputError with a suggestion."""
        if name in self.names:
            return self.names.index(name)
        near = get_close_matches(name, self.names, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"its columns are {', '.join(self.names)}"
        raise InputError(f"{self.source}:1: there is no column {name!r}", hint=hint)

    def fault(self, row: int, column: int, text: str, hint: str) -> InputError:
        """An error at a field: file:line:column."""
        place = _place(self.texts[row], column, self.separator)
        return InputError(f"{self.source}:{self.lines[row]}:{place}: {text}", hint=hint)


@dataclass(frozen=True, slots=True)
class Arm:
    """One version's rows in their order. `values` has shape (rows,), of counts (rows, 2): trials and bad.

    `times` are seconds, None where the order of the rows is all there is. `clock` says how they were
    written: "number", "zoned" or "without zone". `cut` of the values were cut off.
    """

    times: FloatArray | None
    values: FloatArray
    source: str = ""
    clock: str = ""
    cut: int = 0


@dataclass(frozen=True, slots=True)
class Pair:
    """Both versions, what their values are, and how they are called. `baseline` and `candidate` fit."""

    kind: FileKind
    name: str
    is_counts: bool
    baseline: Arm
    candidate: Arm


def read_pair(
    baseline: Path, candidate: Path, *, kind: FileKind | None, column: str | None, time: str | None
) -> Pair:
    """Both files. Raises InputError with file:line:column, what is wrong and what to do."""
    tables = read_table(baseline), read_table(candidate)
    is_counts = column is None and all(set(COUNTS) <= set(table.names) for table in tables)
    name = COUNTS[1] if is_counts else column or _only_column(tables[0], time)
    found = kind or ("rate" if is_counts else _guess(tables[0], name))
    if is_counts and found != "rate":
        raise InputError(
            f"{tables[0].source}:1: columns trials and bad are counts of a rate, not of a {found}",
            hint="leave --kind out, or name the column of figures with --column",
        )
    arms = [_arm(table, found, name, time, is_counts=is_counts) for table in tables]
    if (arms[0].times is None) != (arms[1].times is None):
        lacking = tables[0 if arms[0].times is None else 1]
        raise InputError(
            f"{lacking.source}:1: this file has no column of times, and the other one has",
            hint="add one, or name a column in both with --time; without times in either the order counts",
        )
    if {arms[0].clock, arms[1].clock} == {"zoned", "without zone"}:
        lacking = tables[0 if arms[0].clock == "without zone" else 1]
        raise InputError(
            f"{lacking.source}: its times name no zone, and those of the other file do",
            hint="write the zone in both: 2026-11-23T08:30:00Z, or +01:00",
        )
    return Pair(found, name, is_counts, arms[0], arms[1])


def read_table(path: Path) -> Table:
    """A CSV file with a header; commas, semicolons, tabs or bars. Raises InputError."""
    text = read_text(path, "give two CSV files in UTF-8: OLD.csv NEW.csv")
    head = text.partition("\n")[0]
    separator = max(",;\t|", key=head.count)
    lines = text.split("\n")
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        names = tuple(name.strip() for name in next(reader, []))
        numbered = [(reader.line_num, tuple(row)) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise InputError(
            f"{path}:{reader.line_num}: not CSV: {error}", hint="look for a quote that is not closed"
        ) from error
    _check_head(path, names)
    table = Table(
        source=str(path),
        names=names,
        lines=tuple(line for line, _ in numbered),
        texts=tuple(lines[line - 1] for line, _ in numbered),
        rows=tuple(row for _, row in numbered),
        separator=separator,
    )
    _check_rows(table)
    return table


def _check_head(path: Path, names: tuple[str, ...]) -> None:
    if not names or not any(names):
        raise InputError(f"{path}: the file is empty", hint="its first line names the columns: time,failed")
    hidden = [name for name in names if not name.isprintable()]
    if hidden:
        raise InputError(
            f"{path}:1: the name of a column has a character that cannot be shown: {hidden[0]!r:.60}",
            hint="rename it; is this a CSV file?",
        )
    if all(_is_number(name) for name in names):
        raise InputError(
            f"{path}:1:1: the first line names the columns, and here are numbers",
            hint="put a line such as `failed` or `time,duration` before them",
        )
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(f"{path}:1: two columns are called {twice[0]!r}", hint="rename one of them")


def _check_rows(table: Table) -> None:
    if not table.rows:
        raise InputError(
            f"{table.source}: there is no row below the names of the columns",
            hint="the first line names the columns, and each line below is a row",
        )
    for n, row in enumerate(table.rows):
        if len(row) != len(table.names):
            raise table.fault(
                n,
                min(len(row), len(table.names)) - 1,
                f"{len(row)} fields, where the first line has {len(table.names)}",
                "write decimals with a point, and quote texts that contain the separator",
            )


def _place(text: str, column: int, separator: str) -> int:
    """The character (from 1) at which a field of a line begins."""
    field, is_quoted = 0, False
    for n, character in enumerate(text):
        if field == column:
            return n + 1
        if character == '"':
            is_quoted = not is_quoted
        elif character == separator and not is_quoted:
            field += 1
    return len(text) + 1 if field == column else 1


def _only_column(table: Table, time: str | None) -> str:
    """The one column that is no time; where there are several, somebody has to say which."""
    rest = [name for name in table.names if name != time and name.lower() not in TIME_NAMES]
    if len(rest) == 1:
        return rest[0]
    raise InputError(
        f"{table.source}:1: it is not clear which column is judged: {', '.join(rest) or 'there is none'}",
        hint=f"name it: --column {rest[0] if rest else 'NAME'}",
    )


def _guess(table: Table, name: str) -> FileKind:
    """A rate where all values are 0 or 1, else by the column's name; None of these: somebody has to say."""
    at = table.index(name)
    if all(row[at].strip().lower() in (*YES, *NO) for row in table.rows):
        return "rate"
    if any(word in name.lower().replace("-", "_").split("_") for word in DURATION_NAMES):
        return "latency"
    raise InputError(
        f"{table.source}:1: what kind of figures are these: {name}?",
        hint="say --kind latency (durations: the slow ones count), --kind mean (figures: their average "
        "counts), or --kind rate (0 and 1)",
    )


def _arm(table: Table, kind: FileKind, name: str, time: str | None, *, is_counts: bool) -> Arm:
    times, clock = _times(table, time)
    if is_counts:
        columns = [_numbers(table, each, _count) for each in COUNTS]
        values = np.stack(columns, axis=1)
        wrong = np.flatnonzero(values[:, 1] > values[:, 0])
        if len(wrong):
            row = int(wrong[0])
            raise table.fault(row, table.index("bad"), "more bad trials than trials", "check the row")
    else:
        readers = {"rate": _outcome, "latency": _duration, "mean": _figure}
        values = _numbers(table, name, readers[kind])
    if times is not None:
        order = np.argsort(times, kind="stable")
        return Arm(times[order], values[order], table.source, clock)
    return Arm(None, values, table.source)


class _FieldError(ValueError):
    """What is wrong with a field, and what to do about it."""

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint


def _numbers(table: Table, name: str, read: Callable[[str], float]) -> FloatArray:
    at = table.index(name)
    found = np.empty(len(table.rows))
    for n, row in enumerate(table.rows):
        try:
            found[n] = read(row[at].strip().lower())
        except _FieldError as error:
            raise table.fault(n, at, f"{name} is {_shown(row[at])}{error.text}", error.hint) from None
    return found


def _shown(text: str) -> str:
    if not text.strip():
        return "empty"
    return repr(text) if len(text) <= 40 else f"{text[:37]!r}..."


def _outcome(text: str) -> float:
    if text in YES or text in NO:
        return float(text in YES)
    raise _FieldError(
        ", and a rate has 0 (fine) or 1 (bad) in each row",
        "for durations say --kind latency, for other figures --kind mean; leave out rows without a value",
    )


def _figure(text: str) -> float:
    if not _is_number(text):
        raise _FieldError(
            ", not a number", "write decimals with a point, and no units; leave out rows without a value"
        )
    value = float(text)
    if abs(value) > LARGEST:
        raise _FieldError(", too large to calculate with", f"is it a figure? {LARGEST:g} is the largest")
    return value


def _duration(text: str) -> float:
    value = _figure(text)
    if value < 0:
        raise _FieldError(", and no duration is below 0", "check the row")
    return value


def _count(text: str) -> float:
    value = _figure(text)
    if not 0 <= value <= MOST_COUNTED or value != math.floor(value):
        raise _FieldError(f", and counts are 0, 1, 2 ... up to {MOST_COUNTED:.0e}", "check the row")
    return value


def _times(table: Table, time: str | None) -> tuple[FloatArray | None, str]:
    """Seconds, and how they are written: one way in the whole file."""
    name = time or next((each for each in table.names if each.lower() in TIME_NAMES), None)
    if name is None:
        return None, ""
    at, clock = table.index(name), ""
    found = np.empty(len(table.rows))
    for n, row in enumerate(table.rows):
        try:
            found[n], way = _moment(row[at].strip())
        except _FieldError as error:
            raise table.fault(n, at, f"{name} is {_shown(row[at])}{error.text}", error.hint) from None
        if way != (clock := clock or way):
            raise table.fault(
                n,
                at,
                f"{name} is {_shown(row[at])} ({way}), and the times above are of another kind ({clock})",
                "write all times in one way",
            )
    return found, clock


def _moment(text: str) -> tuple[float, str]:
    if _is_number(text):
        if abs(float(text)) >= LAST_SECOND:
            raise _FieldError(", after the year 9999 if it is in seconds", "divide milliseconds by 1000")
        return float(text), "number"
    try:
        moment = datetime.fromisoformat(text)
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return zoned.timestamp(), "zoned" if moment.tzinfo else "without zone"
    except (ValueError, OverflowError):
        raise _FieldError(
            ", not a time", "write seconds (1700000000.5) or ISO 8601 (2026-11-23T08:30:00Z)"
        ) from None


def _is_number(text: str) -> bool:
    try:
        return "_" not in text and math.isfinite(float(text))
    except ValueError:
        return False


def beyond(pair: Pair, bound: float) -> None:
    """Raises InputError where a figure is outside 0..bound."""
    for name, arm in (("old", pair.baseline), ("new", pair.candidate)):
        outside = arm.values[(arm.values < 0) | (arm.values > bound)]
        if len(outside):
            raise InputError(
                f"{len(outside)} figures of the {name} version lie outside 0 to {bound:g}: {outside[0]:g}",
                hint="give a --bound that none exceeds, or leave it out",
            )


def cut_off(pair: Pair, cap: float | None) -> tuple[Pair, float]:
    """The figures cut off at -cap and cap; without one, at what one in a thousand of both files exceeds."""
    sizes = np.abs(np.concatenate((pair.baseline.values, pair.candidate.values)))
    found = cap or float(np.quantile(sizes, ORDINARY, method="higher")) or 1.0
    old, new = (
        replace(arm, values=np.clip(arm.values, -found, found), cut=int(np.sum(np.abs(arm.values) > found)))
        for arm in (pair.baseline, pair.candidate)
    )
    return replace(pair, baseline=old, candidate=new), found
