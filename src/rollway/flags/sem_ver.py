"""flagd's `sem_ver`: two versions and a relation between them.

Not the ranges of npm: `^` asks for the same major version only, `~` for the same major and minor.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from rollway.flags.values import to_text

Version = tuple[Any, ...]
"""(major, minor, patch, is release, pre-release identifiers); versions compare as these tuples do."""

_IDENTIFIER = r"(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)"
_FULL = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    rf"(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
_PARTIAL = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_LONGEST = 256

RELATIONS: Mapping[str, Callable[[Version, Version], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "^": lambda a, b: a[0] == b[0],
    "~": lambda a, b: a[:2] == b[:2],
}


def parse_version(value: Any) -> Version | None:
    """The version, or None where the value is none.

    A leading v is skipped, "1" and "1.2" are filled up with zeros, build metadata does not count.
    """
    text = to_text(value)
    text = text[1:] if text[:1] in {"v", "V"} else text
    if len(text) > _LONGEST:
        return None
    if _PARTIAL.fullmatch(text):
        text += ".0" * (2 - text.count("."))
    matched = _FULL.fullmatch(text)
    if matched is None:
        return None
    major, minor, patch, before = matched.groups()
    return int(major), int(minor), int(patch), before is None, _identifiers(before or "")


def _identifiers(text: str) -> tuple[tuple[int, int, str], ...]:
    parts = text.split(".") if text else []
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


def sem_ver(a: Any, relation: Any, b: Any) -> bool | None:
    """Whether the relation holds; None, so that the default applies, where an argument is none."""
    compare = RELATIONS.get(relation) if isinstance(relation, str) else None
    left, right = parse_version(a), parse_version(b)
    if compare is None or left is None or right is None:
        return None
    return compare(left, right)
