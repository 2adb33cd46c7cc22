"""Factors and the facts that they stand for; cases as files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from rollway.choice import choose
from rollway.choice.cases import choose_cases, read_cases, release_of
from rollway.choice.factors_table import BOOL, FACTORS, TABLE, facts_of
from rollway.facts.places import parse_value
from rollway.facts.problems import ReleaseFileError, SourceText
from rollway.readiness import fact_at


def _plain(word: str) -> object:
    return parse_value(SourceText("a word", word)).plain()


@pytest.mark.parametrize("name", FACTORS)
def test_every_word_of_a_factor_makes_a_release(name: str) -> None:
    """What the table takes it understands: no word leads to a fact that a release file does not hold."""
    factor = FACTORS[name]
    values = [_plain(word) for word in factor.words] + ([0, 7] if factor.takes_number else [])
    assert factor.words or name == "domain"
    for value in values:
        assert factor.takes(value)
        release_of({name: value})


def test_no_factor_stands_in_the_table_twice() -> None:
    """A second line of one name would silently win."""
    assert len(FACTORS) == len(TABLE)


def test_an_unknown_name_is_refused_with_a_suggestion_and_its_place() -> None:
    """A factor that is misspelt must not pass as one that is not stated."""
    with pytest.raises(ReleaseFileError) as caught:
        read_cases("modularr: true\n", "case.yaml")
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (1, 1)
    assert "there is no factor 'modularr'" in str(caught.value)
    assert "did you mean 'modular'?" in str(caught.value)


def test_an_unknown_value_is_refused_with_the_words_that_there_are() -> None:
    """Whoever mistypes a word reads which words the factor takes."""
    with pytest.raises(ReleaseFileError) as caught:
        read_cases("cases:\n  - factors: {risk: hihg, modular: 3}\n", "case.yaml")
    told = str(caught.value)
    assert "risk is low, medium, high or critical, not 'hihg'" in told
    assert "did you mean 'high'?" in told
    assert "modular is true or false, not 3" in told
    assert [problem.line for problem in caught.value.problems] == [2, 2]


@pytest.mark.parametrize("name", [name for name, factor in FACTORS.items() if factor.words == BOOL])
@pytest.mark.parametrize(
    ("word", "value"), [('"true"', True), ("yes", True), ('"False"', False), ("no", False)]
)
def test_yes_and_no_are_understood_in_any_dress(name: str, word: str, value: bool) -> None:
    """A table that was turned into JSON has its truths in quotes; they mean what they say."""
    (told,), (plain,) = (
        choose_cases(f"{{{name}: {text}}}", "f")["cases"] for text in (word, str(value).lower())
    )
    assert told["ranking"] == plain["ranking"]


def test_an_id_stays_as_it_is_written_and_is_never_made_up() -> None:
    """Whoever joins the answers to other data finds the ids again; without one a case has its number."""
    rows = ["{id: 007, factors: {}}", "{id: true, factors: {}}", "{id: null, factors: {}}", "{factors: {}}"]
    assert [case.id for case in read_cases(f"cases: [{', '.join(rows)}]", "f")] == [
        "007",
        "true",
        "case 3",
        "case 4",
    ]
    with pytest.raises(ReleaseFileError, match="the id of case 1 is no word"):
        read_cases("cases: [{id: [a], factors: {}}]", "f")


def test_a_factor_beside_the_cases_is_not_dropped_in_silence() -> None:
    """It was meant for a case, and nobody can say for which."""
    with pytest.raises(ReleaseFileError, match="risk stands beside cases: and belongs to no case"):
        read_cases("cases: [{id: a, factors: {}}]\nrisk: high\n", "f")


def test_a_free_word_is_asked_for_as_one() -> None:
    """The message says what belongs there, and is no torn sentence."""
    with pytest.raises(ReleaseFileError, match="domain is any word, not 7"):
        read_cases("domain: 7", "f")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "a mapping of factors"),
        ("cases: 3", "cases: holds a list"),
        ("cases: [{id: a}]", "case 1 has no mapping of factors"),
    ],
)
def test_what_is_no_case_is_told(text: str, message: str) -> None:
    """A file of another shape is a mistake and no empty case."""
    with pytest.raises(ReleaseFileError, match=message):
        read_cases(text, "case.yaml")


def test_null_and_unknown_say_nothing() -> None:
    """A factor that is left open leaves its fact unknown, as if it were absent."""
    (case,) = read_cases("{modular: unknown, regulated: null, risk: high}", "case.json")
    assert fact_at(case.release, "backlog.modular").state == "unknown"
    assert fact_at(case.release, "risks.regulated").state == "unknown"
    assert fact_at(case.release, "risks.failure_impact").value == "high"


def test_a_stated_fact_goes_before_an_implied_one_in_any_order() -> None:
    """A low appetite for risk implies a grave failure, unless the risk itself is stated as low."""
    for stated in ({"risk": "low", "risk_appetite": "low"}, {"risk_appetite": "low", "risk": "low"}):
        told = {path: (value, factor) for path, value, factor in facts_of(stated)}
        assert told["risks.failure_impact"] == ("low", "risk")
    assert {path: value for path, value, _ in facts_of({"risk_appetite": "low"})} == {
        "goals.weights": {"risk": 2.0},
        "risks.failure_impact": "high",
    }


@pytest.mark.parametrize("name", ["coexistence_available", "sync_between_systems", "integration_two_way"])
def test_systems_that_live_beside_each_other_read_each_others_data(name: str) -> None:
    """A bridge does what compatibility does; and the old one is there as long as it stands."""
    release = release_of({name: True})
    assert fact_at(release, "migration.backward_compatible").value is True
    assert fact_at(release, "migration.old_kept_running").value is True
    assert fact_at(
        release_of({name: True, "backward_compatible": False}), "migration.backward_compatible"
    ).is_false


@pytest.mark.parametrize("stated", [{"schema_coupling": "high"}, {"shared_datastore_possible": False}])
def test_a_schema_that_is_tied_to_the_code_refuses_two_environments(stated: dict[str, Any]) -> None:
    """Whoever speaks of it has a schema that changes, so the switch between two environments is blocked."""
    release = release_of({**stated, "dual_capacity": True, "fast_rollback_needed": True})
    assert choose(release).of("blue_green").state == "blocked"


@pytest.mark.parametrize("name", [name for name in FACTORS if name != "domain"])
def test_no_factor_leads_to_a_torn_sentence(name: str) -> None:
    """Every reason reads to its end: no comma before a bracket, no empty bracket, no doubled stop."""
    for word in FACTORS[name].words:
        ranking = choose(release_of({name: _plain(word)})).ranking
        for text in (reason.text for ranked in ranking for reason in ranked.reasons):
            assert not re.search(r", \]|\[\]|\[, |\.\.|  ", text), text


def test_an_answer_cites_the_factor_and_its_place() -> None:
    """Who doubts an answer finds the word that led to it."""
    (case,) = choose_cases("id: x\ncases:\n  - id: a\n    factors: {modular: true}\n", "f.yaml")["cases"]
    assert (case["id"], case["recommended"]) == ("a", "phased")
    assert "(modular: true, f.yaml:4:24)" in case["reasons"][0]


def test_the_documentation_lists_every_factor() -> None:
    """An unknown name without a near one is sent there."""
    told = (Path(__file__).parents[2] / "docs" / "choosing.md").read_text()
    assert [name for name in FACTORS if f"`{name}`" not in told] == []
