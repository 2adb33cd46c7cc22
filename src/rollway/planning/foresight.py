"""Drawn courses of a plan: when the judge finds a fault, when the engine leaves a stage, what comes first.

A few thousand courses at once, one row each, from a fixed seed: the same plan has the same promises. Ticks
are taken together where nothing can be decided in between; what looking less often misses is made good as
in `judge.courses` (Broadie, Glasserman & Kou 1997).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rollway.judge.dispersion import Pace
from rollway.judge.logs import FloatArray
from rollway.judge.onset import Onset, spent
from rollway.judge.processes import LOG_SAFE_PRIOR, SUSPICIOUS_LOG_E
from rollway.judge.tilt import HALF_LIFE_SECONDS
from rollway.planning.bets import Gains, Question, kept_part
from rollway.planning.flow import Flow
from rollway.planning.model import Guard, Stage
from rollway.planning.sensors import sensor

SEED = 20_262
ROWS, FEWEST_ROWS = 3000, 1000
"""Courses that are drawn: a chance of 50% is then known to within 0.9 points (1.6 with the fewest)."""
USUAL_COURSES = 30
"""Where there are more questions (stages, guards, sizes) than this, each is answered from fewer courses."""
LATENCY_PART = 0.5
"""A latency has several times as many bets."""

FINE_STEP, FINE_UNTIL = 0.05, 2.5
"""Steps are this part of the time that finding the fault takes, until so many times that time."""
COARSE_STEP, LAST_STEP = 0.3, 0.05
FEWEST_STEPS, MOST_STEPS = 10, 40
LOOK_SHIFT = 0.5826
LARGEST_GAIN, LARGEST_WEALTH = 300.0, 1e150
OTHERS_LOG_E = math.log(0.6)
"""What the evidence against a healthy KPI usually is: below 1, for most of the stakes are lost."""

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Watched:
    """A guard that may send a release back, and the old version's usual rate."""

    guard: Guard
    rate: float
    part: float
    """Its part of the weights of all that may."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What the courses are drawn for: the stages with users of both versions, and the judge's numbers.

    watched: the gates that every request counts for, and whose usual rate is known. questions: how many sizes
    of fault in how many guards and stages are asked about. alone_seconds: for how long the old version is
    seen before the first stage.
    """

    stages: tuple[Stage, ...]
    watched: tuple[Watched, ...]
    flow: Flow
    tick_seconds: float
    planned_seconds: float
    alpha: float
    alpha_promote: float
    questions: int = 1
    alone_seconds: float = 0.0

    def rows(self, guard: Guard) -> int:
        """How many courses are drawn for each question about a guard."""
        rows = ROWS * min(1.0, USUAL_COURSES / self.questions)
        rows = max(rows, min(FEWEST_ROWS, ROWS))
        return round(rows * (LATENCY_PART if guard.kind == "latency" else 1.0))

    @property
    def fewest(self) -> int:
        return min((self.rows(one.guard) for one in self.watched), default=1)


@dataclass(frozen=True, slots=True)
class Arrival:
    """How courses come into a stage: the wealth on each bet, shape (rows, bets), by KPI, and, for all of
    them together, when (seconds since the first exposure), after how many changes of stage, and with how many
    of the old version's requests in memory."""

    wealth: Mapping[str, FloatArray]
    at: float
    changes: int
    known: float = 0.0


