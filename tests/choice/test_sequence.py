"""Who goes first, how it grows, and what keeps it safe."""

from __future__ import annotations

from typing import Any

import pytest

from rollway.choice import choose
from rollway.choice.sequence import sequence_of, shape_of
from rollway.facts.model import MethodName
from support.releases import release_with

SPLIT = {"architecture.traffic_split": True, "architecture.per_version_telemetry": True}
UNLIKE = {"stakeholders.sites": 4, "stakeholders.groups_alike": False}


def _sequence(method: MethodName, facts: dict[str, Any]) -> tuple[MethodName, ...]:
    release = release_with(facts)
    choice = choose(release)
    return sequence_of(release, choice.of(method), choice.ranking)


@pytest.mark.parametrize(
    ("method", "facts", "expected"),
    [
        ("pilot", {"stakeholders.sites": 2}, ("pilot", "phased")),
        ("pilot", {"stakeholders.sites": 1}, ("pilot",)),
        ("pilot", {}, ("pilot",)),
        ("canary", {"stakeholders.sites": 3}, ("canary", "phased")),
        ("canary", {"stakeholders.sites": 2}, ("canary",)),
        ("blue_green", SPLIT, ("blue_green", "canary")),
        ("blue_green", {**SPLIT, "architecture.per_version_telemetry": False}, ("blue_green",)),
        ("parallel", {"stakeholders.sites": 40}, ("pilot", "parallel")),
        ("phased", {**UNLIKE, "goals.outcome_uncertain": True}, ("pilot", "phased")),
        ("phased", UNLIKE, ("phased",)),
        ("big_bang", {"stakeholders.sites": 40}, ("big_bang",)),
    ],
)
def test_what_goes_before_and_after_a_method(
    method: MethodName, facts: dict[str, Any], expected: tuple[MethodName, ...]
) -> None:
    """A method is joined by another where the facts say so, and stands alone where they do not."""
    assert _sequence(method, facts) == expected


def test_a_blocked_method_joins_no_sequence() -> None:
    """Where old and new cannot live together a parallel run does not begin with a pilot."""
    facts = {"stakeholders.sites": 40, "migration.backward_compatible": False}
    assert _sequence("parallel", facts) == ("parallel",)


@pytest.mark.parametrize(
    ("overlay", "method", "fires", "silent"),
    [
        ("flag", "canary", {"architecture.feature_flags": True}, {"architecture.feature_flags": False}),
        ("shadow", "canary", {"migration.side_effects_suppressed": True}, {}),
        ("drain_down", "phased", {"architecture.work_drains_naturally": True}, {}),
        ("warm_standby", "big_bang", {"architecture.spare_capacity": True}, {}),
        ("rehearsal", "big_bang", {}, {"migration.rehearsed": True}),
    ],
)
def test_a_safety_is_laid_over_where_its_facts_hold(
    overlay: str, method: MethodName, fires: dict[str, Any], silent: dict[str, Any]
) -> None:
    """Each fires on its fact and is silent without."""
    names = [
        [one.name for one in shape_of(release_with(facts), (method,)).overlays] for facts in (fires, silent)
    ]
    assert overlay in names[0]
    assert overlay not in names[1]


def test_only_a_canary_holds_back_a_share() -> None:
    """A share kept on the old version belongs to a comparison at the same time."""
    for method in ("pilot", "phased", "parallel", "blue_green", "big_bang", "canary"):
        names = {one.name for one in shape_of(release_with(), (method,)).overlays}
        assert ("hold_back" in names) is (method == "canary")


def test_a_sequence_enters_as_its_first_and_grows_as_its_last_method() -> None:
    """A pilot that waves follow begins in one group and goes on wave by wave."""
    shape = shape_of(release_with(), ("pilot", "phased"))
    assert shape.entry.startswith("one group that stands for the rest")
    assert shape.scaling.startswith("wave by wave")
