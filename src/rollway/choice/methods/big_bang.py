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
        Argument(tips.PREPARE, "user_readiness", -1, "all users must be ready on one day"),
        Argument(pitfalls.UNTESTED_ROLLBACK, "risk", -2, "nobody knows whether there is a way back"),
        Argument(pitfalls.UNPREPARED, "user_readiness", -2, "all unprepared users ask for help on one day"),
        Argument(pitfalls.THIN_OPERATIONS, "user_readiness", -2, "all the load comes on one day"),
        Argument(pitfalls.BLIND, "risk", -1, "a defect that shows late has reached everyone"),
        Argument(pitfalls.OTHERS_NOT_READY, "compliance", -1, "one party that is not ready stops everyone"),
        Argument(factors.GRAVE, "risk", -2, "a failure reaches everyone"),
        Argument(factors.HARMLESS, "risk", +1, "even a failure for everyone would do little harm"),
        Argument(factors.COMPARE, "compliance", -2, "the old results end where the new ones begin"),
        Argument(factors.HARD_TO_TEST, "risk", -2, "what tests miss reaches everyone"),
        Argument(factors.COMPLEX_MIGRATION, "risk", -1, "all data must move in one go"),
        Argument(factors.MODULAR, "value", -1, "there is no need to move all modules at once"),
        Argument(factors.ALIKE_SITES, "value", -1, "no site can learn from another"),
        Argument(factors.UNLIKE_SITES, "user_readiness", -2, "unlike sites all change on one day"),
        Argument(factors.SEVERAL_SITES_RULE, "user_readiness", -1, "all sites change on one day"),
        Argument(factors.ONE_SITE, "value", +1, "there is only one site to switch"),
        Argument(factors.ALL_TOGETHER, "risk", +2, "it is the only moment at which all parties are in step"),
        Argument(factors.NO_DOWNTIME, "value", -2, "a cutover needs a stop"),
        Argument(factors.LONG_DOWNTIME, "value", +1, "there is time to stop and switch"),
        Argument(factors.HURRY, "value", +2, "everyone has it at once"),
        Argument(factors.PATIENCE, "value", -0.5, "there is no need to do it all at once"),
        Argument(factors.LARGE, "risk", -1, "a large increment brings all its faults at once"),
        Argument(factors.MUCH_TRAINING, "user_readiness", -2, "all users must have learnt it by one day"),
        Argument(factors.UNCERTAIN, "value", -2, "everyone changes before anyone knows whether it helps"),
        Argument(factors.FEEDBACK, "value", -1, "feedback comes when everyone has changed"),
        Argument(
            factors.REGULATED,
            "compliance",
            -1,
            "there is no evidence from real use before everyone depends on it",
        ),
        Argument(factors.DRAINS, "risk", -1, "open work is moved overnight although it would run out"),
        Argument(factors.BUDGET_THIN, "risk", -1, "everyone uses up error budget at once"),
        Argument(factors.COST, "value", +1, "one cutover is the cheapest"),
        Argument(factors.WAY_BACK, "risk", -1, "there is no old version running to go back to"),
        Argument(factors.QUICK_BACK, "risk", +0.5, "a bad cutover is undone soon"),
        Argument(factors.FEW, "value", +1, "few users can be moved on one day"),
        Argument(factors.MANY, "risk", -1, "a fault reaches very many users"),
        Argument(factors.WORK_CHANGES, "risk", -1, "everyone's speed and way of working change at once"),
    )
)

METHOD = Method(
    name="big_bang",
    title="Big-bang",
    summary="Everyone at one moment, by a rehearsed runbook.",
    vetoes=(vetoes.V1_ROLLBACK, vetoes.V19_PROVEN),
    argue=_ARGUMENTS,
)
