"""Packs made by the real rooms: facts, readiness, choice and plan of a release."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rollway.choice import choose
from rollway.documents import Pack
from rollway.facts.model import MethodName, Release
from rollway.planning import make_plan
from rollway.readiness import assess

FACTS: dict[str, Any] = {
    "release": {"name": "reporting", "version": "2.4.0", "title": "Reporting", "prepared_by": "Ana"},
    "goals": {
        "objective": "Figures at seven in the morning",
        "success": ["90% within 2 s"],
        "outcome_uncertain": {"state": "known", "value": True, "source": "release.yaml:9:3"},
        "fast_rollback_needed": True,
    },
    "done": {"tests": {"rollback_tested": True, "rollback_duration": "15s"}},
    "architecture": {
        "requests_per_second": 200,
        "automation": "high",
        "telemetry": "high",
        "per_version_telemetry": True,
        "traffic_split": {"assume": True, "because": "as in 2.3"},
    },
    "stakeholders": {
        "users": 1000,
        "groups": [{"name": "Oslo", "users": 100, "representative": True}, {"name": "Rom", "users": 900}],
    },
    "agreements": {
        "windows": [{"days": ["sat"], "opens": "22:00", "closes": "06:00", "timezone": "Europe/Berlin"}],
        "freezes": [{"first": "2026-12-20", "last": "2027-01-03", "reason": "books"}],
        "operators": ["jon"],
        "approvers": ["ines"],
        "approvals_required": 2,
    },
    "migration": {"needed": False},
    "risks": {"items": [{"id": "R-1", "title": "Slow reports"}]},
    "kpis": [
        {"name": "errors", "kind": "rate", "expected": 0.01, "limit": 0.2, "signal": {"type": "scrape"}},
        {"name": "latency", "kind": "latency", "signal": {"type": "scrape"}},
    ],
    "target": {"type": "flag", "flag": "new-reports"},
}


@pytest.fixture(scope="session")
def pack_of() -> Callable[..., Pack]:
    """A pack for the facts with whole sections replaced, planned by these methods whatever the vetoes.

    A pack does not change, so each is made once.
    """
    made: dict[str, Pack] = {}

    def make(*methods: MethodName, **changes: Any) -> Pack:
        key = repr((methods, changes))
        if key not in made:
            made[key] = anew(*methods, **changes)
        return made[key]

    def anew(*methods: MethodName, **changes: Any) -> Pack:
        release = Release.model_validate({**FACTS, **changes})
        choice = choose(release)
        if not methods:
            return Pack(release, assess(release), choice, make_plan(release, choice))
        choice = replace(choice, chosen=methods[-1], sequence=methods)
        unblocked = replace(choice, ranking=tuple(replace(ranked, vetoes=()) for ranked in choice.ranking))
        return Pack(release, assess(release), choice, make_plan(release, unblocked))

    return make
