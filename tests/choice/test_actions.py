"""What lifts a hard rule: the cheapest set of actions, and that it does lift it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.choice import choose, rank
from rollway.choice.actions import ADD_FLAG, SPLIT_TRAFFIC, TEST_ROLLBACK, cheapest, price
from rollway.choice.model import Action
from rollway.facts.model import MethodName
from support.releases import release_with

# Per method, facts that block it by several rules at once.
BLOCKED: dict[MethodName, dict[str, Any]] = {
    "pilot": {"migration.backward_compatible": False, "architecture.all_switch_together": True},
    "phased": {
        "migration.backward_compatible": False,
        "goals.fast_rollback_needed": True,
        "done.tests.rollback_tested": False,
    },
    "canary": {
        "architecture.per_version_telemetry": False,
        "architecture.feature_flags": False,
        "architecture.traffic_split": False,
    },
    "blue_green": {
        "architecture.spare_capacity": False,
        "architecture.sessions_drain": False,
        "migration.needed": True,
        "migration.schema_separable": False,
        "architecture.vendor_procedure_fixed": True,
    },
    "parallel": {
        "migration.dual_run_feasible": False,
        "migration.side_effects_suppressed": False,
        "migration.reconciliation_rules": False,
        "migration.parallel_exit_rule": "none",
    },
    "big_bang": {
        "done.tests.rollback_tested": False,
        "migration.needed": True,
        "done.tests.recovery_tested": False,
        "goals.outcome_uncertain": True,
        "goals.compare_results_needed": True,
    },
}


@pytest.mark.parametrize("method", BLOCKED)
def test_carrying_out_the_set_unlocks_the_method(method: MethodName) -> None:
    """With the facts that its actions make true, no rule of the method is violated any more."""
    before = choose(release_with(BLOCKED[method])).of(method)
    assert before.state == "blocked"
    done = {path: value for action in before.unlock for path, value in action.sets}
    after = choose(release_with({**BLOCKED[method], **done})).of(method)
    assert after.state != "blocked"
    assert after.unlock == ()


@pytest.mark.parametrize("method", BLOCKED)
def test_no_action_of_the_set_is_superfluous(method: MethodName) -> None:
    """Leaving out any one of them leaves the method blocked."""
    unlock = choose(release_with(BLOCKED[method])).of(method).unlock
    for left_out in unlock:
        done = {path: value for one in unlock if one is not left_out for path, value in one.sets}
        assert choose(release_with({**BLOCKED[method], **done})).of(method).state == "blocked"


def test_of_two_ways_the_cheaper_is_named() -> None:
    """To split traffic costs less than to build a flag, and either would do."""
    assert SPLIT_TRAFFIC.days < ADD_FLAG.days
    unlock = choose(release_with(BLOCKED["canary"])).of("canary").unlock
    assert SPLIT_TRAFFIC in unlock
    assert ADD_FLAG not in unlock


def test_an_action_that_serves_several_rules_is_paid_once() -> None:
    """A dear action for two demands beats two cheaper ones that together cost more."""
    both, first, second = Action("both", "", 3), Action("first", "", 2), Action("second", "", 2)
    assert cheapest([[first, both], [second, both]]) == (both,)
    assert cheapest([[first], [second]]) == (first, second)
    assert cheapest([]) == ()


def _actions(prices: list[int]) -> list[Action]:
    return [Action(f"a{number}", "", days) for number, days in enumerate(prices)]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=4, max_size=4), st.data())
def test_no_other_choice_of_actions_is_cheaper(prices: list[int], data: st.DataObject) -> None:
    """Whatever is picked for each demand costs at least as much."""
    pool = _actions(prices)
    demands = data.draw(st.lists(st.lists(st.sampled_from(pool), min_size=1, max_size=3), max_size=4))
    picked = {data.draw(st.sampled_from(demand)) for demand in demands}
    assert price(cheapest(demands)) <= sum(action.days for action in picked)


def test_of_blocked_methods_the_one_that_is_unlocked_with_least_work_is_nearest() -> None:
    """One evening of testing is nearer than weeks of rebuilding, whatever the scores say."""
    facts = {
        "migration.backward_compatible": False,
        "migration.dual_run_feasible": False,
        "done.tests.rollback_tested": False,
    }
    choice = choose(release_with(facts))
    assert (choice.verdict, choice.leaning) == ("not_ready", "big_bang")
    assert choice.of("big_bang").unlock == (TEST_ROLLBACK,)
    assert "about 2 days of work" in choice.reasons[0]


def test_a_method_that_is_not_blocked_needs_no_unlocking() -> None:
    """Open questions are asked, and cost no work."""
    assert all(one.unlock == () for one in rank(release_with()))
