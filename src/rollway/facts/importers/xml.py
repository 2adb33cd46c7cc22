"""XML read as it comes, with nothing expanded and nothing fetched."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from rollway.facts.importers.given import beginning
from rollway.facts.importers.model import Given, UnreadableError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_DEPTH = 200
CHUNK = 1_000_000


class _InChunks(io.BytesIO):
    """Bytes that are read a megabyte at a time, whatever the parser asks for.

    The parser begins anew with an unfinished tag at each chunk: a tag of 50 MB in small chunks would keep
    it busy for minutes.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(CHUNK)


def root_tag(given: Given) -> str:
    """The name of the root element as far as the beginning of the file shows it; "" for anything else."""
    head = beginning(given).lstrip()
    if not head.startswith("<"):
        return ""
    head = re.sub(r"<!--.*?-->|<\?.*?\?>|<!DOCTYPE[^>\[]*(\[.*?\]\s*)?>", "", head, flags=re.DOTALL)
    found = re.match(r"\s*<([\w.-]+:)?([\w.-]+)", head)
    return found[2] if found else ""


def elements(given: Given, unit: str) -> Iterator[tuple[Literal["start", "end"], Element, tuple[str, ...]]]:
    """Every element at its start and its end, with the tags around it, outermost first.

    An element is emptied after its end, but for those inside a `unit`, which are whole at the unit's end.
    Raises `UnreadableError` for what is not well-formed, nested too deeply, or declares entities.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, iterparse

    around: list[Element] = []
    units = 0
    try:
        for event, element in iterparse(_InChunks(given.data), events=("start", "end")):
            element.tag = element.tag.rpartition("}")[2]
            if event == "start":
                units += element.tag == unit
                yield "start", element, tuple(one.tag for one in around)
                around.append(element)
                if len(around) > MAX_DEPTH:
                    raise UnreadableError(f"{given.name}: this is nested more than {MAX_DEPTH} levels deep")
                continue
            around.pop()
            yield "end", element, tuple(one.tag for one in around)
            units -= element.tag == unit
            if not units:
                element.clear()
                if around:
                    around[-1].remove(element)
    except DefusedXmlException:
        message = f"{given.name}: this XML declares entities, and is not read"
        raise UnreadableError(message, hint="no test or coverage tool writes any") from None
    except ParseError as error:
        line, column = getattr(error, "position", (0, -1))
        told = str(error).partition(":")[0]
        raise UnreadableError(f"{given.name}:{line}:{column + 1}: this is not XML: {told}") from None
    except (ValueError, LookupError) as error:
        raise UnreadableError(f"{given.name}: this is not XML: {error}") from None
