"""What a person says to a rollout, over the API or by a form."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from rollway.errors import InputError
from rollway.rollout import CommandKind

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$"),
    Field(description="who speaks; kept in the record"),
]
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=2000),
    Field(description="why; kept in the record"),
]
Subject = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$"),
    Field(description="the id of a gate, a task or an undo step, for commands about one"),
]


class Said(BaseModel):
    """A command to a rollout, or about the gate, the task or the undo step that is its `subject`. `promote`,
    `override_window`, `roll_forward`, `skip` and `waive` need a reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: CommandKind
    actor: Name
    reason: Text = ""
    subject: Subject = ""


def said_from_form(fields: dict[str, str]) -> Said:
    """The command that a form carries. Raises InputError with one line for each field that is wrong."""
    given = {name: fields[name] for name in ("kind", "actor", "reason", "subject") if name in fields}
    if not given.get("actor", "").strip():
        raise InputError("say who you are", hint="fill in your name: it is kept in the record")
    try:
        return Said.model_validate(given)
    except ValidationError as error:
        lines = tuple(f"{one['loc'][0]}: {one['msg']}" for one in error.errors())
        raise InputError("the command cannot be used", details=lines) from error
