"""Rehearsals: a plan carried out on a simulated service, many times, before anybody starts it.

It decides nothing by itself: the state machine is rollout's, the judge is the judge. It never touches a
target, a source of numbers, or the database.
"""

from rollway.rehearsal.findings import Finding, Rehearsal
from rollway.rehearsal.many import Outcome, Result, rehearse
from rollway.rehearsal.promises import Kept
from rollway.rehearsal.scenario import Fault, People, Scenario, Trouble
from rollway.rehearsal.suite import stories, world_of
from rollway.rehearsal.whole import check, rehearse_plan
from rollway.rehearsal.world import Noise, Recorded, Steady, World

__all__ = [
    "Fault",
    "Finding",
    "Kept",
    "Noise",
    "Outcome",
    "People",
    "Recorded",
    "Rehearsal",
    "Result",
    "Scenario",
    "Steady",
    "Trouble",
    "World",
    "check",
    "rehearse",
    "rehearse_plan",
    "stories",
    "world_of",
]
