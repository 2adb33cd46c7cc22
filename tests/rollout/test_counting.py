"""Ticks of a plan with a guard that counts in some stages only: its signal is asked there alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from rollway.judge import Reading
from rollway.planning import Exposure, Guard, Plan, Policy
from rollway.rollout import (
    ClockCompared,
    CommandGiven,
    CommandKind,
    EvidenceRead,
    Loaded,
    State,
    advance,
    begin,
)
from rollway.rollout.evidence import after_patience
from rollway.rollout.needs import lacking
from rollway.rollout.ports import Collected, Cursor, Interval, Move, Pending
from rollway.rollout.tick import afterwards, evaluate
from rollway.signals.windowed import Asked, DownError, WindowedSignal
from support.scripted import Scripted
from support.stories import GATE, START, canary, stage, verdict

COMPARED = GATE.model_copy(update={"kpi": "differences", "stages": ("run",)})
PER_SECOND = 100.0


class Source(WindowedSignal):
    """A table that has so many rows a second of both versions; `is_gone`: it does not answer any more."""

    def __init__(self, kpi: str, delay: float = 0.0) -> None:
        self.kpi, self.kind, self.delay = kpi, "rate", delay
        self.arms = {"new": "candidate", "old": "baseline"}
        self.is_gone = False
        self.bad_from = float("inf")
        self.asked: list[Asked] = []

    def rows(self, asked: Asked) -> Iterable[Mapping[str, Any]]:
        if self.is_gone:
            raise DownError("the table is gone")
        self.asked.append(asked)
        trials = round(PER_SECOND * (asked.end - asked.start))
        wrong = trials // 2 if asked.start >= self.bad_from else trials // 50
        bad = {"new": wrong, "old": trials // 50}
        return [{"arm": arm, "trials": trials, "bad": bad[arm]} for arm in bad]


class Scraped(Source):
    """One whose numbers come every seven seconds only, as from a server that scrapes; `first`: one."""

    first = 0.0

    def collect(self, cursor: Cursor | None, interval: Interval) -> Collected:
        newest = interval.now - (interval.now - self.first) % 7
        if cursor and newest <= cursor["until"]:
            return Collected(None, cursor)
        return super().collect(cursor, replace(interval, now=newest))


@dataclass
class Stand:
    """A rollout, tick by tick: the real judge, windows of a table, and a target that does as it is told."""

    plan: Plan
    sources: dict[str, Source]
    looked: list[str] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.balancer = Scripted("web", [])
        self.now = START
        self.loaded = Loaded(
            "r", 1, self.plan, begin(), judge={}, cursors={}, target_problem="", pending=(), moved_at=START
        )

    def signal(self, rollout: str, guard: Guard) -> Stand:
        self.looked.append(f"{self.stage}:{guard.kpi}")
        self.asks = self.sources[guard.kpi]
        return self

    def collect(self, cursor: Cursor | None, interval: Interval) -> Collected:
        return self.asks.collect(cursor, interval)

    def target(self, rollout: str, plan: Plan) -> Scripted:
        return self.balancer

    @property
    def state(self) -> State:
        return self.loaded.state

    @property
    def stage(self) -> str:
        return self.plan.stages[self.state.stage].id

    def tick(self, seconds: float = 1.0) -> Move:
        self.now += timedelta(seconds=seconds)
        move, effects = evaluate(self.loaded, self, self.now)
        for effect in effects:
            self.balancer.apply(effect.share, mirrored=effect.mirrored, fence=1)  # type: ignore[union-attr]
        self.loaded = afterwards(self.loaded, move)
        self.readings += move.readings
        self.told += [entry.text for entry in move.entries]
        if move.verdict is not None:
            self.kinds.append(f"{move.verdict.stage}:{move.verdict.kind}")
        return move

    def say(self, kind: CommandKind) -> None:
        event = CommandGiven(at=self.now, kind=kind, actor="ana", reason="somebody called")
        self.loaded = replace(self.loaded, pending=(Pending(1, event),))

    def until(self, stage_id: str, at_most: int = 400) -> None:
        for _ in range(at_most):
            if self.stage == stage_id and self.state.entered_at is not None:
                return
            self.tick()
        raise AssertionError(f"never in {stage_id}: {self.state.standing}")

    def of(self, kpi: str) -> list[Reading]:
        return [reading for reading in self.readings if reading.kpi == kpi]


def parallel(*guards: Guard, delay: float = 0.0, **more: object) -> Stand:
    """A run on copies, the cutover, the old one kept: all by time."""
    plan = canary(
        stage("run", 1, "time", bake_seconds=30, exposure=Exposure(share=1.0, mode="shadow")),
        stage("cutover", 1, "time", bake_seconds=60),
        stage("kept", 1, "time", bake_seconds=60),
        guards=guards,
        **more,
    )
    return Stand(plan, {guard.kpi: Source(guard.kpi, delay) for guard in guards})


@pytest.mark.parametrize("is_gone", [False, True])
def test_after_the_cutover_it_is_not_asked_and_nobody_has_to_go_on_by_hand(is_gone: bool) -> None:
    """The comparison may be taken down with the old version: no stage is blind, and time ends them."""
    stand = parallel(COMPARED, GATE)
    stand.until("cutover")
    stand.sources["differences"].is_gone = is_gone
    for _ in range(200):
        stand.tick()
        if stand.state.is_final:
            break
    assert stand.state.phase == "done"
    assert not [kind for kind in stand.kinds if kind.endswith(":blind")]
    later = [look for look in stand.looked if look.endswith(":differences") and not look.startswith("run:")]
    assert later == ["cutover:differences"], "asked once more for what is left of the run, and never again"
    assert {reading.stage for reading in stand.of("differences")} == {"run"}
    assert {look for look in stand.looked if look.endswith(":errors")} == {
        "run:errors",
        "cutover:errors",
        "kept:errors",
    }
    assert not [text for text in stand.told if "gone" in text]


def test_alone_it_leaves_the_stages_after_it_to_their_time() -> None:
    """No gate counts after the cutover: nothing is shown by numbers, and nothing is waited for."""
    stand = parallel(COMPARED)
    stand.until("kept")
    assert set(stand.kinds) <= {"run:undecided", "run:healthy", "cutover:undecided", "kept:undecided"}


def test_bad_numbers_that_come_late_take_it_back_after_the_stage_was_left() -> None:
    """A source asked with a delay tells of the last seconds of the run when that is over: they count, and
    nothing that happened since."""
    stand = parallel(COMPARED, GATE, delay=5.0)
    stand.until("run")
    begun = stand.now.timestamp()
    stand.sources["differences"].bad_from = begun + 27
    for _ in range(45):
        stand.tick()
    left_at = begun + 30
    late = [reading for reading in stand.of("differences") if reading.end > left_at - 5]
    assert {reading.stage for reading in late} == {"run"}
    assert max(reading.end for reading in late) <= left_at + 2
    assert [kind for kind in stand.kinds if kind == "cutover:harmful"]
    assert stand.state.phase in ("rolling_back", "rolled_back")


def test_what_was_not_told_yet_at_the_first_look_after_the_stage_still_counts() -> None:
    """Soon after the cutover a server has nothing newer than from before; a tick later it tells of the last
    seconds of the run. Then it is not asked any more."""
    stand = parallel(COMPARED, GATE, policy=Policy(tick_seconds=5, blind_seconds=40))
    source = stand.sources["differences"] = Scraped("differences")
    stand.until("run")
    begun = stand.now.timestamp()
    source.first, source.bad_from = begun + 5, begun + 26
    while stand.stage == "run":
        stand.tick(5)
    assert stand.now.timestamp() == begun + 30
    for seconds in (0.2, 4.8):
        stand.tick(seconds)
    assert (stand.of("differences")[-1].stage, stand.of("differences")[-1].end) == ("run", begun + 33)
    assert stand.kinds[-1] == "cutover:harmful"
    asked = stand.looked.count("cutover:differences")
    for _ in range(5):
        stand.tick(5)
    assert stand.looked.count("cutover:differences") <= asked + 1


def test_a_stage_in_between_that_is_left_at_once_is_in_no_interval() -> None:
    """Its source is asked with a delay, and tells of the stage before when the one after it begins."""
    guard = COMPARED.model_copy(update={"stages": ("ten", "ninety")})
    stages = (
        stage("ten", 0.1, "time", bake_seconds=20),
        stage("half", 0.5, "time", bake_seconds=0),
        stage("ninety", 0.9, "time", bake_seconds=30),
    )
    stand = Stand(
        canary(*stages, stage("all", 1, "time"), guards=(guard, GATE)),
        {"differences": Source("differences", 5.0), "errors": Source("errors")},
    )
    stand.until("ten")
    while stand.stage == "ten":
        stand.tick()
    left = stand.now.timestamp()
    while stand.stage == "half":
        stand.tick()
    entered = stand.now.timestamp()
    assert entered - left < 5
    stand.until("all")
    found = stand.of("differences")
    assert {one.stage for one in found} == {"ten", "ninety"}
    assert all(one.end <= left + 1 or one.start >= entered for one in found)


def test_a_pause_within_the_stage_costs_no_interval() -> None:
    """It counts in the stage since that was entered, and not since the target was told the share again."""
    guard = COMPARED.model_copy(update={"stages": ("ten", "ninety")})
    stages = (stage("ten", 0.1, "time"), stage("half", 0.5, "time"), stage("ninety", 0.9, bake_seconds=300))
    stand = Stand(
        canary(*stages, stage("all", 1, "time"), guards=(guard, GATE)),
        {"differences": Source("differences", 5.0), "errors": Source("errors")},
    )
    stand.until("ninety")
    for word in ("pause", "resume", None):
        for _ in range(12):
            stand.tick()
        if word is not None:
            stand.say(word)
    found = [one for one in stand.of("differences") if one.stage == "ninety"]
    assert [one.start for one in found[1:]] == [one.end for one in found[:-1]]
    assert len(found) > 30


def test_what_is_told_late_ends_with_its_stage_though_somebody_resumes() -> None:
    """Paused and resumed soon after the cutover, the minutes since are none of the run: where nothing is
    compared any more, they would look like harm."""
    stand = parallel(COMPARED, GATE, delay=10.0)
    stand.until("cutover")
    entered = stand.state.stage_at
    assert entered is not None
    stand.sources["differences"].bad_from = entered.timestamp() + 2
    for kind in ("pause", "resume"):
        stand.tick(4)
        word = CommandGiven(at=stand.now, kind=kind, actor="ops", reason="a look")
        stand.loaded = replace(stand.loaded, state=advance(stand.plan, stand.state, word).state)
    assert stand.state.told_at is not None
    assert (stand.state.told_at - entered).total_seconds() >= 7
    for _ in range(30):
        stand.tick()
    assert stand.of("differences")[-1].end <= entered.timestamp() + 5
    assert stand.state.phase == "running"


def test_what_is_told_late_begins_with_its_stage_though_that_was_short() -> None:
    """A stage shorter than the delay of its source: what was before it, nobody compared."""
    guard = COMPARED.model_copy(update={"stages": ("ten",)})
    stages = (
        stage("five", 0.05, "time", bake_seconds=20),
        stage("ten", 0.1, "time", bake_seconds=3),
        stage("half", 0.5, "time", bake_seconds=60),
    )
    plan = canary(*stages, stage("all", 1, "time"), guards=(guard, GATE))
    stand = Stand(plan, {"differences": Source("differences", 10.0), "errors": Source("errors")})
    stand.until("ten")
    began = stand.state.stage_at
    stand.until("half")
    left = stand.state.stage_at
    for _ in range(30):
        stand.tick()
    assert began is not None
    assert left is not None
    found = stand.of("differences")
    assert found, "what the stage itself told is not lost"
    assert all(began.timestamp() <= reading.start < left.timestamp() for reading in found)


def test_a_time_in_which_nobody_looked_moves_no_stage() -> None:
    """The moment at which a stage was entered is one of the world's, by which its readings are dated."""
    state = at(parallel(COMPARED, GATE).plan, "cutover").model_copy(update={"stage_at": START})
    later = START + timedelta(hours=2)
    slept = ClockCompared(at=later, gap=7200.0)
    state = advance(parallel(COMPARED, GATE).plan, state, slept).state
    assert (state.stage_at, state.told_at) == (START, later)


