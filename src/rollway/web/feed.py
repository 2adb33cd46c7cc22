"""/calendar.ics: what rolls out when, and the windows and freezes of the plans, for others to subscribe to.

Each event says the same however often and by whichever process it is asked for: its UID comes from the
rollout and the stage, its version from the moment since which it is true. So nothing has to be kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from fastapi import APIRouter, Request, Response

from rollway.app import Rollway
from rollway.planning import Plan, Stage
from rollway.planning.calendar.entries import Occurrence, entries
from rollway.planning.calendar.feed import Event, service_feed
from rollway.planning.calendar.in_plan import future_state, plan_lines
from rollway.planning.calendar.recurring import Horizon
from rollway.planning.windows import Span
from rollway.rollout import State
from rollway.store import Recorded

TITLE = "Rollway: rollouts"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
KEPT = 180 * DAY
"""How long what has ended stays in the feed."""
AHEAD = 56 * DAY
"""How far windows and freezes are told."""
_TOLD = ("window", "freeze", "peak season", "holiday", "milestone")
_SHORTEST, _SECOND = timedelta(minutes=5), timedelta(seconds=1)
_NOISE = frozenset(
    ("signal", "told", "asked", "refused", "target_failed", "target_back", "exposure_verified", "verdict")
)
"""Entries of the record after which an event says what it said before."""
_REMEMBERED = 2_000


@dataclass(frozen=True, slots=True)
class Course:
    """A rollout as far as the feed is concerned; `record` is without readings and notes."""

    id: str
    plan: Plan
    state: State
    created_at: datetime
    record: Sequence[Recorded]


def feed_routes(rollway: Rollway) -> APIRouter:
    """One address that calendar programs subscribe to."""
    router = APIRouter()
    feed = _Feed(rollway)

    @router.head("/calendar.ics", include_in_schema=False)
    @router.get("/calendar.ics", response_class=Response)
    def calendar_ics(request: Request) -> Response:
        """Rollouts that wait, run and have ended, with their plans' windows and freezes (iCalendar)."""
        now = rollway.clock().astimezone(UTC).replace(microsecond=0)
        data = service_feed(TITLE, "UTC", feed.events(now), Span(now - KEPT, now + AHEAD))
        tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers={"etag": tag})
        return Response(data, media_type="text/calendar; charset=utf-8", headers={"etag": tag})

    return router


class _Feed:
    """Reads rollouts, and remembers what it made of those that have not moved since."""

    def __init__(self, rollway: Rollway) -> None:
        self._rollway = rollway
        self._stages: dict[tuple[object, ...], tuple[tuple[Event, ...], datetime]] = {}
        self._lines: dict[tuple[str, date], tuple[Occurrence, ...]] = {}

    def events(self, now: datetime) -> list[Event]:
        found: list[Event] = []
        since: dict[str, datetime] = {}
        for memory in (self._stages, self._lines):
            if len(memory) > _REMEMBERED:
                memory.clear()
        for row in self._rollway.rollouts.summaries():
            state = State.model_validate_json(row.state)
            if state.ended_at is not None and state.ended_at < now - KEPT:
                continue
            found += self._of_rollout(row.id, row.created_at, state, now)
            if not state.is_final:
                since[row.plan_hash] = min(row.created_at, since.get(row.plan_hash, row.created_at))
                self._remember_lines(row.id, row.plan_hash, now)
        lines = ((self._lines[plan_hash, now.date()], begun) for plan_hash, begun in since.items())
        return [*found, *line_events(lines)]

    def _of_rollout(self, rollout: str, created: datetime, state: State, now: datetime) -> tuple[Event, ...]:
        key = (rollout, state.phase, state.stage, state.entered_at, state.override is None)
        known, until = self._stages.get(key, ((), now))
        if now >= until:
            record = [one for one in self._rollway.rollouts.record(rollout) if one.kind not in _NOISE]
            course = Course(rollout, self._rollway.load(rollout).plan, state, created, record)
            known = tuple(stage_events(course, now))
            edges = (edge for event in known for edge in (event.one.span.start, event.one.span.end))
            until = min((edge for edge in edges if edge > now), default=now + DAY)
            self._stages[key] = known, until
        return known

    def _remember_lines(self, rollout: str, plan_hash: str, now: datetime) -> None:
        if (plan_hash, now.date()) not in self._lines:
            plan = self._rollway.load(rollout).plan
            self._lines[plan_hash, now.date()] = tuple(plan_occurrences(plan, now.date()))


# --- the stages of a rollout -------------------------------------------------------------------------


