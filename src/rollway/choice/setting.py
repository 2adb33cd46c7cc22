"""The world in which methods are tried out: users, traffic, a fault that may be there, and who notices it.

One array of `count` draws each. What the release states is the same in all draws; what it leaves open comes
from `priors`, and what no fact tells (whether there is a fault, and which) from the distributions below.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rollway.choice.sampling import sample
from rollway.choice.worlds import Worlds
from rollway.facts.model import Release

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

USUAL_FAULT_RATE = 0.12  # of releases; DORA's yearly surveys put most teams between 5% and 25%
USUAL_BAD_RATE = 0.01  # of requests, where no KPI states one
FEWEST_USES, MOST_USES = 0.003, 30.0  # per user and hour: twice a month, and every two minutes
_FAULT_ODDS: tuple[tuple[str, object, float], ...] = (
    ("architecture.complexity", "low", -0.5),
    ("architecture.complexity", "high", 0.7),
    ("architecture.integration_coupling", "high", 0.4),
    ("release.size", "small", -0.4),
    ("release.size", "large", 0.6),
    ("done.tests.testability", "low", 0.6),
    ("done.tests.testability", "high", -0.4),
    ("migration.complexity", "complex", 0.4),
    ("migration.rehearsed", True, -0.3),
)
"""What a fact adds to the log-odds of a fault. Reasoned, not fitted."""


@dataclass(frozen=True, slots=True)
class Draws:
    """The facts of many worlds, as arrays (count,)."""

    worlds: Worlds

    @property
    def count(self) -> int:
        return self.worlds.count

    def has(self, path: str, *values: object) -> Bools:
        """Where the fact has one of the values."""
        return self.worlds.spread(self.worlds.among(path, values, strict=False)[0])

    def number(self, path: str) -> Floats:
        """The fact as a number; durations in seconds."""
        column = np.asarray(self.worlds.column(path), dtype=float)
        return np.broadcast_to(column, (self.count,))


@dataclass(frozen=True, slots=True)
class Setting:
    """What a method meets; arrays (count,).

    uses: per user and hour. bad_rate: the old version's share of bad requests; ratio: how many times worse
    the new one is where it is faulty; harm: chance that one use then harms its user. watch_hours: until a
    fault that everyone meets is seen on the instruments; rollback_hours: infinite where nothing can be taken
    back. patience: an exponential variate of mean 1, how long the watchers need in their own measure; luck: a
    uniform one, what trials find before anyone is exposed; tempo: how much longer than planned things take.
    """

    release: Release
    facts: Draws
    users: Floats
    requests: Floats
    uses: Floats
    bad_rate: Floats
    ratio: Floats
    harm: Floats
    faulty: Bools
    watch_hours: Floats
    rollback_hours: Floats
    mend_days: Floats
    patience: Floats
    luck: Floats
    tempo: Floats


def draw(release: Release, count: int, seed: int) -> Setting:
    """`count` draws for a release; the same arguments give the same draws."""
    facts = Draws(sample(release, count, seed))
    random = np.random.default_rng(seed + 7)
    # All variates in one go, so that one fact more does not move the others.
    normal, uniform = random.standard_normal((5, count)), random.random((3, count))
    users = np.maximum(1.0, facts.number("stakeholders.users"))
    requests = facts.number("architecture.requests_per_second")
    bad_rate = _bad_rate(release, normal[0])
    ratio = np.minimum(1.5 + 4 * np.exp(0.8 * normal[1]), 0.95 / bad_rate)
    final = facts.has("risks.reversible", False)
    return Setting(
        release=release,
        facts=facts,
        users=users,
        requests=requests,
        uses=np.clip(requests * 3600 / users, FEWEST_USES, MOST_USES),
        bad_rate=bad_rate,
        ratio=ratio,
        harm=np.clip(bad_rate * (ratio - 1), 1e-6, 0.95),
        faulty=uniform[0] < _fault_chance(facts),
        watch_hours=_watch_hours(facts) * np.exp(0.7 * normal[2]),
        rollback_hours=np.where(final, np.inf, facts.number("done.tests.rollback_duration") / 3600),
        mend_days=5 * np.exp(0.6 * normal[3]),
        patience=-np.log1p(-uniform[1]),
        luck=uniform[2],
        tempo=np.exp(0.3 * normal[4]),
    )


def _bad_rate(release: Release, normal: Floats) -> Floats:
    """The rate of the first KPI that states one, else a draw around the usual one."""
    stated = [kpi.expected for kpi in release.kpis if kpi.kind == "rate" and kpi.expected]
    drawn = np.full(normal.shape, stated[0]) if stated else USUAL_BAD_RATE * np.exp(0.8 * normal)
    return np.clip(drawn, 1e-5, 0.3)


def _fault_chance(facts: Draws) -> Floats:
    odds = np.full(facts.count, np.log(USUAL_FAULT_RATE / (1 - USUAL_FAULT_RATE)))
    for path, value, more in _FAULT_ODDS:
        odds = odds + more * facts.has(path, value)
    odds = odds + 1.0 * (facts.number("done.tests.open_severe_issues") >= 1)
    chance: Floats = 1 / (1 + np.exp(-odds))
    return chance


def _watch_hours(facts: Draws) -> Floats:
    """In the middle: half an hour where production is watched well, a day where it is not."""
    levels = [facts.has("architecture.telemetry", level) for level in ("high", "medium", "low")]
    return np.select(levels, [0.5, 4.0, 24.0], default=4.0)
