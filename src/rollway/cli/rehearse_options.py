"""What `rollway rehearse` is told on the command line: numbers, faults, troubles, recorded telemetry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from rollway.cli.judge_numbers import read_text
from rollway.errors import InputError, TemporaryError
from rollway.facts.duration import parse_duration

if TYPE_CHECKING:
    from rollway.planning import Plan
    from rollway.rehearsal import Fault, Recorded, Trouble

UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
EVERY_KPI = "all"
MOST_POINTS = 10_000
TIMEOUT_SECONDS = 30.0


def seconds_of(text: str, option: str) -> float:
    """A duration in seconds. Raises InputError."""
    try:
        return parse_duration(text).total_seconds()
    except ValueError as error:
        raise InputError(f"{option}: {text!r} is no duration", hint="write 90s, 5m or 2h") from error


def traffic_of(text: str) -> float:
    """`50/s`, `3000/min` or `50` as requests per second. Raises InputError."""
    number, _, unit = text.partition("/")
    try:
        found = float(number) / UNITS[(unit or "s").strip()]
    except (ValueError, KeyError):
        found = 0.0
    if not 0 < found < 1e9:
        raise InputError(f"--traffic: {text!r} is no number of requests", hint="write 50/s or 3000/min")
    return found


def rates_of(given: tuple[str, ...], plan: Plan) -> dict[str, float]:
    """`errors=0.01` for each KPI. Raises InputError."""
    found: dict[str, float] = {}
    for text in given:
        kpi, _, number = text.partition("=")
        _known(kpi, [guard.kpi for guard in plan.guards], f"--base {text}", "KPI")
        try:
            found[kpi] = float(number.removesuffix("%")) / (100 if number.endswith("%") else 1)
        except ValueError:
            found[kpi] = -1.0
        if found[kpi] < 0:
            raise InputError(f"--base {text}: {number!r} is no rate", hint=f"write --base {kpi}=0.01")
    return found


def start_of(text: str | None, plan: Plan) -> datetime | None:
    """The moment of the start; without a zone it is on the clocks of the plan's first window."""
    from rollway.planning.windows import zone_named

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"--start: {text!r} is no moment", hint="write 2026-11-23T22:00+01:00") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone_named(plan.windows[0].timezone) if plan.windows else UTC)
    return moment


def faults_of(given: tuple[str, ...], plan: Plan) -> list[tuple[str, Fault]]:
    """`errors=5@50-percent+10m`: KPI, ratio, stage (else the first with users), and when it begins."""
    from rollway.rehearsal import Fault

    found = []
    for text in given:
        kpi, number, stage, after = _story(text, "--fault", plan)
        if kpi != EVERY_KPI:
            _known(kpi, [guard.kpi for guard in plan.guards], f"--fault {text}", "KPI")
        try:
            ratio = float(number.removeprefix("x").removeprefix("×"))
        except ValueError:
            ratio = 0.0
        if not 1 < ratio < 1e6:
            raise InputError(
                f"--fault {text}: {number!r} is no ratio above 1", hint="write errors=5@50-percent"
            )
        kpis = () if kpi == EVERY_KPI else (kpi,)
        found.append((text, Fault(ratio, stage, kpis, after)))
    return found


def troubles_of(given: tuple[str, ...], plan: Plan) -> list[tuple[str, Trouble]]:
    """`source_down=10m@50-percent+5m`: what, for how long, in which stage, and when it begins."""
    from rollway.rehearsal import Trouble
    from rollway.rehearsal.scenario import TroubleKind

    found = []
    for text in given:
        kind, lasts, stage, after = _story(text, "--trouble", plan)
        _known(kind, list(get_args(TroubleKind)), f"--trouble {text}", "trouble")
        seconds = seconds_of(lasts, f"--trouble {text}")
        found.append((text, Trouble(cast("TroubleKind", kind), stage, after, seconds)))
    return found


def _story(text: str, option: str, plan: Plan) -> tuple[str, str, str, float]:
    match = re.fullmatch(r"([^=]+)=([^@+]+)(?:@([^+]+))?(?:\+(.+))?", text)
    if match is None:
        raise InputError(f"{option} {text}: not understood", hint=f"write {option} WHAT=SIZE@STAGE+AFTER")
    what, size, stage, after = match.groups()
    first = next((s.id for s in plan.stages if s.exposure.live > 0), plan.stages[0].id)
    stage = stage or first
    _known(stage, [each.id for each in plan.stages], f"{option} {text}", "stage")
    return what, size, stage, seconds_of(after, f"{option} {text}") if after else 0.0


def _known(name: str, names: list[str], where: str, what: str) -> None:
    if name not in names:
        raise InputError(f"{where}: there is no {what} {name!r}", hint=f"there are {', '.join(names)}")


# --- recorded telemetry -----------------------------------------------------------------------------


def recorded_of(
    files: tuple[str, ...], server: str | None, queries: tuple[str, ...], hours: float, now: datetime
) -> Recorded | None:
    """The recorded world that the options name, if any. Raises InputError, TemporaryError."""
    from rollway.rehearsal.recorded import of_csv, of_prometheus, of_series

    if server is None and not files:
        if queries:
            raise InputError("--query has no use without --prometheus URL", hint="leave it out")
        return None
    if len(files) == 1 and "=" not in files[0] and server is None:
        return of_csv(read_text(Path(files[0]), "give a CSV file: time,kpi,trials,bad"), files[0])
    texts = {name: read_text(Path(file), "save the answer of query_range") for name, file in _pairs(files)}
    if server is not None:
        texts |= {name: _fetch(server, query, hours, now) for name, query in _pairs(queries)}
    return of_series(
        {name: of_prometheus(text, name) for name, text in texts.items()}, server or "--recorded"
    )


def _pairs(given: tuple[str, ...]) -> list[tuple[str, str]]:
    found = []
    for text in given:
        name, sign, rest = text.partition("=")
        if not sign or not name or not rest:
            hint = "write requests='sum(rate(http_requests_total[1m]))', and errors=... for the KPI errors"
            raise InputError(f"{text!r}: no NAME=... ", hint=hint)
        found.append((name, rest))
    return found


def _fetch(server: str, query: str, hours: float, now: datetime) -> str:
    import httpx2

    begin = now - timedelta(hours=hours)
    step = max(15.0, hours * 3600 / MOST_POINTS)
    params: Mapping[str, Any] = {
        "query": query,
        "start": begin.timestamp(),
        "end": now.timestamp(),
        "step": f"{step:.0f}s",
    }
    try:
        answer = httpx2.get(
            f"{server.rstrip('/')}/api/v1/query_range", params=params, timeout=TIMEOUT_SECONDS
        )
    except httpx2.HTTPError as error:
        raise TemporaryError(f"{server}: {error}", hint="is this a Prometheus server?") from error
    if answer.status_code not in (200, 400, 422):
        raise TemporaryError(f"{server}: answered {answer.status_code}", hint="is this a Prometheus server?")
    return answer.text
