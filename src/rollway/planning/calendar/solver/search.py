"""The solver's passes: leave out as little as can be, then move as little, then cost as little as can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rollway.planning.calendar.solver.greedy import Desk, Placed, first_plan
from rollway.planning.calendar.solver.model import Model, build, cost_of, cp_sat
from rollway.planning.calendar.solver.problem import Entry, Problem

SEED = 20_261
WORKERS = 1


@dataclass(frozen=True, slots=True)
class Effort:
    """How much search a plan may take: `work` in the solver's own units, so that every machine stops at
    the same point; `seconds` by the clock, as a last limit."""

    work: float = 20.0
    seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One pass: what it found, the best that can be, and whether the two are proven equal."""

    placed: Placed
    value: int
    bound: int
    stopped_by_clock: bool = False

    @property
    def proven(self) -> bool:
        return self.value <= self.bound


@dataclass(frozen=True, slots=True)
class Found:
    """A plan in steps and what each pass proved about it."""

    placed: Placed
    left_out: Answer
    moves: Answer | None
    cost: Answer

    @property
    def moves_value(self) -> int:
        return self.moves.value if self.moves else 0

    @property
    def proven(self) -> bool:
        return all(answer is None or answer.proven for answer in (self.left_out, self.moves, self.cost))


def find(problem: Problem, previous: Placed | None, effort: Effort) -> Found:
    """The plan that leaves out the least; among these, that moves the least, then that costs the least.

    First without what all releases share, where the quarter falls apart into problems of their own. What
    they cost together is the least there can be; where their plans obey the joint rules as well, that is
    the answer. Only where they do not, all releases are placed together.
    """
    apart = _joined(problem, [_passes(part, previous, effort) for part in components(problem)])
    if obeys_all(problem, apart.placed) and not problem.crowding(apart.placed):
        return apart
    whole = _passes(problem, previous, effort, near=apart.placed)
    if (whole.left_out.value, whole.moves_value) != (apart.left_out.value, apart.moves_value):
        return whole
    bound = max(whole.cost.bound, apart.cost.bound)
    return replace(whole, cost=replace(whole.cost, bound=min(bound, whole.cost.value)))


def components(problem: Problem) -> list[Problem]:
    """The releases in groups that have nothing to do with each other, but for what all releases share."""
    own = [shared for shared in problem.shared if not shared.everybody]
    groups = {number: number for number in range(len(problem.tasks))}

    def root(number: int) -> int:
        while groups[number] != number:
            groups[number] = groups[groups[number]]
            number = groups[number]
        return number

    chains = [entry.tasks for entry in problem.entries] + [
        (link.before, link.after) for link in problem.links
    ]
    for chain in chains + [shared.members for shared in own]:
        for number in chain[1:]:
            groups[root(number)] = root(chain[0])
    entries: dict[int, list[Entry]] = {}
    for entry in problem.entries:
        entries.setdefault(root(entry.tasks[0]), []).append(entry)
    return [
        replace(
            problem,
            entries=tuple(some),
            links=tuple(link for link in problem.links if root(link.after) == group),
            shared=tuple(shared for shared in own if shared.members and root(shared.members[0]) == group),
            crowded_above=None,
        )
        for group, some in entries.items()
    ]


def obeys_all(problem: Problem, placed: Placed) -> bool:
    """Does a plan obey what all releases share?"""
    desk = Desk(problem, placed)
    return all(desk.holds(index) for index, shared in enumerate(problem.shared) if shared.everybody)


def _joined(problem: Problem, parts: Sequence[Found]) -> Found:
    placed = problem.begun
    for part in parts:
        placed |= part.placed

    def total(answers: Sequence[Answer]) -> Answer:
        return Answer(
            placed,
            sum(one.value for one in answers),
            sum(one.bound for one in answers),
            any(one.stopped_by_clock for one in answers),
        )

    moves = [part.moves for part in parts if part.moves is not None]
    return Found(
        placed,
        total([part.left_out for part in parts]),
        total(moves) if moves else None,
        total([part.cost for part in parts]),
    )


def _passes(problem: Problem, previous: Placed | None, effort: Effort, near: Placed | None = None) -> Found:
    placed = first_plan(problem, near or previous)
    left_out = _least_left_out(problem, placed, effort)
    moves = _least_moved(problem, left_out, previous, effort) if previous else None
    start = moves or left_out
    cost = _least_cost(problem, left_out, moves, previous or {}, start.placed, effort)
    return Found(cost.placed, left_out, moves, cost)


