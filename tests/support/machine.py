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
    RunTask,
    TargetObserved,
    TaskLost,
    TaskRan,
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
        self.mirrored, self.control, self.refusal = 0.0, 0.0, ""
        self.groups: tuple[str, ...] | None = None
        self.knows_groups = False
        self.can_mirror = self.can_sample = True
        self.runs: list[RunTask] = []
        self.new_is_ready: bool | None = None
        self.old_is_ready: bool | None = None

    def hear(self, event: Event) -> None:
        step = advance(self.plan, self.state, event)
        self.state = step.state
        self.record += step.entries
        for effect in step.effects:
            if isinstance(effect, RunTask):
                self.runs.append(effect)
            elif not self.is_deaf:
                self.share = effect.share
                self.mirrored = effect.mirrored if self.can_mirror else 0.0
                self.control = effect.control if self.can_sample else 0.0
                self.groups = effect.groups if self.knows_groups else None

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
        self.hear(self.seen(**lives))
        self.hear(EvidenceRead(at=self.now, verdict=said))
        self.hear(ClockTicked(at=self.now, verdict=said))

    def seen(self, **more: object) -> TargetObserved:
        body = {"share": self.share, "mirrored": self.mirrored, "groups": self.groups}
        body |= {"control": self.control}
        return TargetObserved.model_validate({"at": self.now, "refusal": self.refusal, **body, **more})

    def ticks(self, count: int, kind: VerdictKind = "undecided") -> None:
        for _ in range(count):
            self.tick(kind)

    def say(self, kind: CommandKind, reason: str = "because", actor: str = "ops", subject: str = "") -> None:
        self.hear(CommandGiven(at=self.now, kind=kind, actor=actor, reason=reason, subject=subject))

    def ran(self, code: int | None = 0, **more: object) -> None:
        """The last command that Rollway ran has ended."""
        run = self.runs[-1]
        body = {"subject": run.subject, "attempt": run.attempt, "is_undo": run.is_undo, "code": code}
        self.hear(TaskRan.model_validate({"at": self.now, **body, **more}))

    def lost(self) -> None:
        """Rollway was killed while the last command ran."""
        run = self.runs[-1]
        self.hear(TaskLost(at=self.now, subject=run.subject, attempt=run.attempt, is_undo=run.is_undo))

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
