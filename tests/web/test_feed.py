"""/calendar.ics, read by two readers that are not ours: who waits, runs and has ended, what holds when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import icalendar
import vobject

from planning.calendar.made import calendar, freeze, window
from rollway.planning import Plan
from rollway.planning.calendar.model import Calendar
from web.site import Site
from web.story import EVENING, Story, _release

Found = dict[str, Any]


def feed(site: Site) -> bytes:
    answer = site.client.get("/calendar.ics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    return answer.content


def events(data: bytes, kind: str = "RELEASE") -> Found:
    """The events of a kind by their summary."""
    read = icalendar.Calendar.from_ical(data)
    found = {str(one["SUMMARY"]): one for one in read.walk("VEVENT") if one["CATEGORIES"].cats == [kind]}
    second = vobject.readOne(data.decode()).contents.get("vevent", [])
    assert sorted(one.uid.value for one in second) == sorted(str(one["UID"]) for one in read.walk("VEVENT"))
    return found


def stages(data: bytes) -> list[tuple[str, str]]:
    """The stages in the order of time: the last word of each summary, and how certain it is."""
    found = sorted(events(data).values(), key=lambda one: one["DTSTART"].dt)
    return [(str(one["SUMMARY"]).split(", ")[-1], str(one["STATUS"])) for one in found]


def times(data: bytes, stage: str) -> tuple[datetime, datetime]:
    one = next(one for summary, one in events(data).items() if summary.endswith(stage))
    return one["DTSTART"].dt.astimezone(UTC), one["DTEND"].dt.astimezone(UTC)


def planned(story: Story, one: Calendar) -> Plan:
    return story.rollway.plan(_release(()), None, one)


def test_it_loads_while_there_is_nothing(site: Site) -> None:
    """An empty calendar is a calendar."""
    assert events(feed(site)) == {}


def test_a_rollout_that_waits_is_there_from_the_moment_it_may_begin(story: Story, site: Site) -> None:
    """Its stages follow one another, tentative; the first with users at the opening of its window."""
    story.now = EVENING.replace(hour=12)
    story.start()
    data = feed(site)
    assert {status for _, status in stages(data)} == {"TENTATIVE"}
    begins = [times(data, name) for name, _ in stages(data)]
    assert begins[0][0] == story.now.replace(hour=13, minute=0), "this one needs no window: any time now"
    assert begins[1][0] == datetime(2026, 11, 19, 19, 0, tzinfo=UTC)
    assert all(later[0] >= earlier[1] for earlier, later in pairwise(begins))


def test_a_running_rollout_tells_what_was_and_what_is_planned(story: Story, site: Site) -> None:
    """What was entered has its real times; UIDs stay, and what moved has a higher SEQUENCE."""
    rollout = story.start()
    before = events(feed(site))
    story.tick_until(rollout, lambda state: state.stage == 1)
    entered = {
        one.data["stage"]: one.at
        for one in story.rollway.rollouts.record(rollout)
        if one.kind == "stage_entered"
    }
    data = feed(site)
    after = events(data)
    assert [status for _, status in stages(data)][:3] == ["CONFIRMED", "CONFIRMED", "TENTATIVE"]
    plan = story.rollway.load(rollout).plan
    first, second = plan.stages[0], plan.stages[1]
    assert times(data, first.title) == (entered[first.id], entered[second.id])
    assert {name: str(one["UID"]) for name, one in before.items()} == {
        name: str(one["UID"]) for name, one in after.items()
    }
    moved = [name for name in after if after[name]["DTEND"].dt != before[name]["DTEND"].dt]
    assert moved
    assert all(after[name]["SEQUENCE"] > before[name]["SEQUENCE"] for name in moved)


def test_what_will_not_happen_any_more_is_cancelled(story: Story, site: Site) -> None:
    """After a rollback the stages ahead are cancelled under their UIDs; the one that was on has ended."""
    rollout = story.start()
    story.tick_until(rollout, lambda state: state.stage == 1)
    uids = {name: str(one["UID"]) for name, one in events(feed(site)).items()}
    story.rollway.say(rollout, "rollback", "ines", "numbers look odd")
    story.tick(rollout, 3)
    data = feed(site)
    after = events(data)
    assert {name: str(one["UID"]) for name, one in after.items()} == uids
    statuses = [str(one["STATUS"]) for one in after.values()]
    assert statuses.count("CONFIRMED") == 2
    assert statuses.count("CANCELLED") == len(statuses) - 2
    ended, plan = story.rollway.load(rollout).state.ended_at, story.rollway.load(rollout).plan
    assert times(data, plan.stages[1].title)[1] == ended


def test_it_says_the_same_until_something_happens(story: Story, site: Site) -> None:
    """Byte for byte, also from another process; a subscriber who has it hears 304."""
    rollout = story.start()
    story.tick_until(rollout, lambda state: state.stage == 1)
    answer = site.client.get("/calendar.ics")
    story.tick(rollout, 2)
    tag = {"if-none-match": answer.headers["etag"]}
    assert site.client.get("/calendar.ics", headers=tag).status_code == 304
    site.stop()
    site.start()
    assert feed(site) == answer.content
    story.tick_until(rollout, lambda state: state.stage == 2)
    assert feed(site) != answer.content


def test_the_lines_of_the_plans_calendar_are_there(story: Story, site: Site) -> None:
    """Windows and freezes of the plan and of its calendar; once, though two rollouts have them."""
    one = calendar(
        windows=[window(days=["sat"])],
        freezes=[freeze("year end", reason="books", first="2026-12-18", last="2027-01-05")],
        people=[{"name": "ana", "absences": [{"first": "2026-12-01", "last": "2026-12-02"}]}],
    )
    story.tick(story.start(planned(story, one)))
    data = feed(site)
    held = events(data, "FREEZE")
    assert "Freeze: year end" in held
    assert held["Freeze: year end"]["DTSTART"].dt.isoformat() == "2026-12-18T00:00:00+01:00"
    read = icalendar.Calendar.from_ical(data)
    nights = [one for one in read.walk("VEVENT") if str(one["SUMMARY"]) == "Change window: night"]
    assert len(nights) == 8, "one for each Saturday of eight weeks"
    assert "ana" not in data.decode()
    uids = [str(one["UID"]) for one in read.walk("VEVENT")]
    assert len(uids) == len(set(uids))


def test_planned_stages_keep_out_of_the_calendars_freezes(story: Story, site: Site) -> None:
    """What would begin in a freeze of the calendar is told for the moment after it, as it will be."""
    one = calendar("UTC", freezes=[freeze("move", first="2026-11-19", last="2026-11-24")])
    story.tick(story.start(planned(story, one)))
    data = feed(site)
    begins = sorted(times(data, name)[0] for name, _ in stages(data))
    assert begins[1] == datetime(2026, 11, 25, 0, 0, tzinfo=UTC), "the window of its plan is open then"
    assert story.rollway.newest_rollout() in str(next(iter(events(data).values()))["DESCRIPTION"])


def test_what_lasts_longer_than_planned_ends_later_by_whole_hours(story: Story, site: Site) -> None:
    """So a subscriber hears of it once an hour at most."""
    rollout = story.start()
    story.tick_until(rollout, lambda state: state.stage == 1)
    title = story.rollway.load(rollout).plan.stages[1].title
    story.now += timedelta(days=9)
    _, ends = times(feed(site), title)
    assert ends == story.now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    sequence = events(feed(site))
    story.now += timedelta(hours=1)
    later = events(feed(site))
    name = next(name for name in later if name.endswith(title))
    assert later[name]["SEQUENCE"] > sequence[name]["SEQUENCE"]