def test_where_it_counts_it_is_blind_as_ever() -> None:
    """A comparison that is gone during the run goes back by the policy."""
    stand = parallel(COMPARED, GATE)
    stand.until("run")
    stand.sources["differences"].is_gone = True
    for _ in range(25):
        stand.tick()
    assert stand.kinds[-1] == "run:blind"


def test_what_happens_in_between_is_never_counted_later() -> None:
    """It counts at 10% and at the hold-back; of the minutes at 50% no interval of it is read, also where its
    source is asked with a delay."""
    guard = COMPARED.model_copy(update={"stages": ("ten", "ninety")})
    stages = (
        stage("ten", 0.1, "time", bake_seconds=20),
        stage("half", 0.5, "time", bake_seconds=100),
        stage("ninety", 0.9, "time", bake_seconds=30),
    )
    for delay in (0.0, 5.0):
        plan = canary(*stages, stage("all", 1, "time"), guards=(guard, GATE))
        stand = Stand(plan, {"differences": Source("differences", delay), "errors": Source("errors")})
        stand.until("half")
        begun = stand.now.timestamp()
        stand.until("ninety")
        ended = stand.state.told_at.timestamp() if stand.state.told_at else 0.0
        stand.until("all")
        found = stand.of("differences")
        assert max(asked.end - asked.start for asked in stand.sources["differences"].asked) < 3
        assert {reading.stage for reading in found} == {"ten", "ninety"}
        assert all(reading.end <= begun or reading.start >= ended for reading in found)
        assert [reading for reading in found if reading.stage == "ninety"]
        assert not [kind for kind in stand.kinds if kind.endswith(":blind")]
        assert all(reading.problem is None for reading in found)


