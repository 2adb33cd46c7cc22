"""What the durations of requests do to the judge's evidence: its cuts, and its bets on the whole law."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rollway.judge import tail, tilt
from rollway.judge.kinds.latency import LOG_CUTS_WEIGHT, LOG_TILT_WEIGHT, choose_cuts
from rollway.judge.limit import LIMIT_WEIGHT, is_active
from rollway.judge.logs import FloatArray
from rollway.judge.processes import EFFECTS, LOG_EFFECT_PRIOR, LOG_SAFE_PRIOR, rates_above, safe_multipliers
from rollway.planning.arms_noise import LARGEST, UNDIVIDED, ArmsNoise, dispersion_of
from rollway.planning.bets import Gains, Question, Sensor, kept_part, worth
from rollway.planning.chosen_cuts import KNOWN_REQUESTS, Choices, above, choices
from rollway.planning.durations import bounds_of, slower, usual_law
from rollway.planning.model import Guard

MOST_GROUPS = 12
SEED = 20_263
WELL_KNOWN, DRAWN_LAWS, STEPS_A_DOUBLING = 50_000.0, 24, 2
"""Where the judge has seen fewer requests of the old version than this, so many laws are drawn as it may know
them."""
FOUND_NATS = 3.0
"""What the mixture costs beyond log(1/alpha), about; it only sets the size of the steps."""

IndexArray = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Law:
    """The old version's durations as the judge sees them once it has seen plenty.

    old: each bucket's share, (buckets,). bends: the bets on the whole law, (bets, buckets). largest: the
    share above the lowest cut.
    """

    bounds: tuple[float, ...]
    old: FloatArray
    bends: FloatArray
    largest: float


@lru_cache(maxsize=32)
def law_of(bounds: tuple[float, ...], tolerance: float) -> Law:
    """What the judge makes of the usual law, once it has seen enough of it."""
    old = np.array(usual_law(bounds))
    known = old * KNOWN_REQUESTS
    largest = max(float(old[cut + 1 :].sum()) for cut in choose_cuts(known))
    bends = tilt.normed(tail.bends(np.array(bounds), known, tolerance), tail.shares(known), tolerance)
    return Law(bounds, old, bends, largest)


def latency(question: Question) -> Sensor:
    """Counts are the requests of groups of buckets, the new version's and then the old one's; those faster
    than all cuts that matter are taken at their expected number."""
    guard, share = question.guard, question.share
    law = law_of(bounds_of(guard), guard.tolerance)
    new = np.array(slower(tuple(law.old.tolist()), question.ratio))
    limit, picked = _exceeded(guard, law, new), choices(tuple(law.old.tolist()), question.alone)
    arms = share * new, (1 - share) * law.old
    view = _View(question, law, picked, arms, _groups(law, picked, limit), limit)
    rates = np.concatenate([_summed(arm, view.groups) for arm in view.arms])
    gains, drift = view.bets()
    growth = rates @ gains + drift
    best = int(growth.argmax())
    nats = max(0.0, float(growth[best]))
    groups, safe = len(view.groups), view.safe()
    paid = (rates[:groups] + rates[groups:]) @ gains[groups:, best] + drift[best]
    return Sensor(
        rates,
        gains,
        drift,
        view.start(),
        safe,
        nats=nats,
        fall=max(0.0, -float(paid)),
        safe_nats=np.maximum(0.0, np.einsum("c,cab->ab", rates, safe).max(axis=1)),
        scale=(math.log(1 / question.alpha) + FOUND_NATS) / nats if nats > 0 else math.inf,
        noise=_noise(view, gains.shape[1]),
        choices=picked,
        learn=view.learned,
        learns_from=len(picked.cuts) * len(EFFECTS),
    )


@dataclass(frozen=True, slots=True)
class _View:
    """A question about a law: where the judge compares, the arms' buckets per request to both versions, how
    they are grouped, and the bound of a limit that is exceeded."""

    question: Question
    law: Law
    choices: Choices
    arms: tuple[FloatArray, FloatArray]
    groups: IndexArray
    limit: int | None
    kept: dict[int, tuple[Gains, ...]] = field(default_factory=dict, compare=False)
    """What `learned` told, by step: it is asked again and again while hardly anything is learned."""

    @property
    def above(self) -> list[NDArray[np.bool_]]:
        """Which groups lie above each cut."""
        return [self.groups > cut for cut in self.choices.cuts]

    def bets(self) -> Gains:
        """What a count adds to each bet on harm, and what a request to both versions adds besides: at the
        cuts, on the whole law, and against the limit."""
        per_event = worth(self.question, self.question.guard.tolerance, EFFECTS)
        cuts = np.hstack([_above(per_event, each) for each in self.above])
        of_groups, drift = self.whole(self.law.bends)
        gains, drift = np.hstack((cuts, of_groups)), np.concatenate((np.zeros(cuts.shape[1]), drift))
        if self.limit is None:
            return gains, drift
        limit = self.question.guard.limit or 1.0
        rates = rates_above(limit)
        bad, good = np.log(rates / limit), np.log((1 - rates) / (1 - limit))
        told = np.where((self.groups > self.limit)[:, None], bad, good)
        faster = float(self.arms[0][: self.groups[0]].sum())
        return np.hstack((gains, np.vstack((told, np.zeros_like(told))))), np.append(drift, faster * good)

    def whole(self, bends: FloatArray) -> Gains:
        """What a count adds to each bet on the whole law, and what a request to both versions adds besides:
        bends of shape (..., bets, buckets) give (..., counts, bets) and (..., bets)."""
        question = self.question
        whole, kept = _tilted(bends, question.share, question.guard.tolerance), kept_part(question.pace)
        gains, drift = _grouped(whole, self.arms, self.groups)
        return gains * kept, drift * kept

    def start(self) -> FloatArray:
        """The log prior of the bets at the cuts that matter, of those on the whole law, and on the limit:
        shape (choices, bets)."""
        places, number = self.choices.places, self.choices.number[:, None]
        by_cut = np.where(places < 0, -np.inf, LOG_CUTS_WEIGHT - np.log(number))
        cuts = (by_cut[:, :, None] + LOG_EFFECT_PRIOR).reshape(len(places), -1)
        law = np.tile(np.log(tail.PRIOR) + LOG_TILT_WEIGHT, (len(places), 1))
        found = np.hstack((cuts, law))
        if is_active(self.question.guard.limit):
            found = found + math.log(1 - LIMIT_WEIGHT)
        if self.limit is None:
            return found
        limited = np.tile(LOG_EFFECT_PRIOR + math.log(LIMIT_WEIGHT), (len(places), 1))
        return np.hstack((found, limited))

    def safe(self) -> FloatArray:
        """What a count adds to each bet on safety, (counts, cuts, bets)."""
        margin, above = self.question.margin, self.above
        if margin is None:
            return np.zeros((2 * len(self.groups), 0, len(LOG_SAFE_PRIOR)))
        bets = worth(self.question, margin, safe_multipliers(margin))
        return np.stack([_above(bets, each) for each in above], axis=1)

    def learned(self, known: float) -> tuple[Gains, ...]:
        """`whole` for several courses in which the judge knows the law from so many requests."""
        step = round(STEPS_A_DOUBLING * math.log2(max(known, 2.0))) if known < WELL_KNOWN else -1
        if step not in self.kept:
            law, tolerance = self.law, self.question.guard.tolerance
            drawn = law.bends[None] if step < 0 else _drawn_bends(law.bounds, tolerance, step)
            self.kept[step] = tuple(zip(*self.whole(drawn), strict=True))
        return self.kept[step]


@lru_cache(maxsize=64)
def _drawn_bends(bounds: tuple[float, ...], tolerance: float, step: int) -> FloatArray:
    """Bets on the whole law, each from a law as it is known from 2^(step/STEPS_A_DOUBLING) requests: shape
    (laws, bets, buckets)."""
    rng, known = np.random.default_rng((SEED, step)), round(2 ** (step / STEPS_A_DOUBLING))
    old, found = law_of(bounds, tolerance).old, []
    for _ in range(DRAWN_LAWS):
        seen = rng.multinomial(known, old / old.sum()).astype(np.float64)
        bends = tail.bends(np.array(bounds), seen, tolerance)
        found.append(tilt.normed(bends, tail.shares(seen), tolerance))
    return np.stack(found)


# --- groups of buckets --------------------------------------------------------------------------------


def _exceeded(guard: Guard, law: Law, new: FloatArray) -> int | None:
    """The bound of the guard's limit, where the new version exceeds it."""
    if not is_active(guard.limit) or guard.limit_seconds is None:
        return None
    cut = next((n for n, bound in enumerate(law.bounds) if bound >= guard.limit_seconds * (1 - 1e-9)), None)
    return cut if cut is not None and new[cut + 1 :].sum() > guard.limit else None


