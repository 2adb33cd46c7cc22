"""A rollout without an engine: the state machine, a target that does as it is told, and a clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from rollway.judge import VerdictKind
from rollway.planning import Plan
from rollway.rollout import (
    ClockTicked,
    CommandGiven,
    CommandKind,
    Entry,
    Event,
    EvidenceRead,
    SetShare,
    TargetObserved,
    advance,
    begin,
)
from support.stories import START, verdict


class World:
    """A target that does as it is told, a judge that says what the story wants, and a clock."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.state, self.share = plan, begin(), 0.0
        self.now, self.record = START, list[Entry]()
        self.is_deaf = False
        self.new_is_ready: bool | None = None
        self.old_is_ready: bool | None = None

    def hear(self, event: Event) -> None:
        step = advance(self.plan, self.state, event)
        self.state = step.state
        self.record += step.entries
        for effect in step.effects:
            assert isinstance(effect, SetShare)
            if not self.is_deaf:
                self.share = effect.share

    def tick(
        self,
        kind: VerdictKind = "undecided",
        seconds: float = 1,
        *,
        has_numbers: bool = True,
        mismatch: str = "",
    ) -> None:
        self.now += timedelta(seconds=seconds)
        said = verdict(kind, self.now, self.plan.stages[self.state.stage].id, ready=has_numbers)
        said = replace(said, mismatch=mismatch)
        lives = {"candidate_ready": self.new_is_ready, "baseline_ready": self.old_is_ready}
        self.hear(TargetObserved(at=self.now, share=self.share, **lives))
        self.hear(EvidenceRead(at=self.now, verdict=said))
        self.hear(ClockTicked(at=self.now, verdict=said))

    def ticks(self, count: int, kind: VerdictKind = "undecided") -> None:
        for _ in range(count):
            self.tick(kind)

    def say(self, kind: CommandKind, reason: str = "because", actor: str = "ops") -> None:
        self.hear(CommandGiven(at=self.now, kind=kind, actor=actor, reason=reason))

    def until(self, stage_id: str) -> None:
        for _ in range(200):
            if self.stage_id == stage_id and self.state.entered_at is not None:
                return
            self.tick("healthy")
        raise AssertionError(f"never reached {stage_id}: {self.state.standing}")

    @property
    def stage_id(self) -> str:
        return self.plan.stages[self.state.stage].id

    @property
    def kinds(self) -> Sequence[str]:
        return [entry.kind for entry in self.record]
