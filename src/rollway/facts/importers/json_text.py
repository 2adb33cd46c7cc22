"""JSON that somebody else wrote: read with bounds, looked into without trust in its shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rollway.facts.importers.given import beginning, text_of
from rollway.facts.importers.model import Given, UnreadableError


def looks_like_json(given: Given, first: str = "{[") -> bool:
    return beginning(given, 200).lstrip()[:1] in tuple(first)


def load_json(given: Given) -> Any:
    """The value. Raises `UnreadableError` with the line and column of what is not JSON."""
    text, _ = text_of(given)
    try:
        return json.loads(text, parse_constant=lambda word: None)
    except json.JSONDecodeError as error:
        place = f"{given.name}:{error.lineno}:{error.colno}"
        raise UnreadableError(f"{place}: this is not JSON: {error.msg.lower()}") from None
    except RecursionError:
        raise UnreadableError(f"{given.name}: this is nested too deeply") from None
    except ValueError as error:  # a number with thousands of digits
        raise UnreadableError(f"{given.name}: this is not JSON: {error}") from None


def as_map(value: Any) -> Mapping[str, Any]:
    """A mapping as it is, and nothing where something else stands."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: Any) -> list[Any]:
    """A list as it is, and nothing where something else stands."""
    return value if isinstance(value, list) else []
