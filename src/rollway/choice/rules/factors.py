"""Further factors that guides on deployment weigh, F1 and on."""

from __future__ import annotations

from datetime import timedelta

from rollway.choice.rules.rule import is_one_of, when, when_any, when_fact
from rollway.facts.model import Release
from rollway.readiness import cite, fact_at

FEW_USERS, VERY_MANY_USERS = 200, 10_000
SEVERAL_SITES = 3
BUSY, QUIET = 10.0, 1.0  # requests per second
QUICK_ROLLBACK = timedelta(minutes=15)
THIN_BUDGET = 0.25


def _grave_and_final(release: Release) -> str:
    if not is_one_of(release, "risks.failure_impact", "high", "critical"):
        return ""
    final = [p for p in ("risks.reversible", "migration.reversible") if is_one_of(release, p, False)]
    return cite(release, "risks.failure_impact", *final) if final else ""


def _several(release: Release) -> str:
    groups = len(release.stakeholders.groups)
    if (release.stakeholders.sites.value or 0) >= SEVERAL_SITES:
        return cite(release, "stakeholders.sites")
    return f"groups: {groups} (stakeholders.groups)" if groups >= SEVERAL_SITES else ""


def _several_that_are(alike: bool | None, release: Release) -> str:
    told = _several(release)
    if not told or release.stakeholders.groups_alike.value is not alike:
        return ""
    return told if alike is None else f"{told}, {cite(release, 'stakeholders.groups_alike')}"


def _alike(release: Release) -> str:
    return _several_that_are(True, release)


def _unlike(release: Release) -> str:
    return _several_that_are(False, release)


def _of_any_kind(release: Release) -> str:
    return _several_that_are(None, release)


def _one_site(release: Release) -> str:
    alone = is_one_of(release, "stakeholders.sites", 1) and len(release.stakeholders.groups) < 2
    return cite(release, "stakeholders.sites") if alone else ""


def _users(release: Release, low: float, high: float) -> str:
    users = release.stakeholders.users.value
    return cite(release, "stakeholders.users") if users is not None and low <= users <= high else ""


def _traffic(release: Release, low: float, high: float) -> str:
    path = "architecture.requests_per_second"
    rate = fact_at(release, path).value
    return cite(release, path) if rate is not None and low <= rate < high else ""


def _proven_quick(release: Release) -> str:
    length = release.done.tests.rollback_duration.value
    quick = length is not None and length <= QUICK_ROLLBACK
    if not quick or is_one_of(release, "done.tests.rollback_tested", False):
        return ""
    return cite(release, "done.tests.rollback_duration")


def _switch_back(release: Release) -> str:
    paths = ("architecture.spare_capacity", "goals.fast_rollback_needed")
    return cite(release, *paths) if all(is_one_of(release, path, True) for path in paths) else ""


def _work_changes(release: Release) -> str:
    items = release.backlog.items
    touching = [item.id for item in items if {"workflow", "performance"} & set(item.touches)]
    told = f"stories that touch workflow or performance: {len(touching)} of {len(items)}"
    return f"{told} ({', '.join(touching[:4])}, backlog.items)" if touching else ""


def _thin_budget(release: Release) -> str:
    levels = release.agreements.service_levels
    thin = [
        f"{level.name} {level.error_budget_left:.0%}"
        for level in levels
        if level.error_budget_left is not None and level.error_budget_left < THIN_BUDGET
    ]
    return f"error budget left: {', '.join(thin)} (agreements.service_levels)" if thin else ""


_SITES = ("stakeholders.sites", "stakeholders.groups_alike")

