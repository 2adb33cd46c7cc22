"""A rehearsal is the engine's own tick: same events, same verdicts, same record."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from rollway.errors import TemporaryError
from rollway.judge import Reading
from rollway.planning import Gate, Guard, Plan, Policy, Task
from rollway.rehearsal import Fault, Scenario, Steady, Trouble, World, sham, world_of
from rollway.rehearsal.course import Run, Script, account, begin, collect, served, troubles_at
from rollway.rehearsal.leaps import Pace, play
from rollway.rollout.model import Entry, State
from rollway.rollout.ports import Collected, Cursor, Interval, Loaded, Move
from rollway.rollout.serving import Check, Served
from rollway.rollout.tick import tick
from tests.rehearsal.conftest import MONDAY, guard, plan_of, stage

STORIES: dict[str, dict[str, Any]] = {
    "healthy": {},
    "a fault": {"fault": Fault(2.0, "ten", after_seconds=65.0)},
    "source down": {"troubles": (Trouble("source_down", "half", 100.0, 400.0),)},
    "a gap": {"troubles": (Trouble("source_down", "ten", 100.0, 25.0),)},
    "target refuses": {"troubles": (Trouble("target_refuses", "half", 0.0, 61.0),)},
    "target lies": {"troubles": (Trouble("target_lies", "ten", 0.0, 1e6),)},
    "target slow": {"troubles": (Trouble("target_slow", "half", 0.0, 33.0),)},
}


class Engine:
    """The engine's tick on a rehearsed world: rollouts in memory, a target and signals that are made up."""

    def __init__(self, script: Script, rng: np.random.Generator) -> None:
        self.world = begin(script, MONDAY.timestamp(), rng)
        self.plan, self.seq, self.state = script.plan, 0, self.world.state
        self.judged: dict[str, Any] = {}
        self.cursors: dict[str, Cursor] = {}
        self.problem, self.now = "", MONDAY
        self.wake: timedelta | None = None
        self.readings: list[Reading] = []
        self.lived = -1
        self.record: list[Entry] = []

    def run(self) -> None:
        """Every tick until the end, as the engine's timer would call it."""
        while True:
            self.world.state = self.state
            outcome = tick("r", self.seq, rollouts=self, connectors=self, clock=lambda: self.now)
            if outcome == "final":
                return
            assert self.wake is not None
            self.now += self.wake

    # Rollouts

    def load(self, rollout: str) -> Loaded:
        return Loaded(
            id=rollout,
            seq=self.seq,
            plan=self.plan,
            state=self.state,
            judge=self.judged,
            cursors=self.cursors,
            target_problem=self.problem,
            pending=(),
            moved_at=self.now,
        )

    def commit(self, move: Move) -> bool:
        self.seq, self.state, self.judged, self.cursors = self.seq + 1, move.state, move.judge, move.cursors
        self.record += move.entries
        self.problem, self.wake = "", move.wake_after
        stage = self.plan.stages[self.state.stage].id
        if self.state.started_at is not None:
            self.world.told_at.setdefault(stage, self.now.timestamp())
        return True

    def note_target_problem(self, rollout: str, seq: int, problem: str) -> None:
        self.problem = problem

    # Connectors: the target first, as each tick observes before it collects

    def target(self, rollout: str, plan: Plan) -> Engine:
        return self

    @property
    def identity(self) -> str:
        return "rehearsed"

    def observe(self) -> Served:
        self._live()
        share, control = self.world.sham.said
        return Served(share, control=control)

    def nearest(self, share: float) -> float:
        return share

    def preflight(self) -> tuple[Check, ...]:
        return ()

    samples_control = True

    def apply(self, share: float, *, mirrored: float = 0.0, control: float = 0.0, fence: int) -> None:
        now, split = self.now.timestamp(), sham.Split(share, control)
        self.world.sham = sham.told(self.world.sham, split, now, troubles_at(self.world, now))
        if self.world.sham.problem:
            problem = self.world.sham.problem
            self.world.sham = replace(self.world.sham, problem="")
            raise TemporaryError(problem)

    def _live(self) -> None:
        """What was served since the last look, and the readings of it."""
        now = self.now.timestamp()
        if self.lived == self.seq:
            return
        self.lived = self.seq
        drawn = served(self.world, now)
        account(self.world, now)
        self.world.at = now
        self.world.sham = sham.at_moment(self.world.sham, now)
        self.world.state = self.state
        if self.state.phase == "rolling_back":
            self.world.unread = drawn
        else:
            self.readings = collect(self.world, drawn)

    def signal(self, rollout: str, guard: Guard) -> Engine:
        return self

    def collect(self, cursor: Cursor | None, interval: Interval) -> Collected:
        # A target that failed before is not asked again in the same tick.
        self._live()
        return Collected(self.readings[0] if self.readings else None, {})


@pytest.mark.parametrize("name", STORIES)
def test_a_rehearsal_decides_what_the_engines_tick_decides(name: str, world: World) -> None:
    """In the same world both end at the same moment, in the same state, with the same record."""
    script = Script(plan_of(), Scenario(name, name, world, **STORIES[name]))
    run = play(begin(script, MONDAY.timestamp(), np.random.default_rng(5)), Pace(is_exact=True))
    engine = Engine(script, np.random.default_rng(5))
    engine.run()
    assert without_seconds(engine.state) == without_seconds(run.state)
    assert [entry.text for entry in engine.record] == [entry.text for _, entry in run.entries]
    assert abs(engine.now.timestamp() - run.at) < 1e-3
    assert engine.world.exposed == pytest.approx(run.exposed)


