"""The method's six interpretation tips, T1 to T6."""

from __future__ import annotations

from rollway.choice.rules.rule import is_one_of, when, when_any
from rollway.facts.model import Release
from rollway.readiness import cite, fact_at
from rollway.readiness.checks.product import criteria_fixed

_STABILITY = ("done.tests.failed", "done.tests.open_severe_issues")


def _small_step(release: Release) -> str:
    if is_one_of(release, "release.size", "small"):
        return cite(release, "release.size")
    new = is_one_of(release, "release.change", "new_increment")
    return cite(release, "release.change") if new and not is_one_of(release, "release.size", "large") else ""


def _high_stakes(release: Release) -> str:
    stakes = {"risks.regulated": True, "risks.financial_impact": "high"}
    way_back = {
        "goals.fast_rollback_needed": True,
        "risks.reversible": False,
        "migration.reversible": False,
        "risks.failure_impact": "critical",
    }
    high = [path for path, value in stakes.items() if is_one_of(release, path, value)]
    critical = [path for path, value in way_back.items() if is_one_of(release, path, value)]
    return cite(release, *high, *critical) if high and critical else ""


def _unstable(release: Release) -> list[str]:
    return [path for path in _STABILITY if (fact_at(release, path).value or 0) > 0]


def _simple(release: Release) -> str:
    told = ["architecture.complexity"]
    if not is_one_of(release, told[0], "low") or _unstable(release):
        return ""
    if is_one_of(release, "architecture.integration_coupling", "medium", "high"):
        return ""
    if is_one_of(release, "risks.failure_impact", "high", "critical"):
        return ""
    if is_one_of(release, "architecture.integration_coupling", "low"):
        told.append("architecture.integration_coupling")
    return cite(release, *told)


def _entangled(release: Release) -> str:
    paths = ("architecture.complexity", "architecture.integration_coupling")
    return cite(release, *[path for path in paths if is_one_of(release, path, "high")], *_unstable(release))


def _mature(release: Release) -> str:
    ripe = {
        "architecture.automation": ("high",),
        "architecture.telemetry": ("high",),
        "architecture.per_version_telemetry": (True,),
        "architecture.feature_flags": (True,),
    }
    raw = {
        "architecture.automation": ("low",),
        "architecture.telemetry": ("low",),
        "architecture.per_version_telemetry": (False,),
    }
    if any(is_one_of(release, path, *values) for path, values in raw.items()):
        return ""
    have = [path for path, values in ripe.items() if is_one_of(release, path, *values)]
    return cite(release, *have) if len(have) > 1 else ""


def _criteria(release: Release) -> str:
    answer = criteria_fixed(release)
    return answer.evidence if answer.holds else ""


SMALL_STEP = when(
    "T1", "A small increment can go out step by step", ("release.size", "release.change"), _small_step
)
HIGH_STAKES = when(
    "T2",
    "High regulatory or financial stakes, and a way back is critical",
    (
        "risks.regulated",
        "risks.financial_impact",
        "goals.fast_rollback_needed",
        "risks.reversible",
        "migration.reversible",
        "risks.failure_impact",
    ),
    _high_stakes,
)
SIMPLE = when(
    "T3",
    "A simple, loosely coupled, stable change",
    ("architecture.complexity", "architecture.integration_coupling"),
    _simple,
)
ENTANGLED = when(
    "T3",
    "A complex, tightly coupled or unstable change",
    ("architecture.complexity", "architecture.integration_coupling", *_STABILITY),
    _entangled,
)
MATURE = when(
    "T4",
    "Mature automation, monitoring and feature flags",
    (
        "architecture.automation",
        "architecture.telemetry",
        "architecture.per_version_telemetry",
        "architecture.feature_flags",
    ),
    _mature,
)
CRITERIA = when("T5", "Success and rollback criteria are fixed before the start", (), _criteria)
PREPARE = when_any(
    "T6",
    "People must be prepared in step with the rollout",
    {"stakeholders.training_needed": (True,), "stakeholders.training_load": ("medium", "high")},
)
