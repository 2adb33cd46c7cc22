"""Noise that is one arm's own: pods that differ, users who come back. Evidence is divided by its factor."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf

import numpy as np

from rollway.errors import InputError
from rollway.judge.logs import FloatArray
from rollway.judge.processes import Arms, comparable
from rollway.judge.quick import quick


@dataclass(frozen=True, slots=True)
class Dispersion:
    """How much more the difference between two healthy arms varies than chance alone would have it.

    `floor` (phi0, >= 1) is the factor for events that come in clusters, such as a user's retries;
    `growth` (tau squared, >= 0) is the variance of the log of the ratio of the arms' rates from block to
    block; `block_seconds` is how long an arm keeps its luck.
    """

    floor: float = 1.0
    growth: float = 0.0
    block_seconds: float = 300.0

    @property
    def is_none(self) -> bool:
        return self.floor <= 1.0 and self.growth <= 0.0


NONE = Dispersion()


@quick
@dataclass(frozen=True, slots=True)
class Pace:
    """Events and seconds of the last block or so, the older the less: `events` has shape (rows,)."""

    events: FloatArray
    seconds: float = 0.0


def start(rows: int) -> Pace:
    return Pace(np.zeros(rows))


def move(pace: Pace, dispersion: Dispersion, arms: Arms, seconds: float) -> Pace:
    """The pace after one more interval of `seconds`; what is a block old counts 1/e."""
    left = exp(-seconds / max(dispersion.block_seconds, 1e-9))
    events = left * pace.events
    is_told = comparable(arms)
    if not isinstance(is_told, float) or is_told > 0:
        events += (arms.candidate_bad + arms.baseline_bad) * is_told
    return Pace(events, left * pace.seconds + seconds)


def factor(
    dispersion: Dispersion, arms: Arms, null: float, seconds: float, pace: Pace | None = None
) -> FloatArray:
    """By what the evidence of an interval of `seconds` is divided, shape (rows,), each >= 1.

        phi = phi0 + tau^2 V,   V = D pi (1 - pi),   pi = n_t rho / (n_t rho + n_c)

    D: the events of a block at the current `pace`, or at that of the interval alone. The candidate's
    share of D events has the variance V by chance. Where each of them brings a cluster along it is
    phi0 V; where the log ratio of the arms' rates is a, with variance tau^2, pi moves by pi (1 - pi) a,
    which adds tau^2 V^2 (law of total variance; the delta method).

    Division by any phi >= 1 that is known given D and the past costs nothing in validity: E[x^(1/phi)] <=
    E[x | D]^(1/phi) (Jensen), where E[x | D] <= 1. That holds for rare events, and for common ones at
    rho = 1 (given D, d_t is hypergeometric, which a binomial dominates: Hoeffding 1963). At rho > 1 and
    rates near 1 it is approximate: of all courses of up to 6 trials on 6, at rho from 1.5 to 3, the worst
    single bet gains 0.4% in an interval; the mixture over all bets does not.

    What the division is for is approximate too: to second order log x is b U - b^2 V/2 with U = d_t - D pi,
    and divided by phi its exponential has a mean of at most 1 over a block where Var(U) <= phi V and U is
    about normal (a quasi-likelihood: Wedderburn 1974).
    """
    return factors(dispersion, arms, np.array((null,)), seconds, pace)[:, 0]


def factors(
    dispersion: Dispersion, arms: Arms, nulls: FloatArray, seconds: float, pace: Pace | None = None
) -> FloatArray:
    """`factor` for several nulls at once, shape (rows, nulls)."""
    n_t, n_c = arms.candidate_trials, arms.baseline_trials
    if isinstance(n_t, float) and isinstance(n_c, float) and n_t > 0 and n_c > 0:
        share = nulls * n_t
        share /= share + n_c
    else:
        weight = np.asarray(n_t)[..., None] * nulls
        share = weight / np.maximum(weight + np.asarray(n_c)[..., None], 1e-300)
    if pace is None:
        events = (arms.candidate_bad + arms.baseline_bad) / max(seconds, 1e-9)
    else:
        events = pace.events / max(pace.seconds, 1e-9)
    block = events * (max(dispersion.growth, 0.0) * max(seconds, dispersion.block_seconds))
    share -= share * share
    found: FloatArray = block[:, None] * share
    found += max(dispersion.floor, 1.0)
    return found


def faults(dispersion: Dispersion) -> tuple[str, ...]:
    """What in a dispersion cannot be judged by, a line each; empty where all is well."""
    found = []
    if not (1 <= dispersion.floor < inf and 0 <= dispersion.growth < inf):
        found.append("its dispersion needs a floor of at least 1 and a growth of at least 0")
    if not 0 < dispersion.block_seconds < inf:
        found.append(f"its dispersion's block_seconds is {dispersion.block_seconds!r}, not above 0")
    return tuple(found)


def scaled(dispersion: Dispersion, by: float) -> Dispersion:
    """The same noise with a factor that is `by` times as large (by >= 1)."""
    return Dispersion(dispersion.floor * by, dispersion.growth * by, dispersion.block_seconds)


@dataclass(frozen=True, slots=True)
class Blocks:
    """History of two healthy arms, block by block in rising order of time: what dispersion is learned from.

    starts: unix seconds, shape (blocks,). The counts have shape (blocks, rows), a row for each cut or
    depth. Every block lasts `block_seconds`; gaps between blocks are fine.
    """

    starts: FloatArray
    candidate_trials: FloatArray
    candidate_bad: FloatArray
    baseline_trials: FloatArray
    baseline_bad: FloatArray
    block_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of a service's noise before its history is read, worth `blocks` blocks of it."""

    dispersion: Dispersion = Dispersion(floor=1.5, growth=0.04, block_seconds=600.0)
    blocks: float = 24.0


