"""Starting a rollout, waiting for it, and asking what users are served."""

from __future__ import annotations

import time
from collections.abc import Callable

from rollway.app import Rollway
from rollway.flags import FlagBook, answer_one
from rollway.planning import Plan
from rollway.rollout import begin
from rollway.rollout.gates import confirmations
from support.world import Metrics, a_release


def started(rollway: Rollway, metrics: Metrics, **more: str) -> str:
    plan = rollway.plan(a_release(metrics.url, **more))
    rollway.approve(plan, "bo")
    return start_plan(rollway, plan, "ops")


def start_plan(rollway: Rollway, plan: Plan, actor: str, **more: str) -> str:
    """Start a plan, and confirm its gates at once: what people have seen to before."""
    rollout = rollway.start(plan, actor, **more)
    for said in confirmations(plan, begin(), actor, rollway.clock()):
        rollway.say(rollout, said.kind, actor, said.reason, said.subject)
    return rollout


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
