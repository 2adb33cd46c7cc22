"""How often would this judge have rolled back what was healthy? History without a release is the answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import groupby
from operator import attrgetter

import numpy as np

from rollway.errors import InputError
from rollway.judge import buckets
from rollway.judge.absorb import update
from rollway.judge.dispersion import CAUTIOUS, Blocks, Prior, learn, scaled
from rollway.judge.kinds.latency import choose_cuts
from rollway.judge.logs import FloatArray
from rollway.judge.model import Counts, Depths, GuardRule, Histogram, Reading, Rules, Sample
from rollway.judge.plausible import is_placed, is_sound
from rollway.judge.state import begin

LADDER = (1.0, 1.2, 1.5, 1.8, 2.2, 2.7, 3.3, 4.0, 5.0, 6.0, 8.0, 10.0, 13.0, 16.0, 20.0, 25.0, 32.0, 40.0)
CONFIDENCE = 0.95
BLOCK_SECONDS = 300.0
LEARNABLE = ("rate", "depths", "latency")
"""The kinds that compare counts, and whose noise can be learned from them."""
DIVIDED = (*LEARNABLE, "mean", "total", "quotient", "gauge")
"""The kinds whose evidence is divided by their dispersion."""

Window = Sequence[Reading]


@dataclass(frozen=True, slots=True)
class Realised:
    """What became of healthy windows: how many were rolled back, and the share with its 95% bounds.

    `stopped` of them were rolled back by a hard stop, which no dispersion changes. The bounds are exact
    for windows that are independent of each other (Clopper & Pearson 1934).
    """

    windows: int
    rolled_back: int
    stopped: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was realised with the rules as they came, and with the dispersion `multiplier` times as large.

    `rules` are those of `after`. `multiplier` is None where the largest one did not suffice either. `tried`
    holds every multiplier that was tried, with the windows that were rolled back, in the order of trial.
    """

    alpha: float
    multiplier: float | None
    before: Realised
    after: Realised
    rules: Rules
    tried: tuple[tuple[float, int], ...]

    @property
    def is_shown(self) -> bool:
        """Whether these windows show that the realised share is at most alpha, at 97.5% confidence."""
        return self.after.high <= self.alpha


def calibrate(rules: Rules, windows: Sequence[Window], *, ladder: Sequence[float] = LADDER) -> Calibration:
    """Raise the dispersion until healthy history is rolled back no more often than `rules.alpha`.

    The rule: of the ladder (rising, from 1) the smallest multiplier on floor and growth, of all guards
    alike, at which the realised share of false rollbacks is at most alpha. Windows are readings of two
    healthy arms, each judged from a fresh start as a rollout would be. The search is binary, and takes it
    that a window which is left alone is left alone by a larger multiplier too; the answer is then judged
    again on all windows, and the next multiplier is tried while it does not hold. Work: two passes over
    the windows as a rule, and never more than 2 + len(ladder).

    A realised share of at most alpha is not proof of one: see `conclusions`. Raises InputError without
    windows, and where the rules cannot be judged by.
    """
    if not windows:
        raise InputError(
            "There is no window of history to replay.",
            hint="Record readings of the old version as both arms, for longer than a rollout lasts.",
        )
    tried: list[tuple[float, int]] = []

    def judge(multiplier: float, which: Sequence[int]) -> dict[int, bool]:
        found = _rolled_back(with_factor(rules, multiplier), windows, which)
        tried.append((multiplier, len(found)))
        return found

    everything = range(len(windows))
    allowed = math.floor(rules.alpha * len(windows) + 1e-9)
    first = judge(ladder[0], everything)
    rung = _smallest(ladder, first, allowed, judge) if len(first) > allowed else 0
    last = judge(ladder[rung], everything) if rung > 0 else first
    while len(last) > allowed and rung + 1 < len(ladder):
        rung += 1
        last = judge(ladder[rung], everything)
    return Calibration(
        alpha=rules.alpha,
        multiplier=ladder[rung] if len(last) <= allowed else None,
        before=_realised(first, len(windows)),
        after=_realised(last, len(windows)),
        rules=with_factor(rules, ladder[rung]),
        tried=tuple(tried),
    )


