"""Reads a KPI from what senders have pushed to Rollway: a survey, a ticket desk, a batch job, a service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from rollway.judge import Assigned, Counts, Histogram, Moments, Reading, Sample
from rollway.rollout.ports import Collected, Cursor, Interval
from rollway.rollout.pushed import PushedShelf, Sent, SentRow, Wanted
from rollway.signals.examined import Examined, Unmatched, there_are
from rollway.signals.push_rows import NAME
from rollway.signals.windowed import Arm, Asked, UnusableError, next_window
from rollway.signals.windowed_options import WindowedOptions

SILENT_SECONDS = 300.0
LATE = "rows came later than `delay`, and are counted in the interval in which they came"
SHAPE: Mapping[str, tuple[type[Sample], str]] = {
    "rate": (Counts, "trials and bad"),
    "check": (Counts, "trials and bad"),
    "assignment": (Assigned, "units"),
    "mean": (Moments, "units, total and squares"),
    "latency": (Histogram, "bounds and counts"),
}


class PushSignal:
    """What was sent to `POST /api/v1/readings`.

    Options:

    - `source`: the sender, as its token names it; `series`: the name of the figures (without it, the KPI's);
    - `candidate`, `baseline`: the values of `arm` for the two versions;
    - `delay` (default 10s): how long rows may be on their way; nothing younger is read.

    A row belongs to the interval in which it ends, and is counted once. One that comes later than `delay` is
    counted in the interval in which it comes, unless it is about the time before the stage or the rollout. A
    version of which nothing was sent is silent: it is not taken for one that had no trials.
    """

    reads_pushed: ClassVar[bool] = True

    def __init__(self, kpi: str, kind: Any, options: Mapping[str, Any], *, pushed: PushedShelf) -> None:
        """Raises InputError, naming the option, without reading anything."""
        # The shared options know no durations; what a kind's rows hold is checked in SHAPE.
        given = WindowedOptions(
            "push", kpi, "rate" if kind == "latency" else kind, options, ("source", "series")
        )
        self.kpi, self.kind, self._arms, self._pushed = kpi, kind, given.arms(), pushed
        self.source, self.series = given.text("source"), given.text("series", kpi)
        for name, value in (("source", self.source), ("series", self.series)):
            if not NAME.fullmatch(value):
                raise given.error(name, f"{value!r} is no name of letters, digits and ._/-")
        self._delay = given.seconds("delay", "10s")

    def collect(self, cursor: Cursor | None, interval: Interval) -> Collected:
        """What was sent since the cursor, `{"until": unix seconds, "seen": number of a row, "begun": unix
        seconds, "stage": id, "late": what is told of late rows}`. Where nothing new was sent there is no
        reading, and the next one covers that time too."""
        asked = next_window(cursor, interval.now, self._delay)
        if asked is None or cursor is None:
            return Collected(None, cursor or self._begin(interval))
        is_same_stage = cursor["stage"] == interval.stage
        begun = cursor["begun"] if is_same_stage else asked.start
        newest = self._pushed.newest(self.source)
        wanted = Wanted(begun, asked.start, asked.end, cursor["seen"], newest)
        sent = self._pushed.sent(self.source, self.series, wanted)
        late = _lateness(sent) or (cursor.get("late", "") if is_same_stage else "")
        after = {"until": asked.end, "seen": newest, "begun": begun, "stage": interval.stage, "late": late}
        try:
            samples = samples_by_arm(self.kind, sent.rows, self._arms)
        except UnusableError as doubt:
            place = (self.kpi, asked.start, asked.end, interval.stage, interval.share)
            return Collected(Reading(*place, problem="implausible"), after, str(doubt))
        if not samples and is_same_stage:
            # `seen` stays too: a row of this time that comes later is then of this interval, and not late.
            return Collected(None, cursor, self._quiet(asked, sent) or late)
        if not samples:
            return Collected(None, {**after, "begun": asked.end})
        reading = Reading(
            kpi=self.kpi,
            start=asked.start,
            end=asked.end,
            stage=interval.stage,
            share=interval.share,
            candidate=samples.get("candidate"),
            baseline=samples.get("baseline"),
        )
        return Collected(reading, after, self._remark(samples, interval.share, late))

    def examine(self, interval: Interval) -> Examined:
        """The versions of which nothing was sent in five minutes, while something was sent of others."""
        newest = self._pushed.newest(self.source)
        begun = interval.now - SILENT_SECONDS
        wanted = Wanted(begun, begun, interval.now, newest, newest)
        there = {row.arm for row in self._pushed.sent(self.source, self.series, wanted).rows}
        if not there:
            return Examined()
        return Examined(
            tuple(
                Unmatched(arm, f'{self.source} sends {self.series} with no arm "{value}"{there_are(there)}')
                for value, arm in self._arms.items()
                if value not in there
            )
        )

    def _begin(self, interval: Interval) -> Cursor:
        at = interval.now - self._delay
        return {"until": at, "seen": self._pushed.newest(self.source), "begun": at, "stage": interval.stage}

    def _quiet(self, asked: Asked, sent: Sent) -> str:
        if asked.end - asked.start <= SILENT_SECONDS:
            return ""
        others = {row.arm for row in sent.rows}
        of = f" of either version{there_are(others)}" if others else ""
        return f"{self.source} has sent nothing for {self.series} for 5 minutes{of}"

    def _remark(self, samples: Mapping[Arm, Sample], share: float, late: str) -> str:
        """Of a version that nobody has there is nothing to send, and nothing to remark."""
        had: dict[Arm, bool] = {"candidate": share > 0, "baseline": share < 1}
        told = [
            f'{self.source} sent nothing with arm "{value}"'
            for value, arm in self._arms.items()
            if arm not in samples and had[arm]
        ]
        return "; ".join([*told, late] if late else told)


def _lateness(sent: Sent) -> str:
    """Said for the rest of the stage, so that a sender who is often late does not fill the record."""
    if sent.too_late:
        return "rows about the time before this stage came too late to be counted"
    return LATE if sent.late else ""


def samples_by_arm(kind: str, rows: Iterable[SentRow], arms: Mapping[str, Arm]) -> dict[Arm, Sample]:
    """The sum of each arm's rows; no entry for an arm without any. Rows of other arms are none of ours.

    Raises UnusableError for rows that hold other figures than the kind needs.
    """
    shape, told = SHAPE[kind]
    found: dict[Arm, list[Any]] = {}
    for row in rows:
        arm = arms.get(row.arm)
        if arm is None:
            continue
        if not isinstance(row.sample, shape):
            raise UnusableError(f"rows of {row.series} hold no {told}, which a {kind} needs")
        found.setdefault(arm, []).append(row.sample)
    if kind == "latency":
        return dict(_histograms(found))
    return {arm: _sum(samples) for arm, samples in found.items()}


def _sum(samples: list[Any]) -> Sample:
    if isinstance(samples[0], Counts):
        return Counts(sum(one.trials for one in samples), sum(one.bad for one in samples))
    if isinstance(samples[0], Assigned):
        return Assigned(sum(one.units for one in samples))
    return Moments(
        sum(one.units for one in samples),
        sum(one.total for one in samples),
        sum(one.squares for one in samples),
    )


def _histograms(found: Mapping[Arm, list[Histogram]]) -> dict[Arm, Histogram]:
    """Over the bounds that all rows of both arms share: unlike buckets cost detail, never truth."""
    every = [set(one.bounds) for samples in found.values() for one in samples]
    shared = sorted(set.intersection(*every)) if every else []
    if every and not shared:
        raise UnusableError("the histograms that were sent share no bound")
    return {arm: _coarsened(samples, shared) for arm, samples in found.items()}


def _coarsened(samples: list[Histogram], bounds: list[float]) -> Histogram:
    counts = [0] * (len(bounds) + 1)
    for one in samples:
        place = 0
        for bound, count in zip((*one.bounds, float("inf")), one.counts, strict=True):
            while place < len(bounds) and bounds[place] < bound:
                place += 1
            counts[place] += count
    return Histogram(tuple(bounds), tuple(counts))
