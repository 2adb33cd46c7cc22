"""Options of a target with one thing wrong in them, for trying what the target makes of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

NOBODY = "http://127.0.0.1:9/nobody"
NO_PROGRAM = "./there-is-no-such-program"
_ODD: tuple[Any, ...] = (None, -1, {"odd": [None]}, [[]], "")
_PORT = re.compile(r"[^/\s]+:\d+")


def twisted(options: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each option left out, and each one of a kind that nothing has; with the name of that option."""
    for name in options:
        yield name, {key: value for key, value in options.items() if key != name}
        for odd in _ODD:
            yield name, {**options, name: odd}


def unreachable(options: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each address, path or program in turn, also inside others, replaced by one where nobody answers."""
    for name, value in options.items():
        place = f"{at}{name}"
        if isinstance(value, Mapping):
            for inner, changed in unreachable(value, f"{place}."):
                yield inner, {**options, name: changed}
        elif isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
            for number, one in enumerate(value):
                for inner, changed in unreachable(
                    one if isinstance(one, Mapping) else {}, f"{place}[{number}]."
                ):
                    yield inner, {**options, name: [*value[:number], changed, *value[number + 1 :]]}
        elif (gone := _gone(name, value)) is not None:
            yield place, {**options, name: gone}


def _gone(name: str, value: object) -> object:
    if isinstance(value, list | tuple):
        is_program = len(value) > 0 and all(isinstance(word, str) for word in value)
        return [NO_PROGRAM] if is_program and name in ("observe", "run") else None
    if not isinstance(value, str):
        return None
    if value.startswith(("http://", "https://")):
        return NOBODY
    if "/" in value or name in ("socket", "file", "folder", "state"):
        return f"{value}.nobody"
    return "127.0.0.1:9" if _PORT.fullmatch(value) else None
