"""Writing into a person's file: what was asked for is there, and nothing else has changed."""

from __future__ import annotations

import difflib
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.errors import RefusedError
from rollway.facts import ReleaseFileError, all_facts, parse_release, skeleton
from rollway.facts.edit import lay_over
from rollway.facts.spans import comments_of
from rollway.facts.yaml_text import written
from support.releases import fact_types, put, values_of

EXAMPLE = (Path(__file__).parents[2] / "examples" / "reporting" / "release.yaml").read_text()
SKELETON = skeleton("x", "1")
HEAD = "release: {name: x, version: 1}\n"


def changed(old: str, facts: dict[str, Any]) -> list[str]:
    """The lines that were taken out and put in."""
    diff = difflib.ndiff(old.splitlines(), lay_over(old, facts, "r.yaml").splitlines())
    return [line for line in diff if line[:1] in "+-"]


def test_a_value_is_replaced_and_its_comment_keeps_its_column() -> None:
    """One line of the skeleton changes, by as little as possible."""
    assert changed(SKELETON, {"migration": {"needed": True}}) == [
        "-   needed: unknown                           # must data be migrated?",
        "+   needed: true                              # must data be migrated?",
    ]


def test_a_long_value_moves_its_comment_by_as_much_as_it_needs() -> None:
    """Two spaces are left between them."""
    fact = {"value": False, "source": "contract tests between both versions, run each night"}
    assert changed(SKELETON, {"migration": {"needed": fact}})[1] == (
        '+   needed: {value: false, source: "contract tests between both versions, run each night"}'
        "  # must data be migrated?"
    )


def test_a_key_that_stands_there_as_a_comment_comes_to_life() -> None:
    """And keeps the explanation beside it, also at the top of its section."""
    assert changed(SKELETON, {"goals": {"objective": "Faster reports"}}) == [
        '-   # objective: ""                           # what the release is to achieve',
        "+   objective: Faster reports                 # what the release is to achieve",
    ]


def test_entries_go_below_the_example_of_their_list() -> None:
    """The commented example stays where it is."""
    lines = lay_over(SKELETON, {"risks": {"items": [{"id": "R-9", "title": "slow"}]}}, "r").splitlines()
    at = lines.index("    - {id: R-9, title: slow}")
    assert lines[at - 1].lstrip().startswith("#   trigger: ")
    assert lines[at + 1].startswith("  failure_impact: unknown")


def test_an_entry_is_changed_key_by_key() -> None:
    """Of the same id; a new one goes to the end, in the margin of its list."""
    items = [{"id": "REP-311", "accepted": False}, {"id": "REP-400", "title": "New: one", "touches": ["ui"]}]
    assert changed(EXAMPLE, {"backlog": {"items": items}}) == [
        "-       accepted: true",
        "+       accepted: false",
        '+     - {id: REP-400, title: "New: one", touches: [ui]}',
    ]


def test_a_key_that_is_not_there_goes_to_the_end_of_its_section() -> None:
    """Before the blank line that ends it."""
    assert changed(EXAMPLE, {"migration": {"rehearsed": True}}) == ["+   rehearsed: true"]
    lines = lay_over(EXAMPLE, {"migration": {"rehearsed": True}}, "r").splitlines()
    assert lines[lines.index("  rehearsed: true") - 1] == "  dual_run_feasible: true"


@pytest.mark.parametrize(
    ("old", "facts", "new"),
    [
        (HEAD, {"goals": {"urgency": "high"}}, HEAD + "\ngoals:\n  urgency: high\n"),
        (HEAD.strip(), {"goals": {"urgency": "high"}}, HEAD + "\ngoals:\n  urgency: high\n"),
        (HEAD + "goals:\n", {"goals": {"urgency": "high"}}, HEAD + "goals:\n  urgency: high\n"),
        (HEAD + "goals: # aims\n", {"goals": {"urgency": "low"}}, HEAD + "goals: # aims\n  urgency: low\n"),
        (HEAD + "goals: {}\n", {"goals": {"urgency": "high"}}, HEAD + "goals: {urgency: high}\n"),
        (
            HEAD + "goals: {urgency: low}  # x\n",
            {"goals": {"urgency": "high", "objective": "a: b"}},
            HEAD + 'goals: {urgency: high, objective: "a: b"}  # x\n',
        ),
        (
            HEAD + "goals:\n  urgency:\n    value: low\n    source: Jo\n  objective: x\n",
            {"goals": {"urgency": "high"}},
            HEAD + "goals:\n  urgency:\n    high\n  objective: x\n",
        ),
        (
            HEAD + "agreements:\n  approvers:   # who\n    # - ann\n  peak_season: false\n",
            {"agreements": {"approvers": ["jo", "kim"]}},
            HEAD + "agreements:\n  approvers: [jo, kim]  # who\n    # - ann\n  peak_season: false\n",
        ),
        (
            HEAD + "risks: {items: [{id: a, title: b}]}\n",
            {"risks": {"items": [{"id": "c", "title": "d"}, {"id": "a", "owner": "jo"}]}},
            HEAD + "risks: {items: [{id: a, title: b, owner: jo}, {id: c, title: d}]}\n",
        ),
        (
            HEAD + "goals:\n  objective: |\n    two\n    lines\n\n# next\nrisks: {}\n",
            {"goals": {"objective": "one", "urgency": "low"}, "risks": {"regulated": True}},
            HEAD + "goals:\n  objective: one\n  urgency: low\n\n# next\nrisks: {regulated: true}\n",
        ),
        (
            HEAD.replace("\n", "\r\n") + "goals:\r\n  urgency: low   # x\r\n",
            {"goals": {"urgency": "high", "objective": "z"}},
            HEAD.replace("\n", "\r\n") + "goals:\r\n  urgency: high  # x\r\n  objective: z\r\n",
        ),
    ],
)
def test_layouts(old: str, facts: dict[str, Any], new: str) -> None:
    """Blocks and brackets, empty sections, ends without a line break, and the line breaks of Windows."""
    assert lay_over(old, facts, "r.yaml") == new