GRAVE = when_fact("F1", "A failure would be grave", "risks.failure_impact", "high", "critical")
GRAVE_AND_FINAL = when(
    "F1",
    "A failure would be grave and hard to take back",
    ("risks.failure_impact", "risks.reversible", "migration.reversible"),
    _grave_and_final,
)
HARMLESS = when_fact("F1", "A failure would do little harm", "risks.failure_impact", "low")
COMPARE = when_fact("F2", "Results of old and new must be compared", "goals.compare_results_needed", True)
HARD_TO_TEST = when_fact("F3", "Tests reduce the risk but little", "done.tests.testability", "low")
DUAL_RUN = when_fact("F4", "Both systems can run side by side", "migration.dual_run_feasible", True)
COMPLEX_MIGRATION = when_fact("F5", "The data migration is complex", "migration.complexity", "complex")
COMPATIBLE = when_fact(
    "F6", "Both versions understand each other's data", "migration.backward_compatible", True
)
SCHEMA_APART = when_fact(
    "F7", "The schema can change apart from the code", "migration.schema_separable", True
)
SCHEMA_TIED = when_fact("F7", "The schema is tied to the code", "migration.schema_separable", False)
MODULAR = when_fact("F8", "The scope comes in modules", "backlog.modular", True)
MONOLITHIC = when_fact("F8", "The scope does not come in modules", "backlog.modular", False)
ALIKE_SITES = when("F9", "Several alike sites or groups", _SITES, _alike)
UNLIKE_SITES = when("F9", "Several unlike sites or groups", _SITES, _unlike)
SEVERAL_SITES_RULE = when("F9", "Several sites or groups", _SITES, _of_any_kind)
ONE_SITE = when("F9", "One site", ("stakeholders.sites",), _one_site)
ALL_TOGETHER = when_fact("F10", "All parties must switch at once", "architecture.all_switch_together", True)
MANUAL = when_fact("F12", "Deployments are manual", "architecture.automation", "low")
AUTOMATED = when_fact("F12", "Deployments are automated", "architecture.automation", "high")
MEASURED_APART = when_fact(
    "F13", "Each version is measured apart", "architecture.per_version_telemetry", True
)
BUSY_TRAFFIC = when(
    "F14",
    "Much traffic",
    ("architecture.requests_per_second",),
    lambda release: _traffic(release, BUSY, float("inf")),
)
QUIET_TRAFFIC = when(
    "F14",
    "Little traffic",
    ("architecture.requests_per_second",),
    lambda release: _traffic(release, 0, QUIET),
)
SPLIT = when_any(
    "F15",
    "Users can be given one version or the other",
    {"architecture.feature_flags": (True,), "architecture.traffic_split": (True,)},
)
SPARE_CAPACITY = when_fact("F16", "There is room for two environments", "architecture.spare_capacity", True)
SWITCH_BACK = when(
    "F16",
    "A fast way back is needed, and there is room for two environments",
    ("architecture.spare_capacity", "goals.fast_rollback_needed"),
    _switch_back,
)
NO_DOWNTIME = when_fact("F17", "No downtime is tolerated", "agreements.downtime_tolerated", "none")
LONG_DOWNTIME = when_fact("F17", "Long downtime is tolerated", "agreements.downtime_tolerated", "long")
HURRY = when_any("F18", "It must be out soon", {"goals.urgency": ("high",), "goals.deadline_fixed": (True,)})
PATIENCE = when_fact("F18", "There is time", "goals.urgency", "low")
LARGE = when_fact("F19", "The increment is large", "release.size", "large")
MUCH_TRAINING = when_fact("F20", "Users need much training", "stakeholders.training_load", "high")
UNCERTAIN = when_fact("F22", "The outcome is uncertain", "goals.outcome_uncertain", True)
FEEDBACK = when_fact("F22", "Feedback from users is needed", "goals.user_feedback_needed", True)
REGULATED = when_fact("F23", "The product is regulated", "risks.regulated", True)
VENDOR_FIXED = when_fact(
    "F24", "A vendor fixes the upgrade procedure", "architecture.vendor_procedure_fixed", True
)
DRAINS = when_fact("F26", "Open work runs out by itself", "architecture.work_drains_naturally", True)
BUDGET_THIN = when("F27", "Little error budget is left", (), _thin_budget)
COST = when_fact("F28", "The rollout must be cheap", "goals.cost_matters", True)
WAY_BACK = when_fact("F30", "A fast way back is needed", "goals.fast_rollback_needed", True)
QUICK_BACK = when(
    "F30",
    "Going back is quick",
    ("done.tests.rollback_duration",),
    _proven_quick,
)
FEW = when("F31", "Few users", ("stakeholders.users",), lambda release: _users(release, 0, FEW_USERS))
MANY = when(
    "F31",
    "Very many users",
    ("stakeholders.users",),
    lambda release: _users(release, VERY_MANY_USERS, float("inf")),
)
WORK_CHANGES = when("F32", "It changes how people work or how fast it is", (), _work_changes)
OUTSIDERS = when_fact("F33", "The users are outside the organisation", "stakeholders.users_external", True)
