"""Who may say that an errand is done: those who are named in it, and the operators of the plan."""

from __future__ import annotations

from rollway.approvals import same_name
from rollway.errors import InputError, RefusedError
from rollway.planning import Plan
from rollway.rollout import Errand, ErrandState


def named_in(errand: Errand) -> tuple[str, ...]:
    """The person who is asked, and those who stand in: a target writes them with commas between."""
    return tuple(name.strip() for name in errand.owner.split(",") if name.strip())


def check_answer(plan: Plan, errand: Errand, actor: str, state: ErrandState, note: str) -> None:
    """Raises RefusedError where this person may not answer, InputError for an answer that says too little."""
    if state not in ("done", "failed"):
        raise InputError(f"{state!r} is no answer", hint="an errand is done or failed")
    may = (*named_in(errand), *plan.operators)
    if same_name(actor) not in {same_name(name) for name in may}:
        told = f"{', '.join(named_in(errand))} was asked"
        also = f", or an operator: {', '.join(plan.operators)}" if plan.operators else ""
        raise RefusedError(f"{actor} may not answer {errand.key}: {told}", hint=f"one of them says it{also}")
    if state == "failed" and not note:
        raise InputError("a failure needs a reason", hint="add --because TEXT: the rollout is held for it")
