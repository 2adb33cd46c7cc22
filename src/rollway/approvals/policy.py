"""The rule of approval: enough different people, none of whom prepared the plan; a no stops it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rollway.errors import RefusedError
from rollway.planning import Plan


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's yes or no to one plan."""

    actor: str
    decision: Literal["yes", "no"]
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalState:
    """Where a plan stands: approved or not, by whom, and what is missing in words."""

    is_approved: bool
    yes: tuple[str, ...]
    no: tuple[str, ...]
    missing: str


def check_approval(plan: Plan, given: Approval) -> None:
    """Raise RefusedError where this person may not decide on this plan."""
    if _same_person(given.actor, plan.prepared_by):
        raise RefusedError(
            f"{given.actor} prepared plan {plan.hash[:12]} and cannot approve it",
            hint="a second person has to approve: " + (", ".join(plan.approvers) or "anyone else"),
        )
    if plan.approvers and not any(_same_person(given.actor, name) for name in plan.approvers):
        raise RefusedError(
            f"{given.actor} is not an approver of plan {plan.hash[:12]}",
            hint=f"its approvers are {', '.join(plan.approvers)} (agreements.approvers in the release file)",
        )


def approval_state(plan: Plan, given: Iterable[Approval]) -> ApprovalState:
    """What the approvals so far amount to. A person's latest word counts, and a person counts once."""
    latest = {one.actor.casefold(): one for one in given}
    yes = tuple(one.actor for one in latest.values() if one.decision == "yes")
    no = tuple(one.actor for one in latest.values() if one.decision == "no")
    lacking = plan.approvals_required - len(yes)
    if no:
        missing = f"{', '.join(no)} said no"
    elif lacking > 0:
        missing = f"{lacking} of {plan.approvals_required} approvals missing"
    else:
        missing = ""
    return ApprovalState(is_approved=not missing, yes=yes, no=no, missing=missing)


def _same_person(a: str, b: str) -> bool:
    return a.strip().casefold() == b.strip().casefold()
