"""The choice as a whole: a person's word, explanations, questions, and no method at all."""

from __future__ import annotations

import time

from rollway.choice import METHODS, choose
from rollway.facts.model import Release
from support.releases import release_with

ALL_BLOCKED = {
    "migration.backward_compatible": False,
    "migration.dual_run_feasible": False,
    "done.tests.rollback_tested": False,
}


def _quick(release: Release) -> float:
    started = time.perf_counter()
    choose(release)
    return time.perf_counter() - started


def test_a_persons_word_is_chosen_and_the_recommendation_stays_visible() -> None:
    """Chosen is what was asked for with its reason; recommended is what the facts say, and dissents."""
    wish = {"method": "phased", "because": "the regions have their own calendars"}
    facts = {"goals.compare_results_needed": True, "risks.regulated": True}
    choice = choose(release_with(facts, rollout=wish))
    assert (choice.chosen, choice.recommended) == ("phased", "parallel")
    assert choice.because == "the regions have their own calendars"
    assert choice.sequence == ("phased",)
    assert "“the regions have their own calendars”" in choice.reasons[0]
    assert "The best case for Parallel" in choice.dissent


def test_a_word_without_grounds_is_shown_as_such() -> None:
    """An overrule without a reason is carried out, and its lack of a reason is on record."""
    choice = choose(release_with({"backlog.modular": True}, rollout={"method": "canary"}))
    assert choice.chosen == "canary"
    assert "no grounds are on record" in choice.reasons[0]


def test_asking_for_what_is_recommended_is_no_overrule() -> None:
    """Then there is nothing to dissent from, and the reason is kept."""
    wish = {"method": "phased", "because": "by module"}
    choice = choose(release_with({"backlog.modular": True}, rollout=wish))
    assert choice.chosen == choice.recommended == "phased"
    assert choice.because == "by module"
    assert choice.reasons[0].startswith("Phased, because ")


def test_a_violated_veto_stays_visible_on_what_a_person_chose() -> None:
    """The choice obeys the person and hides nothing: the method is blocked, with evidence and remedy."""
    wish = {"method": "big_bang", "because": "it is only a weekend"}
    choice = choose(release_with({"done.tests.rollback_tested": False}, rollout=wish))
    assert choice.chosen == "big_bang"
    assert choice.of("big_bang").state == "blocked"
    assert "it stays refused, because V1 does not hold" in choice.reasons[0]


def test_without_any_open_method_the_release_is_not_ready() -> None:
    """Nothing is recommended or planned; the nearest method and what unlocks it are named."""
    choice = choose(release_with(ALL_BLOCKED))
    assert {one.state for one in choice.ranking} == {"blocked"}
    assert (choice.recommended, choice.chosen, choice.sequence) == (None, None, ())
    assert choice.reasons[0].startswith("Not ready: every method is refused; nearest is ")
    assert "to lift it" in choice.reasons[0]
    assert all(" refused, because V" in reason for reason in choice.reasons[1:])


def test_one_unlocked_veto_makes_the_release_ready_again() -> None:
    """With the rollback tested the big bang is open once more: the unlock that was named does unlock."""
    choice = choose(release_with({**ALL_BLOCKED, "done.tests.rollback_tested": True}))
    assert choice.recommended == "big_bang"


def test_unknowns_do_not_block_and_are_named_as_open() -> None:
    """With two facts there is still an answer, which says what is open and asks for it."""
    choice = choose(release_with({"stakeholders.sites": 20, "stakeholders.groups_alike": True}))
    assert choice.recommended == "pilot"
    assert "still open: V2, V10, V18" in choice.reasons[0]
    asked = " ".join(choice.next_questions)
    assert "architecture.all_switch_together" in asked
    assert "V10 for Pilot" in asked


def test_questions_are_few_and_never_about_what_is_known() -> None:
    """Five at most, those that settle the first method's hard rules before all others."""
    facts = {"migration.backward_compatible": True, "architecture.all_switch_together": False}
    choice = choose(release_with({**facts, "stakeholders.groups_alike": True, "stakeholders.sites": 9}))
    assert 0 < len(choice.next_questions) <= 5
    assert "V18 for Pilot" in choice.next_questions[0]
    assert not any(path in " ".join(choice.next_questions) for path in facts)


def test_every_method_is_accounted_for_in_at_most_six_sentences() -> None:
    """Who reads the reasons finds each method once, chosen, lost or refused."""
    facts = {"stakeholders.sites": 20, "migration.dual_run_feasible": False, "goals.urgency": "low"}
    choice = choose(release_with(facts))
    assert len(choice.reasons) == 6
    starts = [reason.split(",")[0].split(" lost")[0].split(" refused")[0] for reason in choice.reasons]
    assert {start.split(" fits")[0] for start in starts} == {method.title for method in METHODS}


def test_a_close_runner_up_is_called_close() -> None:
    """The dissent gives the best case for the next method, and says when little separates the two."""
    choice = choose(release_with({"stakeholders.sites": 20, "stakeholders.groups_alike": True}))
    assert choice.dissent.startswith("It is close. The best case for Phased (")
    assert "sites: 20" in choice.dissent


def test_a_better_fit_with_open_rules_is_told_apart_from_a_worse_one() -> None:
    """An allowed method before a slightly better one says that hard rules are open, not that it lost."""
    facts = {
        "migration.dual_run_feasible": True,
        "migration.side_effects_suppressed": True,
        "migration.reconciliation_rules": True,
        "migration.parallel_exit_rule": "one month-end",
        "stakeholders.users": 20_000,
        "backlog.modular": True,
    }
    choice = choose(release_with(facts))
    assert choice.recommended == "parallel"
    assert any(reason.startswith("Phased fits no worse") for reason in choice.reasons)


def test_a_choice_takes_less_than_five_milliseconds() -> None:
    """A page may ask for it on every change of a fact."""
    facts = {"risks.regulated": True, "stakeholders.sites": 840, "architecture.requests_per_second": 40}
    release = release_with(
        facts, kpis=[{"name": "e", "kind": "rate", "expected": 0.01, "signal": {"type": "x"}}]
    )
    choose(release)
    assert min(_quick(release) for _ in range(20)) < 0.005
