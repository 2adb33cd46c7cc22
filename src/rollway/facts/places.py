"""YAML 1.2 with the place of every key and value; refuses what a release file has no use for.

Only the events of a parser are used (see `quick` for sound files): no Python object is ever built from a tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from rollway.facts.problems import Place, ReleaseFileError, SourceText, Where, shown
from rollway.facts.reading import checked
from rollway.facts.syntax import syntax_error

if TYPE_CHECKING:
    from ruamel.yaml.events import Event

MAX_NODES = 200_000
MAX_DEPTH = 50
_TEXT_TAGS = ("!", "tag:yaml.org,2002:str")
_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLEANS = {word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INTEGER = re.compile(r"[-+]?[0-9]{1,300}|0o[0-7]{1,20}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
# Nothing that a terminal would obey or a database would refuse; tabs and line breaks are text.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
# The scanner takes quadratic time for such a tag: a megabyte of "!" would keep it busy for minutes.
_ENDLESS_TAG = re.compile(r"(?<![^\s\[{,:?-])![^\s]{1000}")


class Entry(NamedTuple):
    """One `key: value` of a mapping: where the key stands, and the value."""

    key: Place
    node: Node


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its place. `text` is a plain scalar as it was written; `size` counts nodes inside."""

    place: Place
    value: str | int | float | bool | tuple[Node, ...] | dict[str, Entry] | None
    text: str | None = None
    size: int = 1

    @property
    def is_null(self) -> bool:
        return self.value is None

    @property
    def entries(self) -> dict[str, Entry]:
        """The keys of a mapping with their values; none for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def rows(self) -> tuple[Node, ...]:
        """The entries of a list; none for anything else."""
        return self.value if isinstance(self.value, tuple) else ()

    def plain(self) -> Any:
        """The value without places: dict, list, str, int, float, bool or None."""
        if isinstance(self.value, dict):
            return {key: entry.node.plain() for key, entry in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value

    def key_places(self) -> list[tuple[str, Place]]:
        """The keys of a mapping with their places; none for anything else."""
        return [(key, entry.key) for key, entry in self.entries.items()]

    def child(self, part: str | int) -> Node | None:
        """The value under a key or at an index (0-based), if there is one."""
        if isinstance(self.value, dict) and isinstance(part, str):
            entry = self.value.get(part)
            return entry.node if entry else None
        if isinstance(self.value, tuple) and isinstance(part, int) and 0 <= part < len(self.value):
            return self.value[part]
        return None

    def nearest(self, where: Where) -> Node:
        """The value at a path, or the innermost one around it that exists."""
        node = self
        for part in where:
            inner = node.child(part)
            if inner is None:
                break
            node = inner
        return node

    def has(self, where: Where) -> bool:
        """Is there a value at exactly this path?"""
        node: Node | None = self
        for part in where:
            node = node.child(part) if node else None
        return node is not None

    def key_place(self, where: Where) -> Place | None:
        """The place of the key that ends the path, if it is written in the file."""
        parent = self.nearest(where[:-1]).value
        entry = parent.get(str(where[-1])) if where and isinstance(parent, dict) else None
        return entry.key if entry else None


def parse_document(source: SourceText) -> Node:
    """The one mapping that a release file holds, with places; else a `ReleaseFileError`."""
    root = _compose(checked(source))
    if root is None or root.is_null:
        hint = "`rollway init` writes a release file to start from"
        raise _error(source, Place(source.name), "this file is empty", hint)
    if not isinstance(root.value, dict):
        kind = "a list" if isinstance(root.value, tuple) else shown(root.value)
        message = f"a release file holds sections such as release:, goals: and kpis:, and this is {kind}"
        raise _error(source, root.place, message)
    return root


def parse_value(source: SourceText) -> Node:
    """One value of any kind with places relative to it; an empty text is null."""
    return _compose(checked(source)) or Node(Place(source.name), None)


def _compose(source: SourceText) -> Node | None:
    if endless := _ENDLESS_TAG.search(source.text):
        raise _error(source, source.place(endless.start()), "a tag of over 1,000 characters begins here")
    from rollway.facts.quick import compose_quickly

    return compose_quickly(source) or _Composer(source).document()


def too_many(source: SourceText, place: Place) -> ReleaseFileError:
    """The complaint of the value at `place`, which is one more than a file may hold."""
    return _error(source, place, f"this file holds more than {MAX_NODES:,} values")


def _error(source: SourceText, place: Place, message: str, suggestion: str = "") -> ReleaseFileError:
    return ReleaseFileError(source.name, [source.problem(place, message, suggestion)])


def _parser_events(source: SourceText) -> Iterator[Event]:
    """ruamel's events; whatever its parser trips over becomes a problem with a place."""
    from ruamel.yaml import YAML

    reached = 0
    try:
        for event in YAML(typ="safe", pure=True).parse(source.text):
            reached = event.end_mark.index
            yield event
    except Exception as error:  # besides YAMLError it lets ValueError, OverflowError and others through
        raise syntax_error(source, error, reached) from None


