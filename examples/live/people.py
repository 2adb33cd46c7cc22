"""The people's part: who confirms, decides and says go; they go on only where nothing speaks against it."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from examples.live.commands import Shell
from rollway.app.authority import speakers
from rollway.planning.roles import ROLES
from rollway.rollout.needs import Need, lacking

if TYPE_CHECKING:
    from rollway.planning import Plan
    from rollway.rollout import CommandKind, State

REST_SECONDS = 1.0
"""Whoever was refused, or was not heard yet, comes back after so long."""
_VERB = re.compile(r"rollway task ([a-z-]+) ROLLOUT")


class People:
    """The operators and owners of one rollout, as the plan names them."""

    def __init__(self, shell: Shell, plan: Plan, rollout: str, *, waits: bool = True) -> None:
        """`waits`: whether people stay on the line until their word was heard."""
        self._shell, self._plan, self._rollout, self._waits = shell, plan, rollout, waits
        self._rest_until: dict[str, float] = {}

    def look(self, state: State) -> None:
        """Do whatever waits for a person now."""
        for need in lacking(self._plan, state, datetime.now(UTC)):
            if time.monotonic() < self._rest_until.get(need.subject, 0.0):
                continue
            if need.kind in ("gate", "task", "decision", "undo"):
                self._answer(need, state)
            elif need.kind == "person" and state.phase == "running" and self._is_over(state):
                stage = self._plan.stages[state.stage]
                self._say("promote", "", self._operators[0], f"{stage.title}: nothing speaks against it")

    @property
    def _operators(self) -> Sequence[str]:
        return self._plan.operators or ("ops",)

    def _answer(self, need: Need, state: State) -> None:
        found = _VERB.search(need.takes)
        if found is None or (found[1] == "go" and not self._is_over(state)):
            return
        kind = _kind(found[1])
        named = speakers(self._plan, state, kind, need.subject) or self._operators
        person = next((name for name in named if name not in ROLES), named[0])
        reached = re.search(r'--because "([^"]*)"', need.takes)
        self._say(found[1], need.subject, person, reached[1] if reached else "seen to")

    def _is_over(self, state: State) -> bool:
        """Whether the stage has had its time, and nothing speaks against the new version."""
        stage = self._plan.stages[state.stage]
        if state.started_at is None:
            return True
        if state.entered_at is None:
            return False
        if (datetime.now(UTC) - state.entered_at).total_seconds() < stage.bake_seconds:
            return False
        if stage.exposure.live == 0:
            return state.heard == "healthy" or stage.exposure.mode == "live"
        return state.heard == "healthy"

    def _say(self, word: str, subject: str, actor: str, reason: str) -> None:
        self._rest_until[subject] = time.monotonic() + REST_SECONDS
        if not self._waits:
            self._shell.leave(self._rollout, _kind(word), actor, reason, subject)
            return
        about = ("task", word, self._rollout, subject) if subject else (word, self._rollout)
        code, _ = self._shell.run(*about, "--as", actor, "--because", reason, lines=2)
        if not code:
            self._rest_until[subject] = 0.0


def _kind(word: str) -> CommandKind:
    """What a typed word is called where it is kept."""
    kind: CommandKind = "confirm" if word == "done" else word.replace("-", "_")  # type: ignore[assignment]
    return kind


def others(plan: Plan) -> Sequence[str]:
    """Who may approve: not the one who prepared it."""
    return [name for name in plan.approvers if name != plan.prepared_by] or ["bo"]
