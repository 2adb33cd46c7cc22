"""Trying an environment with no user on it, in the background: it is warmed up, then smoke tested."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from rollway.targets.options import Options
from rollway.targets.probes import Probe, probe_from

_WARM_UP = {
    "ask": "[http://10.0.0.7:8080/, [./fill-cache.sh]]",
    "faster_than": "0.3",
    "in_a_row": "3",
    "within": "300",
}
_MOST_KEPT = 5

TrialState = Literal["untried", "trying", "passed", "failed"]


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Probes that are asked again and again until `in_a_row` rounds were well, each probe within
    `faster_than` seconds; given up after `within` seconds."""

    probes: tuple[Probe, ...] = ()
    faster_than: float = float("inf")
    in_a_row: int = 3
    within: float = 300.0


@dataclass(frozen=True, slots=True)
class Course:
    """How a trial goes: what is done, how long a passed one counts, and after how many seconds one that
    failed is begun again, for how long."""

    warm_up: WarmUp
    smoke: tuple[Probe, ...]
    valid: float
    again: float
    patience: float


@dataclass(frozen=True, slots=True)
class Said:
    """Where a trial stands, in one word and one sentence. `age` is for how many seconds that has been so."""

    state: TrialState
    told: str
    age: float


class Trial:
    """One environment's trial. At most one thread works on it; what it found is lost with the process."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self._lock = threading.Lock()
        self._state: TrialState = "untried"
        self._told = "it has not been tried yet"
        self._at = time.monotonic()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Try in the background. Nothing changes where that is going on already."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive() and not self._stop.is_set():
                return
            self._stop = threading.Event()
            self._set("trying", "it is being tried")
            self._thread = threading.Thread(
                target=self._work, args=(self._stop,), name="rollway-trial", daemon=True
            )
            self._thread.start()

    def begin_anew(self) -> None:
        """Try where there is no result that counts."""
        if self.said().state in ("untried", "failed"):
            self.begin()

    def stop(self) -> None:
        """Ask nothing more; a question that is open is not waited for."""
        with self._lock:
            self._stop.set()
            if self._state == "trying":
                self._set("untried", "the trial was called off")

    def said(self) -> Said:
        """Where it stands now. What passed too long ago is untried again."""
        with self._lock:
            age = time.monotonic() - self._at
            if self._state == "passed" and age > self.course.valid:
                return Said("untried", f"it passed {age:.0f} s ago, which counts no more", age)
            return Said(self._state, self._told, age)

    def _set(self, state: TrialState, told: str) -> None:
        self._state, self._told, self._at = state, told, time.monotonic()

    def _say(self, stop: threading.Event, state: TrialState, told: str) -> None:
        with self._lock:
            if not stop.is_set():
                self._set(state, told)

    def _work(self, stop: threading.Event) -> None:
        end = time.monotonic() + self.course.patience
        while not stop.is_set():
            try:
                failed = self._warm(stop) or self._smoke(stop)
            except Exception as error:
                failed = f"the trial broke: {type(error).__name__}: {error}"
            if not failed:
                return
            left = end - time.monotonic()
            again = f"; tried again in {self.course.again:g} s" if left > self.course.again else ""
            self._say(stop, "failed", f"{failed}{again}")
            if not again or stop.wait(self.course.again):
                return

    def _warm(self, stop: threading.Event) -> str:
        """Why it did not get warm; empty when it did."""
        warm = self.course.warm_up
        if not warm.probes:
            return ""
        began, rounds, in_a_row, slow = time.monotonic(), 0, 0, ""
        while in_a_row < warm.in_a_row:
            if stop.is_set():
                return "called off"
            if time.monotonic() - began > warm.within:
                return f"not warm after {warm.within:g} s: {slow}"
            slow = self._round(warm)
            rounds += 1
            in_a_row = 0 if slow else in_a_row + 1
            self._say(stop, "trying", f"warming up, round {rounds}{': ' + slow if slow else ''}")
            if slow and stop.wait(min(1.0, warm.within / 20)):
                return "called off"
        return ""

    @staticmethod
    def _round(warm: WarmUp) -> str:
        for probe in warm.probes:
            answer = probe.ask()
            if not answer.is_well:
                return answer.told
            if answer.seconds > warm.faster_than:
                return f"{answer.name} took {answer.seconds:.3g} s"
        return ""

    def _smoke(self, stop: threading.Event) -> str:
        """Which smoke tests failed, and how; empty when all passed."""
        checks, failed = self.course.smoke, list[str]()
        for number, probe in enumerate(checks, 1):
            if stop.is_set():
                return "called off"
            self._say(stop, "trying", f"smoke test {number} of {len(checks)}: {probe.name}")
            answer = probe.ask()
            if not answer.is_well:
                failed.append(
                    f"{answer.name}: {answer.told}" if answer.name not in answer.told else answer.told
                )
        if failed:
            shown = "; ".join(failed[:_MOST_KEPT])
            return f"{len(failed)} of {len(checks)} smoke tests failed: {shown}"
        self._say(
            stop, "passed", f"{len(checks)} of {len(checks)} smoke tests passed" if checks else "it is warm"
        )
        return ""


def warm_up_from(value: object, at: str) -> WarmUp:
    """From one probe, a list of probes, or a mapping with `ask` and how long. Raises InputError."""
    if value is None:
        return WarmUp()
    plain = not isinstance(value, Mapping) or "ask" not in value
    given = Options({"ask": value} if plain else value, "a warm-up", _WARM_UP, at=at)  # type: ignore[arg-type]
    return WarmUp(
        probes_from(given.raw("ask"), at if plain else f"{at}.ask"),
        given.number("faster_than", 86_400.0),
        int(given.number("in_a_row", 3, at_most=1000)),
        given.number("within", 300.0),
    )


def probes_from(value: object, at: str) -> tuple[Probe, ...]:
    """One or several probes; a list whose first entry is a plain word is a program. Raises InputError."""
    is_program = isinstance(value, list | tuple) and value and isinstance(value[0], str)
    if isinstance(value, list | tuple) and not (is_program and "://" not in value[0]):
        return tuple(probe_from(one, f"{at}[{place}]") for place, one in enumerate(value))
    return (probe_from(value, at),)