def test_it_begins_to_count_without_being_blind_at_once() -> None:
    """Nothing was asked of anybody for a minute, which is long enough to be blind; then it counts again, and
    the first look only begins."""
    stand = parallel(COMPARED.model_copy(update={"stages": ("run", "kept")}))
    stand.until("kept")
    for _ in range(10):
        stand.tick()
    assert {reading.stage for reading in stand.readings} == {"run", "kept"}
    assert not [kind for kind in stand.kinds if kind.endswith(":blind")]


def test_the_first_look_asks_for_numbers_of_those_that_count_there() -> None:
    """A comparison that begins with the run has none of the old version before it, and holds nobody up."""
    plan = canary(
        stage("baseline", 0, "ready", bake_seconds=5),
        stage("run", 1, "time", bake_seconds=30, exposure=Exposure(share=1.0, mode="shadow")),
        stage("cutover", 1, "time"),
        guards=(COMPARED, GATE),
    )
    stand = Stand(plan, {guard.kpi: Source(guard.kpi) for guard in plan.guards})
    stand.until("run", at_most=60)
    assert "baseline:differences" not in stand.looked


# --- the state machine ------------------------------------------------------------------------------


def at(plan: Plan, stage_id: str) -> State:
    return State(
        phase="running",
        stage=plan.stage_index(stage_id),
        started_at=START,
        entered_at=START,
        told_at=START,
        desired_share=1.0,
        served_share=1.0,
    )


