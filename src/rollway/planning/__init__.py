"""The plan: stages, guards, calendar and runbook, made from a release and a choice.

Same facts, same bytes: this room reads no clock and talks to nobody. It never runs a plan.
"""

from rollway.planning.build import make_plan
from rollway.planning.diff import diff
from rollway.planning.model import (
    PLAN_FORMAT,
    Advance,
    Exposure,
    Gate,
    Guard,
    Message,
    Night,
    Override,
    Plan,
    PlanPromise,
    Policy,
    Promise,
    RiskResponse,
    RollbackClock,
    RollbackPlan,
    Stage,
    Support,
    Task,
    Traffic,
    Training,
)
from rollway.planning.tree import describe
from rollway.planning.windows import WindowState, window_state

__all__ = [
    "PLAN_FORMAT",
    "Advance",
    "Exposure",
    "Gate",
    "Guard",
    "Message",
    "Night",
    "Override",
    "Plan",
    "PlanPromise",
    "Policy",
    "Promise",
    "RiskResponse",
    "RollbackClock",
    "RollbackPlan",
    "Stage",
    "Support",
    "Task",
    "Traffic",
    "Training",
    "WindowState",
    "describe",
    "diff",
    "make_plan",
    "window_state",
]
