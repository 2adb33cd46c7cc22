"""Laws of the calendar, held against a second, slower way of reading the same rules."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.calendar.made import EVERY_DAY, at, booking, calendar
from rollway.facts.model import Freeze, Window
from rollway.planning.calendar.reasons import minimal_blocks, minimal_reasons
from rollway.planning.calendar.recurring import DAY, Horizon
from rollway.planning.calendar.rules import Block, Opening, blocks, openings, starts
from rollway.planning.calendar.slots import calendar_state, next_slots
from rollway.planning.windows import Span, window_state

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
# Saturdays before a change of the clocks in one of the zones, and an ordinary one.
MOMENTS = (
    "2026-10-24T05:00Z",
    "2027-03-27T05:00Z",
    "2026-10-31T05:00Z",
    "2026-10-03T05:00Z",
    "2026-06-06T05:00Z",
)
clocks = st.builds(lambda h, m: f"{h:02d}:{m:02d}", st.integers(0, 23), st.sampled_from((0, 15, 30)))
weekdays = st.lists(st.sampled_from(EVERY_DAY), min_size=1, max_size=4, unique=True)
regions = st.sampled_from(([], ["eu"], ["us"]))


@st.composite
def calendars(draw: st.DrawFn) -> dict[str, Any]:
    windows = [
        {
            "name": f"w{number}",
            "days": draw(weekdays),
            "opens": draw(clocks),
            "closes": draw(clocks),
            "timezone": draw(st.sampled_from(ZONES)),
            "regions": draw(regions),
            "overrun": draw(st.booleans()),
        }
        for number in range(draw(st.integers(0, 3)))
    ]
    freezes = [
        {
            "name": f"f{number}",
            "days": draw(weekdays),
            "begins": draw(clocks),
            "ends": draw(clocks),
            "timezone": draw(st.sampled_from(ZONES)),
            "regions": draw(regions),
            "overrun": draw(st.booleans()),
            "lasts_days": draw(st.sampled_from((1, 1, 2))),
        }
        for number in range(draw(st.integers(0, 3)))
    ]
    return {"windows": windows, "freezes": freezes}


releases = st.builds(
    lambda minutes, where: booking(duration=f"{minutes}m", regions=where),
    st.sampled_from((15, 60, 150, 600)),
    st.sampled_from(([], ["eu"], ["eu", "us"])),
)


class Slow:
    """The same calendar, asked minute by minute on the wall clocks; no line is shared with the real one."""

    def __init__(self, lists: dict[str, Any], one: Any) -> None:
        self.lists, self.one = lists, one
        self.spans: dict[str, list[tuple[datetime, datetime]]] = {}
        for entry in lists["windows"]:
            self.spans[entry["name"]] = self._spans(entry, "opens", "closes")
        for entry in lists["freezes"]:
            self.spans[entry["name"]] = self._spans(entry, "begins", "ends")

    @staticmethod
    def _spans(entry: dict[str, Any], begins: str, ends: str) -> list[tuple[datetime, datetime]]:
        zone, found = ZoneInfo(entry["timezone"]), []
        for year, month, day in ((2026, 10, 20), (2027, 3, 22), (2026, 10, 27), (2026, 9, 29), (2026, 6, 2)):
            for offset in range(16):
                on = date(year, month, day) + offset * DAY - 4 * DAY
                if EVERY_DAY[on.weekday()] not in entry["days"]:
                    continue
                days = entry.get("lasts_days", 1) - 1
                if days == 0 and entry[ends] <= entry[begins]:
                    days = 1
                first = datetime.combine(on, time.fromisoformat(entry[begins]))
                last = datetime.combine(on + days * DAY, time.fromisoformat(entry[ends]))
                found.append((_moment(first, zone, last=False), _moment(last, zone, last=True)))
        return [(low, high) for low, high in found if low < high]

    def fits(self, start: datetime) -> bool:
        wanted = self.one.regions or sorted({r for w in self.lists["windows"] for r in w["regions"]}) or [""]
        end = start + self.one.duration
        for region in wanted:
            agreed = [w for w in self.lists["windows"] if not w["regions"] or region in w["regions"]]
            if agreed and not self._in_window(agreed, start, end):
                return False
        for freeze in self.lists["freezes"]:
            if freeze["regions"] and self.one.regions and not set(freeze["regions"]) & set(self.one.regions):
                continue
            for low, high in self.spans[freeze["name"]]:
                if low <= start < high or (not freeze["overrun"] and start < high and low < end):
                    return False
        return True

    def _in_window(self, agreed: list[dict[str, Any]], start: datetime, end: datetime) -> bool:
        inside = [(w, span) for w in agreed for span in self.spans[w["name"]] if span[0] <= start < span[1]]
        if any(w["overrun"] for w, _ in inside):
            return True
        reached = max((span[1] for _, span in inside), default=start)
        while reached < end:
            later = max(
                (high for w in agreed for low, high in self.spans[w["name"]] if low <= reached < high),
                default=reached,
            )
            if later == reached:
                return False
            reached = later
        return bool(inside)


def _moment(wall: datetime, zone: ZoneInfo, *, last: bool) -> datetime:
    """A wall time by trying offsets: the first or last moment that shows it, or the end of the gap."""
    begin = wall.replace(tzinfo=UTC) - timedelta(hours=16)
    shown = [
        moment
        for offset in (-11, -10.5, -9.5, -10, -5, -4, -2, -1, 0, 1, 2, 4, 5, 9.5, 10, 10.5, 11)
        if (moment := wall.replace(tzinfo=UTC) + timedelta(hours=offset))
        .astimezone(zone)
        .replace(tzinfo=None)
        == wall
    ]
    if shown:
        return max(shown) if last else min(shown)
    while begin.astimezone(zone).replace(tzinfo=None) < wall:
        begin += MINUTE
    return begin


@settings(max_examples=60, deadline=None)
@given(calendars(), releases, st.sampled_from(MOMENTS))
def test_a_slot_is_the_first_minute_at_which_the_release_fits(
    lists: dict[str, Any], one: Any, moment: str
) -> None:
    """It fits, and no minute of the two days before it does, by the slow reading."""
    slow, now = Slow(lists, one), at(moment)
    found = next_slots(calendar(**lists), one, now, ahead=3 * DAY).slots
    limit = min(found[0].start if found else now + 3 * DAY, now + 2 * DAY)
    if found and found[0].start <= limit:
        assert slow.fits(found[0].start)
    minute = now
    while minute < limit:
        assert not slow.fits(minute), minute
        minute += MINUTE


@settings(max_examples=60, deadline=None)
@given(calendars(), releases, st.sampled_from(MOMENTS), st.integers(1, 4))
def test_no_slot_meets_a_block(lists: dict[str, Any], one: Any, moment: str, count: int) -> None:
    """From its start to its end; what allows an overrun only keeps its beginning free."""
    drawn, now = calendar(**lists), at(moment)
    for slot in next_slots(drawn, one, now, count, ahead=10 * DAY).slots:
        assert slot.end - slot.start == one.duration
        for block in blocks(drawn, one, Horizon(slot.start - DAY, slot.end + DAY)):
            assert not block.span.has(slot.start)
            assert block.overrun or not (slot.start < block.span.end and block.span.start < slot.end)


@settings(max_examples=60, deadline=None)
@given(calendars(), releases, st.sampled_from(MOMENTS), st.data())
def test_another_freeze_never_makes_a_slot_earlier(
    lists: dict[str, Any], one: Any, moment: str, data: st.DataObject
) -> None:
    """Taking a freeze away never makes the first slot later."""
    if not lists["freezes"]:
        return
    fewer = [*lists["freezes"]]
    fewer.pop(data.draw(st.integers(0, len(fewer) - 1)))
    now = at(moment)
    with_all = next_slots(calendar(**lists), one, now, ahead=10 * DAY).slots
    without = next_slots(calendar(**{**lists, "freezes": fewer}), one, now, ahead=10 * DAY).slots
    if with_all:
        assert without[0].start <= with_all[0].start


@settings(max_examples=60, deadline=None)
@given(calendars(), releases, st.sampled_from(MOMENTS), st.randoms(use_true_random=False))
def test_the_order_of_the_file_changes_nothing(
    lists: dict[str, Any], one: Any, moment: str, random: Any
) -> None:
    """Slots, words and refusals are the same, however the lines are shuffled."""
    shuffled = {key: random.sample(rows, len(rows)) for key, rows in lists.items()}
    now = at(moment)
    assert next_slots(calendar(**lists), one, now, 3, 6 * DAY) == next_slots(
        calendar(**shuffled), one, now, 3, 6 * DAY
    )


@settings(max_examples=60, deadline=None)
@given(calendars(), releases, st.sampled_from(MOMENTS))
def test_reasons_are_enough_and_none_is_too_many(lists: dict[str, Any], one: Any, moment: str) -> None:
    """The rules that are named leave no start in the window; without any one of them a start is left."""
    drawn, now = calendar(**lists), at(moment)
    horizon = Horizon(now, now + 4 * DAY)
    against = blocks(drawn, one, horizon)
    for opening in openings(drawn, one, horizon):
        if not starts(opening, (), one.duration) or starts(opening, against, one.duration):
            continue
        rules = minimal_reasons([opening], against, one.duration)
        named = [block for block in against if block.rule in rules]
        assert not starts(opening, named, one.duration)
        for rule in rules:
            assert starts(opening, [block for block in named if block.rule != rule], one.duration)


@pytest.mark.parametrize("hours", [1, 30, 100])
def test_looking_less_far_finds_the_same(hours: int) -> None:
    """A window that goes on after the last moment looked at is not cut off there."""
    drawn = calendar(
        windows=[{"name": "w", "opens": "00:00", "closes": "24:00"}],
        freezes=[{"name": "f", "first": "2026-11-01", "last": "2026-12-10"}],
    )
    release = booking(duration=f"{hours}h")
    for day in range(1, 31, 4):
        now = datetime(2026, 11, day, tzinfo=UTC)
        found = next_slots(drawn, release, now).slots
        assert found[0].start == at("2026-12-10T23:00Z")
        assert next_slots(drawn, release, now, ahead=found[0].start - now + MINUTE).slots == found


def test_a_reason_that_the_others_can_do_without_is_left_out() -> None:
    """Two freezes of one rule leave no room between them; a third that reaches further adds nothing."""
    midnight = at("2026-11-23T00:00Z")

    def block(rule: str, begin: float, end: float) -> Block:
        return Block(rule, Span(midnight + begin * HOUR, midnight + end * HOUR), rule)

    opening = Opening(Span(midnight, midnight + 6 * HOUR), None, "w", "UTC")
    against = [block("twice", 0, 2), block("twice", 3, 6), block("spare", 0, 2.5)]
    assert minimal_reasons([opening], against, 2 * HOUR) == ("twice",)
    assert [one.rule for one in minimal_blocks(opening, against, 2 * HOUR)] == ["twice", "twice"]
    assert minimal_reasons([opening], against[:1], 2 * HOUR) == ()


whole_days = st.lists(
    st.builds(
        lambda first, length, zone: Freeze(first=first, last=first + length * DAY, timezone=zone),
        st.dates(date(2026, 10, 1), date(2026, 11, 10)),
        st.integers(0, 5),
        st.sampled_from(ZONES),
    ),
    max_size=2,
)
own_windows = st.lists(
    st.builds(Window, days=weekdays.map(tuple), opens=clocks, closes=clocks, timezone=st.sampled_from(ZONES)),
    max_size=3,
)


@settings(max_examples=80, deadline=None)
@given(own_windows, whole_days, st.datetimes(datetime(2026, 10, 1), datetime(2026, 11, 10)))  # noqa: DTZ001
def test_what_is_planned_and_what_is_carried_out_are_of_one_opinion(
    windows: list[Window], freezes: list[Freeze], moment: datetime
) -> None:
    """A rollout that asks at a moment hears what the calendar says about that moment."""
    now = moment.replace(tzinfo=UTC, microsecond=0)
    release = booking(
        windows=[window.model_dump(exclude={"note"}) for window in windows],
        freezes=[
            {**freeze.model_dump(exclude={"reason"}), "name": f"f{n}"} for n, freeze in enumerate(freezes)
        ],
    )
    planned, executed = calendar_state(calendar(), release, now), window_state(windows, freezes, now)
    assert (planned.is_open, planned.next_open) == (executed.is_open, executed.next_open)
