"""The rule of approval: enough different people, none of whom made or changed the plan; a no stops it."""

from __future__ import annotations

import unicodedata
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
    if not same_name(plan.prepared_by):
        raise RefusedError(
            f"plan {plan.hash[:12]} does not say who prepared it, so nobody can be the second person",
            hint="name release.prepared_by in the release file, and plan again",
        )
    if same_name(given.actor) == same_name(plan.prepared_by):
        raise RefusedError(
            f"{given.actor} prepared plan {plan.hash[:12]} and cannot approve it",
            hint="a second person has to approve: " + (", ".join(plan.approvers) or "anyone else"),
        )
    if same_name(given.actor) in {same_name(one.by) for one in plan.overrides}:
        raise RefusedError(
            f"{given.actor} overruled a part of plan {plan.hash[:12]} and cannot approve it",
            hint="a second person has to approve: " + (", ".join(plan.approvers) or "anyone else"),
        )
    if plan.approvers and same_name(given.actor) not in map(same_name, plan.approvers):
        raise RefusedError(
            f"{given.actor} is not an approver of plan {plan.hash[:12]}",
            hint=f"its approvers are {', '.join(plan.approvers)} (agreements.approvers in the release file)",
        )


def approval_state(plan: Plan, given: Iterable[Approval]) -> ApprovalState:
    """What the approvals so far amount to. A person's latest word counts, and a person counts once."""
    latest = {same_name(one.actor): one for one in given}
    yes = tuple(one.actor for one in latest.values() if one.decision == "yes")
    no = tuple(one.actor for one in latest.values() if one.decision == "no")
    lacking = max(1, plan.approvals_required) - len(yes)
    if no:
        missing = f"{', '.join(no)} said no"
    elif lacking > 0:
        missing = f"{lacking} of {plan.approvals_required} approvals missing"
    else:
        missing = ""
    return ApprovalState(is_approved=not missing, yes=yes, no=no, missing=missing)


def same_name(name: str) -> str:
    """A person's name as it is compared: spaces, case and the form of letters make no other person."""
    return " ".join(unicodedata.normalize("NFKC", name).split()).casefold()
