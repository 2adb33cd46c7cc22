"""The one table between the factors of published cases and the facts of a release file.

A case tells in few words what a release file tells in many; each line below says which facts a factor stands
for. A factor that is absent leaves its facts unknown. `domain`, the industry, stands for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

BOOL = ("true", "false")
_YES_AND_NO = {"true": True, "yes": True, "false": False, "no": False}
LEVELS = ("low", "medium", "high")
FEW_SITES, MANY_SITES = 3, 20
MANY_SYSTEMS, SEVERAL_SOURCES = 5, 3


@dataclass(frozen=True, slots=True)
class Says:
    """One fact that a factor stands for. An implied one gives way to a factor that states the fact itself."""

    path: str
    value: Any
    implied: bool = False


Meaning = Callable[[Any], tuple[Says, ...]]


@dataclass(frozen=True, slots=True)
class Factor:
    """A name, the words it takes (`a number` and `any word` are open), and the facts that it stands for."""

    name: str
    words: tuple[str, ...]
    meaning: Meaning
    takes_number: bool = False

    def takes(self, value: object) -> bool:
        """Whether the value is one of the factor's own."""
        if isinstance(value, bool):
            return str(value).lower() in self.words
        if isinstance(value, int | float):
            return self.takes_number and value >= 0
        # A text that looks like true is none: `read` makes it one.
        return isinstance(value, str) and (not self.words or value in self.words) and self.words != BOOL

    def read(self, value: Any) -> Any:
        """The value as the factor means it: yes, and true in quotes, are true where true is a word of it."""
        return (
            _YES_AND_NO.get(value.lower(), value) if isinstance(value, str) and self.words == BOOL else value
        )

    @property
    def expected(self) -> str:
        """What the factor takes, as a clause: "low, medium or high"."""
        words = [*self.words, *(["a number"] if self.takes_number else [])] or ["any word"]
        return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _flag(name: str, *paths: str) -> Factor:
    """true and false, as they are."""
    return Factor(name, BOOL, lambda value: tuple(Says(path, value) for path in paths))


def _mapped(name: str, table: Mapping[object, tuple[Says, ...]]) -> Factor:
    """Each word with its own facts."""
    words = tuple(str(word).lower() if isinstance(word, bool) else str(word) for word in table)
    return Factor(name, words, lambda value: table[value])


def _word(name: str, path: str, *words: str, **others: Any) -> Factor:
    """Words of the fact itself, and words that are called otherwise there."""
    table = {word: word for word in words} | others
    return _mapped(name, {word: (Says(path, value),) for word, value in table.items()})


def _count(name: str, path: str, words: Mapping[str, int], *, implied: bool = False) -> Factor:
    """A number, or a word that is counted as one."""

    def meaning(value: Any) -> tuple[Says, ...]:
        number = words[value] if isinstance(value, str) else int(value)
        return (Says(path, max(1, number), implied),)

    return Factor(name, tuple(words), meaning, takes_number=True)


def _many_systems(name: str, path: str, level: str, least: int) -> Factor:
    """From so many on, a fact follows; below, nothing does."""

    def meaning(value: Any) -> tuple[Says, ...]:
        is_many = value == "many" if isinstance(value, str) else value >= least
        return (Says(path, level, implied=True),) if is_many else ()

    return Factor(name, ("many",), meaning, takes_number=True)


def _silent(name: str, *words: str, takes_number: bool = False) -> Factor:
    """Understood, and read by no rule."""
    return Factor(name, words, lambda value: (), takes_number)


def _countries(value: Any) -> tuple[Says, ...]:
    """Countries differ in law and language; that they work alike has to be said."""
    number = MANY_SITES if value == "many" else int(value)
    if number < 2:
        return ()
    return (
        Says("stakeholders.sites", number, implied=True),
        Says("stakeholders.groups_alike", False, implied=True),
    )


def _several(alike: bool, number: int) -> tuple[Says, ...]:
    """Whoever says whether they are alike says that there are several."""
    return (Says(_ALIKE, alike), Says(_SITES, number, implied=True))


_ALIKE, _SITES = "stakeholders.groups_alike", "stakeholders.sites"
_SITE_WORDS = {"one": 1, "few": FEW_SITES, "many": MANY_SITES}
_ROLLBACK = "done.tests.rollback_duration"
# Two systems that live beside each other, or are kept in step: each reads what the other has written.
_BESIDE = (
    Says("migration.old_kept_running", True, implied=True),
    Says("migration.backward_compatible", True, implied=True),
)
# Whoever finds schema and code tied, or the store not to be shared, has a schema that changes.
_SCHEMA_CHANGES = Says("migration.needed", True, implied=True)
_READY = {"text": "Ready by the word of those who looked", "evidence": "readiness"}

