"""What a rollout looks at under its laws, tick by tick, with the real judge: signals that fail, tell late and
come back, and a target that others move. Who counts where, and who was split how, is known from outside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from rollway.judge import Counts, Reading
from rollway.judge.model import Assigned
from rollway.planning import Exposure, Guard, Plan
from rollway.rollout import CommandGiven, CommandKind, Loaded, SetShare, begin
from rollway.rollout.ports import Collected, Cursor, Interval, Pending
from rollway.rollout.serving import Served
from rollway.rollout.tick import afterwards, evaluate, tell_target
from support.laws_of_looks import Asked, Look, holds
from support.stories import GATE, START, canary, stage

PER_SECOND = 400.0
ACTS_AFTER = 0.3
"""Seconds from a look until the target does what it is told, or what somebody else tells it."""
LIVES = {"kpi": "lives", "baseline": "absolute", "limit": 0.95, "tolerance": 1.0}


@dataclass
class Source:
    """Counts of both versions up to `delay` seconds ago. `is_gone`: it does not answer; `fails`: no request
    of the new version succeeds."""

    guard: Guard
    delay: float
    is_gone: bool = False
    fails: bool = False

    def collect(self, world: Looks, cursor: Cursor | None, interval: Interval) -> Collected:
        end = interval.now - self.delay
        if cursor is None:
            return Collected(None, {"at": end})
        place: dict[str, Any] = {"stage": interval.stage, "share": interval.share}
        start = cursor["at"]
        if self.is_gone:
            return Collected(Reading(self.guard.kpi, start, end, problem="source_down", **place), cursor)
        new, old = world.users(end - start)
        if self.guard.kind == "assignment":
            arms: dict[str, Any] = {"candidate": Assigned(new), "baseline": Assigned(old)}
        else:
            # Rounded so that the new version is never the worse one, unless all of it fails.
            bad = new if self.fails else new // 50
            arms = {"candidate": Counts(new, bad), "baseline": Counts(old, -(-old // 50))}
        return Collected(Reading(self.guard.kpi, start, end, **place, **arms), {"at": end})


@dataclass
class Crowd:
    """A target that samples control groups: it serves what it was last told, by whomever."""

    share: float = 0.0
    control: float = 0.0
    is_deaf: bool = False
    samples_control = True

    def nearest(self, share: float) -> float:
        return share

    def observe(self) -> Served:
        return Served(self.share, control=self.control)

    def move(self, share: float, control: float) -> None:
        self.share, self.control = share, control


@st.composite
def looked_at(draw: st.DrawFn) -> Plan:
    """Five stages by time, some beside a control group, with guards that count in some of them."""
    is_sampled = draw(st.booleans())
    early = (("before", 0.0, 0.1), ("ten", 0.1, 0.1), ("half", 0.5, 0.5))
    late = (("most", 0.8, 0.2), ("all", 1.0, 0.0))
    stages = tuple(
        stage(
            name,
            share,
            "time",
            bake_seconds=draw(st.sampled_from([2, 4, 8, 15])),
            exposure=Exposure(share=share, control=group if is_sampled else 0.0),
        )
        for name, share, group in (*early, *late)
    )
    names = [one.id for one in stages]
    some = st.lists(st.sampled_from(names), min_size=1, unique=True).map(
        lambda chosen: tuple(name for name in names if name in chosen)
    )
    guards = (
        GATE,
        GATE.model_copy(update={"kpi": "differences", "stages": draw(some)}),
        Guard.model_validate({**GATE.model_dump(), **LIVES, "stages": draw(some), "say": "brake"}),
        GATE.model_copy(update={"kpi": "who", "kind": "assignment", "say": "watch"}),
    )
    return canary(*stages, guards=guards)


class Looks(RuleBasedStateMachine):
    """The rules: what there is to be seen, one thing after another."""

    @initialize(
        plan=looked_at(),
        delays=st.lists(st.sampled_from([0.0, 3.0, 3.0]), min_size=4, max_size=4),
        count=st.sampled_from([0, 5, 10, 20, 40]),
    )
    def start(self, plan: Plan, delays: list[float], count: int) -> None:
        """A rollout that is already some way on."""
        self.plan, self.now = plan, START
        self.crowd = Crowd()
        self.sources = {
            guard.kpi: Source(guard, delay) for guard, delay in zip(plan.guards, delays, strict=True)
        }
        self.book = Look(plan, {kpi: source.delay for kpi, source in self.sources.items()})
        self.loaded = Loaded(
            "r", 1, plan, begin(), judge={}, cursors={}, target_problem="", pending=(), moved_at=START
        )
        self.time_passes(count)

    # --- what happens ---

    @rule(count=st.sampled_from([1, 2, 5, 10, 20]))
    def it_goes_on_like_this(self, count: int) -> None:
        self.time_passes(count)

    @rule(place=st.integers(0, 3), is_gone=st.booleans(), fails=st.sampled_from([False, False, True]))
    def a_source_changes(self, place: int, is_gone: bool, fails: bool) -> None:
        source = self.sources[self.plan.guards[place].kpi]
        source.is_gone, source.fails = is_gone, fails
        self.tick()

    @rule(share=st.sampled_from([None, None, 0.0, 0.9]), control=st.sampled_from([0.0, 0.03, 0.1]))
    def somebody_moves_the_target(self, share: float | None, control: float) -> None:
        new = self.crowd.share if share is None else share
        self.crowd.move(new, min(control, 1 - new))
        self.tick()

    @rule(is_deaf=st.booleans())
    def the_target_is_deaf(self, is_deaf: bool) -> None:
        self.crowd.is_deaf = is_deaf
        self.tick()

    @rule(kind=st.sampled_from(["pause", "resume", "resume", "promote"]))
    def somebody_speaks(self, kind: CommandKind) -> None:
        self.tick(kind)

    @precondition(lambda self: self.loaded.state.phase == "paused")
    @rule()
    def somebody_resumes(self) -> None:
        self.crowd.is_deaf = False
        self.tick("resume")

    # --- one tick ---

    def time_passes(self, count: int) -> None:
        for _ in range(count):
            self.tick()

    def tick(self, *said: CommandKind) -> None:
        """As the engine makes it: look, judge, decide; then the target is told."""
        if self.loaded.state.is_final:
            return
        moved_at = self.now.timestamp() + ACTS_AFTER
        self.now += timedelta(seconds=1)
        words = [CommandGiven(at=self.now, kind=kind, actor="po", reason="why") for kind in said]
        pending = tuple(Pending(id=number, event=one) for number, one in enumerate(words))
        before = self.loaded = replace(self.loaded, pending=pending)
        self.asked: list[Asked] = []
        split = (self.crowd.share, self.crowd.control)
        move, effects = evaluate(before, self, self.now)
        self.book.take(before.state, move, self.now.timestamp(), self.asked, split, moved_at)
        holds(self.book, before.state, move, self.asked)
        for effect in effects:
            if isinstance(effect, SetShare) and not self.crowd.is_deaf:
                told = SimpleNamespace(samples_control=True, apply=self.told)
                tell_target(told, effect, before.seq)  # type: ignore[arg-type]
        self.loaded = afterwards(before, move)

    def told(self, share: float, *, mirrored: float, control: float, fence: int) -> None:
        self.crowd.move(share, control)

    # --- what a rollout is connected to ---

    def target(self, rollout: str, plan: Plan) -> Crowd:
        return self.crowd

    def signal(self, rollout: str, guard: Guard) -> SimpleNamespace:
        def collect(cursor: Cursor | None, interval: Interval) -> Collected:
            source = self.sources[guard.kpi]
            collected = source.collect(self, cursor, interval)
            self.asked.append(Asked(guard, interval, collected.reading, fails=source.fails))
            return collected

        return SimpleNamespace(collect=collect)

    def users(self, seconds: float) -> tuple[int, int]:
        """How many of both versions are measured in so long: the control group's, where there is one."""
        beside = self.crowd.control or 1 - self.crowd.share
        return round(PER_SECOND * seconds * self.crowd.share), round(PER_SECOND * seconds * beside)
