"""What an unknown fact may be, and how often: the table from which unknowns are drawn.

Rough figures of ordinary releases, for weighing questions against each other; they never settle a rule and
never enter a score. A fact that is assumed is drawn as what it is assumed to be in three of four worlds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

ASSUMED_RIGHT = 0.75

_Odds = tuple[tuple[Any, float], ...]


def _likely(chance: float) -> _Odds:
    """True with this chance."""
    return ((True, chance), (False, 1 - chance))


_LEVELS: _Odds = (("low", 0.3), ("medium", 0.4), ("high", 0.3))

ODDS: Mapping[str, _Odds] = {
    "release.change": (("new_increment", 0.6), ("replacement", 0.25), ("fix", 0.15)),
    "release.size": (("small", 0.4), ("medium", 0.4), ("large", 0.2)),
    "goals.urgency": (("low", 0.25), ("medium", 0.5), ("high", 0.25)),
    "goals.deadline_fixed": _likely(0.25),
    "goals.compare_results_needed": _likely(0.15),
    "goals.fast_rollback_needed": _likely(0.5),
    "goals.outcome_uncertain": _likely(0.35),
    "goals.user_feedback_needed": _likely(0.4),
    "goals.user_impact_allowed": _likely(0.9),
    "goals.cost_matters": _likely(0.4),
    "backlog.modular": _likely(0.5),
    "done.tests.failed": ((0, 0.9), (3, 0.1)),
    "done.tests.open_severe_issues": ((0, 0.9), (2, 0.1)),
    "done.tests.rollback_tested": _likely(0.6),
    "done.tests.rollback_duration": (
        (timedelta(minutes=1), 0.3),
        (timedelta(minutes=30), 0.3),
        (timedelta(hours=2), 0.2),
        (timedelta(hours=8), 0.2),
    ),
    "done.tests.recovery_tested": _likely(0.6),
    "done.tests.testability": (("low", 0.2), ("medium", 0.5), ("high", 0.3)),
    "risks.failure_impact": (("low", 0.25), ("medium", 0.4), ("high", 0.25), ("critical", 0.1)),
    "risks.financial_impact": (("low", 0.4), ("medium", 0.4), ("high", 0.2)),
    "risks.regulated": _likely(0.3),
    "risks.data_loss_tolerated": _likely(0.7),
    "risks.reversible": _likely(0.75),
    "architecture.complexity": (("low", 0.4), ("medium", 0.4), ("high", 0.2)),
    "architecture.integration_coupling": (("low", 0.4), ("medium", 0.4), ("high", 0.2)),
    "architecture.automation": _LEVELS,
    "architecture.telemetry": (("low", 0.25), ("medium", 0.45), ("high", 0.3)),
    "architecture.per_version_telemetry": _likely(0.6),
    "architecture.feature_flags": _likely(0.5),
    "architecture.traffic_split": _likely(0.4),
    "architecture.requests_per_second": ((0.05, 0.3), (3.0, 0.3), (50.0, 0.3), (1000.0, 0.1)),
    "architecture.spare_capacity": _likely(0.5),
    "architecture.sessions_drain": _likely(0.75),
    "architecture.all_switch_together": _likely(0.1),
    "architecture.work_drains_naturally": _likely(0.25),
    "architecture.vendor_procedure_fixed": _likely(0.15),
    "architecture.hardware_install": _likely(0.1),
    "stakeholders.sites": ((1, 0.5), (4, 0.25), (40, 0.25)),
    "stakeholders.groups_alike": _likely(0.5),
    "stakeholders.users": ((60, 0.25), (2_000, 0.45), (100_000, 0.3)),
    "stakeholders.users_external": _likely(0.4),
    "stakeholders.training_needed": _likely(0.3),
    "stakeholders.training_load": (("low", 0.6), ("medium", 0.25), ("high", 0.15)),
    "stakeholders.communication_ready": _likely(0.85),
    "stakeholders.support_capacity": (("low", 0.25), ("medium", 0.5), ("high", 0.25)),
    "stakeholders.support_briefed": _likely(0.85),
    "agreements.downtime_tolerated": (("none", 0.35), ("short", 0.45), ("long", 0.2)),
    "agreements.peak_season": _likely(0.1),
    "migration.needed": _likely(0.5),
    "migration.backward_compatible": _likely(0.7),
    "migration.reversible": _likely(0.6),
    "migration.rehearsed": _likely(0.5),
    "migration.complexity": (("simple", 0.65), ("complex", 0.35)),
    "migration.schema_separable": _likely(0.6),
    "migration.old_kept_running": _likely(0.6),
    "migration.dual_run_feasible": _likely(0.5),
    "migration.side_effects_suppressed": _likely(0.5),
    "migration.reconciliation_rules": _likely(0.4),
}

LOOKS: Mapping[str, float] = {
    "criteria fixed": 0.6,
    "enough traffic": 0.5,
    "rollback fits window": 0.7,
    "exit rule": 0.5,
    "groups named": 0.5,
    "several groups": 0.3,
    "representative group": 0.5,
    "window too short": 0.1,
    "users not trained": 0.15,
    "groups not informed": 0.15,
    "third parties not ready": 0.15,
    "thin budget": 0.15,
    "work changes": 0.5,
    "criteria open": 0.2,
    "all met": 0.6,
}
"""The chance that a closer look says yes, where nothing is listed to look at."""
