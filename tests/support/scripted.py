"""Targets in memory that do as a test says: coarse, deaf or silent, which no balancer is on demand."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from rollway.errors import TemporaryError
from rollway.rollout.ports import Surroundings, Target
from rollway.rollout.serving import Check, Served
from rollway.targets.preflight import tried


class Scripted:
    """Serves what it is told. `told` keeps each call.

    `is_deaf`: it hears and does nothing; `fails`: it raises when told; `is_silent`: it raises when asked;
    `hangs`: it answers when this event is set; `steps`: shares are whole multiples of 1/steps.
    """

    log: list[str]

    def __init__(self, name: str, log: list[str]) -> None:
        self.name, self.log = name, log
        self.share, self.mirrored, self.steps = 0.0, 0.0, 0
        self.is_deaf = self.fails = self.is_silent = False
        self.hangs: threading.Event | None = None
        self.candidate_ready: bool | None = True
        self.baseline_ready: bool | None = True
        self.note, self.refusal = "", ""
        self.told: list[tuple[float, float, int]] = []

    @property
    def identity(self) -> str:
        return f"scripted:{self.name}"

    def nearest(self, share: float) -> float:
        return round(share * self.steps) / self.steps if self.steps else share

    def apply(self, share: float, *, mirrored: float = 0.0, fence: int) -> None:
        if self.hangs is not None:
            self.hangs.wait(10)
        if self.fails:
            raise TemporaryError(f"{self.name} is locked")
        self.told.append((share, mirrored, fence))
        if not self.is_deaf:
            self.log.append(f"{self.name}={share:g}")
            self.share, self.mirrored = self.nearest(share), mirrored

    def observe(self) -> Served:
        if self.hangs is not None:
            self.hangs.wait(10)
        if self.is_silent:
            raise TemporaryError(f"{self.name} hung up")
        ready = self.candidate_ready, self.baseline_ready
        return Served(self.share, self.mirrored, *ready, note=self.note, refusal=self.refusal)

    def preflight(self) -> tuple[Check, ...]:
        return tried(self)


class Cast:
    """Scripted targets by name, as `{type: scripted, name: api}` finds them."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.all: dict[str, Scripted] = {}

    def __getitem__(self, name: str) -> Scripted:
        return self.all.setdefault(name, Scripted(name, self.log))

    def around(self) -> Surroundings:
        return Surroundings(rollout="r", flags=None, make=self._make)  # type: ignore[arg-type]

    def _make(self, kind: str, options: Mapping[str, Any], around: Surroundings) -> Target:
        assert kind == "scripted"
        return self[options["name"]]
