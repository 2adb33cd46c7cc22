"""Phased: module by module or site by site, each wave after the one before."""

from __future__ import annotations

from rollway.choice import vetoes
from rollway.choice.argument import Argument, Arguments
from rollway.choice.model import Method
from rollway.choice.rules import factors, pitfalls, tips

_ARGUMENTS = Arguments(
    (
        Argument(tips.SMALL_STEP, "value", +0.5, "small increments can follow one another"),
        Argument(tips.SIMPLE, "value", -1, "waves cost more than so simple a change is worth"),
        Argument(tips.DIVISIBLE, "risk", +2, "the change can be taken apart and mastered piece by piece"),
        Argument(
            tips.ONE_PIECE,
            "value",
            -1.5,
            "each wave would need interfaces that are thrown away after the last",
        ),
        Argument(tips.CRITERIA, "risk", +0.5, "each wave has fixed criteria to pass"),
        Argument(tips.PREPARE, "user_readiness", +1, "training and support can follow the waves"),
        Argument(
            pitfalls.INCOMPATIBLE,
            "risk",
            -2,
            "between the waves both versions work on data that only one of them reads",
        ),
        Argument(
            pitfalls.THIN_OPERATIONS,
            "user_readiness",
            +2,
            "the load on support and on the window is spread over the waves",
        ),
        Argument(
            pitfalls.OTHERS_NOT_READY,
            "compliance",
            +1,
            "what hangs on the missing party can come in a later wave",
        ),
        Argument(factors.GRAVE, "risk", +1, "a failure reaches one wave, not everyone"),
        Argument(factors.HARMLESS, "value", -0.5, "waves cost more than a failure would"),
        Argument(factors.REGULATED, "compliance", +0.5, "each wave leaves evidence for auditors"),
        Argument(factors.NO_LOSS, "risk", +0.5, "the data of one wave at a time is at stake"),
        Argument(factors.NO_WAY_BACK, "risk", +1, "only one wave is stuck with a bad version"),
        Argument(factors.HARD_TO_TEST, "risk", +1, "each wave shows what tests could not"),
        Argument(factors.UNCERTAIN, "value", +0.5, "later waves can change course"),
        Argument(factors.CERTAIN, "value", -0.5, "later waves would not change course"),
        Argument(factors.FEEDBACK, "value", +1, "each wave answers before the next"),
        Argument(factors.UNFINISHED, "risk", +1, "what is finished can go first, and the rest when it is"),
        Argument(factors.UNTOUCHED, "risk", -1, "each wave would notice"),
        Argument(factors.OLD_STAYS, "risk", +1, "the old system carries those whose wave has not come"),
        Argument(factors.OLD_GOES, "risk", -1, "nothing carries those whose wave has not come"),
        Argument(factors.COMPATIBLE, "risk", +1, "the versions can live together between the waves"),
        Argument(factors.ALL_TOGETHER, "risk", -2, "the waves would cut parties off from each other"),
        Argument(factors.REPLACEMENT, "risk", +0.5, "a large old system is left part by part"),
        Argument(
            factors.DRAINS,
            "risk",
            +2,
            "old work runs out in the old system while new work starts in the new one",
        ),
        Argument(factors.COMPLEX_MIGRATION, "risk", +1, "the data can be moved in parts"),
        Argument(factors.NO_MIGRATION, "risk", -0.5, "there is no data to move in parts"),
        Argument(factors.MODULAR, "value", +2, "the modules can go one after another"),
        Argument(factors.MONOLITHIC, "value", -1, "there are no modules to go one after another"),
        Argument(factors.ALIKE_SITES, "value", +1, "the sites can follow one another"),
        Argument(factors.UNLIKE_SITES, "user_readiness", +2, "each wave can be fitted to its site"),
        Argument(factors.SEVERAL_PLACES, "user_readiness", +1, "the sites can follow one another"),
        Argument(factors.ONE_SITE, "value", -1, "with one site there are no sites to go in waves"),
        Argument(factors.LARGE, "value", +1.5, "a large increment brings its first part early"),
        Argument(factors.INSTALL, "value", +2, "the installers go from site to site"),
        Argument(factors.MANUAL, "value", +0.5, "waves can be done by hand"),
        Argument(factors.SPLIT, "value", +0.5, "each wave can be switched over by itself"),
        Argument(factors.NO_DOWNTIME, "value", +0.5, "no wave stops the others"),
        Argument(factors.HURRY, "value", -1, "the last wave comes late"),
        Argument(factors.FIXED_DATE, "value", -0.5, "the last wave may miss the date"),
        Argument(factors.PATIENCE, "value", +0.5, "there is time for waves"),
        Argument(factors.BUDGET_THIN, "risk", +0.5, "only one wave at a time can use up error budget"),
        Argument(factors.FEW, "value", -1, "so few users make no waves"),
        Argument(
            factors.MANY, "user_readiness", +1, "many users are moved in portions that can be cared for"
        ),
        Argument(factors.STRONG_SUPPORT, "user_readiness", -0.5, "there is no load that has to be spread"),
        Argument(
            factors.MUCH_TRAINING,
            "user_readiness",
            +2,
            "people are trained wave by wave, just before their turn",
        ),
        Argument(factors.LITTLE_TRAINING, "user_readiness", -0.5, "there is little to teach wave by wave"),
    )
)

METHOD = Method(
    name="phased",
    title="Phased",
    summary="Module by module or site by site, each wave after the one before.",
    vetoes=(
        vetoes.V2_COEXISTENCE,
        vetoes.V9_DIVISIBLE,
        vetoes.V10_TOGETHER,
        vetoes.V18_WAY_BACK,
    ),
    argue=_ARGUMENTS,
)
