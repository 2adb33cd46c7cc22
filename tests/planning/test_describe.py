"""Plans in words, and what changed between two of them."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from rollway.facts.model import Release
from rollway.planning import Plan, describe, diff
from rollway.planning.describe import share_bar

MakeRelease = Callable[..., Release]
MakePlan = Callable[..., Plan]


def test_the_tree_tells_the_stages_and_the_rules(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Somebody at a terminal sees shares, rules, margins, windows and promises."""
    windows = [{"days": ["sat"], "opens": "22:00", "closes": "06:00", "timezone": "Europe/Berlin"}]
    freezes = [{"first": "2026-12-20", "last": "2027-01-03", "reason": "books"}]
    plan = plan_of(
        release_of(rollout={"shares": [0.1]}, agreements={"windows": windows, "freezes": freezes}), "canary"
    )
    text = describe(plan)
    for told in (
        "goes on after 1 hour, when both versions report and nothing speaks against the new one",
        f"plan {plan.hash[:12]}: canary",
        "2. 10% of users  █░░░░░░░░░ 10%",
        "goes on after 20 minutes, when every gate is shown to be within its margin",
        "to be excluded: errors ×1.5 and latency ×1.5",
        "errors: gate, up to ×1.1 of the old version, never more than 20% bad",
        "window sat 22:00-06:00 Europe/Berlin",
        "freeze 2026-12-20 to 2027-01-03 UTC (books)",
        "10% of users, errors: ×2 after about",
        "tested: yes",
    ):
        assert told in text


def test_a_plan_does_not_differ_from_itself(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """No line, no change."""
    plan = plan_of(release_of(), "canary")
    assert diff(plan, Plan.from_text(plan.text())) == ()


def test_changes_are_told_where_they_are(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """A stage that came, a field that moved, a guard that went, each with its name."""
    old = plan_of(release_of(rollout={"shares": [0.1]}), "canary")
    new = plan_of(
        release_of(rollout={"shares": [0.1, 0.5], "bake": "1h"}, kpis=[release_of().kpis[0].model_dump()]),
        "canary",
    )
    lines = diff(old, new)
    assert "stage 50-percent is new" in lines
    assert "stage 10-percent: bake seconds: 1200 -> 3600" in lines
    assert "stage 10-percent: margins: errors 1.5 and latency 1.5 -> errors 2" in lines
    assert "guard latency is gone" in lines
    assert any(line.startswith("facts hash: ") for line in lines)


def test_another_order_is_a_change(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """The same stages the other way round are another plan."""
    plan = plan_of(release_of(), "canary")
    turned = plan.model_copy(update={"stages": plan.stages[::-1]})
    assert diff(plan, turned) == ("the order of the stages changed",)


def test_what_is_nested_is_told_with_its_path(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Exposure, policy and rollback are walked into."""
    old = plan_of(release_of(), "canary")
    new = plan_of(
        release_of(rollout={"hold_back": 0.1, "false_rollback": 0.02}, agreements={"operators": []}), "canary"
    )
    lines = diff(old, new)
    assert "stage hold-back: exposure: share: 0.95 -> 0.9" in lines
    assert "policy: alpha: 0.01 -> 0.02" in lines
    assert "rollback: authority: - jon" in lines


@given(st.floats(0, 1))
def test_the_bar_is_empty_for_nobody_and_full_only_for_everyone(share: float) -> None:
    """A glance does not mistake one percent for none, or 95 for all."""
    bar = share_bar(share)
    assert len(bar) == 10
    assert ("█" in bar) == (share > 0)
    assert ("░" in bar) == (share < 1)
