"""Readings that came before they may be judged, and readings that came too late.

A reading is judged once it is complete and both versions' watermarks have passed its end; one behind it
waits with it, for evidence is added up in the order of time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from operator import attrgetter
from typing import Any

from rollway.judge.model import Reading, sample_from_json, sample_to_json
from rollway.judge.plausible import is_finite
from rollway.judge.quick import quick

# An hour of readings every 15 seconds: a source that is further behind is of no use to a rollout.
MOST_WAITING = 240
# By this many ends of the past a repeated reading is told from one that is late.
REMEMBERED = 64

_end = attrgetter("end")


@quick
@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits of one KPI, in order of time, and what became of the rest.

    candidate_until, baseline_until: the furthest watermarks so far (unix seconds). recent: the last ends
    that were judged or dropped. late: how many readings came after a later one was judged; lost: how many
    were given up because too many waited.
    """

    readings: tuple[Reading, ...] = ()
    candidate_until: float | None = None
    baseline_until: float | None = None
    recent: tuple[float, ...] = ()
    late: int = 0
    lost: int = 0

    @property
    def newest(self) -> Reading | None:
        return self.readings[-1] if self.readings else None


NOTHING_WAITS = Waiting()


def may_wait(reading: Reading) -> bool:
    """Whether the reading says anything of watermarks or of more to come; most sources never do."""
    return (
        not reading.is_complete or reading.candidate_until is not None or reading.baseline_until is not None
    )


def are_watermarks(reading: Reading) -> bool:
    """Whether the watermarks can be right: each finite or None."""
    new, old = reading.candidate_until, reading.baseline_until
    return (new is None or is_finite(new)) and (old is None or is_finite(old))


def judged(waiting: Waiting, end: float) -> Waiting:
    """After the reading with this end was judged."""
    return Waiting(
        waiting.readings,
        waiting.candidate_until,
        waiting.baseline_until,
        waiting.recent[1 - REMEMBERED :] + (end,),  # noqa: RUF005  # half the time of (*..., end)
        waiting.late,
        waiting.lost,
    )


def too_late(waiting: Waiting, end: float) -> Waiting:
    """After a reading that is not later than the last one judged: counted as late, unless it is a repetition.

    What is older than all that is remembered cannot be told from a repetition, and is not counted.
    """
    is_forgotten = len(waiting.recent) >= REMEMBERED and end < min(waiting.recent)
    if end in waiting.recent or is_forgotten:
        return waiting
    return replace(judged(waiting, end), late=waiting.late + 1)


def put(waiting: Waiting, reading: Reading, last_end: float | None) -> Waiting:
    """With the reading in the queue; `last_end` is that of the last one judged.

    A second reading of an end replaces the first one only where that was not complete.
    """
    waiting = _advance(waiting, reading)
    if last_end is not None and reading.end <= last_end:
        return too_late(waiting, reading.end)
    queue = waiting.readings
    place = bisect_left(queue, reading.end, key=_end)
    if place == len(queue) or queue[place].end != reading.end:
        return replace(waiting, readings=(*queue[:place], reading, *queue[place:]))
    if queue[place].is_complete:
        return waiting
    return replace(waiting, readings=(*queue[:place], reading, *queue[place + 1 :]))


def _advance(waiting: Waiting, reading: Reading) -> Waiting:
    """The watermarks never fall. A complete reading without them says that all until its end is there."""
    if reading.problem is not None:
        return waiting
    default = reading.end if reading.is_complete else None
    return replace(
        waiting,
        candidate_until=_later(waiting.candidate_until, reading.candidate_until, default),
        baseline_until=_later(waiting.baseline_until, reading.baseline_until, default),
    )


def _later(before: float | None, said: float | None, default: float | None) -> float | None:
    now = default if said is None else float(said)
    return max((mark for mark in (before, now) if mark is not None), default=None)


def take(waiting: Waiting) -> tuple[Waiting, tuple[Reading, ...]]:
    """What still waits, and what may be judged now, in order of time.

    Where more than MOST_WAITING wait, the oldest are given up, so that a reading that is never completed
    does not hold up the others for good.
    """
    queue, taken, lost = list(waiting.readings), list[Reading](), list[float]()
    while queue:
        if _may_be_judged(waiting, queue[0]):
            taken.append(queue.pop(0))
        elif len(queue) > MOST_WAITING:
            lost.append(queue.pop(0).end)
        else:
            break
    recent = (*waiting.recent, *lost)[-REMEMBERED:]
    left = replace(waiting, readings=tuple(queue), recent=recent, lost=waiting.lost + len(lost))
    return left, tuple(taken)


def _may_be_judged(waiting: Waiting, reading: Reading) -> bool:
    if not reading.is_complete:
        return False
    if reading.problem is not None:
        return True
    marks = waiting.candidate_until, waiting.baseline_until
    return all(mark is not None and reading.end <= mark for mark in marks)


def dump(waiting: Waiting) -> dict[str, Any]:
    """As plain JSON; `load` gives it back bit for bit."""
    return {
        **{field.name: getattr(waiting, field.name) for field in fields(waiting)},
        "recent": list(waiting.recent),
        "readings": [_dump_reading(one) for one in waiting.readings],
    }


def load(raw: Mapping[str, Any]) -> Waiting:
    """What `dump` wrote. Raises KeyError, TypeError, ValueError, InputError."""
    readings = tuple(_load_reading(one) for one in raw["readings"])
    return Waiting(**{**raw, "recent": tuple(map(float, raw["recent"])), "readings": readings})


def _dump_reading(reading: Reading) -> dict[str, Any]:
    samples = {arm: sample_to_json(getattr(reading, arm)) for arm in ("candidate", "baseline")}
    return {**asdict(replace(reading, candidate=None, baseline=None)), **samples}


def _load_reading(raw: Mapping[str, Any]) -> Reading:
    samples = {arm: sample_from_json(raw[arm]) for arm in ("candidate", "baseline")}
    return Reading(**{**raw, **samples})
