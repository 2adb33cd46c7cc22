"""Sites by command: real programs change real files of shops, a bounded number at once, and none twice."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rollway.errors import InputError, TemporaryError
from rollway.rollout.ports import Surroundings
from rollway.rollout.serving import Served
from rollway.targets.sites import SitesTarget
from rollway.targets.sites_command import log_of
from support.shops import Shops
from support.sites import Told, target


def test_a_share_is_the_first_so_many_sites_and_each_is_changed_once(shops: Shops) -> None:
    """A quarter of twelve shops are three; a larger share leaves them alone; all of it is read back."""
    told = Told(target(shops))
    assert told.until(0.25).share == 0.25
    assert shops.having() == ["S001", "S002", "S003"]
    assert told.until(1.0) == Served(1.0, groups=("Oslo", "Rome", "Wien"), note="12 of 12 sites have it")
    assert set(shops.runs().values()) == {1}
    assert shops.having() == shops.names


def test_groups_are_their_sites(shops: Shops) -> None:
    """The sites of a group get it as a whole, and those of the groups before keep it."""
    told = Told(target(shops))
    assert told.until(0.3, ("Rome",)).groups == ("Rome",)
    assert shops.having() == ["S005", "S006", "S007", "S008"]
    # The share of users that the plan tells with the groups is another one than that of the sites.
    assert told.target.observe().share == told.target.nearest(0.3) == pytest.approx(4 / 12)
    assert told.until(0.6, ("Rome", "Wien")).groups == ("Rome", "Wien")
    with pytest.raises(TemporaryError, match="no site is of the group Paris"):
        told.target.apply(0.6, fence=99, groups=("Paris",))
    # A share after groups takes it from none of those that have it.
    assert told.until(0.75).share == 0.75
    assert set(shops.runs().values()) == {1}
    assert shops.having() == ["S001", *shops.names[4:]]


def test_going_back_is_the_other_way_round_and_ends_with_everybody_on_the_old_version(shops: Shops) -> None:
    """The shop that got it last gives it back first."""
    told = Told(target(shops, parallel=1))
    told.until(0.5)
    assert told.until(0.0).share == 0.0
    assert shops.having("2.3.1") == shops.names
    back = [shop for what, shop, version in shops.diary() if what == "begin" and version == "2.3.1"]
    assert back == ["S006", "S005", "S004", "S003", "S002", "S001"]


def test_a_call_does_not_wait_for_the_sites(shops: Shops) -> None:
    """The tick goes on while shops are being changed, and reads how far they are."""
    shops.slow(0.8)
    told = Told(target(shops, parallel=3))
    began = time.monotonic()
    told.target.apply(1.0, fence=1)
    assert time.monotonic() - began < 0.7
    served = told.until(1.0, when=lambda served: "being changed" in served.note)
    assert served.share < 1
    assert served.note == "0 of 12 sites have it, 3 are being changed"
    told.until(0.0, within=20)
    assert shops.having() == []


def test_at_most_so_many_run_at_once(shops: Shops) -> None:
    """Three at once, never four, and really three."""
    shops.slow(0.2)
    Told(target(shops, parallel=3)).until(1.0)
    running, most = 0, 0
    for what, _, _ in shops.diary():
        running += {"begin": 1, "end": -1}[what]
        most = max(most, running)
    assert most == 3


def test_a_wave_with_too_many_failures_stops_and_says_which(shops: Shops) -> None:
    """One of six may fail; the second stops the wave, and the rest is not even begun."""
    shops.fail("S001", "S003")
    told = Told(target(shops, parallel=1, failures=1, retries=1))
    served = told.until(0.5, when=lambda served: bool(served.refusal))
    told.rest()
    assert served.refusal == (
        "2 of 6 sites failed (at most 1 may): S001, S003. S001 said: it ended with 1: till 3 is open."
    )
    assert shops.having() == ["S002"]
    assert shops.runs() == {"S001": 2, "S002": 1, "S003": 2}
    assert told.target.observe().share == pytest.approx(1 / 12)
    # Told again without a pause nothing is tried again; after one, those that failed are.
    told.until(0.5, when=lambda served: bool(served.refusal))
    told.rest()
    assert shops.runs()["S001"] == 2
    shops.mend("S001", "S003")
    told.fence += 5
    assert told.until(0.5) == Served(0.5, groups=("Oslo",), note="6 of 12 sites have it")


def test_failures_within_the_budget_are_told_and_do_not_stop_the_wave(shops: Shops) -> None:
    """Ten percent of twelve is one; eleven of twelve is then what the share comes to, and is said."""
    shops.fail("S002")
    told = Told(target(shops, failures="10%"))
    served = told.until(1.0)
    assert served.share == told.target.nearest(1.0) == pytest.approx(11 / 12)
    assert served.note == "11 of 12 sites have it, 1 failed (S002)"
    assert served.refusal == ""
    # Nobody knows what a failed update has left behind, so that shop is taken back too.
    told.until(0.0)
    assert shops.runs("2.3.1")["S002"] == 1


def test_a_site_that_cannot_be_taken_back_keeps_the_rollback_open(shops: Shops) -> None:
    """It is named, the others go back all the same, and it is tried again by itself."""
    told = Told(target(shops))
    told.until(0.25)
    shops.fail("S002", at="2.3.1")
    served = told.until(0.0, when=lambda served: "could not" in served.note)
    told.rest()
    assert "1 could not be taken back (S002; it ended with 1: till 3 is open)" in served.note
    assert told.target.observe().share == pytest.approx(1 / 12)
    shops.mend("S002")
    told.target.clock = lambda: time.time() + 31
    assert told.until(0.0).share == 0.0
    assert shops.having() == []


def test_a_command_that_says_well_is_not_believed(shops: Shops) -> None:
    """The check tells another version than the one that was given: the site has failed."""
    told = Told(target(shops, up=[sys.executable, "-c", "print('all fine')"]))
    served = told.until(0.25, when=lambda served: bool(served.refusal))
    assert served.share == 0
    assert "the check tells 2.3.1 and not 2.4.0" in served.refusal


def test_a_command_that_hangs_is_ended_with_all_it_started(shops: Shops, tmp_path: Path) -> None:
    """Neither the command nor its children outlive their time."""
    child = f"import pathlib, time; time.sleep(3); pathlib.Path({str(tmp_path / 'late')!r}).touch()"
    hang = (
        f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    )
    told = Told(target(shops, up=[sys.executable, "-c", hang], timeout=1, parallel=1))
    served = told.until(0.1, when=lambda served: bool(served.refusal))
    assert "S001 said: it took longer than 1 s and was ended" in served.refusal
    time.sleep(2.5)
    assert not (tmp_path / "late").exists()


def test_hostile_names_stay_words(tmp_path: Path) -> None:
    """There is no shell, and a name that looks like a place to fill in is not filled in."""
    names = ["a b; touch broken", "{version}", "../x"]
    show = "import pathlib, sys; pathlib.Path(sys.argv[1]).open('a').write(repr(sys.argv[2:]) + chr(10))"
    words = [sys.executable, "-c", show, str(tmp_path / "said"), "{site}", "{version}"]
    given = Shops(tmp_path, 1).options(sites=names, up=words, check=None, parallel=1)
    switch = SitesTarget(given, Surroundings(rollout="r-1", flags=None))  # type: ignore[arg-type]
    Told(switch).until(1.0)
    assert (tmp_path / "said").read_text().splitlines() == [repr([name, "2.4.0"]) for name in names]
    assert sorted(path.parent for path in tmp_path.rglob("*.log")) == [tmp_path / "state" / "logs"] * 3


def test_what_was_told_late_changes_nothing(shops: Shops) -> None:
    """A delayed call of the way up does not undo the way back, also from another worker's object."""
    told = Told(target(shops))
    told.until(0.25)
    told.until(0.0)
    target(shops).apply(0.25, fence=1)
    assert told.target.observe().share == 0
    Told(target(shops, "r-2")).until(0.25)
    told.target.apply(0.0, fence=10_000)
    assert target(shops, "r-2").observe().share == 0.25


