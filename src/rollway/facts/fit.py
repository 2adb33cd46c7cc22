"""Lays the written values beside the models: facts get their source, misfits a plain word.

What passes here still goes through the models, which alone decide about ranges and missing keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from rollway.facts.fact import UNKNOWN_WORD
from rollway.facts.places import Node
from rollway.facts.problems import Place, Where, shown
from rollway.facts.shape import form_of
from rollway.facts.words import Misfit, as_leaf, kind_of

_FACT_FORMS = "a fact is a plain value, unknown, {value: …, source: …} or {assume: …, because: …}"
_KNOWN = ("value", "source", "known")
_ASSUMED = ("assume", "because", "assumed")


@dataclass
class Fitted:
    """What fitting found: (path, place, misfit) for each value that cannot be meant."""

    misfits: list[tuple[Where, Place, Misfit]] = field(default_factory=list)

    def paths(self) -> set[Where]:
        return {where for where, _, _ in self.misfits}

    def add(self, where: Where, place: Place, message: str, suggestion: str = "") -> None:
        self.misfits.append((where, place, Misfit(message, suggestion)))

    @contextmanager
    def catching(self, where: Where, place: Place) -> Iterator[None]:
        try:
            yield
        except Misfit as misfit:
            self.misfits.append((where, place, misfit))


def fit(annotation: Any, node: Node, where: Where, found: Fitted) -> Any:
    """The value as the models read it. What does not fit is noted in `found` and left as it is."""
    expected, inner = form_of(annotation)
    if expected == "fact":
        return _fact(inner, node, where, found)
    if expected == "section":
        return _section(inner, node, where, found)
    if expected == "list":
        return _list(inner, node, where, found)
    if expected == "anything":
        return node.plain()
    if expected == "value or unknown" and node.value == UNKNOWN_WORD:
        return None
    try:
        return as_leaf(annotation, node.value, node.text)
    except Misfit as misfit:
        found.misfits.append((where, node.place, misfit))
    return node.plain()


def _section(section: type[BaseModel], node: Node, where: Where, found: Fitted) -> Any:
    if not isinstance(node.value, dict):
        keys = ", ".join(list(section.model_fields)[:3])
        # `risks: [...]` is a natural guess for `risks: {items: [...]}`.
        inner = "items" if "items" in section.model_fields and isinstance(node.value, tuple) else ""
        suggestion = "put the list under the key 'items'" if inner else ""
        message = f"{kind_of(node.value, node.text)} stands where keys such as {keys} belong"
        found.add(where, node.place, message, suggestion)
        return node.plain()
    fitted = {}
    for key, (_, child) in node.value.items():
        known, inside = section.model_fields.get(key), (*where, key)
        if known is None:
            fitted[key] = child.plain()
        elif not child.is_null:
            fitted[key] = fit(known.annotation, child, inside, found)
        elif known.is_required():  # any other key without a value counts as no line at all
            found.add(inside, child.place, "has no value, and cannot do without one")
    return fitted


def _list(item: Any, node: Node, where: Where, found: Fitted) -> Any:
    if not isinstance(node.value, tuple):
        written = node.text if node.text and len(node.text) < 30 else "…"
        hint = "start each entry with '- '" if isinstance(node.value, dict) else f"write [{written}]"
        found.add(where, node.place, f"{kind_of(node.value, node.text)} stands where a list belongs", hint)
        return node.plain()
    fitted = []
    for index, child in enumerate(node.value):
        if child.is_null:
            found.add((*where, index), child.place, "this entry is empty", "fill it in, or remove its '-'")
        fitted.append(fit(item, child, (*where, index), found) if not child.is_null else None)
    return fitted


def _fact(inner: Any, node: Node, where: Where, found: Fitted) -> Any:
    if isinstance(node.value, dict):
        return _long_fact(inner, node, where, found)
    if node.value == UNKNOWN_WORD:
        return {"state": "unknown", "source": str(node.place)}
    try:
        value = as_leaf(inner, node.value, node.text, is_fact=True)
    except Misfit as misfit:
        found.misfits.append((where, node.place, misfit))
        return None
    return {"state": "known", "value": value, "source": str(node.place)}


def _long_fact(inner: Any, node: Node, where: Where, found: Fitted) -> Any:
    value_key, note_key, state = _KNOWN if node.child(_KNOWN[0]) else _ASSUMED
    stated, note = node.child(value_key), node.child(note_key)
    if stated is None:
        found.add(where, node.place, "this mapping holds neither 'value' nor 'assume'", _FACT_FORMS)
        return None
    for key, place in node.key_places():
        if key not in (value_key, note_key):
            found.add(where, place, f"{shown(key)} does not go with '{value_key}'", f"'{note_key}' does")
            return None
    told = ""
    if note is not None and not note.is_null:
        with found.catching(where, note.place):
            told = as_leaf(str, note.value, note.text)
    if stated.value == UNKNOWN_WORD:
        if state == "assumed":
            found.add(
                where, stated.place, "an assumption needs a value", "write unknown alone, or assume one"
            )
        return {"state": "unknown", "note": told, "source": str(stated.place)}
    with found.catching(where, stated.place):
        value = as_leaf(inner, stated.value, stated.text, is_fact=state == "known")
        return {"state": state, "value": value, "note": told, "source": str(stated.place)}
    return None
