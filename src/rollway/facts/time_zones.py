"""The names of time zones, the same on every machine."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def known_zones() -> frozenset[str]:
    """The names in the time zone data that Rollway ships, such as `Europe/Zurich`."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())
