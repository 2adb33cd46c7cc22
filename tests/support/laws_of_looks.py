"""The laws of what a rollout looks at: whose numbers it asks for, which of them count, what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rollway.judge import Reading
from rollway.planning import Guard, Plan
from rollway.rollout import State
from rollway.rollout.ports import Interval, Move
from support.laws_ledger import is_counted

A_TICK = 1.0
IN_A_ROW, ENOUGH = 3, 10
"""So many intervals without a single success are the end of it, with so many requests of each version."""
BLIND_AFTER = 10.0


@dataclass(frozen=True)
class Asked:
    """A signal was asked: of which guard, about what, and what it told. `fails`: every request did."""

    guard: Guard
    interval: Interval
    reading: Reading | None
    fails: bool


@dataclass
class Look:
    """What somebody knows who watches from outside. Moments are unix seconds.

    `told`: when each stage that was entered was told to the target, `split`: what the target served at the
    last look, `one_since`: the first look since when it serves that, `changes`: when it was changed. `ends`:
    up to when each KPI's numbers were asked for. `failing`: of each KPI, how many intervals in a row failed.
    `has_failed`: that anything ever did, `gaps`: the KPIs that were ever without an answer.
    """

    plan: Plan
    delays: dict[str, float]
    stage: int | None = None
    told: dict[str, float] = field(default_factory=dict)
    split: tuple[float, float] = (0.0, 0.0)
    last_split: tuple[float, float] = (0.0, 0.0)
    one_since: float | None = None
    changes: list[float] = field(default_factory=list)
    ends: dict[str, float] = field(default_factory=dict)
    failing: dict[str, int] = field(default_factory=dict)
    has_failed: bool = False
    gaps: set[str] = field(default_factory=set)
    now: float = 0.0

    def take(
        self,
        before: State,
        move: Move,
        now: float,
        asked: Sequence[Asked],
        split: tuple[float, float],
        moved_at: float,
    ) -> None:
        """Note one tick: what was asked and told in it. Where the split is another one than at the last look,
        it was changed at `moved_at`."""
        if split != self.split:
            self.changes.append(moved_at)
        if before.phase != "waiting":
            # Nobody looks before the first stage.
            self.last_split = self.split if self.one_since is not None else (0.0, 0.0)
            if self.one_since is None or split != self.split:
                self.one_since = now
        self.split, self.now = split, now
        for one in asked:
            self._hear(one)
        # The stage of this tick is the one it was decided in; what is entered by it counts from the next one.
        self._entered = [str(entry.data["stage"]) for entry in move.entries if entry.kind == "stage_entered"]

    def _hear(self, one: Asked) -> None:
        kpi, reading = one.guard.kpi, one.reading
        if reading is None:
            return
        if reading.problem is not None:
            self.gaps.add(kpi)
            return
        self.ends[kpi] = reading.end
        self.has_failed |= one.fails
        is_here = self.stage is not None and reading.start >= self.told[self.plan.stages[self.stage].id]
        fewest = min(getattr(arm, "trials", 0) for arm in (reading.candidate, reading.baseline))
        if is_here and one.interval.share > 0 and fewest >= ENOUGH:
            self.failing[kpi] = self.failing.get(kpi, 0) + 1 if one.fails else 0

    def enter(self) -> None:
        """After the laws: the stage that this tick entered."""
        for name in self._entered:
            self.told[name] = self.now
            self.stage = next(i for i, stage in enumerate(self.plan.stages) if stage.id == name)
            self.failing = {}

    def counts(self, guard: Guard, stage: int | None) -> bool:
        return stage is not None and stage >= 0 and is_counted(guard, self.plan.stages[stage].id)

    def told_at(self, stage: int) -> float:
        return self.told[self.plan.stages[stage].id]


def holds(look: Look, before: State, move: Move, asked: Sequence[Asked]) -> None:
    """Raise AssertionError for the first law that this tick breaks."""
    if look.stage is not None and before.phase in ("running", "paused"):
        asked_where_it_counts(look, asked)
        counted_of_where_it_counts(look, move)
        the_rest_is_not_lost(look)
        one_split_is_tested(look, move, asked)
        compared_with_whom(look, asked)
        said_of_who_counts(look, move)
        nothing_succeeds_is_heard(look, move)
    look.enter()


def asked_where_it_counts(look: Look, asked: Sequence[Asked]) -> None:
    """Who does not count is asked no more, but for what is left of the stage before; who counts, always."""
    here = look.stage
    assert here is not None
    for one in asked:
        if not look.counts(one.guard, here):
            assert look.counts(one.guard, here - 1), f"{one.guard.kpi} is asked, and does not count"
            seconds = look.now - look.told_at(here)
            assert seconds <= look.delays[one.guard.kpi] + 2 * A_TICK or one.guard.kpi in look.gaps
    for guard in look.plan.guards:
        is_asked = guard.kpi in {one.guard.kpi for one in asked}
        assert is_asked or not look.counts(guard, here), f"{guard.kpi} counts, and is not asked"


def counted_of_where_it_counts(look: Look, move: Move) -> None:
    """No interval counts that reaches into a stage in which its guard does not, by more than one tick; of the
    present one and the two before it, which is as far back as a rollout knows when each was entered."""
    guards = {guard.kpi: guard for guard in look.plan.guards}
    begun = [look.told_at(place) for place in range((look.stage or 0) + 1)]
    spans = list(zip(begun, [*begun[1:], float("inf")], strict=True))
    for reading in move.readings:
        guard = guards[reading.kpi]
        assert is_counted(guard, reading.stage), f"{reading.kpi} counts in {reading.stage}"
        for place, (since, until) in enumerate(spans):
            is_known = place >= (look.stage or 0) - 2
            if reading.problem is None and is_known and not look.counts(guard, place):
                # One tick was asked for before the stage was left, and tells of a moment after it.
                is_apart = reading.start >= until or reading.end <= since + A_TICK
                assert is_apart, f"{reading.kpi} counts what happened in {look.plan.stages[place].id}"


def the_rest_is_not_lost(look: Look) -> None:
    """What a source tells late of a stage in which its guard counts is asked for after it."""
    here = look.stage
    assert here is not None
    for guard in look.plan.guards:
        is_rest = look.counts(guard, here - 1) and not look.counts(guard, here)
        is_due = is_rest and look.now >= look.told_at(here) + look.delays[guard.kpi] + 2 * A_TICK
        if is_due and guard.kpi not in look.gaps and guard.kpi in look.ends:
            assert look.ends[guard.kpi] >= look.told_at(here), f"what {guard.kpi} told late was lost"


def one_split_is_tested(look: Look, move: Move, asked: Sequence[Asked]) -> None:
    """Users who were given a version count where one split gave it, the present one; and all of these do."""
    taken = {reading.kpi: reading for reading in move.readings if reading.problem is None}
    for one in asked:
        reading = one.reading
        if one.guard.kind != "assignment" or reading is None or reading.problem is not None:
            continue
        if one.guard.kpi in taken:
            is_one = all(at <= reading.start or at >= look.now for at in look.changes)
            assert is_one, "users of two splits are counted together"
        else:
            assert look.one_since is not None
            assert reading.start < look.one_since, "users of one split are not counted"


def compared_with_whom(look: Look, asked: Sequence[Asked]) -> None:
    """A signal is asked by the part that the new version has of the users who are compared."""
    share, control = look.last_split
    beside = control if control else 1 - share
    for one in asked:
        if look.counts(one.guard, look.stage):
            assert abs(one.interval.share - share / (share + beside)) < 1e-9, "compared with others"


def said_of_who_counts(look: Look, move: Move) -> None:
    """Who does not count is neither blind nor open; who just began to count is not blind for what was before;
    and nothing is harmful where nothing ever failed."""
    said, here = move.verdict, look.stage
    assert said is not None
    assert here is not None
    guards = {guard.kpi: guard for guard in look.plan.guards}
    for one in said.guards:
        if not look.counts(guards[one.kpi], here):
            assert one.state in ("uncounted", "harmful"), f"{one.kpi} does not count and is {one.state}"
        else:
            assert one.state != "uncounted", f"{one.kpi} counts, and the judge does not ask it"
        is_new = look.now - look.told_at(here) < BLIND_AFTER and not look.counts(guards[one.kpi], here - 1)
        if one.state == "blind" and guards[one.kpi].stages and is_new:
            assert one.kpi in look.gaps, f"{one.kpi} is blind as soon as it counts"
    if said.kind == "blind":
        assert any(one.state == "blind" for one in said.guards), "blind, and nobody is"
    if said.kind == "harmful":
        assert look.has_failed, "harmful, and nothing failed"


def nothing_succeeds_is_heard(look: Look, move: Move) -> None:
    """Where it counts, a version of which every request fails is taken back after three intervals."""
    said = move.verdict
    assert said is not None
    for guard in look.plan.guards:
        has_say = guard.say != "watch" and look.counts(guard, look.stage)
        if has_say and look.failing.get(guard.kpi, 0) >= IN_A_ROW:
            assert said.kind == "harmful", f"{guard.kpi} fails in all intervals, and it is {said.kind}"
            assert move.state.phase in ("rolling_back", "rolled_back")
