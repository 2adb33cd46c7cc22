"""Keep a Changelog."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rollway.facts.importers import Imported

Read = Callable[..., Imported]


def test_the_newest_version_with_changes_is_read(sample: Read) -> None:
    """An empty Unreleased is passed over; what users are not told is left out, and so is the past."""
    read = sample("CHANGELOG.md")
    assert read.told == "version 2.4.0: 4 changes"
    assert [(row["id"], row["note_for_users"]) for row in read.rows["backlog.items"]] == [
        ("REP-311", "Reports open as a chart. The table is one click away."),
        ("#482", "api: orders can be read page by page"),
        ("REP-317", "Save a filter once instead of exporting and filtering in a spreadsheet."),
        ("queries-no-longer-hold-what-users-typed", "Queries no longer hold what users typed."),
    ]
    assert read.rows["backlog.items"][1]["touches"] == ["api"]
    assert [one.told() for one in read.skipped] == [
        "1 skipped: under 'Internal', which users are not told (line 28)"
    ]
    assert read.notes == ("3 other versions left out: Unreleased, 2.3.1, 2.3.0",)


@pytest.mark.parametrize(
    ("version", "told"), [("2.3.1", "1 change"), ("v2.3.0", "1 change"), ("unreleased", "0 changes")]
)
def test_a_version_may_be_asked_for(sample: Read, version: str, told: str) -> None:
    """With or without its v, yanked or not."""
    assert sample("CHANGELOG.md", version=version).told.endswith(told)


def test_it_only_fills_in(sample: Read) -> None:
    """A line for users is no better title than the tracker's."""
    assert sample("CHANGELOG.md").fills_in


def test_what_is_not_there_is_refused(refused: Callable[..., str]) -> None:
    """An unknown version with those that are known; a text without versions."""
    text = "# Changelog\n\n## [2.0.0] - 2026-01-01\n\n- x\n"
    assert "there is no version 3; its versions are 2.0.0" in refused(text, version="3")
    assert "this changelog has no version" in refused("# Changelog\n\nnothing yet\n", "changelog")


def test_a_change_without_a_section_is_told(imported: Read) -> None:
    """It is not known whether users notice it."""
    read = imported("## 1.0.0\n\n- x\n\n### Fixed\n\n- Totals (#4)\n- Totals again (#4)\n")
    assert [row["id"] for row in read.rows["backlog.items"]] == ["#4"]
    assert [one.told() for one in read.skipped] == [
        "1 skipped: under no section such as Added or Fixed (line 3)",
        "1 skipped: another line about the same issue (line 8)",
    ]
