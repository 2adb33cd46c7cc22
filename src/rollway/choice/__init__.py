"""The choice: six methods with hard rules, arguments and a score, and the one that fits this release best.

It explains itself in sentences that cite the facts. It never plans, and it never hides a veto that a
person has overruled.
"""

from rollway.choice.choose import choose
from rollway.choice.methods import METHODS
from rollway.choice.model import (
    CRITERIA,
    Choice,
    Method,
    MethodState,
    Ranked,
    Reason,
    Veto,
    VetoResult,
    VetoState,
)
from rollway.choice.ranking import rank

__all__ = [
    "CRITERIA",
    "METHODS",
    "Choice",
    "Method",
    "MethodState",
    "Ranked",
    "Reason",
    "Veto",
    "VetoResult",
    "VetoState",
    "choose",
    "rank",
]
