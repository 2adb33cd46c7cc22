"""What is asked next, and why."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from rollway.facts.model import Release
from rollway.readiness import is_asked_elsewhere, open_questions, question_of
from rollway.readiness.reasons import REASONS
from rollway.readiness.wording import LIST_QUESTIONS, WORDINGS
from support.releases import release_with, releases


def paths(release: Release, *first: str) -> list[str]:
    return [question.path for question in open_questions(release, first)]


def test_every_fact_can_be_asked_for_and_says_why() -> None:
    """The reason is no repetition of the question."""
    assert set(WORDINGS) <= set(REASONS)
    assert set(REASONS) - set(WORDINGS) <= set(LIST_QUESTIONS)
    for path in REASONS:
        question = question_of(path)
        assert question.text.endswith("?")
        assert question.why.lower() != question.text.lower()


def test_what_blocks_a_method_is_asked_first() -> None:
    """Then what weighs most; the checks that wait for it are named."""
    first = open_questions(release_with())[0]
    assert first.path in ("done.tests.rollback_tested", "migration.backward_compatible")
    assert set(first.checks) & {"tests.rollback", "data_migration.compatible"}
    weights = [question.weight for question in open_questions(release_with())]
    assert weights == sorted(weights, reverse=True)


def test_a_callers_own_order_comes_before() -> None:
    """Such as the facts that weigh most for the choice."""
    assert paths(release_with(), "goals.cost_matters", "release.size")[:2] == [
        "goals.cost_matters",
        "release.size",
    ]


def test_what_is_stated_is_not_asked() -> None:
    """An assumption is somebody's answer for now."""
    release = release_with(
        {"risks.regulated": False, "risks.failure_impact": {"assume": "high", "because": "as in 2.3"}},
        agreements={"approvers": ["Ines"]},
    )
    assert not {"risks.regulated", "risks.failure_impact", "agreements.approvers"} & set(paths(release))


@pytest.mark.parametrize(
    ("facts", "pointless"),
    [
        ({"migration.needed": False}, {"migration.duration", "migration.rehearsed", "migration.reversible"}),
        (
            {"migration.dual_run_feasible": False},
            {"migration.parallel_exit_rule", "migration.reconciliation_rules"},
        ),
        ({"risks.regulated": False}, {"risks.compliance_signed_off"}),
        ({"stakeholders.training_needed": False}, {"stakeholders.training_load"}),
        ({"stakeholders.sites": 1}, {"stakeholders.groups_alike"}),
        ({"done.tests.rollback_tested": False}, {"done.tests.rollback_duration"}),
        ({}, {"goals.deadline_fixed"}),
    ],
)
def test_what_does_not_matter_is_not_asked(facts: dict[str, Any], pointless: set[str]) -> None:
    """Nobody is asked how long a migration takes that there is not."""
    release = release_with(facts)
    assert not pointless & set(paths(release))
    others = release_with(
        {**{path: True for path in facts if path != "stakeholders.sites"}, "goals.deadline": "2027-01-01"}
    )
    assert pointless <= set(paths(others))


@pytest.mark.parametrize(
    ("later", "before"),
    [
        ("migration.duration", "migration.needed"),
        ("migration.parallel_exit_rule", "migration.dual_run_feasible"),
        ("risks.compliance_signed_off", "risks.regulated"),
    ],
)
def test_what_could_become_pointless_waits(later: str, before: str) -> None:
    """However urgent a caller finds it: first whether there is one, then how long it takes."""
    asked = paths(release_with(), later)
    assert asked.index(before) < asked.index(later)


def test_who_may_know_is_remembered() -> None:
    """An unknown with a name beside it can wait until the others are asked."""
    noted = Release.model_validate(
        {
            "release": {"name": "x", "version": "1"},
            "migration": {"needed": {"state": "unknown", "note": "ask Jo"}},
        }
    )
    assert is_asked_elsewhere(noted, "migration.needed")
    assert not is_asked_elsewhere(noted, "migration.duration")
    assert not is_asked_elsewhere(noted, "goals.objective")


@settings(max_examples=50, deadline=None)
@given(releases())
def test_every_open_check_has_a_question(release: Release) -> None:
    """Unless only a list in the file can answer it; and no question is asked twice."""
    asked = paths(release)
    assert len(asked) == len(set(asked))
    assert all(path in REASONS or path in WORDINGS for path in asked)
