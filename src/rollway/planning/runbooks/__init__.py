"""Runbooks of a cutover: tasks in a network, read and written as YAML and as workbooks, timed and taken back.

Nothing in here reads a clock, runs a command or draws an unseeded random number. It never carries a
runbook out. The modules that need NumPy or openpyxl are imported by those who need them.
"""

from rollway.planning.runbooks.check import check
from rollway.planning.runbooks.load import Conflict, Load, conflicts, person_loads
from rollway.planning.runbooks.model import DataPart, Person, Runbook, Task, UndoStep
from rollway.planning.runbooks.schedule import Schedule, Times, make_schedule
from rollway.planning.runbooks.spots import Finding, RunbookError, Spot
from rollway.planning.runbooks.yaml_in import read_yaml
from rollway.planning.runbooks.yaml_out import write_yaml

__all__ = [
    "Conflict",
    "DataPart",
    "Finding",
    "Load",
    "Person",
    "Runbook",
    "RunbookError",
    "Schedule",
    "Spot",
    "Task",
    "Times",
    "UndoStep",
    "check",
    "conflicts",
    "make_schedule",
    "person_loads",
    "read_yaml",
    "write_yaml",
]
