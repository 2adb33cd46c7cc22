"""The tables that are taken from spreadsheets: risk registers, backlogs, and lists of user groups."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rollway.facts.importers.columns import Field, Mapped, field_called, map_columns
from rollway.facts.importers.given import clean, slug
from rollway.facts.importers.issues import ACCEPTED, DROPPED, touched
from rollway.facts.importers.levels import impact_of, largest, probability_of, scale_told
from rollway.facts.importers.model import Imported, Options, Row, Skips, UnreadableError, counted
from rollway.facts.time_zones import known_zones

MAX_ROWS = 10_000
_HEADER_WITHIN = 30  # lines above a table: a title, a date, an empty line
_GOOD_FIT = 1.7
_CLOSED = re.compile(
    r"\b(closed|resolved|retired|expired|obsolete|done|erledigt|geschlossen|clos)", re.IGNORECASE
)
_YES = re.compile(r"(y|yes|true|1|x|ok|done|ja|oui|si|sí|✓|✔|100 ?%)", re.IGNORECASE)
_NO = re.compile(r"(n|no|false|0|open|nein|non|✗|✘|0 ?%)", re.IGNORECASE)
_MAY_SAY_NOTHING = ("status", "touches")  # any label is a label
_NOBODY_KNOWS = re.compile(r"(|\?+|-+|tbd|tba|n/?a|unknown|unbekannt)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: its cells as text, and where it stands for the report (`row 14`)."""

    cells: tuple[str, ...]
    place: str


Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Register:
    """A kind of table: the list it fills, the fields it may hold, and those it cannot do without.

    `row` makes an entry of the list from a line's cells; a text says why it is skipped.
    """

    name: str
    noun: str
    path: str
    fields: tuple[Field, ...]
    needs: tuple[frozenset[str], ...]
    row: Callable[[Cells, Mapping[str, float]], Row | str]

    def is_in(self, mapped: Mapped, *, certain: bool) -> bool:
        """Whether a table is of this kind; where that is `certain`, what its rows are called is enough."""
        needs = self.needs[:1] if certain else self.needs
        return all(any(name in mapped.columns for name in names) for names in needs)


def import_table(lines: list[Line], options: Options, where: str, table: str = "") -> Imported:
    """The entries of one table. Raises `UnreadableError` where it is none that is known.

    The header is looked for in the first lines, and the kind of table guessed from it unless `table` or
    the options name one.
    """
    kinds = _kinds(table or options.table, options.columns)
    at, kind, mapped = _header(lines, kinds, options, where)
    header = tuple(clean(cell, 80) for cell in lines[at].cells)
    skips, rows, seen = Skips(), list[Row](), set[str]()
    body = [_cells(line, mapped) for line in lines[at + 1 :]]
    scales = {name: largest(cells.get(name, "") for cells in body) for name in mapped.columns}
    for line, cells in zip(lines[at + 1 :], body, strict=True):
        if not any(line.cells):
            continue
        row = kind.row(cells, scales)
        if isinstance(row, str):
            skips.add(row, line.place)
            continue
        name = str(row.get("id") or row.get("name"))
        if name in seen:
            skips.add(f"{name!r} stands there twice, and the first one counts", line.place)
        elif len(rows) >= MAX_ROWS:
            skips.add(f"more than {MAX_ROWS:,} entries", line.place)
        else:
            seen.add(name)
            rows.append(row)
            _tell_unread(cells, row, line.place, skips)
    notes = _notes(mapped, header, scales)
    return Imported(
        counted(len(rows), *kind.noun.split("|")), (), {kind.path: tuple(rows)}, skips.result(), notes
    )


def _tell_unread(cells: Cells, row: Row, place: str, skips: Skips) -> None:
    """Count the cells of a row that say something, and nothing that could be understood."""
    for name, cell in cells.items():
        if name not in row and name not in _MAY_SAY_NOTHING and not _NOBODY_KNOWS.fullmatch(cell):
            skips.add(f"cells of {name} that are not understood", place)


def _header(
    lines: list[Line], kinds: tuple[Register, ...], options: Options, where: str
) -> tuple[int, Register, Mapped]:
    """The first line that fits a kind of table well, and the kind it fits best."""
    for at, line in enumerate(lines[:_HEADER_WITHIN]):
        header = tuple(clean(cell, 80) for cell in line.cells)
        fits = [
            (mapped.fit, kind, mapped) for kind in kinds if (mapped := _mapped(header, kind, kinds, options))
        ]
        best = max(fits, key=lambda one: one[0], default=None)
        if best is not None and (best[0] >= _GOOD_FIT or len(kinds) == 1):
            return at, *best[1:]
    raise _unknown(lines, kinds, options, where)


