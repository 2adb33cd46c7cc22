"""Further factors that guides on deployment weigh, F1 and on."""

from __future__ import annotations

from datetime import timedelta

from rollway.choice.condition import AtLeast, Given, Seen, Unless, all_of, any_of, below, is_, no, yes
from rollway.choice.rules.done import criteria_met, criteria_open
from rollway.choice.rules.rule import Rule
from rollway.facts.model import Release
from rollway.readiness import Answer

FEW_USERS, MANY_USERS = 200, 10_000
SEVERAL_SITES = 3
BUSY, QUIET = 10.0, 1.0  # requests per second
QUICK_ROLLBACK, SLOW_ROLLBACK = timedelta(minutes=15), timedelta(hours=4)
THIN_BUDGET = 0.25

_IMPACT, _GROUPS = "risks.failure_impact", "stakeholders.groups"
_SITES, _ALIKE = "stakeholders.sites", "stakeholders.groups_alike"


def _named_groups(release: Release) -> Answer:
    """Whether several groups are named; open where none is, because then nobody has listed them."""
    count = len(release.stakeholders.groups)
    told = f"groups: {count} (stakeholders.groups)"
    return Answer(count >= SEVERAL_SITES if count else None, told, () if count else (_GROUPS,))


def _one_group_at_most(release: Release) -> Answer:
    return Answer(len(release.stakeholders.groups) < 2, "")


def _work_changes(release: Release) -> Answer:
    items = release.backlog.items
    touching = [item.id for item in items if {"workflow", "performance"} & set(item.touches)]
    told = f"stories that touch workflow or performance: {len(touching)} of {len(items)}"
    evidence = f"{told} ({', '.join(touching[:4])}, backlog.items)"
    return Answer(bool(touching) if items else None, evidence, () if items else ("backlog.items",))


def _thin_budget(release: Release) -> Answer:
    left = [(level.name, level.error_budget_left) for level in release.agreements.service_levels]
    known = [(name, share) for name, share in left if share is not None]
    thin = [f"{name} {share:.0%}" for name, share in known if share < THIN_BUDGET]
    told = f"error budget left: {', '.join(thin)} (agreements.service_levels)"
    return Answer(bool(thin) if known else None, told, () if known else ("agreements.service_levels",))


_SEVERAL = any_of(AtLeast(_SITES, SEVERAL_SITES), Seen("several groups", _named_groups, (_GROUPS,)))

# --- how bad a failure would be, and whether there is a way back ------------------------------------

GRAVE = Rule("F1", "A failure would be grave", is_(_IMPACT, "high", "critical"))
CRITICAL = Rule("F1", "A failure would be critical", is_(_IMPACT, "critical"))
GRAVE_AND_FINAL = Rule(
    "F1",
    "A failure would be grave and hard to take back",
    all_of(is_(_IMPACT, "high", "critical"), any_of(no("risks.reversible"), no("migration.reversible"))),
)
HARMLESS = Rule("F1", "A failure would do little harm", is_(_IMPACT, "low"))
MONEY = Rule("F23", "Much money is at stake", is_("risks.financial_impact", "high"))
REGULATED = Rule("F23", "The product is regulated", yes("risks.regulated"))
UNREGULATED = Rule("F23", "The product is not regulated", no("risks.regulated"))
NO_LOSS = Rule("F34", "No data may be lost", no("risks.data_loss_tolerated"))
WAY_BACK = Rule("F30", "A fast way back is needed", yes("goals.fast_rollback_needed"))
NO_NEED_OF_WAY_BACK = Rule("F30", "No fast way back is needed", no("goals.fast_rollback_needed"))
QUICK_BACK = Rule(
    "F30",
    "Going back is quick",
    all_of(
        below("done.tests.rollback_duration", QUICK_ROLLBACK + timedelta(seconds=1)),
        Unless(no("done.tests.rollback_tested")),
        Unless(no("risks.reversible")),
    ),
)
NO_WAY_BACK = Rule(
    "F30",
    "There is no quick way back",
    any_of(no("risks.reversible"), AtLeast("done.tests.rollback_duration", SLOW_ROLLBACK)),
)
NO_WAY_BACK_IN_PLACE = Rule(
    "F30",
    "There is no quick way back, and no second environment to go back to",
    all_of(NO_WAY_BACK.holds, Unless(yes("architecture.spare_capacity"))),
)
BACK_TESTED = Rule("F30", "The way back is tested", yes("done.tests.rollback_tested"))

