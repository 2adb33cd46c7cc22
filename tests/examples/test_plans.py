"""One release for each method and three sequences: each leads to its method, and its texts are true."""

from __future__ import annotations

import pytest

from rollway.facts.model import MethodName
from rollway.planning.tree import describe
from tests.examples.plans import OUTPUT, RELEASES, ROOT, plan_of

SEQUENCES: dict[str, tuple[MethodName, ...]] = {
    "canary": ("canary",),
    "canary_with_control_group": ("canary",),
    "pilot": ("pilot",),
    "phased": ("phased",),
    "parallel": ("parallel",),
    "blue_green": ("blue_green",),
    "big_bang": ("big_bang",),
    "pilot_then_phased": ("pilot", "phased"),
    "pilot_then_parallel": ("pilot", "parallel"),
    "blue_green_then_canary": ("blue_green", "canary"),
}


@pytest.mark.parametrize("name", RELEASES)
def test_an_example_is_what_it_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The method is the one it stands for; its plan and its rehearsal are those of today (see rewrite.py)."""
    monkeypatch.chdir(ROOT)
    plan = plan_of(name)
    assert plan.sequence == SEQUENCES[name]
    assert (OUTPUT / f"{name}.plan.txt").read_text(encoding="utf-8") == describe(plan) + "\n"
    rehearsal = " ".join((OUTPUT / f"{name}.rehearsal.txt").read_text(encoding="utf-8").split())
    assert f"plan {plan.hash[:12]};" in rehearsal
    assert rehearsal.startswith("In rehearsal the plan does what it says")
