"""Past weeks in the old version's place: weak, honest about it, and never enough by themselves."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest

from rollway.errors import InputError
from rollway.judge import Counts, GuardRule, Moments, Past, Reading, Rules, Verdict, begin, update, verdict
from rollway.judge.kinds.past import rank_e_value

WEEKS = (0.020, 0.021, 0.019, 0.022, 0.020, 0.018, 0.021, 0.020)


def ask(
    rule: GuardRule,
    rows: list[tuple[Any, Any]],
    *,
    margins: dict[str, float] | None = None,
    share: float = 1.0,
) -> Verdict:
    rules = Rules(guards=(rule,), margins={"all": margins or {}}, planned_seconds=3600.0, blind_seconds=600.0)
    state = begin(rules)
    for number, (candidate, past) in enumerate(rows):
        one = Reading(rule.kpi, 300.0 * number, 300.0 * (number + 1), "all", share, candidate, past)
        state = update(rules, state, [one])
    return verdict(rules, state, now=300.0 * len(rows), stage="all", share=share)


PLAIN = GuardRule("errors", "past")
GOOD, WORSE = Counts(1000, 20), Counts(1000, 60)


@pytest.mark.parametrize("direction", ["more_is_worse", "less_is_worse"])
def test_a_rank_is_an_e_value(direction: str) -> None:
    """Whichever of the K + 1 figures is this week's, the e-values average to 1; ties only lower them."""
    figures = np.array([3.0, 1.0, 4.0, 1.5, 9.0, 2.6])
    values = [rank_e_value(float(x), figures[figures != x], direction) for x in figures]
    assert np.mean(values) == pytest.approx(1.0)
    tied = np.array([0.0, 0.0, 0.0, 1.0])
    values = [rank_e_value(float(tied[i]), np.delete(tied, i), direction) for i in range(4)]
    assert np.mean(values) <= 1.0


def test_ranks_that_depend_on_each_other_keep_the_promise() -> None:
    """A day that is unusual from morning to night: the evidence reaches 5 in at most a fifth of the days."""
    rng = np.random.default_rng(71)
    reached = 0
    for _ in range(150):
        days = rng.normal(0.0, 0.2, 9)
        rows: list[tuple[Any, Any]] = []
        for _ in range(12):
            rates = np.clip(0.02 * np.exp(days + rng.normal(0, 0.01, 9)), 0, 1)
            rows.append((Counts(10**6, round(1e6 * rates[0])), Past(tuple(rates[1:]))))
        reached += ask(GuardRule("errors", "past", tolerance=1.0), rows).harm_log_e >= math.log(5)
    assert reached <= 30


def test_the_worst_of_all_weeks_is_suspicious_but_never_enough() -> None:
    """However long it lasts, K past weeks bear evidence of less than K + 1."""
    said = ask(PLAIN, [(WORSE, Past(WEEKS))] * 400)
    assert said.kind == "undecided"
    assert 3 < math.exp(said.harm_log_e) < len(WEEKS) + 1
    assert said.guards[0].is_weak
    assert said.guards[0].ratio == pytest.approx(0.06 / np.mean(WEEKS))


def test_a_week_like_the_others_is_no_evidence() -> None:
    """Within tolerance of the past the evidence falls below 1."""
    assert ask(PLAIN, [(GOOD, Past(WEEKS))] * 12).harm_log_e < 0


def test_the_absolute_limit_stops_where_the_past_cannot() -> None:
    """With a limit the same numbers are harmful, and the sentence names the limit."""
    said = ask(GuardRule("errors", "past", limit=0.04), [(WORSE, Past(WEEKS))] * 6)
    assert said.kind == "harmful"
    assert "above the limit of 4.0%" in said.reason


def test_the_past_promotes_nothing_without_a_limit() -> None:
    """Where a margin is asked for, past weeks alone leave it to a person; a limit can be shown."""
    rows = [(GOOD, Past(WEEKS))] * 24
    said = ask(PLAIN, rows, margins={"errors": 1.5})
    assert said.kind == "undecided"
    assert "past weeks cannot show it" in said.missing[0]
    shown = ask(GuardRule("errors", "past", limit=0.04), rows, margins={"errors": 1.5})
    assert shown.kind == "healthy"
    assert "errors is below its limit of 4.0% (weak: nothing ran beside the new version)" in shown.reason


def test_at_the_limit_safety_is_seldom_shown() -> None:
    """A rate of exactly the limit is taken for safe in at most 5% of the stages."""
    rng = np.random.default_rng(73)
    rule = GuardRule("errors", "past", limit=0.04)
    shown = 0
    for _ in range(200):
        rows = [(Counts(500, int(rng.binomial(500, 0.04))), Past(WEEKS)) for _ in range(10)]
        shown += ask(rule, rows, margins={"errors": 1.5}).guards[0].safe_log_e >= math.log(20)
    assert shown <= 10 + 3 * math.sqrt(10)


@pytest.mark.parametrize("past", [None, Past(()), Past((0.02, 0.02))])
def test_fewer_than_three_weeks_are_blind(past: Any) -> None:
    """Too few weeks are no evidence, and after a while the verdict says that they are what is missing."""
    said = ask(PLAIN, [(GOOD, Past(WEEKS)), *[(WORSE, past)] * 4])
    assert (said.kind, said.guards[0].blind_reason) == ("blind", "no_past")


@pytest.mark.parametrize(
    ("candidate", "past"),
    [
        (GOOD, Past((0.1, math.nan, 0.2))),
        (GOOD, Counts(9, 1)),
        (Past(WEEKS), Past(WEEKS)),
        (Counts(1, 2), None),
    ],
)
def test_what_cannot_be_right_is_implausible(candidate: Any, past: Any) -> None:
    """NaN among the weeks, or samples in the wrong place, are never evidence."""
    said = ask(PLAIN, [(candidate, past)] * 4)
    assert (said.kind, said.guards[0].blind_reason) == ("blind", "implausible")
    assert said.guards[0].candidate_trials == 0


@pytest.mark.parametrize(
    ("direction", "sign"), list(product(["more_is_worse", "less_is_worse"], [1.0, -1.0]))
)
def test_tolerance_never_makes_a_claim_stronger(direction: Any, sign: float) -> None:
    """For figures above and below zero, and both directions, more tolerance is less evidence."""
    past = Past(tuple(sign * value for value in (10.0, 11.0, 12.0, 13.0)))
    figure = sign * 11.5
    found = [
        ask(
            GuardRule("revenue", "past", direction=direction, tolerance=tolerance),
            [(Moments(10, 10 * figure, 1e4), past)] * 6,
        ).harm_log_e
        for tolerance in (1.0, 1.3)
    ]
    assert found[1] < found[0]


def test_at_the_end_nothing_of_the_old_version_is_expected() -> None:
    """At any share the past stands in for the old version, so its silence blinds nobody."""
    assert ask(PLAIN, [(GOOD, Past(WEEKS))] * 6, share=0.5).kind == "healthy"


def test_a_limit_on_what_less_is_worse_of_is_refused() -> None:
    """A limit is a rate not to be exceeded."""
    with pytest.raises(InputError):
        begin(Rules(guards=(GuardRule("orders", "past", limit=0.1, direction="less_is_worse"),)))
