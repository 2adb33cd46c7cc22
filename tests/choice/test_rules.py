"""The method's tips and pitfalls, each firing and not firing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from rollway.choice import METHODS, Reason, rank
from rollway.choice.argument import Arguments, clause, sentence
from rollway.facts.model import MethodName, Release
from support.releases import release_with


@dataclass(frozen=True)
class Shown:
    """A rule, facts that make it fire, facts that do not, and the side it takes for some methods."""

    rule: str
    fires: dict[str, Any]
    silent: dict[str, Any]
    speaks: dict[MethodName, int]
    cites: str = ""
    sections: dict[str, Any] = field(default_factory=dict)
    silent_sections: dict[str, Any] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("pointless", "needless"),
    [
        ({"migration.rehearsed": False}, "migration.needed"),
        ({"migration.complexity": "complex"}, "migration.needed"),
        ({"stakeholders.training_load": "high"}, "stakeholders.training_needed"),
    ],
)
def test_how_it_would_be_done_does_not_weigh_where_nothing_is_to_be_done(
    pointless: dict[str, Any], needless: str
) -> None:
    """No data moves, so nobody holds against a method that the move is not rehearsed."""
    bare, told = (rank(release_with({needless: False, **more})) for more in ({}, pointless))
    assert [(one.method, one.score) for one in told] == [(one.method, one.score) for one in bare]
    assert rank(release_with(pointless)) != rank(release_with())


NOT_READY = {"third_parties": [{"name": "Card network", "ready": False}]}
READY = {"third_parties": [{"name": "Card network", "ready": True}]}
GATE = {"name": "errors", "kind": "rate", "signal": {"type": "scrape"}}

SHOWN = {
    "T1 small steps": Shown(
        "T1",
        {"release.size": "small"},
        {"release.size": "large"},
        {"pilot": 1, "canary": 1, "phased": 1},
        "size: small (facts.yaml:release.size)",
    ),
    "T2 high stakes": Shown(
        "T2",
        {"risks.regulated": True, "goals.fast_rollback_needed": True},
        {"risks.regulated": True, "goals.fast_rollback_needed": False},
        {"parallel": 1, "pilot": 1, "big_bang": -1},
        "regulated: yes (facts.yaml:risks.regulated)",
    ),
    "T3 simple": Shown(
        "T3",
        {"architecture.complexity": "low", "architecture.integration_coupling": "low"},
        {"architecture.complexity": "low", "architecture.integration_coupling": "medium"},
        {"big_bang": 1},
        "complexity: low",
    ),
    "T3 unstable": Shown(
        "T3",
        {"architecture.complexity": "low", "done.tests.open_severe_issues": 2},
        {"architecture.complexity": "medium", "done.tests.open_severe_issues": 0},
        {"big_bang": -1},
        "open severe issues: 2",
    ),
    "T3 entangled": Shown(
        "T3",
        {"architecture.integration_coupling": "high"},
        {"architecture.integration_coupling": "medium"},
        {"big_bang": -1, "phased": 1},
        "integration coupling: high",
    ),
    "T4 mature": Shown(
        "T4",
        {"architecture.automation": "high", "architecture.feature_flags": True},
        {"architecture.automation": "high", "architecture.telemetry": "low"},
        {"canary": 1, "blue_green": 1},
        "automation: high",
    ),
    "T5 criteria fixed": Shown(
        "T5",
        {},
        {},
        {"canary": 1, "pilot": 1},
        "errors",
        sections={"kpis": [GATE]},
        silent_sections={"kpis": [{**GATE, "say": "watch"}]},
    ),
    "T6 prepare people": Shown(
        "T6",
        {"stakeholders.training_needed": True},
        {"stakeholders.training_needed": False},
        {"phased": 1, "pilot": 1, "big_bang": -1, "canary": -1},
        "training needed: yes",
    ),
    "P1 rollback": Shown(
        "P1",
        {"done.tests.rollback_tested": False},
        {"done.tests.rollback_tested": True},
        {"big_bang": -1},
        "rollback tested: no",
    ),
    "P1 recovery": Shown(
        "P1",
        {"done.tests.recovery_tested": False, "migration.needed": True},
        {"done.tests.recovery_tested": False, "migration.needed": False},
        {"big_bang": -1},
        "data recovery tested: no",
    ),
    "P2 compatibility": Shown(
        "P2",
        {"migration.backward_compatible": False},
        {"migration.backward_compatible": True},
        {"phased": -1, "pilot": -1},
        "backward compatible: no",
    ),
    "P3 people": Shown(
        "P3",
        {"stakeholders.support_briefed": False},
        {"stakeholders.support_briefed": True},
        {"big_bang": -1, "blue_green": -1},
        "support briefed: no",
    ),
    "P3 training": Shown(
        "P3",
        {"stakeholders.training_needed": True},
        {"stakeholders.training_needed": False},
        {"big_bang": -1},
        "York (10%)",
        sections={"stakeholders": {"groups": [{"name": "York", "training_done": 0.1}]}},
        silent_sections={"stakeholders": {"groups": [{"name": "York", "training_done": 0.1}]}},
    ),
    "P4 support": Shown(
        "P4",
        {"stakeholders.support_capacity": "low"},
        {"stakeholders.support_capacity": "medium"},
        {"big_bang": -1, "phased": 1, "parallel": -1},
        "support capacity: low",
    ),
    "P4 window": Shown(
        "P4",
        {"migration.needed": True, "migration.duration": "5h", "agreements.window_duration": "7h"},
        {"migration.needed": True, "migration.duration": "4h", "agreements.window_duration": "7h"},
        {"big_bang": -1},
        "migration takes: 5h",
    ),
    "P5 telemetry": Shown(
        "P5",
        {"architecture.telemetry": "low"},
        {"architecture.telemetry": "medium"},
        {"canary": -1, "big_bang": -1},
        "telemetry: low",
    ),
    "P6 third parties": Shown(
        "P6",
        {},
        {},
        {"big_bang": -1, "phased": 1},
        "Card network",
        sections={"architecture": NOT_READY},
        silent_sections={"architecture": READY},
    ),
}


def _points(release: Release, shown: Shown) -> dict[MethodName, float]:
    return {
        one.method: sum(reason.points for reason in one.reasons if reason.rule == shown.rule)
        for one in rank(release)
        if one.method in shown.speaks
    }


def _reasons(release: Release, rule: str) -> list[Reason]:
    return [reason for one in rank(release) for reason in one.reasons if reason.rule == rule]


@pytest.mark.parametrize("name", SHOWN)
def test_a_rule_that_fires_takes_its_side_and_cites_the_fact(name: str) -> None:
    """Each tip and pitfall speaks for and against the methods it is about, with the fact and its source."""
    shown = SHOWN[name]
    release = release_with(shown.fires, **shown.sections)
    points = _points(release, shown)
    assert {method: (figure > 0) - (figure < 0) for method, figure in points.items()} == shown.speaks
    assert all(shown.cites in reason.text for reason in _reasons(release, shown.rule))


@pytest.mark.parametrize("name", SHOWN)
def test_a_rule_is_silent_when_its_facts_say_otherwise_or_nothing(name: str) -> None:
    """Neither the opposite nor an unknown makes a rule fire."""
    shown = SHOWN[name]
    assert _reasons(release_with(shown.silent, **shown.silent_sections), shown.rule) == []
    assert _reasons(release_with(), shown.rule) == []


def test_all_six_tips_and_all_six_pitfalls_are_shown() -> None:
    """The tables above leave out no rule of the method."""
    expected = {f"{kind}{number}" for kind in "TP" for number in range(1, 7)}
    assert {shown.rule for shown in SHOWN.values()} == expected


def test_points_are_at_most_two_and_no_argument_is_without_effect() -> None:
    """The scale of an argument is -2 to +2, and every method has arguments on both sides."""
    for method in METHODS:
        assert isinstance(method.argue, Arguments)
        points = [row.points for row in method.argue.rows]
        assert all(0 < abs(figure) <= 2 for figure in points)
        assert min(points) < 0 < max(points)


def test_a_clause_and_its_sentence_turn_into_each_other() -> None:
    """An effect reads on after "because" and stands alone as a sentence."""
    assert sentence("going back is one switch") == "Going back is one switch."
    assert clause("Going back is one switch.") == "going back is one switch"


@pytest.mark.parametrize(
    ("facts", "method", "rule", "sign"),
    [
        ({"stakeholders.sites": 840, "stakeholders.groups_alike": True}, "pilot", "F9", 1),
        ({"stakeholders.sites": 12, "stakeholders.groups_alike": False}, "phased", "F9", 1),
        ({"stakeholders.sites": 1}, "pilot", "F9", -1),
        ({"architecture.all_switch_together": True}, "big_bang", "F10", 1),
        ({"architecture.requests_per_second": 0.2}, "canary", "F14", -1),
        ({"architecture.requests_per_second": 10}, "canary", "F14", 1),
        ({"agreements.downtime_tolerated": "none"}, "blue_green", "F17", 1),
        ({"done.tests.rollback_duration": "15m"}, "canary", "F30", 1),
        ({"stakeholders.users": 200}, "big_bang", "F31", 1),
        ({"stakeholders.users": 10_000}, "big_bang", "F31", -1),
        ({"risks.failure_impact": "high", "risks.reversible": False}, "parallel", "F1", 1),
    ],
)
def test_further_factors_take_their_side(
    facts: dict[str, Any], method: MethodName, rule: str, sign: int
) -> None:
    """A few of the factors that guides weigh, at their thresholds."""
    ranked = next(one for one in rank(release_with(facts)) if one.method == method)
    points = sum(reason.points for reason in ranked.reasons if reason.rule == rule)
    assert points * sign > 0
