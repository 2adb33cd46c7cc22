"""A control group of equal size: how large it is, what it costs, and that every figure reckons with it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from planning.conftest import MakeRelease
from rollway.judge import requests_to_clear, requests_to_detect
from rollway.judge.courses import Step
from rollway.judge.power import Setting, foresee, rate_fault
from rollway.planning import Exposure, Plan, describe
from rollway.planning.control_group import part_of
from rollway.planning.diff import diff
from rollway.planning.evidence import clear_seconds, detect_seconds

MakePlan = Callable[..., Plan]
SHARES = {"shares": [0.01, 0.1, 0.5], "bake": "20m"}


@pytest.fixture
def with_group(release_of: MakeRelease, plan_of: MakePlan) -> Plan:
    return plan_of(release_of(rollout={**SHARES, "control_group": "equal"}), "canary")


def test_every_share_has_as_many_users_to_compare_with(with_group: Plan) -> None:
    """As many, or all who are left; in the first look those of the first share; none once all are served."""
    found = [(stage.exposure.share, stage.exposure.control) for stage in with_group.stages]
    assert found == [(0.0, 0.01), (0.01, 0.01), (0.1, 0.1), (0.5, 0.5), (0.95, 0.05), (1.0, 0.0)]
    parts = [stage.exposure.part for stage in with_group.stages]
    assert parts == pytest.approx([0.0, 0.5, 0.5, 0.5, 0.95, 1.0])


def test_without_the_wish_nothing_is_sampled(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """And the plan is the same, to its hash, as where nobody spoke of it."""
    plain, said = (
        plan_of(release_of(rollout={**SHARES, **more}), "canary") for more in ({}, {"control_group": None})
    )
    assert not any(stage.exposure.control for stage in plain.stages)
    assert plain.hash == said.hash
    assert "control" not in plain.text()


def test_the_first_look_waits_longer(with_group: Plan, release_of: MakeRelease, plan_of: MakePlan) -> None:
    """A hundredth of the traffic takes a hundred times as long to show a hundred requests."""
    plain = plan_of(release_of(rollout=SHARES), "canary")
    assert with_group.stages[0].patience_seconds == pytest.approx(100 * plain.stages[0].patience_seconds)


@pytest.mark.parametrize(("share", "part"), [(0.01, 0.5), (0.5, 0.5), (0.95, 0.95)])
def test_times_are_those_of_equal_arms(release_of: MakeRelease, share: float, part: float) -> None:
    """To show a gate and to find a fault: the requests of the judge's own formulas, at the share's pace."""
    release = release_of(rollout={"control_group": "equal"})
    kpi = release.kpis[0]
    assert part_of(release, share) == pytest.approx(part)
    clear = requests_to_clear(base_rate=0.01, margin=2.0, share=part, alpha_promote=0.05)
    assert clear_seconds(release, kpi, 2.0, share) == pytest.approx(clear / share / 200)
    found = requests_to_detect(base_rate=0.01, ratio=2.0, share=part, alpha=0.005, tolerance=1.1)
    assert detect_seconds(release, kpi, 2.0, share) == pytest.approx(found / share / 200)


def test_a_fault_takes_more_users_beside_a_group_than_beside_all_the_rest(
    with_group: Plan, release_of: MakeRelease, plan_of: MakePlan
) -> None:
    """Two to three times as many at one in a hundred, and as many at one half."""
    plain = plan_of(release_of(rollout=SHARES), "canary")

    def requests(plan: Plan, stage: str) -> float:
        return next(
            one.requests for one in plan.promises if (one.stage, one.kpi, one.ratio) == (stage, "errors", 2.0)
        )

    assert 1.8 < requests(with_group, "1-percent") / requests(plain, "1-percent") < 3
    assert requests(with_group, "50-percent") == requests(plain, "50-percent")


def test_power_beside_a_group_is_that_of_the_group_s_traffic() -> None:
    """One share in ten beside as many is one half of a fifth of the traffic."""
    fault = rate_fault(0.01, 2.0)
    beside = Setting(1000.0, (Step("ten", 0.5, 600.0, 0.2),))
    alone = Setting(200.0, (Step("ten", 0.5, 600.0),))
    assert foresee(beside, fault).caught == foresee(alone, fault).caught
    assert foresee(beside, fault).met == pytest.approx(foresee(alone, fault).met)
    assert foresee(beside, fault).exposed == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("exposure", "what"),
    [
        ({"share": 0.6, "control": 0.5}, "more users than there are"),
        ({"share": 1.0, "mode": "shadow", "control": 0.5}, "has no control group"),
    ],
)
def test_a_group_that_cannot_be_is_refused(with_group: Plan, exposure: dict[str, object], what: str) -> None:
    """With its place in the plan."""
    body = with_group.to_json()
    body["stages"][-2]["exposure"] = {"audience": "everyone", "share": 0.0, "mode": "live", **exposure}
    with pytest.raises(ValidationError) as caught:
        Plan.model_validate(body)
    assert any(what in one["msg"] for one in caught.value.errors())
    assert any(one["loc"] == ("stages", 4, "exposure", "control") for one in caught.value.errors())


def test_it_is_told_in_words(with_group: Plan, release_of: MakeRelease, plan_of: MakePlan) -> None:
    """In the plan's tree, its notes, and where two plans differ."""
    text = describe(with_group)
    assert "a control group of 1% is drawn" in text
    assert "compared with a control group of 10%" in text
    assert any("control group as large as they are" in note for note in with_group.notes)
    plain = plan_of(release_of(rollout=SHARES), "canary")
    assert any("control group of 10%" in line for line in diff(plain, with_group))


def test_beside_and_compared_add_up() -> None:
    """Without a group everybody is compared."""
    assert (Exposure(share=0.2).compared, Exposure(share=0.2).part) == (1.0, 0.2)
    assert Exposure(share=0.2, control=0.1).compared == pytest.approx(0.3)
    assert Exposure(share=1.0, mode="shadow").part == 0.0
