"""Worlds that agree with a release: what is known stays, what is open is drawn by its odds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from rollway.choice.condition import Seen, leaves
from rollway.choice.methods import METHODS
from rollway.choice.priors import ASSUMED_RIGHT, LOOKS, ODDS
from rollway.choice.sampling import looks, open_looks, sample
from rollway.choice.worlds import code
from rollway.facts.model import Release
from rollway.readiness import WORDINGS, fact_at
from support.releases import release_with, releases


def test_every_fact_that_a_rule_reads_has_its_odds() -> None:
    """A rule on a fact without odds would be blind to what that fact may be."""
    rules = [row.rule.holds for method in METHODS for row in method.argue.rows]  # type: ignore[attr-defined]
    rules += [demand.needs for method in METHODS for veto in method.vetoes for demand in veto.check.demands]  # type: ignore[attr-defined]
    read = {
        path for rule in rules for leaf in leaves(rule) if not isinstance(leaf, Seen) for path in leaf.facts
    }
    assert read - {"kpis"} == set(ODDS)
    assert set(ODDS) <= set(WORDINGS)


def test_every_closer_look_that_can_be_open_has_its_chance() -> None:
    """Of a bare release every look is either settled or has a chance to say yes."""
    assert set(open_looks(release_with())) <= set(LOOKS) <= set(looks())


@pytest.mark.parametrize("path", ODDS)
def test_odds_add_up_to_one_and_are_values_of_the_fact(path: str) -> None:
    """Each value could stand in a release file."""
    assert sum(chance for _, chance in ODDS[path]) == pytest.approx(1)
    for value, _ in ODDS[path]:
        assert fact_at(release_with({path: value}), path).value == value


def test_unknown_facts_are_drawn_by_their_odds() -> None:
    """With many draws the shares are the odds, within four standard errors."""
    worlds = sample(release_with(), 20_000, 3)
    for path, odds in ODDS.items():
        for value, chance in odds:
            share = float(np.mean(worlds.columns[path] == code(value)))
            assert share == pytest.approx(chance, abs=4 * (chance * (1 - chance) / 20_000) ** 0.5), path


def test_an_assumption_holds_in_most_worlds_and_not_in_all() -> None:
    """Three quarters of the worlds keep it; in the others it is drawn like any unknown."""
    path = "architecture.hardware_install"
    worlds = sample(release_with({path: {"assume": True, "because": "as ever"}}), 20_000, 3)
    share = float(np.mean(worlds.columns[path] == 1.0))
    assert share == pytest.approx(ASSUMED_RIGHT + (1 - ASSUMED_RIGHT) * 0.1, abs=0.02)


@settings(max_examples=20, deadline=None)
@given(releases())
def test_what_is_known_is_drawn_in_no_world(release: Release) -> None:
    """No column replaces a known fact, or a closer look that is settled."""
    worlds = sample(release, 8, 1)
    settled = set(looks()) - set(open_looks(release))
    stated = {path for path in ODDS if fact_at(release, path).state == "known"}
    assert not (stated | settled) & set(worlds.columns)


def test_one_fact_more_leaves_the_other_draws_as_they_were() -> None:
    """Two releases that differ by a fact meet the same luck, so that only the fact makes the difference."""
    one, other = sample(release_with(), 50, 9), sample(release_with({"risks.regulated": True}), 50, 9)
    for path in set(other.columns):
        assert np.array_equal(one.columns[path], other.columns[path])
