"""Drawn courses of a plan: when the judge finds a fault, when the engine leaves a stage, what comes first.

A few thousand courses at once, one row each, from a fixed seed: the same plan has the same promises.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from rollway.judge.logs import FloatArray
from rollway.planning.drawn_courses import BoolArray, Courses, known_after, patience
from rollway.planning.model import READ_BACK_SECONDS, Stage
from rollway.planning.scene import Arrival, IndexArray, Scene, Watched

SEED = 20_262
ROWS, FEWEST_ROWS = 4000, 1000
"""Courses that are drawn at most: a chance of 50% is then known to 0.8 points (to 1.6 with the fewest)."""
USUAL_COURSES = 30
"""Where there are more questions (stages, guards, sizes) than this, each is answered from fewer courses."""
USUAL_E = 0.6
"""What the evidence against a healthy KPI usually is: below 1, for most of the stakes are lost."""
FIRST_ROWS = 500
"""So many tell how chances stand, and so how many more are needed: few where it is all but sure."""


def rows_of(scene: Scene) -> int:
    """How many courses are drawn for each question, at most."""
    rows = ROWS * min(1.0, USUAL_COURSES / scene.questions)
    return round(max(rows, min(FEWEST_ROWS, ROWS)))


@dataclass(frozen=True, slots=True)
class Passed:
    """A stage with healthy courses: their arrival, how each guard by itself would have left the stage, by
    KPI, and when all of them together did (seconds from its beginning, (rows,))."""

    arrival: Arrival
    by_guard: Mapping[str, Ended]
    left: FloatArray


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of courses with a fault in one stage, each of shape (rows,): seconds from the stage's
    beginning until it was found (inf: not), until the courses ended there, the wealth and the evidence (an
    e-value) they left with, and which courses of the scene they are, rising."""

    found: FloatArray
    ended: FloatArray
    is_asked: BoolArray
    wealth: FloatArray
    evidence: FloatArray
    numbers: IndexArray

    @property
    def needed(self) -> float:
        """The part of all courses that tells these chances as well as all would tell one of 50%."""
        chances = float(np.mean(np.isfinite(self.found))), float(np.mean(self.is_asked))
        return max(4 * chance * (1 - chance) for chance in chances)


def healthy(scene: Scene) -> tuple[Passed, ...]:
    """The stages of a plan as a version that is as good as the old one passes them."""
    flow, rows = scene.flow, rows_of(scene)
    known = known_after(0.0, scene.alone, scene.alone_seconds)
    arrival = Arrival({}, np.arange(rows), rows, 0.0, 0, known, scene.alone)
    passed: list[Passed] = []
    for number, stage in enumerate(scene.stages):
        bake = max(stage.bake_seconds, scene.tick_seconds)
        ends = {}
        for index, one in enumerate(scene.watched):
            if not one.guard.counts_in(stage.id):
                before = passed[-1].by_guard[one.guard.kpi].evidence if passed else np.ones(rows)
                ends[one.guard.kpi] = _passed_by(one, arrival, np.zeros(rows), before)
                continue
            rng = np.random.default_rng((SEED, number, index))
            others = np.full(rows, (1 - one.part) * USUAL_E)
            courses = Courses(rng, scene, stage, one, arrival, ratio=1.0, others=others)
            ends[one.guard.kpi] = _run(courses, np.full(rows, bake))
        rng, together = np.random.default_rng((SEED, number)), np.full(rows, bake)
        for each in ends.values():
            np.maximum(together, rng.permutation(each.ended), out=together)
        passed.append(Passed(arrival, ends, together))
        wealth, lasted = {kpi: ended.wealth for kpi, ended in ends.items()}, float(np.mean(together))
        come = flow.between(arrival.at, arrival.at + lasted) * stage.exposure.beside
        known = known_after(arrival.known, come, lasted)
        arrival = replace(
            arrival,
            wealth=wealth,
            at=arrival.at + lasted,
            changes=arrival.changes + 1,
            known=known,
            seen=arrival.seen + come,
            passed_by=_with_passed_by(scene, stage, arrival, lasted),
        )
    return tuple(passed)


def _passed_by(one: Watched, arrival: Arrival, ended: FloatArray, evidence: FloatArray) -> Ended:
    """A stage in which the guard does not count: it finds nothing, holds nothing, and keeps what it has."""
    rows = len(arrival.numbers)
    wealth = arrival.wealth.get(one.guard.kpi, np.zeros((rows, 0)))
    never, nobody = np.full(rows, np.inf), np.zeros(rows, dtype=bool)
    return Ended(never, ended, nobody, wealth, evidence, arrival.numbers)


