"""A rule: when it fires, it states the facts that make it fire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rollway.facts.model import Release
from rollway.readiness import cite, fact_at


@dataclass(frozen=True, slots=True)
class Rule:
    """`state` gives the facts with their sources where the rule fires, and "" where it does not.

    A rule never fires on an unknown. `facts` are the paths that it looks at.
    """

    id: str
    title: str
    facts: tuple[str, ...]
    state: Callable[[Release], str]


def is_one_of(release: Release, path: str, *values: object) -> bool:
    """Whether the fact at `path` is stated as one of these values."""
    return fact_at(release, path).value in values


def when_fact(id_: str, title: str, path: str, *values: object) -> Rule:
    """A rule that fires when one fact has one of these values."""
    return when_any(id_, title, {path: values})


def when_any(id_: str, title: str, wanted: dict[str, tuple[object, ...]], *, at_least: int = 1) -> Rule:
    """A rule that fires when at least so many of the facts have one of their values."""

    def state(release: Release) -> str:
        holding = [path for path, values in wanted.items() if is_one_of(release, path, *values)]
        return cite(release, *holding) if len(holding) >= at_least else ""

    return Rule(id_, title, tuple(wanted), state)


def when(id_: str, title: str, facts: tuple[str, ...], state: Callable[[Release], str]) -> Rule:
    """A rule with a condition of its own."""
    return Rule(id_, title, facts, state)
