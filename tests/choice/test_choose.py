"""The choice as a whole: a person's word, explanations, questions, and no method at all."""

from __future__ import annotations

import time
from dataclasses import replace

from rollway.choice import METHODS, choose, rank
from rollway.choice.explain import figures, why_not
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


def test_a_word_for_a_method_of_which_nothing_is_shown_names_what_is_open() -> None:
    """A big-bang without a word on its rollback is not passed over in silence."""
    wish = {"method": "big_bang", "because": "a weekend is enough"}
    told = choose(release_with({"risks.regulated": True, "risks.failure_impact": "high"}, rollout=wish))
    assert told.of("big_bang").state == "unknown"
    assert "nobody has shown yet that this holds: V1 (Rollback and data recovery" in told.reasons[0]


def test_two_scores_beside_each_other_show_which_is_higher() -> None:
    """What lost by a hair does not read as a tie."""
    first, *_ = rank(release_with({"backlog.modular": True}))
    assert figures(replace(first, score=0.5912), replace(first, score=0.5889)) == "0.591 against 0.589"
    assert figures(replace(first, score=0.61), replace(first, score=0.59)) == "0.61 against 0.59"
    assert figures(first, first).split(" against ")[0] == f"{first.score:.2f}"


def test_what_is_level_has_not_lost() -> None:
    """Equal scores are told as equal, whatever speaks against the one that comes second."""
    first, *_, last = rank(release_with({"backlog.modular": True, "goals.outcome_uncertain": True}))
    level = replace(last, score=first.score, state=first.state)
    assert any(reason.points < 0 for reason in level.reasons)
    assert why_not(level, first, set()).startswith(f"{level.title} fits as well (")


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


def test_one_argument_is_enough_where_nothing_outweighs_it() -> None:
    """Who says little gets an answer from the little that is said."""
    assert choose(release_with({"goals.urgency": "low"})).recommended == "pilot"
    assert choose(release_with({"stakeholders.users_external": True})).recommended is None


def test_more_against_than_for_is_recommended_only_where_it_is_ahead() -> None:
    """What cannot coexist leaves the cutover alone on the field; a bad lot that is level leaves it open."""
    alone = {"migration.backward_compatible": False, "migration.dual_run_feasible": False}
    grave = choose(release_with({**alone, "risks.failure_impact": "high"}))
    assert sum(reason.points for reason in grave.of("big_bang").reasons) < 0
    assert grave.recommended == "big_bang"
    level = choose(release_with({"migration.rehearsed": False, "goals.deadline_fixed": True}))
    assert sum(reason.points for reason in level.ranking[0].reasons) == 0
    assert (level.verdict, level.recommended) == ("unsettled", None)


def test_a_choice_takes_less_than_five_milliseconds() -> None:
    """A page may ask for it on every change of a fact."""
    facts = {"risks.regulated": True, "stakeholders.sites": 840, "architecture.requests_per_second": 40}
    release = release_with(
        facts, kpis=[{"name": "e", "kind": "rate", "expected": 0.01, "signal": {"type": "x"}}]
    )
    choose(release)
    assert min(_quick(release) for _ in range(20)) < 0.005