def test_a_paused_rollout_begins_no_more_sites_and_nothing_is_taken_back(shops: Shops) -> None:
    """Observed twice without being told, the wave stops; what is there stands for what is asked for."""
    shops.slow(0.15)
    told = Told(target(shops, parallel=1))
    seen = told.until(1.0, when=lambda served: served.share > 0.1).share
    told.target.observe()
    told.target.observe()
    told.rest()
    stands = told.target.observe().share
    assert seen <= stands < 1
    assert told.target.nearest(seen) == stands
    assert told.until(1.0).share == 1
    assert set(shops.runs().values()) == {1}


def test_a_group_that_gets_whole_after_a_pause_is_not_reported_before_it_is_told_again(shops: Shops) -> None:
    """Else the engine would take it for somebody else's doing, and take it back."""
    shops.slow(0.6, "S004")
    told = Told(target(shops, parallel=4))
    told.until(0.3, ("Oslo",), when=lambda served: served.share == pytest.approx(3 / 12))
    told.rest()
    for one in (told.target, target(shops)):
        assert one.observe() == Served(pytest.approx(4 / 12), groups=(), note="4 of 12 sites have it")
    assert told.until(0.3, ("Oslo",)).groups == ("Oslo",)


def test_another_worker_goes_on_where_the_first_was(shops: Shops) -> None:
    """Two objects on one folder, as two workers have: one of them works, both read the same."""
    shops.slow(0.05)
    one, two = Told(target(shops)), target(shops)
    one.target.apply(1.0, fence=1)
    two.apply(1.0, fence=2)
    assert [one.target._crew.is_at_work, two._crew.is_at_work].count(True) == 1
    one.fence = 2
    one.until(1.0)
    assert two.observe() == one.target.observe()
    assert set(shops.runs().values()) == {1}
    assert two.nearest(1.0) == 1.0


def test_a_site_on_which_an_earlier_life_still_works_is_left_alone(shops: Shops) -> None:
    """While the lock is held nothing is run there; when it is free the check tells that nothing is left."""
    told = Told(target(shops))
    told.until(0.25)
    with log_of(shops.state, "S004").open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        told.until(1.0, when=lambda served: served.share == pytest.approx(11 / 12))
        told.rest()
        assert shops.runs()["S004"] == 0
    told.until(1.0)
    assert shops.runs()["S004"] == 1


