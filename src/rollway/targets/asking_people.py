"""What targets that ask people have in common: who is asked, and the words of what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from rollway.errors import InputError
from rollway.rollout.ports import Errand
from rollway.targets.options import Options

_NAME_IN_TEXT = re.compile(r"\{(\w*)\}")


def person(given: Options, name: str) -> str:
    """One person's name; empty where the option is left out."""
    return checked_person(given, name, given.text(name)) if name in given else ""


def checked_person(given: Options, name: str, value: object) -> str:
    """One person's name, as it may stand beside others. Raises InputError."""
    if not isinstance(value, str) or not value.strip():
        raise given.error(name, f"{value!r} is no name")
    if "," in value or not value.isprintable():
        raise given.error(name, f"{value!r} is not one person's name", "without commas, ")
    return " ".join(value.split())


def asked_of(owner: str, backup: str) -> str:
    """Who may do an errand, as its owner tells: the person who is asked first, then who stands in."""
    return ", ".join(dict.fromkeys(name for name in (owner, backup) if name))


def words(given: Options, name: str, known: Iterable[str]) -> str:
    """A text with `{names}` in it. Raises InputError for a name that nothing is filled in for."""
    text = given.text(name)
    for found in _NAME_IN_TEXT.findall(text):
        if found not in (names := tuple(known)):
            listed = ", ".join(f"{{{one}}}" for one in names)
            raise InputError(f"target.{name}: nothing is known as {{{found}}}", hint=f"it may have {listed}")
    return text


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its names filled in; what is filled in is not looked into again."""
    return _NAME_IN_TEXT.sub(lambda found: values.get(found[1], found[0]), text)


def answer_of(errand: Errand) -> str:
    """What a person said, in one sentence: `eva: done (all tills up)`."""
    return f"{errand.actor}: {errand.state}{f' ({errand.note})' if errand.note else ''}"
