"""What several files say together, as a file to extend from and beside a release file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rollway.facts import parse_release
from rollway.facts.importers import HEAD, Found, Imported, beside, combined, fragment_text
from rollway.facts.places import parse_document
from rollway.facts.problems import SourceText

Read = Callable[..., Imported]
HEADER = "release: {name: x, version: 1}\n"


def stories(*rows: dict[str, Any], fills_in: bool = False) -> Imported:
    return Imported("stories", rows={"backlog.items": rows}, fills_in=fills_in)


def test_the_file_loads_and_every_fact_quotes_its_source(sample: Read) -> None:
    """Behind the place in the file stands the report that says so."""
    text = fragment_text(combined([("junit.xml", sample("pytest.xml"))]), ["junit.xml: 8 tests"])
    assert text.startswith(HEAD)
    assert "# junit.xml: 8 tests\n" in text
    tests = parse_release(HEADER + text, "facts.yaml").done.tests
    assert tests.failed.quote().startswith(
        "2 (junit.xml: 8 tests, 2 failed, 2 skipped, run on 2026-11-03, facts.yaml:"
    )


def test_tests_of_several_files_add_up(sample: Read) -> None:
    """And each file is named, up to five."""
    files = [(f"{number}.xml", sample("jest.xml")) for number in range(7)]
    failed = combined(files).facts["done"]["tests"]["passed"]
    assert failed["value"] == 35
    assert failed["source"].startswith("0.xml: 6 tests")
    assert failed["source"].endswith("and 2 more files")


def test_the_last_word_counts_for_anything_else() -> None:
    """Where facts neither add up nor average; an assumption stays one."""

    def said(value: bool, *, assumed: bool = False) -> Imported:
        return Imported("x", (Found("migration.backward_compatible", value, "so", assumed=assumed),))

    facts = combined([("a", said(True)), ("b", said(False, assumed=True))]).facts
    assert facts == {"migration": {"backward_compatible": {"assume": False, "because": "b: so"}}}


def test_entries_of_one_id_become_one() -> None:
    """A later file overrides; one that fills in adds, whatever its place in the command."""
    tracker = stories({"id": "A-1", "title": "Report page", "accepted": False})
    later = stories(
        {"id": "A-1", "title": "Report page", "accepted": True}, {"id": "A-2", "title": "Filters"}
    )
    notes = stories({"id": "A-1", "title": "Charts", "note_for_users": "Charts!"}, fills_in=True)
    assert combined([("notes", notes), ("a", tracker), ("b", later)]).facts["backlog"]["items"] == [
        {"id": "A-1", "title": "Report page", "accepted": True, "note_for_users": "Charts!"},
        {"id": "A-2", "title": "Filters"},
    ]


def test_what_fills_in_leaves_a_release_file_its_own_words() -> None:
    """Only what the file does not say is written beside it."""
    mine = "{id: A-1, title: My title, note_for_users: unset}"
    text = f"{HEADER}backlog: {{items: [{mine}, {{id: A-3, title: x}}]}}\n"
    root = parse_document(SourceText("r.yaml", text))
    notes = stories(
        {"id": "A-1", "title": "Charts", "note_for_users": "Charts!", "touches": ["ui"]},
        {"id": "A-2", "title": "Filters"},
        fills_in=True,
    )
    assert beside(combined([("notes", notes)]), root) == {
        "backlog": {"items": [{"id": "A-1", "touches": ["ui"]}, {"id": "A-2", "title": "Filters"}]}
    }


def test_nothing_read_is_an_empty_file() -> None:
    """It still loads, and says where it comes from."""
    text = fragment_text(combined([("x", Imported("nothing"))]))
    assert parse_release(HEADER + text, "facts.yaml").backlog.items == ()
