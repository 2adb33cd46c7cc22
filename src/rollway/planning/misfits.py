"""What is wrong with a plan that people changed, by path and in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints

from pydantic import ValidationError

from rollway.facts.problems import did_you_mean
from rollway.planning.model import Plan

Where = tuple[str | int, ...]
UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
"""What pydantic calls a field that there is not, in a model and in a dataclass."""


def misfits(error: ValidationError) -> tuple[tuple[Where, str], ...]:
    """Path and message of each finding of a plan that does not hold together."""
    found = error.errors(include_url=False)
    return tuple(
        (tuple(one["loc"]), (one["type"] in UNKNOWN and _unknown(one["loc"])) or one["msg"]) for one in found
    )


def named(body: Mapping[str, Any], where: Where) -> str:
    """A path with the names of entries in place of their places: `stages.pilot.bake_seconds`."""
    parts: list[str] = []
    at: Any = body
    for part in where:
        has_part = isinstance(at, Mapping) or (isinstance(at, list) and isinstance(part, int))
        at = (at.get(part) if isinstance(at, Mapping) else at[part]) if has_part else None
        name = at.get("id") or at.get("kpi") if isinstance(part, int) and isinstance(at, Mapping) else None
        parts.append(str(name or part))
    return ".".join(parts)


def _unknown(where: Where) -> str:
    """Of a field that there is not: which one may be meant."""
    kind: Any = Plan
    for part in where:
        fields = _fields(kind)
        if isinstance(part, int) or not fields:
            continue
        if part not in fields:
            meant = did_you_mean(part, fields) or f"there are: {', '.join(fields)}"
            return f"there is no such field; {meant}"
        kind = fields[part]
    return ""


def _fields(kind: Any) -> dict[str, Any]:
    """The fields of a model with their kinds; of `tuple[Stage, ...]` those of what is in it."""
    if isinstance(kind, type) and is_dataclass(kind):
        return get_type_hints(kind)
    if hasattr(kind, "model_fields"):
        return {name: field.annotation for name, field in kind.model_fields.items()}
    return next((found for found in map(_fields, get_args(kind)) if found), {})
