"""What an importer is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from rollway.errors import InputError

Row = Mapping[str, Any]
"""One entry of a list of the release file, as plain values."""

SHOWN_PLACES = 5


class UnreadableError(InputError):
    """A file that was to be imported cannot be: what is wrong with it, where, and what may help."""

    code = "import"


@dataclass(frozen=True, slots=True)
class Given:
    """What is to be imported: a file's bytes, or a folder with a git repository."""

    name: str
    data: bytes = b""
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """What people may say about an import. `first` and `last` bound the days that recurring events fill."""

    first: date
    last: date
    columns: Mapping[str, str] = field(default_factory=dict)
    table: str = ""
    sheet: str = ""
    version: str = ""
    revisions: str = ""
    timezone: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One fact that a file states; `told` quotes the file in a few words, for the fact's source.

    Where several files state it, `sum` adds whole numbers up, `mean` weighs shares by `weight`, and
    `last` takes the last word.
    """

    path: str
    value: bool | int | float | str
    told: str
    assumed: bool = False
    joins: Literal["last", "sum", "mean"] = "last"
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Skipped:
    """What was not taken over, why, how often, and where: the first few places."""

    why: str
    count: int
    places: tuple[str, ...] = ()

    def told(self) -> str:
        """One line: `2 skipped: closed (row 4, row 9)`."""
        more = ", …" if self.count > len(self.places) else ""
        where = f" ({', '.join(self.places)}{more})" if self.places else ""
        return f"{self.count:,} skipped: {self.why}{where}"


@dataclass(frozen=True, slots=True)
class Imported:
    """What was read from one file. `told` says it in a few words, `notes` how it was understood.

    Where it `fills_in`, its entries of lists only add what others leave open: a changelog's line about an
    issue is no better title than the tracker's.
    """

    told: str
    facts: tuple[Found, ...] = ()
    rows: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    fills_in: bool = False


@dataclass(frozen=True, slots=True)
class Importer:
    """One format: its name on the command line, how it is recognised, and how it is read.

    `recognises` looks at the content only and never raises; `read` raises `UnreadableError`.
    """

    name: str
    title: str
    recognises: Callable[[Given], bool]
    read: Callable[[Given, Options], Imported]


class Skips:
    """Counts what is skipped, by reason, in the order in which the reasons first come up."""

    def __init__(self) -> None:
        self._places: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}

    def add(self, why: str, place: str = "", count: int = 1) -> None:
        self._counts[why] = self._counts.get(why, 0) + count
        places = self._places.setdefault(why, [])
        if place and len(places) < SHOWN_PLACES:
            places.append(place)

    def result(self) -> tuple[Skipped, ...]:
        return tuple(Skipped(why, count, tuple(self._places[why])) for why, count in self._counts.items())


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 test`, `412 tests`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
