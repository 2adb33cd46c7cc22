"""Lists of facts, the hash of a release, and its JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from rollway.canonical import content_hash
from rollway.errors import InputError
from rollway.facts.fact import Fact
from rollway.facts.model import Release
from rollway.facts.problems import dotted

AnyFact = Fact[Any]
Part = TypeVar("Part", bound=BaseModel)


def all_facts(release: Release) -> tuple[tuple[str, AnyFact], ...]:
    """Every fact of the release, stated or not, with its dotted path, in the models' order."""
    return tuple(_facts(release, ""))


def stated_facts(release: Release) -> tuple[tuple[str, AnyFact], ...]:
    """The facts that are known or assumed, with their dotted paths."""
    return tuple((path, fact) for path, fact in all_facts(release) if fact.is_stated)


def facts_hash(release: Release) -> str:
    """SHA-256 of what the release says, in hex: values, states and notes, but not where they stand.

    So a comment or a moved line does not make a plan stale, and a changed assumption does.
    """
    return content_hash(release_to_json(without_places(release)))


def without_places(release: Release) -> Release:
    """The same facts without the places where they stand: what a plan is made from."""
    return _with_facts(release, lambda fact: fact.model_copy(update={"source": ""}))


def release_to_json(release: Release) -> dict[str, Any]:
    """The release as plain JSON values, each fact with its state, source and note."""
    body: dict[str, Any] = release.model_dump(mode="json")
    return body


def release_from_json(body: Mapping[str, Any] | str | bytes) -> Release:
    """The release that `release_to_json` wrote, as values or as text. Raises `InputError`."""
    try:
        values = json.loads(body, parse_constant=_no_number) if isinstance(body, str | bytes) else body
        return Release.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_url=False)
        details = tuple(f"{dotted(one['loc'])}: {one['msg']}" for one in found)
        raise InputError("this is not a release as Rollway stores it", details=details) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"this is not JSON: {error}") from None


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is not a number")


def _facts(section: BaseModel, prefix: str) -> Iterator[tuple[str, AnyFact]]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Fact):
            yield prefix + name, value
        elif isinstance(value, BaseModel):
            yield from _facts(value, f"{prefix}{name}.")
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, BaseModel):
                    yield from _facts(item, f"{prefix}{name}.{index}.")


def _with_facts(section: Part, change: Callable[[AnyFact], AnyFact]) -> Part:
    """A copy with every fact changed."""

    def changed(value: Any) -> Any:
        if isinstance(value, Fact):
            return change(value)
        if isinstance(value, BaseModel):
            return _with_facts(value, change)
        return tuple(changed(item) for item in value) if isinstance(value, tuple) else value

    return section.model_copy(
        update={name: changed(getattr(section, name)) for name in type(section).model_fields}
    )