def _mapped(
    header: tuple[str, ...], kind: Register, kinds: tuple[Register, ...], options: Options
) -> Mapped | None:
    names = {name.lower() for name in header}
    if not all(column.strip().lower() in names for column in options.columns.values()):
        return None
    try:
        mapped = map_columns(header, kind.fields, options.columns)
    except UnreadableError:
        if len(kinds) == 1:
            raise
        return None
    return mapped if kind.is_in(mapped, certain=len(kinds) == 1) else None


def _unknown(lines: list[Line], kinds: tuple[Register, ...], options: Options, where: str) -> UnreadableError:
    first = next((line for line in lines if sum(bool(cell) for cell in line.cells) > 1), None)
    if first is None:
        return UnreadableError(f"{where}: this table is empty")
    header = tuple(clean(cell, 80) for cell in first.cells)
    if options.columns:
        map_columns(header, kinds[0].fields, options.columns)  # says which column is not there
    names = ", ".join(repr(name) for name in header if name)
    told = " or ".join(kind.name for kind in kinds)
    example = kinds[0].fields[1].called[0]
    return UnreadableError(
        f"{where}: no table of {told} is recognised; its columns are {names}",
        hint=f'say which column is which, such as --as {kinds[0].name} --map "{example}={header[0]}"',
    )


def _cells(line: Line, mapped: Mapped) -> dict[str, str]:
    return {name: line.cells[at].strip() for name, at in mapped.columns.items() if at < len(line.cells)}


def _notes(mapped: Mapped, header: tuple[str, ...], scales: Mapping[str, float]) -> tuple[str, ...]:
    notes = [mapped.told(header)]
    notes += [
        f"{name} {told}"
        for name in ("probability", "impact")
        if (told := scale_told(scales.get(name, 0), has_critical=name == "impact"))
    ]
    unused = list(dict.fromkeys(mapped.unused(header)))
    if unused:
        more = ", …" if len(unused) > 8 else ""
        notes.append(f"columns not used: {', '.join(unused[:8])}{more}")
    return tuple(notes)


# --- the kinds of tables ------------------------------------------------------------------------------


def _risk(cells: Cells, scales: Mapping[str, float]) -> Row | str:
    title = clean(cells.get("title"))
    if not title:
        return "no title"
    if _CLOSED.search(cells.get("status", "")):
        return "closed"
    levels = {
        "probability": probability_of(cells.get("probability", ""), scales.get("probability", 0)),
        "impact": impact_of(cells.get("impact", ""), scales.get("impact", 0)),
    }
    texts = {name: clean(cells.get(name)) for name in ("owner", "response", "trigger")}
    stated = {name: told for name, told in {**levels, **texts}.items() if told}
    return {"id": clean(cells.get("id"), 60) or slug(title), "title": title, **stated}


def _story(cells: Cells, scales: Mapping[str, float]) -> Row | str:
    title = clean(cells.get("title"))
    if not title:
        return "no title"
    status = cells.get("accepted", "").strip()
    if DROPPED.search(status):
        return f"{clean(status, 30).lower()}, so not in the increment"
    accepted = _yes_or_no(status)
    if accepted is None and not _NOBODY_KNOWS.fullmatch(status):
        accepted = bool(ACCEPTED.search(status))
    row: dict[str, object] = {"id": clean(cells.get("id"), 60) or slug(title), "title": title}
    row |= {"accepted": accepted} if accepted is not None else {}
    row |= {"touches": parts} if (parts := touched(cells.get("touches", ""))) else {}
    note = clean(cells.get("note_for_users"))
    return row | ({"note_for_users": note} if note else {})


def _group(cells: Cells, scales: Mapping[str, float]) -> Row | str:
    name = clean(cells.get("name"), 120)
    if not name:
        return "no name"
    row: dict[str, object] = {"name": name}
    users = re.sub(r"[\s.,'’]", "", cells.get("users", ""))
    row |= {"users": int(users)} if re.fullmatch(r"[0-9]{1,9}", users) else {}
    row |= {key: clean(cells[key], 120) for key in ("site", "language", "contact") if cells.get(key)}
    zone = cells.get("timezone", "")
    row |= {"timezone": zone} if zone in known_zones() else {}
    for key in ("representative", "informed"):
        said = _yes_or_no(cells.get(key, ""))
        row |= {key: said} if said is not None else {}
    share = _share(cells.get("training_done", ""), scales.get("training_done", 0))
    return row | ({"training_done": share} if share is not None else {})


