"""The tables of a runbook and their columns: the one list that YAML, workbooks and documents follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rollway.planning.runbooks import values as v
from rollway.planning.runbooks.model import DataPart, Person, StageMark, Task, UndoStep
from rollway.planning.runbooks.values import Kind

OWN_MARK = "x-"
"""Columns of the user's own begin like this; they are kept and never looked into."""
PHASES = ("before", "during", "after")
RULES = ("keep", "replay", "discard")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the name of the field it fills, its kind, and what it says."""

    name: str
    kind: Kind
    told: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table (a list in YAML, a sheet in a workbook) and what its rows become."""

    name: str
    makes: type[Any]
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


_DURATION = Column("duration", v.DURATION, "How long it is planned to take.")
_P90 = Column(
    "p90", v.DURATION, "What nine in ten nights need no more than; the same as duration for a mere wait."
)
_REHEARSED = Column("rehearsed", v.DURATIONS, "How long it took in each rehearsal.")

HEAD = (
    Column("title", v.TEXT, "What is cut over.", required=True),
    Column("release", v.TEXT, "The release it belongs to."),
    Column("timezone", v.ZONE, "The runbook's own time zone.", required=True),
    Column(
        "start",
        v.TEXT,
        "T: when the cutover begins, on the clocks of that zone; `T` while it has no date.",
        required=True,
    ),
    Column("closes", v.TEXT, "When the change window ends."),
    Column("night", v.ID, "The stage of the plan whose entering is T, where there are stages."),
    Column("decision", v.DURATION, "How long it takes to decide to go back."),
    Column("authority", v.IDS, "Who may decide to go back."),
    Column("rest", v.DURATION, "The rest everybody has within 24 hours; 11h unless stated."),
    Column("cannot_undo", v.LINES, "What going back does not bring back."),
    Column("note", v.TEXT, "A remark."),
)

PEOPLE = Table(
    "people",
    Person,
    (
        Column("id", v.ID, "The name the tasks use.", required=True),
        Column("name", v.TEXT, "The name."),
        Column("team", v.TEXT, "The team or company."),
        Column("timezone", v.ZONE, "Where they work; the runbook's zone unless stated."),
        Column("contact", v.TEXT, "How they are reached that night."),
        Column("seats", v.SEATS, "How many tasks they can do at once; 1 unless it is a team."),
    ),
)

TASKS = Table(
    "tasks",
    Task,
    (
        Column("id", v.ID, "Its short name.", required=True),
        Column("phase", v.choice(*PHASES), "Before, during or after the cutover.", required=True),
        Column("section", v.TEXT, "A heading to group tasks under."),
        Column("title", v.TEXT, "What is done.", required=True),
        Column("at", v.OFFSET, "Not before this offset from T."),
        Column("trigger", v.TEXT, "What must have happened outside of the runbook."),
        Column("after", v.IDS, "The tasks that must have ended."),
        _DURATION,
        _P90,
        _REHEARSED,
        Column("owner", v.ID, "Who does it.", required=True),
        Column("backup", v.ID, "Who does it if the owner cannot."),
        Column("team", v.TEXT, "The team, where it is not the owner's."),
        Column("timezone", v.ZONE, "Where it is done, where it is not the owner's zone."),
        Column("instruction", v.TEXT, "How it is done, so that a stranger could do it."),
        Column("command", v.TEXT, "The command to run; only shown, unless it is automatic."),
        Column("automatic", v.YES, "Yes where Rollway runs the command itself (`rollout.tasks: followed`)."),
        Column("idempotent", v.YES, "Yes where running the command twice does no harm."),
        Column("link", v.TEXT, "Where more is written."),
        Column("expected", v.TEXT, "What one sees when it worked."),
        Column("verification", v.TEXT, "How one makes sure."),
        Column("evidence", v.TEXT, "What is kept as proof."),
        Column("gate", v.YES, "Yes where it is a go/no-go decision."),
        Column("criteria", v.LINES, "What must be true to go on."),
        Column("decider", v.ID, "Who decides a gate, or the step of no return."),
        Column("reversible", v.YES, "No where it cannot be taken back."),
        Column("undo", v.IDS, "The undo steps needed once it has begun."),
        Column("tells", v.TEXT, "Whom it tells what."),
        Column("stage", v.ID, "The stage of the plan it belongs to; T is the entering of that stage."),
        Column("note", v.TEXT, "A remark."),
    ),
)

UNDO = Table(
    "undo",
    UndoStep,
    (
        Column("id", v.ID, "Its short name.", required=True),
        Column("title", v.TEXT, "What is done.", required=True),
        Column("owner", v.ID, "Who does it.", required=True),
        Column("instruction", v.TEXT, "How it is done."),
        Column("command", v.TEXT, "The command to run; only shown, unless it is automatic."),
        Column("automatic", v.YES, "Yes where Rollway runs the command itself (`rollout.tasks: followed`)."),
        Column("idempotent", v.YES, "Yes where running the command twice does no harm."),
        Column("verification", v.TEXT, "How one makes sure."),
        _DURATION,
        _P90,
        _REHEARSED,
        Column("tested", v.TEXT, "Where it was tested, and when."),
    ),
)

DATA = Table(
    "data",
    DataPart,
    (
        Column("id", v.ID, "Its short name.", required=True),
        Column("title", v.TEXT, "Which data written since the start.", required=True),
        Column("rule", v.choice(*RULES), "What becomes of it when one goes back.", required=True),
        Column("owner", v.ID, "Who sees to it.", required=True),
        Column("how", v.TEXT, "How that is done."),
    ),
)

STAGES = Table(
    "stages",
    StageMark,
    (
        Column("id", v.ID, "The stage of the plan.", required=True),
        Column("at", v.OFFSET, "When it is entered at the earliest, seen from T.", required=True),
        Column("title", v.TEXT, "Its title."),
    ),
)

TABLES = (PEOPLE, STAGES, TASKS, UNDO, DATA)
HEAD_NAME = "runbook"
