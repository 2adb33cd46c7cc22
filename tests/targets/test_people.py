"""People are asked once for each step, and nothing counts before they say so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.errors import InputError, TemporaryError
from rollway.rollout.ports import Errand, Surroundings
from rollway.rollout.serving import Served, is_clear
from rollway.targets.people import PeopleTarget
from rollway.targets.people_steps import course_of
from rollway.targets.sites import SitesTarget
from support.shops import Shops

OPTIONS = {
    "owner": "eva",
    "backup": "tom",
    "candidate": "2.4.0",
    "up": "Install {candidate} for {groups}: {percent} %",
    "down": "Take {candidate} back: {percent} %",
}


class Shelf:
    """The errands of one rollout, in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, Errand] = {}
        self.asked: list[str] = []

    def ask(self, errands: Any) -> None:
        for errand in errands:
            if errand.key not in self.rows:
                self.rows[errand.key] = errand
                self.asked.append(errand.key)

    def withdraw(self, keys: Any) -> None:
        for key in keys:
            self.rows.pop(key, None)

    def read(self) -> dict[str, Errand]:
        return dict(self.rows)

    def say(self, key: str, state: Any = "done", actor: str = "eva", note: str = "") -> None:
        self.rows[key] = replace(self.rows[key], state=state, actor=actor, note=note)

    @property
    def open(self) -> list[str]:
        return [key for key, errand in self.rows.items() if errand.state == "asked"]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def target(shelf: Shelf | None, **more: Any) -> PeopleTarget:
    given = {name: value for name, value in {**OPTIONS, **more}.items() if value is not None}
    return PeopleTarget(given, Surroundings("r-1", None, shelf))  # type: ignore[arg-type]


def test_a_share_is_asked_for_once_and_served_when_it_is_confirmed(shelf: Shelf) -> None:
    """The engine tells the same at every tick; eva is asked once, and is waited for."""
    switch = target(shelf)
    assert switch.observe() == Served(0.0, groups=())
    for fence in (1, 2, 3):
        switch.apply(0.1, fence=fence)
        assert switch.observe().share == 0.0
    assert switch.observe().note == "people are asked: 1-up-10 (eva, tom)"
    assert shelf.rows["1-up-10"] == Errand("1-up-10", "eva, tom", "Install 2.4.0 for everyone: 10 %")
    shelf.say("1-up-10", note="all tills up")
    assert switch.observe() == Served(0.1, groups=(), note="1-up-10: eva: done (all tills up)")
    switch.apply(0.1, fence=4)
    assert shelf.asked == ["1-up-10"]


def test_each_group_that_joins_is_asked_for_by_itself(shelf: Shelf) -> None:
    """With its own owner where one is named; the share counts when all have said so, groups at once."""
    switch = target(shelf, owners={"Rome": "luca"})
    switch.apply(0.2, fence=1, groups=("Oslo", "Rome"))
    assert {key: errand.owner for key, errand in shelf.rows.items()} == {
        "1-up-20:Oslo": "eva, tom",
        "1-up-20:Rome": "luca, tom",
    }
    shelf.say("1-up-20:Rome", actor="luca")
    assert switch.observe() == Served(0.0, groups=("Rome",), note="people are asked: 1-up-20:Oslo (eva, tom)")
    shelf.say("1-up-20:Oslo")
    assert (switch.observe().share, switch.observe().groups) == (0.2, ("Oslo", "Rome"))
    switch.apply(0.5, fence=7, groups=("Oslo", "Rome", "Wien"))
    assert shelf.open == ["7-up-50:Wien"]
    shelf.say("7-up-50:Wien")
    switch.apply(1.0, fence=9)
    assert shelf.open == ["9-up-100"]
    shelf.say("9-up-100")
    assert (switch.observe().share, switch.observe().groups) == (1.0, ("Oslo", "Rome", "Wien"))


