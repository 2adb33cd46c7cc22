"""Who may say what to a rollout. Anybody may slow it down or take it back; the rest takes more.

A role for which nobody is named is answered for by the plan's operators; a decision also by its approvers.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from rollway.approvals import same_name
from rollway.errors import RefusedError
from rollway.planning import Gate, Plan, Task
from rollway.planning.roles import ROLES
from rollway.rollout import SUBJECT_KINDS, CommandKind, State
from rollway.rollout.gates import gate_people
from rollway.rollout.subjects import find_subject

NEEDS_OPERATOR = frozenset({"start", "retry", "promote", "resume", "override_window", "roll_forward"})
NEEDS_REASON: frozenset[CommandKind] = frozenset(
    {"promote", "override_window", "roll_forward", "skip", "waive"}
)


def check_operator(plan: Plan, kind: str, actor: str) -> None:
    """Raise RefusedError where only operators may say this, and this person is none."""
    if kind in NEEDS_OPERATOR and plan.operators and not _is_one_of(actor, plan.operators):
        raise RefusedError(
            f"{actor} may not {kind.replace('_', ' ')} this rollout",
            hint=f"its operators are {', '.join(plan.operators)}; {_spoken_as(plan.operators)}. Anybody may "
            "pause it or roll it back",
        )


def check_speaker(plan: Plan, state: State, kind: CommandKind, subject: str, actor: str) -> None:
    """Raise RefusedError where this person may not say this of a gate, a task or an undo step."""
    if kind not in SUBJECT_KINDS:
        return
    named = speakers(plan, state, kind, subject)
    if named and not _is_one_of(actor, named):
        raise RefusedError(
            f"{actor} may not say {kind.replace('_', '-')} of '{subject}'",
            hint=f"it is for {', '.join(named)}; {_spoken_as(named)}",
        )


def as_option(names: Iterable[str]) -> str:
    """` --as jo`, for the first of these that is a person and no role; empty where none is."""
    person = next((name for name in names if name not in ROLES), "")
    return f" --as {shlex.quote(person)}" if person else ""


def _spoken_as(names: Sequence[str]) -> str:
    option = as_option(names) or " --as NAME"
    return f"if {'that is you' if len(names) == 1 else 'you are one of them'}, add your name, as in{option}"


def speakers(plan: Plan, state: State, kind: CommandKind, subject: str) -> tuple[str, ...]:
    """Those who may say this, by name; nobody by name where anybody may, and where there is no such thing."""
    about = find_subject(plan, state, subject, kind)
    if isinstance(about, str):
        return ()
    if isinstance(about, Gate):
        if about.kind == "person" or kind in ("go", "no_go"):
            return _deciders(plan, gate_people(plan, about))
        if kind == "waive":
            return _with_operators(plan, (about.decider,))
        return _with_operators(plan, gate_people(plan, about))
    if isinstance(about, Task):
        is_decision = about.gate or not about.reversible
        if kind in ("go", "no_go") or (kind == "skip" and is_decision):
            return _deciders(plan, (about.decider, about.backup))
        return _with_operators(plan, (about.owner, about.backup, about.decider))
    return _with_operators(plan, (about.owner,))


def _with_operators(plan: Plan, names: Iterable[str]) -> tuple[str, ...]:
    """These and the operators; where the plan names no operators, anybody."""
    if not plan.operators:
        return ()
    return tuple(dict.fromkeys((*_people(plan, names), *plan.operators)))


def _deciders(plan: Plan, names: Iterable[str]) -> tuple[str, ...]:
    """Whoever is named for it; where nobody is, the plan's approvers and operators stand in."""
    people = _people(plan, names)
    if any(name not in ROLES for name in people):
        return people
    standing_in = tuple(dict.fromkeys((*plan.approvers, *plan.operators)))
    return (*people, *standing_in) if standing_in else ()


def _people(plan: Plan, names: Iterable[str]) -> tuple[str, ...]:
    """The names, and those by which the plan's people go by."""
    found: dict[str, None] = {}
    for name in filter(None, names):
        found[name] = None
        for person in plan.people:
            if same_name(name) in (same_name(person.id), same_name(person.name)):
                found |= dict.fromkeys(filter(None, (person.id, person.name)))
    return tuple(found)


def _is_one_of(actor: str, names: Iterable[str]) -> bool:
    return same_name(actor) in map(same_name, names)
