"""Which service goes after which: a chain as they are listed, or as they say themselves. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter


def chain(names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Each after the one before it."""
    return {name: tuple(names[max(0, place - 1) : place]) for place, name in enumerate(names)}


def reverse(after: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Who comes right after each of them."""
    return {name: tuple(other for other in after if name in after[other]) for name in after}


def circle(after: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Names that wait for each other: each after the next, and the last is the first. Empty where none do."""
    try:
        TopologicalSorter(after).prepare()
    except CycleError as error:
        return tuple(reversed(error.args[1]))
    return ()
