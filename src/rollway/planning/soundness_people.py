"""What must hold between runbook, gates, night and people, so that a plan can be carried out at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rollway.errors import InputError
from rollway.planning.runbooks.network import rings
from rollway.planning.windows import zone_named

if TYPE_CHECKING:
    from rollway.planning.model import Gate, Plan

Place = tuple[str | int, ...]
Found = tuple[Place, str]


def people_faults(plan: Plan) -> Iterator[Found]:
    """Every reason, as path and words, in the order of the plan."""
    yield from _repeated("runbook", (task.id for task in plan.runbook))
    yield from _tasks(plan)
    yield from _rings(plan)
    yield from _night(plan)
    yield from _repeated("people", (person.id for person in plan.people))
    for index, person in enumerate(plan.people):
        yield from _zone(("people", index, "timezone"), person.timezone)
    yield from _repeated("gates", (gate.id for gate in plan.gates))
    for index, gate in enumerate(plan.gates):
        yield from _gate(plan, ("gates", index), gate)


def _repeated(field: str, names: Iterable[str]) -> Iterator[Found]:
    taken: dict[str, int] = {}
    for index, name in enumerate(names):
        if name in taken:
            yield (field, index, "id"), f"'{name}' is taken by {field}.{taken[name]}; give it another"
        taken.setdefault(name, index)


def _tasks(plan: Plan) -> Iterator[Found]:
    known = {task.id for task in plan.runbook}
    steps = {step.id for step in plan.rollback.undo}
    for index, task in enumerate(plan.runbook):
        for name in task.after:
            if name not in known:
                yield ("runbook", index, "after"), f"there is no task '{name}'"
        for name in task.undo:
            if name not in steps:
                yield ("runbook", index, "undo"), f"there is no undo step '{name}' in rollback.undo"
        if task.gate and not task.decider:
            yield ("runbook", index, "decider"), "this gate is decided by nobody; name its decider"
        if not task.reversible and not task.decider:
            told = "this cannot be taken back, and nobody decides it; name who says go"
            yield ("runbook", index, "decider"), told
        yield from _zone(("runbook", index, "timezone"), task.timezone)


def _rings(plan: Plan) -> Iterator[Found]:
    place = {task.id: index for index, task in enumerate(plan.runbook)}
    for ring in rings({task.id: task.after for task in plan.runbook}):
        told = f"these tasks wait for each other: {' -> '.join(ring)}; remove one of the arrows"
        yield ("runbook", place[ring[0]], "after"), told


def _night(plan: Plan) -> Iterator[Found]:
    if plan.night is None:
        return
    if plan.night.stage not in {stage.id for stage in plan.stages}:
        yield ("night", "stage"), f"there is no stage '{plan.night.stage}'"
    yield from _zone(("night", "timezone"), plan.night.timezone)


def _zone(where: Place, name: str) -> Iterator[Found]:
    if name:
        try:
            zone_named(name)
        except InputError as error:
            yield where, f"{error.message}; {error.hint}"


def _gate(plan: Plan, where: Place, gate: Gate) -> Iterator[Found]:
    """A gate asks for something that somebody can find out."""
    match gate.kind:
        case "training" if gate.minimum is None:
            yield (*where, "minimum"), "a gate of training says which share must be trained"
        case "message" if gate.of not in {message.id for message in plan.communication if message.id}:
            yield (*where, "of"), f"there is no message '{gate.of}'"
        case "task" if gate.of not in {task.id for task in plan.runbook}:
            yield (*where, "of"), f"there is no task '{gate.of}'"
        case "person" if not gate.decider:
            yield (*where, "decider"), "nobody decides this; name who says go"
        case "dependency" if not gate.of:
            yield (*where, "of"), "name the third party that must be ready"
        case _:
            return
