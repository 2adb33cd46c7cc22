"""Rows about the engine itself: its disk, its database, its clock, its process."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from examples.live.servers.reached import status_at
from rollway.rollout.elapsed import WATCHED_WITHIN
from tests.faults.rows import row
from tests.faults.stand import BACK, Stand

KEPT = "nothing is decided that cannot be written down: nobody more is exposed; afterwards it goes on"

WAY_BACK = (
    "the target is told the way back after 10 s without a word written; that is the first that is written"
)


# --- disk -------------------------------------------------------------------------------------------


@contextmanager
def no_room(folder: Path) -> Iterator[None]:
    """All the room of a file system is taken."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1 << 9, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    try:
        yield
    finally:
        ballast.unlink()


@row(
    "disk-full",
    "engine",
    "the data folder's disk is full for 12 s",
    KEPT,
    word=r"^(?!verdict|confirm)",
    engine="small disk",
)
def disk_full(stand: Stand) -> None:
    stand.begin()
    stand.fault()
    with no_room(stand.engine.data):
        stand.stays(12)
        stand.no_new_stage()
        stand.require(stand.engine.process.is_running, "the engine ended")
        _logged(stand)
    stand.goes_on(15)
    stand.require(stand.state.phase == "running", f"it is {stand.state.phase}")


@row(
    "disk-full-bad",
    "engine",
    "the disk is full for 20 s, and 40 % of the new version's answers fail",
    WAY_BACK,
    word="harmful|^rollback",
    engine="small disk",
)
def disk_full_and_bad(stand: Stand) -> None:
    stand.begin()
    stand.fault()
    with no_room(stand.engine.data):
        stand.street.behave("new", fails=0.4)
        stand.stays(20)
        _logged(stand)
    stand.until_phase(BACK, 20)
    stand.went_back_unwritten(16)


def _logged(stand: Stand) -> None:
    text = (stand.engine.folder / "rollway.log").read_text(errors="replace")
    stand.require("full" in text or "locked" in text or "I/O" in text, "the log says nothing of it")


# --- database ---------------------------------------------------------------------------------------


@contextmanager
def locked(stand: Stand) -> Iterator[None]:
    """Another program has the database for itself, to write."""
    with closing(
        sqlite3.connect(stand.engine.data / "rollway.db", isolation_level=None, timeout=20)
    ) as other:
        other.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")


def _locked(seconds: float) -> Callable[[Stand], None]:
    def scenario(stand: Stand) -> None:
        stand.begin()
        stand.fault()
        with locked(stand):
            stand.stays(seconds)
            stand.require(status_at(stand.engine.port, "/healthz") == 200, "it does not answer")
        stand.goes_on(40)
        stand.require(stand.state.phase == "running", f"it is {stand.state.phase}")
        stand.no_new_stage()
        is_told = stand.has("^not_watched")
        stand.require(is_told == (seconds > WATCHED_WITHIN), f"the gap is {'' if is_told else 'not '}told")

    return scenario


row("locked-10-s", "engine", "another program locks the database for 10 s", KEPT, engine="own")(_locked(10))
row("locked-60-s", "engine", "another program locks the database for 60 s", KEPT, engine="own")(_locked(60))


@row(
    "locked-bad",
    "engine",
    "the database is locked for 40 s, and 40 % of the new version's answers fail",
    WAY_BACK,
    word="harmful|^rollback",
    engine="own",
)
def locked_and_bad(stand: Stand) -> None:
    stand.begin()
    stand.fault()
    with locked(stand):
        stand.street.behave("new", fails=0.4)
        stand.stays(40)
    freed = time.monotonic()
    stand.until_phase(BACK, 30)
    took = time.monotonic() - freed
    stand.require(took < 10, f"{took:.0f} s from the end of the lock until that was written")
    stand.went_back_unwritten(20)


# --- the process ------------------------------------------------------------------------------------


