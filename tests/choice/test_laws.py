"""What holds for the choice of any release."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.choice import CRITERIA, METHODS, Method, Reason, choose, rank
from rollway.choice.holds import HOLDS
from rollway.facts.model import Release
from rollway.readiness import fact_at
from support.releases import TYPES, known, put, release_files, releases, values_of


@settings(max_examples=80, deadline=None)
@given(releases())
def test_the_choice_answers_any_release(release: Release) -> None:
    """It never raises; scores are within 0 and 1; only an open method is recommended; the verdict fits."""
    choice = choose(release)
    for one in choice.ranking:
        assert set(one.criteria) == set(CRITERIA)
        assert all(0 < figure < 1 for figure in [one.score, *one.criteria.values()])
    states = {one.method: one.state for one in choice.ranking}
    assert choice.recommended is None or states[choice.recommended] != "blocked"
    assert (choice.verdict == "not_ready") is (set(states.values()) == {"blocked"})
    assert (choice.recommended is None) is (choice.verdict != "recommended")
    assert choice.leaning in states
    assert choice.chosen == (release.rollout.method or choice.recommended)
    assert bool(choice.sequence) is (choice.chosen is not None)
    assert 6 <= len(choice.reasons) <= 7
    assert len(choice.next_questions) <= 5
    asked = [path for path in TYPES if any(f"({path})" in text for text in choice.next_questions)]
    assert all(fact_at(release, path).state != "known" for path in asked)


@settings(max_examples=60, deadline=None)
@given(releases(), st.sampled_from(METHODS))
def test_taking_a_method_away_leaves_the_order_of_the_rest(release: Release, gone: Any) -> None:
    """No rank reversal: what is left stands exactly as it stood before, with the same figures."""
    before = [one for one in rank(release) if one.method != gone.name]
    assert list(rank(release, [method for method in METHODS if method is not gone])) == before


@settings(max_examples=40, deadline=None)
@given(releases(), st.sampled_from(METHODS), st.integers(-40, 40))
def test_adding_a_method_leaves_the_order_of_the_rest(release: Release, like: Any, points: int) -> None:
    """A newcomer, good or bad, takes its own place and moves no other."""
    reason = Reason("F0", "risk", points / 4, "A reason.")
    newcomer = Method("newcomer", "Newcomer", "", like.vetoes, lambda _: (reason,))  # type: ignore[arg-type]
    after = [one for one in rank(release, [*METHODS, newcomer]) if one.title != "Newcomer"]
    assert after == list(rank(release))


@settings(max_examples=120, deadline=None)
@given(release_files(), st.data())
def test_more_evidence_never_overturns_a_settled_veto(raw: dict[str, Any], data: st.DataObject) -> None:
    """Whatever an unknown fact turns out to be, satisfied stays satisfied and violated stays violated."""
    release = Release.model_validate(raw)
    unknown = unknown_in(release)
    if not unknown:
        return
    path = data.draw(st.sampled_from(unknown))
    told = copy.deepcopy(raw)
    put(told, path, known(data.draw(st.sampled_from(values_of(TYPES[path])))))
    later = Release.model_validate(told)
    for method in METHODS:
        for veto in method.vetoes:
            before, after = veto.check(release).state, veto.check(later).state
            assert before in ("unknown", after)


def unknown_in(release: Release) -> list[str]:
    """The facts that nothing tells: how long a change window is, the windows tell where there are any."""
    told = {"agreements.window_duration"} if release.agreements.windows else set()
    return [path for path in TYPES if path not in told and not fact_at(release, path).is_stated]


@settings(max_examples=120, deadline=None)
@given(release_files(), st.data())
def test_more_evidence_never_violates_what_held_a_date_free(raw: dict[str, Any], data: st.DataObject) -> None:
    """A rule about the date that is satisfied stays so, whatever an unknown fact turns out to be."""
    release = Release.model_validate(raw)
    unknown = unknown_in(release)
    satisfied = [hold for hold in HOLDS if hold.check(release).state == "satisfied"]
    if not unknown or not satisfied:
        return
    told = copy.deepcopy(raw)
    path = data.draw(st.sampled_from(unknown))
    put(told, path, known(data.draw(st.sampled_from(values_of(TYPES[path])))))
    later = Release.model_validate(told)
    assert {hold.check(later).state for hold in satisfied} == {"satisfied"}


@settings(max_examples=30, deadline=None)
@given(releases())
def test_equal_facts_give_equal_choices(release: Release) -> None:
    """The choice is a function of the facts alone, so a plan made from it can be made again."""
    assert choose(release) == choose(Release.model_validate(release.model_dump()))
