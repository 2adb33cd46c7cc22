"""The status of each site, kept on disk: one SQLite file, so that each change is written whole and synced,
and several processes may look at it at once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rollway.errors import TemporaryError
from rollway.targets.sites_list import Site

SiteState = Literal["old", "changing", "new", "failed", "going_back", "stuck"]
"""failed: on the way up; stuck: on the way back."""

_TABLES = """
CREATE TABLE IF NOT EXISTS aim (
  one INTEGER PRIMARY KEY CHECK (one = 1), rollout TEXT NOT NULL, version TEXT NOT NULL,
  share REAL NOT NULL, groups TEXT NOT NULL, fence INTEGER NOT NULL, told_at REAL NOT NULL,
  seen INTEGER NOT NULL, reported TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS earlier (rollout TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS site (
  name TEXT PRIMARY KEY, position INTEGER NOT NULL, grp TEXT NOT NULL, owner TEXT NOT NULL,
  timezone TEXT NOT NULL, state TEXT NOT NULL, wanted INTEGER NOT NULL, in_wave INTEGER NOT NULL,
  since REAL NOT NULL, told TEXT NOT NULL, errand TEXT NOT NULL);
"""
_KEPT = 300


@dataclass(frozen=True, slots=True)
class Aim:
    """What was told last: by which rollout, for which version.

    `told_at`: unix seconds; 0 once nobody goes on telling. `seen`: the fence that was the last one when it
    was observed, `reported`: the groups that were reported then.
    """

    rollout: str
    version: str
    share: float
    groups: tuple[str, ...]
    fence: int
    told_at: float
    seen: int = -1
    reported: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one site stands.

    `is_wanted`: it is to have the new version; `in_wave`: it was given it with what was told last. `since`:
    unix seconds; `told`: the last that its command or its owner said; `errand`: the key of what was asked.
    """

    site: Site
    position: int
    state: SiteState
    is_wanted: bool = False
    in_wave: bool = False
    since: float = 0.0
    told: str = ""
    errand: str = ""

    @property
    def is_touched(self) -> bool:
        """Whether anything of the new version may be there."""
        return self.state != "old"


Choose = Callable[[Sequence[Standing]], set[str]]


class Book:
    """Where the sites stand, for one list of sites. Every method raises TemporaryError for a broken file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "sites.db"

    def aim(self) -> Aim | None:
        """What was told last; None before anything was."""
        if not self._file.exists():
            return None
        with self._opened() as db:
            return _aim(db)

    def standings(self) -> tuple[Standing, ...]:
        """All sites in the order of their list; none before anything was told."""
        if not self._file.exists():
            return ()
        with self._opened() as db:
            return _standings(db)

    def tell(self, aim: Aim, sites: Sequence[Site], choose: Choose, *, is_resumed: bool) -> bool:
        """Write down what is wanted now. False for a call that comes too late.

        `sites` are taken over when a rollout begins, and stay as they were while it lasts. `choose` says
        which of them are to have the new version. With `is_resumed` those that failed are tried again.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._opened() as db:
            db.executescript(_TABLES)
            db.execute("BEGIN IMMEDIATE")
            was = _aim(db)
            if was is not None and _is_late(db, was, aim):
                db.execute("ROLLBACK")
                return False
            if was is None or was.rollout != aim.rollout:
                _begin(db, was, aim, sites)
            same = was is not None and _same(was, aim)
            if not same:
                _choose(db, choose(_standings(db)))
            if is_resumed or not same:
                db.execute("UPDATE site SET state = 'old' WHERE state = 'failed' AND wanted")
                db.execute("UPDATE site SET since = 0 WHERE state = 'stuck'")
            db.execute("DELETE FROM aim")
            values = (aim.rollout, aim.version, aim.share, json.dumps(aim.groups), aim.fence, aim.told_at)
            db.execute("INSERT INTO aim VALUES (1, ?, ?, ?, ?, ?, ?, -1, '[]')", values)
            db.execute("COMMIT")
        return True

    def look(self, groups: tuple[str, ...], *, is_settled: bool) -> tuple[str, ...]:
        """Note that it was observed, and say which groups to report: those that are there.

        Where it was not told since it was observed before, by whichever worker, the rollout is paused. Then
        nothing new is begun, and groups that get whole by what was under way are not reported.
        """
        with self._opened() as db:
            aim = _aim(db)
            if aim is None:
                return groups
            if aim.fence != aim.seen:
                told = (aim.fence, json.dumps(groups), aim.fence)
                db.execute("UPDATE aim SET seen = ?, reported = ? WHERE fence = ?", told)
                return groups
            if aim.told_at and not is_settled:
                db.execute("UPDATE aim SET told_at = 0 WHERE fence = ?", (aim.fence,))
            return aim.reported if set(aim.reported) <= set(groups) else groups

    def mark(self, rows: Iterable[Standing]) -> None:
        """Write down how sites stand now: state, since, told, errand; all or none."""
        values = [(r.state, r.since, r.told[:_KEPT], r.errand, r.site.name) for r in rows]
        with self._opened() as db:
            db.execute("BEGIN IMMEDIATE")
            db.executemany(
                "UPDATE site SET state = ?, since = ?, told = ?, errand = ? WHERE name = ?", values
            )
            db.execute("COMMIT")

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._file, timeout=30, isolation_level=None)) as db:
                db.execute("PRAGMA synchronous = FULL")
                yield db
        except (sqlite3.Error, OSError) as error:
            raise TemporaryError(
                f"{self._file} cannot be used: {error}", hint="see who may write in this folder"
            ) from error


