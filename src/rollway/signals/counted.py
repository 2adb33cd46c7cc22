"""A KPI read from counters that only ever rise: what was counted between two looks, per version."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple

from rollway.errors import TemporaryError
from rollway.judge import Assigned, Problem, Reading
from rollway.judge import Sample as ArmSample
from rollway.rollout.ports import Collected, Cursor, Interval
from rollway.signals.counted_options import CountedOptions, Kind, read_options
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
from rollway.signals.examined import Examined, Labels, Unmatched, find_unmatched
from rollway.signals.pages import Page, Sample, Trouble
from rollway.signals.selector import Selector

START_METRIC = "process_start_time_seconds"
OLD_SECONDS = 60.0


class CountedSignal(ABC):
    """Reads counters through pages, and subtracts. A subclass says where its pages come from.

    Both arms, and all KPIs of one moment, are read from one and the same page. So a request that was
    served just before or after a change of share is counted for the arm that really served it, in an
    interval that is the same for both arms.
    """

    name: ClassVar[str]
    """The type by which a release file names the signal."""
    more: ClassVar[tuple[str, ...]] = ()
    """Options of its own, each a text that may be left out."""

    def __init__(self, kpi: str, kind: Kind, options: Mapping[str, Any]) -> None:
        """Raises InputError for options that cannot be used, without asking anybody anything."""
        self.kpi = kpi
        self.kind = kind
        self.options: CountedOptions = read_options(self.name, kpi, kind, options, more=self.more)

    @abstractmethod
    def page(self, now: float) -> Page | Trouble:
        """The counters as they are; the same for everyone who asks with the same `now` (unix seconds)."""

    def series_of(self, selector: Selector, part: Part, now: float) -> Sequence[Labels] | None:
        """The labels of all series of the selector's metric, of whatever version, as of `now` (unix seconds);
        those that the options name at the least. None where it cannot be told. Raises TemporaryError."""
        return None

    def metrics(self, now: float) -> Collection[str]:
        """The metrics that the source knows; none where it would have to tell too many."""
        return ()

    def examine(self, interval: Interval) -> Examined:
        """What nothing is found for, and all that was counted so far; asked before a rollout only."""
        so_far = self.collect({"at": 0.0, "counters": {}}, interval).reading
        return Examined(self._unmatched(interval.now), so_far)

    def _unmatched(self, now: float) -> tuple[Unmatched, ...] | None:
        series: dict[Part, Sequence[Labels]] = {}
        try:
            for part, selector in self.options.parts.items():
                found = self.series_of(selector, part, now)
                if found is None:
                    return None
                series[part] = found
            return find_unmatched(self.options, series, self.metrics(now))
        except TemporaryError:
            return None

    def collect(self, cursor: Cursor | None, interval: Interval) -> Collected:
        """What was counted since the cursor; never raises for what a service does or does not say.

        The cursor is `{"at": unix seconds, "counters": {series: value}}`, with `"started"` (unix seconds)
        where the page tells it, and `"absent"` for series of older pages. After a problem it stays as it
        was, so that the next good page covers the gap as one interval; but where counters cannot be
        subtracted from those before, it moves on, and the interval is lost. A page that is no newer than the
        last one says nothing: there is no reading then.
        """
        page = self.page(interval.now)
        if isinstance(page, Trouble):
            return self._problem("source_down", page.note, cursor, interval)
        if page.at is not None:
            if cursor and page.at <= cursor["at"]:
                return Collected(None, cursor, self._age(page.at, interval.now))
            interval = replace(interval, now=page.at)
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

    def _age(self, at: float, now: float) -> str:
        """A page that has not changed for long is worth a word; the judge itself calls the evidence stale."""
        return f"nothing new from {self.options.source.url} for a minute" if now - at > OLD_SECONDS else ""

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
    def at(cls, page: Page, options: CountedOptions) -> _Look:
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
    return is_called(sample, part, selector.metric) and selector.matches(sample.labels)


def is_called(sample: Sample, part: Part, metric: str) -> bool:
    """Whether it is a line of this metric: of a histogram, one of its buckets."""
    return sample.name == f"{metric}_bucket" if part == "bucket" else metric in (sample.name, sample.alias)


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
