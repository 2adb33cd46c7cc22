"""Parallel: old and new do the same work for a time; results are compared; then cutover."""

from __future__ import annotations

from rollway.choice import vetoes
from rollway.choice.argument import Argument, Arguments
from rollway.choice.model import Method
from rollway.choice.rules import factors, pitfalls, tips

_ARGUMENTS = Arguments(
    (
        Argument(
            tips.HIGH_STAKES, "compliance", +2, "the old system stays in charge until the new one is proved"
        ),
        Argument(tips.SIMPLE, "value", -1, "double work costs more than so simple a change is worth"),
        Argument(tips.CRITERIA, "risk", +0.5, "fixed criteria say when the results agree"),
        Argument(
            pitfalls.UNPREPARED,
            "user_readiness",
            -0.5,
            "people who are not prepared must work in two systems",
        ),
        Argument(
            pitfalls.THIN_OPERATIONS, "user_readiness", -1, "double running asks for hands that are not there"
        ),
        Argument(
            factors.GRAVE,
            "risk",
            +1,
            "a failure of the new system stops nothing, since the old one still works",
        ),
        Argument(
            factors.GRAVE_AND_FINAL, "risk", +1, "nothing depends on the new system before it is proved"
        ),
        Argument(
            factors.COMPARE, "compliance", +2, "both do the same work, so that every result can be compared"
        ),
        Argument(factors.HARD_TO_TEST, "risk", +2, "real work proves what tests cannot"),
        Argument(factors.DUAL_RUN, "risk", +1, "both systems can do the same work"),
        Argument(
            factors.COMPLEX_MIGRATION,
            "risk",
            +0.5,
            "the moved data is reconciled before anyone depends on it",
        ),
        Argument(factors.NO_DOWNTIME, "value", +1, "the old system never stops"),
        Argument(factors.HURRY, "value", -2, "the double run has to be waited for"),
        Argument(factors.PATIENCE, "value", +0.5, "there is time for a double run"),
        Argument(
            factors.MUCH_TRAINING,
            "user_readiness",
            -1,
            "people learn the new system while they still work in the old one",
        ),
        Argument(factors.REGULATED, "compliance", +1, "the comparison is evidence for auditors"),
        Argument(factors.COST, "value", -2, "two systems and double work are paid for"),
        Argument(factors.WAY_BACK, "risk", +1, "the old system has never stopped"),
        Argument(
            factors.OUTSIDERS,
            "user_readiness",
            -0.5,
            "users from outside cannot be asked to do the work twice",
        ),
    )
)

METHOD = Method(
    name="parallel",
    title="Parallel",
    summary="Old and new do the same work for a time; results are compared; then cutover.",
    vetoes=(
        vetoes.V7_RECONCILE,
        vetoes.V8_EXIT,
    ),
    argue=_ARGUMENTS,
)
