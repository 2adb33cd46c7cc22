"""A flagd document read into a frozen, compiled set of flags."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from rollway.canonical import content_hash
from rollway.flags.resolution import MISSING, Reason, Resolution
from rollway.flags.rules import FlagError, Place, Rule, shown, suggestion
from rollway.flags.targeting import Targeting, compile_targeting
from rollway.flags.values import variant_name

Metadata = Mapping[str, str | int | float | bool]

_DOCUMENT_KEYS = ("flags", "$evaluators", "metadata")
_FLAG_KEYS = ("state", "variants", "defaultVariant", "targeting", "metadata")
# Where a file once came from; older flagd tools write these into a flag, and nothing reads them.
_IGNORED_FLAG_KEYS = ("source", "selector")


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag, ready to be evaluated.

    `fallback` is the answer wherever no rule decides; `answers` holds one per variant for where it does.
    """

    key: str
    variants: Mapping[str, Any]
    metadata: Metadata
    rule: Rule | None
    uses_clock: bool
    uses_targeting_key: bool
    fallback: Resolution
    answers: Mapping[str, Resolution]


@dataclass(frozen=True, slots=True)
class FlagSet:
    """All flags of one document; `version` is a hash of its content (64 hex characters).

    `uses_clock` where an answer may change with time alone. `hashes` are those of the single definitions.
    """

    flags: Mapping[str, Flag]
    metadata: Metadata
    version: str
    uses_clock: bool
    hashes: Mapping[str, str]


def read_definitions(document: Any) -> FlagSet:
    """Read a flagd document, as `json.loads` gives it: `flags`, and optionally `$evaluators`, `metadata`.

    Raises FlagError, which names the flag and the place; with several bad flags, one line for each.
    """
    top = Place("")
    content = _object(_plain(document, top), top, "a flagd document")
    for key in content:
        # "$schema" and the like describe the file, not the flags.
        if key not in _DOCUMENT_KEYS and not key.startswith("$"):
            raise top.into(key).error(
                "is no part of a flagd document",
                hint=suggestion(key, _DOCUMENT_KEYS) or f"it has {', '.join(_DOCUMENT_KEYS)}",
            )
    if "flags" not in content:
        raise top.error("there is no flags object", hint='an empty document is {"flags": {}}')
    metadata = _metadata(content.get("metadata"), top.into("metadata"))
    evaluators = _object(content.get("$evaluators", {}), top.into("$evaluators"), "$evaluators")
    flags: dict[str, Flag] = {}
    errors: list[FlagError] = []
    definitions = _flags_by_key(content["flags"], top.into("flags"))
    for key, definition in definitions.items():
        try:
            flags[key] = _flag(key, definition, evaluators, metadata)
        except FlagError as error:
            errors.append(error)
    _raise(errors)
    hashes = {key: content_hash(definition) for key, definition in definitions.items()}
    return _flag_set(flags, metadata, hashes, {key: content[key] for key in content if key != "flags"})


def joined(parts: Iterable[FlagSet]) -> FlagSet:
    """The set of all flags of documents that hold nothing but flags; of two with one key, the later one."""
    flags: dict[str, Flag] = {}
    hashes: dict[str, str] = {}
    for part in parts:
        flags |= part.flags
        hashes |= part.hashes
    return _flag_set(flags, {}, hashes, {})


def _flag_set(
    flags: dict[str, Flag], metadata: Metadata, hashes: dict[str, str], rest: dict[str, Any]
) -> FlagSet:
    version = content_hash({**rest, "flags": hashes})
    uses_clock = any(flag.uses_clock for flag in flags.values())
    return FlagSet(MappingProxyType(flags), metadata, version, uses_clock, MappingProxyType(hashes))


def _raise(errors: list[FlagError]) -> None:
    if len(errors) == 1:
        raise errors[0]
    if errors:
        lines = tuple(f"{error.message} ({error.hint})" if error.hint else error.message for error in errors)
        raise FlagError("", "$.flags", f"{len(errors)} flags cannot be used", details=lines)


def _flags_by_key(flags: Any, place: Place) -> dict[str, Any]:
    if isinstance(flags, list):
        return _flags_of_list(flags, place)
    named = _object(flags, place, "flags")
    if "" in named:
        raise place.error("a flag has an empty key")
    return named


def _flags_of_list(flags: list[Any], place: Place) -> dict[str, Any]:
    """The list form of flagd's import files: each flag carries its `key`."""
    named: dict[str, Any] = {}
    for index, entry in enumerate(flags):
        here = place.into(index)
        rest = dict(_object(entry, here, "a flag"))
        key = rest.pop("key", None)
        if not isinstance(key, str) or not key:
            raise here.error("a flag in a list needs its key")
        if key in named:
            raise here.error(f'the key "{key}" is there twice')
        named[key] = rest
    return named


# --- one flag -------------------------------------------------------------------------------------


def _flag(key: str, definition: Any, evaluators: Mapping[str, Any], set_metadata: Metadata) -> Flag:
    place = Place(key).into("flags").into(key)
    fields = _object(definition, place, "a flag")
    for name in fields:
        if name not in _FLAG_KEYS and name not in _IGNORED_FLAG_KEYS:
            hint = suggestion(name, _FLAG_KEYS) or f"a flag has {', '.join(_FLAG_KEYS)}"
            raise place.into(name).error("is no part of a flag", hint=hint)
    is_enabled = _is_enabled(fields.get("state"), place.into("state"))
    variants = _variants(fields.get("variants"), place.into("variants"))
    default = _default(fields.get("defaultVariant"), variants, place.into("defaultVariant"))
    own = _metadata(fields.get("metadata"), place.into("metadata"))
    targeting = _targeting(fields.get("targeting"), variants, evaluators, place.into("targeting"))
    metadata = MappingProxyType({**set_metadata, **own})
    if not is_enabled:
        # Its rule was read all the same, so that nothing bad waits for the day it is enabled.
        return _assemble(key, variants, (None, "DISABLED"), metadata, None)
    reason: Reason = "STATIC" if targeting is None and default is not None else "DEFAULT"
    return _assemble(key, variants, (default, reason), metadata, targeting)


