"""The live page: what changed since the last look, pushed as server-sent events."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rollway.app import Rollway
from rollway.app.views import rollout_view, series
from rollway.web.board import board
from rollway.web.templating import fragment

LOOK_EVERY = 0.3
"""Seconds between two looks at a rollout that somebody watches; shared by all who watch it."""
PING_EVERY = 15.0
"""Seconds of silence after which a comment is sent, so that nothing between here and there hangs up."""
SLOW_RETRY = 10_000
"""Milliseconds until a page in the background asks again."""
MOST_KEPT = 100
"""Rollouts whose newest look is kept."""
REGIONS = ("head", "actions", "waits", "stages", "verdict", "kpis", "record")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A rollout as its page shows it at one `seq`: the title of the tab, and the HTML of each region.

    `is_overdue`: nobody looks at it, or nobody has heard what was said. Its words change with time alone.
    """

    seq: int
    is_final: bool
    is_overdue: bool
    late_at: datetime | None
    tab: str
    regions: dict[str, str]


def take_snapshot(rollway: Rollway, rollout: str) -> Snapshot:
    """Raises NotFoundError."""
    view = rollout_view(rollway, rollout)
    shown = board(view, rollway.clock())
    return Snapshot(
        seq=shown["seq"],
        is_final=shown["is_final"],
        is_overdue=bool(shown["late"] or shown["unheard"]),
        late_at=datetime.fromisoformat(view["late_at"]) if view["late_at"] else None,
        tab=shown["tab"],
        regions={region: fragment(f"parts/{region}.html", {"r": shown}) for region in REGIONS},
    )


class LivePages:
    """Streams of changes. All who watch one rollout share each look at it."""

    def __init__(self, rollway: Rollway) -> None:
        self._rollway = rollway
        self._looks: dict[str, tuple[float, Snapshot]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._is_stopping = False

    def stop(self) -> None:
        """End every stream within one look; a server that shuts down would wait for them otherwise."""
        self._is_stopping = True

    async def changes(self, rollout: str, seq: int, *, once: bool = False) -> AsyncIterator[str]:
        """Events from the state after `seq` on (-1: from the beginning) until the rollout ends.

        Each event carries the regions that differ from the event before, and the new chart points.
        With `once` the stream ends after one look, for a page that nobody sees.
        """
        shown: dict[str, str] = {}
        spoke_at = time.monotonic()
        yield _event(retry=SLOW_RETRY if once else 1000)
        while not self._is_stopping:
            now = await self.look(rollout)
            # Where nobody carries it out no seq moves: then the words themselves are compared.
            if now.seq != seq or (now.regions != shown and (shown or now.is_overdue)):
                before = seq - 1 if now.seq != seq else seq
                points = await asyncio.to_thread(series, self._rollway, rollout, after_seq=before)
                yield _event("change", _change(now, shown, points, is_whole=seq < 0), seq=now.seq)
                seq, shown, spoke_at = now.seq, now.regions, time.monotonic()
            if now.is_final:
                yield _event("end", {})
                return
            if once:
                return
            if time.monotonic() - spoke_at > PING_EVERY:
                spoke_at = time.monotonic()
                yield ": still here\n\n"
            await asyncio.sleep(LOOK_EVERY)

    async def look(self, rollout: str) -> Snapshot:
        """The rollout as it stands, at most LOOK_EVERY seconds old. Raises NotFoundError."""
        async with self._locks.setdefault(rollout, asyncio.Lock()):
            at, seen = self._looks.get(rollout, (0.0, None))
            if seen is None or time.monotonic() - at >= LOOK_EVERY:
                seen = await asyncio.to_thread(self._read, rollout, seen)
                self._keep(rollout, seen)
            return seen

    def _keep(self, rollout: str, seen: Snapshot) -> None:
        self._looks.pop(rollout, None)
        self._looks[rollout] = (time.monotonic(), seen)
        if len(self._looks) > MOST_KEPT:
            del self._looks[next(iter(self._looks))]

    def _read(self, rollout: str, before: Snapshot | None) -> Snapshot:
        if before is not None and self._is_as_shown(rollout, before):
            return before
        return take_snapshot(self._rollway, rollout)

    def _is_as_shown(self, rollout: str, before: Snapshot) -> bool:
        """Whether it has not moved, is looked at in time, and nobody has said anything since."""
        if self._rollway.rollouts.seq(rollout) != before.seq:
            return False
        if before.is_final:
            return True
        is_late = before.late_at is not None and self._rollway.clock() > before.late_at
        return not (before.is_overdue or is_late or self._rollway.rollouts.pending(rollout))


def _change(
    now: Snapshot, shown: dict[str, str], points: dict[str, Any], *, is_whole: bool
) -> dict[str, Any]:
    regions = {name: html for name, html in now.regions.items() if html != shown.get(name)}
    return {"tab": now.tab, "regions": regions, "series": points, "is_whole": is_whole}


def _event(kind: str = "", data: Any = None, *, seq: int | None = None, retry: int | None = None) -> str:
    lines = [
        *([f"retry: {retry}"] if retry is not None else []),
        *([f"id: {seq}"] if seq is not None else []),
        *([f"event: {kind}", f"data: {json.dumps(data, allow_nan=False)}"] if kind else []),
    ]
    return "\n".join(lines) + "\n\n"
