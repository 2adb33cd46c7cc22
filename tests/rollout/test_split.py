"""Ticks of a plan that tests the split of users: a step from one split to the next is no alarm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from rollout.test_counting import Source, Stand
from rollway.rollout.tick import evaluate
from rollway.signals.windowed import Asked, DownError
from support.stories import GATE, START, canary, stage

SPLIT = GATE.model_copy(update={"kpi": "split", "kind": "assignment", "say": "brake"})
STAGES = (("five", 0.05), ("half", 0.5), ("most", 0.95), ("all", 1.0))


class Arrivals(Source):
    """Users who come for the first time, 100 a second, and are given a version as it is served then.

    `kept`: the part of the new version's users whom the telemetry tells of.
    """

    def __init__(self, delay: float = 0.0, kept: float = 1.0) -> None:
        super().__init__("split", delay)
        self.kind, self.kept = "assignment", kept
        self.served = [(0.0, 0.0)]

    def rows(self, asked: Asked) -> Iterable[Mapping[str, Any]]:
        if self.is_gone:
            raise DownError("the table is gone")
        new = self._new(asked.end) - self._new(asked.start)
        units = 100 * (asked.end - asked.start)
        return [{"arm": "new", "units": round(new * self.kept)}, {"arm": "old", "units": round(units - new)}]

    def _new(self, until: float) -> float:
        spans = zip(self.served, [*self.served[1:], (until, 0.0)], strict=True)
        return sum(100 * share * max(0.0, min(end, until) - at) for (at, share), (end, _) in spans)


class Shop(Stand):
    """A rollout whose target serves at once what it is told."""

    def tick(self, seconds: float = 5.0) -> Any:
        was = self.balancer.share
        moved = super().tick(seconds)
        if self.balancer.share != was:
            source = self.sources["split"]
            assert isinstance(source, Arrivals)
            source.served.append((self.now.timestamp(), self.balancer.share))
        return moved


def shop(**source: float) -> Shop:
    stages = [stage(name, share, "time", bake_seconds=40) for name, share in STAGES]
    return Shop(canary(*stages, guards=(SPLIT,)), {"split": Arrivals(**source)})


@pytest.mark.parametrize("delay", [0.0, 10.0, 13.0])
def test_steps_of_a_split_that_is_kept_are_no_alarm(delay: float) -> None:
    """Also where a source tells only later of users who came before the step."""
    stand = shop(delay=delay)
    for _ in range(60):
        stand.tick()
    assert stand.state.phase == "done"
    assert not any("not split as planned" in text for text in stand.told)
    assert len(stand.of("split")) > 15


@pytest.mark.parametrize("trouble", ["target", "source"])
def test_a_step_that_nobody_could_see_is_no_alarm(trouble: str) -> None:
    """The target, or the source, does not answer in the ticks after it: what is told later spans the step."""
    stand = shop()
    stand.until("five")
    while stand.state.desired_share < 0.5:
        stand.tick()
    stand.balancer.is_silent = trouble == "target"
    stand.sources["split"].is_gone = trouble == "source"
    stand.tick()
    stand.tick()
    stand.balancer.is_silent = stand.sources["split"].is_gone = False
    for _ in range(60):
        stand.tick()
    assert stand.state.phase == "done"
    assert not any("not split as planned" in text for text in stand.told)


def test_users_who_are_lost_are_an_alarm_all_the_same() -> None:
    """Three in ten of the new version's are never told of: paused in the first stage that can show it."""
    stand = shop(kept=0.7)
    for _ in range(40):
        stand.tick()
    assert stand.state.phase == "paused"
    assert "not split as planned" in stand.state.standing


def test_a_state_from_before_there_was_such_a_moment_is_read() -> None:
    """The first look after that counts as a change: nothing is tested twice, and nothing falsely."""
    stand = shop()
    stand.until("five")
    stand.loaded = replace(stand.loaded, state=stand.state.model_copy(update={"split_at": None}))
    move, _ = evaluate(stand.loaded, stand, stand.now)
    assert move.state.split_at == stand.now
    assert stand.now > START
