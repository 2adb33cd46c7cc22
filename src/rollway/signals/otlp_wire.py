"""OTLP in protobuf: the few messages that metrics need, into the shape of the JSON encoding; pure.

After opentelemetry/proto/metrics/v1/metrics.proto and the protobuf wire format
(protobuf.dev/programming-guides/encoding). What is not named here is skipped.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rollway.errors import InputError

Kind = Literal["text", "bool", "varint", "zigzag", "fixed", "sfixed", "double", "message"]
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_FORMATS: dict[str, str] = {"fixed": "<Q", "sfixed": "<q", "double": "<d"}
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a message: its name in JSON, how it is written, of which message, and whether it repeats."""

    name: str
    kind: Kind
    message: str = ""
    repeats: bool = False


def _many(name: str, message: str) -> Field:
    return Field(name, "message", message, True)


_TIMES = {2: Field("startTimeUnixNano", "fixed"), 3: Field("timeUnixNano", "fixed")}
_TEMPORALITY = {2: Field("aggregationTemporality", "varint")}

SCHEMA: Mapping[str, Mapping[int, Field]] = {
    "Export": {1: _many("resourceMetrics", "ResourceMetrics")},
    "ResourceMetrics": {
        1: Field("resource", "message", "Resource"),
        2: _many("scopeMetrics", "ScopeMetrics"),
    },
    "Resource": {1: _many("attributes", "KeyValue")},
    "ScopeMetrics": {1: Field("scope", "message", "Scope"), 2: _many("metrics", "Metric")},
    "Scope": {1: Field("name", "text")},
    "Metric": {
        1: Field("name", "text"),
        3: Field("unit", "text"),
        7: Field("sum", "message", "Sum"),
        9: Field("histogram", "message", "Histogram"),
        10: Field("exponentialHistogram", "message", "ExponentialHistogram"),
    },
    "Sum": {1: _many("dataPoints", "Number"), **_TEMPORALITY, 3: Field("isMonotonic", "bool")},
    "Histogram": {1: _many("dataPoints", "Buckets"), **_TEMPORALITY},
    "ExponentialHistogram": {1: _many("dataPoints", "Exponential"), **_TEMPORALITY},
    "Number": {
        **_TIMES,
        4: Field("asDouble", "double"),
        6: Field("asInt", "sfixed"),
        7: _many("attributes", "KeyValue"),
        8: Field("flags", "varint"),
    },
    "Buckets": {
        **_TIMES,
        6: Field("bucketCounts", "fixed", repeats=True),
        7: Field("explicitBounds", "double", repeats=True),
        9: _many("attributes", "KeyValue"),
        10: Field("flags", "varint"),
    },
    "Exponential": {
        **_TIMES,
        1: _many("attributes", "KeyValue"),
        6: Field("scale", "zigzag"),
        7: Field("zeroCount", "fixed"),
        8: Field("positive", "message", "Run"),
        9: Field("negative", "message", "Run"),
        10: Field("flags", "varint"),
    },
    "Run": {1: Field("offset", "zigzag"), 2: Field("bucketCounts", "varint", repeats=True)},
    "KeyValue": {1: Field("key", "text"), 2: Field("value", "message", "AnyValue")},
    "AnyValue": {
        1: Field("stringValue", "text"),
        2: Field("boolValue", "bool"),
        3: Field("intValue", "varint"),
        4: Field("doubleValue", "double"),
    },
}


def decode_protobuf(body: bytes) -> dict[str, Any]:
    """The export as its JSON encoding would have it. Raises InputError for what is no such message."""
    try:
        return {"resourceMetrics": [], **_message(memoryview(body), "Export", 0)}
    except (struct.error, ValueError, IndexError) as error:
        raise InputError(f"the body is no OTLP export in protobuf: {error}") from error


def encode_partial_success(rejected: int, told: str) -> bytes:
    """An ExportMetricsServiceResponse; empty where nothing was rejected."""
    if not rejected:
        return b""
    text = told.encode()
    inner = b"\x08" + _as_varint(rejected) + b"\x12" + _as_varint(len(text)) + text
    return b"\x0a" + _as_varint(len(inner)) + inner


def _message(data: memoryview, name: str, depth: int) -> dict[str, Any]:
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    found: dict[str, Any] = {}
    for number, wire, value in _fields(data):
        field = SCHEMA[name].get(number)
        if field is None:
            continue
        values = list(_values(field, wire, value, depth))
        if field.repeats:
            found.setdefault(field.name, []).extend(values)
        elif values:
            found[field.name] = values[-1]
        else:
            raise ValueError(f"{field.name} is packed, and holds nothing")
    return found


def _values(field: Field, wire: int, value: Any, depth: int) -> Iterator[Any]:
    """One value, or all of a packed field."""
    if field.kind in ("text", "message"):
        if wire != _LENGTH:
            raise ValueError(f"{field.name} is of another type")
        yield str(value, "utf-8") if field.kind == "text" else _message(value, field.message, depth + 1)
    elif field.kind in _FORMATS:
        if wire not in (_FIXED64, _LENGTH):
            raise ValueError(f"{field.name} is of another type")
        yield from (one for (one,) in struct.iter_unpack(_FORMATS[field.kind], value))
    elif wire == _LENGTH:
        at = 0
        while at < len(value):
            one, at = _varint(value, at)
            yield _meant(field.kind, one)
    elif wire == _VARINT:
        yield _meant(field.kind, value)
    else:
        raise ValueError(f"{field.name} is of another type")


def _meant(kind: Kind, value: int) -> Any:
    if kind == "zigzag":
        return (value >> 1) ^ -(value & 1)
    if kind == "bool":
        return bool(value)
    return value - 2**64 if value >= 2**63 else value


def _fields(data: memoryview) -> Iterator[tuple[int, int, Any]]:
    """Number, wire type and value of each field: a whole number, or the bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield number, wire, value
            continue
        if wire == _LENGTH:
            length, at = _varint(data, at)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if at + length > len(data):
            raise ValueError("it ends too early")
        yield number, wire, data[at : at + length]
        at += length


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), at
    raise ValueError("a number without an end")


def _as_varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))
