"""Worlds that agree with a release: what it leaves open is drawn, or changed fact by fact."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rollway.choice.argument import Arguments
from rollway.choice.condition import Condition, Seen, leaves
from rollway.choice.hard_rule import HardRule
from rollway.choice.methods import METHODS
from rollway.choice.priors import ASSUMED_RIGHT, LOOKS, ODDS
from rollway.choice.volume import EnoughTraffic, sees_faults
from rollway.choice.worlds import Worlds, code
from rollway.facts.model import Release
from rollway.readiness import Answer, fact_at

Look = Callable[[Release], Answer]


def sample(release: Release, count: int, seed: int) -> Worlds:
    """`count` worlds that agree with what the release states; what it leaves open is drawn from `priors`.

    Facts are drawn independently of each other. The same release, count and seed give the same worlds.
    """
    random = np.random.default_rng(seed)
    columns: dict[str, NDArray[np.float64]] = {}
    for path, odds in ODDS.items():
        # Drawn also where it is known, so that one fact more leaves the others as they were.
        values = np.array([code(value) for value, _ in odds])
        drawn = values[np.searchsorted(np.cumsum([chance for _, chance in odds])[:-1], random.random(count))]
        keep = random.random(count) < ASSUMED_RIGHT
        fact = fact_at(release, path)
        if fact.state == "assumed":
            drawn = np.where(keep, code(fact.value), drawn)
        if fact.state != "known":
            columns[path] = drawn
    is_open = open_looks(release)
    for name, chance in LOOKS.items():
        coin = random.random(count) < chance
        if name in is_open:
            columns[name] = coin.astype(np.float64)
    return Worlds(release, count, columns)


def open_looks(release: Release) -> dict[str, tuple[str, ...]]:
    """The closer looks that the release leaves open, with the facts that would settle each."""
    answers = {name: look(release) for name, look in looks().items()}
    return {name: answer.facts for name, answer in answers.items() if answer.holds is None}


@cache
def looks() -> Mapping[str, Look]:
    """Every closer look that a rule takes, by its name."""
    found: dict[str, Look] = {}
    for condition in _conditions():
        for leaf in leaves(condition):
            if isinstance(leaf, Seen):
                found[leaf.name] = leaf.look
            elif isinstance(leaf, EnoughTraffic):
                found["enough traffic"] = sees_faults
    return found


@cache
def paths() -> tuple[str, ...]:
    """Every fact that a rule reads by itself, sorted."""
    read = (leaf for condition in _conditions() for leaf in leaves(condition) if not isinstance(leaf, Seen))
    return tuple(sorted({path for leaf in read for path in leaf.facts if path in ODDS}))


def _conditions() -> Iterator[Condition]:
    for method in METHODS:
        for veto in method.vetoes:
            if isinstance(veto.check, HardRule):
                yield from (demand.needs for demand in veto.check.demands)
        if isinstance(method.argue, Arguments):
            yield from (row.rule.holds for row in method.argue.rows)
