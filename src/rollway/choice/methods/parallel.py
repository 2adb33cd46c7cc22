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
        Argument(factors.CRITICAL, "risk", +0.5, "nothing hangs on the new system before it is proved"),
        Argument(
            factors.GRAVE_AND_FINAL, "risk", +1, "nothing depends on the new system before it is proved"
        ),
        Argument(factors.HARMLESS, "value", -1, "double work costs more than a failure would"),
        Argument(factors.MONEY, "compliance", +1, "wrong sums are found before anyone is paid by them"),
        Argument(factors.REGULATED, "compliance", +1, "the comparison is evidence for auditors"),
        Argument(factors.UNREGULATED, "compliance", -0.5, "nobody asks for the evidence of a comparison"),
        Argument(factors.NO_LOSS, "risk", +2, "whatever the new system loses is still in the old one"),
        Argument(factors.WAY_BACK, "risk", +1, "the old system has never stopped"),
        Argument(factors.NO_WAY_BACK, "risk", +0.5, "until the cutover there is nothing to go back from"),
        Argument(
            factors.COMPARE, "compliance", +2, "both do the same work, so that every result can be compared"
        ),
        Argument(factors.COMPARE, "risk", +1, "a difference shows before it does harm"),
        Argument(
            factors.NOTHING_TO_COMPARE, "value", -1, "double work would show nothing that anybody asks for"
        ),
        Argument(factors.HARD_TO_TEST, "risk", +2, "real work proves what tests cannot"),
        Argument(factors.DUAL_RUN, "risk", +1.5, "both systems can do the same work"),
        Argument(factors.NOTHING_TWICE, "risk", +1, "the new system can do real work without effect"),
        Argument(factors.UNTOUCHED, "value", +2, "users notice nothing while the new one is tried"),
        Argument(factors.OLD_STAYS, "risk", +1.5, "the old system is there to run beside the new one"),
        Argument(factors.OLD_GOES, "risk", -2, "there is no old system to run beside the new one"),
        Argument(factors.ALL_TOGETHER, "risk", -0.5, "parties cannot be in step with both at once"),
        Argument(factors.REPLACEMENT, "risk", +0.5, "the old system is there to compare with"),
        Argument(factors.DRAINS, "value", -0.5, "work that runs out by itself need not be done twice"),
        Argument(
            factors.COMPLEX_MIGRATION,
            "risk",
            +0.5,
            "the moved data is reconciled before anyone depends on it",
        ),
        Argument(factors.INSTALL, "value", -1, "two sets of equipment would stand on site"),
        Argument(factors.NO_DOWNTIME, "value", +0.5, "the old system never stops"),
        Argument(factors.HURRY, "value", -2, "the double run has to be waited for"),
        Argument(factors.FIXED_DATE, "value", -1, "the double run may miss the date"),
        Argument(factors.PATIENCE, "value", +0.5, "there is time for a double run"),
        Argument(factors.COST, "value", -2, "two systems and double work are paid for"),
        Argument(factors.MANY, "user_readiness", -0.5, "very many users would do their work twice"),
        Argument(
            factors.OUTSIDERS,
            "user_readiness",
            -0.5,
            "users from outside cannot be asked to do the work twice",
        ),
        Argument(
            factors.MUCH_TRAINING,
            "user_readiness",
            -1,
            "people learn the new system while they still work in the old one",
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
