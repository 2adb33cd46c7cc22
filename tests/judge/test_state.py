"""What the judge remembers between two evaluations."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from rollway.errors import InputError
from rollway.judge import GuardRule, Rules, begin, dump, load, update, verdict

RULES = Rules(
    guards=(
        GuardRule("errors", "rate", limit=0.3),
        GuardRule("logins", "rate"),
        GuardRule("latency", "latency", limit=0.2, limit_seconds=1.0),
    ),
    margins={"one": {"errors": 3.0, "logins": 3.0, "latency": 3.0}},
)


def through_json(state: Any) -> Any:
    return load(RULES, json.loads(json.dumps(dump(state), allow_nan=False)))


@pytest.mark.parametrize("fault", [1.0, 8.0])
def test_a_restart_after_every_tick_changes_no_bit(service: Any, fault: float) -> None:
    """Dumped and loaded between any two ticks, the judge gives the very same verdicts."""
    service.errors_times = fault
    kept, restarted = begin(RULES), begin(RULES)
    for stage, share, number in (("zero", 0.0, 3), ("one", 0.05, 12), ("full", 1.0, 3)):
        for readings in service.ticks(number, stage, share):
            kept = update(RULES, kept, readings)
            restarted = update(RULES, through_json(restarted), readings)
            said, again = (
                verdict(RULES, state, now=service.at, stage=stage, share=share)
                for state in (kept, through_json(restarted))
            )
            assert said == again
    assert dump(kept) == dump(restarted)
    assert (said.kind == "harmful") is (fault > 1)


def test_the_state_does_not_grow(service: Any) -> None:
    """After hundreds of ticks the state takes no more room than after a few."""
    sizes = []
    state = begin(RULES)
    for number in (20, 200):
        for readings in service.ticks(number, "one", 0.1):
            state = update(RULES, state, readings)
        sizes.append(len(json.dumps(dump(state))))
    assert sizes[1] < 1.2 * sizes[0]
    assert sizes[1] < 40_000


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"format": "other"},
        {"format": "rollway.judge/2", "guards": [], "course": {}, "finding": None},
        {"format": 2, "guards": [], "course": {}, "finding": None},
        {"format": "rollway.judge/4", "guards": [], "course": {}, "finding": None},
        {"format": "rollway.judge/4", "guards": []},
        {"format": "rollway.judge/4", "guards": 3},
    ],
)
def test_a_state_that_cannot_be_read_is_told(raw: dict[str, Any]) -> None:
    """A broken or foreign state is an error with a way out, never a wrong verdict."""
    with pytest.raises(InputError, match="cannot be read") as error:
        load(RULES, raw)
    assert "Replay" in error.value.hint


def test_a_state_of_other_rules_is_refused() -> None:
    """The state belongs to the rules it was made under."""
    fewer = replace(RULES, guards=RULES.guards[:2])
    with pytest.raises(InputError):
        load(fewer, dump(begin(RULES)))


def test_a_running_rollout_outlives_new_fields(service: Any) -> None:
    """A state without what has a default today is read, and says what it said before."""
    state = begin(RULES)
    for readings in service.ticks(12, "one", 0.1):
        state = update(RULES, state, readings)
    raw = json.loads(json.dumps(dump(state)))
    for guard in raw["guards"]:
        del guard["waiting"], guard["stops"], guard["sight"]["stage_seconds"]
        for arm in ("candidate", "baseline"):
            del guard["sight"][arm]["stage_total"]
    old, new = (
        verdict(RULES, each, now=service.at, stage="one", share=0.1) for each in (load(RULES, raw), state)
    )
    assert (old.kind, old.harm_log_e) == (new.kind, new.harm_log_e)
    assert [g.safe_log_e for g in old.guards] == [g.safe_log_e for g in new.guards]
    later = update(RULES, load(RULES, raw), service.tick("one", 0.1))
    assert load(RULES, json.loads(json.dumps(dump(later)))) is not None


@pytest.mark.parametrize("field", ["sight", "evidence"])
def test_what_has_no_default_must_be_there(service: Any, field: str) -> None:
    """A state that lacks what cannot be made up is refused, with a way out."""
    raw = dump(update(RULES, begin(RULES), service.tick("one", 0.1)))
    del raw["guards"][0][field]
    with pytest.raises(InputError, match="cannot be read"):
        load(RULES, raw)


def test_rules_that_cannot_be_judged_by_are_refused_at_once() -> None:
    """All that is wrong with the rules is told in one error."""
    twice = (GuardRule("errors", "rate", weight=0.0), GuardRule("errors", "rate", tolerance=-1.0))
    with pytest.raises(InputError) as error:
        begin(Rules(guards=twice, alpha=1.0, margins={"one": {"errors": -1.0}}))
    assert len(error.value.details) == 5