# Pods that differ by 14% each, a few retries per failure, luck that lasts ten minutes; two hours' worth of
# five-minute blocks. A new service thus starts out as one with ordinary noise, not as one with none: a
# healthy release rolled back costs trust at once, a fault found a little later is still found.
CAUTIOUS = Prior()

# For how many blocks luck is followed; with the taper it is taken to last 5 of them at most.
LAGS = 4
ROUNDS = 20
# Counts of common events vary by less than chance would have rare ones vary, but not to nothing.
FLOOR_OF_FLOOR = 0.1
# What small blocks show is put down to clusters up to this many events, and to arms that differ beyond.
CLUSTER = 4.0
SMALL_BLOCKS = 0.1


def learn(blocks: Blocks, prior: Prior = CAUTIOUS) -> Dispersion:
    """The noise of a service from history without a release, drawn towards the prior.

    With U = d_t - D pi and V = D pi (1 - pi) of a block, E[U^2] = phi0 V + tau^2 V^2 (see `factor`), so
    U^2/V is regressed on V; a squared normal varies like its squared mean, hence the weights 1/phi^2,
    repeated until they fit. The prior adds `prior.blocks` observations that lie on its own line, half of
    them at V = 0 and half at the mean V, or further out where its growth is as large as its floor: blocks
    with few events tell nothing of growth. Neither coefficient is allowed below zero, nor phi0 below 1.
    Luck that outlasts a block makes neighbours alike: with u = U/sqrt(V) and x = E[u^2] - 1, what luck adds,
    a sum over several blocks has m = 1 + 2 sum (1 - l/5) E[u_i u_(i+l)]/x times as much of it as blocks
    that are strangers, l from 1 to 4 (the taper: Newey & West 1987). block_seconds and what floor has
    above 1 are multiplied by m. Luck that lasts much longer than four blocks needs longer blocks, or the
    replay of `calibrate`.

    History of one share cannot tell clusters from arms that differ, and at a smaller share only clusters
    would still matter. So phi0 is at least what the fit says of small blocks (the lowest tenth of V), as
    far as that is no more than 4; record history at the rollout's own shares to know better.

    Of several rows the largest floor, growth and memory are taken. Without any block the answer is the
    prior. Raises InputError where nothing ran beside the candidate, or the counts cannot be right.
    """
    _check(blocks)
    rows = blocks.candidate_bad.shape[1]
    if len(blocks.starts) == 0 or rows == 0:
        return prior.dispersion
    learned = [_learn_row(blocks, row, prior) for row in range(rows)]
    return Dispersion(
        floor=max(each.floor for each in learned),
        growth=max(each.growth for each in learned),
        block_seconds=max(each.block_seconds for each in learned),
    )


