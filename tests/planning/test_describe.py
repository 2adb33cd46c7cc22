"""Plans as a tree for a terminal."""

from __future__ import annotations

import re
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from rollway.facts.model import Release
from rollway.planning import Plan, describe
from rollway.planning.describe import share_bar

MakeRelease = Callable[..., Release]
MakePlan = Callable[..., Plan]

BANK = {
    "groups": [
        {"name": "Zürich", "users": 40, "language": "de", "timezone": "Europe/Zurich", "training_done": 0.9},
        {"name": "Lugano", "users": 60, "language": "it", "timezone": "Europe/Zurich", "champion": "Ada"},
    ],
    "training_needed": True,
}


def flat(text: str) -> str:
    """The tree as one line, as somebody reads it."""
    return " ".join(re.sub("[│├└─]+", " ", text).split())


def test_the_tree_tells_the_stages_and_the_rules(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Somebody at a terminal sees shares, rules, margins, windows and promises."""
    windows = [{"days": ["sat"], "opens": "22:00", "closes": "06:00", "timezone": "Europe/Berlin"}]
    freezes = [{"first": "2026-12-20", "last": "2027-01-03", "reason": "books"}]
    plan = plan_of(
        release_of(rollout={"shares": [0.1]}, agreements={"windows": windows, "freezes": freezes}), "canary"
    )
    text = flat(describe(plan))
    for told in (
        "goes on after 1 hour, when both versions report and nothing speaks against the new one",
        f"plan {plan.hash[:12]}: canary",
        "2. 10% of users █░░░░░░░░░ 10%",
        "goes on after 20 minutes, when every gate is shown to be within its margin",
        "to be excluded: errors ×1.5 and latency ×1.5",
        "errors: gate, up to ×1.1 of the old version, never more than 20% bad",
        "window sat 22:00-06:00 Europe/Berlin",
        "freeze 2026-12-20 to 2027-01-03 UTC (books)",
        "errors ×2: >99% in",
        "10% of users: of faults that begin here, it finds",
        "errors: ×1.5",
        "tested: yes",
    ):
        assert told in text


def test_a_stage_tells_its_gates_tasks_and_messages(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """What must be true, who does what when, and who is told in which language on whose clocks."""
    text = flat(describe(plan_of(release_of(stakeholders=BANK, kpis=[]), "phased")))
    for told in (
        "opens only when",
        "? 85% of Lugano are trained: not known",
        "✓ 85% of Zürich are trained: 90% when this was planned",
        "before, T-3d: Train Lugano (Communications and training lead)",
        "G during: decide: go on, wait or go back (Business owner)",
        "7 days before, 09:00 Europe/Zurich: notice to Lugano, to be written in 'it'",
        "T is the entering of 'Zürich'",
    ):
        assert told in text, told


def test_a_person_who_overruled_it_is_read_first(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """What was changed, by whom and why, stands above the stages."""
    from rollway.planning.edit import edited, with_values

    plan = plan_of(release_of(kpis=[]), "big_bang")
    made = edited(plan, with_values(plan, {"stages.hypercare.bake_seconds": "14d"}), "two pay runs", "jon")
    head, _, rest = describe(made).partition("Stages")
    assert "stages.hypercare.bake_seconds: 7 days -> 14 days (jon)" in flat(head)
    assert "because: two pay runs" in head
    assert "Hypercare" in rest


def test_the_tree_fits_80_columns(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Whatever people wrote, no line is longer than a terminal of the usual width."""
    wordy = release_of(
        release={"title": "Reporting " * 8}, stakeholders=BANK, rollout={"shares": [0.1]}, kpis=[]
    )
    for method in ("pilot", "big_bang"):
        assert max(map(len, describe(plan_of(wordy, method)).splitlines()[1:])) <= 80


@given(st.floats(0, 1))
def test_the_bar_is_empty_for_nobody_and_full_only_for_everyone(share: float) -> None:
    """A glance does not mistake one percent for none, or 95 for all."""
    bar = share_bar(share)
    assert len(bar) == 10
    assert ("█" in bar) == (share > 0)
    assert ("░" in bar) == (share < 1)
