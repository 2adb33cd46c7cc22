"""Risk registers, backlogs and lists of groups in CSV: which column is which, and what a cell means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.facts.importers import Imported
from rollway.facts.importers.levels import impact_of, largest, probability_of

Read = Callable[..., Imported]


def rows(read: Imported, path: str = "risks.items") -> list[dict[str, Any]]:
    return [dict(row) for row in read.rows[path]]


def test_a_register_with_a_title_above_its_header(sample: Read) -> None:
    """The header is found below the title; cells may hold commas and line breaks."""
    read = sample("risks.csv")
    assert rows(read)[1] == {
        "id": "R-2",
        "title": "Analysts miss the export dialogue, and flood support",
        "probability": "medium",
        "impact": "low",
        "owner": "Support lead",
        "response": "Show where saved filters are; add two people",
    }
    assert "title from 'Risk title'" in read.notes[0]
    assert "impact on a scale to 5: medium from 3, high from 4, critical from 5" in read.notes
    assert "columns not used: Risk score" in read.notes


def test_what_is_left_out_is_told_with_its_line(sample: Read) -> None:
    """Closed risks, rows without a title, and the second row of the same id."""
    assert [one.told() for one in sample("risks.csv").skipped] == [
        "1 skipped: closed (line 9)",
        "1 skipped: no title (line 10)",
        "1 skipped: 'R-1' stands there twice, and the first one counts (line 11)",
    ]


def test_cells_that_say_nothing_known_are_told(imported: Read) -> None:
    """A level in a word of one's own, a time zone that does not exist; what nobody knows is no mistake."""
    text = "Risk,Likelihood,Impact\nIt is slow,whatever,tbd\nIt is down,often,3\n"
    assert [one.told() for one in imported(text).skipped] == [
        "2 skipped: cells of probability that are not understood (line 2, line 3)"
    ]
    zones = "Group,Users,Time zone\nBern,4,Europe/Bern\n"
    assert [one.why for one in imported(zones).skipped] == ["cells of timezone that are not understood"]


def test_a_german_register_in_its_own_encoding(sample: Read) -> None:
    """Semicolons, umlauts in Windows-1252, and words of another language."""
    read = sample("risiken.csv")
    assert rows(read) == [
        {
            "id": "1",
            "title": "Berichte werden langsam",
            "probability": "high",
            "impact": "critical",
            "owner": "Kaya",
            "response": "Schalter zurück",
        },
        {"id": "2", "title": "Schulung fällt aus", "probability": "medium", "impact": "low"},
    ]
    assert read.notes[0] == "read as Windows-1252"


def test_a_project_board_in_tabs(sample: Read) -> None:
    """Status says what is accepted; an empty one says nothing; what is dropped is no part of it."""
    read = sample("backlog.tsv")
    assert [(row["title"], row.get("accepted")) for row in rows(read, "backlog.items")] == [
        ("Report page with charts", True),
        ("Saved filters", False),
        ("Faster totals", None),
    ]
    assert rows(read, "backlog.items")[0]["touches"] == ["ui", "workflow"]
    assert read.skipped[0].told() == "1 skipped: won't do, so not in the increment (line 5)"


def test_groups_of_users(sample: Read) -> None:
    """Head counts with separators, percentages, and cells that nobody filled in."""
    assert rows(sample("groups.csv"), "stakeholders.groups") == [
        {
            "name": "Zurich",
            "users": 120,
            "timezone": "Europe/Zurich",
            "training_done": 0.92,
            "informed": True,
            "contact": "zurich@example.org",
        },
        {
            "name": "Bern",
            "users": 1040,
            "timezone": "Europe/Zurich",
            "training_done": 0.0,
            "informed": False,
            "contact": "bern@example.org",
        },
        {"name": "Geneva", "users": 80},
    ]


def test_a_person_says_which_column_is_which(imported: Read) -> None:
    """`--map risk="What may happen"`: by the field's name or one of its usual names, whatever the case."""
    text = "Code,What may happen,How bad,Who\nA,It is slow,4,Jo\nB,It is down,5,Jo\n"
    read = imported(text, columns={"risk": "what may happen", "impact": "How bad", "owner": "Who"})
    assert rows(read)[0] == {"id": "it-is-slow", "title": "It is slow", "impact": "high", "owner": "Jo"}
    assert rows(imported(text, columns={"risk": "What may happen", "id": "Code"}))[0]["id"] == "A"


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"risk": "What may hapen"}, "there is no such column; did you mean 'What may happen'?"),
        ({"risk": "Nowhere at all"}, "its columns are 'Code', 'What may happen', 'How bad'"),
        ({"ownr": "Code"}, "nothing of that name is taken from this table; did you mean owner?"),
    ],
)
def test_a_wrong_mapping_is_told(refused: Callable[..., str], columns: dict[str, str], told: str) -> None:
    """The column or the field that is not there, and what may be meant."""
    text = "Code,What may happen,How bad\nA,It is slow,4\n"
    assert told in refused(text, "risks", columns=columns)


