"""Facts as lines of YAML that every reader takes for the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rollway.facts.fact import UNKNOWN_WORD
from rollway.facts.places import resolve
from rollway.facts.shape import item_of, section_of

Facts = Mapping[str, Any]
"""Nested keys as in a release file, down to plain values; a fact is a value or its long form."""

STEP = 2
# Plain words need no quotes, inside brackets neither; what other readers of YAML take for a yes does.
_PLAIN = re.compile(r"[A-Za-z0-9_/][\w./+@-]*( [\w./+@(-][\w./+@)-]*)*", re.ASCII)
_TAKEN_FOR_OTHERS = {"yes", "no", "on", "off", "y", "n", "true", "false", "null", "none", UNKNOWN_WORD}
_UNPRINTABLE = re.compile(r"[\x7f-\xa0\u2028\u2029\ufeff]")


def written(value: Any) -> str:
    """A plain value as YAML on one line, fit to stand inside brackets."""
    if isinstance(value, Mapping):
        is_unknown = value.get("value") == UNKNOWN_WORD
        inside = {
            key: UNKNOWN_WORD if is_unknown and key == "value" else written(one) for key, one in value.items()
        }
        return "{" + ", ".join(f"{key}: {one}" for key, one in inside.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(written(inner) for inner in value) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    is_plain = _PLAIN.fullmatch(value) and isinstance(resolve(value), str)
    if is_plain and value.lower() not in _TAKEN_FOR_OTHERS:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def after_key(value: Any) -> str:
    """The same after a key, where `unknown` stands for itself."""
    return UNKNOWN_WORD if value == UNKNOWN_WORD else written(value)


def is_section(annotation: Any, value: Any) -> bool:
    return isinstance(value, Mapping) and section_of(annotation) is not None


def is_rows(annotation: Any, value: Any) -> bool:
    """Whether a value is a list of sections, with at least one in it."""
    item = item_of(annotation)
    return (
        item is not None and section_of(item) is not None and isinstance(value, list | tuple) and bool(value)
    )


def inner_of(annotation: Any, key: str) -> Any:
    """What is expected under a key of a section; Any where the models know no such key."""
    section = section_of(annotation)
    field = section.model_fields.get(key) if section else None
    return field.annotation if field else Any


def block(annotation: Any, facts: Facts, indent: int = 0) -> Iterator[str]:
    """`facts` as lines: sections below their keys, facts and entries of lists on one line each."""
    margin = " " * indent
    for key, value in facts.items():
        inner = inner_of(annotation, key)
        if is_section(inner, value) and value:
            yield f"{margin}{key}:"
            yield from block(inner, value, indent + STEP)
        elif is_rows(inner, value):
            yield f"{margin}{key}:"
            yield from rows(value, indent + STEP)
        else:
            yield f"{margin}{key}: {after_key(value)}"


def rows(entries: Any, indent: int) -> Iterator[str]:
    """The entries of a list, one line each."""
    return (f"{' ' * indent}- {written(entry)}" for entry in entries)
