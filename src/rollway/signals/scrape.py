"""Reads a KPI from a service's own metrics page, in the Prometheus text format or in OpenMetrics."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Literal, NamedTuple
from urllib.parse import urlsplit

from rollway.errors import InputError
from rollway.facts.duration import parse_duration
from rollway.judge import Assigned, Problem, Reading
from rollway.judge import Sample as ArmSample
from rollway.rollout.ports import Collected, Cursor, Interval
from rollway.signals.counters import (
    ARMS,
    Arm,
    ImplausibleError,
    Mark,
    Part,
    RestartedError,
    Series,
    compare_process,
    counts_by_arm,
    histograms_by_arm,
    refuse_doubtful,
    remembered,
    whole,
)
from rollway.signals.pages import Page, PageReader, Sample, Source, Trouble
from rollway.signals.selector import Selector, parse_selector

Kind = Literal["rate", "latency", "check", "assignment"]

PARTS: Mapping[Kind, tuple[str, ...]] = {
    "rate": ("total", "bad"),
    "check": ("total", "bad"),
    "assignment": ("total",),
    "latency": ("histogram",),
}
COUNTED: tuple[Part, ...] = ("total", "bad")
COMMON = ("url", "arm_label", "candidate", "baseline")
START_METRIC = "process_start_time_seconds"
LONGEST_TIMEOUT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class ScrapeOptions:
    """What a scrape signal was told. `parts` says which series are counted, and as what."""

    source: Source
    arm_label: str
    arms: Mapping[str, Arm]
    parts: Mapping[Part, Selector]


class ScrapeSignal:
    """The counters of one metrics page, told apart by a label that names the version.

    Options: `url`; `arm_label`, `candidate`, `baseline`: the label and its two values; for a rate or a
    check `total` and `bad` (the good ones, for a rate of which less is worse), for an assignment `total`,
    for a latency `histogram` (its base name): selectors; `timeout` (default 2s).
    Raises InputError for options that cannot be used, without asking the service anything.

    Both arms, and all KPIs of one moment, are read from one and the same page. So a request that was
    served just before or after a change of share is counted for the arm that really served it, in an
    interval that is the same for both arms.
    """

    reader: ClassVar[PageReader] = PageReader()

    def __init__(self, kpi: str, kind: Kind, options: Mapping[str, Any]) -> None:
        self.kpi = kpi
        self.kind = kind
        self.options = read_options(kpi, kind, options)

    def collect(self, cursor: Cursor | None, interval: Interval) -> Collected:
        """What was counted since the cursor; never raises for what a service does or does not say.

        The cursor is `{"at": unix seconds, "counters": {series: value}}`, with `"started"` (unix seconds)
        where the page tells it, and `"absent"` for series of older pages. After a problem it stays as it
        was, so that the next good page covers the gap as one interval; but where counters cannot be
        subtracted from those before, it moves on, and the interval is lost.
        """
        page = self.reader.read(self.options.source, interval.now)
        if isinstance(page, Trouble):
            return self._problem("source_down", page.note, cursor, interval)
        try:
            return self._collect(_Look.at(page, self.options), cursor, interval)
        except ImplausibleError as doubt:
            return self._problem("implausible", str(doubt), cursor, interval)

    def _collect(self, look: _Look, cursor: Cursor | None, interval: Interval) -> Collected:
        if not cursor:
            return Collected(None, look.cursor(interval.now, Mark()), self._remark(look))
        before = Mark(cursor["counters"], cursor.get("absent", {}))
        process = compare_process(cursor.get("started"), look.started, seen_at=cursor["at"])
        if process == "another":
            note = f"another process answers at {self.options.source.url}; scrape each by its own address"
            return self._uncounted(note, look.cursor(interval.now, Mark()), cursor, interval)
        if process == "restarted":
            before = Mark()
        try:
            reading = self._reading(cursor, interval, **self._arms(look, before))
        except RestartedError as doubt:
            return self._uncounted(str(doubt), look.cursor(interval.now, before), cursor, interval)
        return Collected(reading, look.cursor(interval.now, before), self._remark(look))

    def _uncounted(self, note: str, moved_on: Cursor, cursor: Cursor, interval: Interval) -> Collected:
        return Collected(self._problem("implausible", note, cursor, interval).reading, moved_on, note)

    def _arms(self, look: _Look, before: Mark) -> dict[Arm, ArmSample | None]:
        if self.kind == "latency":
            return {**histograms_by_arm(look.series, before)}
        counts = counts_by_arm(look.series, before)
        if self.kind == "assignment":
            return {arm: one and Assigned(one.trials) for arm, one in counts.items()}
        return {**counts}

    def _reading(self, cursor: Cursor | None, interval: Interval, **more: Any) -> Reading:
        start = min(cursor["at"], interval.now) if cursor else interval.now
        return Reading(
            kpi=self.kpi, start=start, end=interval.now, stage=interval.stage, share=interval.share, **more
        )

    def _problem(self, problem: Problem, note: str, cursor: Cursor | None, interval: Interval) -> Collected:
        return Collected(self._reading(cursor, interval, problem=problem), cursor or {}, note)

    def _remark(self, look: _Look) -> str:
        """What a person should know of a page that could be read: what nothing was found for."""
        seen = {(one.arm, one.part) for one in look.series}
        values = {arm: value for value, arm in self.options.arms.items()}
        silent = [
            f'no series with {self.options.arm_label}="{values[arm]}"'
            for arm in ARMS
            if not seen & {(arm, "total"), (arm, "bucket")}
        ]
        if "bad" in self.options.parts and not any(part == "bad" for _, part in seen):
            silent.append("no series matches 'bad' so far: right only if nothing bad ever happened")
        return "; ".join(silent)


class _Look(NamedTuple):
    """What matters of a page: the series that were asked for, and when the process says it started."""

    series: tuple[Series, ...]
    started: float | None

    @classmethod
    def at(cls, page: Page, options: ScrapeOptions) -> _Look:
        found: list[Series] = []
        starts: list[float] = []
        for sample in page.samples:
            if sample.name == START_METRIC and math.isfinite(sample.value):
                starts.append(sample.value)
            arm = options.arms.get(sample.labels.get(options.arm_label, ""))
            if arm is not None:
                found += [
                    _series(sample, arm, part)
                    for part, selector in options.parts.items()
                    if _is_meant(sample, part, selector)
                ]
        refuse_doubtful(found)
        # Several starts mean a page that gathers many processes; none speaks for all.
        return cls(tuple(found), starts[0] if len(starts) == 1 else None)

    def cursor(self, now: float, before: Mark) -> Cursor:
        mark = remembered(self.series, before)
        cursor: Cursor = {"at": now, "counters": dict(mark.counters)}
        if mark.absent:
            cursor["absent"] = dict(mark.absent)
        return cursor if self.started is None else {**cursor, "started": self.started}


def _is_meant(sample: Sample, part: Part, selector: Selector) -> bool:
    if part == "bucket":
        return sample.name == f"{selector.metric}_bucket" and selector.matches(sample.labels)
    return selector.metric in (sample.name, sample.alias) and selector.matches(sample.labels)


def _series(sample: Sample, arm: Arm, part: Part) -> Series:
    key = _text(sample.name, sample.labels)
    value = whole(sample.value, of=key)
    if part != "bucket":
        return Series(key, key, arm, part, value)
    unit = _text(sample.name, {name: value for name, value in sample.labels.items() if name != "le"})
    try:
        bound = float(sample.labels["le"])
    except (KeyError, ValueError):
        raise ImplausibleError(f"{key} has no number in its label 'le'") from None
    return Series(key, unit, arm, part, value, bound)


def _text(name: str, labels: Mapping[str, str]) -> str:
    told = (f"{label}={json.dumps(labels[label], ensure_ascii=False)}" for label in sorted(labels))
    return f"{name}{{{','.join(told)}}}"


# --- options --------------------------------------------------------------------------------------


def read_options(kpi: str, kind: Kind, raw: Mapping[str, Any]) -> ScrapeOptions:
    """The options of a scrape signal, checked. Raises InputError that names the option and the place."""
    where = f"KPI '{kpi}', signal"
    needed = (*COMMON, *PARTS[kind])
    _refuse_unknown(raw, (*needed, "timeout"), where)
    given = {name: _needed_text(raw, name, where) for name in needed}
    if given["candidate"] == given["baseline"]:
        raise InputError(
            f"{where}.candidate: the same as 'baseline'",
            hint=f"give the two values of the label '{given['arm_label']}' that tell the versions apart",
        )
    parts = {name: _selector(given[name], f"{where}.{name}", given["arm_label"]) for name in PARTS[kind]}
    return ScrapeOptions(
        source=Source(_url(given["url"], where), _timeout(raw.get("timeout", "2s"), where)),
        arm_label=given["arm_label"],
        arms={given["candidate"]: "candidate", given["baseline"]: "baseline"},
        parts=(
            {"bucket": _base_name(parts["histogram"], where)}
            if kind == "latency"
            else {part: parts[part] for part in COUNTED if part in parts}
        ),
    )


def _refuse_unknown(raw: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for name in raw:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"known are: {', '.join(known)}"
            raise InputError(f"{where}.{name}: a scrape signal has no such option", hint=hint)


def _needed_text(raw: Mapping[str, Any], name: str, where: str) -> str:
    value = raw.get(name)
    if value is None or value == "":
        raise InputError(f"{where}.{name}: missing", hint=f"a scrape signal needs '{name}'")
    if not isinstance(value, str):
        raise InputError(f"{where}.{name}: not a text: {value!r}", hint="put the value in quotes")
    return value


def _selector(text: str, where: str, arm_label: str) -> Selector:
    selector = parse_selector(text, where=where)
    if selector.names_label(arm_label):
        raise InputError(
            f"{where}: the selector already chooses '{arm_label}', the label that tells the versions apart",
            hint="leave that label out; 'candidate' and 'baseline' fill it in",
        )
    return selector


def _base_name(selector: Selector, where: str) -> Selector:
    base = selector.metric.removesuffix("_bucket")
    if base != selector.metric or selector.names_label("le"):
        raise InputError(
            f"{where}.histogram: name the histogram, not its buckets", hint=f"write '{base}', without 'le'"
        )
    return selector


def _url(text: str, where: str) -> str:
    try:
        parts = urlsplit(text)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise InputError(f"{where}.url: not a web address: {text!r}", hint="write http://host:port/metrics")
    if parts.username or parts.password:
        raise InputError(
            f"{where}.url: a password does not belong into a release file",
            hint="let Rollway read the page without one, from an address that only it can reach",
        )
    return text


def _timeout(raw: Any, where: str) -> float:
    try:
        length = parse_duration(raw)
    except ValueError as error:
        raise InputError(f"{where}.timeout: {error}") from None
    if not timedelta(0) < length <= LONGEST_TIMEOUT:
        raise InputError(f"{where}.timeout: must be more than 0s and at most 60s")
    return length.total_seconds()
