"""`extends: org.yaml`: the files a release is made of, read in order and merged into one tree."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from rollway.facts.merge import merged
from rollway.facts.places import Node, parse_document
from rollway.facts.problems import Place, Problem, ReleaseFileError, SourceText, Where, shown
from rollway.facts.reading import read_source

EXTENDS = "extends"
NOTHING_INSTEAD: Mapping[str, str] = MappingProxyType({})
MAX_FILES = 20


@dataclass(frozen=True, slots=True)
class Written:
    """A release as it is written: its name for messages, the merged tree, and the texts by file name."""

    name: str
    root: Node
    texts: Mapping[str, SourceText] = field(default_factory=dict)

    def problem(self, place: Place, message: str, suggestion: str = "", *, where: Where = ()) -> Problem:
        """What is wrong at a place in any of the files (or in none, such as "--set")."""
        source = self.texts.get(place.file) or SourceText(place.file, "")
        return source.problem(place, message, suggestion, where=where)

    def order(self, problem: Problem) -> tuple[int, int, int]:
        """A key that sorts problems by file (in the order they were merged), line and column."""
        names = list(self.texts)
        at = names.index(problem.file) if problem.file in names else -1
        return at, problem.line, problem.column


def read_written(
    paths: Sequence[str | os.PathLike[str]], instead: Mapping[str, str] = NOTHING_INSTEAD
) -> Written:
    """The files, each after those it extends, later ones laid over earlier ones.

    A file that is reached twice is read once, where it comes first: what it says never overrules a file
    that extends it. `instead` are texts by file name that stand for what is on the disk. Raises
    `ReleaseFileError`.
    """
    gathering = _Gathering({os.path.realpath(name): text for name, text in instead.items()})
    for path in paths:
        gathering.add(os.fspath(path), ())
    return Written(os.fspath(paths[-1]), gathering.root(), gathering.texts)


def parse_written(source: SourceText) -> Written:
    """A text by itself. It extends nothing, since no file is touched."""
    root = parse_document(source)
    for base in _bases(source, root):
        message = "a text by itself extends nothing"
        raise _refused(source, base.place, message, "load the file that holds it")
    return Written(source.name, root, {source.name: source})


class _Gathering:
    """The trees found so far, in the order in which they are to be merged."""

    def __init__(self, instead: Mapping[str, str]) -> None:
        self._instead = instead
        self.texts: dict[str, SourceText] = {}
        self._trees: list[Node] = []
        self._done: set[str] = set()

    def root(self) -> Node:
        root = self._trees[0]
        for tree in self._trees[1:]:
            root = merged(root, tree)
        return root

    def add(self, name: str, inside: tuple[tuple[str, str], ...]) -> None:
        """Read a file and, before it, those it extends; `inside` are the (real path, name) around it."""
        real = os.path.realpath(name) if "\0" not in name else name
        if real in self._done:
            return
        source = SourceText(name, self._instead[real]) if real in self._instead else read_source(name)
        root = parse_document(source)
        inside = (*inside, (real, name))
        for base in _bases(source, root):
            self._extend(source, base, inside)
        self._done.add(real)
        self.texts[name] = source
        self._trees.append(_without_extends(root))

    def _extend(self, source: SourceText, base: Node, inside: tuple[tuple[str, str], ...]) -> None:
        name = os.path.normpath(os.path.join(os.path.dirname(source.name), str(base.value)))
        real = os.path.realpath(name)
        names = dict(inside)
        if real in names:
            chain = [*list(names.values())[list(names).index(real) :], name]
            message = f"this goes round in a circle: {' -> '.join(chain)}"
            raise _refused(source, base.place, message, "remove one of these lines")
        if len(inside) + len(self._trees) >= MAX_FILES:
            raise _refused(source, base.place, f"this release extends more than {MAX_FILES} files")
        try:
            self.add(name, inside)
        except ReleaseFileError as error:
            first = error.problems[0]
            if first.line or first.file != name:
                raise
            raise _refused(source, base.place, f"{name}: {first.message}") from None


def _bases(source: SourceText, root: Node) -> tuple[Node, ...]:
    """What stands under `extends`: nothing, one name, or a list of names."""
    node = root.child(EXTENDS)
    if node is None or node.is_null:
        return ()
    bases = node.rows if isinstance(node.value, tuple) else (node,)
    for base in bases:
        if not isinstance(base.value, str) or not base.value or "\0" in base.value:
            told = "a mapping" if isinstance(base.value, dict) else shown(base.plain())
            suggestion = "write extends: org.yaml, or extends: [org.yaml, facts.yaml]"
            raise _refused(source, base.place, f"{told} is not the name of a file", suggestion)
        if "://" in base.value:
            message = f"{shown(base.value)} is not the name of a file"
            raise _refused(source, base.place, message, "fetch it first; nothing is read from the network")
    return bases


def _without_extends(root: Node) -> Node:
    return replace(root, value={key: entry for key, entry in root.entries.items() if key != EXTENDS})


def _refused(source: SourceText, place: Place, message: str, suggestion: str = "") -> ReleaseFileError:
    problem = source.problem(place, message, suggestion, where=(EXTENDS,))
    return ReleaseFileError(source.name, [problem])
