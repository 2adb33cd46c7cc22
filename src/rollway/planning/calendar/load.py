"""From the texts of calendar files to a `Calendar`; every problem is told at once, with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import ValidationError

from rollway.errors import InputError
from rollway.facts.fit import Fitted, fit
from rollway.facts.model import Section
from rollway.facts.places import Entry, Node, parse_value
from rollway.facts.problems import Place, ReleaseFileError, SourceText, Where, did_you_mean
from rollway.facts.shape import item_of, section_of
from rollway.facts.words import Misfit, complaint
from rollway.planning.calendar.checks import booking_checks, calendar_checks
from rollway.planning.calendar.model import Booking, Calendar, ReleaseList

S = TypeVar("S", bound=Section)
Finding = tuple[Where, Misfit]
_PEOPLE, _ABSENCES = "people", "absences"


def parse_calendar(source: SourceText, *more: SourceText) -> Calendar:
    """The calendar in one text or several, whose lists are joined; the first one holds the heading.

    Raises `ReleaseFileError` with file:line:column of every problem.
    """
    sources = {one.name: one for one in (source, *more)}
    root = _parse(source)
    for another in more:
        root = _with(root, _parse(another), sources)
    calendar = _validated(Calendar, source.name, root, sources)
    _refuse(source.name, root, sources, calendar_checks(calendar))
    return calendar


def parse_bookings(source: SourceText, calendar: Calendar) -> tuple[Booking, ...]:
    """The releases of a file that lists them, checked against the calendar. Raises `ReleaseFileError`."""
    sources = {source.name: source}
    root = _parse(source)
    listed = _validated(ReleaseList, source.name, root, sources)
    _refuse(source.name, root, sources, booking_checks(listed.releases, calendar))
    return listed.releases


def joined(*lists: Iterable[Booking]) -> tuple[Booking, ...]:
    """All releases together. Raises InputError for a name given twice, one unknown, or a circle."""
    bookings = tuple(booking for some in lists for booking in some)
    names = [booking.name for booking in bookings]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"two releases are called '{twice[0]}'", hint="give each a name of its own")
    for booking in bookings:
        for name in booking.after:
            if name not in names:
                message = f"'{booking.name}' comes after '{name}', and there is no such release"
                raise InputError(message, hint=did_you_mean(name, names))
    _refuse_circles(bookings)
    return bookings


def _refuse_circles(bookings: Sequence[Booking]) -> None:
    waiting = {booking.name: set(booking.after) for booking in bookings}
    while free := [name for name, after in waiting.items() if not after & waiting.keys()]:
        for name in free:
            del waiting[name]
    if waiting:
        message = f"these releases wait for each other: {', '.join(sorted(waiting))}"
        raise InputError(message, hint="remove one of their 'after' lines")


# --- reading -----------------------------------------------------------------------------------------


def _parse(source: SourceText) -> Node:
    root = parse_value(source)
    if isinstance(root.value, dict):
        return root
    place = root.place if root.value is not None else Place(source.name)
    hint = "examples/calendar/harbour.yaml is one to start from"
    message = "a calendar file holds keys such as calendar:, windows: and freezes:"
    raise ReleaseFileError(source.name, [source.problem(place, message, hint)])


def _with(root: Node, other: Node, sources: Mapping[str, SourceText]) -> Node:
    """Two files as one: lists are joined, and people of the same name are one person."""
    entries = dict(root.entries)
    for key, entry in other.entries.items():
        mine = entries.get(key)
        if mine is None or mine.node.is_null:
            entries[key] = entry
        elif isinstance(mine.node.value, tuple) and isinstance(entry.node.value, tuple):
            rows = (*mine.node.value, *entry.node.value)
            rows = _one_each(rows) if key == _PEOPLE else rows
            entries[key] = Entry(mine.key, replace(mine.node, value=rows))
        elif not entry.node.is_null:
            source = sources[entry.key.file]
            message = f"'{key}' is given in {mine.key.file} already"
            problem = source.problem(entry.key, message, "lists are joined, this cannot be", where=(key,))
            raise ReleaseFileError(source.name, [problem])
    return replace(root, value=entries)


def _one_each(people: tuple[Node, ...]) -> tuple[Node, ...]:
    """People with their absences of all files; whatever else is said of them, the first file says."""
    found: dict[Any, Node] = {}
    others: list[Node] = []
    for person in people:
        name = person.child("name")
        known = found.get(name.value) if name is not None and isinstance(name.value, str) else None
        if name is None or not isinstance(name.value, str):
            others.append(person)
        elif known is None or known.place.file == person.place.file:
            # A name that one file gives twice stays a mistake of that file.
            others += [person] if known is not None else []
            found.setdefault(name.value, person)
        else:
            found[name.value] = _with_absences(known, person)
    return (*found.values(), *others)


def _with_absences(one: Node, other: Node) -> Node:
    entries = dict(other.entries) | dict(one.entries)
    rows = tuple(row for node in (one, other) if (own := node.child(_ABSENCES)) for row in own.rows)
    if rows:
        first = entries[_ABSENCES]
        entries[_ABSENCES] = Entry(first.key, replace(first.node, value=rows))
    return replace(one, value=entries)


def _validated(section: type[S], name: str, root: Node, sources: Mapping[str, SourceText]) -> S:
    found = Fitted()
    values = fit(section, root, (), found)
    told = found.paths()
    try:
        parsed = section.model_validate(values)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            where = one["loc"]
            if not any(where[:length] in told for length in range(len(where) + 1)):
                misfit = _misfit(section, where, one)
                found.misfits.append((where, _place(root, where, misfit), misfit))
        _raise(name, sources, found.misfits)
        raise  # a refused file has a problem with a place; this is never reached
    _raise(name, sources, found.misfits)
    return parsed


def _misfit(section: type[Section], where: Where, one: Mapping[str, Any]) -> Misfit:
    kind = one["type"]
    if kind == "missing":
        return Misfit("is missing", f"write {where[-1]}: …")
    if kind == "extra_forbidden":
        around = _section_at(section, where[:-1])
        known = list(around.model_fields) if around else []
        meant = did_you_mean(str(where[-1]), known) or f"known here: {', '.join(known)}"
        return Misfit("there is no such key", meant, at_key=True)
    return complaint(kind, one.get("ctx", {}), one["input"], one["msg"])


def _section_at(section: type[Section], where: Where) -> type[Section] | None:
    annotation: object = section
    for part in where:
        inner = section_of(annotation)
        if inner is not None and part in inner.model_fields:
            annotation = inner.model_fields[str(part)].annotation
        else:
            annotation = item_of(annotation)
    found = section_of(annotation)
    return found if found is not None and issubclass(found, Section) else None


def _refuse(name: str, root: Node, sources: Mapping[str, SourceText], findings: Iterator[Finding]) -> None:
    _raise(name, sources, [(where, _place(root, where, misfit), misfit) for where, misfit in findings])


def _raise(name: str, sources: Mapping[str, SourceText], misfits: list[tuple[Where, Place, Misfit]]) -> None:
    problems = [
        sources.get(place.file, sources[name]).problem(place, misfit.message, misfit.suggestion, where=where)
        for where, place, misfit in misfits
    ]
    if problems:
        order = {file: number for number, file in enumerate(sources)}
        problems.sort(key=lambda one: (order.get(one.file, 0), one.line, one.column))
        raise ReleaseFileError(name, problems)


def _place(root: Node, where: Where, misfit: Misfit) -> Place:
    if misfit.at_key and (place := root.key_place(where)):
        return place
    if root.has(where):
        return root.nearest(where).place
    return root.key_place(where[:-1]) or root.nearest(where).place
