"""What courses are foreseen to do is what the engine lets them do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rollway.facts.model import Release
from rollway.planning import Plan, foresight
from rollway.planning.flow import Flow
from rollway.planning.foresight import Passed, faulty, healthy
from rollway.planning.model import READ_BACK_SECONDS
from rollway.planning.scene import Scene, Watched

MakeRelease = Callable[..., Release]
MakePlan = Callable[..., Plan]
FINE = tuple(0.05 * 1.1**n for n in range(40))
TICK = 1.0


@pytest.fixture
def scene_of(
    release_of: MakeRelease, plan_of: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> Callable[[float, float], Scene]:
    """Makes the stages of a canary with a gate on errors and one on latency, seen so long beforehand."""
    monkeypatch.setattr(foresight, "ROWS", 2000)
    plan = plan_of(release_of(rollout={"check_every": "1s", "bake": "2m"}), "canary")

    def make(per_second: float, alone_seconds: float) -> Scene:
        guards = [one.model_copy(update={"buckets": FINE}) for one in plan.guards if one.say == "gate"]
        watched = tuple(Watched(one, 0.01, 0.5) for one in guards)
        stages = tuple(one for one in plan.stages if 0 < one.exposure.share < 1)[1:2]
        return Scene(
            stages,
            watched,
            Flow((per_second,)),
            TICK,
            600.0,
            0.01,
            0.05,
            alone_seconds=alone_seconds,
        )

    return make


def watched(scene: Scene, kpi: str) -> Watched:
    return next(one for one in scene.watched if one.guard.kpi == kpi)


def test_nothing_is_found_before_the_engine_has_looked(scene_of: Callable[[float, float], Scene]) -> None:
    """The target is told, read back, and a tick later there is something to judge: no sooner, however many
    requests come."""
    scene = scene_of(150_000.0, 10.0)
    ended = faulty(scene, 0, watched(scene, "errors"), 10.0, healthy(scene))
    assert ended.found == pytest.approx(np.full(len(ended.found), READ_BACK_SECONDS + TICK))
    assert ended.ended == pytest.approx(ended.found)


def test_few_courses_are_drawn_of_what_is_sure(scene_of: Callable[[float, float], Scene]) -> None:
    """A tenfold fault is found in each of some hundred; of one that is found now and then more are drawn."""
    scene = scene_of(200.0, 10.0)
    passed = healthy(scene)
    sure, open_ = (faulty(scene, 0, watched(scene, "errors"), ratio, passed) for ratio in (10.0, 1.5))
    assert len(sure.found) == foresight.FIRST_ROWS
    assert np.isfinite(sure.found).all()
    assert len(open_.found) > foresight.FIRST_ROWS
    assert (np.diff(open_.numbers) > 0).all()


def test_a_canary_that_begins_after_seconds_is_left_later(scene_of: Callable[[float, float], Scene]) -> None:
    """The judge then chooses from few requests where safety is shown, often further out than it would: a
    doubling has more time to be found."""

    def chance(alone_seconds: float) -> tuple[float, float]:
        scene = scene_of(200.0, alone_seconds)
        # What is known of durations is the same in both; only the choice differs.
        passed = healthy(scene)
        same = tuple(Passed(replace(each.arrival, known=1e6), each.by_guard, each.left) for each in passed)
        ended = faulty(scene, 0, watched(scene, "latency"), 2.0, same)
        return float(np.isfinite(ended.found).mean()), float(ended.ended.mean())

    soon, late = chance(3.0), chance(3000.0)
    assert soon[1] > late[1]
    assert soon[0] != pytest.approx(late[0], abs=0.02)
