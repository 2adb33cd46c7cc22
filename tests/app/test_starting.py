"""A rollout is started after a real look at its target and its numbers, and refused where something fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rollway.app import Rollway
from rollway.app.preflight import Ask
from rollway.app.proof import NotProvenError
from rollway.app.starting import Wish, ask_for, retry, start
from rollway.errors import RefusedError
from rollway.planning import Plan, Policy
from rollway.rollout import CommandGiven
from rollway.rollout.tick import tick
from support.stories import canary
from support.world import Metrics, a_release

QUICK = Ask(pause=0.3, within=0.9)


@pytest.fixture
def rollway(tmp_path: Path) -> Iterator[Rollway]:
    rollway = Rollway(tmp_path)
    yield rollway
    rollway.close()


@pytest.fixture
def plan(rollway: Rollway, metrics: Metrics) -> Plan:
    plan = rollway.plan(a_release(metrics.url, bake="1m", check_every="1s"))
    rollway.approve(plan, "bo")
    return plan


def look_once(rollway: Rollway, rollout: str) -> None:
    """One tick of this rollout."""
    seq = rollway.rollouts.seq(rollout)
    assert seq is not None
    tick(rollout, seq, rollouts=rollway.rollouts, connectors=rollway.connectors, clock=rollway.clock)


def kinds(rollway: Rollway, rollout: str) -> list[str]:
    return [entry.kind for entry in rollway.rollouts.record(rollout)]


def test_what_was_found_is_in_the_record_and_meets_the_gate_for_telemetry(
    rollway: Rollway, plan: Plan
) -> None:
    """With the evidence and Rollway's name; nobody is asked for it."""
    done = start(rollway, plan, "ops", Wish(ask=QUICK))
    assert kinds(rollway, done.rollout) == ["started", "preflight"]
    (found,) = rollway.rollouts.entries(done.rollout, "preflight")
    assert found.data["proven"] == ["errors"]
    assert found.data["is_telemetry_proven"]
    (gate,) = [gate.id for gate in plan.gates if gate.of == "before-telemetry"]
    look_once(rollway, done.rollout)
    word = rollway.load(done.rollout).state.words[gate]
    assert (word.said, word.actor) == ("met", "rollway")
    assert "preflight at" in word.note
    assert "saw the numbers of errors" in word.note


def test_it_is_said_once(rollway: Rollway, plan: Plan) -> None:
    """Not again while it is unheard, nor once it was heard."""
    done = start(rollway, plan, "ops", Wish(ask=QUICK))
    assert rollway.say_own_words(done.rollout) == 0
    look_once(rollway, done.rollout)
    assert rollway.say_own_words(done.rollout) == 0


def test_a_person_s_word_on_the_numbers_is_not_overruled(rollway: Rollway, plan: Plan) -> None:
    """Whoever says that they are not there is heard, whatever the preflight saw."""
    done = start(rollway, plan, "ops", Wish(ask=QUICK))
    (gate,) = [gate.id for gate in plan.gates if gate.of == "before-telemetry"]
    rollway.say(done.rollout, "fail", "ops", "the wrong figures", gate)
    look_once(rollway, done.rollout)
    assert rollway.say_own_words(done.rollout) == 0
    assert rollway.load(done.rollout).state.words[gate].said == "not met"


def test_a_source_that_is_down_is_refused_and_nothing_is_started(
    rollway: Rollway, plan: Plan, metrics: Metrics
) -> None:
    """The error names the KPI and what the source said, and how to start all the same."""
    metrics.is_down = True
    with pytest.raises(NotProvenError) as refused:
        start(rollway, plan, "ops", Wish(ask=QUICK))
    assert any("errors, source" in line and "503" in line for line in refused.value.details)
    assert f"rollway start {plan.hash[:12]} --skip-preflight --because" in refused.value.hint
    assert rollway.rollouts.summaries() == []