def test_the_command_outlives_a_killed_engine_and_is_not_run_again(shops: Shops, tmp_path: Path) -> None:
    """kill -9 in the middle: what was begun ends by itself, the rest is done by the next life, each once."""
    shops.slow(1.0, *shops.names[3:6])
    engine = (
        "import json, sys, time\n"
        "from rollway.rollout.ports import Surroundings\n"
        "from rollway.targets.sites import SitesTarget\n"
        "target = SitesTarget(json.loads(sys.argv[1]), Surroundings(rollout='r-1', flags=None))\n"
        "target.apply(1.0, fence=1)\n"
        "time.sleep(60)\n"
    )
    words = [sys.executable, "-c", engine, json.dumps(shops.options(parallel=3))]
    first = subprocess.Popen(words)
    deadline = time.monotonic() + 20
    while sum(shops.runs().values()) < 6:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert len(shops.having()) == 3
    told = Told(target(shops, parallel=3))
    told.fence = 1
    assert told.until(1.0).share == 1.0
    assert "clash" not in {what for what, _, _ in shops.diary()}
    assert set(shops.runs().values()) == {1}
    assert {row.told for row in told.target.table()} >= {"it has 2.4.0 already"}


def test_sites_are_changed_in_their_own_night(shops: Shops) -> None:
    """Four zones, one moment: only where it is night is anything changed, and the others say when."""
    zones = {"Oslo": "Europe/Oslo", "Rome": "America/New_York", "Wien": "Asia/Tokyo"}
    sites = [
        {"site": name, "group": shops.group[name], "timezone": zones[shops.group[name]]}
        for name in shops.names
    ]
    told = Told(target(shops, sites=sites, hours="22:00-05:00"))
    # Half past ten in Oslo in summer; late afternoon in New York, half past five in the morning in Tokyo.
    told.target.clock = lambda: datetime(2027, 7, 1, 20, 30, tzinfo=UTC).timestamp()
    served = told.until(1.0, when=lambda served: served.share == pytest.approx(4 / 12))
    told.rest()
    assert served.groups == ("Oslo",)
    assert told.target.observe().note.endswith(
        "some wait for their hours 22:00-05:00 (the next from 2027-07-02 02:00 UTC)"
    )
    told.target.clock = lambda: datetime(2027, 7, 2, 2, 0, tzinfo=UTC).timestamp()
    told.until(1.0, when=lambda served: served.groups == ("Oslo", "Rome"))
    # Back is at any hour: it is noon in all of them but one.
    told.target.clock = lambda: datetime(2027, 7, 2, 10, 0, tzinfo=UTC).timestamp()
    assert told.until(0.0).share == 0


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        # The clocks in Berlin go from 02:00 to 03:00 on 28 March 2027, and from 03:00 to 02:00 on 31 October.
        (datetime(2027, 3, 28, 2, 59, tzinfo=UTC), True),  # 04:59 in summer time
        (datetime(2027, 3, 28, 3, 0, tzinfo=UTC), False),  # 05:00
        (datetime(2027, 10, 31, 3, 30, tzinfo=UTC), True),  # 04:30 in winter time
        (datetime(2027, 10, 31, 4, 0, tzinfo=UTC), False),
        (datetime(2027, 3, 27, 20, 59, tzinfo=UTC), False),  # 21:59 in winter time
        (datetime(2027, 3, 28, 20, 0, tzinfo=UTC), True),  # 22:00 in summer time
    ],
)
def test_the_nights_in_which_the_clocks_change(shops: Shops, at: datetime, is_open: bool) -> None:
    """Hours are those of the wall clock, whichever way it was moved that night."""
    switch = target(shops, hours="22:00-05:00", timezone="Europe/Berlin")
    switch.clock = at.timestamp
    assert switch._is_open(switch.table()[0]) is is_open


def test_the_list_stays_as_it_was_when_the_rollout_began(shops: Shops, tmp_path: Path) -> None:
    """A file that is changed, or broken, meanwhile neither moves the goal nor stops the way back."""
    file = tmp_path / "tills.csv"
    file.write_text("site;group;owner\n" + "\n".join(f"{name};Oslo;eva" for name in shops.names))
    Told(target(shops, sites=str(file))).until(0.5)
    file.write_text("nothing of use")
    again = Told(target(shops, sites=str(file)))
    again.fence = 100
    assert again.until(0.0).share == 0.0
    assert shops.having() == []
    with pytest.raises(InputError, match=r"tills\.csv:1:1: there is no column 'site'"):
        target(shops, "r-2", sites=str(file))


def test_the_next_release_begins_from_nobody_and_the_same_one_from_where_it_is(shops: Shops) -> None:
    """What a site has of this version counts; what it had of another one does not."""
    Told(target(shops)).until(0.5)
    assert target(shops, "r-2").observe().share == 0.5
    assert target(shops, "r-2", candidate="2.5.0", baseline="2.4.0").observe() == Served(0.0, groups=())
