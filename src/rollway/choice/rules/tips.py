"""The method's six interpretation tips, T1 to T6."""

from __future__ import annotations

from rollway.choice.condition import Also, AtLeast, Seen, Unless, all_of, any_of, is_, no, yes
from rollway.choice.rules.done import criteria_met
from rollway.choice.rules.rule import Rule
from rollway.readiness.checks.product import criteria_fixed

_UNSTABLE = any_of(AtLeast("done.tests.failed", 1), AtLeast("done.tests.open_severe_issues", 1))

SMALL_STEP = Rule(
    "T1",
    "A small increment can go out step by step",
    any_of(
        is_("release.size", "small"),
        all_of(is_("release.change", "new_increment"), Unless(is_("release.size", "large"))),
    ),
)
HIGH_STAKES = Rule(
    "T2",
    "High regulatory or financial stakes, and a way back is critical",
    all_of(
        any_of(yes("risks.regulated"), is_("risks.financial_impact", "high")),
        any_of(
            yes("goals.fast_rollback_needed"),
            no("risks.reversible"),
            no("migration.reversible"),
            is_("risks.failure_impact", "critical"),
        ),
    ),
)
SIMPLE = Rule(
    "T3",
    "A simple, loosely coupled, stable change",
    all_of(
        is_("architecture.complexity", "low"),
        Also(is_("architecture.integration_coupling", "low")),
        Unless(is_("architecture.integration_coupling", "medium", "high")),
        Unless(_UNSTABLE),
        Unless(is_("risks.failure_impact", "high", "critical")),
    ),
)
_PREPARED = (
    yes("migration.rehearsed"),
    yes("done.tests.rollback_tested"),
    is_("stakeholders.support_capacity", "high"),
    yes("stakeholders.groups_alike"),
    is_("done.tests.testability", "high"),
    Seen("all met", criteria_met, ("done.criteria",)),
)
ONE_PIECE = Rule(
    "F11",
    "Closely coupled, and well prepared for one cutover",
    all_of(
        is_("architecture.integration_coupling", "high"),
        any_of(any_of(*_PREPARED, count=2), all_of(no("backlog.modular"), any_of(*_PREPARED))),
        Unless(is_("stakeholders.support_capacity", "low")),
        Unless(_UNSTABLE),
    ),
)
ENTANGLED = Rule(
    "T3",
    "A complex, tightly coupled or unstable change",
    any_of(
        is_("architecture.complexity", "high"),
        all_of(is_("architecture.integration_coupling", "high"), Unless(ONE_PIECE.holds)),
        _UNSTABLE,
    ),
)
DIVISIBLE = Rule(
    "T3",
    "A complex, tightly coupled or unstable change that is not known to be in one piece",
    all_of(ENTANGLED.holds, Unless(all_of(no("backlog.modular"), Unless(AtLeast("stakeholders.sites", 2))))),
)
MATURE = Rule(
    "T4",
    "Mature automation, monitoring and feature flags",
    all_of(
        any_of(
            is_("architecture.automation", "high"),
            is_("architecture.telemetry", "high"),
            yes("architecture.per_version_telemetry"),
            yes("architecture.feature_flags"),
            yes("architecture.traffic_split"),
            count=2,
        ),
        Unless(
            any_of(
                is_("architecture.automation", "low"),
                is_("architecture.telemetry", "low"),
                no("architecture.per_version_telemetry"),
            )
        ),
    ),
)
CRITERIA = Rule(
    "T5",
    "Success and rollback criteria are fixed before the start",
    Seen("criteria fixed", criteria_fixed, ("kpis",)),
)
PREPARE = Rule(
    "T6",
    "People must be prepared in step with the rollout",
    any_of(
        yes("stakeholders.training_needed"),
        all_of(
            is_("stakeholders.training_load", "medium", "high"),
            Unless(no("stakeholders.training_needed")),
        ),
    ),
)
