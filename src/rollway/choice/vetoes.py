"""The hard rules about methods: satisfied, violated, or unknown until somebody shows evidence.

Each rule asks for one or more demands, joined by Kleene's "and": a settled rule stays settled whatever
the unknown facts turn out to be. The numbers V12 to V17 are free here: rules that stop a date or a wave,
but no method, are checks of the readiness review.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from rollway.choice.model import Veto, VetoResult, VetoState
from rollway.choice.volume import LONGEST_WAIT_HOURS, sees_faults
from rollway.facts.duration import format_duration
from rollway.facts.model import Release
from rollway.readiness import Answer, ask_for, asks, either, every, no, yes
from rollway.readiness.checks.product import criteria_fixed
from rollway.readiness.window import fits_window

DECISION_TIME = timedelta(minutes=15)  # from the first alarm to somebody's "back"
SHORTEST_PILOT = timedelta(days=5)  # a working week is the shortest business cycle
_STATES: dict[bool | None, VetoState] = {True: "satisfied", False: "violated", None: "unknown"}
_NO_RULE = {"", "no", "none", "n/a", "-"}


@dataclass(frozen=True, slots=True)
class Demand:
    """One thing that a hard rule asks for, and the cheapest action that provides it."""

    look: Callable[[Release], Answer]
    unlock: str


@dataclass(frozen=True, slots=True)
class HardRule:
    """A rule that holds when all its demands are met; called with a release it gives the result."""

    id: str
    title: str
    demands: tuple[Demand, ...]

    def __call__(self, release: Release) -> VetoResult:
        found = [demand.look(release) for demand in self.demands]
        answer = every(*found)
        unlock = ""
        if answer.holds is False:
            pairs = zip(self.demands, found, strict=True)
            unlock = "; ".join(demand.unlock for demand, one in pairs if one.holds is False)
        elif answer.holds is None:
            unlock = " ".join(ask_for(path) for path in answer.facts)
        return VetoResult(self.id, self.title, _STATES[answer.holds], answer.evidence, unlock)

    def open_facts(self, release: Release) -> tuple[str, ...]:
        """The facts that would settle the rule; empty when it is settled."""
        return every(*(demand.look(release) for demand in self.demands)).facts


def veto(id_: str, title: str, *demands: Demand) -> Veto:
    """A hard rule that holds when all its demands are met."""
    return Veto(id_, title, HardRule(id_, title, demands))


# --- what the rules look at -----------------------------------------------------------------------


def _recovery(release: Release) -> Answer:
    return either(no(release, "migration.needed"), yes(release, "done.tests.recovery_tested"))


def _back_in_time(release: Release) -> Answer:
    patient = asks(release, "agreements.downtime_tolerated", lambda length: length == "long")
    return either(patient, fits_window(release, "done.tests.rollback_duration", extra=DECISION_TIME))


def _compatible(release: Release) -> Answer:
    return yes(release, "migration.backward_compatible")


def _can_split(release: Release) -> Answer:
    return either(yes(release, "architecture.feature_flags"), yes(release, "architecture.traffic_split"))


def _schema_apart(release: Release) -> Answer:
    return either(yes(release, "migration.schema_separable"), no(release, "migration.needed"))


def _exit_rule(release: Release) -> Answer:
    return asks(release, "migration.parallel_exit_rule", lambda rule: rule.strip().lower() not in _NO_RULE)


def _groups_named(release: Release) -> Answer:
    count = len(release.stakeholders.groups)
    if count > 1:
        return Answer(True, f"groups: {count} (stakeholders.groups)")
    return asks(release, "stakeholders.sites", lambda sites: sites > 1)


def _divisible(release: Release) -> Answer:
    return either(yes(release, "backlog.modular"), _groups_named(release))


def _somebody_first(release: Release) -> Answer:
    groups = release.stakeholders.groups
    chosen = [group.name for group in groups if group.representative]
    if chosen:
        return Answer(True, f"representative groups: {', '.join(chosen[:3])} (stakeholders.groups)")
    if len(groups) > 1 and all(group.representative is False for group in groups):
        return Answer(False, f"groups: none of {len(groups)} stands for the rest (stakeholders.groups)")
    several = _groups_named(release)
    alike = yes(release, "stakeholders.groups_alike")
    if several.holds and alike.holds:
        return every(several, alike)
    # One site, or unlike ones, may still have a group that stands for the rest; nobody has named it.
    return Answer(None, "no representative group is named (stakeholders.groups)", ("stakeholders.groups",))


def _long_enough(release: Release) -> Answer:
    wishes = release.rollout
    if wishes.method == "pilot" and wishes.bake is not None:
        told = f"length of the pilot: {format_duration(wishes.bake)} (rollout.bake)"
        return Answer(wishes.bake >= SHORTEST_PILOT, told)
    return Answer(True, "no plan cuts the pilot short (rollout.bake)")


def _way_back(release: Release) -> Answer:
    return either(no(release, "goals.fast_rollback_needed"), yes(release, "done.tests.rollback_tested"))


def _proven(release: Release) -> Answer:
    """The method's own advice: big-bang is for low complexity and proven stability. Where all parties must
    switch at one instant there is no other way, and the rule does not stand in it."""
    simple = asks(release, "architecture.complexity", lambda level: level != "high")
    return either(
        yes(release, "architecture.all_switch_together"),
        every(no(release, "goals.outcome_uncertain"), simple),
    )


# --- the rules ------------------------------------------------------------------------------------

V1_ROLLBACK = veto(
    "V1",
    "Rollback and data recovery are tested, and fit into the window",
    Demand(
        lambda release: yes(release, "done.tests.rollback_tested"),
        "Test the rollback from end to end, and keep the log",
    ),
    Demand(_recovery, "Restore a backup into a test environment and compare the data"),
    Demand(
        _back_in_time,
        f"Get a window that holds the rollback and {format_duration(DECISION_TIME)} to decide",
    ),
)
V2_COEXISTENCE = veto(
    "V2",
    "Old and new version can read each other's data and interfaces",
    Demand(_compatible, "Expand first and contract later, and prove it with contract tests"),
)
V3_TELEMETRY = veto(
    "V3",
    "Each version is measured apart, against fixed criteria",
    Demand(
        lambda release: yes(release, "architecture.per_version_telemetry"),
        "Label every metric with the version that made it",
    ),
    Demand(criteria_fixed, "Make at least one KPI a gate"),
)
V4_VOLUME = veto(
    "V4",
    "Traffic can be split, and is enough to see a fault in time",
    Demand(_can_split, "Put the change behind a feature flag"),
    Demand(
        sees_faults,
        f"Use a pilot group: the traffic does not show a fault within {LONGEST_WAIT_HOURS:.0f} hours",
    ),
)
V5_CAPACITY = veto(
    "V5",
    "Two environments fit, the schema stands apart, and the vendor allows it",
    Demand(
        lambda release: yes(release, "architecture.spare_capacity"),
        "Rent a second environment for the time of the switch",
    ),
    Demand(_schema_apart, "Split the schema change from the code: expand, switch, contract"),
    Demand(
        lambda release: no(release, "architecture.vendor_procedure_fixed"),
        "Get the vendor's word that two environments may run",
    ),
)
V6_DRAIN = veto(
    "V6",
    "Sessions, jobs and queues drain",
    Demand(
        lambda release: yes(release, "architecture.sessions_drain"),
        "Move the state out of the process, and test the drain",
    ),
)
V7_RECONCILE = veto(
    "V7",
    "Both systems can do the same work, reconciled and without double side effects",
    Demand(
        lambda release: yes(release, "migration.dual_run_feasible"),
        "Mirror the input by machine instead of entering it twice",
    ),
    Demand(
        lambda release: yes(release, "migration.side_effects_suppressed"),
        "Switch off payments, messages and orders of the system under trial",
    ),
    Demand(
        lambda release: yes(release, "migration.reconciliation_rules"),
        "Write the rules and tolerances for comparing the results",
    ),
)
V8_EXIT = veto(
    "V8",
    "The parallel run ends by a rule of time or workload",
    Demand(_exit_rule, "Write the exit rule, such as two month-ends without a difference"),
)
V9_DIVISIBLE = veto(
    "V9",
    "The scope can be divided by module, site or group",
    Demand(_divisible, "Name modules or groups of users that can go one after another"),
)
V10_TOGETHER = veto(
    "V10",
    "Parties need not all switch at the same instant",
    Demand(
        lambda release: no(release, "architecture.all_switch_together"),
        "Build a translation between the old and the new protocol",
    ),
)
V11_FIRST_GROUP = veto(
    "V11",
    "A group stands for the rest, and the pilot lasts a business cycle",
    Demand(_somebody_first, "Name a group that stands for the rest"),
    Demand(_long_enough, f"Let the pilot run for at least {format_duration(SHORTEST_PILOT)} before going on"),
)
V18_WAY_BACK = veto(
    "V18",
    "Where a fast way back is needed, it is tested",
    Demand(_way_back, "Test the rollback from end to end, and keep the log"),
)
V19_PROVEN = veto(
    "V19",
    "A change for everyone at once is simple, and has proved itself",
    Demand(_proven, "Let it prove itself on a small share or in a pilot first"),
)