def test_going_back_is_asked_for_at_once_and_withdraws_the_way_up(shelf: Shelf) -> None:
    """Who had begun with the step up may have done half of it: it counts until somebody says it is gone."""
    switch = target(shelf)
    switch.apply(0.1, fence=1)
    shelf.say("1-up-10")
    switch.apply(0.5, fence=2)
    switch.apply(0.0, fence=3)
    assert shelf.open == ["3-back-50-to-0"]
    assert shelf.rows["3-back-50-to-0"].text == "Take 2.4.0 back: 0 %"
    assert switch.observe().share == 0.5
    for fence in (4, 5):
        switch.apply(0.0, fence=fence)
    shelf.say("3-back-50-to-0", actor="tom")
    assert switch.observe() == Served(0.0, groups=(), note="3-back-50-to-0: tom: done")
    assert shelf.asked == ["1-up-10", "2-up-50", "3-back-50-to-0"]


def test_a_rollback_before_anybody_was_asked_asks_nobody(shelf: Shelf) -> None:
    """There is nothing to take back."""
    switch = target(shelf)
    switch.apply(0.0, fence=1)
    assert shelf.rows == {}
    assert switch.observe().share == 0.0


def test_a_step_that_was_never_confirmed_is_taken_back_by_somebody(shelf: Shelf) -> None:
    """It was asked for, so it may have been begun; the rollback does not pass it by."""
    switch = target(shelf)
    switch.apply(0.3, fence=1, groups=("Oslo",))
    switch.apply(0.0, fence=2)
    assert shelf.open == ["2-back-30-to-0"]
    assert switch.observe().share == 0.3


def test_a_failure_holds_the_rollout_and_is_asked_for_once_more_when_it_is_resumed(shelf: Shelf) -> None:
    """What was done of the step is not asked for again."""
    switch = target(shelf)
    switch.apply(0.2, fence=1, groups=("Oslo", "Rome"))
    shelf.say("1-up-20:Oslo")
    shelf.say("1-up-20:Rome", "failed", "tom", "no key to the server room")
    assert switch.observe().refusal == "1-up-20:Rome: tom: failed (no key to the server room)."
    switch.apply(0.2, fence=2, groups=("Oslo", "Rome"))
    assert shelf.open == []
    assert switch.observe().refusal
    switch.apply(0.2, fence=9, groups=("Oslo", "Rome"))
    assert shelf.open == ["9-up-20:Rome"]
    assert switch.observe().refusal == ""
    shelf.say("9-up-20:Rome")
    assert (switch.observe().share, switch.observe().groups) == (0.2, ("Oslo", "Rome"))


def test_who_said_failed_may_say_done(shelf: Shelf) -> None:
    """The refusal goes with the word."""
    switch = target(shelf)
    switch.apply(0.1, fence=1)
    shelf.say("1-up-10", "failed", note="dark")
    assert switch.observe().refusal
    shelf.say("1-up-10")
    assert switch.observe() == Served(0.1, groups=(), note="1-up-10: eva: done")


def test_a_late_call_asks_nobody(shelf: Shelf) -> None:
    """A worker that was away for a while does not send people up again that are on their way back."""
    switch = target(shelf)
    switch.apply(0.1, fence=5)
    switch.apply(0.0, fence=6)
    target(shelf).apply(0.5, fence=4)
    assert shelf.open == ["6-back-10-to-0"]


def test_a_restart_forgets_nothing(shelf: Shelf) -> None:
    """A new object reads the same from the same errands, and asks nothing again."""
    first = target(shelf)
    first.apply(0.2, fence=1, groups=("Oslo", "Rome"))
    shelf.say("1-up-20:Oslo")
    second = target(shelf)
    assert second.observe() == first.observe()
    second.apply(0.2, fence=2, groups=("Oslo", "Rome"))
    assert shelf.asked == ["1-up-20:Oslo", "1-up-20:Rome"]


MOVES = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0]), st.booleans()), max_size=12)


