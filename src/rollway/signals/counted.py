"""A KPI read from counters that only ever rise: what was counted between two looks, per version."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from rollway.errors import TemporaryError
from rollway.judge import Assigned, Problem, Reading
from rollway.judge import Sample as ArmSample
from rollway.rollout.ports import Collected, Cursor, Interval
from rollway.signals.counted_options import CountedOptions, Kind, read_options
from rollway.signals.counters import (
    ARMS,
    NOT_COUNTED,
    Arm,
    ImplausibleError,
    Part,
    RestartedError,
    TornError,
    compare_process,
    counts_by_arm,
    histograms_by_arm,
)
from rollway.signals.examined import Examined, Labels, Unmatched, find_unmatched
from rollway.signals.forms import Memory, as_buckets, refuse_switched
from rollway.signals.look import Look, memory_of
from rollway.signals.pages import Page, Trouble
from rollway.signals.selector import Selector

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
    def page(self, now: float, before: Cursor | None = None) -> Page | Trouble:
        """The counters as they are; the same for everyone who asks with the same `now` (unix seconds).
        `before`: the cursor after the last look."""

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
        where the page tells it, `"native"` for native histograms, and `"absent"` and `"native_absent"` for
        series of older pages. After a problem it stays as it was, so that the next good page covers the gap
        as one interval; but where counters cannot be subtracted from those before, it moves on, and the
        interval is lost. A page that is no newer than the last one says nothing: there is no reading then.
        """
        page = self.page(interval.now, cursor or None)
        if isinstance(page, Trouble):
            return self._problem("source_down", page.note, cursor, interval)
        if page.at is not None:
            if cursor and page.at <= cursor["at"]:
                return Collected(None, cursor, self._age(page.at, interval.now))
            interval = replace(interval, now=page.at)
        try:
            return self._collect(Look.of(page, self.options), cursor, interval)
        except ImplausibleError as doubt:
            return self._problem("implausible", str(doubt), cursor, interval)

    def _collect(self, look: Look, cursor: Cursor | None, interval: Interval) -> Collected:
        before = memory_of(cursor or {})
        look = look.in_one_form(before)
        if not cursor:
            return Collected(None, look.cursor(interval.now, before), self._remark(look))
        process = compare_process(cursor.get("started"), look.started, seen_at=cursor["at"])
        if process == "another":
            note = f"another process answers at {self.options.source.url}; scrape each by its own address"
            return self._uncounted(note, look.cursor(interval.now, Memory()), cursor, interval)
        if process == "restarted":
            before = Memory()
        moved_on = look.cursor(interval.now, before)
        try:
            reading = self._reading(cursor, interval, **self._arms(look, before))
        except RestartedError as doubt:
            return self._uncounted(str(doubt), moved_on, cursor, interval)
        except TornError as doubt:
            # A page that was half written is whole at the next look. What began again, and is ahead of its
            # past, would stay implausible for as long as that was.
            if interval.now - cursor["at"] < OLD_SECONDS:
                raise
            return self._uncounted(f"{doubt}; {NOT_COUNTED}", moved_on, cursor, interval)
        if look.fallen:
            note = f"{look.fallen} fell between two looks, and rose again; {NOT_COUNTED}"
            return self._uncounted(note, moved_on, cursor, interval)
        return Collected(reading, moved_on, self._remark(look))

    def _uncounted(self, note: str, moved_on: Cursor, cursor: Cursor, interval: Interval) -> Collected:
        return Collected(self._problem("implausible", note, cursor, interval).reading, moved_on, note)

    def _arms(self, look: Look, before: Memory) -> dict[Arm, ArmSample | None]:
        if self.kind == "latency":
            refuse_switched(look.told, before)
            return {**histograms_by_arm(*as_buckets(look.told, before))}
        counts = counts_by_arm(look.told.series, before.mark)
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

    def _remark(self, look: Look) -> str:
        """What a person should know of a page that could be read: what nothing was found for."""
        seen = look.seen()
        values = {arm: value for value, arm in self.options.arms.items()}
        silent = [
            f'no series with {self.options.arm_label}="{values[arm]}"'
            for arm in ARMS
            if not seen & {(arm, "total"), (arm, "bucket")}
        ]
        if "bad" in self.options.parts and not any(part == "bad" for _, part in seen):
            silent.append("no series matches 'bad' so far: right only if nothing bad ever happened")
        return "; ".join(silent)
