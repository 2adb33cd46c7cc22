"""The options that all signals share which ask what happened between two moments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from rollway.errors import InputError
from rollway.facts.duration import parse_duration
from rollway.signals.windowed import COLUMNS, Arm

LONGEST = timedelta(minutes=5)


class WindowedOptions:
    """The options of one signal, read with care. Every problem is an InputError that names the option."""

    def __init__(
        self, signal: str, kpi: str, kind: str, given: Mapping[str, Any], known: tuple[str, ...]
    ) -> None:
        """`known`: the signal's own options besides `candidate`, `baseline`, `delay` and `timeout`."""
        self.where = f"KPI '{kpi}', signal"
        self._given = given
        if kind not in COLUMNS:
            raise InputError(
                f"{self.where}: a {signal} signal cannot read a {kind}", hint=f"it reads {', '.join(COLUMNS)}"
            )
        known = (*known, "candidate", "baseline", "delay", "timeout")
        for name in given:
            if name not in known:
                raise self.error(name, f"a {signal} signal has no such option", f"it has {', '.join(known)}")

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def text(self, name: str, default: str | None = None) -> str:
        value = self._given.get(name, default)
        if not isinstance(value, str) or not value.strip():
            raise self.error(name, "missing" if value is None else f"not a text: {value!r}")
        return value

    def seconds(self, name: str, default: str) -> float:
        """A duration of at most five minutes."""
        try:
            length = parse_duration(self._given.get(name, default))
        except ValueError as error:
            raise self.error(name, str(error)) from None
        if not timedelta(0) <= length <= LONGEST:
            raise self.error(name, "must be at most 5m")
        return length.total_seconds()

    def arms(self) -> dict[str, Arm]:
        """The value of `arm` that names each version."""
        candidate, baseline = self.text("candidate"), self.text("baseline")
        if candidate == baseline:
            raise self.error("candidate", "the same as 'baseline'", "give the two values of `arm`")
        return {candidate: "candidate", baseline: "baseline"}

    def error(self, name: str, problem: str, hint: str = "") -> InputError:
        return InputError(f"{self.where}.{name}: {problem}", hint=hint)
