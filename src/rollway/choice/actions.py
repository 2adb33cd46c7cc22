"""What can be done to lift a hard rule, with a rough price in days, and the cheapest way to lift several."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from rollway.choice.model import Action

TEST_ROLLBACK = Action(
    "test-rollback",
    "Test the rollback from end to end, and keep the log",
    2,
    (("done.tests.rollback_tested", True),),
)
TEST_RECOVERY = Action(
    "test-recovery",
    "Restore a backup into a test environment and compare the data",
    2,
    (("done.tests.recovery_tested", True),),
)
WIDEN_WINDOW = Action(
    "widen-window",
    "Agree a window that holds the rollback and the time to decide",
    5,
    (("agreements.downtime_tolerated", "long"),),
)
EXPAND_CONTRACT = Action(
    "expand-contract",
    "Expand first and contract later, and prove it with contract tests",
    15,
    (("migration.backward_compatible", True),),
)
LABEL_METRICS = Action(
    "label-metrics",
    "Label every metric with the version that made it",
    3,
    (("architecture.per_version_telemetry", True),),
)
FIX_GATE = Action("fix-gate", "Make at least one KPI a gate, with its signal and its tolerance", 1)
ADD_FLAG = Action(
    "add-flag", "Put the change behind a feature flag", 5, (("architecture.feature_flags", True),)
)
SPLIT_TRAFFIC = Action(
    "split-traffic",
    "Have the load balancer send a share of the traffic to the new version",
    4,
    (("architecture.traffic_split", True),),
)
WATCH_A_COMMON_FIGURE = Action(
    "watch-a-common-figure",
    "Make a gate of a figure that shows more often, or take a pilot group instead",
    5,
)
RENT_CAPACITY = Action(
    "rent-capacity",
    "Rent a second environment for the time of the switch",
    5,
    (("architecture.spare_capacity", True),),
)
SPLIT_SCHEMA = Action(
    "split-schema",
    "Split the schema change from the code: expand, switch, contract",
    15,
    (("migration.schema_separable", True), ("migration.backward_compatible", True)),
)
ASK_VENDOR = Action(
    "ask-vendor",
    "Get the vendor's word that two environments may run",
    10,
    (("architecture.vendor_procedure_fixed", False),),
)
DRAIN_STATE = Action(
    "drain-state",
    "Move the state out of the process, and test the drain",
    10,
    (("architecture.sessions_drain", True),),
)
MIRROR_INPUT = Action(
    "mirror-input",
    "Mirror the input by machine instead of entering it twice",
    20,
    (("migration.dual_run_feasible", True),),
)
MUTE_TRIAL = Action(
    "mute-trial",
    "Switch off payments, messages and orders of the system under trial",
    6,
    (("migration.side_effects_suppressed", True),),
)
WRITE_RULES = Action(
    "write-reconciliation",
    "Write the rules and tolerances for comparing the results",
    4,
    (("migration.reconciliation_rules", True),),
)
WRITE_EXIT = Action(
    "write-exit-rule",
    "Write the exit rule, such as two month-ends without a difference",
    0.5,
    (("migration.parallel_exit_rule", "two month-ends without a difference"),),
)
NAME_MODULES = Action(
    "name-modules", "Cut the scope into modules that can go one by one", 10, (("backlog.modular", True),)
)
NAME_GROUPS = Action("name-groups", "Name groups of users that can go one after another", 1)
TRANSLATE = Action(
    "translate-protocol",
    "Build a translation between the old and the new protocol",
    30,
    (("architecture.all_switch_together", False),),
)
NAME_FIRST = Action("name-first-group", "Name a group that stands for the rest", 0.5)
LONGER_PILOT = Action("longer-pilot", "Let the pilot run for at least a business cycle before going on", 5)
WAIVE_COMPARISON = Action(
    "waive-comparison",
    "Have the owner of the figures waive the comparison in writing",
    3,
    (("goals.compare_results_needed", False),),
)


PROVE_FIRST = Action(
    "prove-first",
    "Let it prove itself on a small share or in a pilot first",
    10,
    (("goals.outcome_uncertain", False),),
)


def cheapest(demands: Sequence[Sequence[Action]]) -> tuple[Action, ...]:
    """The cheapest set with one action for each demand; an action that serves several is paid once.

    `demands` holds the alternatives of each. Every combination is priced: a method has few demands with few
    alternatives. Of equally cheap sets the one with fewer actions wins, then the order of the alternatives.
    """
    ways = [tuple(dict.fromkeys(way)) for way in product(*demands)]
    return min(ways, key=lambda way: (price(way), len(way)), default=())


def price(actions: Sequence[Action]) -> float:
    """The days of all actions together."""
    return sum(action.days for action in actions)
