"""Wealth bet on every size of fault and every onset at once: what all tests share.

A test turns an interval into increments of log wealth, one for each alternative it bets on. This file
mixes them over the alternatives and over when the fault may begin, and keeps safety stage by stage.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rollway.judge.logs import FloatArray, log_flat, log_or_never, log_total
from rollway.judge.onset import Interval, Moved, Onset, move, spent
from rollway.judge.processes import harm_at_most, harm_log_e, harm_start, harm_step, safe_log_e, safe_start
from rollway.judge.quick import quick


@dataclass(frozen=True, slots=True)
class Odds:
    """How a test spreads its stake: log priors over effects, and over safety bets, shape (bets,).

    log_effects: shape (effects,); in `add` also (rows, effects), which is quicker.
    """

    log_effects: FloatArray
    log_bets: FloatArray


@quick
@dataclass(frozen=True, slots=True)
class Wager:
    """harm: log wealth, shape (rows, effects), over the whole exposure. safe: (rows, bets), this stage only.

    Safety is shown anew in every stage: a fault that needs load, or other users, to appear must not pass
    on what an earlier stage has earned.
    """

    onset: Onset
    harm: FloatArray
    safe: FloatArray


def start(rows: int, odds: Odds) -> Wager:
    """Before any mass is spent on harm, and with the stake on safety laid."""
    return Wager(Onset(), harm_start(rows, len(odds.log_effects)), safe_start(rows, odds.log_bets))


def add(
    wager: Wager,
    odds: Odds,
    interval: Interval,
    against: FloatArray,
    for_safety: FloatArray | None,
    moved: Moved | None = None,
) -> Wager:
    """The wager after an interval that both versions served in.

        harm_k <- (harm_k + v g_k) exp(against_k),     safe_k <- safe_k exp(for_safety_k)

    v is the prior mass of the faults that may begin now, g the prior over effects. `against` has shape
    (rows, effects), `for_safety` (rows, bets); None where the stage asks for no proof. If each increment
    is a log e-value given the past, so is what comes out: mixtures of products of e-values are one.
    `moved`: what `onset.move` gives, where it is known already.
    """
    onset, mass = moved or move(wager.onset, interval)
    is_new_stage = wager.onset.stage != onset.stage
    safe = safe_start(len(wager.safe), odds.log_bets) if is_new_stage else wager.safe
    if for_safety is not None:
        safe = safe + for_safety
    return Wager(onset, harm_step(wager.harm, against, mass, odds.log_effects), safe)


def total_of(wager: Wager, planned_seconds: float) -> float:
    """log of the mean over rows of what `harm_of` has in logs: an e-value against all rows' nulls at once."""
    wealth, left = log_flat(wager.harm), log_or_never(1 - spent(wager.onset, planned_seconds))
    return log_total((wealth - math.log(len(wager.harm)), left))


def at_most(wager: Wager) -> float:
    """What no log that `harm_of` or `total_of` gives can exceed; it costs less than either."""
    return harm_at_most(wager.harm)


def harm_of(wager: Wager, planned_seconds: float) -> FloatArray:
    """log e-values against "no worse than tolerated", shape (rows,): wealth, and mass not spent yet."""
    return harm_log_e(wager.harm, 1 - spent(wager.onset, planned_seconds))


def safe_of(wager: Wager, stage: str) -> FloatArray:
    """log e-values against "as bad as the margin" in this stage, shape (rows,); 0 before it has begun."""
    if wager.onset.stage != stage:
        return np.zeros(len(wager.safe))
    return safe_log_e(wager.safe)
