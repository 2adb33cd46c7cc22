"""Noise that is one arm's own: pods that differ, users who come back. Evidence is divided by its factor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rollway.judge.logs import FloatArray
from rollway.judge.processes import Arms


@dataclass(frozen=True, slots=True)
class Dispersion:
    """How much more the difference between two healthy arms varies than chance alone would have it.

    `floor` (phi0, >= 1) is the factor in a block with hardly any events; `growth` (tau squared, >= 0) is
    the squared coefficient of variation between the arms' rates from block to block; `block_seconds` is
    how long an arm keeps its luck.
    """

    floor: float = 1.0
    growth: float = 0.0
    block_seconds: float = 300.0

    @property
    def is_none(self) -> bool:
        return self.floor <= 1.0 and self.growth <= 0.0


NONE = Dispersion()


def factor(dispersion: Dispersion, arms: Arms, null: float, seconds: float) -> FloatArray:
    """By what the evidence of an interval of `seconds` is divided, shape (rows,), each >= 1.

        phi = phi0 (1 + tau^2 V),   V = D pi (1 - pi) * block / interval,   pi = n_t rho / (n_t rho + n_c)

    V is the variance that chance gives to the candidate's share of D events over a block. Divided by
    phi >= 1 an e-value stays one (Jensen: E[x^(1/phi)] <= E[x]^(1/phi)); with Var(d_t) <= phi V it stays
    one approximately although events come in clusters: a quasi-likelihood (Wedderburn 1974).
    """
    weight = arms.candidate_trials * null
    share = weight / np.maximum(weight + arms.baseline_trials, 1e-300)
    variance = (arms.candidate_bad + arms.baseline_bad) * share * (1 - share)
    block = variance * max(1.0, dispersion.block_seconds / max(seconds, 1e-9))
    found: FloatArray = max(dispersion.floor, 1.0) * (1 + max(dispersion.growth, 0.0) * block)
    return found
