"""Big bang: decided by name, switched at once, and honest about the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rollway.facts.model import Release
from rollway.planning.methods.big_bang import build

MakeRelease = Callable[..., Release]


def test_people_decide_before_during_and_after(release_of: MakeRelease) -> None:
    """Go or no-go, the confirmed switch, and the end of hypercare each wait for a named person."""
    stages = build(release_of())
    assert [stage.id for stage in stages] == ["go-no-go", "switch", "hypercare"]
    assert {stage.advance for stage in stages} == {"person"}


@pytest.mark.parametrize(
    ("changes", "reversible"),
    [
        ({"migration": {"needed": False}}, True),
        ({"migration": {"needed": True, "reversible": True}}, True),
        ({"migration": {"needed": True}, "done": {"tests": {"rollback_tested": True}}}, True),
        ({"migration": {"needed": True}, "done": {"tests": {"rollback_tested": "unknown"}}}, False),
        ({"migration": {"needed": True, "reversible": False}}, False),
        ({"risks": {"reversible": False}}, False),
    ],
)
def test_the_point_of_no_return_follows_from_the_facts(
    release_of: MakeRelease, changes: dict[str, Any], reversible: bool
) -> None:
    """A switch is called reversible only where the facts carry it; otherwise it says so in words."""
    _, switch, hypercare = build(release_of(**changes))
    assert switch.reversible is hypercare.reversible is reversible
    assert ("point of no return" in switch.purpose) is not reversible
    assert ("No way back" in switch.undo) is not reversible


def test_the_evidence_for_the_decision_quotes_the_facts(release_of: MakeRelease) -> None:
    """Whoever says go reads what is shown and what is not."""
    entry = " ".join(build(release_of(migration={"needed": True, "duration": "3h"}))[0].entry)
    assert "tested from end to end: stated: yes" in entry
    assert "recovery of data was tested: not stated" in entry
    assert "(3h)" in entry
