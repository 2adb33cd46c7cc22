"""The courses of one guard in one stage, drawn a few thousand at once, and what the evidence says of each.

Ticks are taken together where nothing can be decided in between; what looking less often misses is made good
as in `judge.courses` (Broadie, Glasserman & Kou 1997).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from rollway.judge.dispersion import Pace
from rollway.judge.logs import FloatArray
from rollway.judge.onset import Onset, spent
from rollway.judge.processes import EFFECTS, LOG_SAFE_PRIOR, SUSPICIOUS_LOG_E
from rollway.judge.tilt import HALF_LIFE_SECONDS
from rollway.planning.bets import Gains, Question, kept_part
from rollway.planning.model import Stage
from rollway.planning.scene import Arrival, IndexArray, Scene, Watched
from rollway.planning.sensors import sensor

FINE_STEP, LATER_STEP, FINE_UNTIL = 0.08, 0.08, 2.5
"""Steps are this part of the time that finding the fault takes, and later of the time that has passed, until
so many times that time."""
COARSE_STEP, LAST_STEP = 0.3, 0.09
FEWEST_STEPS, MOST_STEPS = 10, 30
HOPELESS = 3
"""Where both a fault and safety take longer than the stage waits, steps may be so many times as long."""
LOOK_SHIFT = 0.5826
LARGEST_GAIN, LARGEST_WEALTH = 300.0, 1e150
SMOOTH = 10.0
"""Poisson numbers of a larger mean are drawn as normal ones with their skewness (Cornish & Fisher 1938)."""
FEW = 0.5
"""Where fewer events than this come to a count, events are drawn one by one."""

AT_ONCE = 200_000
"""Products of matrices that take fewer multiplications are reckoned on one core, and soon."""

BoolArray = NDArray[np.bool_]


class Courses:
    """The courses of one guard in one stage that are still undecided. `others`: the part of the evidence that
    the other guards have, (rows,)."""

    def __init__(
        self,
        rng: np.random.Generator,
        scene: Scene,
        stage: Stage,
        one: Watched,
        arrival: Arrival,
        *,
        ratio: float,
        others: FloatArray,
    ) -> None:
        self.rng, self.scene, self.stage = rng, scene, stage
        self.flow, tick = scene.flow.times(stage.exposure.compared), scene.tick_seconds
        self.start_at = arrival.at
        pace = self.flow.between(arrival.at, arrival.at + max(stage.bake_seconds, tick))
        per_tick = pace * tick / max(stage.bake_seconds, tick)
        margin, alpha = stage.margins.get(one.guard.kpi), scene.alpha * one.part
        question = Question(
            one.guard, one.rate, ratio, stage.exposure.part, margin, alpha, per_tick, tick, scene.alone
        )
        self.sensor = sensor(question)
        self.kept = kept_part(per_tick)
        # Of what is left to chance in the judge's choices each course has its own draw, in every stage.
        self.draw, self.of_draws, rows = arrival.numbers, arrival.courses, len(arrival.numbers)
        self._choose()
        self.wealth = _fit(arrival.wealth.get(one.guard.kpi), rows, self.sensor.start.shape[1])
        self.safe_gains = self.sensor.safe.reshape(len(self.sensor.rates), -1)
        self.safe_log = np.zeros((rows, self.safe_gains.shape[1]))
        self.known, self.drawn_from, self.since, self.seen = arrival.known, -1.0, 0.0, arrival.seen
        self.learned: tuple[Gains, ...] = ()
        stages, seconds = arrival.passed_by.get(one.guard.kpi, (0, 0.0))
        self.onset = Onset(stage.id, arrival.changes - stages, arrival.at - seconds)
        self.log_part = math.log(one.part)
        self.others = others
        self.is_first = self.onset.changes == 0
        self.noise, self.divisor = self.sensor.noise, 1.0
        if self.noise is not None:
            # A fault that was there before has no pace of its own: what is usual is soon forgotten.
            self.pace, self.divisor = self.noise.start(rows, arrival.at), self.noise.typical
        self.span, self.before, self.unseen = (0.0, 0.0), self.log_e(), 0.0
        self.now, self.per_tick = self.before, 0.0

    def _choose(self) -> None:
        """Where each course's bets stand among those at all cuts, and their prior."""
        start, picked = np.exp(self.sensor.start), self.sensor.choices
        self.choice = self.draw % len(start)
        self.prior = start if len(start) == 1 else start[self.choice]
        self.places: IndexArray | None = None
        if picked is not None and len(start) > 1:
            self.places = np.maximum(picked.places[self.choice], 0)

    # --- time ---------------------------------------------------------------------------------------

    def steps(self) -> Iterator[float]:
        """The ends of the steps, seconds from the stage's beginning, each taken before it is given."""
        stage, tick = self.stage, self.scene.tick_seconds
        last = patience(stage)
        scale = self.flow.until(self.start_at, self.divisor * self.sensor.scale / max(self.kept, 1e-9))
        told = float(self.sensor.safe_nats.max(initial=0.0)) * self.kept / self.divisor
        needed = -math.log(self.scene.alpha_promote)
        clear = self.flow.until(self.start_at, needed / told) if told > 0 else math.inf
        at = 0.0
        while at < last - 1e-9:
            end = at + _ticks(_step(at, stage.bake_seconds, scale, clear, last), tick) * tick
            if at < stage.bake_seconds < end:
                end = at + _ticks(stage.bake_seconds - at, tick) * tick
            end = min(end, max(last, at + tick))
            self.take(at, end)
            yield end
            at = end

    def take(self, start: float, end: float) -> None:
        """The wealth after the requests from `start` to `end`."""
        flow, one = self.flow, self.sensor
        requests = flow.between(self.start_at + start, self.start_at + end)
        ticks = max(1.0, (end - start) / self.scene.tick_seconds)
        counts = drawn(self.rng, one.rates * requests, len(self.wealth))
        gained, told = self._gained(counts, requests, end - start), _times(counts, self.safe_gains)
        if self.noise is not None:
            self.pace, divisors, safe_divisors = self.noise.divide(self.pace, counts, end - start)
            gained /= divisors
            told /= np.repeat(safe_divisors, len(LOG_SAFE_PRIOR), axis=1)
        self.safe_log += told
        gained = self._own(gained)
        np.clip(gained, -LARGEST_GAIN, LARGEST_GAIN, out=gained)
        self.wealth += self._mass(start, end) * self.prior
        self.wealth *= np.exp(gained, out=gained)
        np.minimum(self.wealth, LARGEST_WEALTH, out=self.wealth)
        self.per_tick = requests * self.kept / ticks / self.divisor
        self.unseen = float(self._unseen(one.nats, np.array(ticks), one.fall))
        self.span, self.before, self.now = (start, end), self.now, self.log_e()

    def _gained(self, counts: FloatArray, requests: float, seconds: float) -> FloatArray:
        """What the counts add to each bet, as well as the judge knows by now how to bet, (courses, bets)."""
        one = self.sensor
        gained = _times(counts, one.gains)
        gained += one.drift * requests
        come = requests * (1 - self.stage.exposure.part)
        if one.learn is not None:
            if self.since >= self.drawn_from:
                self.learned, self.drawn_from, self.since = one.learn(self.known), self.known, 0.0
            if len(self.learned) > 1:
                told = self._by_law(counts, requests)
                gained[:, one.learns_from : one.learns_from + told.shape[1]] = told
        self.known, self.since = known_after(self.known, come, seconds), self.since + come
        self.seen += come
        return gained

    def _by_law(self, counts: FloatArray, requests: float) -> FloatArray:
        """What the counts add to the bets on the whole law, each course with what it has learned of it."""
        # Courses with one law stand together, for they are in order.
        firsts = np.arange(1, len(self.learned) + 1) * self.of_draws / len(self.learned)
        ends, begin = np.searchsorted(self.draw, firsts).tolist(), 0
        told = np.empty((len(counts), len(self.learned[0][1])))
        for end, (gains, drift) in zip(ends, self.learned, strict=True):
            if end > begin:
                np.matmul(counts[begin:end], gains, out=told[begin:end])
                told[begin:end] += drift * requests
            begin = end
        return told

    def _own(self, gained: FloatArray) -> FloatArray:
        """Of what is added to the bets at all cuts, that at each course's own, with the other bets."""
        picked = self.sensor.choices
        if picked is None or self.places is None:
            return gained
        rows, first = len(gained), len(picked.cuts) * len(EFFECTS)
        cuts = np.ascontiguousarray(gained[:, :first]).reshape(-1, len(EFFECTS))
        places = self.places + np.arange(0, len(cuts), len(picked.cuts))[:, None]
        return np.hstack((cuts.take(places, axis=0).reshape(rows, -1), gained[:, first:]))

    def _mass(self, start: float, end: float) -> float:
        """The prior mass of faults that may begin in the step; that of a new stage is in its first."""
        planned, base = self.scene.planned_seconds, self.onset
        before = Onset(base.stage, base.changes, base.elapsed_seconds + start)
        if start <= 0:
            before = Onset(None if self.is_first else "", max(0, base.changes - 1), base.elapsed_seconds)
        after = Onset(base.stage, base.changes, base.elapsed_seconds + end)
        self.left = 1 - spent(after, planned)
        return max(0.0, spent(after, planned) - spent(before, planned))

    # --- what the evidence says -----------------------------------------------------------------------

    left = 1.0
    """The prior mass not spent yet."""

    def log_e(self) -> FloatArray:
        found: FloatArray = np.log(self.wealth.sum(axis=1) + self.left)
        return found

    def is_harmful(self) -> BoolArray:
        enough = np.maximum(1 / self.scene.alpha - self.others, 1.0)
        found: BoolArray = self.now + self.log_part >= np.log(enough) - self.unseen
        return found

    def free_ticks(self, may_leave: FloatArray) -> FloatArray:
        """At how many ticks of the step each course could leave, shape (courses,): at its end at least."""
        (start, end), tick = self.span, self.scene.tick_seconds
        found: FloatArray = np.maximum(np.round((end - np.maximum(start + tick, may_leave)) / tick), 0.0) + 1
        return found

    def is_suspicious(self, free: FloatArray) -> BoolArray:
        """Whether something speaks against the version at each tick of the step at which it could leave."""
        hidden = self._unseen(self.sensor.nats, free)
        least = np.log(np.maximum(math.exp(SUSPICIOUS_LOG_E) - self.others, 1e-9)) + hidden
        found: BoolArray = self.now + self.log_part >= least
        return found

    def is_safe(self, free: FloatArray) -> BoolArray:
        """Whether the guard's margin is excluded wherever safety is shown, at any tick at which it counts."""
        rows, cuts = len(self.safe_log), len(self.sensor.safe_nats)
        if not cuts:
            return np.ones(rows, dtype=bool)
        bets = self.safe_log.reshape(rows, cuts, -1)
        unseen = self._unseen(self.sensor.safe_nats, free[:, None], self.sensor.fall)
        enough = np.exp(-unseen) / self.scene.alpha_promote
        picked = self.sensor.choices
        if picked is not None:
            places = picked.safe_places(self.seen)
            places = places[self.choice] if len(places) > 1 else np.repeat(places, rows, axis=0)
            at = np.arange(rows)[:, None], places
            bets, enough = bets[at], enough[at]
        wealth = np.exp(np.clip(bets + LOG_SAFE_PRIOR, -LARGEST_GAIN, LARGEST_GAIN)).sum(axis=2)
        found: BoolArray = (wealth >= enough).all(axis=1)
        return found

    def _unseen(self, nats: float | FloatArray, ticks: FloatArray, fall: float = math.inf) -> FloatArray:
        """How far evidence that grows by `nats` a request was above its value at the end of so many ticks, on
        average (nats); that is at most what it falls by where nothing happens."""
        # What evidence tells has a variance of 2 nats a nat, and less where it is divided by the arms' noise.
        by_chance = LOOK_SHIFT * (np.sqrt(ticks) - 1) * np.sqrt(2 * nats * self.per_tick / self.divisor)
        found: FloatArray = by_chance
        if math.isfinite(fall):
            found = np.minimum(by_chance, fall * self.per_tick * (ticks - 1) / 2)
        return np.maximum(found, 0.0)

    def moments(self, end: float) -> FloatArray:
        """When the evidence was enough, on a line between the ends of the step; at a tick's end."""
        start, tick = self.span[0], self.scene.tick_seconds
        enough = -math.log(self.scene.alpha) - self.log_part - self.unseen
        way = np.clip((enough - self.before) / np.maximum(self.now - self.before, 1e-9), 0.0, 1.0)
        ticks = max(1.0, round((end - start) / tick))
        found: FloatArray = start + np.maximum(np.ceil(way * ticks), 1.0) * (end - start) / ticks
        return found

    def left_at(self, end: float, may_leave: FloatArray) -> FloatArray:
        """When courses left that may leave at the end of the step: on average in the middle of the part of it
        in which they could, at a tick's end."""
        tick, first = self.scene.tick_seconds, self.span[0] + self.scene.tick_seconds
        sooner = np.maximum(may_leave, first)
        found: FloatArray = np.minimum(sooner + tick * np.round((end - sooner) / 2 / tick), end)
        return found

    def keep(self, stays: BoolArray) -> None:
        if stays.all():
            return
        self.wealth, self.safe_log = self.wealth[stays], self.safe_log[stays]
        self.now, self.others = self.now[stays], self.others[stays]
        self.draw, self.choice = self.draw[stays], self.choice[stays]
        if len(self.prior) > 1:
            self.prior = self.prior[stays]
        if self.places is not None:
            self.places = self.places[stays]
        if self.noise is not None:
            self.pace = Pace(self.pace.events[stays], self.pace.seconds)