def _yes_or_no(text: str) -> bool | None:
    told = text.strip()
    return True if _YES.fullmatch(told) else False if _NO.fullmatch(told) else None


def _share(text: str, scale_end: float) -> float | None:
    found = re.fullmatch(r"\s*([0-9]{1,3}(?:[.,][0-9]{1,6})?)\s*(%?)\s*", text)
    if not found:
        said = _yes_or_no(text)
        return None if said is None else float(said)
    figure = float(found[1].replace(",", "."))
    share = figure / 100 if found[2] or scale_end > 1 else figure
    return round(share, 4) if share <= 1 else None


_ID = ("id", "key", "ref", "reference", "nr", "no", "number", "#", "issue key")
_RISKS = Register(
    "risks",
    "risk",
    "risks.items",
    (
        Field("id", (*_ID, "risk id", "risk no", "risk ref")),
        Field(
            "title",
            (
                "risk",
                "risk title",
                "risk name",
                "title",
                "name",
                "summary",
                "risk description",
                "description",
                "event",
                "risiko",
                "risque",
                "riesgo",
            ),
        ),
        Field(
            "probability",
            (
                "probability",
                "likelihood",
                "p",
                "chance",
                "wahrscheinlichkeit",
                "eintrittswahrscheinlichkeit",
                "probabilité",
                "probabilidad",
            ),
        ),
        Field(
            "impact",
            (
                "impact",
                "severity",
                "consequence",
                "effect",
                "i",
                "auswirkung",
                "schadensausmaß",
                "schaden",
                "impacto",
            ),
        ),
        Field(
            "owner",
            (
                "owner",
                "risk owner",
                "responsible",
                "assignee",
                "assigned to",
                "accountable",
                "verantwortlich",
                "eigner",
                "responsable",
            ),
        ),
        Field(
            "response",
            (
                "response",
                "mitigation",
                "mitigation plan",
                "countermeasure",
                "treatment",
                "action",
                "actions",
                "control",
                "contingency",
                "maßnahme",
                "massnahme",
                "maßnahmen",
            ),
        ),
        Field(
            "trigger", ("trigger", "indicator", "early warning", "warning sign", "auslöser", "frühindikator")
        ),
        Field("status", ("status", "state")),
    ),
    (frozenset({"title"}), frozenset({"probability", "response", "trigger"})),
    _risk,
)
_BACKLOG = Register(
    "backlog",
    "story|stories",
    "backlog.items",
    (
        Field("id", (*_ID, "issue", "issue id", "story id", "work item")),
        Field(
            "title",
            ("title", "summary", "story", "user story", "feature", "name", "subject", "item", "titel"),
        ),
        Field("accepted", ("accepted", "acceptance", "status", "state", "done", "uat", "abgenommen")),
        Field("touches", ("touches", "labels", "tags", "components", "component", "area", "areas")),
        Field(
            "note_for_users",
            ("note for users", "release note", "release notes", "customer note", "user note"),
        ),
    ),
    (frozenset({"title"}), frozenset({"accepted"})),
    _story,
)
_GROUPS = Register(
    "groups",
    "group",
    "stakeholders.groups",
    (
        Field(
            "name",
            ("group", "name", "user group", "site", "branch", "department", "team", "location", "gruppe"),
        ),
        Field(
            "users", ("users", "head count", "headcount", "number of users", "people", "staff", "benutzer")
        ),
        Field("site", ("site", "location", "office", "city", "standort")),
        Field("language", ("language", "lang", "sprache")),
        Field("timezone", ("timezone", "time zone", "tz")),
        Field("representative", ("representative", "pilot", "typical")),
        Field(
            "training_done", ("training done", "trained", "training", "% trained", "training %", "geschult")
        ),
        Field("informed", ("informed", "told", "communicated", "announced", "informiert")),
        Field("contact", ("contact", "email", "e mail", "champion", "key user", "ansprechpartner")),
    ),
    (frozenset({"name"}), frozenset({"users", "training_done", "informed"})),
    _group,
)
REGISTERS = (_RISKS, _BACKLOG, _GROUPS)


def _kinds(name: str, columns: Mapping[str, str]) -> tuple[Register, ...]:
    """The kind of that name, else those that hold every field that a person has mapped."""
    if named := tuple(kind for kind in REGISTERS if kind.name == name):
        return named
    meant = tuple(
        kind for kind in REGISTERS if all(field_called(word, kind.fields) is not None for word in columns)
    )
    return meant or REGISTERS
