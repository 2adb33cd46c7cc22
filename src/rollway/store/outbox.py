"""What is to be sent: written with the record it tells of, claimed by one sender at a time, kept as a log.

A row is open as long as `due_at` says when it is looked at next. A sender claims it by counting its attempt;
that number is the fence: who claimed an earlier attempt changes nothing any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from rollway.planning import Plan
from rollway.rollout import FINAL_PHASES, Entry, Errand, State
from rollway.rollout.notifications import (
    MESSAGE,
    Notification,
    errand_notifications,
    for_channel,
    message_of_key,
    notifications_of,
)
from rollway.store.channels import Channel, channel_from, standing
from rollway.store.codec import from_text, to_text
from rollway.store.plans import read_plan
from rollway.store.tables import channel, outbox, rollout

OutboxState = Literal["waiting", "sending", "sent", "given_up", "dropped"]
"""dropped: its channel was removed before it was sent."""

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""When something new is due. The moment of its entry would be late where the clock was set back since."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A notification that one sender has taken upon itself. `attempt` counts from 1.

    `is_unsure`: an earlier attempt began, and nobody knows how it ended.
    """

    id: int
    channel_id: int
    rollout: str
    notification: Notification
    attempt: int
    is_unsure: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How a channel stands: how many notifications wait, were given up, were sent; when the last one was
    sent, and the trouble of the oldest one that waits."""

    waiting: int = 0
    given_up: int = 0
    sent: int = 0
    last_sent_at: datetime | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message of a plan that arrived: when, and by which channel."""

    at: datetime
    channel: str


def enqueue(
    connection: sa.Connection, rollout_id: str, at: datetime, entries: Sequence[tuple[int, Entry]]
) -> None:
    """Put what channels want of new entries of a record (with their numbers) into the outbox; part of the
    transaction that records them. The rollout's row must say already what is so after them."""
    channels = standing(connection) if entries else ()
    if not channels:
        return
    plan, state = _as_it_stands(connection, rollout_id)
    told = notifications_of(rollout_id, plan, state, at, entries)
    if any(entry.kind == "gates_open" for _, entry in entries):
        # Gates are asked for again where somebody says that one is not met any more; people are told once.
        known = _letters(connection, rollout_id)
        told = tuple(one for one in told if one.kind != MESSAGE or one.data["message"] not in known)
    _put(connection, rollout_id, channels, told)


def _letters(connection: sa.Connection, rollout_id: str) -> frozenset[str]:
    """The messages of the plan that were put into the outbox already."""
    query = sa.select(outbox.c.body).where(outbox.c.rollout_id == rollout_id, outbox.c.kind == MESSAGE)
    return frozenset(from_text(body)["data"]["message"] for body in connection.scalars(query))


def enqueue_errands(
    connection: sa.Connection, rollout_id: str, at: datetime, errands: Sequence[Errand]
) -> None:
    """Put into the outbox that people are asked for something; part of the transaction that asks them. What
    is withdrawn and asked for once more is told once more."""
    channels = standing(connection) if errands else ()
    if not channels:
        return
    plan, state = _as_it_stands(connection, rollout_id)
    told = errand_notifications(rollout_id, plan, state, at, errands)
    _put(connection, rollout_id, channels, told)


def _as_it_stands(connection: sa.Connection, rollout_id: str) -> tuple[Plan, State]:
    found = connection.execute(
        sa.select(rollout.c.state, rollout.c.plan_hash).where(rollout.c.id == rollout_id)
    ).one()
    return read_plan(connection, found.plan_hash), State.model_validate_json(found.state)


def _put(
    connection: sa.Connection, rollout_id: str, channels: Sequence[Channel], told: Sequence[Notification]
) -> None:
    rows = [
        _row(rollout_id, one.id, seen)
        for one in channels
        for each in told
        if (seen := for_channel(each, one.name, one.wanted, one.messages)) is not None
    ]
    if rows:
        connection.execute(sa.insert(outbox), rows)


