"""Waiting until an environment that was switched away from has no open connections, or the time is over."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

from rollway.targets.options import Options
from rollway.targets.probes import Probe, probe_from


@dataclass(frozen=True, slots=True)
class Drain:
    """`probe` tells how many connections are open, as a number or as JSON with `open`; without it only time
    counts. `within` seconds are the limit."""

    within: float
    probe: Probe | None = None


class Draining:
    """The drain of one environment, from `begin` on. Asked where it stands, it looks; it has no thread."""

    def __init__(self, drain: Drain) -> None:
        self._drain = drain
        self._began: float | None = None
        self._is_empty = False

    def begin(self) -> None:
        """Nothing changes where it began already."""
        if self._began is None:
            self._began, self._is_empty = time.monotonic(), False

    def stop(self) -> None:
        self._began = None

    def told(self) -> str:
        """One sentence while it goes on, or when its limit has passed with connections open; else empty."""
        if self._began is None or self._is_empty or not self._drain.within:
            return ""
        left = self._drain.within - (time.monotonic() - self._began)
        if self._drain.probe is None:
            return f"the old environment is drained for {left:.0f} s more" if left > 0 else ""
        open_now, why = _open(self._drain.probe)
        self._is_empty = open_now == 0
        if self._is_empty:
            return ""
        many = why if open_now is None else f"{open_now} connections are open"
        if left > 0:
            return f"the old environment is drained: {many}, {left:.0f} s left"
        return f"the old environment was not empty after {self._drain.within:g} s: {many}"


def drain_from(given: Options) -> Drain:
    """From seconds, or from a probe with `within`. Raises InputError."""
    value = given.raw("drain")
    if not isinstance(value, Mapping):
        return Drain(given.number("drain", 0.0, above=-1e-9) if "drain" in given else 0.0)
    within = Options(
        {"within": value["within"]} if "within" in value else {},
        "the drain",
        {"within": "300"},
        at="target.drain",
    ).number("within", 300.0)
    return Drain(within, probe_from({k: v for k, v in value.items() if k != "within"}, "target.drain"))


def _open(probe: Probe) -> tuple[int | None, str]:
    """How many connections are open; None, and why, where that is not told."""
    answer = probe.ask()
    if not answer.is_well:
        return None, answer.told
    try:
        told = json.loads(answer.text)
    except ValueError:
        told = None
    value = told.get("open") if isinstance(told, dict) else told
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return None, f"{probe.name} does not tell how many are open: {answer.text.strip()[:60]!r}"
    return int(value), ""
