"""JaCoCo XML: the counters at the end of the report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rollway.facts.importers.cobertura import coverage
from rollway.facts.importers.given import beginning
from rollway.facts.importers.model import Given, Imported, Importer, Options, UnreadableError
from rollway.facts.importers.xml import elements, root_tag

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_COUNTERS = (("LINE", "lines"), ("INSTRUCTION", "instructions"))


def read(given: Given, options: Options) -> Imported:
    """The share of lines; of instructions where the classes were compiled without line numbers."""
    counters: dict[str, tuple[int, int]] = {}
    for event, element, around in elements(given, "counter"):
        if event == "end" and element.tag == "counter" and around == ("report",):
            counters[element.get("type", "")] = _number(element, "covered"), _number(element, "missed")
    for kind, unit in _COUNTERS:
        covered, missed = counters.get(kind, (0, 0))
        if covered + missed:
            return coverage(covered, covered + missed, unit)
    if not counters:
        raise UnreadableError(f"{given.name}: this JaCoCo report has no counters")
    return Imported("no line of code", notes=("it covers no line, so it says nothing about the release",))


def _number(element: Element, name: str) -> int:
    text = element.get(name, "")
    return int(text) if re.fullmatch(r"[0-9]{1,12}", text) else 0


def _recognises(given: Given) -> bool:
    return root_tag(given) == "report" and (
        "jacoco" in beginning(given).lower() or "<counter" in beginning(given)
    )


IMPORTER = Importer("jacoco", "JaCoCo coverage", _recognises, read)
