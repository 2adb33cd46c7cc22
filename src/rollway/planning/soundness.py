"""What must hold between the parts of a plan, so that it can be carried out at all.

Each part checks its own numbers (model.py); here is what only the whole plan shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from rollway.errors import InputError
from rollway.planning.soundness_people import people_faults
from rollway.planning.task_order import order_faults
from rollway.planning.windows import zone_named

if TYPE_CHECKING:
    from rollway.facts.model import Freeze, Window
    from rollway.planning.model import Gate, Message, Plan, Promise, Stage, Support, Task, Training


SLACK = 1e-9
"""Shares that add up to so little more than 1 add up to 1."""


class Fault(NamedTuple):
    """What is wrong, and where: the path in the plan's JSON."""

    where: tuple[str | int, ...]
    what: str


def faults(plan: Plan) -> Iterator[Fault]:
    """Every reason why this plan cannot work, in the order of the plan; none for a sound one."""
    yield from _repeated("stages", "id", (stage.id for stage in plan.stages))
    yield from _falling(plan)
    yield from _controls(plan)
    yield from _margins(plan)
    yield from _unguarded(plan)
    yield from _unproven(plan)
    yield from _repeated("guards", "kpi", (guard.kpi for guard in plan.guards))
    yield from _counted(plan)
    yield from _unfit(plan)
    yield from _zones(plan)
    yield from _strangers(plan)
    yield from (Fault(where, what) for where, what in people_faults(plan))
    yield from (Fault(where, what) for where, what in order_faults(plan))


def _live_share(stage: Stage) -> float:
    """The share of users who are served by the new version in this stage (none in shadow and dual)."""
    return stage.exposure.live


def _controls(plan: Plan) -> Iterator[Fault]:
    """A control group is for users, beside those of the new version, and no larger than what they leave."""
    for index, stage in enumerate(plan.stages):
        exposure, where = stage.exposure, ("stages", index, "exposure", "control")
        if not exposure.control:
            continue
        if exposure.mode != "live":
            yield Fault(where, f"a stage that runs {exposure.mode} has no control group among its users")
        elif exposure.share + exposure.control > 1 + SLACK:
            yield Fault(
                where,
                f"{exposure.share:g} with the new version and a control group of {exposure.control:g} "
                "are more users than there are",
            )


def _repeated(field: str, key: str, names: Iterable[str]) -> Iterator[Fault]:
    taken: dict[str, int] = {}
    for index, name in enumerate(names):
        if name in taken:
            yield Fault((field, index, key), f"'{name}' is taken by {field}.{taken[name]}; give it another")
        taken.setdefault(name, index)


def _falling(plan: Plan) -> Iterator[Fault]:
    for index, (before, stage) in enumerate(pairwise(plan.stages), 1):
        if _live_share(stage) < _live_share(before):
            yield Fault(
                ("stages", index, "exposure"),
                f"serves {_live_share(stage):g} of the users after {_live_share(before):g} in "
                f"'{before.id}'; a stage never takes the new version from users who have it",
            )


def _margins(plan: Plan) -> Iterator[Fault]:
    guards = {guard.kpi: guard for guard in plan.guards}
    says = {guard.kpi: guard.say for guard in plan.guards}
    alone = {guard.kpi for guard in plan.guards if guard.baseline != "concurrent"}
    for index, stage in enumerate(plan.stages):
        for kpi in stage.margins:
            if says.get(kpi) != "gate":
                known = f"'{kpi}' is a {says[kpi]}" if kpi in says else f"there is no guard '{kpi}'"
                yield Fault(("stages", index, "margins", kpi), f"{known}; only a gate has a margin")
            elif kpi in alone:
                yield Fault(
                    ("stages", index, "margins", kpi),
                    f"'{kpi}' is not compared with the old version, so no ratio to it can be excluded",
                )
            elif not guards[kpi].counts_in(stage.id):
                yield Fault(
                    ("stages", index, "margins", kpi),
                    f"'{kpi}' does not count in this stage (guards.{kpi}.stages), so it shows nothing there",
                )


def _unfit(plan: Plan) -> Iterator[Fault]:
    """Guards that the judge could not judge."""
    for index, guard in enumerate(plan.guards):
        if (guard.kind == "mean") != (guard.bound is not None):
            what = "a mean needs a bound" if guard.kind == "mean" else f"a {guard.kind} has no bound"
            yield Fault(("guards", index, "bound"), f"{what}: the highest figure that a single unit can have")
        if guard.kind == "mean" and guard.limit is not None:
            yield Fault(("guards", index, "limit"), "a mean has no limit to be stopped at, only a tolerance")
        if guard.baseline != "concurrent" and (guard.kind != "rate" or guard.limit is None):
            yield Fault(
                ("guards", index, "baseline"),
                f"a baseline of {guard.baseline} is for a rate with a limit; by itself it shows nothing",
            )


def _unguarded(plan: Plan) -> Iterator[Fault]:
    gates = [guard for guard in plan.guards if guard.say == "gate"]
    for index, stage in enumerate(plan.stages):
        if stage.advance not in ("ready", "evidence") or any(gate.counts_in(stage.id) for gate in gates):
            continue
        lacking = (
            f"a gate that counts in this stage, and none does ({', '.join(gate.kpi for gate in gates)})"
            if gates
            else "a gate among the guards, and there is none"
        )
        yield Fault(
            ("stages", index, "advance"),
            f"'{stage.advance}' needs {lacking}; add one, or let a person decide",
        )


def _counted(plan: Plan) -> Iterator[Fault]:
    known = {stage.id for stage in plan.stages}
    for index, guard in enumerate(plan.guards):
        for place, stage in enumerate(guard.stages):
            if stage not in known:
                yield Fault(
                    ("guards", index, "stages", place),
                    f"'{guard.kpi}' counts in a stage '{stage}' that the plan does not have; name another, "
                    "or take the guard out",
                )


def _unproven(plan: Plan) -> Iterator[Fault]:
    has_proof = False
    for index, stage in enumerate(plan.stages):
        if stage.advance == "evidence":
            has_proof = has_proof or bool(stage.margins)
            if not has_proof:
                yield Fault(
                    ("stages", index, "margins"),
                    "nothing is asked to be shown, neither here nor in an earlier stage that decides on "
                    "evidence; give at least one gate a margin",
                )


def _zones(plan: Plan) -> Iterator[Fault]:
    calendar: dict[str, Sequence[Window | Freeze]] = {"windows": plan.windows, "freezes": plan.freezes}
    for field, entries in calendar.items():
        for index, entry in enumerate(entries):
            try:
                zone_named(entry.timezone)
            except InputError as error:
                yield Fault((field, index, "timezone"), f"{error.message}; {error.hint}")


def _strangers(plan: Plan) -> Iterator[Fault]:
    """Tasks, messages and promises of stages that are not in the plan."""
    known = {stage.id for stage in plan.stages}
    bound: dict[str, Sequence[Task | Message | Promise | Gate | Training | Support]] = {
        "runbook": plan.runbook,
        "gates": plan.gates,
        "training": plan.training,
        "support": plan.support,
        "communication": plan.communication,
        "promises": plan.promises,
    }
    for field, entries in bound.items():
        for index, entry in enumerate(entries):
            if entry.stage not in known:
                yield Fault((field, index, "stage"), f"there is no stage '{entry.stage}'")
