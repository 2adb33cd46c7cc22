"""Evaluating one flag for one context, by flagd's rules of resolution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollway.flags.definitions import Flag, FlagSet
from rollway.flags.resolution import MISSING, Resolution
from rollway.flags.values import variant_name


def evaluate(flag_set: FlagSet, key: str, context: Mapping[str, Any], *, timestamp: int) -> Resolution:
    """The value that this context is served. Never raises.

    `context` holds JSON values, the user's id under `targetingKey`; `timestamp` is now, in unix seconds.

    - no such flag: FLAG_NOT_FOUND; disabled: no value, DISABLED;
    - no targeting: the default variant, STATIC; the rule gives null: the default variant, DEFAULT;
      where there is no default: no value, DEFAULT;
    - the rule names a variant: that one, TARGETING_MATCH; it names none, or cannot be computed for this
      context: GENERAL.
    """
    flag = flag_set.flags.get(key)
    if flag is None:
        return Resolution(
            key, MISSING, None, "ERROR", flag_set.metadata, "FLAG_NOT_FOUND", f'there is no flag "{key}"'
        )
    if flag.rule is None:
        return flag.fallback
    data = context if type(context) is dict else dict(context)
    if flag.uses_clock:
        data = {**data, "$flagd": {"flagKey": key, "timestamp": timestamp}}
    try:
        result = flag.rule(data)
    except (ArithmeticError, ValueError, RecursionError) as error:
        return _failed(flag, f"the rule cannot be computed for this context: {error}")
    if result is None:
        return flag.fallback
    name = result if type(result) is str else variant_name(result)
    answer = flag.answers.get(name) if name is not None else None
    if answer is None:
        return _failed(flag, f"the rule gave {_described(result, name)}, which is no variant")
    return answer


def _failed(flag: Flag, details: str) -> Resolution:
    return Resolution(flag.key, MISSING, None, "ERROR", flag.metadata, "GENERAL", details)


def _described(result: Any, name: str | None) -> str:
    if name is None:
        return "a list" if isinstance(result, list) else "an object"
    return f'"{name}"' if len(name) <= 60 else f'"{name[:57]}..."'
