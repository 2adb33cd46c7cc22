"""Values of frozen dataclasses as plain JSON and back, bit for bit; log of zero is written as null.

A table of floats is one text: its shape, and its values as base64 of 8 bytes each, the lowest byte first.
"""

from __future__ import annotations

import types
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from math import inf
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

T = TypeVar("T")
Reader = Callable[[Any], Any]

FLOATS = np.dtype("<f8")


def encode(value: Any) -> Any:
    """The value as dicts, lists, numbers, texts and null. Floats survive exactly; -inf becomes null."""
    kind = type(value)
    if kind is float:
        return None if value == -inf else value
    if kind is np.ndarray:
        return _table(value)
    if kind is tuple or kind is list:
        return [encode(item) for item in value]
    names = _names(kind)  # type: ignore[arg-type]  # every class is hashable
    return value if names is None else {name: encode(getattr(value, name)) for name in names}


def decode(kind: type[T], raw: Any) -> T:
    """What `encode` wrote, as a value of the dataclass `kind`. Raises KeyError, TypeError, ValueError.

    A field that was not written takes its default, if it has one: a running rollout outlives new fields.
    """
    readers, optional = _readers(kind)  # type: ignore[arg-type]  # every class is hashable
    found = {name: read(raw[name]) for name, read in readers if name in raw or name not in optional}
    return kind(**found)


def _table(table: Any) -> str:
    shape = "x".join(map(str, table.shape))
    return f"{shape} {b64encode(table.astype(FLOATS).tobytes()).decode()}"


def _read_table(raw: str) -> Any:
    numbers, _, text = raw.partition(" ")
    shape = tuple(map(int, numbers.split("x")))
    return np.frombuffer(b64decode(text, validate=True), FLOATS).astype(np.float64).reshape(shape)


@cache
def _names(kind: type[Any]) -> tuple[str, ...] | None:
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else None


@cache
def _readers(kind: Any) -> tuple[tuple[tuple[str, Reader], ...], frozenset[str]]:
    """How each field is read, and which may be absent."""
    optional = frozenset(
        field.name
        for field in fields(kind)
        if field.default is not MISSING or field.default_factory is not MISSING
    )
    hints = get_type_hints(kind)
    return tuple((field.name, _reader(hints[field.name])) for field in fields(kind)), optional


def _reader(hint: Any) -> Reader:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        read = _reader(next(arm for arm in get_args(hint) if arm is not type(None)))
        return lambda raw: None if raw is None else read(raw)
    if origin is np.ndarray:
        return _read_table
    if origin is tuple:
        read_item = _reader(get_args(hint)[0])
        return lambda raw: tuple([read_item(item) for item in raw])
    if is_dataclass(hint) and isinstance(hint, type):
        return lambda raw: decode(hint, raw)
    if hint is float:
        return lambda raw: -inf if raw is None else float(raw)
    return lambda raw: raw
