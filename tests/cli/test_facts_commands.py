"""check, facts show and assess on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rollway.cli.main import cli
from rollway.errors import InputError

EXAMPLE = Path(__file__).parents[2] / "examples" / "reporting" / "release.yaml"
ORG = "architecture: {feature_flags: true}\nagreements: {operators: [jon]}\n"
RELEASE = """\
release: {name: x, version: 1}
architecture: {automation: {assume: high, because: as in 2.3}}
done: {tests: {failed: 2, rollback_tested: false}}
stakeholders: {support_contact: desk}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a shared file and a release file, in which the commands are called."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "org.yaml").write_text(ORG)
    (tmp_path / "release.yaml").write_text(RELEASE)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def test_check_takes_several_files(folder: Path) -> None:
    """Each fact is told with the file it stands in; without a name release.yaml is meant."""
    told = run("check", "org.yaml", "release.yaml").output
    assert "yes (org.yaml:1:31)" in told
    assert "org.yaml release.yaml are sound: 4 facts stated (1 of them assumed)" in told
    assert "release.yaml is sound: 3 facts stated" in run("check").output


def test_a_shared_file_by_itself_is_told_what_it_lacks(folder: Path) -> None:
    """It is part of a release, and no release."""
    error = run("check", "org.yaml").exception
    assert isinstance(error, InputError)
    assert "release: is missing; write release: {name: …, version: …}" in error.message


def test_facts_show_lists_all_in_columns(folder: Path) -> None:
    """Path, value, state, and who says so where; the sum at the end."""
    lines = run("facts", "show").output.splitlines()
    (automation,) = [line.split("  ") for line in lines if line.startswith("architecture.automation ")]
    assert [part.strip() for part in automation if part.strip()] == [
        "architecture.automation",
        "high",
        "assumed",
        "as in 2.3, release.yaml:2:37",
    ]
    assert lines[-1].endswith(" unknown")


def test_facts_show_can_be_narrowed(folder: Path) -> None:
    """To a state, and to what lies under a path; a path that is not there is told."""
    unknown = run("facts", "show", "--only", "unknown", "--under", "done.tests").output
    assert "done.tests.passed" in unknown
    assert "done.tests.failed" not in unknown
    assert "goals." not in unknown
    error = run("facts", "show", "--under", "goal").exception
    assert isinstance(error, InputError)
    assert error.hint == "did you mean 'goals'?"


def test_facts_show_as_json(folder: Path) -> None:
    """Everything, for programs, with what `--set` changes."""
    body = json.loads(
        run("facts", "show", "org.yaml", "release.yaml", "--set", "goals.urgency=high", "--json").output
    )
    facts = {one["path"]: one for one in body["facts"]}
    assert facts["goals.urgency"] == {
        "path": "goals.urgency",
        "value": "high",
        "state": "known",
        "source": "--set",
        "note": "",
    }
    assert facts["architecture.feature_flags"]["source"] == "org.yaml:1:31"
    assert body["counts"]["assumed"] == sum(one["state"] == "assumed" for one in body["facts"])


def test_assess_keeps_method_and_date_apart(folder: Path) -> None:
    """Each gap under what it stands against, with its owner and what to do; exit code 11."""
    done = run("assess", "org.yaml", "release.yaml")
    assert done.exit_code == 11
    against_method = done.output.index("Against a method")
    against_date = done.output.index("Against the date (right method, wrong week)")
    worth_doing = done.output.index("Worth doing, and stands against nothing")
    assert against_method < done.output.index("tests.rollback ", against_method) < against_date
    assert against_date < done.output.index("tests.failed ", against_date) < worth_doing
    assert "operations (jon): Name a second operator" in done.output[worth_doing:]
    assert "Not ready." in done.output


def test_assess_draws_each_area_with_its_gaps_and_unknowns(folder: Path) -> None:
    """A bar of 20 characters, the score of what is known, and the counts behind it."""
    lines = run("assess").output.splitlines()
    (tests,) = [line for line in lines if line.startswith("tests ")]
    assert tests.split(maxsplit=2)[2] == "0% of what is known is ok   2 gap, 4 unknown"
    assert tests[23:43] == "▒" * 7 + "·" * 13
    at = lines.index(tests)
    assert lines[at + 1 : at + 4] == [
        "  gap     Did every test pass?",
        "          failed tests: 2 (release.yaml:3:24)",
        "          to do, Scrum Team: Mend the failing tests, or show why they do not matter here.",
    ]


def test_assess_asks_for_what_is_unknown(folder: Path) -> None:
    """Whom, what, and where the answer belongs; the most pressing one at the end."""
    told = run("assess").output
    assert "ask, support lead (desk): How much can support carry? (stakeholders.support_capacity)" in told
    assert "Find out next: Can the old and the new version read each other's data" in told


def test_assess_as_json(folder: Path) -> None:
    """Areas with counts, gaps by what they stand against, and the question for each unknown."""
    body = json.loads(run("assess", "--json").output)
    assert len(body["areas"]) == 11
    assert body["blocked"]["method"] == ["tests.rollback"]
    assert body["blocked"]["date"] == ["tests.failed"]
    assert all(bool(check["next_question"]) is (check["state"] == "unknown") for check in body["checks"])


def test_the_example_is_not_blocked() -> None:
    """Its review finds no gap; the bars are full where everything is fine."""
    done = run("assess", str(EXAMPLE))
    assert done.exit_code == 0
    assert "█" * 20 in done.output
    assert " 0 gaps," in done.output


def test_a_gap_that_stands_against_nothing_blocks_nothing(folder: Path) -> None:
    """Worth doing is not the same as not ready."""
    (folder / "small.yaml").write_text("release: {name: x, version: 1}\nagreements: {operators: [jon]}\n")
    done = run("assess", "small.yaml")
    assert done.exit_code == 0
    assert " 1 gap, " in done.output
    assert "No gap is known that blocks it" in done.output
