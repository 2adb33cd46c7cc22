"""When the judge calls itself blind, and why."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.judge import Counts, GuardRule, Reading, Rules, Verdict, begin, update, verdict
from rollway.judge.sight import trials_per_second

RULES = Rules(
    guards=(GuardRule("errors", "rate"), GuardRule("speed", "rate", say="brake")), blind_seconds=60.0
)


def ask(readings: list[Reading], *, now: float, share: float, stage: str = "one") -> Verdict:
    return verdict(RULES, update(RULES, begin(RULES), readings), now=now, stage=stage, share=share)


def reading(
    end: float, share: float, *samples: Any, stage: str = "one", kpi: str = "errors", **more: Any
) -> Reading:
    return Reading(kpi, end - 10, end, stage, share, *samples, **more)


def both(end: float, share: float = 0.1, **more: Any) -> Reading:
    return reading(end, share, Counts(10, 0), Counts(90, 1), **more)


@pytest.mark.parametrize(
    ("share", "later", "reason"),
    [
        (0.1, {"problem": "source_down"}, "source_down"),
        (0.1, {"candidate": Counts(1, 2)}, "implausible"),
        (0.1, {"candidate": Counts(0, 0), "baseline": Counts(0, 0)}, "no_traffic"),
        (0.1, {"candidate": None, "baseline": Counts(90, 1)}, "candidate_silent"),
        (0.1, {"candidate": Counts(0, 0), "baseline": Counts(90, 1)}, "candidate_silent"),
        (0.9, {"candidate": Counts(90, 0), "baseline": None}, "baseline_silent"),
        (0.0, {"candidate": None, "baseline": None}, "baseline_silent"),
        (0.0, {"candidate": None, "baseline": Counts(0, 0)}, "no_traffic"),
        (1.0, {"candidate": None, "baseline": None}, "candidate_silent"),
        (1.0, {"candidate": Counts(0, 0), "baseline": None}, "no_traffic"),
    ],
)
def test_each_kind_of_blindness_has_its_name(share: float, later: dict[str, Any], reason: str) -> None:
    """After a minute without usable numbers the verdict is blind and says what is missing."""
    readings = [both(10, share), *(reading(10.0 * n, share, **later) for n in range(2, 9))]
    early, late = (ask([r for r in readings if r.end <= now], now=now, share=share) for now in (70, 80))
    assert early.kind != "blind"
    assert late.kind == "blind"
    assert late.guards[0].blind_reason == reason
    assert late.drivers == ("errors",)
    assert late.missing == (late.reason,)


def test_no_reading_at_all_is_stale() -> None:
    """When readings stop coming the judge notices by the clock."""
    assert ask([both(10)], now=71, share=0.1).guards[0].blind_reason == "stale"
    assert ask([both(10)], now=70, share=0.1).kind != "blind"


def test_before_the_first_reading_the_judge_is_undecided() -> None:
    """The clock starts at the first reading, so a rollout that has just begun is not blind."""
    assert ask([], now=1e9, share=0.1).kind == "undecided"


def test_only_the_old_version_is_expected_at_share_zero_and_only_the_new_one_at_one() -> None:
    """Where a version serves nobody, its silence is no blindness."""
    old = [reading(10.0 * n, 0.0, None, Counts(90, 1)) for n in range(1, 20)]
    new = [reading(10.0 * n, 1.0, Counts(90, 1), None) for n in range(1, 20)]
    assert ask(old, now=190, share=0.0).kind == "healthy"
    assert ask(new, now=190, share=1.0).kind == "healthy"


def test_a_new_stage_has_time_to_produce_its_first_numbers() -> None:
    """The new version's silence counts from the stage's first reading, not from the stages before."""
    waiting = [reading(10.0 * n, 0.0, None, Counts(90, 1), stage="zero") for n in range(1, 20)]
    entered = [*waiting, reading(200, 0.1, None, Counts(90, 1))]
    assert ask(entered, now=200, share=0.1).kind == "undecided"
    silent = [*entered, *(reading(200 + 10.0 * n, 0.1, None, Counts(90, 1)) for n in range(1, 8))]
    assert ask(silent, now=261, share=0.1).guards[0].blind_reason == "candidate_silent"


def test_silence_by_chance_is_not_blindness() -> None:
    """At 1% of a small service most minutes hold no request of the new version; that is not a failure."""
    quiet = [both(10, 0.01), *(reading(10.0 * n, 0.01, None, Counts(10, 0)) for n in range(2, 60))]
    assert ask(quiet, now=590, share=0.01).kind != "blind"
    busy = [both(10, 0.01), *(reading(10.0 * n, 0.01, None, Counts(100, 0)) for n in range(2, 60))]
    assert ask(busy, now=590, share=0.01).guards[0].blind_reason == "candidate_silent"


def test_a_brake_that_is_blind_shows_it_and_blinds_nobody() -> None:
    """Only gates make a verdict blind; the others show their own state."""
    readings = [both(10.0, kpi="speed"), *(both(10.0 * n) for n in range(1, 20))]
    said = ask(readings, now=190, share=0.1)
    assert said.kind == "healthy"
    assert said.guards[1].state == "blind"
    assert said.guards[1].blind_reason == "stale"


@settings(max_examples=25, deadline=None)
@given(silence=st.floats(60.001, 1e7), share=st.sampled_from([0.0, 0.01, 0.5, 1.0]))
def test_blind_is_never_healthy(silence: float, share: float) -> None:
    """However good the numbers were, a gate that has seen nothing for too long passes no stage."""
    good = [both(10.0 * n, share) for n in range(1, 30)]
    assert ask(good, now=290, share=share).kind == "healthy"
    assert ask(good, now=290 + silence, share=share).kind == "blind"


def test_ready_means_enough_and_fresh_numbers_of_the_old_version() -> None:
    """The old version's numbers are ready with 30 trials of every gate, the last within a minute."""
    few = [reading(10, 0.0, None, Counts(29, 0), stage="zero")]
    enough = [*few, reading(20, 0.0, None, Counts(1, 0), stage="zero")]
    assert not ask(few, now=10, share=0.0, stage="zero").baseline_ready
    assert ask(enough, now=80, share=0.0, stage="zero").baseline_ready
    assert not ask(enough, now=81, share=0.0, stage="zero").baseline_ready


