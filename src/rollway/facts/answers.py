"""What people type when they are asked for a fact, as the value that goes into the release file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from rollway.facts.duration import format_duration
from rollway.facts.fact import UNKNOWN_WORD
from rollway.facts.places import resolve
from rollway.facts.shape import bare, expected_at, fact_value, item_of, words_of
from rollway.facts.words import as_leaf

_DONT_KNOW = re.compile(
    r"(\?+|unknown|idk|dk|no idea|(i )?(don'?t|do not) know|not known|tbd|weiss nicht|weiß nicht)"
    r"(?:\s*[,:;-]?\s+(?P<who>\S.*))?",
    re.IGNORECASE,
)
_ASSUMED = re.compile(
    r"(?:assume|assuming|~)\s*(?P<value>.+?)(?:,?\s+(?:because|since)\s+(?P<why>.+))?", re.IGNORECASE
)
_SOURCED = re.compile(r"(?P<value>.*?)\s*\((?P<source>[^()]+)\)")
_SHORT = {"y": "yes", "j": "yes", "ja": "yes", "oui": "yes", "n": "no", "nein": "no", "non": "no"}
_FORMS = {bool: "yes or no", int: "a whole number", float: "a number", date: "a date such as 2026-11-05",
          timedelta: "a duration such as 45m, 2h or 1h30m", str: "text"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """`value` is what is written: a plain value, a list, or a fact's long form; None where nothing is."""

    value: Any
    is_fact: bool = True


def forms_of(path: str) -> str:
    """What may be answered: the words to choose from, or the form of the value."""
    annotation = _asked_for(path)
    if (item := item_of(annotation)) is not None:
        return f"{', '.join(words_of(item)) or 'names'}, separated by commas"
    if _is_share(path):
        return "a share such as 85%"
    return ", ".join(words_of(annotation)) or _FORMS.get(bare(annotation), "text")


def answer_from(path: str, typed: str) -> Answer:
    """What somebody typed for the fact at `path`. Raises `Misfit`, which says what was expected.

    yes                            known
    yes (Jo, platform team)        known, and who says so
    assume yes because as in 2.3   assumed, and why
    ?  or  don't know              unknown, and nothing is written
    ? ask Jo                       unknown, and who may know
    """
    text, is_fact = " ".join(typed.split()), _is_fact(path)
    if not text:
        return Answer(None, is_fact)
    if found := _DONT_KNOW.fullmatch(text):
        who = (found["who"] or "").strip()
        return Answer({"value": UNKNOWN_WORD, "source": who} if who and is_fact else None, is_fact)
    if not is_fact or bare(_asked_for(path)) is str:
        return Answer(_plain(path, text), is_fact)
    if found := _ASSUMED.fullmatch(text):
        why = {"because": found["why"]} if found["why"] else {}
        return Answer({"assume": _plain(path, found["value"]), **why})
    if (found := _SOURCED.fullmatch(text)) and found["value"]:
        return Answer({"value": _plain(path, found["value"]), "source": found["source"].strip()})
    return Answer(_plain(path, text))


def _plain(path: str, text: str) -> Any:
    """The value as it is written in YAML. Words may be shortened, shares be percentages."""
    annotation = _asked_for(path)
    if item_of(annotation) is not None:
        return list(dict.fromkeys(name for one in text.split(",") if (name := one.strip())))
    kind, words = bare(annotation), words_of(annotation)
    if kind is str:
        return text
    if kind is bool:
        text = _SHORT.get(text.lower(), text)
    if words:
        begun = [word for word in words if word.startswith(re.sub(r"[\s-]+", "_", text.lower()))]
        text = begun[0] if len(begun) == 1 else text
    if kind in (int, float):
        text = re.sub(r"(?<=\d)[ ',’_](?=\d{3}\b)", "", text)
    if _is_share(path) and (percent := re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]+)?)\s*%", text)):
        text = f"{float(percent[1]) / 100:.6g}"
    read = as_leaf(annotation, resolve(text), text, is_fact=True)
    if isinstance(read, date):
        return read.isoformat()
    return format_duration(read) if isinstance(read, timedelta) else read


def _asked_for(path: str) -> Any:
    annotation = expected_at(tuple(path.split(".")))
    inner = fact_value(annotation)
    return annotation if inner is None else inner


def _is_fact(path: str) -> bool:
    return fact_value(expected_at(tuple(path.split(".")))) is not None


def _is_share(path: str) -> bool:
    return path.endswith(("coverage", "_share", "training_done"))
