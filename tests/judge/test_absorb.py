"""Readings in: order, repetition, silence and nonsense."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.judge import (
    Counts,
    GuardRule,
    Histogram,
    Reading,
    Rules,
    begin,
    dump,
    update,
    verdict,
)

BOUNDS = (0.1, 0.5, 1.0)
RULES = Rules(
    guards=(
        GuardRule("errors", "rate", limit=0.3),
        GuardRule("latency", "latency", limit=0.2, limit_seconds=1.0),
        GuardRule("logins", "rate", say="brake", weight=2.0),
    ),
    margins={"one": {"errors": 2.0, "latency": 2.0}},
)

trials = st.one_of(st.integers(0, 400), st.just(10**12))


@st.composite
def counts(draw: st.DrawFn) -> Counts:
    number = draw(trials)
    return Counts(number, draw(st.integers(0, number)))


histograms = st.lists(trials, min_size=4, max_size=4).map(lambda n: Histogram(BOUNDS, tuple(n)))
nonsense = st.sampled_from(
    [
        Counts(-1, 0),
        Counts(5, 6),
        Counts(10, -2),
        Counts(10**400, 1),
        Counts(math.nan, 0),  # type: ignore[arg-type]
        Counts("many", 0),  # type: ignore[arg-type]
        Histogram(BOUNDS, (1, 2, 3)),
        Histogram((0.5, 0.1, 1.0), (1, 2, 3, 4)),
        Histogram(BOUNDS, (1, -2, 3, 4)),
        Histogram((), (4,)),
        Histogram((0.1, 0.5, math.inf), (1, 2, 3, 4)),
        "not a sample",
    ]
)


@st.composite
def readings(draw: st.DrawFn, *, only_sound: bool = False) -> list[Reading]:
    found = []
    for tick in range(draw(st.integers(1, 8))):
        stage, share = draw(st.sampled_from([("zero", 0.0), ("one", 0.01), ("half", 0.5), ("full", 1.0)]))
        for kpi in draw(st.lists(st.sampled_from(["errors", "latency", "logins"]), unique=True)):
            sample: Any = st.none() | (histograms if kpi == "latency" else counts())
            if not only_sound:
                sample = sample | nonsense
            is_down = not only_sound and draw(st.integers(0, 3)) == 3
            place = (10.0 * tick, 10.0 * tick + 10, stage, share)
            found.append(Reading(kpi, *place, draw(sample), draw(sample), "source_down" if is_down else None))
    return found


def text(state: Any) -> str:
    return json.dumps(dump(state), allow_nan=False, sort_keys=True)


@settings(max_examples=25, deadline=None)
@given(given=readings())
def test_no_reading_breaks_the_judge(given: list[Reading]) -> None:
    """Negative counts, wrong kinds, missing arms, huge numbers: always a verdict with finite numbers."""
    state = update(RULES, begin(RULES), given)
    said = verdict(RULES, state, now=100.0, stage="one", share=0.01)
    json.dumps(said.to_json(), allow_nan=False)
    assert text(state)
    assert said.kind in ("healthy", "harmful", "undecided", "blind")


@settings(max_examples=25, deadline=None)
@given(given=readings())
def test_a_second_reading_of_the_same_moment_is_ignored(given: list[Reading]) -> None:
    """Sending everything twice, or in another order, changes nothing."""
    once = update(RULES, begin(RULES), given)
    assert text(update(RULES, once, given)) == text(once)
    assert text(update(RULES, begin(RULES), [*given, *given])) == text(once)
    assert text(update(RULES, begin(RULES), sorted(given, key=lambda r: r.end))) == text(once)


@settings(max_examples=25, deadline=None)
@given(given=readings())
def test_one_by_one_is_the_same_as_all_at_once(given: list[Reading]) -> None:
    """What the judge knows depends on the readings, not on how they were delivered."""
    state = begin(RULES)
    for end in sorted({reading.end for reading in given}):
        state = update(RULES, state, [reading for reading in given if reading.end == end])
    assert text(state) == text(update(RULES, begin(RULES), given))


@settings(max_examples=25, deadline=None)
@given(given=readings(only_sound=True), share=st.sampled_from([0.0, 0.01, 0.5, 1.0]))
def test_silence_is_no_evidence(given: list[Reading], share: float) -> None:
    """Intervals without trials, or without an answer, leave every e-value exactly as it was."""
    state = update(RULES, begin(RULES), given)
    place = (1000.0, 1010.0, "new", share)
    silent = [
        Reading("errors", *place, Counts(0, 0), Counts(0, 0)),
        Reading("latency", *place, None, None),
        Reading("logins", *place, problem="source_down"),
    ]
    after = update(RULES, state, silent)
    before, said = (verdict(RULES, s, now=1010.0, stage="one", share=share) for s in (state, after))
    assert said.harm_log_e == before.harm_log_e
    assert [g.harm_log_e for g in said.guards] == [g.harm_log_e for g in before.guards]
    assert [g.safe_log_e for g in said.guards] == [g.safe_log_e for g in before.guards]


@settings(max_examples=25, deadline=None)
@given(given=readings(only_sound=True))
def test_one_version_alone_is_no_evidence_of_a_difference(given: list[Reading]) -> None:
    """Without the old version the comparison stays at e = 1, whatever the new one does."""
    rules = replace(RULES, guards=tuple(replace(rule, limit=None) for rule in RULES.guards))
    alone = [replace(reading, baseline=None) for reading in given]
    said = verdict(rules, update(rules, begin(rules), alone), now=100.0, stage="one", share=0.5)
    assert said.harm_log_e == pytest.approx(0.0, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(given=readings(only_sound=True))
def test_names_and_order_of_kpis_do_not_matter(given: list[Reading]) -> None:
    """Renaming the KPIs and listing them the other way round gives the same evidence."""
    names = {"errors": "c", "latency": "b", "logins": "a"}
    guards = tuple(replace(rule, kpi=names[rule.kpi]) for rule in reversed(RULES.guards))
    margins = {"one": {"c": 2.0, "b": 2.0}}
    other = replace(RULES, guards=guards, margins=margins)
    renamed = [replace(reading, kpi=names[reading.kpi]) for reading in given]
    first = verdict(RULES, update(RULES, begin(RULES), given), now=100.0, stage="one", share=0.01)
    second = verdict(other, update(other, begin(other), renamed), now=100.0, stage="one", share=0.01)
    assert first.kind == second.kind
    assert first.harm_log_e == pytest.approx(second.harm_log_e)


def test_unknown_kpis_and_impossible_times_are_ignored() -> None:
    """A reading that no rule asks for, or that has no place in time, leaves the state as it was."""
    state = begin(RULES)
    strangers = [
        Reading("unknown", 0, 10, "one", 0.1, Counts(1, 1), Counts(1, 1)),
        Reading("errors", 0, math.nan, "one", 0.1, Counts(1, 1), Counts(1, 1)),
        Reading("errors", 0, math.inf, "one", 0.1, Counts(1, 1), Counts(1, 1)),
    ]
    assert update(RULES, state, strangers) is state


@pytest.mark.parametrize(
    "bad",
    [
        Reading("errors", 20, 10, "one", 0.1, Counts(100, 90), Counts(900, 9)),
        Reading("errors", 0, 10, "one", 1.5, Counts(100, 90), Counts(900, 9)),
        Reading("errors", math.nan, 10, "one", 0.1, Counts(100, 90), Counts(900, 9)),
        Reading("errors", 0, 10, "one", 0.1, Counts(100, 101), Counts(900, 9)),
        Reading("errors", 0, 10, "one", 0.1, Counts(100, 90), Counts(-900, 0)),
        Reading("errors", 0, 10, "one", 0.1, Histogram(BOUNDS, (1, 2, 3, 90)), Counts(900, 9)),
        Reading("latency", 0, 10, "one", 0.1, Counts(100, 90), Counts(900, 9)),
    ],
)
def test_what_cannot_be_right_is_never_evidence(bad: Reading) -> None:
    """A reading whose numbers contradict themselves counts for nothing, even where half of it is sound."""
    state = update(RULES, begin(RULES), [bad])
    said = verdict(RULES, state, now=10.0, stage="one", share=0.1)
    assert said.harm_log_e == 0.0
    assert all(guard.candidate_trials == guard.baseline_trials == 0 for guard in said.guards)
    late = verdict(RULES, state, now=500.0, stage="one", share=0.1)
    assert late.guards[[g.kpi for g in late.guards].index(bad.kpi)].blind_reason == "implausible"


def test_bounds_with_nothing_in_common_are_implausible() -> None:
    """A histogram that shares no bound with those before, or with the other arm's, is not compared."""
    place = ("one", 0.5, Histogram(BOUNDS, (300, 50, 20, 5)))
    other = Histogram((0.2, 0.6, 2.0), (300, 50, 20, 5))
    first = Reading("latency", 0, 10, *place, Histogram(BOUNDS, (300, 50, 20, 5)))
    state = update(RULES, begin(RULES), [first])
    for changed in (
        Reading("latency", 10, 20, *place, other),
        Reading("latency", 10, 20, "one", 0.5, other, other),
    ):
        after = update(RULES, state, [changed])
        assert after.guards[1].sight.problem == "implausible"
        assert after.guards[1].evidence is state.guards[1].evidence