def _groups(law: Law, picked: Choices, limit: int | None) -> IndexArray:
    """The first bucket of each group. None reaches over a cut that matters; few are enough."""
    needed = {cut + 1 for cut in picked.cuts} | ({limit + 1} if limit is not None else set())
    begins = list(range(min(needed), len(law.old)))
    while len(begins) > max(MOST_GROUPS, len(needed)):
        ends = [*begins[2:], len(law.old)]
        free = [n for n, begin in enumerate(begins[1:]) if begin not in needed]
        least = min(free, key=lambda n: float(law.old[begins[n] : ends[n]].sum()))
        del begins[least + 1]
    return np.array(begins, dtype=np.intp)


def _summed(shares: FloatArray, groups: IndexArray) -> FloatArray:
    found: FloatArray = np.add.reduceat(shares, groups)
    return found


def _grouped(
    whole: tuple[FloatArray, FloatArray], arms: tuple[FloatArray, FloatArray], groups: IndexArray
) -> Gains:
    """What an event of each group adds to each bet, (..., 2 * groups, bets), and what the requests below them
    add for each request to both versions, (..., bets)."""
    first, found, drift = int(groups[0]), [], np.zeros(whole[0].shape[:-1])
    for part, arm in zip(whole, arms, strict=True):
        weight = np.maximum(arm, 1e-300)
        of_groups = np.add.reduceat(part * weight, groups, axis=-1) / np.add.reduceat(weight, groups)
        found.append(of_groups.swapaxes(-1, -2))
        drift += part[..., :first] @ arm[:first]
    return np.concatenate(found, axis=-2), drift