@pytest.mark.parametrize(("stage_id", "phase"), [("run", "rolling_back"), ("cutover", "running")])
def test_its_answer_to_blindness_is_asked_for_where_it_counts(stage_id: str, phase: str) -> None:
    """A judge that failed names nobody: the guards of this stage say what is done, and the others do not."""
    guards = (
        COMPARED.model_copy(update={"on_blind": "rollback"}),
        GATE.model_copy(update={"on_blind": "tell"}),
    )
    plan = parallel(*guards).plan
    plan = plan.model_copy(update={"policy": plan.policy.model_copy(update={"on_blind": "hold"})})
    state = at(plan, stage_id)
    for seconds in (0, 50):
        moment = START + timedelta(seconds=seconds)
        word = replace(verdict("blind", moment, stage_id), guards=())
        state = advance(plan, state, EvidenceRead(at=moment, verdict=word)).state
    assert state.phase == phase


def test_its_answer_to_an_open_question_is_not_asked_for_where_it_does_not_count() -> None:
    """At the end of the patience only gates that count are open."""
    guards = (COMPARED.model_copy(update={"on_undecided": "rollback"}), GATE)
    plan = canary(
        stage("run", 0.1, margins={"errors": 2.0}),
        stage("half", 0.5),
        stage("all", 1, "time"),
        guards=guards,
    )
    stand = Stand(plan, {guard.kpi: Source(guard.kpi) for guard in guards})
    stand.until("half")
    said = stand.tick().verdict
    assert said is not None
    assert said.kind == "undecided"
    assert after_patience(plan, plan.stages[1], said) == "ask"


def test_nobody_waits_for_it_where_it_does_not_count() -> None:
    """What a rollout waits for names the time that is left, and no numbers of this guard."""
    stand = parallel(COMPARED, GATE)
    stand.until("cutover")
    for _ in range(40):
        stand.tick()
    needs = lacking(stand.plan, stand.state, stand.now)
    assert [need.kind for need in needs] == ["time"]
    assert not [need for need in needs if "differences" in need.what]
