"""A real Rollway with a real rollout, moved by real ticks over a made-up service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np

from rollway.app import Rollway
from rollway.errors import TemporaryError
from rollway.facts import Release, load_release
from rollway.judge import Counts, Histogram, Reading, Sample
from rollway.planning import Guard, Plan
from rollway.rollout import Collected, Cursor, Interval, Signal, State, Target, tick
from rollway.rollout.serving import Check, Served
from support.rollouts import start_plan

EXAMPLE = Path(__file__).parents[2] / "examples" / "reporting" / "release.yaml"
EVENING = datetime(2026, 11, 19, 20, 30, tzinfo=UTC)
"""Inside the change window of the example."""
REQUESTS = 2000
"""Requests of both versions together between two ticks."""


@dataclass
class World:
    """A service with two versions: what it serves, and how bad each version is at each KPI."""

    new: dict[str, float] = field(default_factory=lambda: {"errors": 0.02, "latency": 0.09, "feedback": 0.1})
    old: dict[str, float] = field(default_factory=lambda: {"errors": 0.02, "latency": 0.1, "feedback": 0.1})
    share: float = 0.0
    control: float = 0.0
    is_up: bool = True
    seed: int = 1

    def signal(self, rollout: str, guard: Guard) -> Signal:
        return MadeUpSignal(self, guard)

    def target(self, rollout: str, plan: Plan) -> Target:
        return self

    @property
    def samples_control(self) -> bool:
        return True

    def apply(self, share: float, *, mirrored: float = 0.0, control: float = 0.0, fence: int) -> None:
        if not self.is_up:
            raise TemporaryError("the flag service does not answer")
        self.share, self.control = share, control

    def observe(self) -> Served:
        if not self.is_up:
            raise TemporaryError("the flag service does not answer")
        return Served(self.share, control=self.control)

    def nearest(self, share: float) -> float:
        return share

    def preflight(self) -> tuple[Check, ...]:
        return ()


@dataclass
class MadeUpSignal:
    """Draws what each version did since the last tick."""

    world: World
    guard: Guard

    def collect(self, cursor: Cursor | None, interval: Interval) -> Collected:
        chance = np.random.default_rng([self.world.seed, len(self.guard.kpi), int(interval.now)])
        start = cursor["at"] if cursor else interval.now - 10
        part = REQUESTS // 10 if self.guard.kpi == "feedback" else REQUESTS
        exposed = round(part * self.world.share)
        reading = Reading(
            kpi=self.guard.kpi,
            start=start,
            end=interval.now,
            stage=interval.stage,
            share=interval.share,
            candidate=self._sample(chance, exposed, self.world.new),
            baseline=self._sample(chance, part - exposed, self.world.old),
        )
        return Collected(reading if cursor else None, {"at": interval.now})

    def _sample(self, chance: np.random.Generator, trials: int, rates: dict[str, float]) -> Sample:
        bad = int(chance.binomial(trials, rates[self.guard.kpi]))
        if self.guard.kind == "rate":
            return Counts(trials, bad)
        fast = (trials - bad) // 2
        return Histogram((0.1, 0.25, 1.0), (fast, trials - bad - fast, bad, 0))


@lru_cache
def _release(changes: tuple[tuple[str, str], ...]) -> Release:
    return load_release(EXAMPLE, changes={name.replace("__", "."): value for name, value in changes})


@dataclass
class Story:
    """A Rollway whose clock stands still until a tick is asked for."""

    rollway: Rollway
    world: World
    now: datetime = EVENING

    def make_plan(self, **changes: str) -> Plan:
        """The example's plan; `release__version="3.0"` changes one fact."""
        return self.rollway.plan(_release(tuple(changes.items())))

    def start(self, plan: Plan | None = None) -> str:
        plan = plan or self.make_plan()
        self.rollway.approve(plan, "ines", reason="read it twice")
        return start_plan(self.rollway, plan, "jon")

    def tick(self, rollout: str, times: int = 1, *, seconds: float = 10) -> None:
        for _ in range(times):
            self.now += timedelta(seconds=seconds)
            loaded = self.rollway.load(rollout)
            tick(
                rollout,
                loaded.seq,
                rollouts=self.rollway.rollouts,
                connectors=self.world,
                clock=lambda: self.now,
            )

    def tick_until(self, rollout: str, reached: Callable[[State], bool], *, most: int = 300) -> None:
        for _ in range(most):
            if reached(self.rollway.load(rollout).state):
                return
            self.tick(rollout)
        raise AssertionError(f"not reached: {self.rollway.load(rollout).state}")


def make_story(folder: Path) -> Story:
    rollway = Rollway(folder)
    made = Story(rollway, World())
    rollway.clock = lambda: made.now
    return made
