"""Where less is worse: orders, logins, anything good of which there must not be less."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from rollway.judge import Counts, GuardRule, Reading, Rules, Verdict, begin, replay, update
from rollway.judge import comparison as comparisons
from rollway.judge.onset import Interval
from rollway.judge.processes import Arms

RULES = Rules(
    (GuardRule("orders", "rate", direction="less_is_worse", tolerance=1.1),),
    margins={"ten": {"orders": 1.3}},
    planned_seconds=1200,
)
RUNS = 600


def course(
    *, new: float, old: float, ticks: int = 60, share: float = 0.1, seed: int = 7, rules: Rules = RULES
) -> list[Verdict]:
    """Verdicts over ticks of 10 s with 1,000 sessions each, at these rates of orders."""
    rng = np.random.default_rng(seed)
    readings = []
    for i in range(ticks):
        trials = int(rng.binomial(1000, share))
        readings.append(
            Reading(
                "orders",
                10.0 * i,
                10.0 * i + 10,
                "ten",
                share,
                Counts(trials, int(rng.binomial(trials, new))),
                Counts(1000 - trials, int(rng.binomial(1000 - trials, old))),
            )
        )
    return replay(rules, readings)


def test_a_drop_is_found_and_a_rise_is_not_harm() -> None:
    """Orders at 0.4 times the old rate stop the release; two and a half times as many do not."""
    assert course(new=0.02, old=0.05)[-1].kind == "harmful"
    assert all(said.kind != "harmful" for said in course(new=0.125, old=0.05))


def test_the_accusation_names_the_ratio_the_right_way_round() -> None:
    """People read new against old, also where the test bets the other way round."""
    said = next(v for v in course(new=0.02, old=0.05, ticks=100) if v.kind == "harmful")
    assert "the new version's rate is 0." in said.reason
    assert "times the old one's" in said.reason
    told = float(said.reason.split("rate is ")[1].split(" times")[0])
    assert 0.2 < told < 0.7


def test_what_people_see_is_not_swapped() -> None:
    """Rates are each arm's own, and the ratio with its bounds is candidate/baseline."""
    guard = course(new=0.03, old=0.05, ticks=300)[-1].guards[0]
    assert guard.candidate_rate == pytest.approx(0.03, rel=0.1)
    assert guard.baseline_rate == pytest.approx(0.05, rel=0.1)
    assert guard.ratio == pytest.approx(0.6, rel=0.12)
    assert guard.ratio_low is not None
    assert guard.ratio_high is not None
    assert guard.ratio_low < 0.6 < guard.ratio_high < 1


def test_as_many_orders_as_before_pass_the_margin() -> None:
    """A healthy version shows that the old rate is below 1.3 times its own, and one at 0.7 never does."""
    assert course(new=0.05, old=0.05, ticks=200)[-1].kind == "healthy"
    mild = replace(RULES, guards=(replace(RULES.guards[0], tolerance=2.0),))
    assert all(said.kind == "undecided" for said in course(new=0.035, old=0.05, ticks=200, rules=mild))


def test_safety_is_told_as_the_ratio_that_the_margin_bounds() -> None:
    """What is compared with a margin of 1.3 is old over new."""
    from rollway.judge.kinds import KINDS

    rule, kind = RULES.guards[0], KINDS["rate"]
    reading = Reading("orders", 0.0, 10.0, "ten", 0.5, Counts(1000, 40), Counts(1000, 80))
    state = kind.absorb(rule, RULES, kind.begin(), reading)
    assert kind.safety(rule, RULES, state, "ten").ratio == pytest.approx(2.0)
    empty = replace(reading, candidate=Counts(1000, 0))
    assert kind.safety(rule, RULES, kind.absorb(rule, RULES, kind.begin(), empty), "ten").ratio is None


def test_no_order_at_all_is_the_clearest_drop() -> None:
    """A rate of zero is found as well, and told as zero times."""
    said = course(new=0.0, old=0.05)[-1]
    assert said.kind == "harmful"
    assert "(0% against" in said.reason


@pytest.mark.parametrize("tolerance", [1.0, 1.1])
def test_a_drop_that_is_tolerated_is_seldom_rolled_back(tolerance: float) -> None:
    """At exactly 1/tolerance of a drifting base rate false rollbacks stay within alpha, at every look."""
    rng, found = np.random.default_rng(47), np.full(RUNS, -np.inf)
    compared = comparisons.start(RUNS)
    for tick in range(60):
        base = 0.03 * (1 + math.sin(tick / 10) / 2)
        share = (0.01, 0.1, 0.5)[tick // 20]
        new, old = rng.poisson(2000 * share, RUNS), rng.poisson(2000 * (1 - share), RUNS)
        counts = new, rng.binomial(new, base / tolerance), old, rng.binomial(old, base)
        compared = comparisons.compare(
            compared,
            Arms(*(each.astype(np.float64) for each in counts)),
            Interval(str(share), 10.0 * tick, 10.0, 600.0),
            tolerance=tolerance,
            margin=None,
            direction="less_is_worse",
        )
        found = np.maximum(found, comparisons.harm_of(compared, 600.0))
    assert np.mean(found >= math.log(20)) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / RUNS)


def test_the_rate_must_not_fall_below_its_limit() -> None:
    """Both versions fall to 2% where the limit is 3%: no ratio shows it, the limit does, in words too."""
    with_limit = replace(RULES, guards=(replace(RULES.guards[0], limit=0.03),))
    said = course(new=0.02, old=0.02, ticks=300, rules=with_limit)[-1]
    assert said.kind == "harmful"
    assert "below the limit of 3.0%" in said.reason
    assert "rate is 2." in said.reason or "rate is 1." in said.reason
    assert course(new=0.05, old=0.05, ticks=300, rules=with_limit)[-1].kind == "healthy"


def test_a_limit_above_is_still_told_as_above() -> None:
    """Where more is worse the words for a limit stay what they were."""
    rules = Rules((GuardRule("orders", "rate", limit=0.03),))
    readings = [
        Reading("orders", 10.0 * i, 10.0 * i + 10, "all", 1.0, Counts(1000, 90), None) for i in range(20)
    ]
    finding = update(rules, begin(rules), readings).finding
    assert finding is not None
    assert "above the limit of 3.0%" in finding.reason
