"""Whole rollouts on the real engine, database, signal and flags."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from rollway.app import Rollway
from rollway.app.runtime import Runtime
from rollway.errors import ConflictError, NotFoundError, RefusedError
from rollway.flags import FlagBook, answer_one
from support.world import Metrics, a_release, metrics_server


@pytest.fixture
def metrics() -> Iterator[Metrics]:
    with metrics_server() as metrics:
        yield metrics


@pytest.fixture
def rollway(database: str) -> Iterator[Rollway]:
    rollway = Rollway(database)
    yield rollway
    rollway.close()


@pytest.fixture
def runtime(rollway: Rollway) -> Iterator[Runtime]:
    runtime = Runtime(rollway)
    runtime.start()
    yield runtime
    runtime.stop()


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


def test_a_healthy_release_reaches_everyone(rollway: Rollway, runtime: Runtime, metrics: Metrics) -> None:
    """From approval to done on real evidence, every stage in its order, the record whole."""
    rollout = started(rollway, metrics)
    wait_for(lambda: rollway.load(rollout).state.is_final)
    assert rollway.load(rollout).state.phase == "done"
    record = rollway.rollouts.record(rollout)
    shares = [entry.data["share"] for entry in record if entry.kind == "stage_entered"]
    assert shares == [0.0, 0.1, 0.5, 0.95, 1.0]
    assert rollway.verify_record(rollout)[1] == ()
    assert share_of_users(runtime.book) == 1.0


def test_a_bad_release_is_taken_back(rollway: Rollway, runtime: Runtime, metrics: Metrics) -> None:
    """Five times the errors: rolled back in the first stage, and the record says by which numbers."""
    metrics.break_new_version(0.10)
    rollout = started(rollway, metrics)
    wait_for(lambda: rollway.load(rollout).state.is_final)
    assert rollway.load(rollout).state.phase == "rolled_back"
    entry = next(entry for entry in rollway.rollouts.record(rollout) if entry.kind == "rollback")
    assert "errors" in entry.text
    assert share_of_users(runtime.book) == 0.0


def test_a_word_takes_it_back_within_a_second(rollway: Rollway, runtime: Runtime, metrics: Metrics) -> None:
    """One second after `rollback` was said, no user is served the new version."""
    rollout = started(rollway, metrics, bake="60s")
    wait_for(lambda: rollway.load(rollout).state.desired_share == 0.1)
    wait_for(lambda: share_of_users(runtime.book) > 0)
    rollway.say(rollout, "rollback", "anybody", "I do not like it")
    said = time.monotonic()
    wait_for(lambda: share_of_users(runtime.book) == 0.0, within=1.0)
    assert time.monotonic() - said < 1.0
    wait_for(lambda: rollway.load(rollout).state.phase == "rolled_back", within=5)


def test_a_silent_source_holds_the_rollout(rollway: Rollway, runtime: Runtime, metrics: Metrics) -> None:
    """When the metrics go down nothing is promoted; when they come back it goes on."""
    rollout = started(rollway, metrics)
    wait_for(lambda: rollway.load(rollout).state.desired_share == 0.1)
    metrics.is_down = True
    time.sleep(2.5)
    assert rollway.load(rollout).state.desired_share == 0.1
    metrics.is_down = False
    wait_for(lambda: rollway.load(rollout).state.phase == "done")


def test_only_an_approved_plan_starts(rollway: Rollway, metrics: Metrics) -> None:
    """Not before a yes, not with the author's own yes, not after a no."""
    plan = rollway.plan(a_release(metrics.url))
    with pytest.raises(RefusedError, match="not approved"):
        rollway.start(plan, "ops")
    with pytest.raises(RefusedError, match="prepared"):
        rollway.approve(plan, "Ana")
    with pytest.raises(RefusedError, match="not an approver"):
        rollway.approve(plan, "mallory")
    rollway.approve(plan, "bo", decision="no")
    with pytest.raises(RefusedError, match="said no"):
        rollway.start(plan, "ops")
    rollway.approve(plan, "bo")
    assert rollway.start(plan, "ops") == "reporting-2.4.0-1"


def test_two_rollouts_do_not_share_a_target(rollway: Rollway, metrics: Metrics) -> None:
    """While one rollout holds the flag, a second is refused and told which one holds it."""
    plan = rollway.plan(a_release(metrics.url))
    rollway.approve(plan, "bo")
    first = rollway.start(plan, "ops")
    with pytest.raises(RefusedError, match=first):
        rollway.start(plan, "ops")


def test_who_may_say_what(rollway: Rollway, metrics: Metrics) -> None:
    """Anybody may pause and roll back; only operators may push on, and only with a reason."""
    rollout = started(rollway, metrics)
    with pytest.raises(RefusedError, match="may not promote"):
        rollway.say(rollout, "promote", "mallory", "why not")
    with pytest.raises(RefusedError, match="needs a reason"):
        rollway.say(rollout, "promote", "ops")
    assert rollway.say(rollout, "pause", "mallory") > 0
    with pytest.raises(NotFoundError):
        rollway.say("nothing", "pause", "ops")


def test_one_server_for_a_data_folder(rollway: Rollway, runtime: Runtime) -> None:
    """A second server on the same folder is refused and told who is there."""
    if rollway.engine.dialect.name != "sqlite":
        return
    with pytest.raises(ConflictError, match="already works on"):
        Runtime(rollway)
