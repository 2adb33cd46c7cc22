"""Writes facts into the text of a release file and leaves every other character as it is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from rollway.errors import RefusedError
from rollway.facts.merge import identity, names_of_rows
from rollway.facts.model import Release
from rollway.facts.pen import Pen
from rollway.facts.places import Node, parse_document
from rollway.facts.problems import ReleaseFileError, SourceText
from rollway.facts.shape import fact_value, item_of, section_of
from rollway.facts.spans import comments_of, spans_of
from rollway.facts.yaml_text import Facts, block, inner_of

_WAY_OUT = "write the facts to a file of their own, and let this one extend it: `extends: facts.yaml`"


def lay_over(text: str, facts: Facts, name: str) -> str:
    """The text with `facts` written into it; `name` stands for the file in messages.

    A fact is replaced where it stands, and the comment beside it is kept. Entries of lists are matched by
    their id, name or text and changed key by key; new ones go to the end of their list. A line that the
    skeleton has as a comment, `# objective: ""`, comes to life.

    What was written is read again: raises `RefusedError` where the text cannot be changed without touching
    anything else, and `ReleaseFileError` where it cannot be read.
    """
    before = parse_document(SourceText(name, text))
    pen, spans = Pen(text), spans_of(text)
    pen.mapping(Release, spans, before, facts)
    changed = pen.applied()
    try:
        after = parse_document(SourceText(name, changed))
    except ReleaseFileError as error:
        raise _refusal(name, f"it would no longer be read: {error.problems[0].headline}") from None
    wanted = parse_document(SourceText(name, "\n".join(block(Release, facts)))) if facts else before
    if dict(_leaves(Release, after)) != {**dict(_leaves(Release, before)), **dict(_leaves(Release, wanted))}:
        raise _refusal(name, "it would say something else besides (is there an alias, or an odd layout?)")
    if Counter(comments_of(text, spans)) - Counter(comments_of(changed)) != Counter(pen.revived):
        raise _refusal(name, "a comment would be lost")
    if _is_json(text) and not _is_json(changed):
        raise _refusal(name, "it is JSON, and would be no longer")
    return changed


def _refusal(name: str, why: str) -> RefusedError:
    return RefusedError(f"{name} was not changed, because {why}", hint=_WAY_OUT)


def _leaves(annotation: Any, node: Node, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value that is written, by its path; facts and lists without named entries are one value."""
    item = item_of(annotation)
    keys = names_of_rows(item) if item is not None else ()
    if node.is_null:
        return
    if fact_value(annotation) is None and section_of(annotation) is not None and isinstance(node.value, dict):
        for key, (_, child) in node.entries.items():
            yield from _leaves(inner_of(annotation, key), child, (*path, key))
    elif keys and node.rows:
        for index, row in enumerate(node.rows):
            yield from _leaves(item, row, (*path, identity(row, keys) or index))
    else:
        yield path, node.plain()


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
