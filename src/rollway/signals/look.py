"""What matters of a page to one KPI: the series that were asked for, and what to remember of them; pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import NamedTuple

from rollway.rollout.ports import Cursor
from rollway.signals.counted_options import CountedOptions
from rollway.signals.counters import (
    Arm,
    ImplausibleError,
    Mark,
    Part,
    Series,
    part_name,
    refuse_doubtful,
    whole,
)
from rollway.signals.forms import Memory, Native, Told, in_one_form, memory_after, refuse_many
from rollway.signals.native import Steps, steps_of
from rollway.signals.pages import NativeSample, Page, Sample
from rollway.signals.selector import Selector
from rollway.signals.spelling import LE, key_spelled_once, spelled_once

START_METRIC = "process_start_time_seconds"


class Look(NamedTuple):
    """What matters of a page: the series that were asked for, when the process says it started, and a series
    that fell before what is told of it now."""

    told: Told
    started: float | None
    fallen: str = ""

    @classmethod
    def of(cls, page: Page, options: CountedOptions) -> Look:
        """Raises ImplausibleError for numbers that cannot be true, and for too many of them."""
        found: list[Series] = []
        starts: list[float] = []
        for sample in page.samples:
            if sample.name == START_METRIC and math.isfinite(sample.value):
                starts.append(sample.value)
            arm = options.arms.get(sample.labels.get(options.arm_label, ""))
            if arm is not None:
                found += [
                    _series(sample, arm, part, selector.metric)
                    for part, selector in options.parts.items()
                    if _is_meant(sample, part, selector)
                ]
        refuse_doubtful(found)
        told = Told(tuple(found), _natives(page, options))
        # Several starts mean a page that gathers many processes; none speaks for all.
        return cls(told, starts[0] if len(starts) == 1 else None, page.fallen)

    def in_one_form(self, before: Memory) -> Look:
        """Raises ImplausibleError for more figures than a cursor should hold, in the form that is read."""
        told = in_one_form(self.told, before)
        refuse_many(told)
        return self._replace(told=told)

    def seen(self) -> set[tuple[Arm, Part]]:
        """Which parts of which arms there are."""
        return {(one.arm, one.part) for one in self.told.series} | {
            (one.arm, "bucket") for one in self.told.natives
        }

    def cursor(self, now: float, before: Memory) -> Cursor:
        memory = memory_after(self.told, before)
        cursor: Cursor = {"at": now, "counters": dict(memory.mark.counters)}
        if memory.mark.absent:
            cursor["absent"] = dict(memory.mark.absent)
        for name, natives in (("native", memory.natives), ("native_absent", memory.absent)):
            if natives:
                cursor[name] = {unit: steps.to_json() for unit, steps in natives.items()}
        return cursor if self.started is None else {**cursor, "started": self.started}


def memory_of(cursor: Cursor) -> Memory:
    """What a cursor holds; nothing, where there is none yet."""
    natives, absent = (
        {unit: Steps.from_json(told) for unit, told in cursor.get(name, {}).items()}
        for name in ("native", "native_absent")
    )
    # Rollouts that were begun before bounds had one spelling have them in the database as they were told.
    counters, gone = (
        {key_spelled_once(key): value for key, value in cursor.get(name, {}).items()}
        for name in ("counters", "absent")
    )
    return Memory(Mark(counters, gone), natives, absent)


def is_called(sample: Sample, part: Part, metric: str) -> bool:
    """Whether it is a line of this metric: of a histogram, one of its buckets."""
    name = part_name(metric, part)
    return sample.name == name if part == "bucket" else name in (sample.name, sample.alias)


def _is_meant(sample: Sample, part: Part, selector: Selector) -> bool:
    return is_called(sample, part, selector.metric) and selector.matches(sample.labels)


def _series(sample: Sample, arm: Arm, part: Part, metric: str) -> Series:
    labels = spelled_once(sample.labels)
    key = series_text(sample.name, labels)
    value = whole(sample.value, of=key)
    if part != "bucket":
        return Series(key, key, arm, part, value)
    unit = series_text(metric, {name: value for name, value in labels.items() if name != LE})
    try:
        bound = float(labels[LE])
    except (KeyError, ValueError):
        raise ImplausibleError(f"{key} has no number in its label 'le'") from None
    return Series(key, unit, arm, part, value, bound)


def _natives(page: Page, options: CountedOptions) -> tuple[Native, ...]:
    selector = options.parts.get("bucket")
    if selector is None:
        return ()
    return tuple(
        _native(sample, options.arms[sample.labels[options.arm_label]], selector.metric)
        for sample in page.natives
        if sample.name == selector.metric
        and sample.labels.get(options.arm_label) in options.arms
        and selector.matches(sample.labels)
    )


def _native(sample: NativeSample, arm: Arm, metric: str) -> Native:
    unit = series_text(metric, sample.labels)
    told = _labels(sample.labels)
    begin = ",".join((*(text for name, text in told if name < LE), f'{LE}="'))
    end = ",".join(('"', *(text for name, text in told if name > LE)))
    around = (f"{part_name(metric, 'bucket')}{{{begin}", f"{end}}}")
    return Native(unit, around, arm, steps_of(sample.observed, sample.buckets, of=unit))


def _labels(labels: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, f"{name}={json.dumps(labels[name], ensure_ascii=False)}") for name in sorted(labels)]


def series_text(name: str, labels: Mapping[str, str]) -> str:
    """A series as a page writes it, and as a cursor knows it: the labels in order."""
    return f"{name}{{{','.join(text for _, text in _labels(labels))}}}"