def _with_passed_by(
    scene: Scene, stage: Stage, arrival: Arrival, lasted: float
) -> Mapping[str, tuple[int, float]]:
    """In how many stages, and for how long, each guard did not count when this one is left."""
    found = dict(arrival.passed_by)
    for kpi in (one.guard.kpi for one in scene.watched if not one.guard.counts_in(stage.id)):
        stages, seconds = found.get(kpi, (0, 0.0))
        found[kpi] = stages + 1, seconds + lasted
    return found


def _beside(
    rng: np.random.Generator, scene: Scene, one: Watched, passed: Passed, rows: int
) -> tuple[FloatArray, FloatArray]:
    """What the other guards do, of whose luck this one knows nothing: until when (seconds from the stage's
    beginning) they hold the stage, and their part of the evidence, each of shape (rows,)."""
    until = np.full(rows, scene.tick_seconds)
    others = [other for other in scene.watched if other is not one]
    unseen = 1 - one.part - sum(other.part for other in others)
    evidence = np.full(rows, unseen * USUAL_E)
    for other in others:
        ended = passed.by_guard[other.guard.kpi]
        which = rng.permutation(len(ended.ended))[:rows]
        np.maximum(until, ended.ended[which], out=until)
        evidence += other.part * ended.evidence[which]
    return until, evidence


def faulty(
    scene: Scene,
    number: int,
    one: Watched,
    ratio: float,
    passed: Sequence[Passed],
    before: Ended | None = None,
) -> Ended:
    """Courses that come into a stage healthy, or go on from `before`, and meet a fault of `ratio` in all of
    it."""
    rng = np.random.default_rng((SEED, number, scene.watched.index(one), round(1000 * ratio)))
    arrival, kpi = passed[number].arrival, one.guard.kpi
    stage = scene.stages[number]

    def ended(part: Arrival) -> Ended:
        until, others = _beside(rng, scene, one, passed[number], len(part.numbers))
        may_leave = np.maximum(until, stage.bake_seconds)
        if one.guard.counts_in(stage.id):
            courses = Courses(rng, scene, stage, one, part, ratio=ratio, others=others)
            found = _run(courses, may_leave)
        else:
            found = _passed_by(one, part, may_leave, np.ones(len(may_leave)))
        # Users are there from when the target is told; what is judged begins when it was read back.
        back = min(READ_BACK_SECONDS, scene.tick_seconds)
        return replace(found, found=found.found + back, ended=found.ended + back)

    if before is not None:
        goes_on = ~np.isfinite(before.found)
        wealth = {kpi: before.wealth[goes_on]}
        return ended(replace(arrival, wealth=wealth, numbers=before.numbers[goes_on]))
    if not one.guard.counts_in(stage.id):
        return ended(arrival)
    order = _spread(len(arrival.numbers))
    first = ended(arrival.only(order[:FIRST_ROWS]))
    needed = round(first.needed * len(order))
    more = order[FIRST_ROWS:needed]
    return _together(first, ended(arrival.only(more))) if len(more) else first


def _spread(rows: int) -> IndexArray:
    """All rows in an order of which every beginning is spread over them, for what is drawn of the judge's
    choices goes by their numbers (Van der Corput 1935, by steps of the golden section)."""
    golden = (math.sqrt(5) - 1) / 2
    return np.argsort((golden * np.arange(rows)) % 1.0).argsort()


def _together(first: Ended, other: Ended) -> Ended:
    order = np.argsort(np.concatenate((first.numbers, other.numbers)))
    return Ended(
        *(
            np.concatenate((getattr(first, each.name), getattr(other, each.name)))[order]
            for each in fields(Ended)
        )
    )


def _run(courses: Courses, may_leave: FloatArray) -> Ended:
    """Courses to their end in this stage; none leaves before `may_leave` (seconds, one for each)."""
    rows, stage = len(may_leave), courses.stage
    decides = stage.advance == "evidence"
    found, ended = np.full(rows, np.inf), np.full(rows, patience(stage))
    is_asked, index = np.ones(rows, dtype=bool), np.arange(rows)
    last, numbers = np.zeros((rows, courses.wealth.shape[1])), courses.draw
    evidence = np.zeros(rows)
    for end in courses.steps():
        is_found = courses.is_harmful()
        moments = courses.moments(end)
        found[index[is_found]] = ended[index[is_found]] = moments[is_found]
        leaves = ~is_found & (end >= may_leave[index] - 1e-9)
        if decides and leaves.any():
            free = courses.free_ticks(may_leave[index])
            leaves &= ~courses.is_suspicious(free) & courses.is_safe(free)
        ended[index[leaves]] = courses.left_at(end, may_leave[index[leaves]])
        is_asked[index[is_found | leaves]] = False
        last[index[leaves]], evidence[index[leaves]] = courses.wealth[leaves], np.exp(courses.now[leaves])
        stays = ~(is_found | leaves)
        courses.keep(stays)
        index = index[stays]
        if not len(index):
            break
    last[index], evidence[index] = courses.wealth, np.exp(courses.now)
    return Ended(found, ended, is_asked, last, evidence, numbers)
