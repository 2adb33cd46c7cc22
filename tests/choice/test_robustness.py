"""How far the choice can be trusted: weights, flips, and what is worth finding out."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from rollway.choice import CRITERIA, METHODS, choose, rank
from rollway.choice.describe import flip_words
from rollway.choice.robustness import Change, Flip, Robustness, robustness
from rollway.choice.sampling import looks, sample
from rollway.choice.scoring import NAMES, score, weights_of
from rollway.choice.worlds import Worlds
from rollway.facts.model import MethodName, Release
from support.releases import release_with, releases

FACTS = {
    "architecture.feature_flags": True,
    "architecture.per_version_telemetry": True,
    "architecture.automation": "high",
    "goals.outcome_uncertain": True,
    "goals.cost_matters": True,
    "goals.fast_rollback_needed": True,
    "stakeholders.training_load": "high",
    "agreements.downtime_tolerated": "none",
    "migration.backward_compatible": True,
    "done.tests.rollback_tested": True,
}
WEIGHTS = {"value": 1.0, "risk": 1.5, "compliance": 1.0, "user_readiness": 1.0}


def _release(weights: dict[str, float] | None = None, facts: dict[str, Any] | None = None) -> Release:
    return release_with({**FACTS, **(facts or {})}, goals={"weights": {**WEIGHTS, **(weights or {})}})


def _first(release: Release) -> MethodName | None:
    best = rank(release)[0]
    return None if best.state == "blocked" else best.method


@pytest.fixture(scope="module")
def found() -> Robustness:
    return robustness(_release())


def test_the_interval_of_a_weight_ends_where_another_method_comes_first(found: Robustness) -> None:
    """Just inside it the first method stays first, just outside it another does, by the plain ranking."""
    ends = [(one.criterion, one.low, -1) for one in found.weights if one.low > 0]
    ends += [(one.criterion, one.high, +1) for one in found.weights if one.high < inf]
    assert len(ends) >= 2
    for criterion, end, outwards in ends:
        inside = _release({criterion: end - outwards * 1e-4})
        outside = _release({criterion: end + outwards * 1e-4})
        assert _first(inside) == found.first
        assert _first(outside) != found.first


def test_a_weight_without_an_end_may_be_anything(found: Robustness) -> None:
    """Where no end is named, neither nothing nor a thousand times as much turns the choice."""
    for one in found.weights:
        assert one.low <= one.stated <= one.high
        if one.low == 0:
            assert _first(_release({one.criterion: 0.0})) == found.first
        if one.high == inf:
            assert _first(_release({one.criterion: 1000.0})) == found.first


def test_the_share_of_weightings_is_that_of_the_plain_ranking(found: Robustness) -> None:
    """Two hundred weightings, each ranked by itself, give the share within four standard errors."""
    draws = np.random.default_rng(5).dirichlet(np.ones(len(CRITERIA)), 200)
    firsts = [_first(_release(dict(zip(CRITERIA, map(float, row), strict=True)))) for row in draws]
    assert found.first is not None
    share = found.by_weights[found.first]
    assert 0.1 < share < 0.999
    error = 4 * np.sqrt(share * (1 - share) / len(draws))
    assert firsts.count(found.first) / len(draws) == pytest.approx(share, abs=error)


def test_shares_add_up_to_one(found: Robustness) -> None:
    """Every draw has one winner."""
    for shares in (found.by_weights, found.by_unknowns, found.by_both):
        assert set(shares) == set(NAMES)
        assert sum(shares.values()) == pytest.approx(1.0)


def test_a_flip_turns_the_choice_as_it_says(found: Robustness) -> None:
    """Made in the release file, the change leads to the method that was named."""
    plain = [flip for flip in found.flips if not {one.path for one in flip.changes} & set(looks())]
    assert plain
    for flip in plain:
        changed = _release(facts={one.path: one.becomes for one in flip.changes})
        assert _first(changed) == flip.to != found.first


def test_pairs_are_only_named_where_no_single_change_turns_the_choice() -> None:
    """A flip is a smallest one: all that are named have the same number of changes."""
    for release in (_release(), release_with({"backlog.modular": True})):
        assert len({len(flip.changes) for flip in robustness(release, draws=100).flips}) == 1


def test_from_nothing_nothing_is_turned() -> None:
    """Where no fact is known there is no answer yet, and so no change that would turn it."""
    assert robustness(release_with(), draws=100).flips == ()
    assert robustness(release_with(goals={"objective": "better reports"}), draws=100).flips == ()
    assert robustness(release_with({"backlog.modular": True}), draws=100).flips
    assert robustness(release_with({"migration.backward_compatible": False}), draws=100).flips


GATE = {"name": "errors", "kind": "rate", "signal": {"type": "scrape"}}
ITEM = {"id": "A-1", "title": "New form"}
LEVEL = {"name": "up", "objective": "99%"}
LOOKED: list[tuple[str, bool, dict[str, Any]]] = [
    ("criteria fixed", True, {"kpis": [GATE]}),
    ("criteria fixed", False, {"kpis": [{**GATE, "say": "watch"}]}),
    ("thin budget", True, {"agreements": {"service_levels": [{**LEVEL, "error_budget_left": 0.1}]}}),
    ("thin budget", False, {"agreements": {"service_levels": [{**LEVEL, "error_budget_left": 0.9}]}}),
    ("work changes", True, {"backlog": {"items": [{**ITEM, "touches": ["workflow"]}]}}),
    ("work changes", False, {"backlog": {"items": [{**ITEM, "touches": ["ui"]}]}}),
    ("exit rule", True, {"migration": {"parallel_exit_rule": "two month-ends"}}),
    ("exit rule", False, {"migration": {"parallel_exit_rule": "none"}}),
    (
        "third parties not ready",
        True,
        {"architecture": {"third_parties": [{"name": "Cards", "ready": False}]}},
    ),
]


@pytest.mark.parametrize(("name", "value", "written"), LOOKED)
def test_a_closer_look_turns_out_as_a_file_that_says_so(
    name: str, value: bool, written: dict[str, Any]
) -> None:
    """What is not known yet, turned into a yes or no for a what-if, is judged like the same thing written."""
    base = {"goals.user_feedback_needed": True, "architecture.feature_flags": True}
    release = release_with(base)
    assert looks()[name](release).holds is None
    weights = weights_of(release.goals.weights)
    supposed = score(Worlds(release, 1, {name: np.array([float(value)])})).standing(weights)[0]
    stated = release_with(base, **written)
    assert looks()[name](stated).holds is value
    assert supposed == pytest.approx(score(Worlds(stated, 1, {})).standing(weights)[0])


def test_a_closer_look_can_turn_the_choice_and_is_told_as_one() -> None:
    """Nobody has looked for an exit rule; without one the parallel run is refused, and a cutover is left."""
    facts = {
        "migration.backward_compatible": False,
        "migration.dual_run_feasible": True,
        "migration.side_effects_suppressed": True,
        "migration.reconciliation_rules": True,
    }
    flips = robustness(release_with(facts), draws=100).flips
    turned = next(flip for flip in flips if flip.changes[0].path == "exit rule")
    assert turned == Flip((Change("exit rule", None, False),), "big_bang")
    assert _first(release_with(facts)) == "parallel"
    assert _first(release_with({**facts, "migration.parallel_exit_rule": "none"})) == "big_bang"
    told = flip_words(choose(release_with(facts)), turned)
    assert told == "Big-bang comes first if exit rule: no (now unknown)."


def test_questions_are_about_unknowns_and_the_most_worth_comes_first(found: Robustness) -> None:
    """What is known is not asked; worth is a gain, and falls."""
    worths = [question.worth for question in robustness(release_with()).questions]
    assert worths
    assert worths == sorted(worths, reverse=True)
    assert min(worths) > 0
    assert not {question.path for question in found.questions} & set(FACTS)


def test_the_worth_of_a_fact_is_what_knowing_it_gains() -> None:
    """Worked out from the same draws: the best for each answer, less the best without an answer."""
    release = release_with()
    question = robustness(release).questions[0]
    worlds = sample(release, 2000, 20_000)
    gains = score(worlds).gain(weights_of(release.goals.weights))
    column = worlds.columns[question.path]
    knowing = sum(gains[column == value].sum(axis=0).max() for value in np.unique(column)) / 2000
    assert question.worth == pytest.approx(knowing - gains.mean(axis=0).max())
    assert 0 <= question.turns <= 1


def test_the_same_seed_gives_the_same_answer_and_another_seed_another(found: Robustness) -> None:
    """A page that is loaded twice shows the same figures."""
    assert robustness(_release()) == found
    assert robustness(_release(), seed=1).by_both != found.by_both


def test_facts_that_are_all_blocked_have_no_first_method() -> None:
    """Then weights decide nothing, and the flips say what would open a method."""
    facts = {"migration.backward_compatible": False, "migration.dual_run_feasible": False}
    release = release_with({**facts, "done.tests.rollback_tested": False})
    found = robustness(release, draws=200)
    assert (found.first, found.by_weights, found.weights) == (None, {}, ())
    assert any(flip.to == "big_bang" for flip in found.flips)


@settings(max_examples=60, deadline=None)
@given(releases())
def test_many_worlds_are_judged_like_one_release(release: Release) -> None:
    """The arithmetic on arrays and the ranking that people read give the same figures and the same first."""
    scores = score(Worlds(release, 2, {}))
    weights = weights_of(release.goals.weights)
    ranked = {one.method: one for one in rank(release)}
    for index, method in enumerate(METHODS):
        one = ranked[method.name]
        assert scores.criteria[1, index] == pytest.approx([one.criteria[name] for name in CRITERIA])
        assert scores.mean(weights)[1, index] == pytest.approx(one.score)
        state = "blocked" if scores.blocked[1, index] else "unknown" if scores.open[1, index] else "allowed"
        assert state == one.state
    winner = int(scores.winner(weights)[1])
    assert (NAMES[winner] if winner >= 0 else None) == _first(release)


@settings(max_examples=12, deadline=None)
@given(releases())
def test_any_release_has_an_answer_without_nan(release: Release) -> None:
    """Whatever is stated, shares are numbers and intervals hold the stated weight's first method."""
    found = robustness(release, draws=60)
    for shares in (found.by_unknowns, found.by_both):
        assert sum(shares.values()) == pytest.approx(1.0)
    for one in found.weights:
        assert 0 <= one.low <= one.high
