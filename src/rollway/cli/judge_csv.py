"""Two CSV files as readings: rows of outcomes, durations or figures, or counts per interval."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rollway.errors import InputError
from rollway.judge import Counts, Histogram, Moments, Reading, Sample
from rollway.judge.logs import FloatArray

IndexArray = NDArray[np.intp]
FileKind = Literal["rate", "latency", "mean"]
TIME_NAMES = ("time", "timestamp", "at", "date", "datetime", "t")
DURATION_NAMES = ("duration", "latency", "seconds", "ms", "elapsed", "response_time")
COUNTS = ("trials", "bad")
INTERVALS = 60
BUCKETS_PER_TENFOLD = 48
ORDINARY = 0.999
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

    `times` are seconds, None where the order of the rows is all there is.
    """

    times: FloatArray | None
    values: FloatArray


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
    return Pair(found, name, is_counts, arms[0], arms[1])


def read_table(path: Path) -> Table:
    """A CSV file with a header; commas, semicolons or tabs. Raises InputError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", hint="give two CSV files: OLD.csv NEW.csv") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text: {error.reason}", hint="save it as UTF-8 CSV") from error
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    lines = text.split("\n")
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        names = tuple(name.strip() for name in next(reader, []))
        numbered = [(reader.line_num, tuple(row)) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num}: not CSV: {error}", hint='quote texts with "') from error
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
        raise InputError(f"{table.source}: there is no row below the names of the columns")
    for n, row in enumerate(table.rows):
        if len(row) != len(table.names):
            raise table.fault(
                n,
                min(len(row), len(table.names)) - 1,
                f"{len(row)} fields, where the first line names {len(table.names)} columns",
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
    times = _times(table, time)
    if is_counts:
        columns = [_numbers(table, each, "rate", is_count=True) for each in COUNTS]
        values = np.stack(columns, axis=1)
        wrong = np.flatnonzero(values[:, 1] > values[:, 0])
        if len(wrong):
            row = int(wrong[0])
            raise table.fault(row, table.index("bad"), "more bad trials than trials", "check the row")
    else:
        values = _numbers(table, name, kind)
    if times is not None:
        order = np.argsort(times, kind="stable")
        return Arm(times[order], values[order])
    return Arm(None, values)


def _numbers(table: Table, name: str, kind: FileKind, *, is_count: bool = False) -> FloatArray:
    at = table.index(name)
    found = np.empty(len(table.rows))
    for n, row in enumerate(table.rows):
        text = row[at].strip().lower()
        if kind == "rate" and not is_count:
            if text not in (*YES, *NO):
                raise table.fault(
                    n,
                    at,
                    f"{name} is {row[at]!r}, and a rate has 0 (fine) or 1 (bad) in each row",
                    "for durations say --kind latency, for other figures --kind mean",
                )
            found[n] = text in YES
            continue
        if not _is_number(text):
            hint = "write decimals with a point; leave out rows that have no value"
            raise table.fault(n, at, f"{name} is {row[at]!r}, not a number", hint)
        found[n] = float(text)
        if is_count and (found[n] < 0 or found[n] != math.floor(found[n])):
            raise table.fault(n, at, f"{name} is {text}, and counts are 0, 1, 2 ...", "check the row")
        if kind == "latency" and found[n] < 0:
            raise table.fault(n, at, f"{name} is {text}, and no duration is below 0", "check the row")
    return found


def _times(table: Table, time: str | None) -> FloatArray | None:
    name = time or next((each for each in table.names if each.lower() in TIME_NAMES), None)
    if name is None:
        return None
    at = table.index(name)
    found = np.empty(len(table.rows))
    for n, row in enumerate(table.rows):
        text = row[at].strip()
        try:
            found[n] = float(text) if _is_number(text) else _moment(text)
        except ValueError:
            hint = "write seconds (1700000000.5) or ISO 8601 (2026-11-23T08:30:00Z)"
            raise table.fault(n, at, f"{name} is {row[at]!r}, not a time", hint) from None
    return found


def _moment(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _is_number(text: str) -> bool:
    try:
        return "_" not in text and math.isfinite(float(text)) and abs(float(text)) < 1e300
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
        replace(arm, values=np.clip(arm.values, -found, found)) for arm in (pair.baseline, pair.candidate)
    )
    return replace(pair, baseline=old, candidate=new), found


# --- intervals --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cut:
    """The edges of the intervals, shape (intervals + 1,), and the interval that each row is in."""

    edges: FloatArray
    baseline: IndexArray
    candidate: IndexArray


def readings_of(pair: Pair, *, kpi: str, stage: str, intervals: int = INTERVALS) -> list[Reading]:
    """The files cut into intervals: by time where there are times, else into equal parts of their order.

    Raises InputError where counts without times do not fit row by row.
    """
    cut, bounds = _cut(pair, intervals), _bounds(pair)
    return [
        Reading(
            kpi=kpi,
            start=float(cut.edges[n]),
            end=float(cut.edges[n + 1]),
            stage=stage,
            share=_share(pair),
            candidate=_sample(pair, pair.candidate.values[cut.candidate == n], bounds),
            baseline=_sample(pair, pair.baseline.values[cut.baseline == n], bounds),
        )
        for n in range(len(cut.edges) - 1)
    ]


def _share(pair: Pair) -> float:
    """The candidate's share of all trials, between 0 and 1."""
    new, old = (
        float(arm.values[:, 0].sum()) if pair.is_counts else len(arm.values)
        for arm in (pair.candidate, pair.baseline)
    )
    return min(max(new / max(new + old, 1.0), 1e-6), 1 - 1e-6)


