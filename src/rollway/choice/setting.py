"""The world in which methods are tried out: users, traffic, a fault that may be there, and who notices it.

One array of `count` draws each. What the release states is the same in all draws; what it leaves open comes
from `priors`, and what no fact tells (whether there is a fault, and which) from the distributions below.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rollway.choice.sampling import sample
from rollway.choice.worlds import Worlds, code
from rollway.facts.model import Release

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

USUAL_FAULT_RATE = 0.12  # of releases; DORA's yearly surveys put most teams between 5% and 25%
USUAL_BAD_RATE = 0.01  # of requests, where no KPI states one
_FAULT_ODDS: tuple[tuple[str, object, float], ...] = (
    ("architecture.complexity", "low", -0.5),
    ("architecture.complexity", "high", 0.7),
    ("architecture.integration_coupling", "high", 0.4),
    ("release.size", "small", -0.4),
    ("release.size", "large", 0.6),
    ("done.tests.testability", "low", 0.6),
    ("done.tests.testability", "high", -0.4),
    ("done.tests.open_severe_issues", 2, 1.0),
    ("migration.complexity", "complex", 0.4),
    ("migration.rehearsed", True, -0.3),
)
"""What a fact adds to the log-odds of a fault. Reasoned, not fitted."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The draws, each an array (count,).

    users; requests per second; uses per user and hour; bad_rate: the old version's; ratio: how many times
    worse the fault is; harm: chance that one use of the new version harms its user; faulty: whether there is
    a fault; watch_hours: until a fault of everyone is seen on the instruments; rollback_hours; mend_days;
    patience: an exponential variate with mean 1, how lucky the watchers are; luck: a uniform one, what
    trials find before anyone is exposed.
    """

    worlds: Worlds
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
    spread: Floats = field(repr=False)

    def has(self, path: str, *values: object) -> Bools:
        """Where the fact has one of the values (count,)."""
        return self.worlds.spread(self.worlds.among(path, values, strict=False)[0])

    def number(self, path: str) -> Floats:
        """The fact as numbers (count,)."""
        return np.broadcast_to(np.asarray(self.worlds.column(path), dtype=float), (self.worlds.count,))


def draw(release: Release, count: int, seed: int) -> Setting:
    """`count` draws for a release; the same arguments give the same draws."""
    worlds = sample(release, count, seed)
    random = np.random.default_rng(seed + 7)
    # All variates are drawn in one go, so that one fact more does not move the others.
    normal, uniform = random.standard_normal((5, count)), random.random((3, count))

    def column(path: str) -> Floats:
        return np.broadcast_to(np.asarray(worlds.column(path), dtype=float), (count,))

    def has(path: str, *values: object) -> Bools:
        return worlds.spread(worlds.among(path, values, strict=False)[0])

    users = np.maximum(1.0, column("stakeholders.users"))
    requests = column("architecture.requests_per_second")
    # Nobody uses a thing more than every two minutes, and hardly anybody less than twice a month.
    uses = np.clip(requests * 3600 / users, 0.003, 30.0)
    stated = [kpi.expected for kpi in release.kpis if kpi.kind == "rate" and kpi.expected]
    bad_rate = np.full(count, stated[0]) if stated else USUAL_BAD_RATE * np.exp(0.8 * normal[0])
    bad_rate = np.clip(bad_rate, 1e-5, 0.3)
    ratio = np.minimum(1.5 + 4 * np.exp(0.8 * normal[1]), 0.95 / bad_rate)
    return Setting(
        worlds=worlds,
        users=users,
        requests=requests,
        uses=uses,
        bad_rate=bad_rate,
        ratio=ratio,
        harm=np.clip(bad_rate * (ratio - 1), 1e-6, 0.95),
        faulty=uniform[0] < _fault_chance(has, count),
        watch_hours=_watch_hours(has) * np.exp(0.7 * normal[2]),
        rollback_hours=np.where(
            has("risks.reversible", False), np.inf, column("done.tests.rollback_duration") / 3600
        ),
        mend_days=5 * np.exp(0.6 * normal[3]),
        patience=-np.log1p(-uniform[1]),
        luck=uniform[2],
        spread=np.exp(0.3 * normal[4]),
    )


def _fault_chance(has: object, count: int) -> Floats:
    assert callable(has)
    odds = np.full(count, np.log(USUAL_FAULT_RATE / (1 - USUAL_FAULT_RATE)))
    for path, value, more in _FAULT_ODDS:
        odds = odds + more * has(path, value)
    return np.asarray(1 / (1 + np.exp(-odds)))


def _watch_hours(has: object) -> Floats:
    """How long a fault of everyone stays unseen on the instruments, in the middle: 30 min, 4 h, 24 h."""
    assert callable(has)
    levels = [has("architecture.telemetry", level) for level in ("high", "medium", "low")]
    return np.select(levels, [0.5, 4.0, 24.0], default=4.0)


__all__ = ["Bools", "Floats", "Setting", "code", "draw"]
