"""The quarter as a CP-SAT model: one start for each task, and the rules between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rollway.errors import InputError
from rollway.planning.calendar.solver.grid import Steps, common, lacking
from rollway.planning.calendar.solver.problem import Link, Problem, Shared

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

INSTALL = "install the solver: pip install 'rollway[solver]'"


def cp_sat() -> Any:
    """The solver's module, imported when it is needed. Raises InputError where it is not installed."""
    try:
        from ortools.sat.python import cp_model
    except ImportError as error:
        raise InputError(
            "placing a whole quarter needs OR-Tools, which is not installed", hint=INSTALL
        ) from error
    return cp_model


@dataclass(slots=True)
class Model:
    """A CP-SAT model with the variables by which it is read: starts by task, presence by release."""

    problem: Problem
    cp: cp_model.CpModel
    starts: dict[int, cp_model.IntVar] = field(default_factory=dict)
    present: dict[str, Any] = field(default_factory=dict)
    nights: dict[int, dict[int, list[Any]]] = field(default_factory=dict)
    costly: dict[int, Any] = field(default_factory=dict)
    intervals: dict[int, Any] = field(default_factory=dict)

    def is_in(self, task: int) -> Any:
        return 1 if self.problem.tasks[task].begun else self.present[self.problem.entry_of(task)]


def build(problem: Problem, *, entries: Sequence[str], optional: Sequence[str] = ()) -> Model:
    """The rules for some of the releases: those in `optional` may be left out, all others are in."""
    model = Model(problem, cp_sat().CpModel())
    wanted, may_stay_out = set(entries), set(optional)
    for number in problem.begun:
        _add_task(model, number, is_optional=False)
    for entry in problem.entries:
        if entry.name in wanted:
            is_optional = entry.name in may_stay_out
            model.present[entry.name] = model.cp.new_bool_var("") if is_optional else 1
            for number in entry.tasks:
                _add_task(model, number, is_optional=is_optional)
    for link in problem.links:
        _add_link(model, link)
    for shared in problem.shared:
        members = [number for number in shared.members if number in model.starts]
        if members:
            _add_shared(model, shared, members)
    return model


# --- tasks -------------------------------------------------------------------------------------------


def _add_task(model: Model, number: int, *, is_optional: bool) -> None:
    cp, task = model.cp, model.problem.tasks[number]
    allowed = task.allowed
    domain = cp_sat().Domain.from_intervals([list(stretch) for stretch in allowed])
    present = model.is_in(number)
    if not allowed:
        cp.add(present == 0) if is_optional else cp.add_bool_or([])
        domain = cp_sat().Domain(task.best, task.best)
    start = cp.new_int_var_from_domain(domain, "")
    model.starts[number] = start
    if is_optional:
        model.intervals[number] = cp.new_optional_fixed_size_interval_var(start, task.length, present, "")
        # A task that is left out stands where it costs nothing.
        if allowed:
            cp.add(start == task.best).only_enforce_if(~present)
    else:
        model.intervals[number] = cp.new_fixed_size_interval_var(start, task.length, "")


def night_literals(model: Model, number: int) -> dict[int, list[Any]]:
    """For each night in which a task may begin: literals of which one holds if it does.

    They are made when first asked for, one for the steps that cost extra and one for those that do not, so
    that night, extra cost and delay are all linear in them and the solver's linear relaxation is tight.
    """
    if number in model.nights:
        return model.nights[number]
    cp, task, start = model.cp, model.problem.tasks[number], model.starts[number]
    found: dict[int, list[Any]] = {}
    lows, highs, pays = list[Any](), list[Any](), list[Any]()
    allowed = _allowed(model, number)
    costly = common(allowed, task.costly)
    for steps, is_costly in ((lacking(allowed, costly), False), (costly, True)):
        for night, (_, low, high) in enumerate(model.problem.nights):
            inside = common(steps, ((low, high),))
            if inside:
                literal = cp.new_bool_var("")
                domain = cp_sat().Domain.from_intervals([list(stretch) for stretch in inside])
                cp.add_linear_expression_in_domain(start, domain).only_enforce_if(literal)
                found.setdefault(night, []).append(literal)
                lows.append((inside[0][0] - task.best) * literal)
                highs.append((inside[-1][1] - task.best) * literal)
                pays += [literal] if is_costly else []
    literals = [literal for some in found.values() for literal in some]
    cp.add(sum(literals) == model.is_in(number))
    if found:
        cp.add(start - task.best >= sum(lows))
        cp.add(start - task.best <= sum(highs))
    model.nights[number], model.costly[number] = found, sum(pays)
    return found


