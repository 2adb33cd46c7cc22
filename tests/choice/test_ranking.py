"""States, scores and order."""

from __future__ import annotations

import math

import pytest

from rollway.choice import METHODS, rank
from rollway.choice.model import Method, MethodState, Reason, Veto, VetoResult, VetoState
from rollway.choice.ranking import OPEN_QUESTION_COST, judge_method, method_state, standing
from support.releases import release_with


def _method(name: str, points: float, state: VetoState = "satisfied") -> Method:
    veto = Veto("V0", "a rule", lambda _: VetoResult("V0", "a rule", state, ""))
    reason = Reason("F0", "risk", points, "A reason.")
    return Method(name, name, "", (veto,), lambda _: (reason,))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["satisfied", "satisfied"], "allowed"),
        (["satisfied", "unknown"], "unknown"),
        (["unknown", "violated"], "blocked"),
        ([], "allowed"),
    ],
)
def test_one_violated_veto_blocks_and_one_open_veto_leaves_open(
    states: list[VetoState], expected: MethodState
) -> None:
    """Violated wins over unknown, unknown over satisfied."""
    assert method_state([VetoResult("V0", "", state, "") for state in states]) == expected


def test_a_score_is_the_mean_of_logistic_criteria() -> None:
    """Four points of risk give 1/(1+1/e) there and a half elsewhere."""
    ranked = judge_method(release_with(), _method("canary", 4.0))
    risk = 1 / (1 + math.exp(-1))
    assert ranked.criteria == {"value": 0.5, "risk": risk, "compliance": 0.5, "user_readiness": 0.5}
    assert ranked.score == pytest.approx((1.5 + risk) / 4)


def test_weights_of_the_goals_decide_how_much_a_criterion_counts() -> None:
    """With all weight on risk the score is that criterion's; with none at all the criteria count equally."""
    method = _method("canary", 2.0)
    only_risk = {"value": 0, "risk": 2, "compliance": 0, "user_readiness": 0}
    ranked = judge_method(release_with(goals={"weights": only_risk}), method)
    assert ranked.score == pytest.approx(ranked.criteria["risk"])
    none = judge_method(release_with(goals={"weights": dict.fromkeys(only_risk, 0)}), method)
    assert none.score == pytest.approx(judge_method(release_with(), method).score)


def test_a_better_fit_wins_over_an_open_veto_but_a_close_one_does_not() -> None:
    """Open vetoes cost a fixed little: an allowed method wins when scores are close, and only then."""
    release = release_with()
    allowed, close = _method("pilot", 1.0), _method("canary", 2.0, "unknown")
    assert [one.method for one in rank(release, [close, allowed])] == ["pilot", "canary"]
    clear = _method("canary", 4.0, "unknown")
    assert [one.method for one in rank(release, [allowed, clear])] == ["canary", "pilot"]
    top = rank(release, [clear])[0]
    assert standing(top) == pytest.approx(top.score - OPEN_QUESTION_COST)


def test_a_blocked_method_comes_last_however_well_it_fits() -> None:
    """No score lifts a violated veto."""
    ranking = rank(release_with(), [_method("canary", 8.0, "violated"), _method("pilot", -8.0)])
    assert [one.method for one in ranking] == ["pilot", "canary"]


def test_ties_keep_the_order_that_exposes_the_fewest_first() -> None:
    """Where nothing is known all scores are a half, and the pilot comes first, the big bang last."""
    ranking = rank(release_with())
    assert {one.score for one in ranking} == {0.5}
    assert [one.method for one in ranking] == [method.name for method in METHODS]
    assert (ranking[0].method, ranking[-1].method) == ("pilot", "big_bang")
