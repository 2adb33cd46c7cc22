"""Sites that people change: an errand for each site, or for each group of sites."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rollway.rollout.ports import Errand, ErrandShelf
from rollway.targets.asking_people import answer_of, asked_of, filled
from rollway.targets.sites_book import Aim, Book, SiteState, Standing

_STATES: Mapping[tuple[bool, str], SiteState] = {
    (True, "done"): "new",
    (True, "failed"): "failed",
    (False, "done"): "old",
    (False, "failed"): "stuck",
}
_UP, _BACK = "up", "back"


@dataclass(frozen=True, slots=True)
class Letters:
    """What people are asked: the texts, by site or by group, and who is asked where the list names nobody."""

    up: str
    down: str
    by_group: bool
    owner: str
    backup: str
    candidate: str
    baseline: str

    def subject(self, row: Standing) -> str:
        return row.site.group or row.site.name if self.by_group else row.site.name

    def errand(self, key: str, rows: Sequence[Standing]) -> Errand:
        """What is asked about these sites, which have one subject."""
        is_up = _is_up(key)
        values = {
            "site": ", ".join(row.site.name for row in rows),
            "group": rows[0].site.group,
            "version": self.candidate if is_up else self.baseline,
            "candidate": self.candidate,
        }
        owner = next((row.site.owner for row in rows if row.site.owner), self.owner)
        return Errand(key, asked_of(owner, self.backup), filled(self.up if is_up else self.down, values))


def ask(book: Book, shelf: ErrandShelf, letters: Letters, aim: Aim, clock: Callable[[], float]) -> None:
    """Ask for all that is wanted and was not asked for, and withdraw what has become pointless.

    The book is written first and people are asked then, so that a crash between the two asks nobody twice.
    """
    changed = []
    for row in book.standings():
        if row.is_wanted and row.state in ("old", "going_back", "stuck"):
            key, state = f"{aim.fence}-{_UP}:{letters.subject(row)}", "changing"
        elif not row.is_wanted and row.is_touched and _is_due_back(row):
            key, state = f"{aim.fence}-{_BACK}:{letters.subject(row)}", "going_back"
        else:
            continue
        changed.append(replace(row, errand=key, state=_known(state), since=clock(), told=""))
    if changed:
        book.mark(changed)
    rows = book.standings()
    known = shelf.read()
    asked = _by_key(row for row in rows if row.errand and row.errand not in known)
    if asked:
        shelf.ask([letters.errand(key, some) for key, some in asked.items()])
    needed = {row.errand for row in rows}
    pointless = [key for key, errand in known.items() if errand.state == "asked" and key not in needed]
    if pointless:
        shelf.withdraw(pointless)


def hear(book: Book, shelf: ErrandShelf, clock: Callable[[], float]) -> None:
    """Write down what people said since."""
    known = shelf.read()
    heard = []
    for row in book.standings():
        errand = known.get(row.errand)
        if errand is None or errand.state == "asked":
            continue
        state = _STATES[_is_up(errand.key), errand.state]
        # A site that failed and is to be tried again is old until it is asked for again.
        if state != row.state and not (row.state == "old" and state == "failed"):
            heard.append(replace(row, state=state, told=answer_of(errand), since=clock()))
    if heard:
        book.mark(heard)


def _is_due_back(row: Standing) -> bool:
    return row.state not in ("going_back", "stuck") or not row.errand


def _is_up(key: str) -> bool:
    return key.partition(":")[0].endswith(f"-{_UP}")


def _known(state: str) -> SiteState:
    return "changing" if state == "changing" else "going_back"


def _by_key(rows: Iterable[Standing]) -> dict[str, list[Standing]]:
    found: dict[str, list[Standing]] = {}
    for row in rows:
        found.setdefault(row.errand, []).append(row)
    return found
