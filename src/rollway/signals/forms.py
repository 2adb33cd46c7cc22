"""A histogram that is told in two forms, classic and native, is counted in one of them; pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from rollway.signals.counters import (
    MOST_SERIES,
    NOT_COUNTED,
    Arm,
    ImplausibleError,
    Mark,
    RestartedError,
    Series,
    remembered,
)
from rollway.signals.native import Steps, bounds_of


@dataclass(frozen=True, slots=True)
class Native:
    """One native histogram of one arm. `unit` names it, as it names the buckets of its classic form, of
    which the cursor's keys begin and end with `around`."""

    unit: str
    around: tuple[str, str]
    arm: Arm
    steps: Steps

    def is_bucket(self, key: str) -> bool:
        begin, end = self.around
        return key.startswith(begin) and key.endswith(end)


@dataclass(frozen=True, slots=True)
class Told:
    """All that a page tells of the counters that were asked for."""

    series: tuple[Series, ...] = ()
    natives: tuple[Native, ...] = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """Where the next interval starts: the mark of plain counters, and the same of native histograms."""

    mark: Mark = field(default_factory=Mark)
    natives: Mapping[str, Steps] = field(default_factory=dict)
    absent: Mapping[str, Steps] = field(default_factory=dict)

    def knows(self, unit: str) -> bool:
        return unit in self.natives or unit in self.absent


def in_one_form(told: Told, before: Memory) -> Told:
    """Each histogram once: all in the form in which all are told, the native one where both are.

    What was counted in the classic form stays there as long as it can: a change of form costs an interval.
    Where neither form has all, each histogram is read in the one that it has.
    """
    if not told.natives or not told.series:
        return told
    natives = {one.unit for one in told.natives}
    classic = {one.unit for one in told.series}
    is_held = bool(before.mark.counters) and not before.natives
    if classic >= natives and (is_held or not natives >= classic):
        return Told(told.series)
    return Told(tuple(one for one in told.series if one.unit not in natives), told.natives)


def refuse_many(told: Told) -> None:
    """Raise ImplausibleError for more figures than a cursor should hold."""
    figures = len(told.series) + sum(len(one.steps.edges) + 1 for one in told.natives)
    if figures > MOST_SERIES:
        raise ImplausibleError(
            f"{len(told.natives)} native histograms match, with more than {MOST_SERIES} figures; "
            "narrow the selector"
        )


def refuse_switched(told: Told, before: Memory) -> None:
    """Raise RestartedError where a histogram is told in another form than before: its two pasts are not to
    be subtracted from each other."""
    known = before.mark.counters.keys() | before.mark.absent.keys()
    for one in told.natives:
        if known and not before.knows(one.unit) and any(map(one.is_bucket, known)):
            raise RestartedError(f"{one.unit} is a native histogram now, a classic one before; {NOT_COUNTED}")
    for series in told.series:
        if before.knows(series.unit):
            raise RestartedError(
                f"{series.unit} is a classic histogram now, a native one before; {NOT_COUNTED}"
            )


def memory_after(told: Told, before: Memory) -> Memory:
    """The memory to start from next time. Each histogram is in it in one form only."""
    mark = remembered(told.series, before.mark)
    new = [one for one in told.natives if not before.knows(one.unit)]
    if new and mark.absent:
        kept = {
            key: value for key, value in mark.absent.items() if not any(one.is_bucket(key) for one in new)
        }
        mark = Mark(mark.counters, kept)
    natives = {one.unit: one.steps for one in told.natives}
    classic = {one.unit for one in told.series}
    gone, long_gone = (
        {unit: steps for unit, steps in known.items() if unit not in natives and unit not in classic}
        for known in (before.natives, before.absent)
    )
    for absent in ({**long_gone, **gone}, gone):
        if _figures(natives) + _figures(absent) <= MOST_SERIES:
            return Memory(mark, natives, absent)
    return Memory(mark, natives, {})


def _figures(known: Mapping[str, Steps]) -> int:
    return sum(len(steps.edges) + 1 for steps in known.values())


def as_buckets(told: Told, before: Memory) -> tuple[list[Series], Mark]:
    """All histograms as buckets on bounds that each of them knows, now and at its last look.

    Raises RestartedError for a native one whose buckets cannot be subtracted from those before.
    """
    bounds = bounds_of((one.steps for one in told.natives), (one.bound for one in told.series))
    series, counters, absent = list(told.series), dict(before.mark.counters), dict(before.mark.absent)
    for one in told.natives:
        is_there = one.unit in before.natives
        past = before.natives.get(one.unit) or before.absent.get(one.unit)
        _refuse_odd(one, past)
        rows = list(_rows(one, bounds, past))
        if past is not None:
            _refuse_reset(one, bounds, rows)
        memory = counters if is_there else absent
        for bound, now, then in rows:
            key = one.unit if bound == math.inf else f"{one.unit} up to {bound:g} s"
            series.append(Series(key, one.unit, one.arm, "bucket", now, bound))
            if then is not None:
                memory[key] = then
    return series, Mark(counters, absent)


_Row = tuple[float, int, int | None]


def _rows(one: Native, bounds: Sequence[float], past: Steps | None) -> Iterator[_Row]:
    """Bound, count up to it, and the same before; all durations first, so that a fall is told of them."""
    yield math.inf, one.steps.total, None if past is None else past.total
    for bound in bounds:
        now = one.steps.up_to(bound)
        then = None if past is None else past.up_to(bound)
        if now is not None and (past is None or then is not None):
            yield bound, now, then


def _refuse_odd(one: Native, past: Steps | None) -> None:
    more = one.steps.odd - (past.odd if past is not None else 0)
    if more > 0:
        raise RestartedError(
            f"{one.unit} has {more} that no duration can be, below zero or not a number; "
            "this interval is not counted"
        )


def _refuse_reset(one: Native, bounds: Sequence[float], rows: Sequence[_Row]) -> None:
    if bounds and len(rows) == 1:
        raise RestartedError(f"{one.unit} has none of the buckets that it had; {NOT_COUNTED}")
    risen = [now - (then or 0) for _, now, then in (*rows[1:], rows[0])]
    is_fallen = any(more < 0 for more in risen)
    if not is_fallen and any(more < less for less, more in pairwise(risen)):
        raise RestartedError(f"{one.unit} lost durations of some lengths only; {NOT_COUNTED}")
