"""Pilot: chosen groups first, for a business cycle; then everyone else."""

from __future__ import annotations

from rollway.choice import vetoes
from rollway.choice.argument import Argument, Arguments
from rollway.choice.model import Method
from rollway.choice.rules import factors, pitfalls, tips

_ARGUMENTS = Arguments(
    (
        Argument(tips.SMALL_STEP, "value", +0.5, "a small increment can be tried by a few first"),
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
        Argument(factors.HARMLESS, "value", -0.5, "a trial costs more than a failure would"),
        Argument(factors.MONEY, "compliance", +0.5, "the money at stake is that of one group"),
        Argument(factors.REGULATED, "compliance", +1, "the evidence of the pilot can be shown to auditors"),
        Argument(factors.NO_LOSS, "risk", +0.5, "a loss would be small enough to be made good by hand"),
        Argument(factors.NO_WAY_BACK, "risk", +1, "only one group is stuck with a bad version"),
        Argument(factors.COMPARE, "compliance", +0.5, "the pilot group can be compared with the rest"),
        Argument(factors.HARD_TO_TEST, "risk", +1, "real work of one group shows what tests cannot"),
        Argument(
            factors.UNCERTAIN, "value", +2, "it shows whether users gain before everyone is asked to change"
        ),
        Argument(factors.CERTAIN, "value", -1, "there is little left to find out"),
        Argument(factors.FEEDBACK, "value", +1.5, "the pilot group is there to be asked"),
        Argument(factors.NOTHING_TO_ASK, "value", -0.5, "there is nothing to ask the pilot group"),
        Argument(factors.UNREHEARSED, "risk", +0.5, "the first group is the rehearsal for the rest"),
        Argument(factors.UNTOUCHED, "risk", -1, "the pilot group would notice"),
        Argument(factors.TOUCHABLE, "value", +0.5, "real users of one group can be asked to try it"),
        Argument(
            factors.OLD_STAYS,
            "risk",
            +1,
            "the rest, and the pilot group if need be, can stay on the old system",
        ),
        Argument(factors.OLD_GOES, "risk", -1, "nothing carries those who are not in the pilot"),
        Argument(factors.COMPATIBLE, "risk", +0.5, "the pilot group can work beside the rest"),
        Argument(factors.ALL_TOGETHER, "risk", -2, "a group cannot switch alone"),
        Argument(factors.REPLACEMENT, "risk", +0.5, "a whole new system is met by one group before all"),
        Argument(factors.ALIKE_SITES, "value", +2, "what one site teaches holds for all others"),
        Argument(
            factors.UNLIKE_SITES,
            "user_readiness",
            +0.5,
            "one site can go first, though it cannot speak for all",
        ),
        Argument(factors.SEVERAL_PLACES, "user_readiness", +1, "one site can go before the others"),
        Argument(factors.ONE_SITE, "value", -2, "with one site there is nobody to go before the others"),
        Argument(factors.INSTALL, "risk", +1, "the installation is learnt at one site"),
        Argument(factors.MANUAL, "value", +0.5, "one group can be served by hand"),
        Argument(factors.QUIET_TRAFFIC, "value", +0.5, "people tell more than so little traffic can"),
        Argument(factors.SPLIT, "value", +0.5, "the pilot group can be switched over by itself"),
        Argument(factors.HURRY, "value", -1, "a business cycle of waiting delays everyone else"),
        Argument(factors.FIXED_DATE, "value", -0.5, "the wait for the pilot may miss the date"),
        Argument(factors.PATIENCE, "value", +0.5, "there is time for a business cycle of learning"),
        Argument(factors.COST, "value", -0.5, "two ways of working are kept up for a business cycle"),
        Argument(factors.BUDGET_THIN, "risk", +0.5, "only one group can use up error budget"),
        Argument(factors.FEW, "value", -0.5, "there are hardly more users than a pilot would have"),
        Argument(
            factors.MUCH_TRAINING, "user_readiness", +1, "training can be tried and mended in one group"
        ),
        Argument(
            factors.LITTLE_TRAINING, "user_readiness", -0.5, "there is little to try out in teaching it"
        ),
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
