"""Releases to plan for: a plain one with traffic and gates, changed as a test needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from rollway.choice import Choice, choose
from rollway.facts.model import MethodName, Release
from rollway.planning import Plan, foresight, make_plan

FEW_ROWS = 150
"""Courses for plans of which the promises are not the point."""

Facts = dict[str, Any]
MakeRelease = Callable[..., Release]

PLAIN: Facts = {
    "release": {"name": "reporting", "version": "2.4.0", "title": "Reporting", "prepared_by": "Ana"},
    "architecture": {"requests_per_second": 200},
    "agreements": {"operators": ["jon"], "approvers": ["ines"]},
    "migration": {"needed": False},
    "done": {"tests": {"rollback_tested": True, "rollback_duration": "15s"}},
    "kpis": [
        {"name": "errors", "kind": "rate", "expected": 0.01, "limit": 0.2, "signal": {"type": "scrape"}},
        {"name": "latency", "kind": "latency", "signal": {"type": "scrape"}},
    ],
    "target": {"type": "flag", "flag": "new-reports"},
}


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> Facts:
    """Sections merged key by key; everything else replaced."""
    result = dict(base)
    for key, value in changes.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


@pytest.fixture
def release_of() -> MakeRelease:
    """Makes the plain release with sections changed: `release_of(rollout={"bake": "1h"})`."""
    return lambda **changes: Release.model_validate(merged(PLAIN, changes))


@pytest.fixture
def choice_of() -> Callable[..., Choice]:
    """The real choice for a release, as if people had taken these methods in this order."""

    def make(release: Release, *methods: MethodName) -> Choice:
        return replace(choose(release), chosen=methods[-1], sequence=methods)

    return make


@pytest.fixture
def plan_of(choice_of: Callable[..., Choice]) -> Callable[..., Plan]:
    """A plan for a release by these methods, whatever the vetoes say."""

    def make(release: Release, *methods: MethodName) -> Plan:
        choice = choice_of(release, *methods)
        open_ranking = tuple(replace(ranked, vetoes=()) for ranked in choice.ranking)
        return make_plan(release, replace(choice, ranking=open_ranking))

    return make


@pytest.fixture(scope="module", autouse=True)
def few_courses() -> Iterator[None]:
    """Promises from few courses, so that planning takes little time; `test_promises` draws as usual."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(foresight, "ROWS", FEW_ROWS)
        yield
