"""The hard rules about methods."""

from __future__ import annotations

from typing import Any

import pytest

from rollway.choice import METHODS, VetoResult
from rollway.facts.model import Release
from support.releases import release_with

GATE = {"name": "errors", "kind": "rate", "expected": 0.01, "signal": {"type": "scrape"}}
VETOES = {veto.id: veto for method in METHODS for veto in method.vetoes}


def _release(content: dict[str, Any]) -> Release:
    sections = {key: value for key, value in content.items() if "." not in key}
    return release_with({key: value for key, value in content.items() if "." in key}, **sections)


def _result(id_: str, content: dict[str, Any]) -> VetoResult:
    return VETOES[id_].check(_release(content))


# Per rule: facts that satisfy it, then each of the facts that violates it.
RULES: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "V1": (
        {
            "done.tests.rollback_tested": True,
            "done.tests.recovery_tested": True,
            "done.tests.rollback_duration": "45m",
            "agreements.window_duration": "1h",
        },
        [
            {"done.tests.rollback_tested": False},
            {"migration.needed": True, "done.tests.recovery_tested": False},
            {"done.tests.rollback_duration": "46m", "agreements.downtime_tolerated": "short"},
        ],
    ),
    "V2": ({"migration.backward_compatible": True}, [{"migration.backward_compatible": False}]),
    "V3": (
        {"architecture.per_version_telemetry": True, "kpis": [GATE]},
        [{"architecture.per_version_telemetry": False}, {"kpis": [{**GATE, "say": "watch"}]}],
    ),
    "V4": (
        {"architecture.feature_flags": True, "architecture.requests_per_second": 40, "kpis": [GATE]},
        [
            {"architecture.feature_flags": False, "architecture.traffic_split": False},
            {"architecture.requests_per_second": 0.01},
        ],
    ),
    "V5": (
        {
            "architecture.spare_capacity": True,
            "migration.schema_separable": True,
            "architecture.vendor_procedure_fixed": False,
        },
        [
            {"architecture.spare_capacity": False},
            {"migration.schema_separable": False, "migration.needed": True},
            {"architecture.vendor_procedure_fixed": True},
        ],
    ),
    "V6": ({"architecture.sessions_drain": True}, [{"architecture.sessions_drain": False}]),
    "V7": (
        {
            "migration.dual_run_feasible": True,
            "migration.side_effects_suppressed": True,
            "migration.reconciliation_rules": True,
        },
        [
            {"migration.dual_run_feasible": False},
            {"migration.side_effects_suppressed": False},
            {"migration.reconciliation_rules": False},
        ],
    ),
    "V8": (
        {"migration.parallel_exit_rule": "two month-ends without a difference"},
        [{"migration.parallel_exit_rule": "none"}, {"migration.parallel_exit_rule": " "}],
    ),
    "V9": (
        {"backlog.modular": True},
        [{"backlog.modular": False, "stakeholders.sites": 1, "stakeholders": {"groups": [{"name": "All"}]}}],
    ),
    "V10": (
        {"architecture.all_switch_together": False},
        [{"architecture.all_switch_together": True}],
    ),
    "V11": (
        {"stakeholders": {"groups": [{"name": "Leeds", "representative": True}, {"name": "York"}]}},
        [
            {
                "stakeholders": {
                    "groups": [
                        {"name": "Leeds", "representative": False},
                        {"name": "York", "representative": False},
                    ]
                }
            },
            {"rollout": {"method": "pilot", "because": "quick", "bake": "1d"}},
        ],
    ),
    "V18": (
        {"goals.fast_rollback_needed": True, "done.tests.rollback_tested": True},
        [{"done.tests.rollback_tested": False}],
    ),
    "V19": (
        {
            "architecture.all_switch_together": False,
            "goals.outcome_uncertain": False,
            "goals.compare_results_needed": False,
        },
        [{"goals.outcome_uncertain": True}, {"goals.compare_results_needed": True}],
    ),
}


def test_the_table_below_covers_every_rule() -> None:
    """No hard rule goes untested."""
    assert set(VETOES) == set(RULES)


