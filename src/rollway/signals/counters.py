"""From two looks at cumulative counters to what happened between them; pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from rollway.judge import Counts, Histogram

Arm = Literal["candidate", "baseline"]
Part = Literal["total", "bad", "bucket"]
Counters = Mapping[str, int]

ARMS: tuple[Arm, ...] = ("candidate", "baseline")
MOST_SERIES = 5_000
# Two clocks and two readings of the same start may differ by this much (seconds).
START_JITTER = 2.0
CLOCK_SKEW = 5.0

NOT_COUNTED = "something began again, so this interval is not counted"
_BUCKETS = "_bucket"


class ImplausibleError(Exception):
    """The page's numbers cannot be true; the text says which and why."""


class TornError(ImplausibleError):
    """Lines of one histogram that cannot be of one moment, or not of the same life as those before."""


class RestartedError(Exception):
    """The page's numbers may be true, but not what lies between them and the ones before."""


def part_name(metric: str, part: Part) -> str:
    """What the lines of this part of a metric are called: of a classic histogram, its buckets."""
    return f"{metric}{_BUCKETS}" if part == "bucket" else metric


def base_name(name: str) -> str:
    """The histogram's name, where the name is that of its buckets."""
    return name.removesuffix(_BUCKETS)


@dataclass(frozen=True, slots=True)
class Series:
    """One counter of one arm. Those of one `unit` are the buckets of one histogram.

    `bound` is the bucket's upper bound in seconds, infinite for the last one and for what is no bucket.
    """

    key: str
    unit: str
    arm: Arm
    part: Part
    value: int
    bound: float = math.inf


@dataclass(frozen=True, slots=True)
class Mark:
    """Where the next interval starts: the counters of the last page, and those of older pages only."""

    counters: Counters = field(default_factory=dict)
    absent: Counters = field(default_factory=dict)


def whole(value: float, *, of: str) -> int:
    """A counter's value as a whole number; fractions are cut off here, so that they never add up wrong."""
    if not math.isfinite(value) or value < 0:
        raise ImplausibleError(f"{of} is {value:g}, which no counter can be")
    return math.floor(value + 1e-9)


def refuse_doubtful(series: Iterable[Series]) -> None:
    """Raise ImplausibleError for a series told twice, and for more series than a cursor should hold."""
    seen = Counter((one.part, one.key) for one in series)
    twice = next((key for (_, key), times in seen.items() if times > 1), None)
    if twice is not None:
        raise ImplausibleError(f"{twice} is on the page twice")
    if len(seen) > MOST_SERIES:
        raise ImplausibleError(f"{len(seen)} series match, more than {MOST_SERIES}; narrow the selector")


Process = Literal["same", "restarted", "another"]


def compare_process(before: float | None, now: float | None, *, seen_at: float) -> Process:
    """Whether the process that answers is the one that answered at `seen_at` (all unix seconds).

    `before` and `now` are what it said of its own start. A later start is a restart only if it lies
    after we last looked; anything else is a second process behind the same address, whose counters
    must not be subtracted from the first one's.
    """
    if before is None or now is None or abs(now - before) <= START_JITTER:
        return "same"
    return "restarted" if now > before and now >= seen_at - CLOCK_SKEW else "another"


def increases(series: Iterable[Series], before: Mark) -> dict[str, int]:
    """By how much each counter rose, by its key. One that was never seen began at 0.

    Raises RestartedError where a counter fell. A fall says that something began again, not what: counting
    only the fallen ones from 0 mixes two lives (a total that rose from 1000 to 1200 with its errors that
    fell from 40 to 24 gives 12% where 2% is true), and counting all from 0 may count the whole history
    of those that never stopped. So nothing is counted, and the next interval starts from here.
    """
    known = list(series)
    fallen = next((one for one in known if one.value < before.counters.get(one.key, 0)), None)
    if fallen is not None:
        past = before.counters[fallen.key]
        raise RestartedError(f"{fallen.key} fell from {past} to {fallen.value}; {NOT_COUNTED}")
    lost = _lost_by_return(known, before.absent)
    return {one.key: one.value - before.counters.get(one.key, lost.get(one.key, 0)) for one in known}


