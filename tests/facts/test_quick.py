"""The quick way reads what the careful way reads, and leaves everything else to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from rollway.facts import places, quick
from rollway.facts.places import Node, parse_document, parse_value
from rollway.facts.problems import ReleaseFileError, SourceText
from rollway.facts.spans import spans_of

EXAMPLE = (Path(__file__).parents[2] / "examples" / "reporting" / "release.yaml").read_text()
SEEDS = [
    "a: 1\nb: [x, {c: d}]\nc:\n  - e\n  - f: g\n    h: |\n      text\n      more\n",
    '{"a": [1, 2.5, null, true, "x\\n\\u00e9"], "b": {"c": ""}}\n',
    "a:\n- b\n- - c\n  - d\n-e: f\n",
    'k: "a\n  b"\nl: plain\n  goes on\nm: >-\n  fold\n  ed\n',
    "t: 'it''s'\nu: http://a:8/b#c # d\nv: a#b\nw: 😀 x\nz:\n",
    "x: {a, b: , c: }\ny: [a: b, c]\n",
    *(EXAMPLE[start : start + 600] for start in (0, 2400, 5200, 9000)),
]
PIECES = [
    *":-,[]{}#&*!|>'\"%@`?~ \n\r\t<=\\/é\u2028\x85\ufeff\xa0😀01.",
    "\n  ",
    "\n- ",
    ": ",
    ' "',
    "|\n",
    ">-\n",
]
PIECES += ["---", "...", "<<: ", "\\u00e9", "\\ud83d", "&a ", "*a ", "? ", ",}", "!!str ", "null", "\r\n"]
LEFT = {
    "an anchor": "a: &x 1\nb: *x\n",
    "a tag": "a: !!str 1\n",
    "a merge": "a: {<<: {b: 1}}\n",
    "a second document": "a: 1\n---\nb: 2\n",
    "a directive": "%YAML 1.2\n---\na: 1\n",
    "a tab": "a:\t1\n",
    "a key twice": "a: 1\na: 2\n",
    "a key that is no text": "1: a\n",
    "a key that is a list": "? [a]\n: b\n",
    "a pair in a list": "a: [b: c]\n",
    "a control character": 'a: "\\a"\n',
    "half of a character": 'a: "\\ud83d"\n',
    "no value at all": "# only this\n",
    "no YAML": "a: [1\n",
}


def _careful(text: str) -> Node | str:
    try:
        return places._Composer(SourceText("f", text)).document() or "empty"
    except ReleaseFileError as error:
        return str(error)


def _quick(text: str) -> Node | str | None:
    try:
        return quick.compose_quickly(SourceText("f", text))
    except ReleaseFileError as error:
        return str(error)


def _allow(patch: pytest.MonkeyPatch, values: int) -> None:
    """Lower what a file may hold, for both ways."""
    for module in (places, quick):
        patch.setattr(module, "MAX_NODES", values)


@st.composite
def _edited(draw: Callable[..., str]) -> str:
    """A piece of YAML into which somebody's keyboard has slipped."""
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(PIECES)) + text[at + draw(st.integers(0, 2)) :]
    return text


@settings(max_examples=300, deadline=None)
@given(_edited())
@example("h: |\n \n  text\n")
@example("m: >#-\n  fold\n")
@example('["b":null, "":x]')
def test_what_is_read_quickly_is_what_is_read_carefully(text: str) -> None:
    """Values, texts and places are the same, and nothing passes that would be refused."""
    found = quick.compose_quickly(SourceText("f", text))
    assert found is None or found == _careful(text)


@settings(max_examples=100, deadline=None)
@given(_edited())
def test_what_begins_and_ends_somewhere_does_so_in_both_ways(text: str) -> None:
    """So a value that is replaced is replaced as a whole, whoever read the text."""
    assume(isinstance(_careful(text), Node))
    spans = spans_of(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quick, "_library", lambda: (None, ValueError))
        assert spans_of(text) == spans


@pytest.mark.parametrize("text", [EXAMPLE, *SEEDS[:5]])
def test_ordinary_files_go_the_quick_way(text: str) -> None:
    """Otherwise the law above would hold for nothing."""
    assert quick.compose_quickly(SourceText("f", text)) is not None


@pytest.mark.parametrize("name", LEFT)
def test_what_is_rare_or_wrong_is_left_to_the_careful_way(name: str) -> None:
    """It alone has the words for it."""
    assert quick.compose_quickly(SourceText("f", LEFT[name])) is None


@settings(max_examples=200, deadline=None)
@given(_edited(), st.integers(1, 12))
def test_too_many_values_are_refused_in_the_same_words(text: str, values: int) -> None:
    """At the same place, unless the careful way sees a mistake behind it first."""
    with pytest.MonkeyPatch.context() as patch:
        _allow(patch, values)
        quickly, carefully = _quick(text), _careful(text)
    is_refused = isinstance(quickly, str)
    assert quickly in (None, carefully) or (is_refused and "more than" not in str(carefully))
    assert not (is_refused and isinstance(carefully, Node))


def test_too_many_levels_are_left_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits are those of the careful way."""
    deep = "[" * (places.MAX_DEPTH + 2) + "]" * (places.MAX_DEPTH + 2)
    assert quick.compose_quickly(SourceText("f", deep)) is None
    assert quick.compose_quickly(SourceText("f", deep[1:-1])) is not None


@pytest.mark.parametrize("text", ["[1, 2, 3]", "a: 1\nb: 2\n", "- 1\n- {a: 2}\n"])
def test_one_value_too_many_is_refused_at_once(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list or mapping counts too, and so do keys; a value that is not there is left."""
    _allow(monkeypatch, 3)
    told = _quick(text)
    assert isinstance(told, str)
    assert "this file holds more than 3 values" in told
    assert told == _careful(text)
    assert _quick("[1, 2]") == _careful("[1, 2]")
    assert _quick("- 1\n- 2\n-\n") is None


def test_without_libyaml_files_are_read_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a shortcut and no condition."""
    quickly = parse_document(SourceText("f", EXAMPLE))
    monkeypatch.setattr(quick, "_library", lambda: (None, ValueError))
    assert quick.compose_quickly(SourceText("f", EXAMPLE)) is None
    assert parse_document(SourceText("f", EXAMPLE)) == quickly
    assert parse_value(SourceText("f", "")).is_null


def test_the_quick_way_takes_less_than_a_third_of_the_time() -> None:
    """Measured on the example in CPU time; a fifteenth is usual."""
    source = SourceText("f", EXAMPLE)
    quick.compose_quickly(source)

    def least(work: Callable[[], object]) -> float:
        took = []
        for _ in range(3):
            start = time.process_time()
            work()
            took.append(time.process_time() - start)
        return min(took)

    assert 3 * least(lambda: quick.compose_quickly(source)) < least(lambda: _careful(EXAMPLE))
