"""From a release file to a `Release` whose facts know their place; every problem is told at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from rollway.facts.changes import apply_changes
from rollway.facts.checks import cross_checks
from rollway.facts.explain import explanation
from rollway.facts.extends import EXTENDS, Written, parse_written, read_written
from rollway.facts.fit import Fitted, fit
from rollway.facts.model import Release
from rollway.facts.places import Node
from rollway.facts.problems import Place, ReleaseFileError, SourceText, Where, closest
from rollway.facts.shape import expected_at, fact_value, homes_of_keys, section_of
from rollway.facts.words import Misfit, complaint

NO_CHANGES: Mapping[str, str] = MappingProxyType({})
# Finding out what may be meant takes milliseconds; nobody reads more suggestions than these.
MAX_SUGGESTIONS = 200
_PLACEHOLDER = {"name": "placeholder", "version": "0"}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A release together with the tree it was read from: every written value with its place."""

    release: Release
    root: Node
    name: str


def load_release(
    path: str | os.PathLike[str],
    *more: str | os.PathLike[str],
    changes: Mapping[str, str] = NO_CHANGES,
) -> Release:
    """The release in one or more YAML files, each written fact with its place as source.

    Later files are laid over earlier ones, and each over those that it `extends`; see `merge.merged`.
    `changes` lays values over the files': dotted path -> YAML text; their source is "--set".
    Raises `ReleaseFileError` with every problem found.
    """
    return load_written(read_written((path, *more)), changes).release


def parse_release(text: str, name: str, *, changes: Mapping[str, str] = NO_CHANGES) -> Release:
    """The release in a text; `name` stands for the file in sources and messages. No file is touched."""
    source = SourceText(name, text.removeprefix("\ufeff"))
    return load_written(parse_written(source), changes).release


def load_written(written: Written, changes: Mapping[str, str] = NO_CHANGES) -> Loaded:
    """The release that is written, or a `ReleaseFileError` with every problem found."""
    root, problems = apply_changes(written.root, changes)
    found = Fitted()
    values = fit(Release, root, (), found)
    release, complaints = _modelled(values)
    for where, misfit in _complaints(complaints, found.paths()):
        found.misfits.append((where, _place(root, where, misfit), misfit))
    if release is None or found.misfits:
        # Checks between values need models, so they look at the sections that are sound by themselves.
        unsound = {where[0] for where in found.paths() if where}
        sound = {key: value for key, value in values.items() if key not in unsound}
        release = Release.model_validate({"release": _PLACEHOLDER, **sound})
    for where, misfit in islice(cross_checks(release), MAX_SUGGESTIONS):
        found.misfits.append((where, _place(root, where, misfit), misfit))
    for where, place, misfit in found.misfits:
        problems.append(written.problem(place, misfit.message, misfit.suggestion, where=where))
    if problems:
        raise ReleaseFileError(written.name, sorted(problems, key=written.order))
    return Loaded(release, root, written.name)


def _modelled(values: Any) -> tuple[Release | None, ValidationError | None]:
    """The models of the values, or what they complain of."""
    try:
        return Release.model_validate(values), None
    except ValidationError as error:
        return None, error


def _complaints(error: ValidationError | None, told: set[Where]) -> Iterator[tuple[Where, Misfit]]:
    """What the models refuse, but for what `told` paths already say in better words."""
    for number, one in enumerate(error.errors(include_url=False) if error else ()):
        kind, where = one["type"], _fact_or_value(one["loc"])
        if any(where[:length] in told for length in range(len(where) + 1)):
            continue
        if kind == "too_short" and one["input"]:
            continue  # pydantic counts only the entries that passed
        if kind == "extra_forbidden":
            meant = _key_meant(where) if number < MAX_SUGGESTIONS else ""
            yield where, Misfit("there is no such key", meant, at_key=True)
        elif kind == "missing":
            yield where, Misfit("is missing", _use_of(where))
        else:
            yield where, complaint(kind, one.get("ctx", {}), one["input"], one["msg"])


def _fact_or_value(where: Where) -> Where:
    """The path in the file; the models' path goes on inside a fact (`.value`), the file's does not."""
    for length in range(1, len(where)):
        if fact_value(expected_at(where[:length])) is not None:
            return where[:length]
    return where


def _key_meant(where: Where) -> str:
    section, key = section_of(expected_at(where[:-1])), str(where[-1])
    known = list(section.model_fields) if section else []
    known += [EXTENDS] if section is Release else []
    homes = homes_of_keys()
    if key in homes:
        places = [home.rpartition(".")[0] or "the top level" for home in homes[key]]
        return f"'{key}' belongs to {' or '.join(places)}"
    if near := closest(key, known):
        return f"did you mean '{near}'?"
    if near := closest(key, homes, likeness=0.85):
        return f"did you mean '{homes[near][0]}'?"
    return f"known here: {', '.join(known)}"


def _use_of(where: Where) -> str:
    """How a missing key is written, and what it says."""
    around, inner = section_of(expected_at(where[:-1])), section_of(expected_at(where))
    required = [key for key, field in inner.model_fields.items() if field.is_required()] if inner else []
    value = f"{{{', '.join(f'{key}: …' for key in required)}}}" if required else "…"
    told = f" ({explanation(around, str(where[-1]))})" if around else ""
    return f"write {where[-1]}: {value}{told}"


def _place(root: Node, where: Where, misfit: Misfit) -> Place:
    """Where the misfit is written: the key, the value, the value inside a fact, or what lies around it."""
    if misfit.at_key and (place := root.key_place(where)):
        return place
    node = root.nearest(where)
    if fact_value(expected_at(where)) is not None:
        node = node.child("value") or node.child("assume") or node
    if root.has(where):
        return node.place
    return root.key_place(where[:-1]) or node.place
