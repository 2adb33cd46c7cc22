"""Who may say yes to a plan: nobody who had a hand in it, and only as often as there are people."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest

from rollway.approvals import Approval, approval_state, check_approval
from rollway.choice import choose
from rollway.errors import RefusedError
from rollway.planning import Plan, make_plan
from rollway.planning.model import Override
from support.releases import release_with

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FACTS = {"backlog.modular": True, "migration.backward_compatible": True, "architecture.complexity": "low"}


@pytest.fixture(scope="module")
def plan() -> Plan:
    identity = {"name": "till", "version": "2.0", "prepared_by": "mira"}
    agreements = {"approvers": ["ines", "tomas", "mira"], "approvals_required": 2}
    release = release_with(FACTS, release=identity, agreements=agreements, rollout={"method": "phased"})
    return make_plan(release, choose(release))


def yes(actor: str) -> Approval:
    return Approval(actor, "yes", NOW)


def test_an_approver_may_say_yes(plan: Plan) -> None:
    """Two of them do, and the plan is approved; one of them twice is one."""
    check_approval(plan, yes("ines"))
    assert not approval_state(plan, [yes("ines"), yes("Ines ")]).is_approved
    assert approval_state(plan, [yes("ines"), yes("tomas")]).is_approved


@pytest.mark.parametrize("name", ["mira", "Mira ", "ＭＩＲＡ"])
def test_whoever_prepared_a_plan_cannot_approve_it(plan: Plan, name: str) -> None:
    """In whatever letters the name is written, and though it stands among the approvers."""
    with pytest.raises(RefusedError, match="prepared plan"):
        check_approval(plan, yes(name))


def test_whoever_overruled_a_plan_cannot_approve_it(plan: Plan) -> None:
    """A change by hand needs another pair of eyes than those that made it."""
    change = Override(path="stages.0", by="Tomas", before="1", after="2", because="in a hurry")
    changed = plan.model_copy(update={"overrides": (change,)})
    with pytest.raises(RefusedError, match="overruled a part of plan"):
        check_approval(changed, yes("tomas"))
    check_approval(changed, yes("ines"))


def test_a_stranger_cannot_approve(plan: Plan) -> None:
    """Where approvers are named, only they may."""
    with pytest.raises(RefusedError, match="is not an approver"):
        check_approval(plan, yes("jon"))


def test_a_no_stops_a_plan_until_it_is_taken_back(plan: Plan) -> None:
    """A person's latest word counts."""
    no = dataclasses.replace(yes("ines"), decision="no")
    assert approval_state(plan, [yes("tomas"), no]).missing == "ines said no"
    assert approval_state(plan, [yes("tomas"), no, yes("ines")]).is_approved
