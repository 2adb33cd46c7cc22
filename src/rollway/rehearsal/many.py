"""A scenario, many times: each run with its own seed, so that it is the same whatever runs beside it."""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from rollway.planning import Plan
from rollway.rehearsal import course, leaps
from rollway.rehearsal.course import Ending, Run, Script, Wait
from rollway.rehearsal.leaps import USUAL_PACE, Pace
from rollway.rehearsal.scenario import Scenario
from rollway.rehearsal.world import Recorded

FIRST_DAY = datetime(2026, 1, 5, tzinfo=UTC)
SEEDED_DAYS = 28
STANDARD_ERRORS = 3.0
TRUSTED = 0.03
"""Chances that differ by less are taken as the same."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one run ended. Times are seconds; None where it did not come to that.

    started: from the first moment to the first exposure. lasted: from the exposure to the end. found: from
    the beginning of the fault (else of the exposure) until going back was decided, back: until the old
    version was read back as serving everyone. exposed, met: requests served by the new version, and those of
    them while the fault was there; users and met_users: who made them. left: the share that is really served
    by the new version in the end. path: (seconds, share) from the start on. story: the entries of its record.
    """

    ending: Ending
    stage: str
    started: float | None
    lasted: float
    found: float | None
    back: float | None
    exposed: float
    met: float
    users: float
    met_users: float
    largest: float
    left: float
    waits: dict[tuple[str, Wait], float]
    path: tuple[tuple[float, float], ...]
    story: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Result:
    """All runs of one scenario, in the order of their seeds."""

    scenario: Scenario
    outcomes: tuple[Outcome, ...]

    @property
    def endings(self) -> Counter[Ending]:
        return Counter(outcome.ending for outcome in self.outcomes)

    def part(self, *endings: Ending) -> float:
        """The share of runs that ended in one of these ways."""
        return sum(self.endings[each] for each in endings) / len(self.outcomes)

    def quantile(self, what: Callable[[Outcome], float | None], at: float) -> float | None:
        """A quantile over the runs that have such a figure; None where none has."""
        values = [value for outcome in self.outcomes if (value := what(outcome)) is not None]
        return float(np.quantile(values, at, method="inverted_cdf")) if values else None


@dataclass(slots=True)
class Branches:
    """Runs of a healthy release as they stood when each stage was told to the target: where a fault that
    begins with a stage begins."""

    by_stage: dict[str, list[Run]] = field(default_factory=dict)
    most: int = 200

    def watch(self, run: Run) -> None:
        kept = self.by_stage.setdefault(run.stage.id, [])
        is_new = run.told_at.get(run.stage.id) == run.at and run.state.phase == "running"
        if is_new and len(kept) < self.most and not any(each.rng is run.rng for each in kept):
            kept.append(run.copy())


def rehearse(
    plan: Plan,
    scenario: Scenario,
    *,
    runs: int,
    seed: int = 0,
    start: datetime | None = None,
    pace: Pace = USUAL_PACE,
    branches: Branches | None = None,
) -> Result:
    """Carry the plan out `runs` times in this scenario. The same seed gives the same outcomes.

    `start`: when each run is started; without it each starts at a moment of its own, drawn from the seed.
    """
    script = Script(plan, scenario)
    outcomes = []
    for number in range(runs):
        rng = generator(seed, scenario.name, number)
        begins = start.timestamp() if start else _moment(rng)
        mine = replace(script, scenario=_shifted(scenario, rng)) if _is_recorded(scenario) else script
        run = course.begin(mine, begins, rng)
        leaps.play(run, pace, seen=branches.watch if branches else None)
        outcomes.append(outcome_of(run, begins))
    return Result(scenario, tuple(outcomes))


def generator(seed: int, name: str, number: int) -> np.random.Generator:
    """The random numbers of one run of one scenario."""
    return np.random.default_rng([seed, zlib.crc32(name.encode()), number])


def _moment(rng: np.random.Generator) -> float:
    second = int(rng.integers(SEEDED_DAYS * 86_400))
    return (FIRST_DAY + timedelta(seconds=second)).timestamp()


def _is_recorded(scenario: Scenario) -> bool:
    return isinstance(scenario.world.traffic, Recorded)


def _shifted(scenario: Scenario, rng: np.random.Generator) -> Scenario:
    """A record is begun at a moment drawn for each run."""
    traffic = scenario.world.traffic
    if not isinstance(traffic, Recorded):
        return scenario
    shift = float(rng.uniform(0, traffic.seconds))
    return replace(scenario, world=replace(scenario.world, traffic=replace(traffic, shift=shift)))


# --- one run's outcome ------------------------------------------------------------------------------


def outcome_of(run: Run, begins: float) -> Outcome:
    """What a run that is over has to tell; `begins`: when it was started (unix seconds)."""
    state = run.state
    exposed_at = next((at for at, share in run.path if share > 0), None)
    origin = course.onset(run) or exposed_at
    is_back = run.found is not None and state.phase == "rolled_back"
    users = run.script.scenario.world.users
    largest = max(share for _, share in run.path)
    return Outcome(
        ending=run.ending or "not over",
        stage=run.stage.id,
        started=None if exposed_at is None else exposed_at - begins,
        lasted=0.0 if exposed_at is None else run.at - exposed_at,
        found=None if run.found is None or origin is None else max(0.0, run.found - origin),
        back=run.at - origin if is_back and origin is not None else None,
        exposed=run.exposed,
        met=run.met,
        users=reached(run.exposed, largest, users),
        met_users=reached(run.met, largest, users),
        largest=largest,
        left=run.sham.serving.share,
        waits=dict(run.waits),
        path=tuple((at - begins, share) for at, share in run.path),
        story=tuple((at - begins, entry.text) for at, entry in run.entries if entry.kind != "verdict"),
    )


def reached(requests: float, share: float, users: int | None) -> float:
    """How many users make so many requests, where a share of `users` may: each stays with the version, and
    they make requests independently. Without their number each request counts as a user."""
    if not users:
        return requests
    served = users * share
    return served * -math.expm1(-requests / served) if served > 0 else 0.0


def standard_error(chance: float, runs: int) -> float:
    """Of a share of so many runs whose chance is `chance`."""
    return math.sqrt(max(chance * (1 - chance), 0.0) / runs)
