"""Every rule: facts that make it fire, facts that do not, and its reason where people read it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rollway.choice import METHODS, choose
from rollway.choice.argument import Argument, Arguments
from rollway.choice.model import Method
from rollway.choice.rules import factors, pitfalls, tips
from rollway.choice.rules.rule import Rule
from rollway.facts.model import Release
from support.releases import release_with

Facts = dict[str, Any]  # by dotted path; a key without a dot is a section as it is written in a file

PARTY = {"name": "Card network", "ready": False}
GATE = {"name": "errors", "kind": "rate", "signal": {"type": "scrape"}}
SHARED = {"id": "A-1", "title": "New form"}
BUDGET = {"name": "up", "objective": "99%"}
IMPACT, SITES, ALIKE = "risks.failure_impact", "stakeholders.sites", "stakeholders.groups_alike"
COUPLING, COMPLEXITY = "architecture.integration_coupling", "architecture.complexity"
TESTED, TOOK, SPARE = (
    "done.tests.rollback_tested",
    "done.tests.rollback_duration",
    "architecture.spare_capacity",
)
WAY_BACK, LOAD, CHANGE = "goals.fast_rollback_needed", "stakeholders.training_load", "release.change"
TRAFFIC, NEEDED = "architecture.requests_per_second", "migration.needed"


def _met(*met: bool) -> Facts:
    return {
        "done": {"criteria": [{"text": f"criterion {number}", "met": one} for number, one in enumerate(met)]}
    }


def _groups(**rest: Any) -> Facts:
    return {"stakeholders": {"groups": [{"name": name, **rest} for name in ("York", "Hull", "Leeds")]}}


# rule -> facts with which it fires, and one or several sets of facts with which it does not
TABLE: dict[str, tuple[Facts, list[Facts]]] = {
    # tips
    "SMALL_STEP": (
        {CHANGE: "new_increment"},
        [{CHANGE: "new_increment", "release.size": "large"}, {CHANGE: "fix"}],
    ),
    "HIGH_STAKES": ({"risks.regulated": True, WAY_BACK: True}, [{"risks.regulated": True}, {WAY_BACK: True}]),
    "SIMPLE": (
        {COMPLEXITY: "low"},
        [{COMPLEXITY: "low", COUPLING: "high"}, {COMPLEXITY: "low", IMPACT: "high"}],
    ),
    "ONE_PIECE": (
        {COUPLING: "high", "migration.rehearsed": True, TESTED: True},
        [
            {COUPLING: "high", "migration.rehearsed": True},
            {
                COUPLING: "high",
                "migration.rehearsed": True,
                TESTED: True,
                "stakeholders.support_capacity": "low",
            },
        ],
    ),
    "ENTANGLED": (
        {COMPLEXITY: "high"},
        [{COMPLEXITY: "medium"}, {COUPLING: "high", "migration.rehearsed": True, "backlog.modular": False}],
    ),
    "DIVISIBLE": (
        {COMPLEXITY: "high", "backlog.modular": False, SITES: 3},
        [{COMPLEXITY: "high", "backlog.modular": False}, {COMPLEXITY: "low"}],
    ),
    "MATURE": (
        {"architecture.automation": "high", "architecture.feature_flags": True},
        [
            {"architecture.automation": "high"},
            {
                "architecture.automation": "high",
                "architecture.feature_flags": True,
                "architecture.telemetry": "low",
            },
        ],
    ),
    "CRITERIA": ({"kpis": [GATE]}, [{"kpis": [{**GATE, "say": "watch"}]}]),
    "PREPARE": ({LOAD: "medium"}, [{LOAD: "low"}, {"stakeholders.training_needed": False}]),
    # pitfalls
    "UNTESTED_ROLLBACK": (
        {TESTED: False},
        [{TESTED: True}, {"done.tests.recovery_tested": False, NEEDED: False}],
    ),
    "INCOMPATIBLE": ({"migration.backward_compatible": False}, [{"migration.backward_compatible": True}]),
    "UNPREPARED": (_groups(informed=False), [_groups(informed=True), {"stakeholders.support_briefed": True}]),
    "THIN_OPERATIONS": (
        {"stakeholders.support_capacity": "low"},
        [{NEEDED: True, "migration.duration": "4h", "agreements.window_duration": "6h"}],
    ),
    "BLIND": ({"architecture.per_version_telemetry": False}, [{"architecture.telemetry": "medium"}]),
    "OTHERS_NOT_READY": (
        {"architecture": {"third_parties": [PARTY]}},
        [{"architecture": {"third_parties": [{**PARTY, "ready": True}]}}],
    ),
    # how bad, and whether there is a way back
    "GRAVE": ({IMPACT: "high"}, [{IMPACT: "medium"}]),
    "CRITICAL": ({IMPACT: "critical"}, [{IMPACT: "high"}]),
    "GRAVE_AND_FINAL": (
        {IMPACT: "high", "migration.reversible": False},
        [{IMPACT: "high"}, {IMPACT: "medium", "risks.reversible": False}],
    ),
    "HARMLESS": ({IMPACT: "low"}, [{IMPACT: "medium"}]),
    "MONEY": ({"risks.financial_impact": "high"}, [{"risks.financial_impact": "medium"}]),
    "REGULATED": ({"risks.regulated": True}, [{"risks.regulated": False}]),
    "UNREGULATED": ({"risks.regulated": False}, [{"risks.regulated": True}]),
    "NO_LOSS": ({"risks.data_loss_tolerated": False}, [{"risks.data_loss_tolerated": True}]),
    "WAY_BACK": ({WAY_BACK: True}, [{WAY_BACK: False}]),
    "NO_NEED_OF_WAY_BACK": ({WAY_BACK: False}, [{WAY_BACK: True}]),
    "QUICK_BACK": (
        {TOOK: "15m"},
        [{TOOK: "16m"}, {TOOK: "5m", TESTED: False}, {TOOK: "5m", "risks.reversible": False}],
    ),
    "NO_WAY_BACK": ({TOOK: "4h"}, [{TOOK: "3h"}, {"risks.reversible": True}]),
    "NO_WAY_BACK_IN_PLACE": (
        {"risks.reversible": False},
        [{"risks.reversible": False, SPARE: True}, {TOOK: "3h"}],
    ),
    "BACK_TESTED": ({TESTED: True}, [{TESTED: False}]),
    # what can be known before
    "COMPARE": ({"goals.compare_results_needed": True}, [{"goals.compare_results_needed": False}]),
    "NOTHING_TO_COMPARE": ({"goals.compare_results_needed": False}, [{"goals.compare_results_needed": True}]),
    "HARD_TO_TEST": ({"done.tests.testability": "low"}, [{"done.tests.testability": "medium"}]),
    "EASY_TO_TEST": ({"done.tests.testability": "high"}, [{"done.tests.testability": "medium"}]),
    "UNCERTAIN": ({"goals.outcome_uncertain": True}, [{"goals.outcome_uncertain": False}]),
    "CERTAIN": ({"goals.outcome_uncertain": False}, [{"goals.outcome_uncertain": True}]),
    "FEEDBACK": ({"goals.user_feedback_needed": True}, [{"goals.user_feedback_needed": False}]),
    "NOTHING_TO_ASK": ({"goals.user_feedback_needed": False}, [{"goals.user_feedback_needed": True}]),
    "UNFINISHED": (_met(True, False), [_met(True, True)]),
    "FINISHED": (_met(True, True), [_met(True, False)]),
    # old and new beside each other
    "DUAL_RUN": ({"migration.dual_run_feasible": True}, [{"migration.dual_run_feasible": False}]),
    "NOTHING_TWICE": (
        {"migration.side_effects_suppressed": True},
        [{"migration.side_effects_suppressed": False}],
    ),
    "UNTOUCHED": ({"goals.user_impact_allowed": False}, [{"goals.user_impact_allowed": True}]),
    "TOUCHABLE": ({"goals.user_impact_allowed": True}, [{"goals.user_impact_allowed": False}]),
    "OLD_STAYS": ({"migration.old_kept_running": True}, [{"migration.old_kept_running": False}]),
    "OLD_GOES": ({"migration.old_kept_running": False}, [{"migration.old_kept_running": True}]),
    "COMPATIBLE": ({"migration.backward_compatible": True}, [{"migration.backward_compatible": False}]),
    "SCHEMA_APART": ({"migration.schema_separable": True}, [{"migration.schema_separable": False}]),
    "SCHEMA_TIED": ({"migration.schema_separable": False}, [{"migration.schema_separable": True}]),
    "ALL_TOGETHER": (
        {"architecture.all_switch_together": True},
        [{"architecture.all_switch_together": False}],
    ),
    "REPLACEMENT": ({CHANGE: "replacement"}, [{CHANGE: "fix"}]),
    "DRAINS": ({"architecture.work_drains_naturally": True}, [{"architecture.work_drains_naturally": False}]),
    "COMPLEX_MIGRATION": ({"migration.complexity": "complex"}, [{"migration.complexity": "simple"}]),
    "SIMPLE_MIGRATION": ({"migration.complexity": "simple"}, [{"migration.complexity": "complex"}]),
    "NO_MIGRATION": ({NEEDED: False}, [{NEEDED: True}]),
    "REHEARSED": ({"migration.rehearsed": True}, [{"migration.rehearsed": False}]),
    "UNREHEARSED": ({"migration.rehearsed": False}, [{"migration.rehearsed": True}]),
    # into which parts it falls
    "MODULAR": ({"backlog.modular": True}, [{"backlog.modular": False}]),
    "MONOLITHIC": ({"backlog.modular": False}, [{"backlog.modular": True}]),
    "ALIKE_SITES": ({SITES: 3, ALIKE: True}, [{SITES: 2, ALIKE: True}, {SITES: 3}, {SITES: 3, ALIKE: False}]),
    "UNLIKE_SITES": ({ALIKE: False}, [{ALIKE: True}, {ALIKE: False, SITES: 1}]),
    "SEVERAL_PLACES": (_groups(), [{SITES: 2}, {SITES: 3, ALIKE: True}]),
    "ONE_SITE": ({SITES: 1}, [{SITES: 2}, {**_groups(), SITES: 1}]),
    "SMALL": ({"release.size": "small"}, [{"release.size": "medium"}]),
    "LARGE": ({"release.size": "large"}, [{"release.size": "medium"}]),
    "LOOSE": ({COUPLING: "low"}, [{COUPLING: "medium"}]),
    "INSTALL": ({"architecture.hardware_install": True}, [{"architecture.hardware_install": False}]),
    # what the machinery can do
    "MANUAL": ({"architecture.automation": "low"}, [{"architecture.automation": "medium"}]),
    "AUTOMATED": ({"architecture.automation": "high"}, [{"architecture.automation": "medium"}]),
    "WELL_WATCHED": ({"architecture.telemetry": "high"}, [{"architecture.telemetry": "medium"}]),
    "MEASURED_APART": (
        {"architecture.per_version_telemetry": True},
        [{"architecture.per_version_telemetry": False}],
    ),
    "BUSY_TRAFFIC": ({TRAFFIC: 10.0}, [{TRAFFIC: 9.9}]),
    "QUIET_TRAFFIC": ({TRAFFIC: 0.9}, [{TRAFFIC: 1.0}]),
    "SPLIT": ({"architecture.traffic_split": True}, [{"architecture.traffic_split": False}]),
    "SPARE_CAPACITY": ({SPARE: True}, [{SPARE: False}]),
    "SWITCH_BACK": ({SPARE: True, WAY_BACK: True}, [{SPARE: True}, {SPARE: False, WAY_BACK: True}]),
    "VENDOR_FIXED": (
        {"architecture.vendor_procedure_fixed": True},
        [{"architecture.vendor_procedure_fixed": False}],
    ),
    # time and money
    "NO_DOWNTIME": ({"agreements.downtime_tolerated": "none"}, [{"agreements.downtime_tolerated": "short"}]),
    "SHORT_STOP": ({"agreements.downtime_tolerated": "short"}, [{"agreements.downtime_tolerated": "long"}]),
    "LONG_STOP": ({"agreements.downtime_tolerated": "long"}, [{"agreements.downtime_tolerated": "short"}]),
    "HURRY": ({"goals.urgency": "high"}, [{"goals.urgency": "medium"}]),
    "FIXED_DATE": ({"goals.deadline_fixed": True}, [{"goals.deadline_fixed": False}]),
    "PATIENCE": ({"goals.urgency": "low"}, [{"goals.urgency": "medium"}]),
    "COST": ({"goals.cost_matters": True}, [{"goals.cost_matters": False}]),
    "PEAK": ({"agreements.peak_season": True}, [{"agreements.peak_season": False}]),
    "BUDGET_THIN": (
        {"agreements": {"service_levels": [{**BUDGET, "error_budget_left": 0.2}]}},
        [{"agreements": {"service_levels": [{**BUDGET, "error_budget_left": 0.25}]}}],
    ),
    # the people
    "FEW": ({"stakeholders.users": 200}, [{"stakeholders.users": 201}]),
    "MANY": ({"stakeholders.users": 10_000}, [{"stakeholders.users": 9_999}]),
    "OUTSIDERS": ({"stakeholders.users_external": True}, [{"stakeholders.users_external": False}]),
    "MUCH_TRAINING": ({LOAD: "high"}, [{LOAD: "medium"}]),
    "LITTLE_TRAINING": ({"stakeholders.training_needed": False}, [{LOAD: "medium"}]),
    "STRONG_SUPPORT": (
        {"stakeholders.support_capacity": "high"},
        [{"stakeholders.support_capacity": "medium"}],
    ),
    "WORK_CHANGES": (
        {"backlog": {"items": [{**SHARED, "touches": ["workflow"]}]}},
        [{"backlog": {"items": [{**SHARED, "touches": ["ui"]}]}}],
    ),
}
MODULES = (tips, pitfalls, factors)
RULES = {name: one for module in MODULES for name, one in vars(module).items() if isinstance(one, Rule)}
MACHINE = {"architecture.feature_flags": True}


def _release(facts: Facts) -> Release:
    sections = {key: value for key, value in facts.items() if "." not in key}
    return release_with({key: value for key, value in facts.items() if "." in key}, **sections)


def _rows() -> Iterator[tuple[Method, Argument]]:
    for method in METHODS:
        assert isinstance(method.argue, Arguments)
        yield from ((method, row) for row in method.argue.rows)


def _arguments(rule: Rule) -> list[tuple[Method, Argument]]:
    """Where a rule speaks, with a condition of its own about machinery or without."""
    return [(method, row) for method, row in _rows() if _is_about(row.rule, rule)]


def _is_about(rule: Rule, plain: Rule) -> bool:
    return rule is plain or rule.title.startswith(f"{plain.title}, and small shares")


def _told(release: Release, method: Method, row: Argument) -> bool:
    """Whether the argument stands among the reasons of the method that people are shown."""
    sign = (row.rule.id, row.criterion, row.points)
    start = f"{row.effect[0].upper()}{row.effect[1:]} ["
    reasons = choose(release).of(method.name).reasons
    return any(
        (one.rule, one.criterion, one.points) == sign and one.text.startswith(start) for one in reasons
    )


def test_no_rule_is_without_a_row_and_no_row_without_a_rule() -> None:
    """A rule that somebody adds has to be shown here."""
    assert set(TABLE) == set(RULES)


def test_every_rule_speaks_somewhere_and_every_argument_is_shown() -> None:
    """No rule is dead, and no method has a rule that the table does not know."""
    assert [name for name, rule in RULES.items() if not _arguments(rule)] == []
    for _, row in _rows():
        assert any(_is_about(row.rule, rule) for rule in RULES.values()), row.rule.title


@pytest.mark.parametrize("name", TABLE)
def test_a_rule_that_fires_is_read_where_its_method_is(name: str) -> None:
    """Each argument that rests on it stands among the method's reasons, with its points."""
    release = _release(TABLE[name][0] | MACHINE)
    for method, row in _arguments(RULES[name]):
        assert _told(release, method, row), f"{method.name}: {row.effect}"


