"""The limit: tests that know what no judge can know. Scores are logs of e-values, shape (ticks, runs).

symbol  meaning
p       the old version's true rate in the tick
r       the fault's ratio in the tick; 1 before it begins
"""

from __future__ import annotations

import numpy as np

from benchmarks.judge.streams import LARGEST_RATE, FloatArray, Stream


def wald(stream: Stream) -> FloatArray:
    """Knows p, r and the onset: sum of d log(rp/p) + (n - d) log((1 - rp)/(1 - p)) (Wald 1945).

    No test with the same chance of a false alarm needs fewer requests on average, up to the last
    tick's overshoot. Under noise of single arms and under sticky users it ignores what it does not
    know, and is no bound there.
    """
    return np.cumsum(_known(stream), axis=0)


def two_sample(stream: Stream) -> FloatArray:
    """Knows r and the onset, not p: sum of d_t log r - (d_t + d_c) log((n_t r + n_c)/(n_t + n_c))."""
    counts, ratio = stream.counts, stream.ratios[:, np.newaxis]
    both = np.maximum(counts.candidate_trials + counts.baseline_trials, 1.0)
    price = np.log((counts.candidate_trials * ratio + counts.baseline_trials) / both)
    told = counts.candidate_bad * np.log(ratio) - (counts.candidate_bad + counts.baseline_bad) * price
    is_comparable = (counts.candidate_trials > 0) & (counts.baseline_trials > 0)
    return np.cumsum(np.where(is_comparable, told, 0.0), axis=0)


def shiryaev(stream: Stream) -> FloatArray:
    """Knows p and r, not the onset, which may be any tick: the mixture over all (Shiryaev 1963).

    W <- (W + 1/ticks) exp(increment), E = W + the onsets still to come.
    """
    increments = _known(stream, is_onset_known=False)
    ticks = len(increments)
    wealth = np.full(increments.shape[1], -np.inf)
    scores = np.empty_like(increments)
    for tick, increment in enumerate(increments):
        wealth = np.logaddexp(wealth, -np.log(ticks)) + increment
        to_come = 1 - (tick + 1) / ticks
        scores[tick] = np.logaddexp(wealth, np.log(to_come)) if to_come > 1e-12 else wealth
    return scores


def _known(stream: Stream, *, is_onset_known: bool = True) -> FloatArray:
    """The log-likelihood ratio of each tick of the new version's requests."""
    ratio = stream.ratios if is_onset_known else np.full(len(stream.ratios), stream.ratios.max())
    old = np.clip(stream.rates, 1e-12, LARGEST_RATE)
    new = np.minimum(old * ratio[:, np.newaxis], LARGEST_RATE)
    bad = stream.counts.candidate_bad
    good = stream.counts.candidate_trials - bad
    increments: FloatArray = bad * np.log(new / old) + good * np.log((1 - new) / (1 - old))
    return increments