def _assemble(
    key: str,
    variants: Mapping[str, Any],
    fallback: tuple[str | None, Reason],
    metadata: Metadata,
    targeting: Targeting | None,
) -> Flag:
    def answer(variant: str | None, reason: Reason) -> Resolution:
        value = MISSING if variant is None else variants[variant]
        return Resolution(key, value, variant, reason, metadata)

    return Flag(
        key=key,
        variants=variants,
        metadata=metadata,
        rule=targeting.rule if targeting else None,
        uses_clock=bool(targeting and targeting.uses_clock),
        uses_targeting_key=bool(targeting and targeting.uses_targeting_key),
        fallback=answer(*fallback),
        answers=MappingProxyType({variant: answer(variant, "TARGETING_MATCH") for variant in variants}),
    )


def _is_enabled(state: Any, place: Place) -> bool:
    if state not in ("ENABLED", "DISABLED"):
        said = "is missing" if state is None else f"is {shown(state)}"
        raise place.error(said, hint='write "ENABLED" or "DISABLED"')
    return bool(state == "ENABLED")


def _variants(variants: Any, place: Place) -> Mapping[str, Any]:
    named = _object(variants, place, "variants")
    if not named:
        raise place.error("there is no variant", hint='such as {"on": true, "off": false}')
    kinds = {_kind(value, place.into(name)) for name, value in named.items()}
    if len(kinds) > 1:
        raise place.error(
            f"the values are of several types: {', '.join(sorted(kinds))}", hint="a flag has one type"
        )
    if any(isinstance(value, float) for value in named.values()):
        # A typed client asks for a float or an integer; a flag that has both is a float throughout.
        named = {name: _as_float(value, place.into(name)) for name, value in named.items()}
    return MappingProxyType(named)


def _as_float(value: int | float, place: Place) -> float:
    try:
        return float(value)
    except OverflowError:
        raise place.error("is too large for a number with a decimal point") from None


def _kind(value: Any, place: Place) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return "number"
    if value is None:
        raise place.error("null is no value", hint="leave defaultVariant out to serve the code's own default")
    return "object"


def _default(default: Any, variants: Mapping[str, Any], place: Place) -> str | None:
    if default is None or default == "":
        return None
    name = variant_name(default) if isinstance(default, str | bool) else None
    if name not in variants:
        known = ", ".join(variants)
        raise place.error(
            f"{shown(default)} is no variant of this flag",
            hint=suggestion(default, variants)
            or f"the variants are {known}; null means the code's own default",
        )
    return name


def _targeting(
    logic: Any, variants: Mapping[str, Any], evaluators: Mapping[str, Any], place: Place
) -> Targeting | None:
    if logic is None or logic == {}:
        return None
    if not isinstance(logic, dict):
        raise place.error("targeting is not an object", hint='such as {"if": [test, "on", "off"]}')
    return compile_targeting(logic, place, variants=variants, evaluators=evaluators)


# --- shapes ---------------------------------------------------------------------------------------


def _metadata(metadata: Any, place: Place) -> Metadata:
    if metadata is None:
        return MappingProxyType({})
    named = _object(metadata, place, "metadata")
    for name, value in named.items():
        if not isinstance(value, str | int | float):
            raise place.into(name).error("metadata is text, a number, true or false")
    return MappingProxyType(named)


_KINDS = {list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}


def _object(value: Any, place: Place, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        found = _KINDS.get(type(value), "missing")
        raise place.error(f"{what} must be an object, and is {found}")
    return value


def _plain(value: Any, place: Place) -> Any:
    """A copy of nothing but JSON values; so what the caller does to its own later changes no flag."""
    copy_of = _COPIES.get(type(value))
    if copy_of is None:
        # A reader of YAML may give subclasses of text and numbers; they become what they stand for.
        kinds = (kind for kind in _COPIES if isinstance(value, kind))
        kind = next(kinds, dict if isinstance(value, Mapping) else None)
        if kind is None:
            raise place.error(f"is a {type(value).__name__}, which JSON does not have")
        copy_of = _COPIES[kind]
    return copy_of(value, place)


def _plain_object(value: Mapping[Any, Any], place: Place) -> dict[str, Any]:
    copied = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise place.error(f"has the key {key!r}, which is no text")
        copied[_plain_text(key, place)] = _plain(item, place.into(key))
    return copied


def _plain_list(value: list[Any] | tuple[Any, ...], place: Place) -> list[Any]:
    return [_plain(item, place.into(index)) for index, item in enumerate(value)]


def _plain_text(value: str, place: Place) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise place.error("has half a surrogate pair in its text") from None
    return str(value)


def _plain_float(value: float, place: Place) -> float:
    if not math.isfinite(value):
        raise place.error(f"is {value}, which JSON does not have")
    return float(value)


_COPIES: Mapping[type, Callable[[Any, Place], Any]] = {
    type(None): lambda value, _place: value,
    bool: lambda value, _place: value,
    int: lambda value, _place: int(value),
    float: _plain_float,
    str: _plain_text,
    list: _plain_list,
    tuple: _plain_list,
    dict: _plain_object,
}