def _check(blocks: Blocks) -> None:
    counts = (blocks.candidate_trials, blocks.candidate_bad, blocks.baseline_trials, blocks.baseline_bad)
    fits = blocks.starts.ndim == 1 and all(
        each.ndim == 2 and each.shape == counts[0].shape and len(each) == len(blocks.starts)
        for each in counts
    )
    if not fits or not all(np.isfinite(each).all() and (each >= 0).all() for each in counts):
        raise InputError(
            "The blocks of history cannot be used: their counts have different shapes or are no counts.",
            hint="Give candidate and baseline counts of shape (blocks, rows), and a start for each block.",
        )
    if not (np.diff(blocks.starts) >= blocks.block_seconds * 0.999).all() or blocks.block_seconds <= 0:
        raise InputError("The blocks of history overlap or are not in order of time.")
    if len(blocks.starts) and not ((counts[0] > 0) & (counts[2] > 0)).any():
        raise InputError(
            "This history has only one arm, and an arm's own noise cannot be learned from one arm.",
            hint="What changes for everyone hides it, and requests split at random do not have it. Run the "
            "old version as both arms for some hours, or split what was logged by pod or by user.",
        )


def _learn_row(blocks: Blocks, row: int, prior: Prior) -> Dispersion:
    n_t, n_c = blocks.candidate_trials[:, row], blocks.baseline_trials[:, row]
    d_t, events = blocks.candidate_bad[:, row], blocks.candidate_bad[:, row] + blocks.baseline_bad[:, row]
    share = n_t / np.maximum(n_t + n_c, 1e-300)
    variance = events * share * (1 - share)
    told = variance > 0
    if not told.any():
        return prior.dispersion
    surplus, variance = (d_t - events * share)[told], variance[told]
    floor, growth = _fit(surplus, variance, prior)
    mean, belief = float(variance.mean()), prior.dispersion
    small = min(floor + growth * float(np.quantile(variance, SMALL_BLOCKS)), CLUSTER)
    memory = _memory(
        surplus / np.sqrt(variance),
        np.round((blocks.starts[told] - blocks.starts[0]) / blocks.block_seconds),
        excess=max(0.0, floor - 1) + growth * mean,
        prior_excess=max(0.0, belief.floor - 1) + belief.growth * mean,
        prior=prior,
        seconds=blocks.block_seconds,
    )
    floor = max(1 + max(0.0, floor - 1) * memory, small)
    return Dispersion(floor, growth, blocks.block_seconds * memory)


def _fit(surplus: FloatArray, variance: FloatArray, prior: Prior) -> tuple[float, float]:
    """phi0 and tau^2 of U^2/V = phi0 + tau^2 V, by weighted least squares with the prior's observations."""
    belief = prior.dispersion
    far = max(float(variance.mean()), belief.floor / belief.growth if belief.growth > 0 else 0.0)
    at = np.append(variance, (0.0, far))
    seen = np.append(surplus**2 / variance, (belief.floor, belief.floor + belief.growth * far))
    times = np.append(np.ones(len(variance)), (prior.blocks / 2, prior.blocks / 2))
    floor, growth = belief.floor, belief.growth
    for _ in range(ROUNDS):
        weight = times / (floor + growth * at) ** 2
        middle = float(weight @ at / weight.sum())
        level = float(weight @ seen / weight.sum())
        spread = float(weight @ (at - middle) ** 2)
        growth = max(0.0, float(weight @ ((at - middle) * seen)) / spread) if spread > 0 else 0.0
        floor = level - growth * middle
        if floor < FLOOR_OF_FLOOR:
            floor = FLOOR_OF_FLOOR
            growth = max(0.0, float(weight @ (at * (seen - floor))) / float(weight @ at**2))
    return floor, growth


def _memory(
    surplus: FloatArray, places: FloatArray, excess: float, prior_excess: float, prior: Prior, seconds: float
) -> float:
    """For how many blocks luck is kept, drawn towards the prior's.

    surplus: U/sqrt(V); places: the blocks' numbers in time; excess: how much E[U^2/V] is above 1, which
    is what luck adds, as fitted and as the prior has it.
    """
    kept = 0.0
    for lag in range(1, LAGS + 1):
        later = np.searchsorted(places, places + lag)
        pairs = np.flatnonzero(np.append(places, np.inf)[later] == places + lag)
        if len(pairs):
            kept += (1 - lag / (LAGS + 1)) * float(np.mean(surplus[pairs] * surplus[later[pairs]]))
    believed = max(1.0, prior.dispersion.block_seconds / seconds)
    weight, seen = prior.blocks * prior_excess, len(places)
    under = weight + seen * excess
    if under <= 0:
        return 1.0
    return min(max((weight * believed + seen * (excess + 2 * kept)) / under, 1.0), LAGS + 1.0)
