"""SARIF: which findings are open, which are severe, and where they go."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from rollway.facts.importers import Imported

Read = Callable[..., Imported]


def sarif(*results: dict[str, Any], **rule: Any) -> str:
    """A run of a scanner with one rule and these results."""
    run = {"tool": {"driver": {"name": "Trivy", "rules": [{"id": "r", **rule}]}}, "results": results}
    return json.dumps({"version": "2.1.0", "runs": [run]})


def severe(read: Imported) -> Any:
    return read.facts[0].value


def test_codeql_keeps_its_rules_in_extensions(sample: Read) -> None:
    """Severity is found there; one row per rule; the suppressed finding is counted as such."""
    read = sample("codeql.sarif")
    assert read.told == "CodeQL: 3 open findings, 2 severe"
    (row,) = read.rows["risks.items"]
    assert row["id"] == "CodeQL:py/sql-injection"
    assert row["title"] == (
        "SQL query built from user-controlled sources "
        "(2 findings, reports/filters.py:88, reports/export.py:31)"
    )
    assert row["impact"] == "high"
    assert [one.told() for one in read.skipped] == ["1 skipped: suppressed (reports/login.py:12)"]
    assert "py/unused-import 1" in read.notes[0]


def test_semgrep_has_levels_and_no_words_of_its_own(sample: Read) -> None:
    """The rule's level counts where a result has none; what is gone since the baseline does not count."""
    read = sample("semgrep.sarif")
    assert read.told == "Semgrep OSS: 2 open findings, 1 severe"
    (row,) = read.rows["risks.items"]
    assert row["title"] == "Unescaped user input in a template. (1 finding, web/page.py:55)"
    assert [one.why for one in read.skipped] == ["gone since the baseline"]


@pytest.mark.parametrize(
    ("result", "rule", "count", "impact"),
    [
        ({"ruleId": "r"}, {"properties": {"security-severity": "6.9"}}, 0, ""),
        ({"ruleId": "r"}, {"properties": {"security-severity": "7.0"}}, 1, "high"),
        ({"ruleIndex": 0}, {"properties": {"security-severity": "9.0"}}, 1, "critical"),
        ({"ruleId": "r", "level": "error"}, {"properties": {"security-severity": "1"}}, 0, ""),
        ({"ruleId": "r", "level": "error"}, {"properties": {"security-severity": "high"}}, 1, "high"),
        ({"ruleId": "other", "level": "error"}, {}, 1, "high"),
        ({"ruleId": "r"}, {}, 0, ""),
    ],
)
def test_what_is_severe(
    imported: Read, result: dict[str, Any], rule: dict[str, Any], count: int, impact: str
) -> None:
    """CVSS from 7 is high, from 9 critical; without a figure the level decides; warning is the default."""
    read = imported(sarif(result, **rule))
    assert severe(read) == count
    assert [row["impact"] for row in read.rows["risks.items"]] == ([impact] if impact else [])


@pytest.mark.parametrize(
    ("result", "is_open"),
    [
        ({"kind": "pass"}, False),
        ({"kind": "notApplicable"}, False),
        ({"kind": "fail"}, True),
        ({"baselineState": "unchanged"}, True),
        ({"suppressions": [{"kind": "inSource"}]}, False),
        ({"suppressions": [{"kind": "external", "status": "rejected"}]}, True),
        ({"suppressions": []}, True),
    ],
)
def test_what_is_open(imported: Read, result: dict[str, Any], is_open: bool) -> None:
    """Passed checks and accepted suppressions are no findings; a rejected suppression suppresses nothing."""
    read = imported(sarif({"ruleId": "r", "level": "error", **result}))
    assert severe(read) == int(is_open)
    assert sum(one.count for one in read.skipped) == int(not is_open)


def test_a_scan_without_findings_says_so(imported: Read) -> None:
    """Zero severe findings is a fact; no run at all is none."""
    assert severe(imported(sarif())) == 0


def test_an_empty_file_is_refused(refused: Callable[..., str]) -> None:
    """A file without a run was written by a scan that did not happen."""
    assert "holds no run" in refused('{"version": "2.1.0", "runs": []}')
