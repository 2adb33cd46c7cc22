"""What several files say, as one piece of a release file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollway.facts.importers.model import Found, Imported, Row
from rollway.facts.merge import Identity, identity, names_of_rows
from rollway.facts.model import Release
from rollway.facts.places import Node
from rollway.facts.shape import expected_at, item_of, section_of
from rollway.facts.yaml_text import block

HEAD = "# Written by `rollway import`; the next import writes it anew."
_SOURCES_NAMED = 5


@dataclass(frozen=True, slots=True)
class Fragment:
    """Nested facts as a release file holds them, and for each path the files that it comes from.

    `gentle` are the keys of entries, as (path, name of the entry, key), that only fill in what a release
    file leaves open.
    """

    facts: Mapping[str, Any]
    sources: Mapping[str, tuple[str, ...]]
    gentle: frozenset[tuple[str, Identity, str]] = frozenset()


def combined(imports: Sequence[tuple[str, Imported]]) -> Fragment:
    """The facts and entries of all files, each file with its name.

    Numbers of tests and issues add up, coverage is weighed by lines, of anything else the last word counts.
    Entries of the same id or name become one: a later file overrides key by key, one that `fills_in` adds
    what is left open.
    """
    found: dict[str, list[tuple[str, Found]]] = {}
    rows: dict[str, dict[Identity, Row]] = {}
    sources: dict[str, list[str]] = {}
    gentle: set[tuple[str, Identity, str]] = set()
    for name, imported in sorted(imports, key=lambda one: one[1].fills_in):
        for fact in imported.facts:
            found.setdefault(fact.path, []).append((name, fact))
            sources.setdefault(fact.path, []).append(name)
        for path, entries in imported.rows.items():
            gentle |= _add_rows(rows.setdefault(path, {}), path, entries, fills_in=imported.fills_in)
            sources.setdefault(path, []).append(name)
    facts: dict[str, Any] = {}
    for path in sorted(sources, key=_place_in_model):
        _put(facts, path, _in_order(path, rows[path]) if path in rows else _fact(found[path]))
    told = {path: tuple(dict.fromkeys(names)) for path, names in sources.items()}
    return Fragment(facts, told, frozenset(gentle))


def _add_rows(
    index: dict[Identity, Row], path: str, entries: Sequence[Row], *, fills_in: bool
) -> set[tuple[str, Identity, str]]:
    """Lay entries over those of other files; returns the keys that are only filled in."""
    keys, gentle = _names(path), set()
    for entry in entries:
        name = tuple(str(entry.get(key, "")) for key in keys)
        before = index.get(name, {})
        index[name] = {**entry, **before} if fills_in else {**before, **entry}
        if fills_in:
            gentle |= {(path, name, key) for key in entry if key not in before and key not in keys}
    return gentle


def beside(fragment: Fragment, root: Node) -> Mapping[str, Any]:
    """The fragment's facts without the gentle keys that the entries of a release file already have."""
    facts: dict[str, Any] = {}
    for path in fragment.sources:
        _put(facts, path, _get(fragment.facts, path))
    for path in {path for path, _, _ in fragment.gentle}:
        node, keys = root.nearest(tuple(path.split("."))), _names(path)
        stated = {
            (path, name, key)
            for row in node.rows
            if (name := identity(row, keys))
            for key, entry in row.entries.items()
            if not entry.node.is_null
        }
        dropped = stated & fragment.gentle
        _put(facts, path, [_without(row, path, keys, dropped) for row in _get(fragment.facts, path)])
    return facts


def _without(row: Row, path: str, keys: Identity, dropped: set[tuple[str, Identity, str]]) -> Row:
    name = tuple(str(row.get(key, "")) for key in keys)
    return {key: value for key, value in row.items() if (path, name, key) not in dropped}


def _names(path: str) -> Identity:
    return names_of_rows(item_of(expected_at(tuple(path.split(".")))))


def _fact(found: list[tuple[str, Found]]) -> dict[str, Any]:
    facts = [fact for _, fact in found]
    last = facts[-1]
    value = last.value
    used = found[-1:] if last.joins == "last" else found
    if last.joins == "sum":
        value = sum(int(fact.value) for fact in facts)
    elif last.joins == "mean":
        weight = sum(fact.weight for fact in facts)
        value = round(sum(float(fact.value) * fact.weight for fact in facts) / weight, 4)
    named = [f"{name}: {fact.told}" for name, fact in used[:_SOURCES_NAMED]]
    named += [f"and {len(used) - _SOURCES_NAMED} more files"] if len(used) > _SOURCES_NAMED else []
    if last.assumed:
        return {"assume": value, "because": "; ".join(named)}
    return {"value": value, "source": "; ".join(named)}


def _put(facts: dict[str, Any], path: str, value: Any) -> None:
    *sections, key = path.split(".")
    for section in sections:
        facts = facts.setdefault(section, {})
    facts[key] = value


def _get(facts: Mapping[str, Any], path: str) -> Any:
    value: Any = facts
    for key in path.split("."):
        value = value[key]
    return value


def _in_order(path: str, rows: Mapping[Identity, Row]) -> list[Row]:
    """The entries with their keys in the order of the model."""
    section = section_of(item_of(expected_at(tuple(path.split(".")))))
    keys = list(section.model_fields) if section else []
    return [{key: row[key] for key in sorted(row, key=keys.index)} for row in rows.values()]


def _place_in_model(path: str) -> tuple[int, ...]:
    places, section = [], section_of(Release)
    for part in path.split("."):
        fields = section.model_fields if section else {}
        places.append(list(fields).index(part))
        section = section_of(fields[part].annotation)
    return tuple(places)


def fragment_text(fragment: Fragment, told: Sequence[str] = ()) -> str:
    """The fragment as a YAML file to extend from; `told` are lines about the files it was made from."""
    head = [HEAD, "# Bring it into a release file with the line `extends:` and this file's name."]
    about = [f"# {line}".rstrip() for line in told]
    return "\n".join([*head, *(["#", *about] if about else []), "", *block(Release, fragment.facts)]) + "\n"