@pytest.mark.parametrize("id_", RULES)
def test_a_rule_is_satisfied_by_its_evidence_and_unknown_without(id_: str) -> None:
    """Evidence satisfies it and leaves nothing to unlock; without facts it is open and asks for one."""
    satisfied, unknown = _result(id_, RULES[id_][0]), _result(id_, {})
    assert (satisfied.state, satisfied.unlock) == ("satisfied", "")
    assert unknown.state == "unknown"
    assert "?" in unknown.unlock


@pytest.mark.parametrize(
    ("id_", "bad"), [(id_, bad) for id_, (_, all_bad) in RULES.items() for bad in all_bad]
)
def test_each_missing_demand_violates_a_rule_and_names_what_lifts_it(id_: str, bad: dict[str, Any]) -> None:
    """One bad fact violates it although the rest is in order, and an action that lifts it is named."""
    result = _result(id_, {**RULES[id_][0], **bad})
    assert result.state == "violated"
    assert result.unlock
    assert "?" not in result.unlock


def test_evidence_quotes_the_fact_with_its_source() -> None:
    """Who reads a refusal can look the fact up."""
    result = _result("V2", {"migration.backward_compatible": False})
    assert result.evidence == "backward compatible: no (facts.yaml:migration.backward_compatible)"


def test_several_violations_are_all_named_with_what_lifts_each() -> None:
    """Lifting one of two would not be enough, so both are said."""
    result = _result("V7", {"migration.dual_run_feasible": False, "migration.reconciliation_rules": False})
    assert "dual run feasible: no" in result.evidence
    assert "reconciliation rules: no" in result.evidence
    assert result.unlock.count("; ") == 1


@pytest.mark.parametrize(
    ("id_", "facts"),
    [
        ("V1", {"migration.needed": False, "agreements.downtime_tolerated": "long"}),
        ("V5", {"migration.needed": False}),
        ("V9", {"backlog.modular": False, "stakeholders.sites": 2}),
        ("V18", {"goals.fast_rollback_needed": False}),
        (
            "V19",
            {
                "architecture.all_switch_together": True,
                "goals.outcome_uncertain": True,
                "goals.compare_results_needed": False,
            },
        ),
    ],
)
def test_what_does_not_apply_is_not_asked_for(id_: str, facts: dict[str, Any]) -> None:
    """Without migration no recovery test and no schema; with sites no modules; without the wish no test.

    Where all must switch at one instant nobody can try it first, so that the outcome may be uncertain.
    """
    rest = {
        "done.tests.rollback_tested": True,
        "architecture.spare_capacity": True,
        "architecture.vendor_procedure_fixed": False,
    }
    assert _result(id_, {**(rest if id_ != "V18" else {}), **facts}).state == "satisfied"


def test_alike_sites_stand_for_each_other() -> None:
    """Of 840 alike shops any one can be the pilot; of unlike ones somebody must name it."""
    alike = {"stakeholders.sites": 840, "stakeholders.groups_alike": True}
    assert _result("V11", alike).state == "satisfied"
    assert _result("V11", {**alike, "stakeholders.groups_alike": False}).state == "unknown"


def test_without_a_list_of_groups_it_is_open_whether_the_scope_divides() -> None:
    """One site may still hold several groups; only who lists a single one has said that there is one."""
    undivided = {"backlog.modular": False, "stakeholders.sites": 1}
    assert _result("V9", undivided).state == "unknown"
    assert _result("V9", {**undivided, "stakeholders": {"groups": [{"name": "All"}]}}).state == "violated"
    assert _result("V9", {**undivided, "stakeholders.sites": 2}).state == "satisfied"


def test_a_short_wish_for_another_method_does_not_cut_the_pilot() -> None:
    """Ten minutes of baking are right for a canary and say nothing about a pilot."""
    content = {**RULES["V11"][0], "rollout": {"method": "canary", "because": "traffic", "bake": "10m"}}
    assert _result("V11", content).state == "satisfied"


def test_an_assumption_does_not_satisfy_a_hard_rule() -> None:
    """A rule stays open on an assumption, and the assumption is shown."""
    result = _result("V6", {"architecture.sessions_drain": {"assume": True, "because": "they did in May"}})
    assert result.state == "unknown"
    assert "they did in May" in result.evidence
