"""Places: every value is found where a person's editor would show it."""

from __future__ import annotations

import pytest

from rollway.facts.places import Node, parse_document, parse_value, resolve
from rollway.facts.problems import Problem, ReleaseFileError, SourceText, Where


def parsed(text: str) -> Node:
    return parse_document(SourceText("release.yaml", text))


def at(text: str, *where: str | int) -> tuple[int, int]:
    """Line and column of a value, which must exist."""
    root, path = parsed(text), tuple(where)
    assert root.has(path)
    place = root.nearest(path).place
    return place.line, place.column


@pytest.mark.parametrize(
    ("text", "where", "place"),
    [
        ("a:\n  b: 1\n", ("a", "b"), (2, 6)),
        ("a:\n  - x\n  - - y\n    - z\n", ("a", 1, 1), (4, 7)),
        ("a: {b: [1, {c: 2}]}", ("a", "b", 1, "c"), (1, 16)),
        ("\"a b\": {'c': 3}", ("a b", "c"), (1, 14)),
        ("a: 1\r\nb:\r\n  c: 2\r\n", ("b", "c"), (3, 6)),
        ("a: 1\rb: 2\r", ("b",), (2, 4)),
        ("日本: {é: 5}", ("日本", "é"), (1, 9)),
        ("a: '😀'\nb: {c: '😀', d: 1}", ("b", "d"), (2, 16)),
        ("a: x\u2028y\nb: 1", ("b",), (2, 4)),
        ("a: |\n  one\n\n  two\nb: 1", ("b",), (5, 4)),
        ("a: >-\n  one\n  two\nb: 1", ("a",), (1, 4)),
        ("a: 'one\n  two'\nb: 1", ("b",), (3, 4)),
        ("a: one\n  two\n\n  three\nb: 1", ("b",), (5, 4)),
        ("# note\n\n---\na: 1 # more\n", ("a",), (4, 4)),
        ("? a\n: b\n", ("a",), (2, 3)),
        ("a:\nb: 1", ("a",), (1, 1)),
        ("base: &base {b: 1}\na: *base", ("a",), (2, 4)),
        ("base: &base {b: 1}\na: *base", ("a", "b"), (1, 17)),
        ("base: &base {b: 1}\na: {<<: *base, c: 2}", ("a", "b"), (1, 17)),
    ],
)
def test_a_value_is_found_where_it_is_written(text: str, where: Where, place: tuple[int, int]) -> None:
    """Nested, flow, quoted, folded, aliased, CRLF and non-ASCII values keep line and column."""
    assert at(text, *where) == place


def test_keys_have_places_too() -> None:
    """A key that should not be there can be pointed at."""
    place = parsed("a:\n  'b c': 1\n").key_place(("a", "b c"))
    assert place is not None
    assert str(place) == "release.yaml:2:3"


def test_the_nearest_value_stands_in_for_what_is_missing() -> None:
    """The place of something that is not there is that of what would hold it."""
    root = parsed("a:\n  - b: 1\n")
    assert not root.has(("a", 0, "c"))
    assert root.nearest(("a", 0, "c")).place.line == 2


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("on", "on"),
        ("22:00", "22:00"),
        ("2026-11-05", "2026-11-05"),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-7", -7),
        ("True", True),
        ("~", None),
        ("", None),
        ("1e999", "1e999"),
        (".nan", ".nan"),
        ("-.inf", "-.inf"),
        ("=", "="),
    ],
)
def test_plain_scalars_are_read_as_yaml_1_2(written: str, meant: object) -> None:
    """The surprises of YAML 1.1 are gone: no is a word, 22:00 a time, 010 ten."""
    assert resolve(written) == meant
    assert type(resolve(written)) is type(meant)


def test_quotes_and_str_tags_make_text() -> None:
    """What is quoted or tagged !!str stays text; a plain scalar remembers how it was written."""
    root = parsed("a: '1'\nb: \"true\"\nc: !!str 2\nd: ! 3\ne: 2.10\n")
    assert root.plain() == {"a": "1", "b": "true", "c": "2", "d": "3", "e": 2.1}
    assert root.nearest(("e",)).text == "2.10"


def test_merge_keys_bring_in_what_is_not_written() -> None:
    """`<<` takes a mapping or several; what is written wins, then the earlier ones."""
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 3}\nd: {z: 9, <<: *b}\n"
    assert parsed(text).plain()["c"] == {"x": 3, "y": 1, "z": 2}
    assert parsed(text).plain()["d"] == {"z": 9, "y": 2}


def test_surrogate_pairs_become_one_character() -> None:
    """JSON writes an emoji as two escapes; JSON is YAML, so they are read as one character."""
    assert parsed('{"a": "\\ud83d\\ude00"}').plain() == {"a": "😀"}


@pytest.mark.parametrize(
    ("text", "headline"),
    [
        ("a: 1\n\tb: 2", "r.yaml:2:1: a tab indents this line; indent with spaces"),
        ("a:\tb", "r.yaml:1:3: a tab stands here; use spaces"),
        ("a: {b: 1\nc: 2", "r.yaml:1:4: this '{' has no '}', or a ',' is missing inside it"),
        ("a: [1]]", "r.yaml:1:7: this ']' closes nothing; remove it"),
        ("a: @b", "r.yaml:1:4: a text cannot begin with @; put it in quotes"),
        ("a: 'x' y", "r.yaml:1:8: the value before this has ended; put the whole text in quotes"),
        ("a:b\nc: 1", "r.yaml:2:2: this line continues the value above it"),
        ('a: "C:\\dir"', "r.yaml:1:8: this backslash means nothing in double quotes"),
        ('a: "\\U99999999"', "a character that is written as an escape does not exist"),
        ("a: \x07", "r.yaml:1:4: the character U+0007 cannot stand in a text file"),
        ('a: "\\e[31m"', "r.yaml:1:4: this text holds the control character U+001B"),
        ('a: "\\ud800"', "r.yaml:1:4: this text holds half of a character"),
        ("a: *b", "r.yaml:1:4: '*b' stands for nothing"),
        ("<<: 3", "r.yaml:1:5: '<<' takes a mapping"),
        ("[a]: 1", "r.yaml:1:1: a key must be plain text"),
        (": 1", "r.yaml:1:1: a key is missing before this ':'"),
        ("%YAML 3.0\n---\na: 1", "r.yaml:1:1: this is not YAML 1.x"),
    ],
)
def test_what_is_no_yaml_is_told_in_plain_words(text: str, headline: str) -> None:
    """The parser's own terms do not reach people; the place does."""
    with pytest.raises(ReleaseFileError) as caught:
        parse_value(SourceText("r.yaml", text))
    assert headline in caught.value.message


@pytest.mark.parametrize("before", ["", "abc ", "日本語 ", "a\tb ", "é" * 3, "x" * 300, "\u0301\u0301"])
def test_the_caret_stands_under_the_column(before: str) -> None:
    """Wide characters, tabs, combining marks and long lines do not push the caret aside."""
    line = f"{before}MARK and more"
    problem = Problem("f", 7, len(before) + 1, "", "wrong", source_line=line)
    shown, caret = problem.snippet.splitlines()
    cells = {"日": 2, "本": 2, "語": 2, "\u0301": 0}
    assert sum(cells.get(c, 1) for c in shown[: shown.index("MARK")]) == caret.index("^")
    assert len(shown) < 120
