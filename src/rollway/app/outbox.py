"""Sends what lies in the outbox: each channel by itself, so that a slow or dead one delays nothing else.

What "sent" means at each side is in docs/notifications.md.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from rollway.app.delivery import deliver
from rollway.errors import InputError, TemporaryError
from rollway.rollout.notifications import Notification
from rollway.store import Channel, Claimed, SqlOutbox

log = logging.getLogger("rollway.outbox")

LOOK_EVERY = 0.25
"""Seconds between two looks at what is due."""
LEASE = timedelta(minutes=2)
"""How long a sender has a notification for itself; longer than any attempt may take."""
AT_A_TIME = 20
"""How many of one rollout are sent before a channel's other rollouts have their turn."""
STOP_WITHIN = 2.0
"""Seconds that attempts under way get to end; one that does not is unsure, and made again later."""

BACKOFF = tuple(
    timedelta(seconds=seconds) for seconds in (1, 5, 30, 120, 600, 1800, 3600, 2 * 3600, 4 * 3600)
)
GIVE_UP_AFTER = timedelta(days=1)

KEEP_DAYS = "ROLLWAY_KEEP_SENT_DAYS"
"""The environment variable with how many days what was sent is kept once its rollout has ended."""
KEPT_DAYS = 90

Deliver = Callable[[Channel, Notification, bool], object]


def next_attempt(attempt: int, age: timedelta) -> timedelta | None:
    """How long to wait after the attempt of this number (from 1) failed; None: give it up, it is too old.

    What stood behind others for longer than a day still had one attempt of its own.
    """
    if age >= GIVE_UP_AFTER:
        return None
    return BACKOFF[min(attempt, len(BACKOFF)) - 1]


def keep_for(environment: Mapping[str, str] = os.environ) -> timedelta:
    """How long what was sent is kept. Raises InputError for what is no number of days."""
    said = environment.get(KEEP_DAYS, "").strip() or str(KEPT_DAYS)
    if not re.fullmatch(r"[0-9]{1,5}", said) or int(said) < 1:
        raise InputError(
            f"{KEEP_DAYS}={said}: not a number of days", hint=f"a whole one, such as {KEPT_DAYS}"
        )
    return timedelta(days=int(said))


def deliver_for_real(channel: Channel, told: Notification, is_unsure: bool) -> str:
    return deliver(channel, told, is_unsure=is_unsure)


class Sender:
    """One sender for each worker; several work on one database. It reads the wall clock of its worker."""

    def __init__(
        self, outbox: SqlOutbox, clock: Callable[[], datetime], *, deliver: Deliver = deliver_for_real
    ) -> None:
        self._outbox, self._clock, self._deliver = outbox, clock, deliver
        self._threads: dict[int, threading.Thread] = {}
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="rollway-outbox", daemon=True)

    def start(self, *, is_alone: bool = False) -> None:
        """`is_alone`: no other worker shares the database, so what is claimed was left by an earlier life."""
        if is_alone:
            self._outbox.release(self._clock())
        self._watcher.start()

    def stop(self) -> None:
        self._stopping.set()
        deadline = time.monotonic() + STOP_WITHIN
        for thread in (self._watcher, *tuple(self._threads.values())):
            thread.join(max(0.0, deadline - time.monotonic()))

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_EVERY):
            try:
                self._look()
            except Exception:
                log.exception("the outbox met an error and goes on")
                self._stopping.wait(1)

    def _look(self) -> None:
        for channel_id in {channel for channel, _ in self._outbox.lines_due(self._clock())}:
            busy = self._threads.get(channel_id)
            if busy is None or not busy.is_alive():
                thread = threading.Thread(
                    target=self._drain, args=(channel_id,), name=f"rollway-channel-{channel_id}", daemon=True
                )
                self._threads[channel_id] = thread
                thread.start()

    def _drain(self, channel_id: int) -> None:
        """Send what is due for a channel until nothing is."""
        try:
            while not self._stopping.is_set():
                channel = self._outbox.channel(channel_id)
                lines = [line for to, line in self._outbox.lines_due(self._clock()) if to == channel_id]
                if channel is None or not sum(self._send_line(channel, rollout) for rollout in lines):
                    return
        except Exception:
            log.exception("channel %s met an error; it is tried again", channel_id)

    def _send_line(self, channel: Channel, rollout: str) -> int:
        """Send the first of a rollout's notifications, in their order. Returns how many were tried."""
        if self._stopping.is_set():
            return 0
        tried = 0
        claimed = self._outbox.claim(channel.id, rollout, self._clock(), LEASE)
        while claimed is not None:
            tried += 1
            is_last = tried == AT_A_TIME or self._stopping.is_set()
            claimed = self._send(channel, claimed, is_last=is_last)
        return tried

    def _send(self, channel: Channel, claimed: Claimed, *, is_last: bool) -> Claimed | None:
        """Send one, and claim the next of its line unless it failed or was the last."""
        try:
            self._deliver(channel, claimed.notification, claimed.is_unsure)
        except TemporaryError as error:
            self._failed(channel, claimed, error.message)
            return None
        return self._outbox.sent(claimed, self._clock(), None if is_last else LEASE)

    def _failed(self, channel: Channel, claimed: Claimed, problem: str) -> None:
        now = self._clock()
        rest = next_attempt(claimed.attempt, now - claimed.created_at)
        key = claimed.notification.key
        if rest is not None:
            self._outbox.put_off(claimed, now + rest, problem)
            log.info("%s did not reach %s (attempt %s): %s", key, channel.name, claimed.attempt, problem)
            return
        self._outbox.give_up(claimed, now, problem)
        log.error("%s never reached %s, and is given up: %s", key, channel.name, problem)
