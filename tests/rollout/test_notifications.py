"""From the record to what the outside is told: keys, words, the right stage, and who wants which."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.planning import Message
from rollway.rollout import Entry, State, begin
from rollway.rollout.notifications import (
    GROUPS,
    KINDS,
    WORDS,
    Notification,
    for_channel,
    is_wanted,
    notifications_of,
    same_channel,
)
from support.stories import START, canary

PLAN = canary()
RUNNING = State(phase="running", stage=1, started_at=START, desired_share=0.1, heard="healthy")


def told_of(*entries: Entry, state: State = RUNNING, plan: object = PLAN) -> tuple[Notification, ...]:
    numbered = tuple(enumerate(entries, start=7))
    return notifications_of("reporting-1", plan, state, START, numbered)  # type: ignore[arg-type]


def message(kind: str, channel: str, **more: object) -> Message:
    body = {"stage": "ten", "when": "", "audience": "support", "channel": channel, "text": f"a {kind}"}
    return Message.model_validate({**body, "kind": kind, "id": f"ten-{kind}", **more})


def test_the_key_is_the_entry_s_place_in_the_record() -> None:
    """The same entry has the same key however often it is looked at, and no two share one."""
    entries = (Entry(kind="verdict", text="healthy"), Entry(kind="held", text="held"))
    assert told_of(*entries) == told_of(*entries)
    assert [told.key for told in told_of(*entries)] == ["reporting-1:7", "reporting-1:8"]


def test_each_entry_is_told_with_the_stage_and_share_it_belongs_to() -> None:
    """Of one tick that passes a stage and enters the next: the first is told of the stage that was left."""
    passed, entered = told_of(
        Entry(kind="stage_passed", text="baseline passed"),
        Entry(kind="stage_entered", text="Entering ten", data={"stage": "ten", "share": 0.1}),
    )
    assert (passed.data["stage"], passed.data["share"]) == ("baseline", 0.0)
    assert (entered.data["stage"], entered.data["share"], entered.data["verdict"]) == ("ten", 0.1, "healthy")
    assert passed.title == "reporting 2.4.0: baseline passed"
    assert entered.title == "reporting 2.4.0: entering ten"


def test_what_led_to_a_rollback_is_told_with_the_share_users_had() -> None:
    """The verdict came at ten percent, though nobody is served any more after the tick."""
    going_back = RUNNING.model_copy(
        update={"phase": "rolling_back", "desired_share": 0.0, "heard": "harmful"}
    )
    verdict, rollback = told_of(
        Entry(kind="verdict", text="harmful: errors"),
        Entry(kind="rollback", text="Rolling back", data={"from_share": 0.1}),
        state=going_back,
    )
    assert (verdict.data["share"], rollback.data["share"]) == (0.1, 0.0)
    assert rollback.title == "reporting 2.4.0: rolling back"


def test_what_was_called_off_before_it_began_does_not_roll_back() -> None:
    """Nobody had anything that could be taken from them."""
    off = begin().model_copy(update={"phase": "rolled_back"})
    (told,) = told_of(Entry(kind="rollback", text="Called off"), state=off)
    assert told.title == "reporting 2.4.0: called off"


@given(
    kind=st.sampled_from([*KINDS, "something_new"]),
    data=st.dictionaries(
        st.sampled_from(["stage", "share", "from_share"]), st.none() | st.text() | st.floats()
    ),
    stage=st.integers(0, 3),
)
def test_no_entry_whatever_stops_a_tick(kind: str, data: dict[str, object], stage: int) -> None:
    """The mapping runs inside the tick's transaction: it takes every entry, and gives plain JSON."""
    state = RUNNING.model_copy(update={"stage": stage})
    told = told_of(Entry(kind=kind, text="x", data=data), Entry(kind=kind, text="y"), state=state)
    assert len(told) == 2
    assert json.loads(json.dumps([one.data for one in told]))


def test_groups_name_kinds_and_main_leaves_out_what_is_quiet() -> None:
    """A kind that came later is told to those who asked for nothing in particular."""
    assert is_wanted("rollback", ["trouble"])
    assert is_wanted("done", ["ends"])
    assert not is_wanted("done", ["trouble", "held"])
    assert is_wanted("held", ["held"])
    assert not is_wanted("verdict", ["main"])
    assert is_wanted("verdict", ["all"])
    assert is_wanted("something_new", ["main"])
    assert not is_wanted("something_new", ["stages"])
    assert set().union(*GROUPS.values()) <= set(KINDS) <= WORDS


@pytest.mark.parametrize(
    ("kind", "entry"),
    [
        ("news", Entry(kind="stage_entered", text="Entering ten", data={"stage": "ten"})),
        ("decision", Entry(kind="asked", text="a person is asked")),
        ("rollback", Entry(kind="rolled_back", text="Rolled back")),
    ],
)
def test_a_message_of_the_plan_follows_what_it_is_bound_to(kind: str, entry: Entry) -> None:
    """To the channel of its name as it stands; to one that forwards, with whom it is for."""
    bound = message(kind, "Status page", offset_seconds=0.0, sender="Ana")
    plan = canary(communication=(bound, message("notice", "e-mail", offset_seconds=-86400.0)))
    told, letter = told_of(entry, plan=plan)
    assert letter.key == f"{told.key}:ten-{kind}"
    own = for_channel(letter, "status-page", ("all",), "own")
    assert own is not None
    assert (own.text, own.title) == (f"a {kind}", "reporting 2.4.0")
    handed = for_channel(letter, "ops-chat", ("main",), "all")
    assert handed is not None
    assert handed.title == "reporting 2.4.0: to forward to support by Status page, from Ana"
    assert handed.key != own.key
    assert for_channel(letter, "ops-chat", ("all",), "own") is None
    assert for_channel(letter, "status-page", ("all",), "") is None


def test_users_are_told_of_a_rollback_when_they_have_the_old_version() -> None:
    """Not once more when the last undo step is done, which may be days later."""
    plan = canary(communication=(message("rollback", "status page"),))
    back = RUNNING.model_copy(update={"back_at": START})
    first = told_of(Entry(kind="traffic_back", text=""), plan=plan, state=back)
    last = told_of(Entry(kind="rolled_back", text=""), plan=plan, state=back)
    assert [told.kind for told in first + last] == ["traffic_back", "message", "rolled_back"]


def test_an_entry_that_names_a_stage_is_told_of_that_one() -> None:
    """What is waited for before the next stage is no news of this one; small details go along."""
    data = {"stage": "half", "gates": ["trained"], "verdict": {"guards": []}}
    (told,) = told_of(Entry(kind="gates_open", text="Before half", data=data))
    assert (told.data["stage"], told.data["share"]) == ("half", 0.1)
    assert told.title == "reporting 2.4.0: people are waited for before half"
    assert told.data["details"] == {"stage": "half", "gates": ["trained"]}


def test_what_is_still_to_be_translated_goes_to_nobody_by_itself() -> None:
    """The English text of a German message is for somebody who puts it into German."""
    bound = message("news", "status page", offset_seconds=0.0, language="de", to_write=True)
    plan = canary(communication=(bound,))
    _, letter = told_of(Entry(kind="stage_entered", text="", data={"stage": "ten"}), plan=plan)
    assert for_channel(letter, "status-page", ("all",), "own") is None
    handed = for_channel(letter, "status-page", ("all",), "all")
    assert handed is not None
    assert "put into 'de' first" in handed.title


def test_names_of_channels_are_compared_as_people_read_them() -> None:
    """A plan says `status page`; a channel is called `status-page`."""
    assert same_channel("Status page", "status-page")
    assert not same_channel("status page", "status")
