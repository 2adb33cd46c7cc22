"""Exports of Jira, GitHub and GitLab: stories, bugs and risks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from rollway.facts.importers import Imported
from rollway.facts.importers.issues import issue_in, without_reference

Read = Callable[..., Imported]


def stories(read: Imported) -> list[tuple[str, bool | None]]:
    return [(row["id"], row.get("accepted")) for row in read.rows.get("backlog.items", ())]


def severe(read: Imported) -> Any:
    return next((fact.value for fact in read.facts), None)


@pytest.mark.parametrize(
    ("name", "accepted", "open_severe", "told"),
    [
        (
            "jira.csv",
            [("REP-311", True), ("REP-317", False), ("REP-322", True)],
            1,
            "3 stories, 2 of them done; 1 risk; 2 bugs, 1 severe and open",
        ),
        ("jira.json", [("REP-311", True)], 1, "1 story, 1 of them done; 1 bug, 1 severe and open"),
        (
            "github_cli.json",
            [("#12", True), ("#15", False)],
            1,
            "2 stories, 1 of them done; 1 risk; 2 bugs, 1 severe and open",
        ),
        ("github_api.json", [("#12", True)], 1, "1 story, 1 of them done; 1 bug, 1 severe and open"),
        ("gitlab.json", [("#12", True)], 2, "1 story, 1 of them done; 2 bugs, 2 severe and open"),
        ("gitlab.csv", [("#12", True)], 1, "1 story, 1 of them done; 1 bug, 1 severe and open"),
    ],
)
def test_each_export_is_read(
    sample: Read, name: str, accepted: list[tuple[str, bool]], open_severe: int, told: str
) -> None:
    """What is done counts as accepted, bugs are counted by severity, and risks go to the register."""
    read = sample(name)
    assert stories(read) == accepted
    assert severe(read) == open_severe
    assert read.told == told


def test_jira_repeats_its_columns(sample: Read) -> None:
    """Labels and components of all of them are read, and a description may hold anything."""
    first = sample("jira.csv").rows["backlog.items"][0]
    assert first["touches"] == ["ui", "workflow"]
    assert first["note_for_users"] == "Reports open as a chart."


def test_what_is_no_part_of_the_increment_is_told(sample: Read) -> None:
    """Dropped issues, epics and pull requests, each with its key."""
    assert [one.told() for one in sample("jira.csv").skipped] == [
        "2 skipped: bugs are counted, not listed (REP-330, REP-331)",
        "1 skipped: dropped, so not in the increment (REP-318)",
        "1 skipped: epics are no stories (REP-300)",
    ]
    assert sample("github_api.json").skipped[0].told() == "1 skipped: pull requests are no stories (#31)"
    assert sample("jira.json").skipped[0].why.startswith("on other pages of the search")


def test_risks_keep_what_their_labels_say(sample: Read) -> None:
    """Impact and likelihood from scoped labels, else the impact from the priority."""
    assert sample("github_cli.json").rows["risks.items"] == (
        {
            "id": "#23",
            "title": "The warehouse may refuse more queries",
            "impact": "high",
            "probability": "low",
            "owner": "jon",
        },
    )
    assert sample("jira.csv").rows["risks.items"][0]["impact"] == "high"


def test_the_source_names_the_severe_bugs(sample: Read) -> None:
    """Who reads the fact can look them up."""
    assert sample("jira.csv").facts[0].told == "Jira: 2 bugs, 1 severe and open (REP-330)"


@pytest.mark.parametrize(
    ("label", "is_severe"),
    [
        ("severity::1", True),
        ("severity: critical", True),
        ("P0", True),
        ("priority/1", True),
        ("sev2", False),
        ("priority::3", False),
        ("P10", False),
        ("good first issue", False),
        ("performance 1", False),
    ],
)
def test_which_labels_are_severe(imported: Read, label: str, is_severe: bool) -> None:
    """The first two steps of every usual scale, and nothing that only looks like one."""
    entry = {"number": 1, "title": "x", "state": "open", "labels": [{"name": "bug"}, {"name": label}]}
    assert severe(imported(json.dumps([entry]))) == int(is_severe)


def test_no_bug_is_no_statement_about_bugs(imported: Read) -> None:
    """An export of stories does not say that no bug is open."""
    read = imported('[{"number": 1, "title": "Report page", "state": "open", "labels": []}]')
    assert read.facts == ()


def test_an_issue_that_stands_there_twice_counts_once(imported: Read) -> None:
    """The second is told."""
    entry = {"number": 1, "title": "Report page", "state": "open", "labels": []}
    read = imported(json.dumps([entry, entry]))
    assert stories(read) == [("#1", False)]
    assert read.skipped[0].why == "stands there twice, and the first one counts"


def test_rows_of_another_width_are_told(imported: Read) -> None:
    """A line that Jira did not write is not guessed at."""
    read = imported("Summary,Issue key,Status\nReport page,A-1,Done\nbroken,A-2\n")
    assert stories(read) == [("A-1", True)]
    assert read.skipped[0].told() == "1 skipped: not 3 cells like the header (line 3)"


def test_a_jira_export_without_its_columns_is_refused(refused: Callable[..., str]) -> None:
    """The column that is missing is named."""
    assert "the column 'Status' is missing; export all fields" in refused(
        "Summary,Issue key\na,A-1\n", "jira"
    )


@pytest.mark.parametrize(
    "text",
    [
        '[{"number": 1, "title": null, "labels": [null, 5, {"name": null}], "state": null, "type": 7}]',
        '[{"iid": 1, "title": null, "labels": 5, "state": [], "assignee": "x"}]',
        '{"issues": [{"key": 1, "fields": {"issuetype": 5, "status": [], "labels": {}}}, 7]}',
    ],
)
def test_values_of_another_shape_do_no_harm(imported: Read, text: str) -> None:
    """A tracker's JSON is not trusted to have the shape of its documentation."""
    assert len(stories(imported(text))) == 1


@pytest.mark.parametrize(
    ("text", "issue"),
    [
        ("fix totals (#482)", "#482"),
        ("feat: chart (#482)\nRefs: REP-311", "REP-311"),
        ("read as UTF-8, see CVE-2026-1234", ""),
        ("see https://example.org/x/#12 and page#3", ""),
        ("[REP_X-9] totals", "REP_X-9"),
    ],
)
def test_the_issue_that_a_text_refers_to(text: str, issue: str) -> None:
    """A tracker's key comes before a bare number; encodings and vulnerabilities are no issues."""
    assert issue_in(text) == issue


def test_a_reference_at_the_end_is_no_part_of_a_title() -> None:
    """Unless the title is nothing else."""
    assert without_reference("Totals on 29 February (#482)") == "Totals on 29 February"
    assert without_reference("Totals REP-330") == "Totals"
    assert without_reference("REP-330") == "REP-330"
