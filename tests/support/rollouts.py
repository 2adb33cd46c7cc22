"""Starting a rollout, waiting for it, and asking what users are served."""

from __future__ import annotations

import time
from collections.abc import Callable

from rollway.app import Rollway
from rollway.flags import FlagBook, answer_one
from support.world import Metrics, a_release


def started(rollway: Rollway, metrics: Metrics, **more: str) -> str:
    plan = rollway.plan(a_release(metrics.url, **more))
    rollway.approve(plan, "bo")
    return rollway.start(plan, "ops")


def wait_for(condition: Callable[[], bool], *, within: float = 40) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def share_of_users(book: FlagBook, key: str = "reporting-flag", users: int = 400) -> float:
    """The share of users whom the served flag shows the new version."""
    asked = [
        answer_one(book, key, f'{{"context":{{"targetingKey":"u{n}"}}}}'.encode(), now=0)
        for n in range(users)
    ]
    return sum(b'"new"' in answer.body for answer in asked) / users