class _Composer:
    """Builds nodes from events, depth first; holds the anchors seen so far."""

    def __init__(self, source: SourceText) -> None:
        self._source = source
        self._events = _parser_events(source)
        self._anchors: dict[str, Node | None] = {}  # None while the anchored value is still open
        self._count = 0

    def document(self) -> Node | None:
        root: Node | None = None
        for event in self._events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent":
                if root is not None:
                    message = "a second document begins here; a release file holds one"
                    raise self._refuse(self._place(event), message, "remove the line '---'")
                root = self._node(next(self._events), depth=0)
        return root

    def _node(self, event: Any, depth: int) -> Node:
        place, kind = self._place(event), type(event).__name__
        self._count += 1
        if self._count > MAX_NODES:
            raise too_many(self._source, place)
        if depth > MAX_DEPTH:
            raise self._refuse(place, f"this is nested more than {MAX_DEPTH} levels deep")
        if kind == "AliasEvent":
            return self._alias(event.anchor, place)
        if event.anchor:
            self._anchors[event.anchor] = None
        if event.tag and (kind != "ScalarEvent" or str(event.tag) not in _TEXT_TAGS):
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            raise self._refuse(place, f"tags such as {shown(tag)} are not used here", "remove it")
        node = self._content(event, kind, place, depth)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _content(self, event: Any, kind: str, place: Place, depth: int) -> Node:
        if kind == "MappingStartEvent":
            return self._mapping(place, depth)
        if kind == "SequenceStartEvent":
            return self._sequence(place, depth)
        text = self._storable(event.value, place)
        is_plain = event.style is None and not event.tag
        return Node(place, resolve(text), text) if is_plain else Node(place, text)

    def _alias(self, anchor: str, place: Place) -> Node:
        told = anchor[:40]
        if anchor not in self._anchors:
            suggestion = f"mark what it stands for with '&{told}', or put the text in quotes"
            raise self._refuse(place, f"'*{told}' stands for nothing", suggestion)
        node = self._anchors[anchor]
        if node is None:
            raise self._refuse(place, f"'*{told}' stands inside '&{told}', so it would never end")
        return replace(node, place=place)

    def _sequence(self, place: Place, depth: int) -> Node:
        nodes: list[Node] = []
        size = 1
        while type(event := next(self._events)).__name__ != "SequenceEndEvent":
            node = self._node(event, depth + 1)
            size = self._grown(size, node, self._place(event))
            nodes.append(node)
        return Node(place, tuple(nodes), size=size)

    def _mapping(self, place: Place, depth: int) -> Node:
        entries: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        size = 1
        while type(event := next(self._events)).__name__ != "MappingEndEvent":
            key_place = self._place(event)
            key = self._key(event, key_place, depth)
            if key in entries:
                first = f", first in line {line}" if (line := entries[key].key.line) else ""
                message = f"the key {shown(key)} stands twice in this mapping{first}"
                raise self._refuse(key_place, message, "keep one of them")
            node = self._node(next(self._events), depth + 1)
            if node.text == "":  # the parser places a value that is not there on the next line
                node = replace(node, place=key_place)
            size = self._grown(size, node, key_place)
            if key == "<<" and getattr(event, "style", None) is None:
                merged = {**self._merge(node), **merged}
            else:
                entries[key] = Entry(key_place, node)
        return Node(place, {**merged, **entries}, size=size)

    def _key(self, event: Any, place: Place, depth: int) -> str:
        if type(event).__name__ == "ScalarEvent":
            node = self._node(event, depth + 1)
            if isinstance(node.value, str):
                return node.value
            if node.is_null:
                raise self._refuse(place, "a key is missing before this ':'")
            suggestion = f'put it in quotes: "{node.text}"'
            raise self._refuse(place, f"the key {node.text} is not text", suggestion)
        raise self._refuse(place, "a key must be plain text, not a list, a mapping or an alias")

    def _merge(self, node: Node) -> dict[str, Entry]:
        """What `<<: *base` or `<<: [*a, *b]` brings in; earlier ones win."""
        sources = node.value if isinstance(node.value, tuple) else (node,)
        merged: dict[str, Entry] = {}
        for one in reversed(sources):
            if not isinstance(one.value, dict):
                raise self._refuse(one.place, "'<<' takes a mapping, such as '<<: *base'")
            merged |= one.value
        return merged

    def _grown(self, size: int, node: Node, place: Place) -> int:
        if size + node.size > MAX_NODES:
            message = f"written out, the aliases of this file make more than {MAX_NODES:,} values"
            raise self._refuse(place, message)
        return size + node.size

    def _storable(self, text: str, place: Place) -> str:
        """The text with surrogate pairs joined, as JSON writes them; refuses control characters."""
        try:
            joined = text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise self._refuse(place, "this text holds half of a character (a lone surrogate)") from None
        if control := CONTROL.search(joined):
            code = ord(control[0])
            raise self._refuse(place, f"this text holds the control character U+{code:04X}", "remove it")
        return joined

    def _place(self, event: Any) -> Place:
        return self._source.place(event.start_mark.index)

    def _refuse(self, place: Place, message: str, suggestion: str = "") -> ReleaseFileError:
        return _error(self._source, place, message, suggestion)


def resolve(text: str) -> str | int | float | bool | None:
    """A plain scalar by YAML 1.2's core schema: `no` is text, `010` is ten, `22:00` is text.

    A number too large to compute with, infinity and not-a-number stay text.
    """
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text) and abs(number := float(text)) < 1e300:
        return number
    return text
