"""The words in which the choice reaches people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rollway.choice import choose
from rollway.choice.describe import Section, flip_words, headline, sections
from rollway.choice.outcomes import Outcomes, simulate
from rollway.choice.robustness import Change, Flip, robustness
from rollway.facts.model import Release
from support.releases import release_with

BEFORE_CHRISTMAS = {"agreements.peak_season": True, "backlog.modular": True}
NOT_NOW = "Not on this date, whatever the method"


def _read(release: Release, **parts: Any) -> dict[str, str]:
    return {title: "\n".join(lines) for title, lines in sections(choose(release), **parts)}


def test_what_stops_the_date_is_told_apart_from_what_blocks_a_method() -> None:
    """A reader at ten in the evening sees that the method stands and the week does not."""
    told = _read(release_with({**BEFORE_CHRISTMAS, "done.tests.rollback_tested": False}))
    assert "block no method" in told[NOT_NOW].splitlines()[0]
    assert "V15  The date lies outside freezes and the busiest season" in told[NOT_NOW]
    assert "V15" not in told["Ranking"]
    assert "blocked   V1: " in told["Ranking"]
    assert "V1 " not in told[NOT_NOW]


def test_a_date_that_nothing_stops_has_no_words() -> None:
    """What is merely not known yet about the date does not push itself forward."""
    assert NOT_NOW not in _read(release_with({"backlog.modular": True}))


def test_rules_that_are_only_named_by_number_come_with_the_way_to_their_words() -> None:
    """Whoever reads "open: V2" for the first time is told how to ask what V2 is."""
    ranking = _read(release_with({"backlog.modular": True}))["Ranking"]
    assert ranking.splitlines()[-1] == "What V2 and the others ask for: --why phased"
    late = _read(release_with({**BEFORE_CHRISTMAS}))[NOT_NOW]
    assert "not known yet: V12" in late
    assert "`rollway assess`" in late


def test_an_answer_that_the_unknowns_may_turn_says_so() -> None:
    """Two figures that speak for two methods stand there with a word on which to trust for what."""
    bank = {
        "risks.failure_impact": "critical",
        "risks.regulated": True,
        "goals.compare_results_needed": True,
        "goals.fast_rollback_needed": True,
        "stakeholders.sites": 40,
        "stakeholders.groups_alike": True,
    }
    release = release_with(bank)
    found = robustness(release, draws=300)
    assert choose(release).recommended == "parallel"
    turned = replace(found, by_unknowns={**dict.fromkeys(found.by_unknowns, 0.0), "pilot": 1.0})
    stays = replace(found, by_unknowns={**dict.fromkeys(found.by_unknowns, 0.0), "parallel": 1.0})
    told = _read(release, robustness=turned)["How sure"]
    assert "Parallel rests on what is stated; what is still unknown may well turn it to Pilot." in told
    assert "rests on what is stated" not in _read(release, robustness=stays)["How sure"]


def test_a_change_that_would_turn_it_is_told_with_what_is_so_now() -> None:
    """The label keeps its form, be it a noun or a clause, and the value of today stands beside it."""
    release = release_with({"goals.compare_results_needed": True})
    choice = choose(release)
    stated = Flip((Change("goals.compare_results_needed", True, False),), "pilot")
    assert flip_words(choice, stated) == (
        "Pilot comes first if comparison of old and new results needed: no (now yes)."
    )


def test_a_file_that_says_nothing_is_told_no_flips() -> None:
    """There is no answer yet that one fact more could turn."""
    empty, some = release_with(), release_with({"backlog.modular": True})
    assert "comes first if" not in _read(empty, robustness=robustness(empty, draws=50))["How sure"]
    assert "comes first if" in _read(some, robustness=robustness(some, draws=50))["How sure"]


def test_a_mean_above_its_range_is_explained_and_only_then() -> None:
    """A few very bad draws lift a mean over nine tenths of all draws, which looks like a slip."""
    release = release_with({"backlog.modular": True})
    outcomes = simulate(release, draws=200)

    def lines(found: Outcomes) -> str:
        return next(text for title, text in _read(release, outcomes=found).items() if "may bring" in title)

    row = outcomes.rows[0]
    calm = replace(row, harmed_if_faulty=replace(row.harmed_if_faulty, mean=1.0, low=0.0, high=2.0))
    skew = replace(row, harmed_if_faulty=replace(row.harmed_if_faulty, mean=3.0, low=0.0, high=2.0))
    assert "above its range" in lines(replace(outcomes, rows=(skew, *[calm] * 5)))
    assert "above its range" not in lines(replace(outcomes, rows=(calm,) * 6))


def test_the_headline_says_how_far_it_is_an_answer() -> None:
    """Recommended, not known yet, or not ready."""
    blocked = {
        "migration.backward_compatible": False,
        "migration.dual_run_feasible": False,
        "done.tests.rollback_tested": False,
    }
    assert headline(choose(release_with({"backlog.modular": True}))) == "Recommended: Phased"
    assert headline(choose(release_with())).startswith("Not known yet: ")
    assert (
        headline(choose(release_with(blocked))) == "Not ready: every method is blocked; Big-bang is nearest"
    )
    assert isinstance(next(iter(sections(choose(release_with())))), Section)