def test_an_unknown_table_says_how_to_go_on(refused: Callable[..., str]) -> None:
    """Its columns are listed, with a command that would read it."""
    told = refused("Fruit,Colour\napple,red\n")
    assert "no table of risks or backlog or groups is recognised; its columns are 'Fruit', 'Colour'" in told
    assert '--as risks --map "risk=Fruit"' in told
    assert "this table is empty" in refused(",,\n,,\n")


def test_a_bug_list_is_no_risk_register(imported: Read) -> None:
    """Severity alone makes no risk; a status makes a backlog."""
    read = imported("Key,Title,Status,Severity\nA-1,Report page,Done,Low\n")
    assert list(read.rows) == ["backlog.items"]


def test_entries_without_an_id_get_one_from_their_title(imported: Read) -> None:
    """So that the next import finds the same entry, wherever its row has moved."""
    text = "Risk,Likelihood\nOther,1\nThe warehouse refuses more queries than it did before,2\n"
    first, second = rows(imported(text))
    assert second["id"] == "the-warehouse-refuses-more-queries-than"
    moved = "Risk,Likelihood\nThe warehouse refuses more queries than it did before,2\n"
    assert rows(imported(moved))[0]["id"] == second["id"] != first["id"]


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\r\nTitle;Status\r\nA;Done\r\n",
        "Title|Status\nA|Done\n",
        "\ufeffTitle,Status\nA,Done\n",
        'Title;Status\n"A";"Done, at last"\n',
        "Title\tStatus\tNotes\nA\tDone\tone, two, three, four\n",
    ],
)
def test_separators_and_marks(imported: Read, text: str) -> None:
    """Excel's sep line, pipes, a BOM, and commas inside cells of another separator."""
    assert rows(imported(text), "backlog.items") == [{"id": "a", "title": "A", "accepted": True}]


@pytest.mark.parametrize(
    ("written", "impact", "probability"),
    [
        ("Very high", "critical", "high"),
        ("very low", "low", "low"),
        ("Unlikely", "", "low"),
        ("Almost certain", "", "high"),
        ("Likely", "", "high"),
        ("possible", "medium", "medium"),
        ("3 - Moderate", "medium", "medium"),
        ("Catastrophic", "critical", ""),
        ("hoch", "high", "high"),
        ("sehr hoch", "critical", "high"),
        ("tbd", "", ""),
        ("", "", ""),
    ],
)
def test_levels_in_words(written: str, impact: str, probability: str) -> None:
    """Words decide before figures; what cannot be told stays open."""
    assert (impact_of(written), probability_of(written)) == (impact, probability)


@pytest.mark.parametrize(
    ("column", "levels"),
    [
        (["1", "2", "3"], ["low", "medium", "high"]),
        (["1", "2", "3", "4", "5"], ["low", "low", "medium", "high", "critical"]),
        (["2", "5", "8", "10"], ["low", "medium", "high", "critical"]),
        (["0.1", "0,5", "0.95"], ["low", "medium", "critical"]),
        (["10%", "50 %", "95%"], ["low", "medium", "critical"]),
    ],
)
def test_levels_in_figures(column: list[str], levels: list[str]) -> None:
    """The scale is the smallest usual one that holds the column's largest figure."""
    assert [impact_of(cell, largest(column)) for cell in column] == levels


@given(st.lists(st.integers(0, 30).map(str), min_size=1), st.integers(0, 30), st.integers(0, 30))
def test_a_larger_figure_is_never_a_lower_level(column: list[str], one: int, other: int) -> None:
    """On whatever scale a column is read, its order is kept."""
    end = largest([*column, str(one), str(other)])
    order = ("", "low", "medium", "high", "critical")
    low, high = sorted((one, other))
    assert order.index(impact_of(str(low), end)) <= order.index(impact_of(str(high), end))
