"""Big-bang: everyone at one moment, by a rehearsed runbook."""

from __future__ import annotations

from rollway.choice import vetoes
from rollway.choice.argument import Argument, Arguments
from rollway.choice.model import Method
from rollway.choice.rules import factors, pitfalls, tips

_ARGUMENTS = Arguments(
    (
        Argument(
            tips.HIGH_STAKES, "compliance", -2, "everyone depends on the new version from the first minute"
        ),
        Argument(tips.SIMPLE, "risk", +2, "there is little that can go wrong at once"),
        Argument(tips.ENTANGLED, "risk", -2, "everything that can go wrong goes wrong at once"),
        Argument(
            tips.ONE_PIECE,
            "value",
            +2,
            "one well-prepared cutover saves interfaces that are thrown away later",
        ),
        Argument(tips.PREPARE, "user_readiness", -1, "all users must be ready on one day"),
        Argument(pitfalls.UNTESTED_ROLLBACK, "risk", -2, "nobody knows whether there is a way back"),
        Argument(pitfalls.INCOMPATIBLE, "risk", +1, "with a stop in between the two versions never meet"),
        Argument(pitfalls.UNPREPARED, "user_readiness", -2, "all unprepared users ask for help on one day"),
        Argument(pitfalls.THIN_OPERATIONS, "user_readiness", -2, "all the load comes on one day"),
        Argument(pitfalls.BLIND, "risk", -1, "a defect that shows late has reached everyone"),
        Argument(pitfalls.OTHERS_NOT_READY, "compliance", -1.5, "one party that is not ready stops everyone"),
        Argument(factors.GRAVE, "risk", -2, "a failure reaches everyone"),
        Argument(factors.HARMLESS, "risk", +1.5, "even a failure for everyone would do little harm"),
        Argument(factors.MONEY, "compliance", -1, "wrong sums reach everyone before they are found"),
        Argument(
            factors.REGULATED,
            "compliance",
            -1,
            "there is no evidence from real use before everyone depends on it",
        ),
        Argument(factors.UNREGULATED, "compliance", +0.5, "no regulator asks for evidence before"),
        Argument(factors.NO_LOSS, "risk", -1.5, "what is lost in one cutover is lost for everyone"),
        Argument(factors.WAY_BACK, "risk", -1, "there is no old version running to go back to"),
        Argument(factors.NO_NEED_OF_WAY_BACK, "risk", +0.5, "a slow way back will do"),
        Argument(factors.QUICK_BACK, "risk", +0.5, "a bad cutover is undone soon"),
        Argument(factors.NO_WAY_BACK, "risk", -2, "everyone is stuck with a bad version"),
        Argument(factors.BACK_TESTED, "risk", +0.5, "the way back has been walked"),
        Argument(factors.COMPARE, "compliance", -2, "the old results end where the new ones begin"),
        Argument(factors.NOTHING_TO_COMPARE, "compliance", +0.5, "the old results need not run on"),
        Argument(factors.HARD_TO_TEST, "risk", -2, "what tests miss reaches everyone"),
        Argument(factors.EASY_TO_TEST, "risk", +1, "tests show beforehand what waves would show"),
        Argument(factors.UNCERTAIN, "value", -2, "everyone changes before anyone knows whether it helps"),
        Argument(factors.CERTAIN, "value", +1, "there is nothing to wait and see"),
        Argument(factors.FEEDBACK, "value", -1, "feedback comes when everyone has changed"),
        Argument(factors.NOTHING_TO_ASK, "value", +0.5, "there is nothing to learn from the first users"),
        Argument(factors.UNFINISHED, "risk", -2, "what is unfinished hits everyone at once"),
        Argument(factors.FINISHED, "risk", +0.5, "it has proved itself against all its criteria"),
        Argument(factors.UNTOUCHED, "risk", -2, "all users would notice"),
        Argument(factors.OLD_STAYS, "value", -1.5, "the old system that stays would stand idle"),
        Argument(factors.OLD_GOES, "value", +1, "there is nothing to run beside the new system"),
        Argument(factors.ALL_TOGETHER, "risk", +2, "it is the only moment at which all parties are in step"),
        Argument(factors.ALL_TOGETHER, "value", +2, "nobody can use it before all have it"),
        Argument(factors.DRAINS, "risk", -1, "open work is moved overnight although it would run out"),
        Argument(factors.COMPLEX_MIGRATION, "risk", -1.5, "all data must move in one go"),
        Argument(factors.SIMPLE_MIGRATION, "risk", +1, "the data can move in one go"),
        Argument(factors.NO_MIGRATION, "risk", +1, "no data can be hurt by the cutover"),
        Argument(factors.REHEARSED, "risk", +1, "the cutover has been done before, on a copy"),
        Argument(factors.UNREHEARSED, "risk", -1, "the first cutover ever is the real one"),
        Argument(factors.MODULAR, "value", -1, "there is no need to move all modules at once"),
        Argument(factors.MONOLITHIC, "value", +1, "it is one piece, and one piece moves at once"),
        Argument(factors.ALIKE_SITES, "value", -1, "no site can learn from another"),
        Argument(factors.UNLIKE_SITES, "user_readiness", -2, "unlike sites all change on one day"),
        Argument(factors.SEVERAL_PLACES, "user_readiness", -1, "all sites change on one day"),
        Argument(factors.ONE_SITE, "value", +1, "there is only one site to switch"),
        Argument(factors.SMALL, "value", +1, "so small a change is over in one step"),
        Argument(factors.LARGE, "risk", -1, "a large increment brings all its faults at once"),
        Argument(factors.LOOSE, "risk", +0.5, "little else can be pulled down with it"),
        Argument(factors.INSTALL, "value", -1, "installers cannot be at all sites on one day"),
        Argument(factors.MANUAL, "value", +0.5, "it has to be done by hand only once"),
        Argument(factors.NO_DOWNTIME, "value", -2, "a cutover needs a stop"),
        Argument(factors.SHORT_STOP, "value", +0.5, "a short stop is time enough to switch"),
        Argument(factors.LONG_STOP, "value", +1, "there is time to stop and switch"),
        Argument(factors.HURRY, "value", +2, "everyone has it at once"),
        Argument(factors.FIXED_DATE, "value", +1, "everyone has it on the date"),
        Argument(factors.PATIENCE, "value", -0.5, "there is no need to do it all at once"),
        Argument(factors.COST, "value", +1.5, "one cutover is the cheapest"),
        Argument(factors.PEAK, "risk", -2, "a failure would hit the busiest days of all users"),
        Argument(factors.BUDGET_THIN, "risk", -1, "everyone uses up error budget at once"),
        Argument(factors.FEW, "value", +1.5, "few users can be moved on one day"),
        Argument(factors.MANY, "risk", -1.5, "a fault reaches very many users"),
        Argument(factors.MUCH_TRAINING, "user_readiness", -2, "all users must have learnt it by one day"),
        Argument(factors.LITTLE_TRAINING, "user_readiness", +0.5, "nobody needs to be taught first"),
        Argument(factors.STRONG_SUPPORT, "user_readiness", +1, "support can carry everyone on one day"),
        Argument(factors.WORK_CHANGES, "risk", -2, "everyone's speed and way of working change at once"),
    )
)

METHOD = Method(
    name="big_bang",
    title="Big-bang",
    summary="Everyone at one moment, by a rehearsed runbook.",
    vetoes=(
        vetoes.V1_ROLLBACK,
        vetoes.V19_NO_TRIAL,
    ),
    argue=_ARGUMENTS,
)
