"""Tests, performance and integration: does it work, hold the load, and can we see and undo it?"""

from __future__ import annotations

from rollway.facts.model import Release
from rollway.readiness import owners
from rollway.readiness.answer import Answer, asks, either, no, yes
from rollway.readiness.probe import Probe, asked_for


def _is_zero(count: int) -> bool:
    return count == 0


def _rollback_timed(release: Release) -> Answer:
    return asks(release, "done.tests.rollback_duration", lambda _: True)


def _latency_watched(release: Release) -> Answer:
    if not release.kpis:
        return Answer(None, "KPIs: none stated (kpis)", ("kpis",))
    names = ", ".join(kpi.name for kpi in release.kpis if kpi.kind == "latency" and kpi.say != "watch")
    return Answer(bool(names), f"KPIs of latency that decide: {names or 'none'} (kpis)")


def _recovery(release: Release) -> Answer:
    return either(no(release, "migration.needed"), yes(release, "done.tests.recovery_tested"))


def budget_left(release: Release) -> Answer:
    """Whether every service level has error budget left. A fix may go out without."""
    levels = release.agreements.service_levels
    where = "agreements.service_levels"
    if not levels:
        return Answer(None, f"service levels: none stated ({where})", (where,))
    left = [level.error_budget_left for level in levels]
    figures = ["not stated" if share is None else f"{share:.0%}" for share in left]
    told = ", ".join(f"{level.name}: {figure}" for level, figure in zip(levels, figures, strict=True))
    evidence = f"error budget left: {told} ({where})"
    if any(share == 0 for share in left):
        mends_it = asks(release, "release.change", lambda change: change == "fix")
        return either(mends_it, Answer(False, evidence))
    return Answer(None, evidence, (where,)) if None in left else Answer(True, evidence)


def _environments(release: Release) -> Answer:
    names = ", ".join(release.architecture.environments)
    where = "architecture.environments"
    return (
        Answer(True, f"environments: {names} ({where})")
        if names
        else Answer(None, f"environments: none stated ({where})", (where,))
    )


PROBES = (
    Probe(
        "tests.failed",
        "tests",
        "Did every test pass?",
        owners.scrum_team,
        lambda release: asks(release, "done.tests.failed", _is_zero),
        "Mend the failing tests, or show why they do not matter here.",
        weight=3,
    ),
    Probe(
        "tests.ran",
        "tests",
        "Did tests run at all?",
        owners.scrum_team,
        lambda release: asks(release, "done.tests.passed", lambda passed: passed > 0),
        "Run the tests, and import their report: rollway import junit.xml.",
    ),
    Probe(
        "tests.severe-issues",
        "tests",
        "Is no severe issue open?",
        owners.scrum_team,
        lambda release: asks(release, "done.tests.open_severe_issues", _is_zero),
        "Close the severe issues, or have each accepted by name.",
        weight=3,
    ),
    Probe(
        "tests.rollback",
        "tests",
        asked_for("done.tests.rollback_tested"),
        owners.scrum_team,
        lambda release: yes(release, "done.tests.rollback_tested"),
        "Roll a real environment back from end to end, and keep the log.",
        blocks="method",
        weight=5,
    ),
    Probe(
        "tests.rollback-timed",
        "tests",
        asked_for("done.tests.rollback_duration"),
        owners.scrum_team,
        _rollback_timed,
        "Time the rollback when you test it.",
        weight=3,
    ),
    Probe(
        "tests.recovery",
        "tests",
        "Was the recovery of data tested, where data is migrated?",
        owners.operations,
        _recovery,
        "Restore a backup into a test environment and compare the data.",
        blocks="method",
        weight=4,
    ),
    Probe(
        "performance.tested",
        "performance",
        asked_for("done.tests.performance_tested"),
        owners.scrum_team,
        lambda release: yes(release, "done.tests.performance_tested"),
        "Run the load test against the agreed figures.",
        weight=2,
    ),
    Probe(
        "performance.load",
        "performance",
        "Is it known how much load the service carries?",
        owners.operations,
        lambda release: asks(release, "architecture.requests_per_second", lambda _: True),
        "Read it off the dashboard of a usual day.",
        blocks="nothing",
        weight=2,
    ),
    Probe(
        "performance.capacity",
        "performance",
        asked_for("architecture.spare_capacity"),
        owners.operations,
        lambda release: yes(release, "architecture.spare_capacity"),
        "Add room for peak load, or choose a method that runs one environment at a time.",
        blocks="nothing",
        weight=2,
    ),
    Probe(
        "performance.watched",
        "performance",
        "Does a KPI stop the rollout when it becomes slow?",
        owners.operations,
        _latency_watched,
        "Add a KPI of kind latency that is a gate or a brake.",
        blocks="nothing",
    ),
    Probe(
        "performance.error-budget",
        "performance",
        "Is error budget left for every service level?",
        owners.operations,
        budget_left,
        "Wait until the budget has recovered, or release only what makes the service more reliable.",
        weight=2,
    ),
    Probe(
        "integration.telemetry",
        "integration",
        asked_for("architecture.per_version_telemetry"),
        owners.operations,
        lambda release: yes(release, "architecture.per_version_telemetry"),
        "Label every metric with the version that made it.",
        blocks="method",
        weight=4,
    ),
    Probe(
        "integration.monitoring",
        "integration",
        "Can one see what happens in production?",
        owners.operations,
        lambda release: asks(release, "architecture.telemetry", lambda level: level != "low"),
        "Measure errors and latency, with alerts, before the first users get it.",
        weight=2,
    ),
    Probe(
        "integration.automation",
        "integration",
        "Are deployments automated?",
        owners.operations,
        lambda release: asks(release, "architecture.automation", lambda level: level != "low"),
        "Automate the deployment, or choose a method with few, rehearsed steps.",
        blocks="nothing",
        weight=2,
    ),
    Probe(
        "integration.environments",
        "integration",
        "Are the environments named through which the release goes?",
        owners.operations,
        _environments,
        "List them under architecture.environments.",
        blocks="nothing",
    ),
)