@pytest.mark.parametrize(
    ("old", "facts", "why"),
    [
        (
            HEAD + "goals:\n  urgency:\n    value: low  # said Jo\n    source: Jo\n",
            {"goals": {"urgency": "high"}},
            "a comment would be lost",
        ),
        (
            HEAD + "goals: &g {urgency: low}\nbacklog: {modular: true}\narchitecture: *g\n",
            {"goals": {"urgency": "high"}},
            "it would say something else besides",
        ),
        (
            '{"release": {"name": "x", "version": "1"}}',
            {"goals": {"urgency": "high"}},
            "it is JSON, and would be no longer",
        ),
    ],
)
def test_what_cannot_be_changed_alone_is_not_changed(old: str, facts: dict[str, Any], why: str) -> None:
    """A comment inside a value, an alias that stands for two places, a file that is JSON: with a way out."""
    with pytest.raises(RefusedError) as caught:
        lay_over(old, facts, "r.yaml")
    assert f"r.yaml was not changed, because {why}" in caught.value.message
    assert "extends: facts.yaml" in caught.value.hint


def test_a_file_that_cannot_be_read_is_told_with_its_place() -> None:
    """As by any other command."""
    with pytest.raises(ReleaseFileError, match=r"r\.yaml:1:5"):
        lay_over("a: [", {"goals": {"urgency": "high"}}, "r.yaml")


FACTS = st.sampled_from(sorted(fact_types(), key=lambda one: one[0])).flatmap(
    lambda one: st.tuples(st.just(one[0]), st.sampled_from(values_of(one[1])))
)
WAYS = st.sampled_from(["plain", "known", "assumed"])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([SKELETON, EXAMPLE, HEAD]), st.lists(st.tuples(FACTS, WAYS), min_size=1, max_size=6))
def test_any_facts_can_be_written_into_a_file(old: str, stated: list[tuple[tuple[str, Any], str]]) -> None:
    """They are there afterwards, every other fact is as it was, and no comment is lost."""
    raw: dict[str, Any] = {}
    for (path, value), way in stated:
        told = str(value) if not isinstance(value, bool | int | float) else value
        if hasattr(value, "total_seconds"):
            told = f"{int(value.total_seconds())}s"
        put(
            raw,
            path,
            {"plain": told, "known": {"value": told, "source": "Jo: #1"}, "assumed": {"assume": told}}[way],
        )
    new = lay_over(old, raw, "r.yaml")
    before, after = (dict(all_facts(parse_release(text, "r.yaml"))) for text in (old, new))
    paths = {path for (path, _), _ in stated}
    assert all(after[path].is_stated for path in paths)
    assert all(after[path].value == before[path].value for path in after if path not in paths)
    lost = Counter(comments_of(old)) - Counter(comments_of(new))
    assert all(comment.startswith("# ") and ": " in comment for comment in lost)
    if old == EXAMPLE:
        assert not lost


@given(
    st.text(max_size=40) | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
)
def test_a_written_value_is_read_as_what_it_is(value: Any) -> None:
    """In brackets and outside, in this reader and in any other of YAML 1.1 or 1.2."""
    from ruamel.yaml import YAML

    from rollway.facts.places import parse_value
    from rollway.facts.problems import SourceText

    if isinstance(value, str) and any(ord(one) < 32 or 127 <= ord(one) < 160 for one in value):
        return  # the loader refuses control characters
    if isinstance(value, float) and abs(value) >= 1e300:
        return  # and numbers that nobody means
    text = f"[{{a: {written(value)}}}]"
    assert parse_value(SourceText("v", text)).plain() == [{"a": value}]
    if not isinstance(value, float):
        older = YAML(typ="safe", pure=True)
        older.version = (1, 1)
        assert older.load(text) == [{"a": value}]


def test_a_changed_text_is_the_text_with_its_changes_in_their_order() -> None:
    """Also where several lines are put in at one spot, and where the last row is changed."""
    old = (
        HEAD + "risks:\n  items:\n    - {id: A, title: a, owner: jon}\n    - {id: B, title: b, owner: jon}\n"
    )
    rows = [{"id": "A", "title": "a new title"}, {"id": "B", "owner": "kaya"}, {"id": "C", "title": "c"}]
    goals = {"objective": "faster", "urgency": "high"}
    assert lay_over(old, {"risks": {"items": rows}, "goals": goals}, "r.yaml") == (
        HEAD + "risks:\n  items:\n"
        "    - {id: A, title: a new title, owner: jon}\n"
        "    - {id: B, title: b, owner: kaya}\n"
        "    - {id: C, title: c}\n"
        "\ngoals:\n  objective: faster\n  urgency: high\n"
    )


def test_four_times_as_many_rows_take_about_four_times_as_long() -> None:
    """A change copies nothing but itself: a table of some thousand rows is a matter of seconds."""

    def took(count: int) -> float:
        ids = [f"R-{number}" for number in range(count)]
        old = HEAD + "risks:\n  items:\n" + "".join(f"    - {{id: {one}, title: old}}\n" for one in ids)
        facts = {"risks": {"items": [{"id": one, "title": "new"} for one in ids]}}
        start = time.process_time()
        assert lay_over(old, facts, "r.yaml").count("title: new") == count
        return time.process_time() - start

    took(10)
    assert min(took(800) for _ in range(2)) < 7 * min(took(200) for _ in range(2))
