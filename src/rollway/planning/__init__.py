"""The plan: stages, guards, calendar and runbook, made from a release and a choice.

Same facts, same bytes: this room reads no clock and talks to nobody. It never runs a plan.
"""

from rollway.planning.build import make_plan
from rollway.planning.describe import describe, diff
from rollway.planning.model import (
    PLAN_FORMAT,
    Advance,
    Exposure,
    Guard,
    Message,
    Plan,
    Policy,
    Promise,
    RiskResponse,
    RollbackPlan,
    Stage,
    Task,
)
from rollway.planning.windows import WindowState, window_state

__all__ = [
    "PLAN_FORMAT",
    "Advance",
    "Exposure",
    "Guard",
    "Message",
    "Plan",
    "Policy",
    "Promise",
    "RiskResponse",
    "RollbackPlan",
    "Stage",
    "Task",
    "WindowState",
    "describe",
    "diff",
    "make_plan",
    "window_state",
]
