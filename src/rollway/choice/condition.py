"""Conditions over facts, as data: asked of one release with evidence, or of many worlds at once.

A hard rule asks strictly: an assumption is no evidence. A rule that only weighs takes an assumption as said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol

from rollway.facts.fact import Fact
from rollway.facts.model import Release
from rollway.readiness import Answer, asks, cite, either, every

if TYPE_CHECKING:
    from rollway.choice.worlds import Masks, Worlds

Told = tuple[str, ...] | None
"""The facts that make a condition hold, each with its source; None where it does not hold."""


class Condition(Protocol):
    """Something that is true, false or not known of a release."""

    @property
    def facts(self) -> tuple[str, ...]:
        """The paths that it looks at."""

    def ask(self, release: Release) -> Answer:
        """Strictly: true only on evidence, and open on an assumption."""

    def told(self, release: Release) -> Told:
        """Loosely: what makes it hold, assumptions included."""

    def over(self, worlds: Worlds, *, strict: bool) -> Masks:
        """In which worlds it is known to hold, and in which it is known not to."""


@dataclass(frozen=True)
class Is:
    """The fact has one of these values."""

    path: str
    values: tuple[object, ...]

    @property
    def facts(self) -> tuple[str, ...]:
        return (self.path,)

    def ask(self, release: Release) -> Answer:
        return asks(release, self.path, self._good)

    def told(self, release: Release) -> Told:
        return (cite(release, self.path),) if self._good(self._find(release).value) else None

    def over(self, worlds: Worlds, *, strict: bool) -> Masks:
        return worlds.among(self.path, self.values, strict=strict)

    @cached_property
    def _find(self) -> Callable[[Release], Fact[Any]]:
        return attrgetter(self.path)

    def _good(self, value: object) -> bool:
        return value in self.values


@dataclass(frozen=True)
class AtLeast:
    """The fact is a number, or a duration, of at least `limit`; with `below`, it is less."""

    path: str
    limit: Any
    below: bool = False

    @property
    def facts(self) -> tuple[str, ...]:
        return (self.path,)

    def ask(self, release: Release) -> Answer:
        return asks(release, self.path, self._good)

    def told(self, release: Release) -> Told:
        value = self._find(release).value
        return (cite(release, self.path),) if value is not None and self._good(value) else None

    def over(self, worlds: Worlds, *, strict: bool) -> Masks:
        return worlds.at_least(self.path, self.limit, below=self.below, strict=strict)

    @cached_property
    def _find(self) -> Callable[[Release], Fact[Any]]:
        return attrgetter(self.path)

    def _good(self, value: Any) -> bool:
        return bool((value >= self.limit) is not self.below)


@dataclass(frozen=True)
class Seen:
    """What takes a closer look than at one fact, such as at the groups or the KPIs.

    `name` says whose answer it is; in other worlds it stays what it is here, or falls as a coin where it is
    open here.
    """

    name: str
    look: Callable[[Release], Answer]
    facts: tuple[str, ...] = ()

    def ask(self, release: Release) -> Answer:
        return self.look(release)

    def told(self, release: Release) -> Told:
        answer = self.look(release)
        return (answer.evidence,) if answer.holds else None

    def over(self, worlds: Worlds, *, strict: bool) -> Masks:
        return worlds.seen(self.name, self.look)


@dataclass(frozen=True)
class Every:
    """All of them."""

    parts: tuple[Condition, ...]

    @cached_property
    def facts(self) -> tuple[str, ...]:
        return _facts(self.parts)

    def ask(self, release: Release) -> Answer:
        return every(*(part.ask(release) for part in self.parts))

    def told(self, release: Release) -> Told:
        told: list[str] = []
        for part in self.parts:
            one = part.told(release)
            if one is None:
                return None
            told += one
        return tuple(dict.fromkeys(told))

    def over(self, worlds: Worlds, *, strict: bool) -> Masks:
        yes, no = worlds.constant(True)
        for part in self.parts:
            good, bad = part.over(worlds, strict=strict)
            yes, no = yes & good, no | bad
        return yes, no


@dataclass(frozen=True)
class Some:
    """At least `count` of them."""

    parts: tuple[Condition, ...]
    count: int = 1

    @cached_property
    def facts(self) -> tuple[str, ...]:
        return _facts(self.parts)

    def ask(self, release: Release) -> Answer:
        answers = [part.ask(release) for part in self.parts]
        joined = either(*answers)
        if self.count == 1:
            return joined
        good, bad = sum(one.holds is True for one in answers), sum(one.holds is False for one in answers)
        holds = True if good >= self.count else False if bad > len(answers) - self.count else None
        return Answer(holds, joined.evidence, joined.facts)

    def told(self, release: Release) -> Told:
        holding = [one for part in self.parts if (one := part.told(release)) is not None]
        if len(holding) < self.count:
            return None
        return tuple(dict.fromkeys(text for one in holding for text in one))

    def over(self, worlds: Worlds, *, strict: bool) -> Masks:
        masks = [part.over(worlds, strict=strict) for part in self.parts]
        good, bad = sum(yes * 1 for yes, _ in masks), sum(no * 1 for _, no in masks)
        return worlds.mask(good >= self.count), worlds.mask(bad > len(masks) - self.count)


@dataclass(frozen=True)
class Unless:
    """It is not known that `part` holds. For rules that weigh: a hard rule must not turn by new evidence."""

    part: Condition

    @property
    def facts(self) -> tuple[str, ...]:
        return self.part.facts

    def ask(self, release: Release) -> Answer:
        return Answer(self.part.told(release) is None, "")

    def told(self, release: Release) -> Told:
        return () if self.part.told(release) is None else None

    def over(self, worlds: Worlds, *, strict: bool) -> Masks:
        held, _ = self.part.over(worlds, strict=False)
        return ~held, held


@dataclass(frozen=True)
class Also:
    """Always holds; where `part` holds, its facts are cited too."""

    part: Condition

    @property
    def facts(self) -> tuple[str, ...]:
        return self.part.facts

    def ask(self, release: Release) -> Answer:
        return Answer(True, "")

    def told(self, release: Release) -> Told:
        return self.part.told(release) or ()

    def over(self, worlds: Worlds, *, strict: bool) -> Masks:
        return worlds.constant(True)


@dataclass(frozen=True)
class Given:
    """`part` holds. Its facts are not cited: they are what the point rests on, and not the point."""

    part: Condition

    @property
    def facts(self) -> tuple[str, ...]:
        return self.part.facts

    def ask(self, release: Release) -> Answer:
        return self.part.ask(release)

    def told(self, release: Release) -> Told:
        return None if self.part.told(release) is None else ()

    def over(self, worlds: Worlds, *, strict: bool) -> Masks:
        return self.part.over(worlds, strict=strict)


def leaves(condition: Condition) -> Iterator[Condition]:
    """The conditions that a condition is made of, down to those that look at facts."""
    parts = getattr(condition, "parts", None) or (
        [part] if (part := getattr(condition, "part", None)) else []
    )
    if parts:
        for one in parts:
            yield from leaves(one)
    elif not isinstance(condition, Every | Some):
        yield condition


def is_(path: str, *values: object) -> Is:
    """The fact at `path` has one of these values."""
    return Is(path, values)


def yes(path: str) -> Is:
    return Is(path, (True,))


def no(path: str) -> Is:
    return Is(path, (False,))


def below(path: str, limit: Any) -> AtLeast:
    """The fact at `path` is a number, or a duration, under `limit`."""
    return AtLeast(path, limit, below=True)


def all_of(*parts: Condition) -> Every:
    return Every(parts)


def any_of(*parts: Condition, count: int = 1) -> Some:
    """At least `count` of them."""
    return Some(parts, count)


def _facts(parts: tuple[Condition, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(path for part in parts for path in part.facts))
