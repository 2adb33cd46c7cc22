"""The channels that notifications go to. A secret is never here: only the name of the variable it is in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

import sqlalchemy as sa

from rollway.errors import ConflictError, NotFoundError
from rollway.rollout.notifications import MessagesFor
from rollway.store.codec import from_text, to_text
from rollway.store.tables import channel, outbox

ChannelKind = Literal["webhook", "apprise"]


@dataclass(frozen=True, slots=True)
class Channel:
    """Where notifications go. `url` is an address, or `env:NAME` where it stands in a variable; `wanted` are
    kinds and groups of kinds."""

    id: int
    name: str
    kind: ChannelKind
    url: str
    secret_env: str
    wanted: tuple[str, ...]
    messages: MessagesFor
    created_by: str
    created_at: datetime


class SqlChannels:
    """Keeps the channels. A channel that was removed stays as a row, so that its log can be read."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock

    def add(
        self,
        name: str,
        kind: ChannelKind,
        url: str,
        *,
        wanted: Iterable[str],
        actor: str,
        secret_env: str = "",
        messages: MessagesFor = "",
    ) -> None:
        """Raises ConflictError where a channel of this name exists."""
        row = {
            "name": name,
            "kind": kind,
            "url": url,
            "secret_env": secret_env,
            "wanted": to_text(list(wanted)),
            "messages": messages,
            "created_by": actor,
            "created_at": self._clock(),
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(channel).values(row))
        except sa.exc.IntegrityError as error:
            raise ConflictError(
                f"there is a channel {name} already",
                hint=f"give another name, or first: rollway channels remove {name}",
            ) from error

    def all(self) -> tuple[Channel, ...]:
        """The channels that stand, by name."""
        with self._engine.connect() as connection:
            return tuple(sorted(standing(connection), key=lambda one: one.name))

    def find(self, name: str) -> Channel:
        """Raises NotFoundError."""
        for one in self.all():
            if one.name == name:
                return one
        raise NotFoundError(f"there is no channel {name!r}", hint="`rollway channels` lists them")

    def remove(self, name: str) -> int:
        """Remove a channel, and drop what waits for it. Returns how many that were. Raises NotFoundError."""
        ours, now = self.find(name), self._clock()
        waiting = (outbox.c.channel_id == ours.id) & outbox.c.due_at.is_not(None)
        with self._engine.begin() as connection:
            connection.execute(sa.update(channel).where(channel.c.id == ours.id).values(removed_at=now))
            dropped = connection.execute(
                sa.update(outbox)
                .where(waiting)
                .values(state="dropped", due_at=None, ended_at=now, problem="the channel was removed")
            )
            return dropped.rowcount


def standing(connection: sa.Connection) -> tuple[Channel, ...]:
    """The channels that were not removed, oldest first."""
    query = sa.select(channel).where(channel.c.removed_at.is_(None)).order_by(channel.c.id)
    return tuple(channel_from(row) for row in connection.execute(query))


def channel_from(row: Any) -> Channel:
    return Channel(
        id=row.id,
        name=row.name,
        kind=cast(ChannelKind, row.kind),
        url=row.url,
        secret_env=row.secret_env,
        wanted=tuple(from_text(row.wanted)),
        messages=cast(MessagesFor, row.messages),
        created_by=row.created_by,
        created_at=row.created_at,
    )