# --- what can be known before ------------------------------------------------------------------------

COMPARE = Rule("F2", "Results of old and new must be compared", yes("goals.compare_results_needed"))
NOTHING_TO_COMPARE = Rule("F2", "No results need be compared", no("goals.compare_results_needed"))
HARD_TO_TEST = Rule("F3", "Tests reduce the risk but little", is_("done.tests.testability", "low"))
EASY_TO_TEST = Rule("F3", "Tests can show nearly everything", is_("done.tests.testability", "high"))
UNCERTAIN = Rule("F22", "The outcome is uncertain", yes("goals.outcome_uncertain"))
CERTAIN = Rule("F22", "The outcome is certain", no("goals.outcome_uncertain"))
FEEDBACK = Rule("F22", "What the first users say is needed", yes("goals.user_feedback_needed"))
NOTHING_TO_ASK = Rule("F22", "Nothing has to be learnt from users", no("goals.user_feedback_needed"))
UNFINISHED = Rule(
    "F38", "What was to be done is not done", Seen("criteria open", criteria_open, ("done.criteria",))
)
FINISHED = Rule("F38", "All that was to be done is done", Seen("all met", criteria_met, ("done.criteria",)))

# --- old and new beside each other -------------------------------------------------------------------

DUAL_RUN = Rule("F4", "Both systems can do the same work", yes("migration.dual_run_feasible"))
NOTHING_TWICE = Rule("F4", "A second run has no effects of its own", yes("migration.side_effects_suppressed"))
UNTOUCHED = Rule("F35", "No user may notice the trial", no("goals.user_impact_allowed"))
TOUCHABLE = Rule("F35", "Users may meet the trial", yes("goals.user_impact_allowed"))
OLD_STAYS = Rule("F37", "The old system stays in use for a time", yes("migration.old_kept_running"))
OLD_GOES = Rule("F37", "The old system cannot stay in use", no("migration.old_kept_running"))
COMPATIBLE = Rule("F6", "Both versions understand each other's data", yes("migration.backward_compatible"))
SCHEMA_APART = Rule("F7", "The schema can change apart from the code", yes("migration.schema_separable"))
SCHEMA_TIED = Rule("F7", "The schema is tied to the code", no("migration.schema_separable"))
ALL_TOGETHER = Rule("F10", "All parties must switch at once", yes("architecture.all_switch_together"))
REPLACEMENT = Rule("F19", "A whole system is replaced", is_("release.change", "replacement"))
DRAINS = Rule("F26", "Open work runs out by itself", yes("architecture.work_drains_naturally"))
_MOVES = Unless(no("migration.needed"))  # how it would be moved says nothing where nothing is moved
COMPLEX_MIGRATION = Rule(
    "F5", "The data migration is complex", all_of(is_("migration.complexity", "complex"), _MOVES)
)
SIMPLE_MIGRATION = Rule(
    "F5", "The data migration is simple", all_of(is_("migration.complexity", "simple"), _MOVES)
)
NO_MIGRATION = Rule("F5", "No data is moved", no("migration.needed"))
REHEARSED = Rule("F5", "The migration is rehearsed", all_of(yes("migration.rehearsed"), _MOVES))
UNREHEARSED = Rule("F5", "The migration is not rehearsed", all_of(no("migration.rehearsed"), _MOVES))

# --- into which parts it falls -----------------------------------------------------------------------

