"""What is found beforehand decides whether a rollout may start, and what its record says of it."""

from __future__ import annotations

import pytest

from rollway.app.proof import (
    Finding,
    Proof,
    is_telemetry_proven,
    proof_entry,
    proven,
    refusal,
    refusals,
    summary,
)
from rollway.planning import Guard, Plan, Policy
from rollway.rollout.serving import Check, CheckState
from support.stories import GATE, START, canary, stage

WATCHED = Guard.model_validate({**GATE.model_dump(), "kpi": "calls", "say": "watch"})
PATIENT = Policy(tick_seconds=600, blind_seconds=7200)


def found(about: str, name: str, state: CheckState = "ok", seconds: float | None = None) -> Finding:
    return Finding(about, Check(name, state, f"{name} is {state}", "mend it", seconds))


def a_proof(*more: Finding, source: CheckState = "ok", old: CheckState = "ok") -> Proof:
    back = found("target", "way back", seconds=0.25)
    return Proof(
        START, 2.0, (back, found("errors", "source", source), found("errors", "old version", old), *more)
    )


def both(**more: object) -> Plan:
    return canary(guards=(GATE, WATCHED), **more)


def test_what_failed_stands_against_it_and_what_is_unknown_does_not() -> None:
    """A target that cannot try its way back is a note; one that failed to is not."""
    unknown = a_proof(found("target", "candidate ready", "unknown"))
    assert refusals(canary(), unknown, 30) == ()
    assert [one.check.name for one in unknown.notes] == ["candidate ready"]
    failed = found("target", "candidate ready", "failed")
    assert refusals(canary(), a_proof(failed), 30) == (failed,)


@pytest.mark.parametrize(("source", "old"), [("unknown", "unknown"), ("ok", "unknown")])
def test_a_gate_without_numbers_stands_against_it(source: CheckState, old: CheckState) -> None:
    """Once the judge itself would have waited long enough for them to be blind."""
    silent = a_proof(source=source, old=old)
    assert refusals(canary(), silent, 30)
    assert refusals(canary(), silent, 3) == ()
    assert refusals(canary(policy=PATIENT), silent, 30) == ()


def test_what_is_only_watched_may_be_silent() -> None:
    """It can neither hold a rollout nor take it back."""
    silent = a_proof(found("calls", "source", "unknown"))
    assert refusals(both(), silent, 30) == ()
    assert proven(both(), silent) == ("errors",)
    assert not is_telemetry_proven(both(), silent)


def test_telemetry_is_proven_by_the_numbers_of_every_kpi() -> None:
    """And not where one misses a planted fault, its bad ones are in doubt, or where there is none at all."""
    told = a_proof(found("calls", "source"), found("calls", "old version"))
    assert is_telemetry_proven(both(), told)
    missed = a_proof(
        found("calls", "source"), found("calls", "old version"), found("errors", "fault x5 found", "failed")
    )
    assert not is_telemetry_proven(both(), missed)
    doubtful = found("errors", "bad events", "unknown")
    assert not is_telemetry_proven(canary(), a_proof(doubtful))
    assert is_telemetry_proven(canary(), a_proof())
    by_time = canary(stage("all", 1, "time"), guards=())
    assert not is_telemetry_proven(by_time, told)


def test_what_has_no_old_version_to_compare_with_needs_its_source_only() -> None:
    """As a KPI that is held to its limit alone."""
    alone = Guard.model_validate({**GATE.model_dump(), "baseline": "absolute", "limit": 0.1})
    proof = Proof(START, 2.0, (found("errors", "source"),))
    stages = (stage("baseline", 0, "ready"), stage("all", 1, "time"))
    assert proven(canary(*stages, guards=(alone,)), proof) == ("errors",)


def test_the_record_keeps_when_what_and_how_long_the_way_back_took() -> None:
    """All checks with their evidence, and one sentence for people."""
    entry = proof_entry(canary(), a_proof(found("errors", "fault x5 found")))
    assert entry.kind == "preflight"
    assert entry.data["looked_at"] == START.isoformat()
    assert (entry.data["way_back"], entry.data["way_back_seconds"]) == ("ok", 0.25)
    assert len(entry.data["checks"]) == 4
    assert entry.data["proven"] == ["errors"]
    for words in (
        "way back was tried (0.25 s)",
        "numbers of errors came",
        "planted fault is found by errors",
    ):
        assert words in entry.text


def test_a_way_back_that_is_not_proven_is_said_so() -> None:
    """With the target's own words."""
    back = found("target", "way back", "unknown")
    assert "not proven: way back is unknown" in summary(canary(), Proof(START, 1.0, (back,)))
    assert "none were seen of errors" in summary(canary(), Proof(START, 1.0, (back,)))


def test_the_refusal_has_a_line_and_a_remedy_for_each_point() -> None:
    """And says how to start all the same."""
    error = refusal(
        (found("target", "reachable", "failed"), found("errors", "age", "failed")), "rollway start 1"
    )
    assert "2 points" in error.message
    assert error.details[0] == "  target, reachable: reachable is failed"
    assert error.details[1].strip() == "mend it"
    assert error.hint.endswith("rollway start 1")
    assert error.exit_code == 15
