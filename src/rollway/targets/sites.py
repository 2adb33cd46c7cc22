"""Exposes the new version site by site: 840 shops with tills, by a command or by people."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from rollway.errors import TemporaryError
from rollway.planning.windows import window_state
from rollway.rollout.ports import Surroundings
from rollway.rollout.serving import Check, Served
from rollway.targets import sites_people
from rollway.targets.sites_book import Aim, Book, Standing
from rollway.targets.sites_crew import Crew
from rollway.targets.sites_list import Site
from rollway.targets.sites_options import How, how_of
from rollway.targets.sites_preflight import before
from rollway.targets.sites_rules import (
    SAME,
    chosen,
    groups_of,
    is_settled,
    nearest_of,
    progress_of,
    refusal_of,
    share_of,
)

_SAID_AGAIN_SECONDS = 30.0
"""How often progress is told while a wave goes on; each time is a line in the record."""


class SitesTarget:
    """A list of sites, each of which has the new version or the old one.

    Options, all of them: see `sites_options`. `up` and `down` are commands (lists of words, with `{site}`,
    `{version}` and `{group}` filled in, idempotent) or texts of what a person is asked to do.

    `apply` writes down what is wanted and returns; commands are run by threads, at most `parallel` at once.
    The status of each site is kept in a SQLite file in `state`, written whole and synced at each change:
    after a crash the sites that were done are not done again, and of those that had been begun the `check`
    tells, or the command is run again. A command outlives the engine and is still ended in time; a lock for
    each site keeps two from running there at once. New sites are begun only while the engine goes on telling
    what it wants, so a paused rollout stops within half a minute; going back does not stop.

    The share is that of the sites. With more sites failed than may, the wave stops and the rollout is held;
    when it is resumed those that failed are tried again.
    """

    serves_groups = True

    def __init__(self, options: Mapping[str, Any], surroundings: Surroundings) -> None:
        """Raises InputError, naming the option, for options that cannot be used."""
        self.how: How = how_of(options, surroundings.rollout)
        self._shelf = surroundings.errands
        self._rollout = surroundings.rollout
        self.clock: Callable[[], float] = time.time
        self._book = Book(self.how.state)
        self._listed = self._sites()
        self._crew = Crew(self._book, self.how.orders, self._is_open, self._now)
        self._told = -1
        self._refused = ""
        self._hours: dict[tuple[str, datetime], bool] = {}
        self._said: tuple[float, tuple[object, ...], str] = (0.0, (), "")

    @property
    def identity(self) -> str:
        return f"sites:{self.how.name}"

    def nearest(self, share: float) -> float:
        """The share that is really served when this one is asked for: sites are whole, and some may fail."""
        return nearest_of(*self._seen(), self.how.orders.budget, share, len(self._listed))

    def apply(self, share: float, *, mirrored: float = 0.0, fence: int, groups: tuple[str, ...] = ()) -> None:
        """Write down what is wanted, and let it be worked at. Raises TemporaryError."""
        if mirrored:
            raise TemporaryError("sites cannot send copies of requests to the new version")
        self._require(groups)
        # Ticks that go on asking for the same follow each other; a gap means that the rollout was held.
        is_resumed = fence > self._told + 1 and bool(self._refused)
        self._told = fence
        aim = Aim(self._rollout, self.how.orders.candidate, share, groups, fence, self.clock())
        if not self._book.aim() and share <= SAME and not groups:
            return
        if not self._book.tell(
            aim, self._listed, lambda rows: chosen(rows, share, groups), is_resumed=is_resumed
        ):
            return
        if self.how.letters is not None:
            if self._shelf is None:
                raise TemporaryError("nobody can be asked outside a rollout")
            sites_people.ask(self._book, self._shelf, self.how.letters, aim, self.clock)
        elif not is_settled(self._book.standings(), self.how.orders.budget):
            self._crew.start()

    def observe(self) -> Served:
        """How far the sites have come. Raises TemporaryError."""
        if self.how.letters is not None and self._shelf is not None:
            sites_people.hear(self._book, self._shelf, self.clock)
        rows, aim = self._seen()
        budget = self.how.orders.budget
        groups = groups_of(rows, aim, budget)
        if aim is not None:
            groups = self._book.look(groups, is_settled=is_settled(rows, budget))
        self._refused = refusal_of(rows, budget)
        return Served(
            share_of(rows),
            groups=groups,
            note=self._note(rows, aim),
            refusal=self._refused,
        )

    def preflight(self) -> tuple[Check, ...]:
        """Every site answers, commands can be run, owners are named, the way back is tried on nothing."""
        return before(self.how, self._listed)

    def table(self) -> tuple[Standing, ...]:
        """Where each site stands, for people to look at."""
        rows, _ = self._seen()
        return rows or tuple(Standing(site, number, "old") for number, site in enumerate(self._listed))

    def _sites(self) -> tuple[Site, ...]:
        """The list that this rollout began with, or the one that stands in the options."""
        aim = self._book.aim()
        if aim is not None and aim.rollout == self._rollout:
            return tuple(row.site for row in self._book.standings())
        return self.how.sites()

    def _seen(self) -> tuple[tuple[Standing, ...], Aim | None]:
        """The sites, and what this rollout has told. What is known of another version is nothing of ours."""
        aim, rows = self._book.aim(), self._book.standings()
        if aim is None or aim.version != self.how.orders.candidate:
            return (), None
        if aim.rollout != self._rollout:
            return tuple(replace(row, is_wanted=False, in_wave=False) for row in rows), None
        return rows, aim

    def _require(self, groups: Sequence[str]) -> None:
        known = {site.group for site in self._listed}
        if unknown := [group for group in groups if group not in known]:
            told = ", ".join(sorted(known - {""})[:10]) or "no groups"
            raise TemporaryError(f"no site is of the group {unknown[0]}", hint=f"the list has {told}")

    def _now(self) -> float:
        return self.clock()

    def _is_open(self, row: Standing) -> bool:
        if self.how.hours is None:
            return True
        # Hundreds of sites share a few time zones, and hours change with the minute.
        at = datetime.fromtimestamp(self.clock() // 60 * 60, UTC)
        is_open = self._hours.get((row.site.timezone, at))
        if is_open is None:
            is_open = window_state([self.how.window(row.site)], (), at).is_open
            current = {key: value for key, value in self._hours.items() if key[1] == at}
            self._hours = {**current, (row.site.timezone, at): is_open}
        return is_open

    def _note(self, rows: Sequence[Standing], aim: Aim | None) -> str:
        """Progress, said again when something else than the number of sites has changed, or time passed."""
        if not rows or aim is None:
            return ""
        now = self.clock()
        is_over = is_settled(rows, self.how.orders.budget)
        waiting = self._waiting(rows) if not is_over else ""
        failed = tuple(row.site.name for row in rows if row.state in ("failed", "stuck"))
        kind = (aim.share, aim.groups, is_over, failed, waiting)
        said_at, said_kind, said = self._said
        if kind != said_kind or now >= said_at + _SAID_AGAIN_SECONDS:
            said = ", ".join(part for part in (progress_of(rows), waiting) if part)
            self._said = (now, kind, said)
        return said

    def _waiting(self, rows: Sequence[Standing]) -> str:
        """Which sites wait for their hours, and until when the next of them do."""
        if self.how.hours is None:
            return ""
        closed = [row for row in rows if row.is_wanted and row.state == "old" and not self._is_open(row)]
        if not closed:
            return ""
        now = datetime.fromtimestamp(self.clock(), UTC)
        zones = {row.site.timezone: row.site for row in closed}
        opens = [window_state([self.how.window(site)], (), now).next_open for site in zones.values()]
        soonest = min((moment for moment in opens if moment), default=None)
        until = f" (the next from {soonest:%Y-%m-%d %H:%M} UTC)" if soonest else ""
        return f"some wait for their hours {self.how.hours[0]}-{self.how.hours[1]}{until}"


SiteWord = Literal["old version", "being changed", "new version", "failed", "going back", "not taken back"]
WORDS: Mapping[str, SiteWord] = {
    "old": "old version",
    "changing": "being changed",
    "new": "new version",
    "failed": "failed",
    "going_back": "going back",
    "stuck": "not taken back",
}
