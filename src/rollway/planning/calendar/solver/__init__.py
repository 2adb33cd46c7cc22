"""Placing a whole quarter of releases: the best plan there is, proven, and why what is left out is left out.

It needs OR-Tools (the extra `solver`) when a plan is made; `verify`, timetables and their files do not. It
reads no clock and no file, and a plan that breaks a rule never leaves it.
"""

from rollway.planning.calendar.solver.explain import Deferral, Reason
from rollway.planning.calendar.solver.search import Effort
from rollway.planning.calendar.solver.solve import solve_calendar
from rollway.planning.calendar.solver.timetable import Placement, Timetable, read_starts
from rollway.planning.calendar.solver.verify import Breach, verify

__all__ = [
    "Breach",
    "Deferral",
    "Effort",
    "Placement",
    "Reason",
    "Timetable",
    "read_starts",
    "solve_calendar",
    "verify",
]
