"""The quick way through a sound file: libyaml's events instead of ruamel's, for the same nodes.

It complains of one thing, a file without end, which would keep the other parser busy for long. Whatever else
is wrong, rare, or read differently by the two parsers is left to `places`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Any

from rollway.facts.places import CONTROL, MAX_DEPTH, MAX_NODES, Entry, Node, resolve, too_many
from rollway.facts.problems import SourceText

# Tabs, odd line breaks, marks and control characters, and what opens or closes a document by hand: there
# YAML 1.1 (libyaml) and 1.2 (ruamel) part, or a complaint is due.
_ODD = re.compile(r"[^\n\r\x20-\x7e\xa1-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_MARKER = re.compile(r"^(?:%|---|\.\.\.)", re.MULTILINE)
_ODD_KEY = re.compile(r"[^A-Za-z_]|null|true|false|$", re.IGNORECASE)  # may be no text
_PLAIN_BLOCK = re.compile(r"[|>][-+]?\r?\n +[^\s#]")


class Leave(Exception):  # noqa: N818 - no error: it leaves the text to the careful way
    """This text is not for the quick way."""


def compose_quickly(source: SourceText) -> Node | None:
    """The tree of a sound text, as `places` would compose it; None where only `places` can tell."""
    try:
        return _Composer(source, *_begin(source.text)).document()
    except Leave:
        return None


def quick_events(text: str) -> Iterator[Any]:
    """The events of a sound text, with marks where ruamel would set them; raises `Leave` on the way."""
    get_event, failure = _begin(text)
    while type(event := _next(get_event, failure)).__name__ != "StreamEndEvent":
        in_flow = type(event).__name__ == "MappingStartEvent" and event.flow_style
        if _is_marked(event) or (in_flow and text[event.start_mark.index] != "{"):
            raise Leave
        if getattr(event, "style", None) in ("|", ">"):  # they end where the next value begins, or before
            raise Leave
        yield event


def _begin(text: str) -> tuple[Callable[[], Any], type[Exception]]:
    """What gives the next event, and what it raises."""
    parser, failure = _library()
    if parser is None or _ODD.search(text) or _MARKER.search(text):
        raise Leave
    return parser(text).get_event, failure


def _next(get_event: Callable[[], Any], failure: type[Exception]) -> Any:
    try:
        return get_event()
    except failure:
        raise Leave from None


def _is_marked(event: Any) -> bool:
    """Whether it is an alias, or has an anchor or a tag."""
    return bool(getattr(event, "anchor", None) or getattr(event, "tag", None))


@cache
def _library() -> tuple[Any, type[Exception]]:
    """libyaml's parser and its error, or None where PyYAML is missing or was built without libyaml."""
    try:
        yaml = import_module("yaml")
    except ImportError:
        return None, Leave
    return getattr(yaml, "CParser", None) or _c_parser(), yaml.YAMLError


def _c_parser() -> Any:
    try:
        return import_module("yaml._yaml").CParser
    except ImportError:
        return None


class _Composer:
    """Builds nodes from events, depth first; leaves at the first thing that needs a second look."""

    def __init__(self, source: SourceText, get_event: Callable[[], Any], failure: type[Exception]) -> None:
        self._source, self._text, self._place = source, source.text, source.place
        self._next, self._failure = get_event, failure
        self._count = 0

    def document(self) -> Node:
        """The one document that there must be."""
        try:
            return self._document()
        except self._failure:
            raise Leave from None

    def _document(self) -> Node:
        self._next()  # the stream begins
        if type(self._next()).__name__ != "DocumentStartEvent":
            raise Leave
        root = self._node(self._next(), 0)
        self._next()  # the document ends
        if type(self._next()).__name__ != "StreamEndEvent":
            raise Leave
        return root

    def _node(self, event: Any, depth: int) -> Node:
        kind = type(event).__name__
        self._count_one(event)
        if depth > MAX_DEPTH:
            raise Leave
        if kind == "AliasEvent" or event.anchor or event.tag:
            raise Leave
        if kind == "ScalarEvent":
            return self._scalar(event)
        return self._mapping(event, depth) if kind == "MappingStartEvent" else self._sequence(event, depth)

    def _count_one(self, event: Any) -> None:
        self._count += 1
        if self._count > MAX_NODES:
            if getattr(event, "value", None) == "":  # the parsers place a value that is not there differently
                raise Leave
            raise too_many(self._source, self._place(event.start_mark.index))

    def _scalar(self, event: Any) -> Node:
        text = event.value
        if not event.style:
            return Node(self._place(event.start_mark.index), resolve(text), text)
        if CONTROL.search(text):
            raise Leave
        if event.style in "|>" and not _PLAIN_BLOCK.match(self._text, event.start_mark.index):
            raise Leave
        return Node(self._place(event.start_mark.index), text)

    def _sequence(self, event: Any, depth: int) -> Node:
        place, nodes, size = self._place(event.start_mark.index), [], 1
        flows = event.flow_style
        while type(event := self._next()).__name__ != "SequenceEndEvent":
            if flows and type(event).__name__ == "MappingStartEvent" and self._opens_without_brace(event):
                raise Leave
            nodes.append(node := self._node(event, depth + 1))
            size += node.size
        return Node(place, tuple(nodes), None, size)

    def _opens_without_brace(self, event: Any) -> bool:
        """`[a: b]`, which YAML 1.1 and 1.2 take for different things."""
        return self._text[event.start_mark.index] != "{"

    def _mapping(self, event: Any, depth: int) -> Node:
        place, size = self._place(event.start_mark.index), 1
        entries: dict[str, Entry] = {}
        while type(event := self._next()).__name__ != "MappingEndEvent":
            key, key_place = self._key(event), self._place(event.start_mark.index)
            if key in entries:
                raise Leave
            node = self._node(self._next(), depth + 1)
            if node.text == "":  # the parser places a value that is not there on the next line
                node = Node(key_place, node.value, "")
            size += node.size
            entries[key] = Entry(key_place, node)
        return Node(place, entries, None, size)

    def _key(self, event: Any) -> str:
        """A key that is text, whatever its quotes."""
        self._count_one(event)
        if type(event).__name__ != "ScalarEvent" or event.anchor or event.tag:
            raise Leave
        key: str = event.value
        if event.style:
            is_text = not CONTROL.search(key)
        else:
            is_text = not _ODD_KEY.match(key) or isinstance(resolve(key), str)
        if not is_text or key == "<<":
            raise Leave
        return key
