"""Whole rollouts carried out by people: asked once, believed when they say so, and asked to go back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rollway.app import Rollway
from rollway.app.runtime import Runtime
from rollway.errors import ConflictError, InputError, RefusedError
from support.rollouts import wait_for
from support.served import Served
from support.waves import ended, kinds, passed, reached, started, wave_facts

GROUPS = {"Oslo": 100, "Rome": 300, "Wien": 600}
TARGET: dict[str, Any] = {
    "type": "people",
    "owner": "eva",
    "backup": "tom",
    "owners": {"Rome": "luca"},
    "candidate": "2.4.0",
    "up": "Install {candidate} for {groups}.",
    "down": "Take {candidate} back everywhere.",
    "name": "back-office",
}


@pytest.fixture
def database(tmp_path: Path) -> str:
    """One kind of database is enough here: the shelf of errands has its own tests for both."""
    return str(tmp_path / "data")


def open_key(rollway: Rollway, rollout: str, word: str) -> str:
    """Wait for the one errand that is open, whose key has this word in it. What it takes the place of is
    withdrawn a moment after it was asked."""
    wait_for(lambda: [word in one.errand.key for one in rollway.errands.open()] == [True])
    (one,) = rollway.errands.open()
    assert one.rollout == rollout
    return one.errand.key


def done(rollway: Rollway, rollout: str, word: str, actor: str = "eva") -> None:
    rollway.answer_errand(rollout, open_key(rollway, rollout, word), "done", actor)


def test_wave_by_wave_until_everybody_has_it(rollway: Rollway, runtime: Runtime) -> None:
    """Nothing is served before the person of that group says so, and each is asked once."""
    rollout = started(rollway, wave_facts(TARGET, groups=GROUPS))
    open_key(rollway, rollout, "Oslo")
    assert rollway.load(rollout).state.entered_at is None
    done(rollway, rollout, "Oslo")
    passed(rollway, rollout, "oslo")
    done(rollway, rollout, "Rome", "luca")
    passed(rollway, rollout, "rome")
    done(rollway, rollout, "up-100")
    ended(rollway, rollout, "done")
    texts = [one.errand.text for one in rollway.errands.all_of(rollout)]
    assert texts == [f"Install 2.4.0 for {who}." for who in ("Oslo", "Rome", "everyone")]
    assert "drift" not in kinds(rollway, rollout)
    said = [entry.text for entry in rollway.rollouts.record(rollout) if entry.kind == "target"]
    assert any(text.endswith("Oslo: eva: done") for text in said)


def test_going_back_takes_two_steps_and_is_over_when_somebody_says_so(
    rollway: Rollway, runtime: Runtime
) -> None:
    """The open errand of the way up is gone at once; the rollout waits for the one of the way back."""
    rollout = started(rollway, wave_facts(TARGET, groups=GROUPS))
    done(rollway, rollout, "Oslo")
    passed(rollway, rollout, "oslo")
    up = open_key(rollway, rollout, "Rome")
    rollway.say(rollout, "rollback", "kim", "wrong prices")
    wait_for(lambda: [one.errand.key for one in rollway.errands.open()] != [up])
    back = open_key(rollway, rollout, "back")
    assert back.endswith("-back-40-to-0")
    assert rollway.load(rollout).state.phase == "rolling_back"
    rollway.answer_errand(rollout, back, "done", "tom", "all of Oslo, and the two tills of Rome")
    ended(rollway, rollout, "rolled_back")
    assert rollway.errands.open() == ()


def test_a_failure_holds_the_rollout_until_it_is_resumed(rollway: Rollway, runtime: Runtime) -> None:
    """The record has the person's words; resumed, the same is asked for once more."""
    rollout = started(rollway, wave_facts(TARGET, groups=GROUPS))
    first = open_key(rollway, rollout, "Oslo")
    rollway.answer_errand(rollout, first, "failed", "tom", "no key to the server room")
    wait_for(lambda: rollway.load(rollout).state.phase == "paused")
    (held,) = [entry.text for entry in rollway.rollouts.record(rollout) if entry.kind == "held"]
    assert f"{first}: tom: failed (no key to the server room)" in held
    rollway.say(rollout, "resume", "ops", "the key is there")
    again = open_key(rollway, rollout, "Oslo")
    assert again != first
    rollway.answer_errand(rollout, again, "done", "eva")
    reached(rollway, rollout, "oslo")


def test_only_those_who_were_asked_and_operators_may_answer(rollway: Rollway, runtime: Runtime) -> None:
    """By name, whatever its letters; a failure says why; somebody else does not overrule."""
    rollout = started(rollway, wave_facts(TARGET, groups=GROUPS))
    key = open_key(rollway, rollout, "Oslo")
    with pytest.raises(RefusedError, match="kim may not answer") as refused:
        rollway.answer_errand(rollout, key, "done", "kim")
    assert refused.value.hint == "one of them says it, or an operator: ops"
    with pytest.raises(InputError, match="needs a reason"):
        rollway.answer_errand(rollout, key, "failed", "eva")
    rollway.answer_errand(rollout, key, "done", "OPS")
    with pytest.raises(ConflictError, match="OPS has said done"):
        rollway.answer_errand(rollout, key, "failed", "eva", "it is dark")


@pytest.mark.slow
def test_a_killed_engine_asks_nobody_twice_and_hears_what_was_said_meanwhile(tmp_path: Path) -> None:
    """kill -9 while people are asked; eva answers while nobody is there to hear it."""
    data = str(tmp_path / "data")
    server, rollway = Served(data, tmp_path / "serve.log"), Rollway(data)
    try:
        server.start()
        server.wait_ready()
        rollout = started(rollway, wave_facts(TARGET, groups=GROUPS))
        done(rollway, rollout, "Oslo")
        passed(rollway, rollout, "oslo")
        key = open_key(rollway, rollout, "Rome")
        server.kill()
        rollway.answer_errand(rollout, key, "done", "luca")
        server.start()
        server.wait_ready()
        reached(rollway, rollout, "rome")
        assert len(rollway.errands.all_of(rollout)) == 2
    finally:
        server.stop()
        rollway.close()