def patience(stage: Stage) -> float:
    """How long the stage waits at most (seconds)."""
    return max(stage.patience_seconds, stage.bake_seconds)


def drawn(rng: np.random.Generator, expected: FloatArray, rows: int) -> FloatArray:
    """Independent Poisson numbers of these means, (rows, counts), as cheaply as they can be had."""
    total, counts = float(expected.sum()), len(expected)
    if total < FEW * counts:
        number = rng.poisson(total, rows)
        which = np.searchsorted(np.cumsum(expected), total * rng.random(int(number.sum())), side="right")
        at = np.repeat(counts * np.arange(rows), number) + np.minimum(which, counts - 1)
        return np.bincount(at, minlength=rows * counts).reshape(rows, counts).astype(np.float64)
    is_smooth = expected > SMOOTH
    found = np.empty((rows, counts))
    found[:, ~is_smooth] = rng.poisson(expected[~is_smooth], (rows, int((~is_smooth).sum())))
    means = expected[is_smooth]
    normal = rng.standard_normal((rows, len(means)))
    found[:, is_smooth] = means + np.sqrt(means) * normal + (normal * normal - 1) / 6
    return found


def _times(counts: FloatArray, gains: FloatArray) -> FloatArray:
    """counts @ gains. On a busy machine several threads for so little would wait for each other."""
    found = np.empty((len(counts), gains.shape[1]))
    rows = max(1, AT_ONCE // max(1, gains.size))
    for begin in range(0, len(counts), rows):
        np.matmul(counts[begin : begin + rows], gains, out=found[begin : begin + rows])
    return found


def known_after(known: float, come: float, seconds: float) -> float:
    """How many of the old version's requests the judge has in memory after so many more in so long; what is
    half an hour old counts half."""
    turns = seconds / HALF_LIFE_SECONDS
    kept = math.exp(-turns * math.log(2))
    return known * kept + come * (1 - kept) / max(turns * math.log(2), 1e-9)


def _step(at: float, bake: float, scale: float, clear: float, last: float) -> float:
    """How long the step that begins at `at` may be (seconds): a part of what a fault takes to be found
    (`scale`), a safe version to be shown (`clear`), or the patience to be over (`last`)."""
    step = max(FINE_STEP * scale, LATER_STEP * at) if at < FINE_UNTIL * scale else COARSE_STEP * at
    times = HOPELESS if min(scale, clear) > last else 1
    longest = bake * times / FEWEST_STEPS
    if at < bake:
        return min(step, longest) if scale > longest else step
    fine = min(FINE_STEP * scale, FINE_STEP * clear, last / MOST_STEPS) * times
    return max(min(step, LAST_STEP * at), fine)


def _ticks(seconds: float, tick: float) -> int:
    return max(1, round(seconds / tick)) if math.isfinite(seconds) else 10**9


def _fit(wealth: FloatArray | None, rows: int, bets: int) -> FloatArray:
    """The wealth on so many bets in so many rows: what a bet that was not there before has is nothing."""
    found = np.zeros((rows, bets))
    if wealth is not None:
        common = min(bets, wealth.shape[1])
        found[:, :common] = wealth[:, :common]
    return found
