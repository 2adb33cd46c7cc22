"""Cobertura XML, as coverage.py, gcovr, Coverlet and istanbul write it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rollway.facts.importers.model import Found, Given, Imported, Importer, Options, UnreadableError
from rollway.facts.importers.xml import elements, root_tag

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# Methods repeat the lines of their class.
_OF_A_CLASS = ("class", "lines")


def read(given: Given, options: Options) -> Imported:
    """The share of lines: the file's own count, else its lines counted, else its rate."""
    stated: tuple[int, int] | None = None
    rate, covered, lines = "", 0, 0
    for event, element, around in elements(given, "line"):
        if event == "start" and not around:
            stated, rate = _stated(element), element.get("line-rate", "")
        elif event == "end" and element.tag == "line" and around[-2:] == _OF_A_CLASS:
            lines += 1
            covered += element.get("hits", "0").strip() not in ("0", "")
    covered, lines = stated or (covered, lines)
    if lines:
        return coverage(covered, lines)
    if not rate:
        message = f"{given.name}: this coverage report states neither lines nor a rate"
        raise UnreadableError(message, hint="is it Clover? let the tool write Cobertura or JaCoCo")
    if re.fullmatch(r"0?\.[0-9]*[1-9][0-9]*", rate):
        return _rated(float(rate))
    return Imported("no line of code", notes=("it covers no line, so it says nothing about the release",))


def coverage(covered: int, lines: int, unit: str = "lines") -> Imported:
    """What a coverage report says once its lines are counted."""
    share = round(covered / lines, 4)
    told = f"{covered:,} of {lines:,} {unit} covered"
    fact = Found("done.tests.coverage", share, told, joins="mean", weight=lines)
    return Imported(f"{told} ({share:.1%})", (fact,))


def _rated(rate: float) -> Imported:
    told = f"line rate {rate:g}"
    fact = Found("done.tests.coverage", round(rate, 4), told, joins="mean")
    note = "it states a rate without a number of lines: beside other reports it counts as one line"
    return Imported(told, (fact,), notes=(note,))


def _stated(root: Element) -> tuple[int, int] | None:
    found = [root.get("lines-covered", ""), root.get("lines-valid", "")]
    if not all(re.fullmatch(r"[0-9]{1,12}", text) for text in found) or not int(found[1]):
        return None
    return min(int(found[0]), int(found[1])), int(found[1])


def _recognises(given: Given) -> bool:
    return root_tag(given) == "coverage"


IMPORTER = Importer("cobertura", "Cobertura coverage", _recognises, read)
