"""Reads a KPI from a CSV file that somebody keeps adding to."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from rollway.signals.windowed import COLUMNS, Asked, DownError, WindowedSignal
from rollway.signals.windowed_options import WindowedOptions

LARGEST_FILE = 64 * 1024 * 1024


class CsvSignal(WindowedSignal):
    """What a file tells: a survey's answers of a day, tickets of an hour, the sales of a shop.

    Options:

    - `file`: CSV with a header: `time` (ISO 8601 with its offset, or unix seconds) and `arm`, and the columns
      of the kind: `trials` and `bad`; for an assignment `units`; for a mean `units`, `total`, `squares`. Rows
      of one version in one interval are added up. A row belongs to the interval in which its time lies;
    - `candidate`, `baseline`: the values of `arm` for the two versions;
    - `delay` (default 0s): how long rows may come late; nothing younger is read.

    A file that is not there, or has a row that cannot be read, is a source that is down; the row is named.
    """

    def __init__(self, kpi: str, kind: Any, options: Mapping[str, Any]) -> None:
        """Raises InputError, naming the option, without opening the file."""
        given = WindowedOptions("csv", kpi, kind, options, ("file",))
        self.kpi, self.kind, self.arms = kpi, kind, given.arms()
        self._file = Path(given.text("file"))
        self.delay = given.seconds("delay", "0s")

    def rows(self, asked: Asked) -> list[Mapping[str, Any]]:
        """What was written down, added up by version."""
        try:
            return self._added_up(asked)
        except (OSError, ValueError, csv.Error) as error:
            raise DownError(f"{self._file} cannot be read: {error}") from error

    def _added_up(self, asked: Asked) -> list[Mapping[str, Any]]:
        sums: dict[str, dict[str, Any]] = {}
        for row in self._lines():
            if asked.start < row["time"] <= asked.end:
                into = sums.setdefault(
                    row["arm"], {"arm": row["arm"], **dict.fromkeys(COLUMNS[self.kind], 0.0)}
                )
                for name in COLUMNS[self.kind]:
                    into[name] += row[name]
        return list(sums.values())

    def _lines(self) -> Iterator[dict[str, Any]]:
        if self._file.stat().st_size > LARGEST_FILE:
            raise ValueError(f"it is larger than {LARGEST_FILE // 1024**2} MiB")
        with self._file.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            needed = ("time", "arm", *COLUMNS[self.kind])
            missing = [name for name in needed if name not in (reader.fieldnames or ())]
            if missing:
                raise ValueError(f"line 1: it has no column {missing[0]}")
            for row in reader:
                try:
                    figures = {name: float(row[name]) for name in COLUMNS[self.kind]}
                    yield {"time": _moment(row["time"]), "arm": row["arm"], **figures}
                except (TypeError, ValueError) as error:
                    raise ValueError(f"line {reader.line_num}: {error}") from error


def _moment(text: str) -> float:
    """Unix seconds. Raises ValueError for a time without its offset: nobody knows when that is."""
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no offset; write such as 2027-03-01T09:00:00+01:00")
    return moment.timestamp()
