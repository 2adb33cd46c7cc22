"""Pilot: chosen groups first, for a business cycle; then everyone else."""

from __future__ import annotations

from rollway.choice import vetoes
from rollway.choice.argument import Argument, Arguments
from rollway.choice.model import Method
from rollway.choice.rules import factors, pitfalls, tips

_ARGUMENTS = Arguments(
    (
        Argument(tips.SMALL_STEP, "value", +1, "a small increment can be tried by a few first"),
        Argument(
            tips.HIGH_STAKES, "compliance", +1, "what goes wrong stays within one group that can go back"
        ),
        Argument(tips.SIMPLE, "value", -1, "a trial costs more time than so simple a change is worth"),
        Argument(tips.ENTANGLED, "risk", +1, "one group meets the interfaces before all do"),
        Argument(tips.CRITERIA, "risk", +0.5, "the pilot has fixed criteria to pass"),
        Argument(
            tips.PREPARE,
            "user_readiness",
            +1,
            "one group is prepared first, and what it learns prepares the rest",
        ),
        Argument(
            pitfalls.INCOMPATIBLE,
            "risk",
            -2,
            "the pilot group and the rest work on data that only one version reads",
        ),
        Argument(
            pitfalls.THIN_OPERATIONS, "user_readiness", +1, "support has one group to carry instead of all"
        ),
        Argument(pitfalls.BLIND, "risk", +0.5, "people of the pilot group say what instruments do not show"),
        Argument(
            pitfalls.OTHERS_NOT_READY,
            "compliance",
            +0.5,
            "a group that does not need the missing party can go first",
        ),
        Argument(factors.GRAVE, "risk", +1, "a failure reaches one group, not everyone"),
        Argument(
            factors.GRAVE_AND_FINAL, "risk", +0.5, "what cannot be taken back is done to one group first"
        ),
        Argument(factors.COMPARE, "compliance", +1, "the pilot group can be compared with the rest"),
        Argument(factors.HARD_TO_TEST, "risk", +1, "real work of one group shows what tests cannot"),
        Argument(factors.COMPATIBLE, "risk", +0.5, "the pilot group can work beside the rest"),
        Argument(factors.ALIKE_SITES, "value", +2, "what one site teaches holds for all others"),
        Argument(
            factors.UNLIKE_SITES,
            "user_readiness",
            +1,
            "one site can go first, though it cannot speak for all",
        ),
        Argument(factors.SEVERAL_SITES_RULE, "user_readiness", +1, "one site can go before the others"),
        Argument(factors.ONE_SITE, "value", -2, "with one site there is nobody to go before the others"),
        Argument(factors.ALL_TOGETHER, "risk", -2, "a group cannot switch alone"),
        Argument(factors.MANUAL, "value", +0.5, "one group can be served by hand"),
        Argument(factors.QUIET_TRAFFIC, "value", +0.5, "people tell more than so little traffic can"),
        Argument(factors.SPLIT, "value", +0.5, "the pilot group can be switched over by itself"),
        Argument(factors.HURRY, "value", -1, "a business cycle of waiting delays everyone else"),
        Argument(factors.PATIENCE, "value", +0.5, "there is time for a business cycle of learning"),
        Argument(
            factors.MUCH_TRAINING, "user_readiness", +1, "training can be tried and mended in one group"
        ),
        Argument(
            factors.UNCERTAIN, "value", +2, "it shows whether users gain before everyone is asked to change"
        ),
        Argument(factors.FEEDBACK, "value", +2, "the pilot group is there to be asked"),
        Argument(factors.REGULATED, "compliance", +1, "the evidence of the pilot can be shown to auditors"),
        Argument(factors.BUDGET_THIN, "risk", +0.5, "only one group can use up error budget"),
        Argument(factors.WORK_CHANGES, "value", +0.5, "a few people try the new way of working first"),
    )
)

METHOD = Method(
    name="pilot",
    title="Pilot",
    summary="Chosen groups first, for a business cycle; then everyone else.",
    vetoes=(
        vetoes.V2_COEXISTENCE,
        vetoes.V10_TOGETHER,
        vetoes.V11_FIRST_GROUP,
        vetoes.V18_WAY_BACK,
    ),
    argue=_ARGUMENTS,
)
