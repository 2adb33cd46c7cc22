"""Threads that bring sites to what is wanted, a bounded number at once; a tick never waits for them."""

from __future__ import annotations

import fcntl
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from rollway.errors import TemporaryError
from rollway.targets.asking_people import filled
from rollway.targets.programs import run_program
from rollway.targets.sites_book import Aim, Book, SiteState, Standing
from rollway.targets.sites_command import Held, hold, run_held
from rollway.targets.sites_list import Site
from rollway.targets.sites_rules import Budget, following

log = logging.getLogger("rollway.targets.sites")

_FIRST_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Orders:
    """How one site is changed, asked, and changed back; the words of commands before they are filled in."""

    candidate: str
    baseline: str
    up: tuple[str, ...]
    down: tuple[str, ...]
    check: tuple[str, ...]
    dry_run: tuple[str, ...]
    timeout: float
    tries: int
    parallel: int
    folder: str
    rollout: str
    budget: Budget

    def words(self, command: Sequence[str], site: Site, version: str) -> list[str]:
        names = {"site": site.name, "group": site.group, "version": version}
        return [filled(word, names) for word in command]

    def environment(self, site: Site, version: str) -> dict[str, str]:
        names = {"SITE": site.name, "GROUP": site.group, "VERSION": version, "ROLLOUT": self.rollout}
        return {f"ROLLWAY_{name}": value for name, value in names.items()}

    def version_of(self, site: Site, version: str) -> str:
        """The version that the site's check tells; "" where it tells none. Raises TemporaryError where the
        site is not ready."""
        words, environment = self.words(self.check, site, version), self.environment(site, version)
        said = run_program(words, timeout=self.timeout, folder=self.folder, environment=environment)
        lines = said.strip().splitlines()
        return lines[-1].strip() if lines else ""


@dataclass(frozen=True, slots=True)
class _Claim:
    """A site that a thread has taken. `is_unclear`: it was begun before, and nobody knows how that ended."""

    row: Standing
    held: Held
    is_unclear: bool

    @property
    def is_up(self) -> bool:
        return self.row.is_wanted


class Crew:
    """Works while there is something to do. Of several workers on one folder only one has a crew at work."""

    def __init__(
        self, book: Book, orders: Orders, is_open: Callable[[Standing], bool], clock: Callable[[], float]
    ) -> None:
        self._book, self._orders, self._is_open, self._clock = book, orders, is_open, clock
        self._lock = threading.Lock()
        self._at_work: set[str] = set()
        self._threads = 0
        self._floor: IO[str] | None = None

    def start(self) -> None:
        """Let as many threads work as may. Returns at once."""
        with self._lock:
            if self._floor is None:
                self._floor = _only_one(self._book.folder)
            if self._floor is None:
                return
            for _ in range(self._orders.parallel - self._threads):
                self._threads += 1
                threading.Thread(target=self._work, name="rollway-site", daemon=True).start()

    @property
    def is_at_work(self) -> bool:
        return self._threads > 0

    def _work(self) -> None:
        try:
            while (claim := self._claim()) is not None:
                self._do(claim)
        except Exception:
            log.exception("a thread that changes sites met an error and ends; the next tick starts another")
        finally:
            with self._lock:
                self._threads -= 1
                if not self._threads and self._floor is not None:
                    self._floor.close()
                    self._floor = None

    def _claim(self) -> _Claim | None:
        with self._lock:
            aim, rows = self._book.aim(), self._book.standings()
            if aim is None or not self._is_ours(aim):
                return None
            for row in following(rows, aim, self._orders.budget, self._clock(), self._is_open):
                if row.site.name in self._at_work:
                    continue
                held = hold(self._book.folder, row.site.name)
                if held is None:
                    continue
                try:
                    return self._begun(row, held)
                except BaseException:
                    held.release()
                    raise
        return None

    def _is_ours(self, aim: Aim) -> bool:
        return (aim.rollout, aim.version) == (self._orders.rollout, self._orders.candidate)

    def _begun(self, row: Standing, held: Held) -> _Claim:
        is_unclear = row.state == ("changing" if row.is_wanted else "going_back")
        row = replace(row, state="changing" if row.is_wanted else "going_back", since=self._clock())
        self._book.mark([row])
        self._at_work.add(row.site.name)
        return _Claim(row, held, is_unclear)

    def _do(self, claim: _Claim) -> None:
        try:
            is_well, told = self._tried(claim)
            state = _state(is_up=claim.is_up, is_well=is_well)
            self._book.mark([replace(claim.row, state=state, told=told, since=self._clock())])
        finally:
            claim.held.release()
            with self._lock:
                self._at_work.discard(claim.row.site.name)

    def _tried(self, claim: _Claim) -> tuple[bool, str]:
        orders, site = self._orders, claim.row.site
        command, version = (orders.up, orders.candidate) if claim.is_up else (orders.down, orders.baseline)
        if claim.is_unclear and orders.check and self._has(site, version) == (True, version):
            return True, f"it has {version} already"
        told = ""
        for number in range(orders.tries):
            if number:
                time.sleep(_FIRST_PAUSE_SECONDS * 2 ** (number - 1))
            is_well, told = run_held(
                claim.held,
                orders.words(command, site, version),
                timeout=orders.timeout,
                folder=orders.folder,
                environment=orders.environment(site, version),
            )
            if is_well and orders.check:
                is_well, said = self._has(site, version)
                told = told if is_well and told else said
            if is_well:
                return True, told
        return False, told

    def _has(self, site: Site, version: str) -> tuple[bool, str]:
        """Whether the site is ready with this version, and what it says."""
        try:
            said = self._orders.version_of(site, version)
        except TemporaryError as error:
            return False, f"the check says: {error.message}"
        if said and said != version:
            return False, f"the check tells {said} and not {version}"
        return True, said


def _state(*, is_up: bool, is_well: bool) -> SiteState:
    if is_up:
        return "new" if is_well else "failed"
    return "old" if is_well else "stuck"


def _only_one(folder: Path) -> IO[str] | None:
    """The floor of the folder, locked; None where another process works there."""
    try:
        handle = (folder / "crew.lock").open("a")
    except OSError as error:
        raise TemporaryError(f"{folder} cannot be written to: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        return None
    return handle