def moved(problem: Problem, previous: Mapping[int, int], placed: Mapping[int, int]) -> list[str]:
    """The releases in both plans of which a wave begins at another time, in their order."""
    return [
        entry.name
        for entry in problem.entries
        if all(number in placed for number in entry.tasks)
        and any(previous.get(number, placed[number]) != placed[number] for number in entry.tasks)
    ]


def _least_left_out(problem: Problem, placed: Placed, effort: Effort) -> Answer:
    weight = problem.weight_left_out(placed)
    if not weight:
        return Answer(placed, 0, 0)
    lost = sum(entry.weight for entry in problem.entries if not entry.possible)
    if weight == lost:
        return Answer(placed, weight, weight)
    names = _possible(problem)
    model = build(problem, entries=names, optional=names)
    model.cp.minimize(_left_out(model))
    return solve(model, placed, weight, effort)


def _least_moved(problem: Problem, before: Answer, previous: Placed, effort: Effort) -> Answer:
    model = _within(problem, before)
    model.cp.minimize(_moves(model, previous))
    value = len(moved(problem, previous, before.placed))
    return solve(model, before.placed, value, effort)


def _least_cost(
    problem: Problem,
    left_out: Answer,
    moves: Answer | None,
    previous: Placed,
    placed: Placed,
    effort: Effort,
) -> Answer:
    model = _within(problem, left_out)
    if moves is not None:
        model.cp.add(_moves(model, previous) <= moves.value)
    model.cp.minimize(cost_of(model))
    return solve(model, placed, problem.cost(placed), effort)


def _within(problem: Problem, left_out: Answer) -> Model:
    """The model of all plans that leave out no more."""
    names = _possible(problem)
    lost = sum(entry.weight for entry in problem.entries if not entry.possible)
    choosy = left_out.value > lost
    model = build(problem, entries=names, optional=names if choosy else ())
    if choosy:
        model.cp.add(_left_out(model) <= left_out.value)
    return model


def _possible(problem: Problem) -> list[str]:
    return [entry.name for entry in problem.entries if entry.possible]


def _left_out(model: Model) -> Any:
    """What is left out weighs, with what has no place at all."""
    return sum(entry.weight * (1 - model.present.get(entry.name, 0)) for entry in model.problem.entries)


def _moves(model: Model, previous: Mapping[int, int]) -> Any:
    cp, terms = model.cp, []
    for entry in model.problem.entries:
        known = [number for number in entry.tasks if number in previous]
        if not known or entry.name not in model.present:
            continue
        stays = cp.new_bool_var("")
        for number in known:
            cp.add(model.starts[number] == previous[number]).only_enforce_if(stays)
        present = model.present.get(entry.name, 0)
        if isinstance(present, int):
            terms.append(1 - stays)
        else:
            cp.add_implication(stays, present)
            terms.append(present - stays)
    return sum(terms) if terms else cp.new_constant(0)


def solve(model: Model, hint: Placed, value: int, effort: Effort) -> Answer:
    """Solve a model from a plan that is known to obey it and is worth `value`."""
    cp_model = cp_sat()
    if value == 0:
        return Answer(hint, 0, 0)
    for number, start in model.starts.items():
        if number in hint:
            model.cp.add_hint(start, hint[number])
        else:
            model.cp.add_hint(start, model.problem.tasks[number].best)
    for entry in model.problem.entries:
        present = model.present.get(entry.name, 1)
        if not isinstance(present, int):
            model.cp.add_hint(present, entry.tasks[0] in hint)
    solver = cp_model.CpSolver()
    settings(solver, effort)
    status = solver.solve(model.cp)
    if status in (cp_model.MODEL_INVALID, cp_model.INFEASIBLE):
        raise AssertionError(f"the solver denies a plan that is known: {status} {model.cp.validate()}")
    by_clock = status != cp_model.OPTIMAL and solver.wall_time >= effort.seconds
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Answer(hint, value, 0, by_clock)
    bound = round(solver.best_objective_bound)
    return Answer(read(model, solver), round(solver.objective_value), bound, by_clock)


def read(model: Model, solver: Any) -> Placed:
    """The starts that a solver found, without what is left out."""
    found = {}
    for number, start in model.starts.items():
        present = model.is_in(number)
        if isinstance(present, int) or solver.boolean_value(present):
            found[number] = solver.value(start)
    return found


def settings(solver: Any, effort: Effort) -> None:
    """One seed and a stated number of workers in step: the same input finds the same answer."""
    parameters = solver.parameters
    parameters.random_seed = SEED
    parameters.num_workers = WORKERS
    parameters.linearization_level = 2
    # Measured: probing and the search for symmetries took a third of the time and found nothing.
    parameters.cp_model_probing_level = 0
    parameters.symmetry_level = 0
    parameters.max_deterministic_time = effort.work
    parameters.max_time_in_seconds = effort.seconds
