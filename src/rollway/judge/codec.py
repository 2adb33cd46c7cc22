"""Frozen dataclasses and named tuples as plain JSON and back, bit for bit; log of zero is written as null.

A table of floats is one text: its shape, and its values as base64 of 8 bytes each, the lowest byte first.
A field whose type does not say how it is written is annotated with a `Form` that does.
"""

from __future__ import annotations

import types
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from math import inf
from struct import pack
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

T = TypeVar("T")
Reader = Callable[[Any], Any]

FLOATS = np.dtype("<f8")


@dataclass(frozen=True, slots=True)
class Form:
    """How a field is written and read: `Annotated[..., Form(write, read)]`."""

    write: Callable[[Any], Any]
    read: Reader


def encode(value: Any) -> Any:
    """The value as dicts, lists, numbers, texts and null. Floats survive exactly; -inf becomes null."""
    kind = type(value)
    if kind is float:
        return None if value == -inf else value
    if kind is np.ndarray:
        return _table(value)
    if kind is tuple or kind is list:
        return [encode(item) for item in value]
    writers = _writers(kind)  # type: ignore[arg-type]  # every class is hashable
    return value if writers is None else {name: write(getattr(value, name)) for name, write in writers}


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


def read_table(raw: str) -> Any:
    """The table that was written as this text. Raises TypeError, ValueError for any other."""
    numbers, _, text = raw.partition(" ")
    shape = tuple(map(int, numbers.split("x")))
    return np.frombuffer(b64decode(text, validate=True), FLOATS).astype(np.float64).reshape(shape)


def form_of_rows(beyond: tuple[int, ...] = ()) -> Form:
    """For sums of shape (rows,), or a plain number for a single row: written as a table of shape
    (rows, *beyond), each further extent being 1; read as a plain number where there is one row."""
    shape = "x".join(map(str, (1, *beyond)))

    def write(rows: Any) -> str:
        if type(rows) is float:
            return f"{shape} {b64encode(pack('<d', rows)).decode()}"
        return _table(rows.reshape(-1, *beyond))

    def read(raw: str) -> Any:
        table = read_table(raw)
        return table.item() if table.size == 1 else table.reshape(-1)

    return Form(write, read)


@cache
def _writers(kind: type[Any]) -> tuple[tuple[str, Callable[[Any], Any]], ...] | None:
    """How each field is written; None for what is no dataclass."""
    names = _names(kind)
    if names is None:
        return None
    hints = get_type_hints(kind, include_extras=True)
    forms = [(name, _form(hints[name])) for name in names]
    return tuple((name, encode if form is None else form.write) for name, form in forms)


def _names(kind: type[Any]) -> tuple[str, ...] | None:
    """The fields of a dataclass or a named tuple; None of anything else."""
    if is_dataclass(kind):
        return tuple(field.name for field in fields(kind))
    return kind._fields if issubclass(kind, tuple) and hasattr(kind, "_fields") else None


def _form(hint: Any) -> Form | None:
    if get_origin(hint) is not Annotated:
        return None
    return next((each for each in hint.__metadata__ if isinstance(each, Form)), None)


@cache
def _readers(kind: Any) -> tuple[tuple[tuple[str, Reader], ...], frozenset[str]]:
    """How each field is read, and which may be absent."""
    optional = frozenset(
        field.name
        for field in (fields(kind) if is_dataclass(kind) else ())
        if field.default is not MISSING or field.default_factory is not MISSING
    )
    hints = get_type_hints(kind, include_extras=True)
    return tuple((name, _reader(hints[name])) for name in _names(kind) or ()), optional


def _reader(hint: Any) -> Reader:
    form, origin = _form(hint), get_origin(hint)
    if form is not None:
        return form.read
    if origin in (Union, types.UnionType):
        read = _reader(next(arm for arm in get_args(hint) if arm is not type(None)))
        return lambda raw: None if raw is None else read(raw)
    if origin is np.ndarray:
        return read_table
    if origin is tuple:
        read_item = _reader(get_args(hint)[0])
        return lambda raw: tuple([read_item(item) for item in raw])
    if isinstance(hint, type) and _names(hint) is not None:
        return lambda raw: decode(hint, raw)
    if hint is float:
        return lambda raw: -inf if raw is None else float(raw)
    return lambda raw: raw
