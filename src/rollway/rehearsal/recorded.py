"""Recorded telemetry as a world: CSV files, and answers of a Prometheus server's range API."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rollway.errors import InputError
from rollway.rehearsal.world import Recorded

REQUESTS = "requests"
"""The series of requests per second; every other name is a KPI, whose bad requests per second it is."""
FEWEST = 2
Series = tuple[tuple[float, float], ...]
"""(unix seconds, figure per second), rising in time."""


def of_csv(text: str, source: str) -> Recorded:
    """A record from CSV: columns time, kpi, trials, bad (a row per KPI and interval), or time, trials, and a
    column of bad ones for each KPI. Intervals last until the next time.

    Raises InputError with file:line, what is wrong and what to do.
    """
    reader = csv.DictReader(io.StringIO(text))
    names = [name.strip() for name in reader.fieldnames or []]
    reader.fieldnames = names
    if "time" not in names or "trials" not in names:
        raise InputError(
            f"{source}:1: the columns are {', '.join(names) or 'none'}",
            hint="write time,kpi,trials,bad, or time,trials and a column of bad ones for each KPI",
        )
    is_long = {"kpi", "bad"} <= set(names)
    counts: dict[str, dict[float, tuple[float, float]]] = {}
    for row in reader:
        place = f"{source}:{reader.line_num}"
        at, trials = _time(row["time"], place), _count(row["trials"], "trials", place)
        bad = (
            {row["kpi"]: row["bad"]} if is_long else {n: row[n] for n in names if n not in ("time", "trials")}
        )
        for kpi, value in bad.items():
            found = _count(value, kpi, place)
            if found > trials:
                raise InputError(
                    f"{place}: {found:g} bad of {trials:g} trials", hint="trials count all of them"
                )
            counts.setdefault(kpi, {})[at] = (trials, found)
    return _of_counts(counts, source)


def _of_counts(counts: Mapping[str, Mapping[float, tuple[float, float]]], source: str) -> Recorded:
    if not counts:
        raise InputError(f"{source}: there is no row", hint="record a day or more of the old version")
    times = sorted(set.intersection(*(set(rows) for rows in counts.values())))
    _check_times(times, source)
    most = max(counts, key=lambda kpi: sum(counts[kpi][at][0] for at in times))
    lengths = [b - a for a, b in zip(times, [*times[1:], 2 * times[-1] - times[-2]], strict=True)]
    return Recorded(
        starts=tuple(at - times[0] for at in times),
        seconds=times[-1] - times[0] + lengths[-1],
        per_second=tuple(counts[most][at][0] / n for at, n in zip(times, lengths, strict=True)),
        rates={
            kpi: tuple(rows[at][1] / rows[at][0] if rows[at][0] else 0.0 for at in times)
            for kpi, rows in counts.items()
        },
    )


def of_series(series: Mapping[str, Series], source: str) -> Recorded:
    """A record from series per second: `requests`, and the bad requests of each KPI. Raises InputError."""
    if REQUESTS not in series:
        raise InputError(f"{source}: no series is called requests", hint="name one: requests=...")
    requests = dict(series[REQUESTS])
    times = sorted(set(requests).intersection(*(dict(each) for each in series.values())))
    _check_times(times, source)
    step = times[-1] - times[-2]
    return Recorded(
        starts=tuple(at - times[0] for at in times),
        seconds=times[-1] - times[0] + step,
        per_second=tuple(requests[at] for at in times),
        rates={
            kpi: tuple(min(1.0, found[at] / requests[at]) if requests[at] else 0.0 for at in times)
            for kpi, found in ((kpi, dict(each)) for kpi, each in series.items() if kpi != REQUESTS)
        },
    )


def of_prometheus(text: str, source: str) -> Series:
    """One series from the answer of /api/v1/query_range. Raises InputError where it is none, or several."""
    try:
        answer: Any = json.loads(text)
        result: Sequence[Any] = answer["data"]["result"]
        if answer.get("status") != "success" or answer["data"]["resultType"] != "matrix":
            raise ValueError(answer.get("error") or "its resultType is no matrix")
        values = [(float(at), float(value)) for row in result for at, value in row["values"]]
    except (ValueError, TypeError, KeyError) as error:
        hint = "save the answer of /api/v1/query_range"
        raise InputError(f"{source}: no answer of the range API: {error}", hint=hint) from error
    if len(result) != 1:
        raise InputError(
            f"{source}: {len(result)} series, where one is needed",
            hint="add them up in the query: sum(rate(http_requests_total[1m]))",
        )
    return tuple((at, value) for at, value in values if math.isfinite(value) and value >= 0)


def _check_times(times: Sequence[float], source: str) -> None:
    if len(times) < FEWEST:
        raise InputError(
            f"{source}: {len(times)} moments at which every series has a figure",
            hint="at least two are needed; a day or more is better",
        )


def _time(text: str, place: str) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        pass
    try:
        moment = datetime.fromisoformat(text.strip())
    except (AttributeError, ValueError) as error:
        hint = "write seconds (1700000000) or ISO 8601 (2026-11-23T08:30:00Z)"
        raise InputError(f"{place}: time is {text!r}", hint=hint) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _count(text: str | None, name: str, place: str) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise InputError(f"{place}: {name} is {text!r}", hint="counts are 0, 1, 2 ...")
    return value
