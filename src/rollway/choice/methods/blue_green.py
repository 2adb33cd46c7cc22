"""Blue-green: a second environment beside the first; switch, watch, switch back if need be."""

from __future__ import annotations

from rollway.choice import vetoes
from rollway.choice.argument import Argument, Arguments
from rollway.choice.model import Method
from rollway.choice.rules import factors, pitfalls, tips

_ARGUMENTS = Arguments(
    (
        Argument(
            tips.SIMPLE, "value", -0.5, "a second environment costs more than so simple a change is worth"
        ),
        Argument(
            tips.ENTANGLED, "risk", -0.5, "what goes wrong goes wrong for everyone until the switch back"
        ),
        Argument(tips.MATURE, "risk", +1, "the switch and its checks can be left to machines"),
        Argument(tips.CRITERIA, "risk", +0.5, "fixed criteria say when to switch back"),
        Argument(tips.PREPARE, "user_readiness", -0.5, "all users meet the change at once"),
        Argument(
            pitfalls.INCOMPATIBLE,
            "risk",
            -1,
            "after a switch back the old version meets data that it does not read",
        ),
        Argument(
            pitfalls.UNPREPARED, "user_readiness", -1, "everyone meets a change that nobody has told them of"
        ),
        Argument(pitfalls.THIN_OPERATIONS, "user_readiness", -1, "all the questions come on one day"),
        Argument(factors.GRAVE, "risk", +0.5, "the old environment stays ready to take over"),
        Argument(factors.HARMLESS, "value", -1, "a second environment costs more than a failure would"),
        Argument(
            factors.REGULATED, "compliance", +0.5, "the environment that was tested is the one that goes live"
        ),
        Argument(factors.WAY_BACK, "risk", +1.5, "going back is one switch"),
        Argument(factors.NO_NEED_OF_WAY_BACK, "value", -0.5, "the way back that it pays for is not needed"),
        Argument(factors.QUICK_BACK, "risk", +1, "a bad switch is undone soon"),
        Argument(factors.NO_WAY_BACK_IN_PLACE, "risk", -2, "switching back, its main use, is not to be had"),
        Argument(factors.UNCERTAIN, "value", -1, "everyone changes before anyone knows whether it helps"),
        Argument(factors.FEEDBACK, "value", -0.5, "feedback comes when everyone has changed"),
        Argument(factors.UNTOUCHED, "risk", +0.5, "the new environment is tried with nobody on it"),
        Argument(factors.COMPATIBLE, "risk", +1.5, "both environments can share the data"),
        Argument(factors.SCHEMA_APART, "risk", +1, "the schema can come before the switch"),
        Argument(factors.SCHEMA_TIED, "risk", -2, "one store cannot hold two schemas"),
        Argument(factors.ALL_TOGETHER, "risk", +1, "everyone switches at one instant, and can switch back"),
        Argument(factors.REPLACEMENT, "risk", -0.5, "another system is more than a second copy of this one"),
        Argument(factors.COMPLEX_MIGRATION, "risk", -1, "the data of the two environments drifts apart"),
        Argument(factors.NO_MIGRATION, "risk", +0.5, "both environments work on the same data"),
        Argument(factors.UNLIKE_SITES, "user_readiness", -1, "a switch for all treats unlike sites alike"),
        Argument(factors.SEVERAL_PLACES, "user_readiness", -0.5, "all sites change in one moment"),
        Argument(factors.INSTALL, "value", -2, "what is installed on site has no second copy"),
        Argument(factors.MANUAL, "risk", -1, "two environments kept alike by hand drift apart"),
        Argument(factors.AUTOMATED, "value", +1, "the second environment is built by machine"),
        Argument(factors.QUIET_TRAFFIC, "value", +0.5, "the switch needs no statistics"),
        Argument(
            factors.SPARE_CAPACITY, "risk", +1.5, "the old environment can be kept whole beside the new one"
        ),
        Argument(factors.SWITCH_BACK, "risk", +1, "the way back that is needed is there"),
        Argument(factors.VENDOR_FIXED, "risk", -2, "the vendor's procedure has no room for two environments"),
        Argument(factors.NO_DOWNTIME, "value", +2, "the switch happens without a stop"),
        Argument(factors.HURRY, "value", +1, "everyone has it after one switch"),
        Argument(factors.COST, "value", -1, "a second environment is paid for"),
        Argument(factors.MANY, "risk", -0.5, "a fault reaches very many users until the switch back"),
        Argument(factors.MUCH_TRAINING, "user_readiness", -1, "all users must have learnt it by one day"),
        Argument(factors.LITTLE_TRAINING, "user_readiness", +0.5, "everyone can use it at once"),
    )
)

METHOD = Method(
    name="blue_green",
    title="Blue-green",
    summary="A second environment beside the first; switch, watch, switch back if need be.",
    vetoes=(
        vetoes.V2_COEXISTENCE,
        vetoes.V5_CAPACITY,
        vetoes.V6_DRAIN,
    ),
    argue=_ARGUMENTS,
)
