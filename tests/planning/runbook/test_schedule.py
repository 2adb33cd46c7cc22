"""Earliest and latest times, slack, wall clocks on nights of all lengths, and people."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from planning.runbook.books import book, task
from rollway.planning.runbooks import Runbook, Task, conflicts, make_schedule, person_loads

HOUR = 3600.0


@st.composite
def networks(draw: st.DrawFn) -> Runbook:
    """Up to a dozen tasks, each after some that stand before it, in a shuffled list."""
    count = draw(st.integers(1, 12))
    tasks = []
    for number in range(count):
        before = draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        at = draw(st.none() | st.integers(0, 90))
        names = [f"t{one}" for one in sorted(before)]
        tasks.append(
            task(f"t{number}", *names, minutes=draw(st.integers(0, 60)), at=None if at is None else at * 60.0)
        )
    return book(*draw(st.permutations(tasks)))


def longest(runbook: Runbook, one: Task) -> float:
    """The earliest end by plain recursion over all chains."""
    before = [longest(runbook, runbook.tasks[runbook.index[name]]) for name in one.after]
    return max([one.at or 0.0, *before]) + one.seconds


@settings(max_examples=150, deadline=None)
@given(networks())
def test_earliest_times_are_the_longest_chains(runbook: Runbook) -> None:
    """The forward pass agrees with recursion, and its finish with the largest of them."""
    schedule = make_schedule(runbook)
    ends = {one.id: longest(runbook, one) for one in runbook.tasks}
    assert {name: at.earliest_end for name, at in schedule.times.items()} == ends
    assert schedule.finish == max(ends.values())


@settings(max_examples=150, deadline=None)
@given(networks())
def test_slack_is_exactly_what_a_task_may_be_late(runbook: Runbook) -> None:
    """Later by its slack, the finish stands; later by one minute more, the finish moves."""
    schedule = make_schedule(runbook)
    for place, one in enumerate(runbook.tasks):
        slack = schedule.times[one.id].slack
        assert slack >= 0
        for late, moves in ((slack, False), (slack + 60, True)):
            moved = Task(
                **{name: getattr(one, name) for name in one.__slots__} | {"duration": one.seconds + late}
            )
            again = make_schedule(book(*runbook.tasks[:place], moved, *runbook.tasks[place + 1 :]))
            assert (again.finish > schedule.finish) == moves


@settings(max_examples=100, deadline=None)
@given(networks())
def test_the_critical_path_carries_the_finish(runbook: Runbook) -> None:
    """Its tasks follow each other without a gap, have no slack, and end at the finish."""
    schedule = make_schedule(runbook)
    path = [schedule.times[name] for name in schedule.critical]
    assert path[-1].earliest_end == schedule.finish
    assert all(one.slack == 0 for one in path)
    assert all(one.earliest_end == two.earliest_start for one, two in pairwise(path))


def test_nothing_of_the_night_begins_before_t() -> None:
    """What was ready early waits for T."""
    runbook = book(task("ready", phase="before", at=-5 * HOUR), task("a", "ready"))
    assert make_schedule(runbook).times["a"].earliest_start == 0


def test_clocks_jump_and_durations_do_not() -> None:
    """In the night with an hour less, five hours after 22:00 it is four o'clock; in the other one, two."""
    for day, month, wall in ((27, 3, 4), (30, 10, 2)):
        start = datetime(2027, month, day, 20 if month == 10 else 21, tzinfo=UTC)
        runbook = book(task("a", at=5 * HOUR), start=start)
        assert runbook.moment(0).hour == 22
        assert runbook.moment(5 * HOUR).hour == wall


def test_each_owner_reads_their_own_clock() -> None:
    """A task's zone, else its owner's, else the runbook's."""
    runbook = book(task("a", owner="bob"), task("b"), task("c", owner="bob", timezone="Asia/Tokyo"))
    zones = [runbook.zone_of(one) for one in runbook.tasks]
    assert zones == ["America/New_York", "Europe/Berlin", "Asia/Tokyo"]
    assert f"{runbook.moment(0, zones[0]):%a %H:%M %Z}" == "Sat 17:00 EDT"


def test_nobody_is_in_two_places_at_once() -> None:
    """Overlapping tasks of one person are a conflict; one right after the other are none."""
    found = book(task("a", owner="ann"), task("b", owner="ann", at=300.0))
    (clash,) = conflicts(found, make_schedule(found))
    assert (clash.kind, clash.person, clash.tasks) == ("twice at once", "ann", ("a", "b"))
    assert (clash.start, clash.end) == (300.0, 600.0)
    sound = book(task("a", owner="ann"), task("b", "a", owner="ann"))
    assert conflicts(sound, make_schedule(sound)) == ()


def test_a_team_works_on_as_many_tasks_as_it_has_seats() -> None:
    """A thousand at once for the crew is no conflict."""
    runbook = book(*(task(f"t{n}") for n in range(50)))
    assert conflicts(runbook, make_schedule(runbook)) == ()


def test_between_two_nights_there_is_rest() -> None:
    """Fourteen hours with short pauses are one shift and too long; eleven hours part two shifts."""
    early, late = task("a", owner="ann", minutes=60), task("b", owner="ann", minutes=60, at=13 * HOUR)
    runbook = book(early, task("m", owner="ann", minutes=60, at=6 * HOUR), late)
    (clash,) = conflicts(runbook, make_schedule(runbook))
    assert (clash.kind, clash.tasks, clash.end) == ("no rest", ("a", "m", "b"), 14 * HOUR)
    rested = book(early, late)
    assert conflicts(rested, make_schedule(rested)) == ()


def test_the_load_of_a_person_adds_up() -> None:
    """Tasks, work, first, last, and the longest shift."""
    runbook = book(task("a", owner="ann", minutes=60), task("b", owner="ann", minutes=30, at=2 * HOUR))
    (load,) = person_loads(runbook, make_schedule(runbook))
    assert (load.tasks, load.seconds, load.start, load.end, load.longest_shift) == (2, 5400, 0, 9000, 9000)
