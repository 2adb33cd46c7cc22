"""Hard stops: what they stop at, what they say, and that silence never sets one off."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.errors import InputError
from rollway.judge import Counts, GuardRule, Reading, Rules, Verdict, begin, dump, load, update, verdict
from rollway.judge.dispersion import Dispersion

# So noisy that the statistics are slow, and a stop can be seen at work.
NOISY = Dispersion(floor=50.0)
ERRORS = GuardRule("errors", "rate", dispersion=NOISY)
CHECKS = GuardRule("checks", "check")


def ask(rule: GuardRule, rows: list[Any], *, share: float = 0.1, seconds: float = 10.0) -> Verdict:
    """The verdict after readings with these samples of candidate and baseline, saved and loaded between."""
    rules = Rules(guards=(rule,))
    state, end = begin(rules), 0.0
    for row in rows:
        candidate, baseline = row[:2]
        end += seconds
        more = row[2] if len(row) > 2 else {}
        one = Reading(rule.kpi, end - seconds, end, "ten", share, candidate, baseline, **more)
        state = load(rules, json.loads(json.dumps(dump(update(rules, state, [one])), allow_nan=False)))
    return verdict(rules, state, now=end, stage="ten", share=share)


ALL_BAD = (Counts(12, 12), Counts(108, 2))
DOWN = (None, None, {"problem": "source_down"})


def test_nothing_that_succeeds_is_a_stop() -> None:
    """Three intervals and 30 requests without a success, while the old version is well: harmful."""
    assert ask(ERRORS, [ALL_BAD] * 2).kind != "harmful"
    said = ask(ERRORS, [ALL_BAD] * 3)
    assert said.kind == "harmful"
    assert said.is_stop
    assert said.reason == (
        "errors: none of the new version's last 36 requests succeeded (in 30 s), "
        "while 98.1% of the old one's did"
    )
    assert "hard stop" in said.rule
    assert "exempt" in said.rule
    assert said.drivers == ("errors",)
    assert said.harm_log_e < 4


@pytest.mark.parametrize(
    "rows",
    [
        [ALL_BAD, ALL_BAD, (Counts(12, 11), Counts(108, 2)), ALL_BAD, ALL_BAD],
        [(Counts(12, 12), Counts(108, 60))] * 9,
        [(Counts(12, 12), None)] * 9,
        [(Counts(3, 3), Counts(27, 0))] * 9,
    ],
    ids=["one success between", "the old version fails too", "nothing to compare with", "too few requests"],
)
def test_what_is_not_plain_is_left_to_the_statistics(rows: list[Any]) -> None:
    """A success, an old version that is down as well, or a handful of requests: no stop."""
    assert ask(ERRORS, rows).is_stop is False


def test_gaps_neither_count_nor_reset() -> None:
    """Between two intervals with only failures silence may lie; it is no interval with only failures."""
    quiet = [DOWN, (None, None), (Counts(0, 0), Counts(90, 1)), (Counts(5, 9), Counts(1, 0))]
    assert not ask(ERRORS, [ALL_BAD, *quiet, ALL_BAD, *quiet * 5]).is_stop
    assert ask(ERRORS, [ALL_BAD, *quiet, ALL_BAD, *quiet, ALL_BAD]).is_stop


def test_before_exposure_nothing_stops() -> None:
    """At share 0 only those who try the new version by hand meet it."""
    assert ask(ERRORS, [ALL_BAD] * 9, share=0.0).kind != "harmful"


def test_where_fewer_is_worse_no_event_at_all_is_a_stop() -> None:
    """Logins that no longer happen, while most of the old version's do."""
    logins = GuardRule("logins", "rate", direction="less_is_worse", dispersion=NOISY)
    assert ask(logins, [(Counts(12, 0), Counts(108, 100))] * 3).is_stop
    assert not ask(logins, [(Counts(12, 12), Counts(108, 100))] * 9).is_stop


def test_what_is_only_watched_stops_nothing() -> None:
    """A watch has no say, not even in the plainest case."""
    assert ask(replace(ERRORS, say="watch"), [ALL_BAD] * 9).kind != "harmful"


def test_failed_checks_in_a_row_are_a_stop() -> None:
    """Three intervals with only failed health checks; fewer, or a good one between, hold but do not stop."""
    failed = (Counts(2, 2), None)
    said = ask(CHECKS, [failed] * 3)
    assert said.reason == "checks: the new version failed 6 of 6 checks in 3 intervals in a row"
    assert (said.kind, said.is_stop) == ("harmful", True)
    assert ask(CHECKS, [(Counts(2, 0), None), failed]).kind == "undecided"
    assert ask(CHECKS, [failed, failed, (Counts(2, 1), None)] * 3).kind == "healthy"