TABLE: tuple[Factor, ...] = (
    # goals
    _flag("compare_results_needed", "goals.compare_results_needed"),
    _flag("fast_rollback_needed", "goals.fast_rollback_needed"),
    _flag("outcome_uncertain", "goals.outcome_uncertain"),
    _flag("user_feedback_needed", "goals.user_feedback_needed"),
    _mapped(
        "learning_value",
        {
            "low": (Says("goals.user_feedback_needed", False, implied=True),),
            "medium": (),
            "high": (Says("goals.user_feedback_needed", True, implied=True),),
        },
    ),
    _flag("user_impact_allowed", "goals.user_impact_allowed"),
    _flag("deadline_fixed", "goals.deadline_fixed"),
    _word("urgency", "goals.urgency", *LEVELS),
    _mapped(
        "speed_priority",
        {
            "low": (Says("goals.urgency", "low", implied=True),),
            "medium": (Says("goals.urgency", "medium", implied=True),),
            "high": (Says("goals.urgency", "high", implied=True),),
            "highest": (Says("goals.urgency", "high", implied=True),),
        },
    ),
    _word("cost_priority", "goals.cost_matters", low=False, medium=False, high=True),
    _mapped(
        "risk_appetite",
        {
            "low": (
                Says("goals.weights", {"risk": 2.0}),
                Says("risks.failure_impact", "high", implied=True),
            ),
            "medium": (),
            "high": (
                Says("goals.weights", {"risk": 0.5}),
                Says("risks.failure_impact", "low", implied=True),
            ),
        },
    ),
    # what it is
    _word("change_type", "release.change", "new_increment", "replacement", "fix"),
    _word("change_size", "release.size", "small", "medium", "large"),
    _mapped(
        "duration",
        {
            "days": (),
            "weeks": (),
            "months": (),
            "years": (Says("release.size", "large", implied=True),),
        },
    ),
    _flag("modular", "backlog.modular"),
    _silent("release_frequency", "hourly", "daily", "weekly", "monthly", "quarterly", "yearly"),
    _silent("platform_updates", "rare", "frequent"),
    _silent("domain"),
    # how bad a failure would be
    _word("risk", "risks.failure_impact", "low", "medium", "high", "critical"),
    _word("financial_impact", "risks.financial_impact", *LEVELS),
    _flag("regulated", "risks.regulated"),
    _word("data_loss_tolerance", "risks.data_loss_tolerated", none=False, some=True),
    _word("testability", "done.tests.testability", *LEVELS),
    _flag("rollback_tested", "done.tests.rollback_tested"),
    _mapped(
        "fast_rollback_available",
        {True: (Says(_ROLLBACK, "5m"),), False: (Says(_ROLLBACK, "1d"),)},
    ),
    _mapped(
        "rollback",
        {
            "none": (Says("risks.reversible", False),),
            "limited": (Says("risks.reversible", False),),
            "full": (Says("risks.reversible", True),),
        },
    ),
    _mapped(
        "readiness",
        {
            "low": (Says("done.criteria", [{**_READY, "met": False}]),),
            "medium": (),
            "high": (Says("done.criteria", [{**_READY, "met": True}]),),
        },
    ),
    # the machinery
    _word("complexity", "architecture.complexity", *LEVELS),
    _word("integration_coupling", "architecture.integration_coupling", *LEVELS),
    _many_systems("n_systems", "architecture.complexity", "high", MANY_SYSTEMS),
    _word("automation_maturity", "architecture.automation", *LEVELS),
    _word("telemetry_maturity", "architecture.telemetry", *LEVELS),
    _mapped(
        "business_metrics",
        {True: (Says("architecture.telemetry", "high", implied=True),), False: ()},
    ),
    _flag("feature_flags", "architecture.feature_flags"),
    _flag("traffic_splitting", "architecture.traffic_split"),
    _mapped(
        "capacity_ramp_possible",
        {word: (Says("architecture.traffic_split", word, implied=True),) for word in (True, False)},
    ),
    _word("traffic", "architecture.requests_per_second", low=0.1, medium=5.0, high=200.0),
    _flag("dual_capacity", "architecture.spare_capacity"),
    _flag("all_parties_must_switch_together", "architecture.all_switch_together"),
    _flag("work_drains_naturally", "architecture.work_drains_naturally"),
    _flag("vendor_update_process", "architecture.vendor_procedure_fixed"),
    _flag("hardware_install", "architecture.hardware_install"),
    _mapped(
        "third_party_alignment",
        {
            word: (Says("architecture.third_parties", [{"name": "third parties", "ready": word}]),)
            for word in (True, False)
        },
    ),
    # old and new beside each other, and the data
    _flag("backward_compatible", "migration.backward_compatible"),
    _mapped(
        "coexistence_available",
        {
            True: _BESIDE,
            False: (
                Says("migration.backward_compatible", False, implied=True),
                Says("migration.dual_run_feasible", False, implied=True),
            ),
        },
    ),
    _mapped(
        "schema_coupling",
        {
            "low": (Says("migration.schema_separable", True),),
            "medium": (),
            "high": (Says("migration.schema_separable", False), _SCHEMA_CHANGES),
        },
    ),
    _mapped(
        "shared_datastore_possible",
        {
            True: (
                Says("migration.schema_separable", True, implied=True),
                Says("migration.backward_compatible", True, implied=True),
            ),
            False: (Says("migration.schema_separable", False, implied=True), _SCHEMA_CHANGES),
        },
    ),
    _flag("dual_run_feasible", "migration.dual_run_feasible"),
    _flag("side_effect_free", "migration.side_effects_suppressed"),
    _flag("legacy_kept_running", "migration.old_kept_running"),
    _mapped("sync_between_systems", {True: _BESIDE, False: ()}),
    _mapped("integration_two_way", {True: _BESIDE, False: ()}),
    _mapped(
        "data_migration",
        {
            "none": (Says("migration.needed", False),),
            "simple": (Says("migration.complexity", "simple"),),
            "complex": (Says("migration.complexity", "complex"),),
        },
    ),
    _many_systems("n_source_systems", "migration.complexity", "complex", SEVERAL_SOURCES),
    _mapped(
        "migration_throughput",
        {"limited": (Says("migration.complexity", "complex", implied=True),), "ample": ()},
    ),
    _flag("migration_rehearsed", "migration.rehearsed"),
    # the people and the places
    _count("n_users", "stakeholders.users", {"small": 50, "large": 10_000, "very_large": 1_000_000}),
    _flag("users_external", "stakeholders.users_external"),
    _count("n_sites", _SITES, _SITE_WORDS),
    _count("n_groups", _SITES, _SITE_WORDS, implied=True),
    _count("n_entities", _SITES, _SITE_WORDS, implied=True),
    Factor("n_countries", ("many",), _countries, takes_number=True),
    _mapped("sites_homogeneous", {word: _several(word, FEW_SITES) for word in (True, False)}),
    _mapped("fleet_heterogeneous", {word: _several(not word, MANY_SITES) for word in (True, False)}),
    _mapped(
        "localisation",
        {
            "low": (Says(_ALIKE, True, implied=True),),
            "medium": (),
            "high": (Says(_ALIKE, False, implied=True),),
        },
    ),
    _mapped(
        "standardised_workflows",
        {True: (Says(_ALIKE, True, implied=True),), False: (Says(_ALIKE, False, implied=True),)},
    ),
    _word("training_load", "stakeholders.training_load", *LEVELS),
    _word("support_capacity", "stakeholders.support_capacity", "medium", limited="low", large="high"),
    # the calendar
    _word("downtime_tolerance", "agreements.downtime_tolerated", "none", "short", "long"),
    _flag("peak_season", "agreements.peak_season"),
)
FACTORS: Mapping[str, Factor] = {factor.name: factor for factor in TABLE}


def facts_of(stated: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """Path, value and the factor's name, for every fact that the factors stand for, each path once.

    A factor that states a fact goes before one that implies it; of equals the earlier line of the table.
    So the order in which the factors were written does not matter.
    """
    found: dict[str, tuple[Says, str]] = {}
    for factor in TABLE:
        if factor.name not in stated:
            continue
        for says in factor.meaning(stated[factor.name]):
            first = found.get(says.path)
            if first is None or (first[0].implied and not says.implied):
                found[says.path] = (says, factor.name)
    for path, (says, name) in found.items():
        yield path, says.value, name
