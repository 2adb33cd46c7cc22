"""Which column of a table holds what: guessed from the header's words, or said by a person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from rollway.facts.importers.model import UnreadableError
from rollway.facts.problems import closest

_EXACT, _BEGINNING, _WORD, _ALIKE = 1.0, 0.9, 0.8, 0.7
_LONGEST_NAME = 40
# "Risk score" is no risk, "Issue type" no issue, and "Owner since" no owner.
_SOMETHING_ELSE = re.compile(
    r"\b(score|rating|rank|category|type|date|created|updated|since|url|link|level)\b"
)


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a table may hold, and what its column may be called, the most usual name first."""

    name: str
    called: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mapped:
    """Field -> the index of its column, and how well the header fits: the sum of the likenesses."""

    columns: Mapping[str, int]
    fit: float

    def told(self, header: tuple[str, ...]) -> str:
        """`id from "Ref", title from "Risk title"`."""
        return ", ".join(f"{field} from {header[at]!r}" for field, at in self.columns.items())

    def unused(self, header: tuple[str, ...]) -> list[str]:
        return [name for at, name in enumerate(header) if name and at not in self.columns.values()]


def map_columns(header: tuple[str, ...], fields: tuple[Field, ...], said: Mapping[str, str]) -> Mapped:
    """The best column for each field, each column once.

    `said` is a person's word: field (or one of its other names) -> column. Raises `UnreadableError` where
    it names a column or a field that is not there.
    """
    columns = _as_said(header, fields, said)
    pairs = sorted(
        (
            (likeness, -rank, -at, field.name, at)
            for rank, field in enumerate(fields)
            if field.name not in columns
            for at, name in enumerate(header)
            if (likeness := _likeness(name, field))
        ),
        reverse=True,
    )
    fit = float(len(columns))
    for likeness, _, _, name, at in pairs:
        if name not in columns and at not in columns.values():
            columns[name] = at
            fit += likeness
    return Mapped({field.name: columns[field.name] for field in fields if field.name in columns}, fit)


def _as_said(header: tuple[str, ...], fields: tuple[Field, ...], said: Mapping[str, str]) -> dict[str, int]:
    columns = {}
    for word, column in said.items():
        field = _field_meant(word, fields)
        names = {_plain(name): at for at, name in reversed(list(enumerate(header)))}
        at = names.get(_plain(column))
        if at is None:
            near = closest(column, [name for name in header if name])
            hint = f"did you mean {near!r}?" if near else f"its columns are {_listed(header)}"
            raise UnreadableError(f"--map {word}={column}: there is no such column", hint=hint)
        columns[field.name] = at
    return columns


def field_called(word: str, fields: tuple[Field, ...]) -> Field | None:
    """The field of that name, or one of whose usual names it is."""
    told = _plain(word)
    return next((one for one in fields if told == _plain(one.name) or told in map(_plain, one.called)), None)


def _field_meant(word: str, fields: tuple[Field, ...]) -> Field:
    if (field := field_called(word, fields)) is not None:
        return field
    known = [field.name for field in fields]
    near = closest(word, known)
    hint = f"did you mean {near}?" if near else f"known here: {', '.join(known)}"
    raise UnreadableError(f"--map {word}=…: nothing of that name is taken from this table", hint=hint)


def _likeness(name: str, field: Field) -> float:
    """0 for nothing in common, up to 1; of equal likenesses the more usual name counts more."""
    told = _plain(name)
    if not told or len(told) > _LONGEST_NAME:
        return 0.0
    found = ((_alike(told, _plain(called)), rank) for rank, called in enumerate(field.called))
    return max((likeness - rank / 1000 for likeness, rank in found if likeness), default=0.0)


def _alike(told: str, called: str) -> float:
    if told == called:
        return _EXACT
    if len(called) < 3 or _SOMETHING_ELSE.search(told):
        return 0.0
    if told.startswith(f"{called} "):
        return _BEGINNING
    if f" {called} " in f" {told} ":
        return _WORD
    if told[0] != called[0] or abs(len(told) - len(called)) > 2 or len(told) < 5:
        return 0.0
    return _ALIKE if SequenceMatcher(None, told, called).ratio() >= 0.85 else 0.0


def _plain(name: str) -> str:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name[:80])
    return " ".join(re.findall(r"[^\W_]+|[#%]", snake.lower()))


def _listed(header: Iterable[str]) -> str:
    names = [name for name in header if name]
    return ", ".join(map(repr, names[:12])) + (", …" if len(names) > 12 else "")
