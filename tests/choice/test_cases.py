"""The cases of the method, and what every practitioner would expect besides."""

from __future__ import annotations

import pytest

from rollway.choice import Choice, choose
from rollway.facts.model import MethodName, Release
from support.releases import release_with

REPORTING = {
    "release.change": "new_increment",
    "risks.failure_impact": "medium",
    "architecture.feature_flags": True,
    "architecture.per_version_telemetry": True,
    "architecture.automation": "high",
    "architecture.requests_per_second": 40,
    "architecture.all_switch_together": False,
    "done.tests.rollback_tested": True,
    "done.tests.rollback_duration": "30s",
    "migration.needed": False,
    "migration.backward_compatible": True,
}
BANK = {
    "risks.failure_impact": "critical",
    "risks.regulated": True,
    "goals.compare_results_needed": True,
    "goals.fast_rollback_needed": True,
}


def _reporting() -> Release:
    items = [{"id": "RPT-1", "title": "New reports", "touches": ["performance", "workflow"]}]
    kpis = [{"name": "errors", "kind": "rate", "expected": 0.01, "signal": {"type": "scrape"}}]
    return release_with(REPORTING, backlog={"items": items}, kpis=kpis)


def _about(choice: Choice, title: str) -> str:
    return next(reason for reason in choice.reasons if reason.startswith(title))


def test_the_reporting_module_goes_out_as_a_canary_by_feature_flag() -> None:
    """It changes performance and work, can be watched per version and switched off at once: canary."""
    choice = choose(_reporting())
    assert (choice.recommended, choice.sequence) == ("canary", ("canary",))
    assert choice.of("canary").state == "allowed"
    assert choice.reasons[0].startswith("Canary, because ")
    assert "feature flags: yes (facts.yaml:architecture.feature_flags)" in choice.reasons[0]


def test_the_reporting_module_avoids_a_big_bang_and_says_why() -> None:
    """Because it changes how fast it is and how people work, and the story is named."""
    told = _about(choose(_reporting()), "Big-bang")
    assert "workflow or performance" in told
    assert "RPT-1" in told


def test_the_regulated_bank_runs_in_parallel() -> None:
    """Critical, regulated, results to be compared, quick way back: parallel run."""
    choice = choose(release_with(BANK))
    assert choice.recommended == "parallel"
    assert "regulated: yes" in choice.reasons[0]
    assert "comparison of old and new results needed: yes" in choice.reasons[0]


def test_a_weekend_big_bang_at_the_bank_is_refused() -> None:
    """Untested, and where results must be compared, a rule forbids it; else its reasons put it last."""
    untested = choose(release_with({**BANK, "done.tests.rollback_tested": False}))
    assert untested.of("big_bang").state == "blocked"
    assert "[rollback tested: no" in _about(untested, "Big-bang refused")
    unsaid = choose(release_with(BANK))
    assert unsaid.of("big_bang").state == "blocked"
    assert "comparison of old and new results needed: yes" in _about(unsaid, "Big-bang refused")
    uncompared = choose(release_with({**BANK, "goals.compare_results_needed": False}))
    assert uncompared.ranking[-1].method == "big_bang"
    assert uncompared.of("big_bang").state != "blocked"
    assert "from the first minute" in _about(uncompared, "Big-bang lost")


def test_a_pilot_of_one_day_and_then_everyone_is_refused() -> None:
    """A person may ask for it; the rule about the business cycle stays visible, and parallel is advised."""
    wish = {"method": "pilot", "because": "one branch first", "bake": "1d"}
    choice = choose(release_with(BANK, rollout=wish))
    assert (choice.chosen, choice.recommended) == ("pilot", "parallel")
    assert "V11 does not hold" in choice.reasons[0]
    assert "[length of the pilot: 1d (rollout.bake)]" in choice.reasons[0]


def test_a_phased_rollout_without_a_tested_way_back_is_refused() -> None:
    """A quick rollback is needed and none is tested: refused for that, and the test is what lifts it."""
    wish = {"method": "phased", "because": "module by module"}
    facts = {**BANK, "backlog.modular": True, "done.tests.rollback_tested": False}
    choice = choose(release_with(facts, rollout=wish))
    assert choice.recommended == "parallel"
    assert "V18 does not hold" in choice.reasons[0]
    assert "test the rollback from end to end" in choice.reasons[0]


@pytest.mark.parametrize(
    ("facts", "expected", "sequence"),
    [
        pytest.param(
            {
                "release.size": "small",
                "architecture.complexity": "low",
                "architecture.integration_coupling": "low",
                "risks.failure_impact": "low",
                "stakeholders.sites": 1,
                "stakeholders.users": 30,
                "goals.urgency": "high",
            },
            "big_bang",
            ("big_bang",),
            id="a small simple office tool at one site, soon",
        ),
        pytest.param(
            {"stakeholders.sites": 840, "stakeholders.groups_alike": True, "risks.failure_impact": "high"},
            "pilot",
            ("pilot", "phased"),
            id="840 alike shops",
        ),
        pytest.param(
            {"backlog.modular": True, "stakeholders.sites": 7, "stakeholders.groups_alike": False},
            "phased",
            ("phased",),
            id="unlike groups and modules",
        ),
        pytest.param(
            {
                "architecture.spare_capacity": True,
                "migration.schema_separable": True,
                "architecture.per_version_telemetry": False,
                "architecture.automation": "high",
            },
            "blue_green",
            ("blue_green",),
            id="room for two environments and no telemetry per version",
        ),
        pytest.param(
            {"architecture.all_switch_together": True, "risks.failure_impact": "medium"},
            "big_bang",
            ("big_bang",),
            id="all parties must switch at once",
        ),
        pytest.param(
            {**BANK, "stakeholders.sites": 40, "architecture.all_switch_together": False},
            "parallel",
            ("pilot", "parallel"),
            id="the bank with forty branches starts in one of them",
        ),
    ],
)
def test_what_practitioners_would_choose(
    facts: dict[str, object], expected: MethodName, sequence: tuple[MethodName, ...]
) -> None:
    """Plain situations give the plain answer, and the sequence that goes with it."""
    choice = choose(release_with(facts))
    assert (choice.recommended, choice.sequence) == (expected, sequence)


def test_a_method_that_cannot_follow_is_left_out_of_the_sequence() -> None:
    """Alike shops whose versions cannot live together: neither pilot nor waves are offered."""
    facts = {
        "stakeholders.sites": 840,
        "stakeholders.groups_alike": True,
        "migration.backward_compatible": False,
    }
    choice = choose(release_with(facts))
    assert {"pilot", "phased"}.isdisjoint(choice.sequence)