def test_instances_that_restart_are_counted_like_checks() -> None:
    """With a limit, an interval counts in which so large a part of the instances restarted."""
    restarts = replace(CHECKS, limit=0.5)
    assert ask(restarts, [(Counts(4, 2), Counts(4, 0))] * 3).is_stop
    assert not ask(restarts, [(Counts(4, 1), Counts(4, 0))] * 9).is_stop


def test_checks_that_fail_everywhere_tell_of_the_checks() -> None:
    """Where the old version's checks fail as well, the new version is not blamed."""
    assert not ask(CHECKS, [(Counts(2, 2), Counts(9, 9))] * 9).is_stop


SLO = replace(ERRORS, objective=0.999)


def minutes(number: int, new: tuple[int, int], old: tuple[int, int]) -> list[Any]:
    return [(Counts(*new), Counts(*old))] * number


def test_a_service_that_burns_its_budget_is_a_stop_although_both_versions_are_alike() -> None:
    """3% failing in both for long enough that the last hour burns at 14.4 times: no comparison sees it."""
    well, bad = minutes(60, (100, 0), (900, 0)), minutes(40, (100, 3), (900, 27))
    said = ask(SLO, [*well, *bad], seconds=60.0)
    assert (said.kind, said.is_stop) == ("harmful", True)
    assert said.reason.startswith("errors: both versions together burn the error budget 1")
    assert "the objective is 99.9% good" in said.reason
    assert not ask(SLO, [*well, *bad[:20]], seconds=60.0).is_stop


def test_a_burn_that_is_over_is_no_stop() -> None:
    """The short window must burn as well: an hour that was bad and is well again stops nothing."""
    rows = [
        *minutes(30, (100, 0), (900, 2)),
        *minutes(10, (100, 9), (900, 81)),
        *minutes(5, (100, 0), (900, 0)),
    ]
    assert not ask(replace(SLO, say="watch"), rows, seconds=60.0).is_stop
    before_exposure = Rules(guards=(SLO,))
    state = begin(before_exposure)
    for number, (candidate, baseline) in enumerate(rows):
        share = 0.1 if number >= 44 else 0.0
        one = Reading("errors", 60.0 * number, 60.0 * number + 60, "ten", share, candidate, baseline)
        state = update(before_exposure, state, [one])
    assert state.finding is None


def test_a_few_failures_in_a_quiet_hour_burn_nothing() -> None:
    """Nine failures are 9% of hardly any traffic; that is not yet a fire."""
    assert not ask(SLO, minutes(9, (1, 0), (10, 1)), seconds=30.0).is_stop


@pytest.mark.parametrize(
    "rule",
    [
        GuardRule("errors", "rate", objective=1.0),
        GuardRule("errors", "rate", objective=0.9),
        GuardRule("speed", "latency", objective=0.999),
        GuardRule("checks", "check", limit=0.0),
    ],
)
def test_rules_that_could_never_stop_are_refused(rule: GuardRule) -> None:
    """An objective that cannot be burnt, or that fits no rate, is a mistake in the plan."""
    with pytest.raises(InputError) as error:
        begin(Rules(guards=(rule,)))
    assert len(error.value.details) == 1


rows = st.lists(
    st.tuples(
        st.sampled_from([None, Counts(0, 0), Counts(9, 10), Counts(-1, 0), Counts(20, 1)]),
        st.sampled_from([None, Counts(0, 0), Counts(9, 10), Counts(180, 9)]),
        st.sampled_from([{}, {"problem": "source_down"}, {"problem": "implausible"}]),
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None)
@given(rows=rows, rule=st.sampled_from([ERRORS, CHECKS, SLO]))
def test_silence_and_nonsense_never_stop(rows: list[Any], rule: GuardRule) -> None:
    """Gaps, empty intervals, impossible counts and usual ones in any order: no stop."""
    assert not ask(rule, rows, share=0.1).is_stop


def test_the_memory_is_an_hour_at_most() -> None:
    """After a day the windows hold no more than after an hour."""
    rules = Rules(guards=(SLO,))
    state = begin(rules)
    for n in range(3000):
        one = Reading("errors", 30.0 * n, 30.0 * n + 30, "ten", 0.1, Counts(10, 0), Counts(90, 0))
        state = update(rules, state, [one])
    assert len(state.guards[0].stops.slots) == 60
