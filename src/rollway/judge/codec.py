"""Values of frozen dataclasses as plain JSON and back, bit for bit; log of zero is written as null."""

from __future__ import annotations

import types
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

T = TypeVar("T")


def encode(value: Any) -> Any:
    """The value as dicts, lists, numbers, texts and null. Floats survive exactly; -inf becomes null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, np.ndarray):
        return encode(value.tolist())
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    if isinstance(value, float) and value == -np.inf:
        return None
    return value


def decode(kind: type[T], raw: Any) -> T:
    """What `encode` wrote, as a value of the dataclass `kind`. Raises KeyError, TypeError, ValueError.

    A field that was not written takes its default, if it has one: a running rollout outlives new fields.
    """
    hints = _hints(kind)  # type: ignore[arg-type]  # every class is hashable
    absent = _optional(kind) - raw.keys()  # type: ignore[arg-type]  # as above
    return kind(**{name: _field(hint, raw[name]) for name, hint in hints.items() if name not in absent})


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _optional(kind: Any) -> frozenset[str]:
    return frozenset(
        field.name
        for field in fields(kind)
        if field.default is not MISSING or field.default_factory is not MISSING
    )


def _field(hint: Any, raw: Any) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        if raw is None:
            return None
        return _field(next(arm for arm in get_args(hint) if arm is not type(None)), raw)
    if origin is np.ndarray:
        return np.array(_with_never(raw), dtype=np.float64)
    if origin is tuple:
        return tuple(_field(get_args(hint)[0], item) for item in raw)
    if is_dataclass(hint) and isinstance(hint, type):
        return decode(hint, raw)
    if hint is float:
        return -np.inf if raw is None else float(raw)
    return raw


def _with_never(raw: Any) -> Any:
    if isinstance(raw, list):
        return [_with_never(item) for item in raw]
    return -np.inf if raw is None else raw