def _above(per_event: FloatArray, is_above: NDArray[np.bool_]) -> FloatArray:
    """Of events above a cut: shape (2 * groups, bets), the new version's groups, then the old one's."""
    told = is_above.astype(np.float64)
    return np.vstack((np.outer(told, per_event[0]), np.outer(told, per_event[1])))


def _tilted(bends: FloatArray, share: float, tolerance: float) -> tuple[FloatArray, FloatArray]:
    """What a request in each bucket adds to each bet on the whole law: the new version's, and the old one's.

    `tilt.increment` of one request with n_t/n = share: shape (..., bets, buckets) each.
    """
    lowest = bends[..., :1]
    price = np.log(share * tolerance * bends + 1 - share) - np.log(share * tolerance * lowest + 1 - share)
    # b_j = b_0 (n_t rho m_0 + n_c)/(n_t rho m_j + n_c): what `price` takes, `of_all` gives.
    old = -np.log(share * lowest + 1 - share) - price
    return np.log(bends) + old, old


# --- the arms' own noise --------------------------------------------------------------------------------


def _noise(view: _View, bets: int) -> ArmsNoise | None:
    question, law = view.question, view.law
    dispersion = dispersion_of(question.guard)
    if dispersion is None:
        return None
    rows = np.array([np.tile(each, 2) for each in view.above], dtype=np.float64).T
    cuts = np.arange(len(view.above))
    of_cuts = np.repeat(cuts, len(EFFECTS))
    of_law = np.full(len(law.bends), LARGEST)
    of_limit = np.full(bets - len(of_cuts) - len(of_law), UNDIVIDED)
    return ArmsNoise(
        dispersion,
        judged=(question.pace * question.share, question.pace * (1 - question.share)),
        tick=question.tick,
        tolerance=question.guard.tolerance,
        margin=question.margin or 1.0,
        rows=rows,
        of_bets=np.concatenate((of_cuts, of_law, of_limit)).astype(np.intp),
        of_safe=cuts if question.margin is not None else cuts[:0],
        usual=above(law.old)[list(view.choices.cuts)],
        largest=law.largest,
    )
