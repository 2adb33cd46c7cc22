"""Simulated users who stay with their version: a few fail often, and the bug hits a fiftieth of them.

Each user has a place between 0 and 1 and is on the new version once the share is above it. Sessions
begin at random and last ten minutes on average; requests come at random. Users who fail often are
simulated one by one; everybody else's failures are rare enough to be drawn as one sum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.judge.streams import Counts, FloatArray, IntArray, World, with_slice

REQUESTS_PER_MINUTE = 6.0
SESSION_MINUTES = 10.0
TROUBLED_PART = 0.02
"""Part of the users who fail often with either version (a bad connection, an odd client)."""
TROUBLED_RATE = 0.4
"""How often their requests fail; and how often those of a user fail whom the bug hits."""
ORDINARY_RATE = 0.002
BUG_PART = 0.02
DEPTHS = (1, 3)


@dataclass(frozen=True, slots=True)
class Users:
    """Requests and failures of both arms, and at which ticks users met their first and third failure.

    `reached`: shape (depths, arms, ticks, runs), the arms being candidate and baseline. A user's
    failures count on from one arm to the other.
    """

    world: World
    counts: Counts
    reached: FloatArray


@dataclass(frozen=True, slots=True)
class _Group:
    """What one group of users did in one run: of each arm and tick, requests and failures; `reached`."""

    requests: IntArray
    failures: IntArray
    reached: IntArray


def draw(world: World, rng: np.random.Generator, runs: int, *, is_faulty: bool) -> Users:
    """Runs of a rollout to sticky users; the world's base rate is not used."""
    drawn = [_draw_one(world, rng, is_faulty=is_faulty) for _ in range(runs)]
    requests, failures = (np.stack([each[part] for each in drawn], axis=-1) for part in (0, 1))
    reached = np.stack([each[2] for each in drawn], axis=-1)
    counts = with_slice(world.shares, rng, requests[0], failures[0], requests[1], failures[1])
    return Users(world, counts, reached.astype(np.float64))


def request_rates() -> tuple[float, float]:
    """The share of failing requests in the old version, and in one with the bug."""
    old = TROUBLED_PART * TROUBLED_RATE + (1 - TROUBLED_PART) * ORDINARY_RATE
    return old, old + BUG_PART * (TROUBLED_RATE - ORDINARY_RATE)


def _draw_one(
    world: World, rng: np.random.Generator, *, is_faulty: bool
) -> tuple[IntArray, IntArray, IntArray]:
    """Requests and failures, shape (arms, ticks), and reached, shape (depths, arms, ticks), of one run."""
    troubled = _group(world, rng, TROUBLED_PART, fails_on=(True, True))
    groups = [troubled, _ordinary(world, rng)]
    if is_faulty:
        groups.append(_group(world, rng, BUG_PART, fails_on=(True, False)))
    # The bug's users are among the ordinary ones; only their failures are added.
    requests = sum(group.requests for group in groups[:2])
    failures = sum(group.failures for group in groups)
    reached = sum(group.reached for group in groups)
    return np.asarray(requests), np.minimum(failures, requests), np.asarray(reached)


def _group(world: World, rng: np.random.Generator, part: float, fails_on: tuple[bool, bool]) -> _Group:
    """A part of all users, one by one, whose requests fail often on these arms."""
    minutes = world.planned_seconds / 60
    present = part * world.per_second * 60 / REQUESTS_PER_MINUTE
    users = int(rng.poisson(present)), int(rng.poisson(present * minutes / SESSION_MINUTES))
    begins = np.concatenate([np.zeros(users[0]), rng.uniform(0, minutes, users[1])])
    ends = begins + rng.exponential(SESSION_MINUTES, len(begins))
    edges = np.arange(world.ticks + 1) * world.tick_seconds / 60
    there = np.clip(np.minimum.outer(ends, edges[1:]) - np.maximum.outer(begins, edges[:-1]), 0.0, None)
    asked = rng.poisson(there * REQUESTS_PER_MINUTE)
    is_new = rng.uniform(0, 1, len(begins))[:, np.newaxis] < world.shares
    can_fail = np.where(is_new, *fails_on)
    failed = np.where(can_fail, rng.binomial(asked, TROUBLED_RATE), 0)
    after = failed.cumsum(axis=1)
    met = [(after >= depth) & (after - failed < depth) for depth in DEPTHS]
    return _Group(
        _by_arm(asked, is_new), _by_arm(failed, is_new), np.stack([_by_arm(each, is_new) for each in met])
    )


def _by_arm(figures: np.ndarray, is_new: np.ndarray) -> IntArray:
    """Sums over users for candidate and baseline, shape (2, ticks)."""
    total: IntArray = np.stack([(figures * is_new).sum(axis=0), (figures * ~is_new).sum(axis=0)])
    return total


def _ordinary(world: World, rng: np.random.Generator) -> _Group:
    """Everybody else: of rare random failures in a session of random length, these parts are a user's
    first and third: (a/b)^k b/a (1 - a/b) summed over sessions, with a failures and b ends per minute."""
    total = rng.poisson((1 - TROUBLED_PART) * world.per_second * world.tick_seconds, world.ticks)
    candidate = rng.binomial(total, world.shares)
    requests = np.stack([candidate, total - candidate])
    failures = rng.binomial(requests, ORDINARY_RATE)
    a, b = ORDINARY_RATE * REQUESTS_PER_MINUTE, 1 / SESSION_MINUTES
    parts = [(a / (a + b)) ** depth * b / a for depth in DEPTHS]
    reached, left = [], failures
    for part, before in zip(parts, (0.0, *parts[:-1]), strict=True):
        reached.append(rng.binomial(left, part / (1 - before)))
        left = left - reached[-1]
    return _Group(requests, failures, np.stack(reached))
