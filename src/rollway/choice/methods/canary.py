"""Canary: a small random share first, watched against the old version, then more."""

from __future__ import annotations

from rollway.choice import vetoes
from rollway.choice.argument import Argument, Arguments
from rollway.choice.model import Method
from rollway.choice.rules import factors, pitfalls, tips
from rollway.choice.rules.shares import with_machinery

_ARGUMENTS = Arguments(
    (
        Argument(tips.SMALL_STEP, "value", +1, "a small increment can be shown to a small share first"),
        Argument(tips.MATURE, "risk", +2, "small shares can be watched, raised and taken back by machine"),
        Argument(tips.CRITERIA, "risk", +1, "every step is judged by fixed criteria"),
        Argument(
            tips.PREPARE,
            "user_readiness",
            -1,
            "a random share of users meets the change without being prepared",
        ),
        Argument(
            pitfalls.INCOMPATIBLE,
            "risk",
            -2,
            "both versions serve at once, on data that only one of them reads",
        ),
        Argument(
            pitfalls.UNPREPARED,
            "user_readiness",
            -1,
            "random users meet a change that nobody has told them of",
        ),
        Argument(pitfalls.THIN_OPERATIONS, "user_readiness", +0.5, "few users at a time can ask for help"),
        Argument(pitfalls.BLIND, "risk", -2, "nothing shows which version does harm"),
        Argument(with_machinery(factors.GRAVE), "risk", +1, "a failure reaches a small share of users"),
        Argument(
            factors.REGULATED,
            "compliance",
            -0.5,
            "who gets what is left to chance, which is hard to explain to auditors",
        ),
        Argument(factors.WAY_BACK, "risk", +0.5, "the share can be set back to nothing"),
        Argument(factors.QUICK_BACK, "risk", +1.5, "a bad step is taken back before many meet it"),
        Argument(
            with_machinery(factors.NO_WAY_BACK), "risk", +1, "only a small share is stuck with a bad version"
        ),
        Argument(
            with_machinery(factors.COMPARE),
            "compliance",
            +0.5,
            "old and new are measured on the same traffic at the same time",
        ),
        Argument(with_machinery(factors.HARD_TO_TEST), "risk", +1, "real traffic shows what tests cannot"),
        Argument(
            with_machinery(factors.UNCERTAIN),
            "value",
            +2,
            "the effect is measured on few before many meet it",
        ),
        Argument(factors.CERTAIN, "value", -0.5, "there is little left to measure"),
        Argument(
            with_machinery(factors.FEEDBACK), "value", +0.5, "few users can be asked while most are untouched"
        ),
        Argument(factors.UNTOUCHED, "risk", -1, "the users of the small share would notice"),
        Argument(factors.TOUCHABLE, "value", +1, "a share of real users shows what no copy of traffic can"),
        Argument(with_machinery(factors.COMPATIBLE), "risk", +1, "both versions can serve side by side"),
        Argument(factors.SCHEMA_APART, "risk", +0.5, "the schema can come before the code"),
        Argument(factors.SCHEMA_TIED, "risk", -1, "two schemas cannot serve at once"),
        Argument(factors.ALL_TOGETHER, "risk", -2, "a share of the parties cannot switch alone"),
        Argument(
            factors.REPLACEMENT, "risk", -1, "a whole other system cannot be dealt out request by request"
        ),
        Argument(
            factors.COMPLEX_MIGRATION, "risk", -1.5, "data that moves cannot follow users back and forth"
        ),
        Argument(factors.NO_MIGRATION, "risk", +0.5, "users can go back and forth, as no data moves"),
        Argument(factors.INSTALL, "value", -2, "what is installed by hand cannot be dealt out at random"),
        Argument(factors.MANUAL, "risk", -2, "many small steps by hand invite mistakes"),
        Argument(factors.AUTOMATED, "value", +1, "many small steps cost nothing"),
        Argument(factors.WELL_WATCHED, "risk", +1, "harm shows early"),
        Argument(factors.MEASURED_APART, "risk", +1, "harm shows at a small share"),
        Argument(factors.BUSY_TRAFFIC, "value", +1, "a small share gives an answer soon"),
        Argument(factors.QUIET_TRAFFIC, "value", -2, "a small share takes long to give an answer"),
        Argument(
            factors.SPLIT, "value", +1.5, "a small share can be given the new version and taken back at once"
        ),
        Argument(factors.NO_DOWNTIME, "value", +1, "traffic moves without a stop"),
        Argument(with_machinery(factors.HURRY), "value", +0.5, "the first users have it at once"),
        Argument(
            with_machinery(factors.BUDGET_THIN), "risk", +1, "a small share uses up little error budget"
        ),
        Argument(factors.FEW, "value", -1, "a share of few users shows nothing"),
        Argument(with_machinery(factors.MANY), "risk", +1, "of very many users only a few meet a fault"),
        Argument(
            with_machinery(factors.OUTSIDERS),
            "user_readiness",
            +0.5,
            "people from outside are met as they come, a share of them at a time",
        ),
        Argument(
            factors.MUCH_TRAINING, "user_readiness", -1, "people drawn at random cannot be trained before"
        ),
        Argument(factors.LITTLE_TRAINING, "user_readiness", +0.5, "whoever is drawn can use it at once"),
        Argument(
            with_machinery(factors.WORK_CHANGES),
            "risk",
            +1,
            "the effect on speed and work is measured on few users",
        ),
    )
)

METHOD = Method(
    name="canary",
    title="Canary",
    summary="A small random share first, watched against the old version, then more.",
    vetoes=(
        vetoes.V2_COEXISTENCE,
        vetoes.V3_TELEMETRY,
        vetoes.V4_VOLUME,
        vetoes.V10_TOGETHER,
        vetoes.V18_WAY_BACK,
    ),
    argue=_ARGUMENTS,
)
