"""Until when one can still go back: the last call of each night, and what that says about the window."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rollway.planning.runbooks.chance import Floats, Nights, night_of
from rollway.planning.runbooks.model import Runbook

MARKS = 13
"""How many moments the curve of chances has unless told otherwise."""


def last_calls(needed: Floats, undo: Floats, limit: float, no_return: Floats) -> Floats:
    """The last moment of each night (runs,) at which going back is still in time, in seconds from T.

    `needed` (steps, runs) is from when on each step is needed, `undo` how long it takes. With R(t) the sum
    of the steps needed at t, W the end of the window and D the time to decide (limit = W - D), going back
    at t ends at t + D + R(t). R never falls, so each night has one last moment

        sup {t : t + R(t) <= limit} = min over j of max(A_j, limit - (u_1 + ... + u_j))

    where A_1 <= A_2 <= ... are the moments at which steps become needed and u their times (j = 0 stands
    for limit itself): up to j steps are paid for only if t lies before A_j or early enough to do them. It
    is cut at the night's point of no return.
    """
    turn = np.argsort(needed, axis=0, kind="stable")
    moments = np.take_along_axis(needed, turn, axis=0)
    spent = np.take_along_axis(undo, turn, axis=0).cumsum(axis=0)
    calls = np.maximum(moments, limit - spent).min(axis=0, initial=limit)
    last: Floats = np.minimum(calls, no_return)
    return last


@dataclass(frozen=True, slots=True)
class Chance:
    """At a moment (seconds from T): how likely is it that the word to go back is still in time."""

    seconds: float
    back_in_time: float


@dataclass(frozen=True, slots=True)
class GateChance:
    """How likely going back still ends inside the window if this gate says no."""

    id: str
    back_in_time: float


@dataclass(frozen=True, slots=True)
class Quantiles:
    """P10, P50 and P90 of a time in seconds."""

    p10: float
    p50: float
    p90: float


@dataclass(frozen=True, slots=True)
class Turning:
    """The clock of going back. All moments are seconds from T.

    `latest_safe` is the last moment at which going back ends inside the window with probability
    `confidence` or more, and None where nothing limits it; it is negative where even T is too late.
    `finish_in_window` is the probability that the cutover ends inside the window, None without a window;
    `error` is the largest standard error of a probability here.
    """

    runs: int
    confidence: float
    error: float
    finish: Quantiles
    no_return: Quantiles | None
    back: Quantiles
    latest_safe: float | None
    finish_in_window: float | None
    curve: tuple[Chance, ...]
    gates: tuple[GateChance, ...] = ()


def turning_point(runbook: Runbook, nights: Nights, confidence: float = 0.9, marks: int = MARKS) -> Turning:
    """What the drawn nights say. Needs 0 < confidence < 1 and marks > 1; raises ValueError otherwise."""
    if not 0 < confidence < 1 or marks < 2:
        raise ValueError("confidence lies between 0 and 1, and a curve has two marks at least")
    runbook = night_of(runbook)
    runs, window = len(nights.finish), runbook.window_seconds
    end = float(np.median(nights.finish)) if window is None else window
    gates = [task.id for task in runbook.tasks if task.gate]
    shares = nights.gates_safe.mean(axis=0)
    moments = np.linspace(0.0, max(end, 0.0), marks)
    return Turning(
        runs,
        confidence,
        0.5 / math.sqrt(runs),
        _quantiles(nights.finish),
        _quantiles(nights.no_return) if np.isfinite(nights.no_return).any() else None,
        _quantiles(nights.back),
        latest_safe(nights.last_call, confidence),
        None if window is None else float((nights.finish <= window).mean()),
        tuple(Chance(float(at), float((nights.last_call >= at).mean())) for at in moments),
        tuple(GateChance(name, float(share)) for name, share in zip(gates, shares, strict=True)),
    )


def latest_safe(last_call: Floats, confidence: float) -> float | None:
    """The largest t with mean(last_call >= t) >= confidence; None where that is infinite.

    That is the order statistic with at least confidence x runs values at or above it, no interpolation.
    """
    rank = len(last_call) - math.ceil(confidence * len(last_call) - 1e-9)
    moment = float(np.partition(last_call, rank)[rank])
    return moment if math.isfinite(moment) else None


def _quantiles(times: Floats) -> Quantiles:
    return Quantiles(*(float(one) for one in np.quantile(times, (0.1, 0.5, 0.9), method="inverted_cdf")))