@dataclass(frozen=True, slots=True)
class Passed:
    """A stage with healthy courses: their arrival, when each guard by itself would have left the stage
    (seconds from its beginning, (rows,), by KPI), and when all of them together did, (rows,)."""

    arrival: Arrival
    left_by: Mapping[str, FloatArray]
    left: FloatArray


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of courses with a fault in one stage, each of shape (rows,): seconds from the stage's
    beginning until it was found (inf: not), until the courses ended there, and the wealth they left with."""

    found: FloatArray
    ended: FloatArray
    is_asked: BoolArray
    wealth: FloatArray


def healthy(scene: Scene) -> tuple[Passed, ...]:
    """The stages of a plan as a version that is as good as the old one passes them."""
    flow = scene.flow
    arrival = Arrival({}, 0.0, 0, _known(0.0, flow.between(0.0, scene.alone_seconds), scene.alone_seconds))
    passed: list[Passed] = []
    for number, stage in enumerate(scene.stages):
        bake = max(stage.bake_seconds, scene.tick_seconds)
        ends = {}
        for index, one in enumerate(scene.watched):
            rng = np.random.default_rng((SEED, number, index))
            courses = _Courses(rng, scene, stage, one, arrival, ratio=1.0, rows=scene.rows(one.guard))
            ends[one.guard.kpi] = _run(courses, np.full(scene.rows(one.guard), bake))
        left = {kpi: ended.ended for kpi, ended in ends.items()}
        together = np.maximum.reduce(
            [np.full(scene.fewest, bake), *(each[: scene.fewest] for each in left.values())]
        )
        passed.append(Passed(arrival, left, together))
        wealth, lasted = {kpi: ended.wealth for kpi, ended in ends.items()}, float(np.mean(together))
        come = flow.between(arrival.at, arrival.at + lasted) * (1 - stage.exposure.share)
        known = _known(arrival.known, come, lasted)
        arrival = Arrival(wealth, arrival.at + lasted, arrival.changes + 1, known)
    return tuple(passed)


def faulty(
    scene: Scene,
    number: int,
    one: Watched,
    ratio: float,
    passed: Sequence[Passed],
    wealth: FloatArray | None = None,
) -> Ended:
    """Courses that come into a stage healthy (or with `wealth`, shape (rows, bets)) and meet a fault of
    `ratio` in all of it."""
    stage, here = scene.stages[number], passed[number]
    rows = scene.rows(one.guard) if wealth is None else len(wealth)
    rng = np.random.default_rng((SEED, number, scene.watched.index(one), round(1000 * ratio)))
    arrival = here.arrival
    if wealth is not None:
        arrival = Arrival({one.guard.kpi: wealth}, arrival.at, arrival.changes, arrival.known)
    courses = _Courses(rng, scene, stage, one, arrival, ratio=ratio, rows=rows)
    least = np.full(rows, max(stage.bake_seconds, scene.tick_seconds))
    others = [np.resize(left, rows) for kpi, left in here.left_by.items() if kpi != one.guard.kpi]
    return _run(courses, np.maximum.reduce([least, *others]))


def _run(courses: _Courses, may_leave: FloatArray) -> Ended:
    """Courses to their end in this stage; none leaves before `may_leave` (seconds, one for each)."""
    rows, stage = len(may_leave), courses.stage
    decides = stage.advance == "evidence"
    found, ended = np.full(rows, np.inf), np.full(rows, _patience(stage))
    is_asked, index = np.ones(rows, dtype=bool), np.arange(rows)
    last = np.zeros((rows, courses.wealth.shape[1]))
    for end in courses.steps():
        is_found = courses.is_harmful()
        moments = courses.moments(end)
        found[index[is_found]] = ended[index[is_found]] = moments[is_found]
        leaves = ~is_found & (end >= may_leave[index] - 1e-9)
        if decides and leaves.any():
            leaves &= ~courses.is_suspicious() & courses.is_safe()
        ended[index[leaves]] = courses.left_at(end, may_leave[index[leaves]])
        is_asked[index[is_found | leaves]] = False
        last[index[leaves]] = courses.wealth[leaves]
        stays = ~(is_found | leaves)
        courses.keep(stays)
        index = index[stays]
        if not len(index):
            break
    last[index] = courses.wealth
    return Ended(found, ended, is_asked, last)


def _patience(stage: Stage) -> float:
    return max(stage.patience_seconds, stage.bake_seconds)


class _Courses:
    """The courses of one guard in one stage that are still undecided."""

    def __init__(
        self,
        rng: np.random.Generator,
        scene: Scene,
        stage: Stage,
        one: Watched,
        arrival: Arrival,
        *,
        ratio: float,
        rows: int,
    ) -> None:
        self.rng, self.scene, self.stage = rng, scene, stage
        flow, tick = scene.flow, scene.tick_seconds
        self.start_at = arrival.at
        pace = flow.between(arrival.at, arrival.at + max(stage.bake_seconds, tick))
        self.per_tick = pace * tick / max(stage.bake_seconds, tick)
        margin, alpha = stage.margins.get(one.guard.kpi), scene.alpha * one.part
        self.sensor = sensor(
            Question(one.guard, one.rate, ratio, stage.exposure.live, margin, alpha, self.per_tick, tick)
        )
        self.kept = kept_part(self.per_tick)
        self.prior = np.exp(self.sensor.start)
        self.wealth = _fit(arrival.wealth.get(one.guard.kpi), rows, len(self.prior))
        self.safe_wealth = np.tile(_SAFE_PRIOR, (rows, self.sensor.safe.shape[1], 1))
        self.safe_gains = self.sensor.safe.reshape(len(self.sensor.rates), -1)
        # Of what is learned of durations each course has its own draw.
        self.draw, self.known, self.drawn_from, self.since = np.arange(rows), arrival.known, -1.0, 0.0
        self.learned: tuple[Gains, ...] = ((self.sensor.gains, self.sensor.drift),)
        self.onset = Onset(stage.id, arrival.changes, arrival.at)
        self.log_part = math.log(one.part)
        self.others = (1 - one.part) * math.exp(OTHERS_LOG_E)
        self.is_first = arrival.changes == 0
        self.noise, self.divisor = self.sensor.noise, 1.0
        if self.noise is not None:
            # A fault that was there before has no pace of its own: what is usual is soon forgotten.
            self.pace, self.divisor = self.noise.start(rows, arrival.at), self.noise.typical
        self.span, self.before, self.unseen, self.unseen_safe = (0.0, 0.0), self.log_e(), 0.0, 0.0
        self.now, self.hidden = self.before, 0.0

    # --- time ---------------------------------------------------------------------------------------

    def steps(self) -> Iterator[float]:
        """The ends of the steps, seconds from the stage's beginning, each taken before it is given."""
        stage, tick = self.stage, self.scene.tick_seconds
        last = _patience(stage)
        scale = self.scene.flow.until(self.start_at, self.divisor * self.sensor.scale / max(self.kept, 1e-9))
        told, needed = self.sensor.safe_nats * self.kept / self.divisor, -math.log(self.scene.alpha_promote)
        clear = self.scene.flow.until(self.start_at, needed / told) if told > 0 else math.inf
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
        flow, one = self.scene.flow, self.sensor
        requests = flow.between(self.start_at + start, self.start_at + end)
        ticks = max(1.0, (end - start) / self.scene.tick_seconds)
        drawn = self.rng.poisson(one.rates * requests, (len(self.wealth), len(one.rates)))
        counts = drawn.astype(np.float64)
        gained, told = self._gained(counts, requests, end - start), counts @ self.safe_gains
        if self.noise is not None:
            self.pace, divisors, safe_divisors = self.noise.divide(self.pace, counts, end - start)
            gained /= divisors
            told /= np.repeat(safe_divisors, len(LOG_SAFE_PRIOR), axis=1)
        gained = np.clip(gained, -LARGEST_GAIN, LARGEST_GAIN)
        mass = self._mass(start, end)
        self.wealth = np.minimum((self.wealth + mass * self.prior) * np.exp(gained), LARGEST_WEALTH)
        if one.safe.shape[1]:
            safe = np.exp(np.clip(told, -LARGEST_GAIN, LARGEST_GAIN)).reshape(self.safe_wealth.shape)
            self.safe_wealth = np.minimum(self.safe_wealth * safe, LARGEST_WEALTH)
        per_tick = requests * self.kept / ticks / self.divisor
        self.unseen = _unseen(one.nats * per_tick, one.fall * per_tick, ticks, 1 / self.divisor)
        self.hidden = _unseen(one.nats * per_tick, math.inf, ticks, 1 / self.divisor)
        self.unseen_safe = _unseen(one.safe_nats * per_tick, one.fall * per_tick, ticks, 1 / self.divisor)
        self.span, self.before, self.now = (start, end), self.now, self.log_e()

    def _gained(self, counts: FloatArray, requests: float, seconds: float) -> FloatArray:
        """What the counts add to each bet, as well as the judge knows by now how to bet, (courses, bets)."""
        if self.sensor.learn is not None and self.since >= self.drawn_from:
            self.learned, self.drawn_from, self.since = self.sensor.learn(self.known), self.known, 0.0
        come = requests * (1 - self.stage.exposure.share)
        self.known, self.since = _known(self.known, come, seconds), self.since + come
        if len(self.learned) == 1:
            gains, drift = self.learned[0]
            return counts @ gains + drift * requests
        # Courses with one law stand together for as long as it takes to reckon.
        law = self.draw % len(self.learned)
        order = law.argsort(kind="stable")
        ends, begin = np.bincount(law, minlength=len(self.learned)).cumsum(), 0
        together, told = counts.take(order, axis=0), np.empty((len(counts), len(self.prior)))
        for end, (gains, drift) in zip(ends, self.learned, strict=True):
            told[begin:end] = together[begin:end] @ gains + drift * requests
            begin = end
        gained = np.empty_like(told)
        gained[order] = told
        return gained

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
        enough = max(1 / self.scene.alpha - self.others, 1.0)
        found: BoolArray = self.now + self.log_part >= math.log(enough) - self.unseen
        return found

    def is_suspicious(self) -> BoolArray:
        """Whether something speaks against the version, at the end of the step and everywhere within it."""
        least = math.log(math.exp(SUSPICIOUS_LOG_E) - self.others) + self.hidden
        found: BoolArray = self.now + self.log_part >= least
        return found

    def is_safe(self) -> BoolArray:
        """Whether the guard's margin is excluded at each of its cuts."""
        enough = math.exp(-self.unseen_safe) / self.scene.alpha_promote
        found: BoolArray = (self.safe_wealth.sum(axis=2) >= enough).all(axis=1)
        return found

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
        self.wealth, self.safe_wealth = self.wealth[stays], self.safe_wealth[stays]
        self.now, self.draw = self.now[stays], self.draw[stays]
        if self.noise is not None:
            self.pace = Pace(self.pace.events[stays], self.pace.seconds)