def test_who_skips_it_is_in_the_record_by_name(rollway: Rollway, plan: Plan, metrics: Metrics) -> None:
    """As an override with the reason; the gate for telemetry then waits for a person."""
    metrics.is_down = True
    done = start(rollway, plan, "ops", Wish(unproven="the source is back at nine"))
    assert done.proof is None
    (entry,) = rollway.rollouts.entries(done.rollout, "preflight_skipped")
    assert (entry.actor, entry.data["reason"]) == ("ops", "the source is back at nine")
    assert rollway.load(done.rollout).pending == ()


def test_who_may_not_start_is_told_before_anything_is_looked_at(rollway: Rollway, plan: Plan) -> None:
    """Nobody waits half a minute to hear that."""

    def wait(seconds: float) -> None:
        raise AssertionError("nothing is to be looked at")

    with pytest.raises(RefusedError, match="mallory"):
        start(rollway, plan, "mallory", Wish(ask=QUICK), sleep=wait)


def test_users_who_have_it_already_are_refused_or_taken_back(rollway: Rollway, plan: Plan) -> None:
    """`reset_target` is the answer to that point, and to no other."""
    rollway.connectors.target("other", plan).apply(1.0, fence=1)
    rollway.connectors.forget("other")
    with pytest.raises(NotProvenError) as refused:
        start(rollway, plan, "ops", Wish(ask=QUICK))
    assert any("--reset-target" in line for line in refused.value.details)
    done = start(rollway, plan, "ops", Wish(ask=QUICK, reset_target="a test was here"))
    assert kinds(rollway, done.rollout) == ["started", "preflight"]


def test_a_retry_looks_as_well(rollway: Rollway, plan: Plan, metrics: Metrics) -> None:
    """What took it back may be what is down now."""
    first = start(rollway, plan, "ops", Wish(ask=QUICK))
    rollway.say(first.rollout, "rollback", "ops")
    look_once(rollway, first.rollout)
    metrics.is_down = True
    with pytest.raises(NotProvenError) as refused:
        retry(rollway, first.rollout, "ops", Wish(ask=QUICK))
    assert f"rollway retry {first.rollout}" in refused.value.hint
    metrics.is_down = False
    again = retry(rollway, first.rollout, "ops", Wish(ask=Ask(pause=1.5, within=3)))
    assert kinds(rollway, again.rollout) == ["started", "preflight"]


def test_it_looks_as_long_as_the_judge_would(rollway: Rollway) -> None:
    """Between half a minute and two; counters are read again after a tick, of one to five seconds."""
    quick = ask_for(canary(policy=Policy(tick_seconds=0.5, blind_seconds=20)))
    assert (quick.pause, quick.within) == (1.0, 30.0)
    usual = ask_for(canary(policy=Policy(tick_seconds=3, blind_seconds=240)))
    assert (usual.pause, usual.within) == (3.0, 60.0)
    slow = ask_for(canary(policy=Policy(tick_seconds=3600, blind_seconds=90_000)))
    assert (slow.pause, slow.within) == (5.0, 120.0)


def test_a_task_that_is_followed_is_ticked_off_in_its_turn(rollway: Rollway, metrics: Metrics) -> None:
    """Not before: its word waits until the task is ready."""
    release = a_release(metrics.url, bake="1m", check_every="1s")
    plan = rollway.plan(release)
    followed = plan.model_copy(update={"policy": plan.policy.model_copy(update={"tasks": "followed"})})
    rollway.approve(followed, "bo")
    done = start(rollway, followed, "ops", Wish(ask=QUICK))
    assert rollway.load(done.rollout).pending == ()
    look_once(rollway, done.rollout)
    state = rollway.load(done.rollout).state
    if "before-criteria" in state.tasks and "before-telemetry" not in state.tasks:
        rollway.say(done.rollout, "confirm", "ops", subject="before-criteria")
        look_once(rollway, done.rollout)
    assert rollway.say_own_words(done.rollout) == 1
    look_once(rollway, done.rollout)
    task = rollway.load(done.rollout).state.tasks["before-telemetry"]
    assert (task.state, task.actor) == ("done", "rollway")
    assert isinstance(rollway.load(done.rollout).pending, tuple)
    assert not any(isinstance(one.event, CommandGiven) for one in rollway.load(done.rollout).pending)
