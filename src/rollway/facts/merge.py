"""Several release files as one: what is written later is laid over what was written before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from rollway.facts.fact import UNKNOWN_WORD
from rollway.facts.model import Freeze, Release
from rollway.facts.places import Entry, Node
from rollway.facts.shape import fact_value, item_of, may_be_none, section_of, takes_any_key

Identity = tuple[str, ...]


def merged(earlier: Node, later: Node) -> Node:
    """One tree of both, every value with the place where it is written.

    - Sections are merged key by key; a fact is replaced as a whole.
    - `unknown` and an empty line say nothing, so they replace nothing. `{value: unknown, source: …}` is
      somebody's word that it is not known here, and replaces what was stated before.
    - Lists whose entries have a name, an id or a text are merged entry by entry; freezes add up by their
      days, since one file cannot lift another's prohibition by having one of its own. Any other list is
      replaced, and an empty one (`[]`) empties the list before it.
    - A signal or a target of another type is replaced as a whole.
    """
    return _merged(Release, earlier, later)


def names_of_rows(item: Any) -> Identity:
    """The keys that tell the entries of a list apart; none where entries have no name."""
    section = section_of(item)
    if section is None:
        return ()
    if section is Freeze:
        return ("first", "last")
    return next(((key,) for key in ("id", "name", "text") if key in section.model_fields), ())


def identity(entry: Node, keys: Identity) -> Identity | None:
    """What an entry is called, as it is written; None where it has no name."""
    told = []
    for key in keys:
        node = entry.child(key)
        if node is None or node.value is None or isinstance(node.value, dict | tuple):
            return None
        told.append(node.value if isinstance(node.value, str) else node.text or str(node.value))
    return tuple(told) or None


def _merged(annotation: Any, earlier: Node, later: Node) -> Node:
    if later.is_null or earlier.is_null:
        return earlier if later.is_null else later
    may_be_unknown = fact_value(annotation) is not None or may_be_none(annotation)
    if may_be_unknown and later.value == UNKNOWN_WORD:
        return earlier
    section, item = section_of(annotation), item_of(annotation)
    if section is not None and isinstance(earlier.value, dict) and isinstance(later.value, dict):
        return _sections(section, earlier, later)
    if item is not None and isinstance(earlier.value, tuple) and isinstance(later.value, tuple):
        return _lists(item, earlier, later)
    return later


def _sections(section: type[BaseModel], earlier: Node, later: Node) -> Node:
    if takes_any_key(section) and _of_another_type(earlier, later):
        return later
    entries = dict(earlier.entries)
    for key, (place, node) in later.entries.items():
        before = entries.get(key)
        if before is None:
            entries[key] = Entry(place, node)
            continue
        field = section.model_fields.get(key)
        both = _merged(field.annotation if field else Any, before.node, node)
        entries[key] = Entry(before.key if both is before.node else place, both)
    return _sized(replace(later, value=entries))


def _of_another_type(earlier: Node, later: Node) -> bool:
    was, now = earlier.child("type"), later.child("type")
    return was is not None and now is not None and was.value != now.value


def _lists(item: Any, earlier: Node, later: Node) -> Node:
    keys = names_of_rows(item)
    if not keys or not later.rows:
        return later
    rows = list(earlier.rows)
    index = {name: at for at, row in reversed(list(enumerate(rows))) if (name := identity(row, keys))}
    for row in later.rows:
        # Popped, so that a name that stands twice in one file is still seen to stand twice.
        at = index.pop(name, None) if (name := identity(row, keys)) else None
        if at is None:
            rows.append(row)
        else:
            rows[at] = _merged(item, rows[at], row)
    return _sized(replace(later, value=tuple(rows)))


def _sized(node: Node) -> Node:
    inner = (*node.rows, *(entry.node for entry in node.entries.values()))
    return replace(node, size=1 + sum(child.size for child in inner))