@pytest.mark.parametrize("name", TABLE)
def test_a_rule_that_does_not_fire_is_not_read(name: str) -> None:
    """Neither facts that say otherwise nor facts that say nothing bring its reasons up."""
    for facts in (*TABLE[name][1], {}):
        release = _release(facts)
        assert RULES[name].state(release) == ""
        assert not any(_told(release, method, row) for method, row in _arguments(RULES[name]))


@pytest.mark.parametrize(
    "row", [row for _, row in _rows() if "small shares" in row.rule.title], ids=lambda row: row.effect
)
def test_what_small_shares_could_do_counts_only_where_they_can_be_dealt_out_or_watched(row: Argument) -> None:
    """Of a firm without a flag, a split or a figure, a canary's advantages are hearsay."""
    name = next(name for name, rule in RULES.items() if _is_about(row.rule, rule))
    facts = TABLE[name][0]
    assert row.rule.state(_release(facts)) == ""
    for machine in (MACHINE, {"architecture.telemetry": "high"}, {TRAFFIC: 10.0}):
        assert row.rule.state(_release(facts | machine)) == RULES[name].state(_release(facts)) != ""


@pytest.mark.parametrize("name", TABLE)
def test_the_first_reasons_of_an_answer_cite_the_facts_of_the_rule(name: str) -> None:
    """Whoever doubts a reason finds the fact behind it, with its source or its place."""
    release = _release(TABLE[name][0] | MACHINE)
    stated = RULES[name].state(release)
    assert any(stated in one.text for ranked in choose(release).ranking for one in ranked.reasons)