@settings(deadline=None)
@given(MOVES)
def test_whatever_is_told_the_last_word_wins_once_all_is_done(moves: list[tuple[float, bool]]) -> None:
    """After any sequence of steps, answered or not, at most one step is open, and when it is done the share
    is what was told last; nobody is served more than what was told to somebody."""
    shelf = Shelf()
    told = [0.0]
    for fence, (share, is_answered) in enumerate(moves, start=1):
        target(shelf).apply(share, fence=fence)
        target(shelf).apply(share, fence=fence)
        told.append(share)
        assert len(shelf.open) <= 1
        assert target(shelf).observe().share in told
        for key in shelf.open if is_answered else ():
            shelf.say(key)
    for key in shelf.open:
        shelf.say(key)
    served = target(shelf).observe()
    # Up again while the way back is open is asked for as well, so that nothing is ever taken as done.
    assert served.share == told[-1]
    assert len(shelf.asked) == len(set(shelf.asked))


def test_keys_of_others_are_left_alone() -> None:
    """A shelf may hold what somebody else asks for."""
    assert course_of({"verify": Errand("verify", "eva", "Look")}).steps == ()


def test_beforehand_it_says_who_is_asked_and_asks_nobody(shelf: Shelf) -> None:
    """Without somebody who stands in it says so; outside a rollout nothing can be asked."""
    checks = {check.name: (check.state, check.told) for check in target(shelf).preflight()}
    assert checks["reachable"] == ("ok", "eva will be asked for each step; nobody was asked yet")
    assert checks["backup named"] == ("ok", "tom stands in for eva")
    assert checks["way back"][0] == "unknown"
    assert shelf.rows == {}
    assert is_clear(target(None, backup=None).preflight())
    assert target(None).observe() == Served(0.0, groups=())
    with pytest.raises(TemporaryError, match="outside a rollout"):
        target(None).apply(0.1, fence=1)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"owner": None}, "target.owner: is missing"),
        ({"owner": "eva, tom"}, "target.owner: 'eva, tom' is not one person's name"),
        ({"up": "Do {percnt}"}, "target.up: nothing is known as {percnt}"),
        ({"owners": ["eva"]}, "target.owners: is no list of groups"),
        ({"owners": {"Oslo": 7}}, "target.owners: 7 is no name"),
        ({"onwer": "eva"}, "target.onwer: the people target has no such option"),
    ],
)
def test_options_that_cannot_be_used_are_told_by_name(options: dict[str, Any], told: str) -> None:
    """With an example or what there is."""
    with pytest.raises(InputError) as caught:
        target(None, **options)
    assert told in str(caught.value)
    assert caught.value.hint


# --- sites that people change ---------------------------------------------------------------------


@pytest.fixture
def shops(tmp_path: Path) -> Shops:
    return Shops(tmp_path, 6)


def sites(shops: Shops, shelf: Shelf | None, **more: Any) -> SitesTarget:
    owners = {"Oslo": "kari", "Rome": "luca", "Wien": ""}
    given = {
        "sites": [{"site": s, "group": shops.group[s], "owner": owners[shops.group[s]]} for s in shops.names],
        "state": str(shops.state),
        "candidate": "2.4.0",
        "baseline": "2.3.1",
        "up": "Update the tills of {site} to {version}",
        "down": "Set the tills of {site} back to {version}",
        "owner": "eva",
        "backup": "tom",
        **more,
    }
    return SitesTarget(given, Surroundings("r-1", None, shelf))  # type: ignore[arg-type]


def test_sites_are_asked_for_one_by_one_of_their_owners(shops: Shops, shelf: Shelf) -> None:
    """Half of six are three; each counts when its owner says so; a restart changes nothing."""
    switch = sites(shops, shelf)
    switch.apply(0.5, fence=1)
    assert {key: errand.owner for key, errand in shelf.rows.items()} == {
        "1-up:S001": "kari, tom",
        "1-up:S002": "kari, tom",
        "1-up:S003": "luca, tom",
    }
    assert shelf.rows["1-up:S003"].text == "Update the tills of S003 to 2.4.0"
    shelf.say("1-up:S001", actor="kari", note="quick")
    assert switch.observe().share == pytest.approx(1 / 6)
    again = sites(shops, shelf)
    again.apply(0.5, fence=2)
    assert len(shelf.asked) == 3
    shelf.say("1-up:S002")
    shelf.say("1-up:S003")
    assert again.observe() == Served(0.5, groups=("Oslo",), note="3 of 6 sites have it")
    assert again.table()[0].told == "kari: done (quick)"


