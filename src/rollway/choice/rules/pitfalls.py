"""The method's six pitfalls, P1 to P6."""

from __future__ import annotations

from collections.abc import Callable

from rollway.choice.condition import Seen, Unless, all_of, any_of, is_, no
from rollway.choice.rules.rule import Rule
from rollway.facts.model import Release
from rollway.readiness import Answer
from rollway.readiness.checks.cutover import long_enough
from rollway.readiness.checks.data import parties_ready
from rollway.readiness.checks.people import groups_informed, users_trained

_GROUPS = "stakeholders.groups"


def _fails(look: Callable[[Release], Answer]) -> Callable[[Release], Answer]:
    """The same look, asked for the gap: holds where the answer is no."""

    def failing(release: Release) -> Answer:
        answer = look(release)
        return Answer(None if answer.holds is None else not answer.holds, answer.evidence, answer.facts)

    return failing


UNTESTED_ROLLBACK = Rule(
    "P1",
    "Rollback or data recovery is not tested",
    any_of(
        no("done.tests.rollback_tested"),
        all_of(no("done.tests.recovery_tested"), Unless(no("migration.needed"))),
    ),
)
INCOMPATIBLE = Rule(
    "P2",
    "Old and new version do not understand each other's data",
    no("migration.backward_compatible"),
)
UNPREPARED = Rule(
    "P3",
    "Users or support are not prepared",
    any_of(
        no("stakeholders.communication_ready"),
        no("stakeholders.support_briefed"),
        Seen("users not trained", _fails(users_trained), ("stakeholders.training_needed", _GROUPS)),
        Seen("groups not informed", _fails(groups_informed), (_GROUPS,)),
    ),
)
THIN_OPERATIONS = Rule(
    "P4",
    "Support or the change window is too small",
    any_of(
        is_("stakeholders.support_capacity", "low"),
        Seen(
            "window too short",
            _fails(long_enough),
            ("migration.needed", "migration.duration", "agreements.window_duration"),
        ),
    ),
)
BLIND = Rule(
    "P5",
    "Defects would be seen late",
    any_of(is_("architecture.telemetry", "low"), no("architecture.per_version_telemetry")),
)
OTHERS_NOT_READY = Rule(
    "P6",
    "Third parties or licences are not in step",
    Seen("third parties not ready", _fails(parties_ready), ("architecture.third_parties",)),
)