@contextmanager
def stopped(stand: Stand) -> Iterator[None]:
    """The engine does not move."""
    os.kill(stand.engine.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(stand.engine.process.pid, signal.SIGCONT)


@row(
    "engine-paused",
    "engine",
    "the engine is stopped (SIGSTOP) for 20 s",
    "the gap is read as one interval; it goes on, and is not called blind",
    engine="own",
    word="blind|behind",
)
def engine_paused(stand: Stand) -> None:
    stand.begin()
    stand.fault()
    with stopped(stand):
        stand.stays(20)
    stand.goes_on()
    stand.require(stand.state.phase == "running", f"it is {stand.state.phase}")
    readings = [r for r in stand.rollway.rollouts.readings(stand.rollout, after=stand.wall) if not r.problem]
    stand.require(max(r.end - r.start for r in readings) > 15, "the gap was not read")


@row(
    "engine-paused-bad",
    "engine",
    "the engine is stopped for 20 s, and 40 % of the new version's answers fail",
    "taken back at the first look after it",
    engine="own",
    word="harmful|^rollback",
)
def engine_paused_and_bad(stand: Stand) -> None:
    stand.begin()
    stand.fault()
    with stopped(stand):
        stand.street.behave("new", fails=0.4)
        stand.stays(20)
    woken = time.monotonic()
    stand.until_phase(BACK, 20)
    took = time.monotonic() - woken
    stand.require(took < 10, f"{took:.0f} s after it went on")


@row(
    "engine-away",
    "engine",
    "the engine is killed, and started again 45 s later; the stage should bake for 40 s",
    "half a minute of it counts as watched, and the record says so; the stage bakes on",
    engine="own",
    word="^not_watched",
)
def engine_away(stand: Stand) -> None:
    stand.begin(bake="40s")
    stand.fault()
    stand.engine.process.stop(signal.SIGKILL)
    stand.stays(45)
    stand.engine.start()
    stand.goes_on()
    stand.require(stand.has("^not_watched"), "the gap is not told")
    stand.no_new_stage()
    stand.until(lambda: stand.has("^stage_entered: Entering 50"), 20, "50 % is entered, baked as it should")


# --- its clock --------------------------------------------------------------------------------------


def _jumps(seconds: float) -> Callable[[Stand], None]:
    def scenario(stand: Stand) -> None:
        stand.begin()
        stand.fault()
        stand.engine.clock.write_text(f"{seconds}")
        stand.stays(8)
        stand.require(stand.state.phase == "running", f"it is {stand.state.phase}")
        stand.no_new_stage()
        stand.goes_on()
        stand.street.behave("new", fails=0.4)
        bad = time.monotonic()
        stand.until_phase(BACK, 30)
        stand.require(stand.has("^rollback: Rolling back: "), "not taken back on evidence")
        stand.require(time.monotonic() - bad < 15, f"{time.monotonic() - bad:.0f} s for a plain fault")

    return scenario


for _name, _seconds, _words in (
    ("forward", 900.0, "forward by 15 min (the bake is 10)"),
    ("back", -300.0, "back by 5 min"),
):
    row(
        f"clock-{_name}",
        "clock",
        f"the engine's clock jumps {_words}; 8 s later the new version fails (40 %)",
        "no stage is left because of the jump, nothing is called blind; the fault is found as ever",
        word="^(?!verdict)|harmful",
        engine="skewed",
    )(_jumps(_seconds))


@row(
    "clock-back-person",
    "clock",
    "the engine's clock jumps back by 5 min, and a person says rollback",
    "the person is heard at once",
    word="^rollback",
    engine="skewed",
)
def clock_back_and_person(stand: Stand) -> None:
    stand.begin()
    stand.engine.clock.write_text("-300")
    stand.stays(2)
    stand.fault()
    stand.say("rollback")
    stand.until_phase(BACK, 15)
    stand.require((stand.first("^rollback") or 99) < 5, "the person was not heard within 5 s")
