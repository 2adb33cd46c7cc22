"""Whole rollouts on the real engine, database, signal and flags."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from rollway.app import Rollway
from rollway.app.runtime import Runtime
from rollway.errors import ConflictError, InputError, NotFoundError, RefusedError
from support.rollouts import share_of_users, start_plan, started, wait_for
from support.world import Metrics, a_release


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


def test_the_second_person_is_another_one(rollway: Rollway, metrics: Metrics) -> None:
    """Spaces and case make no other person, and a plan that nobody prepared has no second person."""
    release = a_release(metrics.url)
    needs_two = release.agreements.model_copy(update={"approvals_required": 2, "approvers": ("bo", "cy")})
    plan = rollway.plan(release.model_copy(update={"agreements": needs_two}))
    rollway.approve(plan, "bo")
    assert not rollway.approve(plan, " BO ").is_approved
    nobody = release.release.model_copy(update={"prepared_by": ""})
    with pytest.raises(RefusedError, match="who prepared it"):
        rollway.approve(rollway.plan(release.model_copy(update={"release": nobody})), "bo")


def test_a_release_is_not_taken_away_by_starting_the_next(
    rollway: Rollway, runtime: Runtime, metrics: Metrics
) -> None:
    """A flag that serves everyone is not reset by a start, unless somebody says so with a reason."""
    first = started(rollway, metrics)
    wait_for(lambda: rollway.load(first).state.phase == "done")
    plan = rollway.load(first).plan
    with pytest.raises(RefusedError, match="100% of the users already"):
        rollway.start(plan, "ops")
    assert share_of_users(runtime.book) == 1.0
    again = start_plan(rollway, plan, "ops", reset_target="we try once more")
    wait_for(lambda: share_of_users(runtime.book) < 1.0)
    assert "once more" in rollway.rollouts.record(again)[0].text


def test_many_starts_at_once_are_one(rollway: Rollway, metrics: Metrics) -> None:
    """Four people press start at the same moment: one rollout, three who are told."""
    plan = rollway.plan(a_release(metrics.url))
    rollway.approve(plan, "bo")

    def start(_: int) -> bool:
        try:
            rollway.start(plan, "ops")
        except (ConflictError, RefusedError):
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(start, range(4))) == 1
    assert len(rollway.rollouts.summaries()) == 1


def test_names_and_reasons_fit_the_record(rollway: Rollway, metrics: Metrics) -> None:
    """No empty name, no control characters, no reason that prints as another line of the record."""
    rollout = started(rollway, metrics)
    with pytest.raises(InputError, match="no name"):
        rollway.say(rollout, "pause", "  ")
    with pytest.raises(InputError, match="printable"):
        rollway.say(rollout, "pause", "ops", "a\x1b[2Jb")
    with pytest.raises(RefusedError, match="needs a reason"):
        rollway.say(rollout, "override_window", "ops", "  ")
    rollway.say(rollout, "pause", "ops", "first\n  99  done")
    assert rollway.load(rollout).pending[-1].event.reason == "first 99 done"


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
