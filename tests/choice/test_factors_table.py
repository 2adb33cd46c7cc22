"""Factors and the facts that they stand for; cases as files."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollway.choice.cases import choose_cases, read_cases, release_of
from rollway.choice.factors_table import FACTORS, TABLE, facts_of
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
    assert "risk is low, medium, high, critical, not 'hihg'" in told
    assert "did you mean 'high'?" in told
    assert "modular is true, false, not 3" in told
    assert [problem.line for problem in caught.value.problems] == [2, 2]


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


def test_an_answer_cites_the_factor_and_its_place() -> None:
    """Who doubts an answer finds the word that led to it."""
    (case,) = choose_cases("id: x\ncases:\n  - id: a\n    factors: {modular: true}\n", "f.yaml")["cases"]
    assert (case["id"], case["recommended"]) == ("a", "phased")
    assert "(modular: true, f.yaml:4:24)" in case["reasons"][0]


def test_the_documentation_lists_every_factor() -> None:
    """An unknown name without a near one is sent there."""
    told = (Path(__file__).parents[2] / "docs" / "choosing.md").read_text()
    assert [name for name in FACTORS if f"`{name}`" not in told] == []
