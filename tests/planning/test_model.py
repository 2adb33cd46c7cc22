"""A plan that somebody edited by hand: what cannot work is refused when it is read, with its place."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from rollway.choice import choose
from rollway.errors import InputError
from rollway.facts import load_release
from rollway.facts.model import Release
from rollway.planning import Plan, make_plan

MakeRelease = Callable[..., Release]
MakePlan = Callable[..., Plan]
Body = dict[str, Any]
EXAMPLE = Path(__file__).parents[2] / "examples" / "reporting" / "release.yaml"
WINDOW = {"opens": "20:00", "closes": "06:00", "timezone": "Europe/Berlin"}
FREEZE = {"first": "2026-12-20", "last": "2027-01-03"}
DAY = 86_400


@pytest.fixture
def body_of(release_of: MakeRelease, plan_of: MakePlan) -> Callable[[], Body]:
    """The JSON of a sound canary plan: baseline, 10, 50, 95 and 100 percent; errors and latency are gates."""
    agreements = {"windows": [WINDOW], "freezes": [FREEZE]}
    plan = plan_of(release_of(rollout={"shares": [0.1, 0.5]}, agreements=agreements), "canary")
    return lambda: copy.deepcopy(plan.to_json())


def set_at(body: Body, path: str, value: Any) -> None:
    """Sets `stages.1.exposure.share` and the like."""
    *way, last = path.split(".")
    at: Any = body
    for step in way:
        at = at[int(step) if step.isdigit() else step]
    at[int(last) if last.isdigit() else last] = value


def findings(body: Body) -> dict[str, str]:
    """What reading this plan finds: path and message, as people are told."""
    with pytest.raises(ValidationError) as refused:
        Plan.from_text(json.dumps(body))
    return {".".join(map(str, one["loc"])): one["msg"] for one in refused.value.errors()}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("policy.alpha", 0),
        ("policy.alpha", 1),
        ("policy.alpha", float("nan")),
        ("policy.alpha_promote", 0),
        ("policy.alpha_promote", 1.5),
        ("policy.tick_seconds", 0.04),
        ("policy.tick_seconds", DAY + 1),
        ("policy.blind_seconds", 0),
        ("policy.blind_seconds", 30 * DAY + 1),
        ("stages.1.bake_seconds", -1),
        ("stages.1.bake_seconds", float("inf")),
        ("stages.1.bake_seconds", 3 * 365 * DAY + 1),
        ("stages.1.patience_seconds", 0),
        ("stages.1.patience_seconds", 3 * 365 * DAY + 1),
        ("stages.1.exposure.share", 1.1),
        ("stages.1.exposure.share", float("nan")),
        ("stages.1.margins.errors", 1),
        ("stages.1.margins.errors", float("inf")),
        ("guards.0.tolerance", 0.9),
        ("guards.0.tolerance", float("inf")),
        ("guards.0.weight", 0),
        ("guards.0.weight", float("inf")),
        ("guards.0.limit", 0),
        ("guards.0.limit", 1.01),
        ("guards.0.limit_seconds", 0),
        ("guards.0.expected", -0.1),
        ("promises.0.seconds", float("inf")),
        ("approvals_required", 0),
    ],
)
def test_a_number_out_of_bounds_is_refused_at_its_place(
    body_of: Callable[[], Body], path: str, value: float
) -> None:
    """One slip of the pen, one finding, and it names the field."""
    body = body_of()
    set_at(body, path, value)
    assert list(findings(body)) == [path]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("policy.tick_seconds", 0.05),
        ("policy.tick_seconds", DAY),
        ("policy.blind_seconds", 30 * DAY),
        ("stages.1.bake_seconds", 0),
        ("stages.1.bake_seconds", 3 * 365 * DAY),
        ("stages.1.patience_seconds", 3 * 365 * DAY),
        ("guards.0.tolerance", 1),
        ("guards.0.limit", 1),
        ("guards.0.limit", None),
        ("prepared_by", ""),
    ],
)
def test_the_bounds_themselves_are_within(body_of: Callable[[], Body], path: str, value: object) -> None:
    """The last value that can work is taken."""
    body = body_of()
    set_at(body, path, value)
    Plan.from_text(json.dumps(body))


@pytest.mark.parametrize(
    ("changes", "path", "told"),
    [
        ({"stages.2.id": "10-percent"}, "stages.2.id", "'10-percent' is taken by stages.1"),
        ({"guards.1.kpi": "errors"}, "guards.1.kpi", "'errors' is taken by guards.0"),
        ({"stages.2.exposure.share": 0.05}, "stages.2.exposure", "serves 0.05 of the users after 0.1 in"),
        ({"stages.2.exposure.mode": "shadow"}, "stages.2.exposure", "serves 0 of the users after 0.1 in"),
        ({"stages.1.margins.speed": 2}, "stages.1.margins.speed", "there is no guard 'speed'"),
        ({"guards.1.say": "brake"}, "stages.1.margins.latency", "'latency' is a brake; only a gate"),
        (
            {"stages.1.margins": {}},
            "stages.1.margins",
            "nothing is asked to be shown, neither here nor in an earlier",
        ),
        (
            {"stages.1.margins": {}, "stages.2.advance": "person", "stages.2.margins": {}},
            "stages.3.margins",
            "give at least one gate a margin",
        ),
        ({"guards.0.kind": "mean"}, "guards.0.bound", "a mean needs a bound"),
        ({"guards.0.bound": 5}, "guards.0.bound", "a rate has no bound"),
        ({"guards.0.baseline": "history", "guards.0.limit": None}, "guards.0.baseline", "with a limit"),
        ({"guards.0.baseline": "absolute"}, "stages.1.margins.errors", "not compared with the old version"),
        ({"guards.0.on_harm": "tell"}, "guards.0.on_harm", "rollback"),
        ({"guards": []}, "stages.0.advance", "'ready' needs a gate among the guards"),
        ({"guards": []}, "stages.3.advance", "'evidence' needs a gate among the guards"),
        ({"guards.0.stages": ["10-percnt"]}, "guards.0.stages.0", "'10-percnt' that the plan does not have"),
        ({"guards.1.stages": ["50-percent"]}, "stages.1.margins.latency", "does not count in this stage"),
        (
            {"guards.0.stages": ["100-percent"], "guards.1.stages": ["100-percent"]},
            "stages.0.advance",
            "'ready' needs a gate that counts in this stage, and none does (errors, latency)",
        ),
        ({"windows.0.timezone": "Europe/Berln"}, "windows.0.timezone", "no time zone 'Europe/Berln'; use"),
        ({"freezes.0.timezone": "../../etc/passwd"}, "freezes.0.timezone", "there is no time zone"),
        ({"windows.0.timezone": ""}, "windows.0.timezone", "there is no time zone ''"),
        ({"runbook.0.stage": "gone"}, "runbook.0.stage", "there is no stage 'gone'"),
        ({"communication.0.stage": "{gone}"}, "communication.0.stage", "there is no stage '{gone}'"),
        ({"promises.0.stage": "gone"}, "promises.0.stage", "there is no stage 'gone'"),
        ({"guards.0.signal.every": float("nan")}, "guards.0.signal", "cannot be written as JSON"),
        ({"target.note": ["\ud800"]}, "target", "cannot be written as JSON"),
        ({"stages": []}, "stages", "at least 1 item"),
    ],
)
def test_parts_that_do_not_go_together_are_refused(
    body_of: Callable[[], Body], changes: Body, path: str, told: str
) -> None:
    """The finding names the part that is to be mended, and what it does not agree with."""
    body = body_of()
    for place, value in changes.items():
        set_at(body, place, value)
    assert told in findings(body)[path]


def test_every_fault_is_told_at_once(body_of: Callable[[], Body]) -> None:
    """Somebody who edits a plan mends it in one go."""
    body = body_of()
    set_at(body, "guards.1.kpi", "errors")
    set_at(body, "windows.0.timezone", "Mars/Olympus")
    set_at(body, "stages.1.margins", {})
    assert {"guards.1.kpi", "windows.0.timezone", "stages.1.margins"} <= set(findings(body))


def test_a_hold_back_after_a_proof_needs_none(body_of: Callable[[], Body]) -> None:
    """The plan as made has one, and any evidence stage after a proved one may go without."""
    body = body_of()
    assert (body["stages"][3]["advance"], body["stages"][3]["margins"]) == ("evidence", {})
    set_at(body, "stages.2.margins", {})
    Plan.from_text(json.dumps(body))


def test_the_plan_of_the_example_is_sound() -> None:
    """What is shipped can be read back."""
    release = load_release(EXAMPLE)
    plan = make_plan(release, choose(release))
    assert Plan.from_text(plan.text()).hash == plan.hash


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"agreements": {"windows": [{**WINDOW, "timezone": "Nowhere"}]}}, "no time zone 'Nowhere'"),
        ({"rollout": {"bake": "200w"}}, "bake_seconds: Input should be less than or equal to"),
        ({"rollout": {"margin": float("inf")}}, "margins.errors: Input should be a finite number"),
        (
            {"kpis": [{"name": "errors", "kind": "rate", "signal": {"type": "x"}}] * 2},
            "guards.1.kpi: 'errors' is taken",
        ),
    ],
)
def test_facts_that_give_no_workable_plan_are_refused_in_words(
    release_of: MakeRelease, plan_of: MakePlan, changes: Body, told: str
) -> None:
    """The same rules hold for what Rollway makes itself, and nobody meets a traceback."""
    with pytest.raises(InputError, match="cannot work") as refused:
        plan_of(release_of(**changes), "canary")
    assert any(told in line for line in refused.value.details), refused.value.details
