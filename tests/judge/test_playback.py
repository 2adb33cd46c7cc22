"""A record of readings, judged again."""

from __future__ import annotations

from typing import Any

from rollway.judge import GuardRule, Rules, begin, replay, update, verdict

RULES = Rules(guards=(GuardRule("errors", "rate"), GuardRule("latency", "latency")))


def test_a_replay_says_what_was_said(service: Any) -> None:
    """The verdicts of a replay are those of the rollout, one for each moment, whatever the order."""
    service.errors_times = 4.0
    state, said, record = begin(RULES), [], []
    for readings in service.ticks(25, "ten", 0.1):
        state = update(RULES, state, readings)
        said.append(verdict(RULES, state, now=service.at, stage="ten", share=0.1))
        record += readings
    assert replay(RULES, reversed(record)) == said
    assert said[-1].kind == "harmful"


def test_an_empty_record_has_nothing_to_say() -> None:
    """No readings, no verdicts."""
    assert replay(RULES, []) == []