MODULAR = Rule("F8", "The scope comes in modules", yes("backlog.modular"))
MONOLITHIC = Rule("F8", "The scope does not come in modules", no("backlog.modular"))
ALIKE_SITES = Rule("F9", "Several alike sites or groups", all_of(_SEVERAL, yes(_ALIKE)))
UNLIKE_SITES = Rule("F9", "The sites or groups are unlike", all_of(no(_ALIKE), Unless(is_(_SITES, 1))))
SEVERAL_PLACES = Rule("F9", "Several sites or groups", all_of(_SEVERAL, Unless(is_(_ALIKE, True, False))))
ONE_SITE = Rule(
    "F9", "One site", all_of(is_(_SITES, 1), Given(Seen("one group at most", _one_group_at_most)))
)
SMALL = Rule("F19", "The increment is small", is_("release.size", "small"))
LARGE = Rule("F19", "The increment is large", is_("release.size", "large"))
LOOSE = Rule("F11", "Little hangs on it", is_("architecture.integration_coupling", "low"))
INSTALL = Rule("F36", "Something must be installed on site", yes("architecture.hardware_install"))

# --- what the machinery can do -----------------------------------------------------------------------

MANUAL = Rule("F12", "Deployments are manual", is_("architecture.automation", "low"))
AUTOMATED = Rule("F12", "Deployments are automated", is_("architecture.automation", "high"))
WELL_WATCHED = Rule("F13", "Production is watched well", is_("architecture.telemetry", "high"))
MEASURED_APART = Rule("F13", "Each version is measured apart", yes("architecture.per_version_telemetry"))
BUSY_TRAFFIC = Rule("F14", "Much traffic", AtLeast("architecture.requests_per_second", BUSY))
QUIET_TRAFFIC = Rule("F14", "Little traffic", below("architecture.requests_per_second", QUIET))
SPLIT = Rule(
    "F15",
    "Users can be given one version or the other",
    any_of(yes("architecture.feature_flags"), yes("architecture.traffic_split")),
)
SPARE_CAPACITY = Rule("F16", "There is room for two environments", yes("architecture.spare_capacity"))
SWITCH_BACK = Rule(
    "F16",
    "A fast way back is needed, and there is room for two environments",
    all_of(yes("architecture.spare_capacity"), yes("goals.fast_rollback_needed")),
)
VENDOR_FIXED = Rule("F24", "A vendor fixes the upgrade", yes("architecture.vendor_procedure_fixed"))

# --- time and money ----------------------------------------------------------------------------------

NO_DOWNTIME = Rule("F17", "No downtime is tolerated", is_("agreements.downtime_tolerated", "none"))
SHORT_STOP = Rule("F17", "A short stop is tolerated", is_("agreements.downtime_tolerated", "short"))
LONG_STOP = Rule("F17", "A long stop is tolerated", is_("agreements.downtime_tolerated", "long"))
HURRY = Rule("F18", "It is urgent", is_("goals.urgency", "high"))
FIXED_DATE = Rule("F18", "The date is fixed", yes("goals.deadline_fixed"))
PATIENCE = Rule("F18", "There is time", is_("goals.urgency", "low"))
COST = Rule("F28", "The rollout must be cheap", yes("goals.cost_matters"))
PEAK = Rule("F25", "It falls into the busiest season", yes("agreements.peak_season"))
BUDGET_THIN = Rule(
    "F27", "Little error budget is left", Seen("thin budget", _thin_budget, ("agreements.service_levels",))
)

# --- the people --------------------------------------------------------------------------------------

FEW = Rule("F31", "Few users", below("stakeholders.users", FEW_USERS + 1))
MANY = Rule("F31", "Very many users", AtLeast("stakeholders.users", MANY_USERS))
OUTSIDERS = Rule("F33", "The users are outside the organisation", yes("stakeholders.users_external"))
MUCH_TRAINING = Rule(
    "F20",
    "Users need much training",
    all_of(is_("stakeholders.training_load", "high"), Unless(no("stakeholders.training_needed"))),
)
LITTLE_TRAINING = Rule(
    "F20",
    "Users need little training",
    any_of(is_("stakeholders.training_load", "low"), no("stakeholders.training_needed")),
)
STRONG_SUPPORT = Rule(
    "F21", "Support can carry everyone at once", is_("stakeholders.support_capacity", "high")
)
WORK_CHANGES = Rule(
    "F32",
    "It changes how people work or how fast it is",
    Seen("work changes", _work_changes, ("backlog.items",)),
)