def _allowed(model: Model, number: int) -> Steps:
    flat = list(model.starts[number].proto.domain)
    return tuple(zip(flat[::2], flat[1::2], strict=True))


# --- between tasks -----------------------------------------------------------------------------------


def _add_link(model: Model, link: Link) -> None:
    cp, starts = model.cp, model.starts
    if link.after not in starts:
        return
    after = model.is_in(link.after)
    if link.before not in starts:
        cp.add(after == 0) if not isinstance(after, int) else cp.add_bool_or([])
        return
    before = model.is_in(link.before)
    task = model.problem.tasks[link.before]
    condition = [one for one in {id(after): after, id(before): before}.values() if not isinstance(one, int)]
    rule = cp.add(starts[link.after] >= starts[link.before] + task.length + link.lag)
    if condition:
        rule.only_enforce_if(condition)
    if before is not after and not isinstance(before, int):
        cp.add(before == 1) if isinstance(after, int) else cp.add_implication(after, before)


def _add_shared(model: Model, shared: Shared, members: Sequence[int]) -> None:
    cp = model.cp
    if shared.kind in ("apart", "at_once"):
        intervals = [model.intervals[number] for number in members]
        if len(members) <= shared.limit:
            return
        if shared.limit == 1:
            cp.add_no_overlap(intervals)
        else:
            cp.add_cumulative(intervals, [1] * len(intervals), shared.limit)
        return
    if shared.kind == "per_night" and len(members) <= shared.limit:
        return
    by_night: dict[int, list[Any]] = {}
    for number in members:
        for night, literals in night_literals(model, number).items():
            by_night.setdefault(night, []).extend(literals)
    if shared.kind == "per_night":
        for literals in by_night.values():
            if len(literals) > shared.limit:
                cp.add(sum(literals) <= shared.limit)
    elif len(members) > 1:
        _add_rest(model, shared.limit, by_night)


def _add_rest(model: Model, nights_of_rest: int, by_night: Mapping[int, Sequence[Any]]) -> None:
    """Among so many nights and one more that follow each other, the team works in one at most."""
    cp = model.cp
    worked = {}
    for night, literals in by_night.items():
        worked[night] = cp.new_bool_var("")
        for literal in literals:
            cp.add_implication(literal, worked[night])
    for night in by_night:
        together = [worked[later] for later in range(night, night + nights_of_rest + 1) if later in worked]
        if len(together) > 1:
            cp.add_at_most_one(together)


# --- what it costs -----------------------------------------------------------------------------------


def cost_of(model: Model) -> Any:
    """The cost of a plan, as `Problem.cost` counts it."""
    cp, problem = model.cp, model.problem
    terms = []
    for number, start in model.starts.items():
        task = problem.tasks[number]
        if task.begun:
            continue
        terms.append(task.weight * (start - task.best))
        if task.cost and task.costly:
            terms.append(task.cost * _costly(model, number))
    if problem.crowded_above is not None and problem.crowded_cost:
        terms += [problem.crowded_cost * over for over in _crowded(model)]
    return sum(terms) if terms else cp.new_constant(0)


def _costly(model: Model, number: int) -> Any:
    """Is the task placed at a step that costs extra?"""
    allowed = _allowed(model, number)
    if not lacking(allowed, model.problem.tasks[number].costly):
        return model.is_in(number)
    night_literals(model, number)
    return model.costly[number]


def _crowded(model: Model) -> list[Any]:
    """For each night: how many are too many."""
    cp, problem = model.cp, model.problem
    by_night: dict[int, list[Any]] = {}
    for number in model.starts:
        for night, literals in night_literals(model, number).items():
            by_night.setdefault(night, []).extend(literals)
    found = []
    limit = problem.crowded_above or 0
    for literals in by_night.values():
        if len(literals) > limit:
            over = cp.new_int_var(0, len(literals) - limit, "")
            cp.add(over >= sum(literals) - limit)
            found.append(over)
    return found
