"""Log wealth from sums over units: bets on bounded figures, on heavy-tailed ones, and on few blocks.

A stake l on a unit's figure f multiplies the wealth by at most what the expectation of f is worth:
every `gain` here has E[exp(gain)] <= exp(l * E[f] * units), so two arms cancel what they have in common.
"""

from __future__ import annotations

import math

import numpy as np

from rollway.judge.logs import FloatArray, log_sum
from rollway.judge.moments import Seen
from rollway.judge.rows import column, larger, smaller

# Degrees of freedom that leave room for tails heavier than those of normal blocks, for a block or two.
FREEDOM = 8.0
NODES = np.arange(-8.0, 8.01, 0.5)


def bounded_gain(seen: Seen, stakes: FloatArray, bound: float) -> FloatArray:
    """What an interval of figures y in 0..bound adds, shape (rows, bets), for stakes l of either sign.

    Seen is f = y - c, c known beforehand. The exact bet on f >= -b has the wealth 1 + l f per unit
    (l > 0, l b < 1), of expectation 1 + l E[f] <= exp(l E[f]). Sums do not give its log, but a parabola
    below it, whose sum they give: with t >= 0 and m = l/(1 + l t)

        log(1 + l f) >= log(1 + l t) + m (f - t) - m^2 h(m (b + t)) (f - t)^2,
        h(u) = (-log(1 - u) - u) / u^2.

    It passes through f = -b and touches at f = t; the remainder is g'''(.)/6 (f + b)(f - t)^2 >= 0 as
    log(1 + l f) has a positive third derivative. t = 0 is the inequality of Fan, Grama & Liu (2015) behind
    the empirical Bernstein bounds of Howard et al. (2021). t = variance/b touches at the upper of the two
    values between which all mass lies in the worst case of this mean and variance, so no parabola does
    better on average; for figures of 0 and 1 the bet is then exact. Stakes < 0 bet on -f >= -(bound - c).
    """
    below, above = reach(seen, bound)
    is_up, stake, n = stakes > 0, np.abs(stakes), column(seen.units)
    floor = np.where(is_up, column(below), column(above))
    ceiling = np.where(is_up, column(above), column(below))
    touch = np.minimum(column(seen.variance) / np.maximum(floor, 1e-300), ceiling)
    reached = stake * touch
    bent = stake / (1 + reached)
    total, touching = np.sign(stakes) * column(seen.total), n * touch
    off = total - touching
    squares = np.maximum(column(seen.squares) + touch * (touching - 2 * total), 0.0)
    curve = bent * bent * _excess(bent * (floor + touch))
    gain: FloatArray = n * np.log1p(reached) + bent * off - curve * squares
    return gain


def reach(seen: Seen, bound: float) -> tuple[FloatArray, FloatArray]:
    """How far a figure in 0..bound can lie below and above what it is centred at, shape (rows,)."""
    below = smaller(larger(seen.level, 0.0), bound)
    return below, bound - below


def heavy_gain(seen: Seen, stakes: FloatArray) -> FloatArray:
    """What an interval of figures of any size adds, shape (rows, bets), for stakes l of either sign.

        l sum(f) - l^2 (sum(f^2) + 2 n v)/6

    With v the variance of f (at least) and E[f] = 0, E[exp(l f - l^2 (f^2 + 2 v)/6)] <= 1 for every
    distribution (Delyon 2009; Howard et al. 2020, table 3). Asymptotic only in that v is learned. A third
    of the price is paid on the figures themselves, which is why a skewed law does not bias the bet: the
    terms in l^3 cancel.
    """
    spent = seen.squares + 2 * seen.units * seen.variance
    gain: FloatArray = stakes * column(seen.total) - stakes * stakes * column(spent / 6)
    return gain


def student_gain(score: FloatArray, effects: FloatArray) -> FloatArray:
    """What one block adds, shape (rows, effects): its likelihood ratio, shifted against unshifted.

        (f + 1)/2 log( (1 + T^2/f) / (1 + (T - shift)^2/f) ),      f = 8

    T is the block's difference over a standard deviation learned from earlier blocks; `effects` are shifts,
    shape (effects,) or (rows, effects). Where T has Student's law with f degrees of freedom the
    expectation of exp(gain) is 1, and below 1 where it has more of them (by integration, see the tests);
    blocks with tails heavier than normal have fewer. No block alone decides: the ratio is bounded in T.
    """
    t, f = score[:, None], FREEDOM
    gain: FloatArray = (f + 1) / 2 * (np.log1p(t**2 / f) - np.log1p((t - effects) ** 2 / f))
    return gain


def student_log_e(blocks: float, slope: FloatArray, weight: FloatArray, effects: FloatArray) -> FloatArray:
    """log e-value against mean 0 of normal blocks whose variance nobody knows, shape (rows, effects).

        log E[exp(theta b T)] - theta^2 H / 2,      T of the chi law with `blocks` degrees of freedom

    For e_i of mean theta sigma h_i and variance sigma^2: b = sum(h e)/sqrt(sum e^2) is `slope` and
    H = sum(h^2) `weight`, each of shape (rows,). The likelihood ratio averaged over sigma with the prior
    d sigma/sigma: a martingale of what does not depend on the unit of measurement (Lai 1976; Perez-Ortiz
    et al. 2022). The mean over T is a sum over log T about its mode, where the integrand is bell-shaped.
    """
    a = slope[:, None] * effects
    mode = (a + np.sqrt(a**2 + 4 * blocks)) / 2
    log_t = np.log(mode)[..., None] + NODES / np.sqrt(mode**2 + blocks)[..., None]
    t = np.exp(log_t)
    inside = log_sum(blocks * log_t - t**2 / 2 + a[..., None] * t)
    step = math.log(NODES[1] - NODES[0]) - np.log(mode**2 + blocks) / 2
    norm = (blocks / 2 - 1) * math.log(2) + math.lgamma(blocks / 2)
    found: FloatArray = inside + step - norm - effects**2 * weight[:, None] / 2
    return found


def _excess(u: FloatArray) -> FloatArray:
    """h(u) = (-log(1 - u) - u)/u^2 for 0 <= u < 1; its series where the formula would lose its digits."""
    small = u < 1e-3
    if not np.count_nonzero(small):
        return (-np.log1p(-u) - u) / (u * u)
    safe = np.where(small, 0.5, u)
    series = 1 / 2 + u * (1 / 3 + u * (1 / 4 + u * (1 / 5 + u / 6)))
    return np.where(small, series, (-np.log1p(-safe) - safe) / safe**2)
