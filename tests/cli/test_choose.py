"""`rollway choose` as people and scripts use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.command import rollway

RELEASE = """\
release: {name: till, version: "2.0"}
goals:
  outcome_uncertain: true
  fast_rollback_needed: true
architecture:
  automation: high
  feature_flags: true
  per_version_telemetry: true
done:
  tests: {rollback_tested: true}
migration: {backward_compatible: true}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "release.yaml").write_text(RELEASE)
    (tmp_path / "empty.yaml").write_text('release: {name: till, version: "2.0"}\n')
    return tmp_path


def test_the_answer_names_the_method_how_sure_it_is_and_the_next_step(folder: Path) -> None:
    """A person reads the method first, the proof after it, what to do last, and has the chart as a file."""
    shown = rollway("choose", "release.yaml", "--chart", "chart.svg", cwd=folder)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("Recommended: Canary")
    for heading in ("Ranking", "How sure", "What each may bring", "Dissent", "Find out next"):
        assert f"\n{heading}" in shown.stdout
    assert "feature flags: yes (release.yaml:7:" in shown.stdout
    assert (folder / "chart.svg").read_text().startswith("<svg")
    assert shown.stdout.rstrip().endswith("next: `rollway plan release.yaml`")


def test_a_release_of_which_nothing_is_known_gets_no_recommendation(folder: Path) -> None:
    """It says so, claims no certainty, asks, and tells scripts by its exit code."""
    shown = rollway("choose", "empty.yaml", cwd=folder)
    assert shown.returncode == 12
    assert shown.stdout.startswith("Not known yet: too little is stated to recommend a method")
    assert "Recommended" not in shown.stdout
    assert "comes first whatever the criteria weigh" not in shown.stdout
    assert "Find out next" in shown.stdout
    assert "next: answer what is asked above" in shown.stdout


def test_json_holds_the_whole_answer(folder: Path) -> None:
    """A script finds the method, the ranking, the robustness and the outcomes, all as plain JSON."""
    change = "goals.cost_matters=true"
    shown = rollway("choose", "release.yaml", "--json", "--what-if", change, cwd=folder)
    answer = json.loads(shown.stdout, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert (answer["recommended"], answer["verdict"]) == ("canary", "recommended")
    assert answer["ranking"][0]["method"] == answer["robustness"]["first"] == "canary"
    assert answer["what_if"]["changes"] == [change]
    assert answer["what_if"]["recommended_before"] == "canary"
    assert len(answer["ranking"]) == len(answer["outcomes"]["rows"]) == 6


def test_what_if_compares_the_answer_with_the_one_before(folder: Path) -> None:
    """One other fact, nothing written: what gives way to what, and why."""
    change = "migration.backward_compatible=false"
    shown = rollway("choose", "release.yaml", "--what-if", change, cwd=folder)
    first = shown.stdout.split("\n\n")[0]
    assert first.startswith(f"What if {change}\n  Canary gives way to ")
    assert "Canary: blocked instead of " in first
    assert (folder / "release.yaml").read_text() == RELEASE


def test_why_tells_everything_about_one_method(folder: Path) -> None:
    """Its rules with their evidence and what lifts them, and its reasons with their points."""
    shown = rollway("choose", "release.yaml", "--why", "big-bang", cwd=folder)
    assert shown.stdout.startswith("Big-bang: 0.")
    assert "V19  " in shown.stdout
    assert "outcome uncertain: yes (release.yaml:3:" in shown.stdout
    assert "Everyone changes before anyone knows whether it helps" in shown.stdout
    refused = rollway("choose", "release.yaml", "--why", "canarry", cwd=folder)
    assert refused.returncode != 0
    assert "canary" in refused.stderr


def test_cases_in_factors_are_answered_from_a_file(folder: Path) -> None:
    """Many situations at once, each with its id; one that says nothing is told as unsettled."""
    cases = "cases:\n- {id: a, factors: {modular: true}}\n- {id: b, factors: {}}\n"
    (folder / "cases.yaml").write_text(cases)
    shown = rollway("choose", "--factors", "cases.yaml", cwd=folder)
    assert shown.returncode == 0, shown.stderr
    answers = json.loads(shown.stdout)["cases"]
    assert [(one["id"], one["recommended"], one["verdict"]) for one in answers] == [
        ("a", "phased", "recommended"),
        ("b", None, "unsettled"),
    ]


def test_a_mistake_in_factors_is_told_with_its_place_and_a_suggestion(folder: Path) -> None:
    """Nothing is answered from factors that are not understood."""
    (folder / "case.yaml").write_text("modularr: true\nrisk: hihg\n")
    shown = rollway("choose", "--factors", "case.yaml", cwd=folder)
    assert shown.returncode == 2
    assert shown.stdout == ""
    assert "case.yaml:1:1: there is no factor 'modularr'; did you mean 'modular'?" in shown.stderr
    assert "did you mean 'high'?" in shown.stderr


def test_factors_stand_alone_and_a_release_is_needed_without_them(folder: Path) -> None:
    """Two sources of facts at once would leave open which one was answered."""
    both = rollway("choose", "release.yaml", "--factors", "case.yaml", cwd=folder)
    assert both.returncode != 0
    assert "--factors takes no other argument" in both.stderr
    usual = rollway("choose", cwd=folder)
    assert usual.stdout == rollway("choose", "release.yaml", cwd=folder).stdout
    (folder / "release.yaml").unlink()
    none = rollway("choose", cwd=folder)
    assert none.returncode == 2
    assert "release.yaml: there is no such file" in none.stderr


def test_files_are_laid_over_each_other_as_in_the_review(folder: Path) -> None:
    """What `rollway assess` names as the next command can be typed as it stands."""
    (folder / "later.yaml").write_text("goals: {outcome_uncertain: false}\n")
    assessed = rollway("assess", "release.yaml", "later.yaml", cwd=folder)
    assert "next: `rollway choose release.yaml later.yaml`" in assessed.stdout
    shown = rollway("choose", "release.yaml", "later.yaml", "--why", "canary", cwd=folder)
    assert shown.returncode == 0, shown.stderr
    assert "outcome uncertain: no (later.yaml:1:" in shown.stdout


def test_the_next_step_is_one_that_can_be_taken(folder: Path) -> None:
    """A method that a rule refuses is not sent on to the plan, which would refuse it too."""
    compared = RELEASE.replace("goals:\n", "goals:\n  compare_results_needed: true\n")
    wish = compared + 'rollout: {method: big_bang, because: "a weekend will do"}\n'
    (folder / "wish.yaml").write_text(wish)
    shown = rollway("choose", "wish.yaml", cwd=folder)
    assert "it stays refused, because V19" in shown.stdout
    assert shown.stdout.rstrip().splitlines()[-1].startswith("next: lift what refuses it")
    assert rollway("plan", "wish.yaml", cwd=folder).returncode != 0
    tried = rollway("choose", "release.yaml", "--what-if", "goals.cost_matters=true", cwd=folder)
    assert tried.stdout.rstrip().endswith("next: `rollway plan release.yaml`, once the file says so too")