def stage_events(course: Course, now: datetime) -> Iterator[Event]:
    """Stages that were entered, as they were; the one that is on and those ahead, as they are planned."""
    entered = {one.data["stage"]: one.at for one in course.record if one.kind == "stage_entered"}
    begun = [stage for stage in course.plan.stages if stage.id in entered]
    since = max([one.at for one in course.record], default=course.created_at)
    for number, stage in enumerate(begun):
        begins = entered[stage.id]
        if number + 1 < len(begun):
            ends = entered[begun[number + 1].id]
            yield _event(course, stage, Span(begins, ends), ends, "passed", "CONFIRMED")
        elif course.state.ended_at is not None:
            ends = course.state.ended_at
            told = "done" if course.state.phase == "done" else "rolled back"
            yield _event(course, stage, Span(begins, ends), ends, told, "CONFIRMED")
        else:
            ends, since = _end_of(stage, begins, since, now)
            told = course.state.phase.replace("_", " ")
            yield _event(course, stage, Span(begins, ends), since, told, "CONFIRMED")
    ahead = course.plan.stages[len(begun) :]
    yield from _ahead(course, ahead, ends if begun else None, since, now)


def _ahead(
    course: Course, ahead: Sequence[Stage], begins: datetime | None, since: datetime, now: datetime
) -> Iterator[Event]:
    """What is still to come, each stage after the one before and in a window; cancelled where it will not."""
    ended = course.state.ended_at
    at = begins or ended or course.created_at
    is_over = ended is not None or course.state.phase == "rolling_back"
    told, status = ("will not be entered", "CANCELLED") if is_over else ("planned", "TENTATIVE")
    for stage in ahead:
        opens = at if is_over else _opens(course, stage, max(at, now))
        if not is_over and opens == now:
            # It could have begun and has not: the next full hour is as good a guess as any.
            since = max(since, _whole_hour(now))
            opens = _opens(course, stage, _whole_hour(now) + HOUR)
        if opens is None:
            return
        ends = opens + _length(stage)
        yield _event(course, stage, Span(opens, ends), since, told, status)
        at = ends


def _opens(course: Course, stage: Stage, at: datetime) -> datetime | None:
    """When a stage may be entered from a moment on; None where nothing opens."""
    if not stage.in_window or course.state.override is not None:
        return at
    window = future_state(course.plan, at)
    return at if window.is_open else window.next_open


def _end_of(stage: Stage, begins: datetime, since: datetime, now: datetime) -> tuple[datetime, datetime]:
    """When the stage that is on ends, and since when that is said; by whole hours later if it lasts."""
    planned = begins + _length(stage)
    if planned > now:
        return planned, since
    return _whole_hour(now) + HOUR, max(since, planned, _whole_hour(now))


def _length(stage: Stage) -> timedelta:
    seconds = max(stage.bake_seconds, stage.expected_seconds or 0.0)
    return max(_SHORTEST, timedelta(seconds=round(seconds)))


def _whole_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _event(course: Course, stage: Stage, span: Span, since: datetime, told: str, status: str) -> Event:
    plan = course.plan
    start, end = (moment.replace(microsecond=0) for moment in (span.start, span.end))
    whole = Span(start, max(end, start + _SECOND))
    one = Occurrence(
        "release",
        f"{plan.title or plan.name} {plan.version}, {stage.title}",
        whole,
        _zone(plan),
        note=f"{told}; {stage.exposure.share:.0%} of {stage.exposure.audience}; rollout {course.id}",
        services=(plan.service,) if plan.service else (),
    )
    sequence = max(0, int((since - course.created_at).total_seconds()))
    uid = _uid("stage", course.id, plan.hash, course.created_at.isoformat(), stage.id)
    return Event(one, uid, since, sequence, status)


def _zone(plan: Plan) -> str:
    if plan.windows:
        return plan.windows[0].timezone
    return plan.calendar.calendar.calendar.timezone if plan.calendar else "UTC"


# --- the windows and freezes of plans -----------------------------------------------------------------


def plan_occurrences(plan: Plan, day: date) -> Iterator[Occurrence]:
    """What the plan's windows, freezes and calendar say about the weeks from a day on."""
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    found = entries(plan_lines(plan), Horizon(begin, begin + AHEAD))
    return (one for one in found if one.kind in _TOLD)


def line_events(lines: Iterable[tuple[Iterable[Occurrence], datetime]]) -> list[Event]:
    """What the plans' calendars say, each since a moment; what several of them say alike is told once."""
    found: dict[str, Event] = {}
    for occurrences, since in sorted(lines, key=lambda pair: pair[1]):
        for one in occurrences:
            start, end = one.span.start.isoformat(), one.span.end.isoformat()
            uid = _uid("line", one.kind, one.name, one.key, one.scope, one.zone, one.note, start, end)
            found.setdefault(uid, Event(one, uid, since))
    return list(found.values())


def _uid(*parts: str) -> str:
    return f"{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:32]}@rollouts.rollway"
