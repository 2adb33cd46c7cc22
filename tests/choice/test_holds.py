"""V12 to V17: right method, wrong week."""

from __future__ import annotations

from typing import Any

import pytest

from rollway.choice import choose
from rollway.choice.holds import HOLDS
from rollway.facts.model import Release
from support.releases import release_with

DAY, FREEZE = "2027-03-06", {"first": "2027-03-01", "last": "2027-03-10", "reason": "closing of the books"}
LATER = {"first": "2027-06-01", "last": "2027-06-10"}

# Per rule: facts and sections that satisfy it, and each of those that violates it.
RULES: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "V12": (
        {"migration.needed": True, "migration.duration": "4h", "agreements.window_duration": "6h"},
        [{"migration.duration": "5h"}],
    ),
    "V13": ({"agreements": {"approvers": ["ines"]}}, []),
    "V14": (
        {"architecture": {"third_parties": [{"name": "Cards", "ready": True}]}},
        [
            {"architecture": {"third_parties": [{"name": "Cards", "ready": False}]}},
            {
                "goals.deadline": DAY,
                "architecture": {
                    "third_parties": [{"name": "Cards", "ready": True, "valid_until": "2027-01-01"}]
                },
            },
        ],
    ),
    "V15": (
        {"goals.deadline": DAY, "agreements.peak_season": False, "agreements": {"freezes": [LATER]}},
        [{"agreements.peak_season": True}, {"agreements": {"freezes": [FREEZE]}}],
    ),
    "V16": (
        {"stakeholders.training_needed": False, "stakeholders.support_briefed": True},
        [
            {"stakeholders.support_briefed": False},
            {
                "stakeholders.training_needed": True,
                "stakeholders": {"groups": [{"name": "York", "training_done": 0.2}]},
            },
        ],
    ),
    "V17": (
        {
            "release.change": "new_increment",  # of a fix, a spent budget stops nothing
            "agreements": {"service_levels": [{"name": "up", "objective": "99%", "error_budget_left": 0.4}]},
        },
        [{"agreements": {"service_levels": [{"name": "up", "objective": "99%", "error_budget_left": 0.0}]}}],
    ),
}


def _release(content: dict[str, Any]) -> Release:
    sections = {key: value for key, value in content.items() if "." not in key}
    return release_with({key: value for key, value in content.items() if "." in key}, **sections)


def _state(id_: str, content: dict[str, Any]) -> str:
    return next(hold for hold in HOLDS if hold.id == id_).check(_release(content)).state


def test_the_table_below_covers_every_rule() -> None:
    """No rule that may stop a date goes untested."""
    assert {hold.id for hold in HOLDS} == set(RULES)


@pytest.mark.parametrize("id_", RULES)
def test_a_hold_is_lifted_by_evidence_and_open_without(id_: str) -> None:
    """What is shown no longer holds a date back; what nobody has said is open."""
    assert _state(id_, RULES[id_][0]) == "satisfied"
    assert _state(id_, {}) == "unknown"


@pytest.mark.parametrize(("id_", "bad"), [(id_, bad) for id_, (_, every) in RULES.items() for bad in every])
def test_a_hold_stops_the_date_and_no_method(id_: str, bad: dict[str, Any]) -> None:
    """The rule is violated and says what lifts it, and every method stands as it stood without it."""
    content = {**RULES[id_][0], **bad}
    hold = next(hold for hold in choose(_release(content)).holds if hold.id == id_)
    assert hold.state == "violated"
    assert hold.unlock
    vetoes = {veto.id for one in choose(_release(content)).ranking for veto in one.vetoes}
    assert id_ not in vetoes


def test_what_can_be_taken_back_needs_no_decider() -> None:
    """There is no point of no return, so nobody has to stand at it."""
    assert _state("V13", {"risks.reversible": True}) == "satisfied"
    assert _state("V13", {"risks.reversible": False}) == "unknown"


def test_a_fix_may_go_out_on_a_spent_budget() -> None:
    """Whoever mends what spent the budget is not stopped by it."""
    spent = {"agreements": {"service_levels": [{"name": "up", "objective": "99%", "error_budget_left": 0.0}]}}
    assert _state("V17", {**spent, "release.change": "new_increment"}) == "violated"
    assert _state("V17", {**spent, "release.change": "fix"}) == "satisfied"