def held_out(
    rules: Rules, readings: Sequence[Reading], windows: Sequence[Window], *, is_kept: bool = False
) -> Realised | None:
    """What the newer half of the windows would see, had noise and multiplier come from the older half alone.

    Neither was chosen on the windows that are counted, so this share is not flattered. `is_kept`: the noise
    is not learned but taken from the rules. None where there are too few windows for two halves, or where
    the older half has one arm only.
    """
    older, newer = windows[: len(windows) // 2], windows[len(windows) // 2 :]
    if not older:
        return None
    begin_of_newer = min(each.start for each in newer[0])
    known = [each for each in readings if each.end <= begin_of_newer]
    try:
        chosen = calibrate(rules if is_kept else with_learned_dispersion(rules, known), older).rules
    except InputError:
        return None
    return _realised(_rolled_back(chosen, newer, range(len(newer))), len(newer))


def _smallest(
    ladder: Sequence[float],
    found: dict[int, bool],
    allowed: int,
    judge: Callable[[float, Sequence[int]], dict[int, bool]],
) -> int:
    """The lowest rung that leaves at most `allowed`, or the top; only suspects are judged again."""
    low, high, suspects = 0, len(ladder) - 1, sorted(found)
    while high - low > 1:
        middle = (low + high) // 2
        left = judge(ladder[middle], suspects)
        if len(left) > allowed:
            low, suspects = middle, sorted(left)
        else:
            high = middle
    return high


def _rolled_back(rules: Rules, windows: Sequence[Window], which: Iterable[int]) -> dict[int, bool]:
    """The windows that the judge finds harmful, and of each whether it was a hard stop.

    Every reading of history counts: it knows nothing of the stages in which a guard does.
    """
    rules = replace(rules, guards=tuple(replace(rule, stages=()) for rule in rules.guards))
    found = {}
    for index in which:
        finding = update(rules, begin(rules), windows[index]).finding
        if finding is not None:
            found[index] = finding.is_stop
    return found


def with_factor(rules: Rules, multiplier: float) -> Rules:
    """The rules with the dispersion of every guard that has one made `multiplier` times as large."""
    guards = tuple(
        replace(rule, dispersion=scaled(rule.dispersion, multiplier)) if rule.kind in DIVIDED else rule
        for rule in rules.guards
    )
    return replace(rules, guards=guards)


def _realised(found: dict[int, bool], windows: int) -> Realised:
    low, high = share_bounds(len(found), windows)
    return Realised(windows, len(found), sum(found.values()), len(found) / windows, low, high)


def share_bounds(count: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The exact bounds of a probability of which `count` of `trials` were seen (Clopper & Pearson 1934).

    The lower bound is the p at which as many or more would have the chance (1 - confidence)/2, the upper
    one the p at which as few or fewer would.
    """
    tail = (1 - confidence) / 2
    low = 0.0 if count == 0 else _root(lambda p: 1 - _at_most(count - 1, trials, p) - tail)
    high = 1.0 if count == trials else _root(lambda p: tail - _at_most(count, trials, p))
    return low, high


def _at_most(count: int, trials: int, p: float) -> float:
    """P(X <= count) of a binomial with 0 < p < 1."""
    log_odds, log_miss = math.log(p) - math.log1p(-p), trials * math.log1p(-p)
    all_ways = math.lgamma(trials + 1)
    return math.fsum(
        math.exp(all_ways - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * log_odds + log_miss)
        for k in range(count + 1)
    )


def _root(rising: Callable[[float], float]) -> float:
    """Where a rising function of p in (0, 1) crosses zero."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return (low + high) / 2


def windows_to_show(alpha: float, confidence: float = CONFIDENCE) -> int:
    """How many windows without a single false rollback it takes until the upper bound is at most alpha."""
    return math.ceil(math.log((1 - confidence) / 2) / math.log1p(-alpha))


def conclusions(calibration: Calibration) -> tuple[str, ...]:
    """What one can conclude from a calibration, and what one cannot, a sentence each."""
    after, alpha = calibration.after, calibration.alpha
    told = [
        f"Of {after.windows:,} healthy windows {after.rolled_back:,} would be rolled back: "
        f"{after.share:.2%}; 95% bounds {after.low:.2%} to {after.high:.2%}."
    ]
    if calibration.multiplier is None:
        told.append(
            f"No multiplier up to {calibration.tried[-1][0]:g} brings the share down to alpha ({alpha:.2%}): "
            "the two arms of this history differ by more than noise, or a limit or a hard stop fires."
        )
    elif not calibration.is_shown:
        told.append(
            f"That does not show a share of at most {alpha:.2%}, only one of at most {after.high:.2%}. "
            f"To show {alpha:.2%} takes {windows_to_show(alpha):,} windows without one false rollback."
        )
    if calibration.multiplier is not None and calibration.multiplier > 1:
        told.append("The multiplier was chosen on these same windows, so the share is a little flattering.")
    told.append(
        "The bounds take the windows as independent, and a release as like this history: the same traffic, "
        "the same share, the same kind of arms. What a release brings of its own, such as cold caches, is "
        "not in it."
    )
    return tuple(told)


def cut(readings: Iterable[Reading], window_seconds: float, most: int | None = None) -> list[list[Reading]]:
    """Long history of two healthy arms as windows of `window_seconds` side by side, oldest first.

    Only exposed readings (share above 0) count. Windows never overlap, for overlapping ones would be
    counted twice; one that no reading has both arms in, and the incomplete last one, are left out; of too
    many the latest `most` are kept. The stage and share of a window are those of the history: what was
    recorded at one share says nothing of a ramp. From the history of one arm no second one can be made:
    requests split at random differ by chance alone, so their replay could not show what pods and users
    do to a real pair of arms, and would find every dispersion good enough.
    """
    exposed = sorted(
        (each for each in readings if is_placed(each) and is_sound(each) and each.share > 0),
        key=attrgetter("end"),
    )
    if not exposed or window_seconds <= 0:
        return []
    origin, last = min(each.start for each in exposed), exposed[-1].end
    whole = math.floor((last - origin) / window_seconds + 1e-9)

    def number(reading: Reading) -> int:
        return math.ceil((reading.end - origin) / window_seconds - 1e-9) - 1

    found = [
        list(group)
        for index, group in groupby(exposed, key=number)
        if 0 <= index < whole  # an interval of no length at the origin belongs to none
    ]
    useful = [window for window in found if any(map(_has_both_arms, window))]
    return useful if most is None else useful[-most:] if most > 0 else []


def _has_both_arms(reading: Reading) -> bool:
    return reading.problem is None and reading.candidate is not None and reading.baseline is not None


def with_learned_dispersion(rules: Rules, readings: Sequence[Reading], prior: Prior = CAUTIOUS) -> Rules:
    """The rules with the noise of each guard that compares counts as its readings show it.

    Raises InputError where a guard's history has one arm only.
    """
    return replace(rules, guards=tuple(_learned(rule, readings, prior) for rule in rules.guards))


def _learned(rule: GuardRule, readings: Sequence[Reading], prior: Prior) -> GuardRule:
    blocks = blocks_of(rule, readings)
    if blocks is None:
        return rule
    try:
        return replace(rule, dispersion=learn(blocks, prior))
    except InputError as error:
        raise InputError(f"{rule.kpi}: {error.message}", hint=error.hint) from error


def blocks_of(
    rule: GuardRule, readings: Iterable[Reading], block_seconds: float = BLOCK_SECONDS
) -> Blocks | None:
    """A guard's exposed readings, added up block by block; None for kinds that do not compare counts.

    A block lasts at least as long as the longest reading. A block whose share changes is left out: added
    up, its counts would mix the change into the noise.
    """
    if rule.kind not in LEARNABLE:
        return None
    usable = [each for each in readings if each.kpi == rule.kpi and _is_usable(each)]
    if not usable:
        return _as_blocks({}, block_seconds)
    counts = _counter(rule, usable)
    length = max(block_seconds, *(each.end - each.start for each in usable))
    origin = min(each.start for each in usable)
    sums: dict[int, list[FloatArray]] = {}
    shares: dict[int, set[float]] = {}
    for reading in usable:
        place = math.floor(((reading.start + reading.end) / 2 - origin) / length)
        shares.setdefault(place, set()).add(reading.share)
        sums.setdefault(place, []).append(np.stack((counts(reading.candidate), counts(reading.baseline))))
    totals = {
        origin + place * length: np.sum(sums[place], axis=0)
        for place in sorted(sums)
        if len(shares[place]) == 1
    }
    return _as_blocks(totals, length)


def _is_usable(reading: Reading) -> bool:
    return (
        is_placed(reading)
        and is_sound(reading)
        and reading.problem is None
        and reading.share > 0
        and reading.is_complete
    )


def _as_blocks(totals: dict[float, FloatArray], block_seconds: float) -> Blocks:
    """totals: by start, the arms' (trials, events of each row), shape (2, 1 + rows)."""
    rows = next((total.shape[1] - 1 for total in totals.values()), 0)
    sums = np.array(list(totals.values())).reshape(len(totals), 2, 1 + rows)
    trials = np.repeat(sums[:, :, :1], rows, axis=2)
    return Blocks(
        np.array(list(totals), dtype=np.float64),
        trials[:, 0],
        sums[:, 0, 1:],
        trials[:, 1],
        sums[:, 1, 1:],
        block_seconds,
    )


def _counter(rule: GuardRule, readings: Sequence[Reading]) -> Callable[[Sample | None], FloatArray]:
    """What turns a sample of this guard into (trials, events of each row); zeros where it is none."""
    if rule.kind == "latency":
        return _slow_counter(readings)
    rows = len(rule.depths) if rule.kind == "depths" else 1

    def count(sample: Sample | None) -> FloatArray:
        if isinstance(sample, Counts) and rows == 1:
            return np.array((sample.trials, sample.bad), dtype=np.float64)
        if isinstance(sample, Depths) and len(sample.reached) == rows:
            return np.array((sample.trials, *sample.reached), dtype=np.float64)
        return np.zeros(1 + rows)

    return count


def _slow_counter(readings: Sequence[Reading]) -> Callable[[Sample | None], FloatArray]:
    """Counts above the cuts that the old version's durations as a whole would choose."""
    samples = [each.baseline for each in readings if isinstance(each.baseline, Histogram)]
    bounds = reduce(buckets.shared, (sample.bounds for sample in samples)) if samples else ()
    if not bounds:
        return lambda _: np.zeros(1)
    known = np.sum([buckets.coarsen(sample, bounds).counts for sample in samples], axis=0)
    cuts = choose_cuts(known.astype(np.float64))

    def count(sample: Sample | None) -> FloatArray:
        if not isinstance(sample, Histogram) or buckets.shared(bounds, sample.bounds) != bounds:
            return np.zeros(1 + len(cuts))
        counts = np.array(buckets.coarsen(sample, bounds).counts, dtype=np.float64)
        return np.array((counts.sum(), *(counts[each + 1 :].sum() for each in cuts)))

    return count
