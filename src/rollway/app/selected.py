"""Whether a KPI's signal finds what it means: what matches nothing, and rates that cannot be true. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from rollway.app.proof import BAD_EVENTS, SOURCE
from rollway.app.sampled import check_group
from rollway.judge import Assigned, Counts, Histogram, Moments, Reading, Sample
from rollway.judge.words import percent, seconds
from rollway.planning import Guard, Stage
from rollway.rollout.serving import Check, CheckState
from rollway.signals.examined import Examined, Unmatched

DOUBT = 1e-3
"""The chance below which a count is not put down to chance."""
FACTOR = 3.0
"""How far a true rate may be from the expected one, up or down, before anybody is asked about it."""
ENOUGH_TERM = 1e-12


def missing(examined: Examined, *options: str) -> Unmatched | None:
    """The first thing that matches nothing of these options, or of what all of them need."""
    needed = ("total", "histogram", "arm_label", *options)
    return next((one for one in examined.unmatched or () if one.option in needed), None)


def check_silence(drawn: Stage | None, examined: Examined, note: str, within: float) -> list[Check]:
    """Of a source that told of neither version. That is as it should be where both are still to be `drawn`,
    as long as it tells of others: then it lives."""
    other = missing(examined, "baseline") or missing(examined, "candidate")
    if other is None:
        told = note or f"it answers, but nothing new came within {seconds(within)}"
        hint = f"look for longer: --within {2 * max(30, round(within))}s"
        return [Check(SOURCE, "unknown", told, hint)]
    if drawn is not None:
        return [Check(SOURCE, "ok", other.told), check_group(drawn, None, may_be_old=False)]
    hint = f"compare `{other.option}` with what the source really says, correct it, and plan anew"
    return [Check(SOURCE, "unknown", other.told, hint)]


def read(reading: Reading | None) -> Sample | None:
    """The old version's numbers, if it had any trials; those of the new one otherwise."""
    if reading is None:
        return None
    return reading.baseline if trials_of(reading.baseline) else reading.candidate


def trials_of(sample: Sample | None) -> float:
    """Trials, durations or units."""
    if isinstance(sample, Counts):
        return sample.trials
    if isinstance(sample, Histogram):
        return sum(sample.counts)
    return sample.units if isinstance(sample, Moments | Assigned) else 0.0


def check_bad(guard: Guard, reading: Reading, examined: Examined) -> Check | None:
    """What is odd about the bad ones of these numbers (the good ones, where less is worse); None: nothing.

    That no series matches is no failure by itself, for many client libraries make one with the first error.
    It is one for a gate where so many trials without a bad one contradict the rate that the plan states.
    """
    doubt = _doubt(guard, read(reading), read(examined.so_far))
    unmatched = next((one for one in examined.unmatched or () if one.option == "bad"), None)
    if unmatched is None:
        if not doubt:
            return None
        hint = "compare `bad` with what the source says; if it is right, correct `expected` and plan anew"
        return Check(BAD_EVENTS, "unknown", f"{doubt}: is `bad` right?", hint)
    if doubt:
        hint = "correct `bad`; if it is right, correct `expected`; then plan anew"
        state: CheckState = "failed" if guard.say == "gate" else "unknown"
        return Check(BAD_EVENTS, state, f"{unmatched.told}. {doubt}", hint)
    word = _word(guard)
    hint = f"if there was never a {word} one, cause one by hand and run this again; if not, correct `bad`"
    told = f"{unmatched.told}. Right only if there was never a {word} one"
    return Check(BAD_EVENTS, "unknown", told, hint)


def onto_nothing(told: Check, guard: Guard, sample: Sample | None, so_far: Sample | None) -> Check:
    """The same check of a planted fault, where no bad one was ever seen for it to be put upon."""
    seen = so_far if isinstance(so_far, Counts) else sample
    if not isinstance(sample, Counts) or not isinstance(seen, Counts) or sample.bad or seen.bad:
        return told
    why = f"none of {seen.trials:,} trials was {_word(guard)}, so nothing shows yet that `bad` finds any"
    return replace(told, state="unknown", told=f"{why}; at the rate expected: {told.told}")


def _word(guard: Guard) -> str:
    return "bad" if guard.direction == "more_is_worse" else "good"


def _doubt(guard: Guard, sample: Sample | None, so_far: Sample | None) -> str:
    """How the counts contradict `expected`; empty where they do not, or nothing is expected.

    Of all that was ever counted only too few bad ones are remarkable: it may hold an old incident.
    """
    if guard.kind not in ("rate", "check") or not guard.expected:
        return ""
    for counts, when in ((sample, ""), (so_far, " so far")):
        if not isinstance(counts, Counts) or not counts.trials:
            continue
        is_less = counts.bad < counts.trials * guard.expected
        if (is_less or not when) and is_contradicted(counts.bad, counts.trials, guard.expected):
            are = "is" if counts.bad == 1 else "are"
            rate = f" ({percent(counts.bad / counts.trials)})" if counts.bad else ""
            told = f"{counts.bad:,} of {counts.trials:,}{when} {are} {_word(guard)}{rate}"
            return f"{told}, {percent(guard.expected)} is expected"
    return ""


def is_contradicted(bad: int, trials: int, expected: float) -> bool:
    """Whether so few bad ones (so many) have a chance below DOUBT even where the true rate is a FACTOR-th of
    the expected one (FACTOR times it): an exact one-sided binomial test, Clopper and Pearson 1934."""
    if bad < trials * expected:
        rate = min(1.0, expected) / FACTOR
        return bad < trials * rate and _chance(bad, trials, rate, -1) < DOUBT
    rate = expected * FACTOR
    return rate < 1 and bad > trials * rate and _chance(bad, trials, rate, 1) < DOUBT


def _chance(bad: int, trials: int, rate: float, step: int) -> float:
    """P(X <= bad) for a step of -1, P(X >= bad) for 1; X binomial. `bad` lies on that side of the mean, so
    the terms fall from it on."""
    log_first = (
        math.lgamma(trials + 1)
        - math.lgamma(bad + 1)
        - math.lgamma(trials - bad + 1)
        + bad * math.log(rate)
        + (trials - bad) * math.log1p(-rate)
    )
    return math.exp(log_first) * sum(_ratios(bad, trials, rate, step))


def _ratios(bad: int, trials: int, rate: float, step: int) -> Iterator[float]:
    """The terms of a tail as multiples of its first one, until they no longer matter."""
    odds, term, at = rate / (1 - rate), 1.0, bad
    while term > ENOUGH_TERM:
        yield term
        term *= (trials - at) / (at + 1) * odds if step > 0 else at / (trials - at + 1) / odds
        at += step
