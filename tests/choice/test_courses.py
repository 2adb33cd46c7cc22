"""The rough course of each method, by which methods are compared before a plan is made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rollway.choice.courses import ALPHA_PROMOTE, LONGEST_STAGE_DAYS, MARGIN, SHORTEST_BAKE_DAYS, course_of
from rollway.choice.scoring import NAMES
from rollway.choice.setting import Setting, draw
from rollway.judge import requests_to_clear
from support.releases import release_with

FACTS: dict[str, Any] = {
    "stakeholders.users": 5000,
    "architecture.feature_flags": True,
    "architecture.per_version_telemetry": True,
    "architecture.requests_per_second": 1,
}


def _setting(**rollout: Any) -> Setting:
    return draw(release_with(FACTS, rollout=rollout), 400, 7)


def test_beside_a_control_group_a_canary_waits_for_as_many_requests_as_the_judge_needs() -> None:
    """At a tenth of the users two to three times as many as beside everyone else; at a half just as many."""
    alone, beside = (course_of("canary", _setting(**more)) for more in ({}, {"control_group": "equal"}))
    needed = [
        requests_to_clear(base_rate=0.001, margin=MARGIN, share=part, alpha_promote=ALPHA_PROMOTE)
        for part in (0.1, 0.5)
    ]
    is_free = (alone.days[0] > SHORTEST_BAKE_DAYS) & (beside.days[0] < LONGEST_STAGE_DAYS)
    assert is_free.sum() > 50
    longer = beside.days[0][is_free] / alone.days[0][is_free]
    assert longer == pytest.approx(np.full(is_free.sum(), needed[1] / needed[0]))
    assert 2 < needed[1] / needed[0] < 3
    assert (beside.days[1] == alone.days[1]).all()


def test_beside_a_control_group_a_fault_is_seen_later_in_the_first_stage_alone() -> None:
    """Nothing is faster, and what serves half of the users has as many to be compared with."""
    alone, beside = (course_of("canary", _setting(**more)) for more in ({}, {"control_group": "equal"}))
    assert (beside.hours[0] > alone.hours[0]).all()
    assert (beside.hours[1:] == alone.hours[1:]).all()


@pytest.mark.parametrize("method", [name for name in NAMES if name != "canary"])
def test_a_control_group_changes_no_other_course(method: Any) -> None:
    """Only a canary is compared by the judge while this is reckoned."""
    alone, beside = (course_of(method, _setting(**more)) for more in ({}, {"control_group": "equal"}))
    assert (beside.days == alone.days).all()
    assert (beside.hours == alone.hours).all()
