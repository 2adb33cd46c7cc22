"""Cases: situations told in factors, read from YAML or JSON with the place of every mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rollway.choice.choose import choose
from rollway.choice.factors_table import FACTORS, Factor, facts_of
from rollway.choice.model import Choice
from rollway.facts.model import Release
from rollway.facts.places import Entry, Node, parse_value
from rollway.facts.problems import Problem, ReleaseFileError, SourceText, did_you_mean, shown

_IDENTITY = {"name": "case", "version": "1"}


@dataclass(frozen=True, slots=True)
class Case:
    """A situation: its id, and the release that its factors tell of."""

    id: str
    release: Release


def read_cases(text: str, name: str) -> tuple[Case, ...]:
    """The cases of a text: a list under `cases:`, or one flat mapping of factors, whose id is then `name`.

    `name` stands for the file in sources and messages. Raises `ReleaseFileError` with every problem found.
    """
    source = SourceText(name, text.removeprefix("\ufeff"))
    root = parse_value(source)
    if not isinstance(root.value, dict):
        message = "a case file is a mapping of factors, or has a list under cases:"
        raise ReleaseFileError(name, [source.problem(root.place, message, "such as: modular: true")])
    problems: list[Problem] = []
    found = list(_cases(source, root, name, problems))
    if problems:
        raise ReleaseFileError(name, sorted(problems, key=lambda one: (one.line, one.column)))
    return tuple(found)


def release_of(factors: Mapping[str, Any], places: Mapping[str, str] | None = None) -> Release:
    """The release that these factors tell of; every fact names its factor, and the place if one is given.

    Raises KeyError for a name or a value that the table does not hold.
    """
    raw: dict[str, Any] = {"release": dict(_IDENTITY)}
    for path, value, factor in facts_of(factors):
        told = f"{factor}: {_plain(factors[factor])}"
        fact = {"state": "known", "value": value, "source": (places or {}).get(factor, ""), "note": told}
        _put(raw, path, fact if not isinstance(value, list | dict) else value)
    return Release.model_validate(raw)


def choose_cases(text: str, name: str) -> dict[str, Any]:
    """The choice for every case of a text, as plain values; raises like `read_cases`."""
    return {"cases": [case_to_json(case.id, choose(case.release)) for case in read_cases(text, name)]}


def case_to_json(id_: str, choice: Choice) -> dict[str, Any]:
    """One answer as plain values: the method, its sequence, the ranking, and how far it is an answer."""
    return {
        "id": id_,
        "recommended": choice.recommended,
        "sequence": list(choice.sequence),
        "verdict": choice.verdict,
        "leaning": choice.leaning,
        "reasons": list(choice.reasons),
        "ranking": [
            {
                "method": ranked.method,
                "score": round(ranked.score, 4),
                "state": ranked.state,
                "vetoes": [
                    {"id": veto.id, "title": veto.title, "state": veto.state, "evidence": veto.evidence}
                    for veto in ranked.vetoes
                    if veto.state != "satisfied"
                ],
            }
            for ranked in choice.ranking
        ],
    }


def _cases(source: SourceText, root: Node, name: str, problems: list[Problem]) -> Iterator[Case]:
    if "cases" not in root.entries:
        yield Case(name, _release(source, root, problems))
        return
    for key, entry in root.entries.items():
        if key in FACTORS:
            message = f"{key} stands beside cases: and belongs to no case"
            problems.append(source.problem(entry.key, message, "put it under the factors of a case"))
    rows = root.entries["cases"].node
    if not isinstance(rows.value, tuple):
        problems.append(source.problem(rows.place, "cases: holds a list", "begin each with '- id:'"))
        return
    for number, row in enumerate(rows.rows, 1):
        factors = row.child("factors")
        if factors is None or not (isinstance(factors.value, dict) or factors.is_null):
            place = factors.place if factors else row.place
            problems.append(
                source.problem(place, f"case {number} has no mapping of factors", "write factors: {…}")
            )
            continue
        yield Case(_id(source, row, number, problems), _release(source, factors, problems))


def _id(source: SourceText, row: Node, number: int, problems: list[Problem]) -> str:
    """The case's id as it is written, so that 007 stays 007; its number where it has none."""
    id_ = row.child("id")
    if id_ is None or id_.is_null:
        return f"case {number}"
    if isinstance(id_.value, dict | tuple):
        problems.append(source.problem(id_.place, f"the id of case {number} is no word", "write id: bank"))
    return id_.text or str(id_.plain())


def _release(source: SourceText, node: Node, problems: list[Problem]) -> Release:
    """The release of one mapping of factors; what cannot be used is told and left out."""
    stated: dict[str, Any] = {}
    places: dict[str, str] = {}
    for name, entry in node.entries.items():
        factor = FACTORS.get(name)
        if factor is None:
            problems.append(_unknown_name(source, name, entry))
            continue
        value = factor.read(entry.node.plain())
        if value is None or value == "unknown":
            continue
        if not factor.takes(value):
            problems.append(_unknown_value(source, factor, entry.node))
        else:
            stated[name], places[name] = value, str(entry.node.place)
    return release_of(stated, places)


def _unknown_name(source: SourceText, name: str, entry: Entry) -> Problem:
    near = did_you_mean(name, FACTORS) or "docs/choosing.md lists the factors"
    return source.problem(entry.key, f"there is no factor {shown(name)}", near)


def _unknown_value(source: SourceText, factor: Factor, node: Node) -> Problem:
    value = node.plain()
    near = did_you_mean(value, factor.words) if isinstance(value, str) else ""
    message = f"{factor.name} is {factor.expected}, not {shown(value)}"
    return source.problem(node.place, message, near)


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _put(raw: dict[str, Any], path: str, value: Any) -> None:
    *sections, last = path.split(".")
    for key in sections:
        raw = raw.setdefault(key, {})
    raw[last] = value
