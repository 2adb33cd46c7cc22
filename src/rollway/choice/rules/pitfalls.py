"""The method's six pitfalls, P1 to P6."""

from __future__ import annotations

from rollway.choice.rules.rule import is_one_of, when, when_any, when_fact
from rollway.facts.model import Release
from rollway.readiness import Answer, cite
from rollway.readiness.checks.cutover import long_enough
from rollway.readiness.checks.data import parties_ready
from rollway.readiness.checks.people import groups_informed, users_trained


def _untested(release: Release) -> str:
    paths = [path for path in ("done.tests.rollback_tested",) if is_one_of(release, path, False)]
    recovery = "done.tests.recovery_tested"
    if is_one_of(release, recovery, False) and not is_one_of(release, "migration.needed", False):
        paths.append(recovery)
    return cite(release, *paths)


def _unprepared(release: Release) -> str:
    paths = ("stakeholders.communication_ready", "stakeholders.support_briefed")
    told = [cite(release, path) for path in paths if is_one_of(release, path, False)]
    told += [_gap(answer) for answer in (users_trained(release), groups_informed(release))]
    return ", ".join(filter(None, told))


def _thin_operations(release: Release) -> str:
    told = []
    if is_one_of(release, "stakeholders.support_capacity", "low"):
        told.append(cite(release, "stakeholders.support_capacity"))
    told.append(_gap(long_enough(release)))
    return ", ".join(filter(None, told))


def _others_not_ready(release: Release) -> str:
    return _gap(parties_ready(release))


def _gap(answer: Answer) -> str:
    return answer.evidence if answer.holds is False else ""


UNTESTED_ROLLBACK = when(
    "P1",
    "Rollback or data recovery is not tested",
    ("done.tests.rollback_tested", "done.tests.recovery_tested"),
    _untested,
)
INCOMPATIBLE = when_fact(
    "P2",
    "Old and new version do not understand each other's data",
    "migration.backward_compatible",
    False,
)
UNPREPARED = when(
    "P3",
    "Users or support are not prepared",
    ("stakeholders.communication_ready", "stakeholders.support_briefed"),
    _unprepared,
)
THIN_OPERATIONS = when(
    "P4",
    "Support or the change window is too small",
    ("stakeholders.support_capacity", "migration.duration", "agreements.window_duration"),
    _thin_operations,
)
BLIND = when_any(
    "P5",
    "Defects would be seen late",
    {"architecture.telemetry": ("low",), "architecture.per_version_telemetry": (False,)},
)
OTHERS_NOT_READY = when("P6", "Third parties or licences are not in step", (), _others_not_ready)