def _lost_by_return(series: list[Series], absent: Counters) -> Counters:
    """What to subtract from counters that were gone at the last look and are back.

    Back with less: they began again, and all of it is new. Back with no less: they went on. Some so and
    some so cannot be told apart, and raises RestartedError.
    """
    back = [one for one in series if absent.get(one.key, 0) > 0]
    less = [one for one in back if one.value < absent[one.key]]
    if not less:
        return absent
    if len(less) < len(back):
        raise RestartedError(
            f"{less[0].key} came back with {less[0].value} after {absent[less[0].key]}; {NOT_COUNTED}"
        )
    return {}


def remembered(series: Iterable[Series], before: Mark) -> Mark:
    """The mark to start from next time, after a page that was read or one whose counters fell.

    A counter that is missing from the page keeps its old value: were it dropped, its whole history would
    count as new when it comes back. What has just gone is forgotten last: it may have missed a scrape.
    """
    now = {one.key: one.value for one in series}
    gone = {key: value for key, value in before.counters.items() if key not in now}
    long_gone = {key: value for key, value in before.absent.items() if key not in now}
    for absent in ({**long_gone, **gone}, gone):
        if len(now) + len(absent) <= MOST_SERIES:
            return Mark(now, absent)
    return Mark(now, {})


def counts_by_arm(series: Iterable[Series], before: Mark) -> dict[Arm, Counts | None]:
    """Per arm the trials and the bad ones since `before`; None where an arm has no series of trials.

    Raises ImplausibleError where more are bad than there were at all, RestartedError where a counter fell.
    """
    known = list(series)
    risen = increases(known, before)
    found: dict[Arm, Counts | None] = {}
    for arm in ARMS:
        trials = [risen[one.key] for one in known if one.arm == arm and one.part == "total"]
        bad = sum(risen[one.key] for one in known if one.arm == arm and one.part == "bad")
        if bad > sum(trials) and trials:
            raise ImplausibleError(f"{bad} bad ones among {sum(trials)} in the {arm} arm")
        found[arm] = Counts(sum(trials), bad) if trials else None
    return found


def histograms_by_arm(series: Iterable[Series], before: Mark) -> dict[Arm, Histogram | None]:
    """Per arm the durations since `before`, over the bounds that all series of both arms share.

    Cumulative counts at a shared bound add up exactly, so unlike buckets cost detail, never truth.
    None where an arm has no series. Raises ImplausibleError for buckets that cannot be true, TornError where
    durations of some lengths were lost, RestartedError where a counter fell.
    """
    known = list(series)
    _refuse_broken_buckets(known)
    risen = increases(known, before)
    units: dict[tuple[Arm, str], dict[float, int]] = {}
    for one in known:
        units.setdefault((one.arm, one.unit), {})[one.bound] = risen[one.key]
    _refuse_torn(units)
    shared = set.intersection(*(set(unit) for unit in units.values())) if units else set()
    if units and len(shared) < 2:
        raise ImplausibleError("the histograms of the two arms share no bucket bound")
    bounds = sorted(shared)
    found: dict[Arm, Histogram | None] = {}
    for arm in ARMS:
        own = [unit for (owner, _), unit in units.items() if owner == arm]
        totals = [0, *(sum(unit[bound] for unit in own) for bound in bounds)]
        counts = tuple(above - below for below, above in pairwise(totals))
        found[arm] = Histogram(tuple(bounds[:-1]), counts) if own else None
    return found


def _refuse_broken_buckets(series: Iterable[Series]) -> None:
    units: dict[str, dict[float, int]] = {}
    for one in series:
        units.setdefault(one.unit, {})[one.bound] = one.value
    for name, unit in units.items():
        values = [unit[bound] for bound in sorted(unit)]
        if math.inf not in unit:
            raise ImplausibleError(f'{name} has no bucket le="+Inf"')
        if values != sorted(values):
            raise ImplausibleError(f"the buckets of {name} are not cumulative")


def _refuse_torn(units: Mapping[tuple[Arm, str], Mapping[float, int]]) -> None:
    """Of each histogram by itself: added up, one that rises enough hides what another one lost."""
    for (_, name), unit in units.items():
        risen = [unit[bound] for bound in sorted(unit)]
        if risen != sorted(risen):
            raise TornError(f"a bucket of {name} went back by itself")