def _cut(pair: Pair, intervals: int) -> Cut:
    old, new = pair.baseline.times, pair.candidate.times
    if old is None or new is None:
        return _cut_by_order(pair, intervals)
    if pair.is_counts and np.array_equal(np.unique(old), np.unique(new)):
        edges = np.unique(old)
        last = float(np.median(np.diff(edges))) if len(edges) > 1 else 1.0
        edges = np.append(edges, edges[-1] + last)
    else:
        begin, end = min(old[0], new[0]), max(old[-1], new[-1])
        edges = np.linspace(begin, max(end, begin + 1e-6), intervals + 1)

    def places(times: FloatArray) -> IndexArray:
        return np.clip(np.searchsorted(edges, times, side="right") - 1, 0, len(edges) - 2)

    return Cut(edges, places(old), places(new))


def _cut_by_order(pair: Pair, intervals: int) -> Cut:
    old, new = len(pair.baseline.values), len(pair.candidate.values)
    if pair.is_counts and old != new:
        raise InputError(
            f"the files have {old} and {new} intervals, and no times to match them by",
            hint="add a column `time` to both",
        )
    parts = old if pair.is_counts else max(1, min(intervals, old, new))
    return Cut(np.arange(parts + 1.0), np.arange(old) * parts // old, np.arange(new) * parts // new)


def _bounds(pair: Pair) -> tuple[float, ...]:
    """Bounds of durations: a fixed grid of 48 to a tenfold, as far as the values of both files reach."""
    if pair.kind != "latency":
        return ()
    values = np.concatenate((pair.candidate.values, pair.baseline.values))
    positive = values[values > 0]
    if len(positive) == 0:
        return (1.0,)
    low = math.floor(math.log10(float(positive.min())) * BUCKETS_PER_TENFOLD)
    high = math.ceil(math.log10(float(positive.max())) * BUCKETS_PER_TENFOLD)
    return tuple(float(10 ** (n / BUCKETS_PER_TENFOLD)) for n in range(low, max(high, low + 1) + 1))


def _sample(pair: Pair, values: FloatArray, bounds: Sequence[float]) -> Sample:
    if pair.is_counts:
        return Counts(int(values[:, 0].sum()), int(values[:, 1].sum()))
    if pair.kind == "rate":
        return Counts(len(values), int(values.sum()))
    if pair.kind == "latency":
        places = np.searchsorted(bounds, values, side="left")
        counts = np.bincount(places, minlength=len(bounds) + 1)
        return Histogram(tuple(bounds), tuple(int(each) for each in counts))
    return Moments(len(values), float(values.sum()), float((values**2).sum()))
