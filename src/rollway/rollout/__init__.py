"""Carrying a plan out: the pure state machine, the tick, the durable engine, and the protocols that
signals and targets fill. It never names a signal, a target or a table."""

from rollway.rollout.machine import advance, begin, live_share
from rollway.rollout.model import (
    FINAL_PHASES,
    ClockTicked,
    CommandGiven,
    CommandKind,
    Entry,
    Event,
    EvidenceRead,
    Phase,
    SetShare,
    State,
    Step,
    TargetFailed,
    TargetObserved,
)
from rollway.rollout.ports import (
    Collected,
    Cursor,
    FlagShelf,
    Interval,
    Loaded,
    Move,
    Pending,
    Rollouts,
    Signal,
    Surroundings,
    Target,
    TickCaller,
)
from rollway.rollout.rules import rules_of
from rollway.rollout.tick import Connectors, tick

__all__ = [
    "FINAL_PHASES",
    "ClockTicked",
    "Collected",
    "CommandGiven",
    "CommandKind",
    "Connectors",
    "Cursor",
    "Entry",
    "Event",
    "EvidenceRead",
    "FlagShelf",
    "Interval",
    "Loaded",
    "Move",
    "Pending",
    "Phase",
    "Rollouts",
    "SetShare",
    "Signal",
    "State",
    "Step",
    "Surroundings",
    "Target",
    "TargetFailed",
    "TargetObserved",
    "TickCaller",
    "advance",
    "begin",
    "live_share",
    "rules_of",
    "tick",
]