_SAFE_PRIOR = np.exp(LOG_SAFE_PRIOR)


def _step(at: float, bake: float, scale: float, clear: float, last: float) -> float:
    """How long the step that begins at `at` may be (seconds): a part of what a fault takes to be found
    (`scale`), a safe version to be shown (`clear`), or the patience to be over (`last`)."""
    step = FINE_STEP * scale if at < FINE_UNTIL * scale else COARSE_STEP * at
    if at < bake:
        return min(step, bake / FEWEST_STEPS) if scale > bake / FEWEST_STEPS else step
    fine = min(FINE_STEP * scale, FINE_STEP * clear, last / MOST_STEPS)
    return max(min(step, LAST_STEP * at), fine)


def _ticks(seconds: float, tick: float) -> int:
    return max(1, round(seconds / tick)) if math.isfinite(seconds) else 10**9


def _unseen(nats: float, fall: float, ticks: float, swing: float) -> float:
    """How far the evidence was above its value at the end of a step of so many ticks, on average (nats).
    `swing` is the variance of what it tells, as a part of the usual 2 nats."""
    by_chance = LOOK_SHIFT * (math.sqrt(ticks) - 1) * math.sqrt(2 * max(nats, 0.0) * swing)
    return max(0.0, min(by_chance, fall * (ticks - 1) / 2))


def _known(known: float, come: float, seconds: float) -> float:
    """How many of the old version's requests the judge has in memory after so many more in so long; what is
    half an hour old counts half."""
    turns = seconds / HALF_LIFE_SECONDS
    kept = math.exp(-turns * math.log(2))
    return known * kept + come * (1 - kept) / max(turns * math.log(2), 1e-9)


def _fit(wealth: FloatArray | None, rows: int, bets: int) -> FloatArray:
    """The wealth on so many bets in so many rows: what a bet that was not there before has is nothing."""
    found = np.zeros((rows, bets))
    if wealth is not None and len(wealth):
        common = min(bets, wealth.shape[1])
        found[:, :common] = np.resize(wealth[:, :common], (rows, common))
    return found
