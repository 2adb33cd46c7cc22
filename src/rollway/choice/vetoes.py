"""The hard rules about methods: satisfied, violated, or unknown until somebody shows evidence.

V1 to V11 are about methods; V12 to V17 hold back a date or a wave and stand in `holds.py`; V18 and V19 come
from the method's own worked examples: no way back that is not tested, no trial on everyone.
"""

from __future__ import annotations

from datetime import timedelta

from rollway.choice import actions
from rollway.choice.condition import AtLeast, Seen, all_of, any_of, is_, no, yes
from rollway.choice.hard_rule import demand, veto
from rollway.choice.volume import EnoughTraffic
from rollway.facts.duration import format_duration
from rollway.facts.model import Release
from rollway.readiness import Answer, asks
from rollway.readiness.checks.cutover import rollback_fits
from rollway.readiness.checks.product import criteria_fixed

SHORTEST_PILOT = timedelta(days=5)  # a working week is the shortest business cycle
_NO_RULE = {"", "no", "none", "n/a", "-"}
_EXIT, _GROUPS = "migration.parallel_exit_rule", "stakeholders.groups"


def _exit_rule(release: Release) -> Answer:
    return asks(release, _EXIT, lambda rule: rule.strip().lower() not in _NO_RULE)


def _groups_named(release: Release) -> Answer:
    count = len(release.stakeholders.groups)
    if count:
        return Answer(count > 1, f"groups: {count} (stakeholders.groups)")
    return Answer(None, "several groups: none named (stakeholders.groups)", (_GROUPS,))


def _representative(release: Release) -> Answer:
    chosen = [group.name for group in release.stakeholders.groups if group.representative]
    if chosen:
        return Answer(True, f"representative groups: {', '.join(chosen[:3])} (stakeholders.groups)")
    # Nobody has named one, which is not to say that there is none.
    return Answer(None, "no representative group is named (stakeholders.groups)", (_GROUPS,))


def _none_refused(release: Release) -> Answer:
    groups = release.stakeholders.groups
    refused = len(groups) > 1 and all(group.representative is False for group in groups)
    told = f"groups: none of {len(groups)} stands for the rest (stakeholders.groups)"
    return Answer(not refused, told if refused else "no group is ruled out (stakeholders.groups)")


def _long_enough(release: Release) -> Answer:
    wishes = release.rollout
    if wishes.method == "pilot" and wishes.bake is not None:
        told = f"length of the pilot: {format_duration(wishes.bake)} (rollout.bake)"
        return Answer(wishes.bake >= SHORTEST_PILOT, told)
    return Answer(True, "no plan cuts the pilot short (rollout.bake)")


_SEVERAL = any_of(Seen("groups named", _groups_named, (_GROUPS,)), AtLeast("stakeholders.sites", 2))

V1_ROLLBACK = veto(
    "V1",
    "Rollback and data recovery are tested, and fit into the window",
    demand(yes("done.tests.rollback_tested"), actions.TEST_ROLLBACK),
    demand(any_of(no("migration.needed"), yes("done.tests.recovery_tested")), actions.TEST_RECOVERY),
    demand(
        any_of(
            is_("agreements.downtime_tolerated", "long"),
            Seen(
                "rollback fits window",
                rollback_fits,
                ("done.tests.rollback_duration", "agreements.window_duration"),
            ),
        ),
        actions.WIDEN_WINDOW,
    ),
)
V2_COEXISTENCE = veto(
    "V2",
    "Old and new version can read each other's data and interfaces",
    demand(yes("migration.backward_compatible"), actions.EXPAND_CONTRACT),
)
V3_TELEMETRY = veto(
    "V3",
    "Each version is measured apart, against fixed criteria",
    demand(yes("architecture.per_version_telemetry"), actions.LABEL_METRICS),
    demand(Seen("criteria fixed", criteria_fixed, ("kpis",)), actions.FIX_GATE),
)
V4_VOLUME = veto(
    "V4",
    "Traffic can be split, and is enough to see a fault in time",
    demand(
        any_of(yes("architecture.feature_flags"), yes("architecture.traffic_split")),
        actions.SPLIT_TRAFFIC,
        actions.ADD_FLAG,
    ),
    demand(EnoughTraffic(), actions.WATCH_A_COMMON_FIGURE),
)
V5_CAPACITY = veto(
    "V5",
    "Two environments fit, the schema stands apart, and the vendor allows it",
    demand(yes("architecture.spare_capacity"), actions.RENT_CAPACITY),
    demand(any_of(yes("migration.schema_separable"), no("migration.needed")), actions.SPLIT_SCHEMA),
    demand(no("architecture.vendor_procedure_fixed"), actions.ASK_VENDOR),
)
V6_DRAIN = veto(
    "V6",
    "Sessions, jobs and queues drain",
    demand(yes("architecture.sessions_drain"), actions.DRAIN_STATE),
)
V7_RECONCILE = veto(
    "V7",
    "Both systems can do the same work, reconciled and without double side effects",
    demand(yes("migration.dual_run_feasible"), actions.MIRROR_INPUT),
    demand(yes("migration.side_effects_suppressed"), actions.MUTE_TRIAL),
    demand(yes("migration.reconciliation_rules"), actions.WRITE_RULES),
)
V8_EXIT = veto(
    "V8",
    "The parallel run ends by a rule of time or workload",
    demand(Seen("exit rule", _exit_rule, (_EXIT,)), actions.WRITE_EXIT),
)
V9_DIVISIBLE = veto(
    "V9",
    "The scope can be divided by module, site or group",
    demand(any_of(yes("backlog.modular"), _SEVERAL), actions.NAME_GROUPS, actions.NAME_MODULES),
)
V10_TOGETHER = veto(
    "V10",
    "Parties need not all switch at the same instant",
    demand(no("architecture.all_switch_together"), actions.TRANSLATE),
)
V11_FIRST_GROUP = veto(
    "V11",
    "A group stands for the rest, and the pilot lasts a business cycle",
    demand(Seen("no group refused", _none_refused), actions.NAME_FIRST),
    demand(
        any_of(
            Seen("representative group", _representative, (_GROUPS,)),
            all_of(_SEVERAL, yes("stakeholders.groups_alike")),
        ),
        actions.NAME_FIRST,
    ),
    demand(Seen("pilot long enough", _long_enough), actions.LONGER_PILOT),
)
# Not asked of blue-green and parallel: there the old version stays whole and ready, which is the way back.
V18_WAY_BACK = veto(
    "V18",
    "Where a fast way back is needed, it is tested",
    demand(
        any_of(no("goals.fast_rollback_needed"), yes("done.tests.rollback_tested")),
        actions.TEST_ROLLBACK,
    ),
)
V19_NO_TRIAL = veto(
    "V19",
    "What goes to everyone at once needs no trial: its outcome is certain, and nothing must be compared",
    demand(
        # Where all must switch at one instant nobody can try it first.
        any_of(yes("architecture.all_switch_together"), no("goals.outcome_uncertain")),
        actions.PROVE_FIRST,
    ),
    demand(no("goals.compare_results_needed"), actions.WAIVE_COMPARISON),
)