class SqlOutbox:
    """Hands out what is due. One method is one transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    # --- for the sender ---

    def lines_due(self, now: datetime) -> tuple[tuple[int, str], ...]:
        """The lines (channel, rollout) whose oldest open notification is due. Within a line order is kept:
        nothing is sent before what came before it."""
        heads = (
            sa.select(sa.func.min(outbox.c.id))
            .where(outbox.c.due_at.is_not(None))
            .group_by(outbox.c.channel_id, outbox.c.rollout_id)
        )
        query = sa.select(outbox.c.channel_id, outbox.c.rollout_id).where(
            outbox.c.id.in_(heads), outbox.c.due_at <= now
        )
        with self._engine.connect() as connection:
            return tuple((row.channel_id, row.rollout_id) for row in connection.execute(query))

    def channel(self, channel_id: int) -> Channel | None:
        """None where it was removed."""
        query = sa.select(channel).where(channel.c.id == channel_id, channel.c.removed_at.is_(None))
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else channel_from(row)

    def claim(self, channel_id: int, rollout_id: str, now: datetime, lease: timedelta) -> Claimed | None:
        """Take the head of a line, until the lease is over; None where it is not due, or somebody has it.

        One that was claimed before and neither sent nor put off comes back as unsure.
        """
        with self._engine.begin() as connection:
            return self._claim(connection, channel_id, rollout_id, now, lease)

    def _claim(
        self, connection: sa.Connection, channel_id: int, rollout_id: str, now: datetime, lease: timedelta
    ) -> Claimed | None:
        line = (outbox.c.channel_id == channel_id) & (outbox.c.rollout_id == rollout_id)
        head = sa.select(outbox).where(line, outbox.c.due_at.is_not(None)).order_by(outbox.c.id).limit(1)
        row = connection.execute(head).first()
        if row is None or row.due_at > now:
            return None
        is_unsure = row.is_unsure or row.state == "sending"
        mine = (outbox.c.id == row.id) & (outbox.c.attempts == row.attempts) & outbox.c.due_at.is_not(None)
        taken = connection.execute(
            sa.update(outbox)
            .where(mine)
            .values(state="sending", attempts=row.attempts + 1, is_unsure=is_unsure, due_at=now + lease)
        )
        return _claimed(row, is_unsure) if taken.rowcount else None

    def sent(self, claimed: Claimed, now: datetime, next_for: timedelta | None = None) -> Claimed | None:
        """It arrived. Where earlier attempts failed, all that waits for the channel is due at once.

        `next_for`: take the next of the line in the same transaction, for so long; it is returned.
        """
        end = {"state": "sent", "due_at": None, "ended_at": now, "problem": ""}
        with self._engine.begin() as connection:
            connection.execute(sa.update(outbox).where(_is_mine(claimed)).values(end))
            if claimed.attempt > 1:
                connection.execute(_waiting_of(claimed.channel_id).values(due_at=now))
            if next_for is None:
                return None
            return self._claim(connection, claimed.channel_id, claimed.rollout, now, next_for)

    def put_off(self, claimed: Claimed, until: datetime, problem: str) -> None:
        """It did not arrive, and is tried again."""
        again = {"state": "waiting", "due_at": until, "problem": problem}
        with self._engine.begin() as connection:
            connection.execute(sa.update(outbox).where(_is_mine(claimed)).values(again))

    def give_up(self, claimed: Claimed, now: datetime, problem: str) -> None:
        """It did not arrive, and is not tried any more unless a person asks for it."""
        end = {"state": "given_up", "due_at": None, "ended_at": now, "problem": problem}
        with self._engine.begin() as connection:
            connection.execute(sa.update(outbox).where(_is_mine(claimed)).values(end))

    def release(self, now: datetime) -> int:
        """Let go of all claims: for the only worker of a database, when it starts. Returns how many."""
        left = sa.update(outbox).where(outbox.c.due_at.is_not(None), outbox.c.state == "sending")
        with self._engine.begin() as connection:
            return connection.execute(left.values(due_at=now)).rowcount

    # --- for people ---

    def retry(self, channel_id: int, now: datetime) -> int:
        """Make due at once what waits for a channel and what was given up. Returns how many."""
        lost = sa.update(outbox).where(outbox.c.channel_id == channel_id, outbox.c.state == "given_up")
        anew = {"state": "waiting", "attempts": 0, "created_at": now, "due_at": now, "ended_at": None}
        with self._engine.begin() as connection:
            waiting = connection.execute(_waiting_of(channel_id).values(due_at=now)).rowcount
            return waiting + connection.execute(lost.values(anew)).rowcount

    def standings(self) -> dict[int, Standing]:
        """How the channels stand, by their number; one to which nothing was ever addressed is not here."""
        open_ = outbox.c.state.in_(("waiting", "sending"))
        counted = sa.select(
            outbox.c.channel_id,
            sa.func.count().filter(open_).label("waiting"),
            sa.func.count().filter(outbox.c.state == "given_up").label("given_up"),
            sa.func.count().filter(outbox.c.state == "sent").label("sent"),
            sa.func.max(outbox.c.ended_at).filter(outbox.c.state == "sent").label("last_sent_at"),
        ).group_by(outbox.c.channel_id)
        heads = sa.select(sa.func.min(outbox.c.id)).where(
            outbox.c.due_at.is_not(None), outbox.c.problem != ""
        )
        troubled = sa.select(outbox.c.channel_id, outbox.c.problem).where(
            outbox.c.id.in_(heads.group_by(outbox.c.channel_id))
        )
        with self._engine.connect() as connection:
            problems = {row.channel_id: row.problem for row in connection.execute(troubled)}
            rows = connection.execute(counted).all()
        return {
            row.channel_id: Standing(
                row.waiting, row.given_up, row.sent, row.last_sent_at, problems.get(row.channel_id, "")
            )
            for row in rows
        }

    def log(self, *, newest: int, channel_id: int | None = None) -> Sequence[Any]:
        """The newest rows, oldest of them first, each with `channel`, the name of its channel."""
        query = sa.select(outbox, channel.c.name.label("channel")).join(channel)
        if channel_id is not None:
            query = query.where(outbox.c.channel_id == channel_id)
        with self._engine.connect() as connection:
            return connection.execute(query.order_by(outbox.c.id.desc()).limit(newest)).all()[::-1]

    def delivered(self, rollout_id: str) -> dict[str, Delivered]:
        """The messages of the plan that went out by their own channel, by their ids, with when they arrived
        first; handed to people they are not sent yet."""
        query = (
            sa.select(outbox.c.key, outbox.c.ended_at, channel.c.name)
            .join(channel)
            .where(outbox.c.rollout_id == rollout_id, outbox.c.kind == MESSAGE, outbox.c.state == "sent")
            .order_by(outbox.c.ended_at.desc(), outbox.c.id.desc())
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return {
            message: Delivered(row.ended_at, row.name)
            for row in rows
            if (message := message_of_key(rollout_id, row.key))
        }

    def prune(self, before: datetime) -> int:
        """Forget what arrived before this moment, of rollouts that have ended; never what was not sent.
        Returns how many."""
        ended = sa.select(rollout.c.id).where(rollout.c.phase.in_(FINAL_PHASES))
        old = (outbox.c.state == "sent") & (outbox.c.ended_at < before)
        with self._engine.begin() as connection:
            return connection.execute(sa.delete(outbox).where(old, outbox.c.rollout_id.in_(ended))).rowcount


def _is_mine(claimed: Claimed) -> sa.ColumnElement[bool]:
    still = (outbox.c.state == "sending") & (outbox.c.attempts == claimed.attempt)
    return (outbox.c.id == claimed.id) & still


def _waiting_of(channel_id: int) -> sa.Update:
    is_open = outbox.c.due_at.is_not(None) & (outbox.c.state == "waiting")
    return sa.update(outbox).where(outbox.c.channel_id == channel_id, is_open)


def _row(rollout_id: str, channel_id: int, seen: Notification) -> dict[str, Any]:
    return {
        "rollout_id": rollout_id,
        "channel_id": channel_id,
        "key": seen.key,
        "kind": seen.kind,
        "body": to_text(
            {"at": seen.at.isoformat(), "title": seen.title, "text": seen.text, "data": seen.data}
        ),
        "state": "waiting",
        "attempts": 0,
        "problem": "",
        "created_at": seen.at,
        "due_at": AT_ONCE,
    }


def _claimed(row: Any, is_unsure: bool) -> Claimed:
    body = from_text(row.body)
    at = datetime.fromisoformat(body["at"])
    told = Notification(row.key, row.kind, at, body["title"], body["text"], body["data"])
    return Claimed(
        id=row.id,
        channel_id=row.channel_id,
        rollout=row.rollout_id,
        notification=told,
        attempt=row.attempts + 1,
        is_unsure=is_unsure,
        created_at=row.created_at,
    )