def without_seconds(state: State) -> State:
    """The state with whole seconds: floats of unix seconds are a microsecond away from the clock's own."""
    moments = ("started_at", "told_at", "entered_at", "ended_at", "blind_since", "asked_at")
    found = {name: getattr(state, name) for name in moments}
    return state.model_copy(update={n: at and at.replace(microsecond=0) for n, at in found.items()})


GATES = (Gate(id="trained", stage="half", kind="training", what="they are trained", minimum=0.8),)
WORK = (
    Task("move", "move the data", "during", "eva", stage="half", duration=600.0),
    Task("half-expose", "see that it is served", "during", "Operations", stage="half", after=("move",)),
    Task("swap", "swap the names", "during", "eva", stage="half", automatic=True, command="swap", p90=60.0),
    Task("learn", "look back", "after", "eva", stage="everyone", at=86_400.0),
)


def test_people_meet_gates_and_do_the_tasks_that_are_followed(world: World) -> None:
    """What the tasks take is part of the time that it takes; its closing weeks are not waited for."""
    followed = Policy(tasks="followed")
    ended = {}
    for name, more in {"plain": {}, "worked": {"runbook": WORK, "gates": GATES, "policy": followed}}.items():
        script = Script(plan_of(**more), Scenario(name, "", world))
        ended[name] = play(begin(script, MONDAY.timestamp(), np.random.default_rng(3)))
    plain, worked = ended["plain"], ended["worked"]
    assert (plain.ending, worked.ending) == ("done", "done")
    assert worked.state.tasks["swap"].state == "done"
    assert worked.told_at["half"] - worked.told_at["ten"] > plain.told_at["half"] - plain.told_at["ten"] + 500
    assert worked.at - worked.told_at["everyone"] < 3600


def test_leaps_find_a_fault_as_soon_as_single_ticks_do(world: World) -> None:
    """Reading many ticks at once moves neither the chance nor the moment of being found."""
    script = Script(plan_of(), Scenario("a fault", "", world, fault=Fault(1.8, "ten")))

    def found(pace: Pace) -> list[float]:
        runs = (begin(script, MONDAY.timestamp(), np.random.default_rng([9, n])) for n in range(40))
        done = [play(run, pace) for run in runs]
        assert {run.ending for run in done} == {"evidence"}
        return [run.found - run.told_at["ten"] for run in done if run.found is not None]

    leapt, exact = found(Pace()), found(Pace(is_exact=True))
    error = (np.var(leapt) / 40 + np.var(exact) / 40) ** 0.5
    assert abs(np.mean(leapt) - np.mean(exact)) < 3 * error
    assert all(round(each - 0.2, 3) % 10 == 0 for each in leapt)


@pytest.mark.parametrize("more", [{"limit": 0.04}, {"limit": 0.04, "baseline": "absolute"}])
def test_a_broken_limit_is_found_in_leaps_though_a_tick_has_hardly_a_request(more: dict[str, Any]) -> None:
    """A comparison learns nothing of a tick's only request; a limit does."""
    stages = (stage("everyone", 1.0, "time", bake_seconds=40_000.0, patience_seconds=90_000.0),)
    plan = plan_of(stages, (guard(**more),), policy=Policy(on_blind="hold"))
    world = world_of(plan, traffic=Steady(0.03))
    script = Script(plan, Scenario("a fault", "", world, fault=Fault(5.0, "everyone")))

    def found(pace: Pace) -> list[float]:
        runs = (begin(script, MONDAY.timestamp(), np.random.default_rng([9, n])) for n in range(6))
        done = [play(run, pace) for run in runs]
        return [run.found - run.told_at["everyone"] for run in done if run.found is not None]

    leapt, exact = found(Pace()), found(Pace(is_exact=True))
    assert len(leapt) == len(exact) == 6
    assert abs(np.mean(leapt) - np.mean(exact)) < 3 * (np.var(leapt) / 6 + np.var(exact) / 6) ** 0.5


def test_what_is_served_is_counted_once(world: World) -> None:
    """Of a healthy release exactly the requests that its shares let through are counted."""
    script = Script(plan_of(), Scenario("healthy", "", world))
    run: Run = play(begin(script, MONDAY.timestamp(), np.random.default_rng(1)))
    ends = [*(at for at, _ in run.path[1:]), run.at]
    expected = sum(200 * share * (end - at) for (at, share), end in zip(run.path, ends, strict=True))
    assert run.exposed == pytest.approx(expected)
    assert run.met == 0


def test_the_clock_is_the_plans_own(world: World) -> None:
    """A rehearsal reads no clock: it begins when it is told to."""
    script = Script(plan_of(), Scenario("healthy", "", world))
    run = play(begin(script, MONDAY.timestamp(), np.random.default_rng(1)))
    assert run.state.started_at == datetime(2026, 1, 5, 12, tzinfo=UTC)