def _is_late(db: sqlite3.Connection, was: Aim, aim: Aim) -> bool:
    if was.rollout == aim.rollout:
        return aim.fence < was.fence
    return db.execute("SELECT 1 FROM earlier WHERE rollout = ?", (aim.rollout,)).fetchone() is not None


def _begin(db: sqlite3.Connection, was: Aim | None, aim: Aim, sites: Sequence[Site]) -> None:
    """Take over the list as it is now. What sites have of the same version stays known."""
    kept = {row.site.name: row for row in _standings(db)} if was and was.version == aim.version else {}
    if was is not None:
        db.execute("INSERT OR IGNORE INTO earlier VALUES (?)", (was.rollout,))
    db.execute("DELETE FROM site")
    rows = []
    for position, site in enumerate(sites):
        old = kept.get(site.name) or Standing(site, position, "old")
        cells = (site.name, position, site.group, site.owner, site.timezone)
        rows.append((*cells, old.state, 0, 0, old.since, old.told, ""))
    db.executemany("INSERT INTO site VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _choose(db: sqlite3.Connection, chosen: set[str]) -> None:
    db.execute("UPDATE site SET wanted = 0, in_wave = 0")
    wanted = [(name,) for name in chosen]
    db.executemany("UPDATE site SET wanted = 1, in_wave = (state != 'new') WHERE name = ?", wanted)


def _aim(db: sqlite3.Connection) -> Aim | None:
    query = "SELECT rollout, version, share, groups, fence, told_at, seen, reported FROM aim"
    try:
        row = db.execute(query).fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return None
        raise
    if row is None:
        return None
    rollout, version, share, groups, fence, told_at, seen, reported = row
    return Aim(
        rollout, version, share, tuple(json.loads(groups)), fence, told_at, seen, tuple(json.loads(reported))
    )


def _same(was: Aim, aim: Aim) -> bool:
    """Whether the same is wanted, by the same rollout."""
    mine = (aim.rollout, aim.version, aim.share, aim.groups)
    return (was.rollout, was.version, was.share, was.groups) == mine


def _standings(db: sqlite3.Connection) -> tuple[Standing, ...]:
    columns = "name, grp, owner, timezone, position, state, wanted, in_wave, since, told, errand"
    try:
        rows = db.execute(f"SELECT {columns} FROM site ORDER BY position").fetchall()  # noqa: S608
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return ()
        raise
    return tuple(_standing(row) for row in rows)


def _standing(row: Sequence[Any]) -> Standing:
    position, state, wanted, in_wave, since, told, errand = row[4:]
    return Standing(Site(*row[:4]), position, state, bool(wanted), bool(in_wave), since, told, errand)
