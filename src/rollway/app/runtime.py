"""The working part of Rollway: calls ticks durably, hears people at once, keeps the served flags fresh."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import socket
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import IO

from rollway.app.outbox import Sender, keep_for
from rollway.app.own_words import Speaker
from rollway.app.service import Rollway
from rollway.app.task_runs import TaskRuns
from rollway.errors import ConflictError
from rollway.flags import FlagBook
from rollway.rollout import Pace, TickCaller, tick
from rollway.rollout.durable import DurableTicks
from rollway.rollout.standby import Standby

log = logging.getLogger("rollway.runtime")

LOOK_EVERY = 0.1
"""Seconds between two looks at what is due, and at what other processes may have written."""
GRACE = timedelta(seconds=5)
"""A tick that is this late is called again; it changes nothing if the first one comes after all."""
KEEP_TICKS = timedelta(hours=1)
SPEAK_EVERY = 2.0
"""Seconds between two looks at gates that Rollway may see met."""
CLEAR_EVERY = 3600.0
"""Seconds between two looks at what was sent long ago."""
STOP_WITHIN = 5.0
"""Seconds that ticks at work get to end before the engine is shut down; else they are run again later."""


class Runtime:
    """One worker on one database. On SQLite there is one per data folder; on PostgreSQL as many as wanted."""

    def __init__(self, rollway: Rollway, *, worker: str = "") -> None:
        self.rollway = rollway
        self.book = FlagBook()
        self._lock_file = _lock_folder(rollway)
        self._stamp: tuple[int, int] | None = None
        self._called: frozenset[tuple[str, int, str]] = frozenset()
        self._at_work: set[tuple[str, int]] = set()
        self._refreshing = threading.Lock()
        self._bell = threading.Event()
        self._stopping = threading.Event()
        self._pace = Pace()
        self._standby = Standby(rollway.rollouts, rollway.connectors, rollway.clock)
        self._tasks = TaskRuns(rollway.rollouts, rollway.clock, is_alone=self._lock_file is not None)
        self._ticks: TickCaller = DurableTicks(
            rollway.engine, self._tick, executor=worker or _default_worker(rollway)
        )
        self._sender = Sender(rollway.outbox, rollway.clock)
        self._speaker = Speaker(rollway)
        self._keep = keep_for()
        self._thread = threading.Thread(target=self._watch, name="rollway-watcher", daemon=True)

    def start(self) -> None:
        self.refresh_flags()
        self.rollway.flags.on_change(self.refresh_flags)
        self._ticks.launch()
        self._thread.start()
        self._standby.start()
        self._sender.start(is_alone=self._lock_file is not None)

    def stop(self) -> None:
        self._stopping.set()
        self._bell.set()
        self._thread.join(timeout=5)
        self._standby.stop()
        deadline = time.monotonic() + STOP_WITHIN
        while self._at_work and time.monotonic() < deadline:
            time.sleep(0.02)
        self._ticks.close()
        self._sender.stop()
        if self._lock_file is not None:
            self._lock_file.close()

    def wake(self) -> None:
        """Look at once: somebody said something."""
        self._bell.set()

    def refresh_flags(self) -> None:
        """Serve the flags as they stand in the database now; one that is broken as it was last good."""
        with self._refreshing:
            stamp = self.rollway.flags.stamp()
            if stamp == self._stamp:
                return
            for error in self.book.serve(self.rollway.flags.definitions()):
                log.error("a flag cannot be served; its last good definition is, if there was one: %s", error)
            self._stamp = stamp

    def _tick(self, rollout: str, seq: int) -> str:
        here = self.rollway
        self._at_work.add((rollout, seq))
        try:
            if self._standby.settle(rollout, seq):
                return "moved"
            done = tick(
                rollout,
                seq,
                rollouts=here.rollouts,
                connectors=here.connectors,
                clock=here.clock,
                runner=self._tasks,
                pace=self._pace,
                keep=self._standby.keep,
            )
        finally:
            self._at_work.discard((rollout, seq))
        if done == "final":
            here.connectors.forget(rollout)
            self._pace.forget(rollout)
        return done

    def _watch(self) -> None:
        next_prune = next_clear = time.monotonic() + 60
        next_words = time.monotonic()
        while not self._stopping.is_set():
            self._bell.wait(LOOK_EVERY)
            self._bell.clear()
            try:
                self.refresh_flags()
                self._call_due()
                if time.monotonic() > next_words:
                    next_words = time.monotonic() + SPEAK_EVERY
                    self._speaker.look(self._stopping.is_set)
                if time.monotonic() > next_clear:
                    next_clear = time.monotonic() + CLEAR_EVERY
                    self._clear_outbox()
                if time.monotonic() > next_prune:
                    next_prune = time.monotonic() + 60
                    self._ticks.prune(self.rollway.clock() - KEEP_TICKS)
            except Exception:
                # The watcher is what brings everything else back, so it goes on whatever happens.
                log.exception("the watcher met an error and goes on")
                time.sleep(1)

    def _clear_outbox(self) -> None:
        gone = self.rollway.outbox.prune(self.rollway.clock() - self._keep)
        if gone:
            log.info("%s notifications that arrived over %s days ago are forgotten", gone, self._keep.days)

    def _call_due(self) -> None:
        called: set[tuple[str, int, str]] = set()
        for rollout, seq, why in self.rollway.rollouts.due(self.rollway.clock(), GRACE):
            # A tick that still looks, or still tells a slow target, is waited for; a person does not wait.
            if self._is_busy(rollout, seq) and not why.startswith("command"):
                continue
            if (rollout, seq, why) not in self._called:
                self._ticks.call(rollout, seq, why)
            called.add((rollout, seq, why))
        self._called = frozenset(called)

    def _is_busy(self, rollout: str, seq: int) -> bool:
        return any(one == rollout and number <= seq for one, number in tuple(self._at_work))


def _default_worker(rollway: Rollway) -> str:
    # A data folder has one worker, so that a restart takes up what its last life left; elsewhere each
    # process is its own.
    if rollway.engine.dialect.name == "sqlite":
        return "embedded"
    return f"{socket.gethostname()}-{os.getpid()}"


def _lock_folder(rollway: Rollway) -> IO[str] | None:
    if rollway.engine.dialect.name != "sqlite":
        return None
    path = Path(str(rollway.engine.url.database)).with_name("server.lock")
    handle = path.open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.seek(0)
        told = handle.read().strip()
        handle.close()
        raise ConflictError(
            f"another Rollway already works on {path.parent}{f' (process {told})' if told else ''}",
            hint="stop it, or give another folder with --data",
        ) from error
    handle.seek(0)
    handle.truncate()
    handle.write(json.dumps(os.getpid()))
    handle.flush()
    return handle