def test_a_kpi_of_the_new_version_alone_expects_nothing_of_the_old_one() -> None:
    """Checks of the new version make nobody wait for the old one's; their own silence is blindness."""
    rules = Rules(guards=(GuardRule("checks", "check"),), blind_seconds=60.0)
    seen = [reading(10.0 * n, 0.1, Counts(2, 0), None, kpi="checks") for n in range(1, 9)]
    silent = [reading(10.0 * n, 0.1, None, None, kpi="checks") for n in range(9, 20)]
    state = update(rules, begin(rules), seen)
    assert verdict(rules, state, now=80, stage="one", share=0.1).kind == "healthy"
    said = verdict(rules, update(rules, state, silent), now=190, stage="one", share=0.1)
    assert said.guards[0].blind_reason == "candidate_silent"
    assert verdict(rules, begin(rules), now=80, stage="zero", share=0.0).baseline_ready


def test_traffic_is_that_of_this_stage() -> None:
    """Requests per second of the new version are counted over the stage's own usable intervals."""
    rows = [both(10.0, stage="zero"), both(20.0), reading(30.0, 0.1, Counts(20, 0), Counts(90, 1))]
    rows.append(reading(90.0, 0.1, problem="source_down"))
    sight = update(RULES, begin(RULES), rows).guards[0].sight
    assert trials_per_second(sight, "one") == 30 / 20
    assert trials_per_second(sight, "zero") == 0.0