def test_sites_may_be_asked_for_by_group(shops: Shops, shelf: Shelf) -> None:
    """One errand names all sites of the group; both have it once it is done."""
    switch = sites(shops, shelf, each="group")
    switch.apply(0.3, fence=1, groups=("Rome",))
    assert shelf.rows == {
        "1-up:Rome": Errand("1-up:Rome", "luca, tom", "Update the tills of S003, S004 to 2.4.0")
    }
    shelf.say("1-up:Rome")
    assert switch.observe().groups == ("Rome",)
    assert switch.observe().share == switch.nearest(0.3) == pytest.approx(2 / 6)


def test_a_crash_between_the_book_and_the_asking_asks_once(shops: Shops, shelf: Shelf) -> None:
    """The book says what was about to be asked for; the next life asks for exactly that."""

    class Broken(Shelf):
        def ask(self, errands: Any) -> None:
            raise TemporaryError("the engine is gone")

    with pytest.raises(TemporaryError):
        sites(shops, Broken()).apply(0.5, fence=1)
    sites(shops, shelf).apply(0.5, fence=2)
    assert shelf.asked == ["1-up:S001", "1-up:S002", "1-up:S003"]


def test_sites_go_back_by_the_same_people_and_open_errands_are_withdrawn(shops: Shops, shelf: Shelf) -> None:
    """The confirmed one and those that may have been begun; nothing is over before all have said so."""
    switch = sites(shops, shelf)
    switch.apply(0.5, fence=1)
    shelf.say("1-up:S001")
    switch.observe()
    switch.apply(0.0, fence=2)
    assert shelf.open == ["2-back:S001", "2-back:S002", "2-back:S003"]
    assert switch.observe().share == 0.5
    for name in ("S001", "S002"):
        shelf.say(f"2-back:{name}")
    shelf.say("2-back:S003", "failed", "luca", "till 2 is stuck")
    assert switch.observe().share == pytest.approx(1 / 6)
    assert "could not be taken back (S003; luca: failed (till 2 is stuck))" in switch.observe().note
    shelf.say("2-back:S003")
    assert switch.observe().share == 0.0


def test_failures_at_sites_are_counted_against_the_budget(shops: Shops, shelf: Shelf) -> None:
    """One of three may fail; the second holds the rollout, and both are asked for anew when it is resumed."""
    switch = sites(shops, shelf, failures=1)
    switch.apply(0.5, fence=1)
    shelf.say("1-up:S001", "failed", "kari", "dark")
    assert switch.observe().refusal == ""
    shelf.say("1-up:S002", "failed", "kari", "dark too")
    assert switch.observe().refusal.startswith("2 of 3 sites failed (at most 1 may): S001, S002. S001 said:")
    switch.apply(0.5, fence=2)
    assert shelf.open == ["1-up:S003"]
    switch.apply(0.5, fence=7)
    assert shelf.open == ["1-up:S003", "7-up:S001", "7-up:S002"]
    assert switch.observe().refusal == ""


def test_beforehand_somebody_must_be_named_for_each_site(shops: Shops, shelf: Shelf) -> None:
    """Two shops of Vienna have no owner, and there is none for all."""
    checks = {check.name: check for check in sites(shops, None, owner="x").preflight()}
    assert checks["owners named"].told == "3 people are asked"
    texts = {"candidate": "2", "baseline": "1", "up": "Do", "down": "Undo"}
    options = {"sites": list(shops.names), "state": str(shops.state), **texts}
    without = SitesTarget(options, Surroundings("r-1", None))  # type: ignore[arg-type]
    failed = [check.told for check in without.preflight() if check.state == "failed"]
    assert failed == ["nobody is asked for S001, S002, S003, S004, S005 and 1 more"]
    assert shelf.rows == {}
