"""Three-valued answers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.readiness import Answer, asks, either, every, no, yes
from support.releases import release_with

HOLDS = st.sampled_from([True, False, None])


def _answers(values: list[bool | None]) -> list[Answer]:
    return [
        Answer(value, f"fact {i}", () if value is not None else (f"p.{i}",)) for i, value in enumerate(values)
    ]


@settings(deadline=None)
@given(st.lists(HOLDS, min_size=1, max_size=5))
def test_every_is_no_by_one_no_and_open_by_one_unknown(values: list[bool | None]) -> None:
    """`every` follows Kleene: one no settles it, else one unknown leaves it open."""
    expected = False if False in values else None if None in values else True
    assert every(*_answers(values)).holds is expected


@settings(deadline=None)
@given(st.lists(HOLDS, min_size=1, max_size=5))
def test_either_is_the_mirror_of_every(values: list[bool | None]) -> None:
    """De Morgan: either(x) is the negation of every(not x)."""
    mirrored = [None if value is None else not value for value in values]
    opposite = every(*_answers(mirrored)).holds
    assert either(*_answers(values)).holds is (None if opposite is None else not opposite)


@settings(deadline=None)
@given(st.lists(HOLDS, min_size=1, max_size=5))
def test_only_an_open_answer_names_facts_that_would_settle_it(values: list[bool | None]) -> None:
    """A settled answer asks for nothing; an open one names each unknown fact."""
    for joined in (every(*_answers(values)), either(*_answers(values))):
        assert bool(joined.facts) is (joined.holds is None)


def test_an_absent_fact_is_unknown_to_yes_and_to_no() -> None:
    """What nobody said is neither yes nor no, and the answer names the fact to ask for."""
    release = release_with()
    for answer in (yes(release, "risks.regulated"), no(release, "risks.regulated")):
        assert answer.holds is None
        assert answer.facts == ("risks.regulated",)


def test_a_stated_fact_is_cited_with_its_source() -> None:
    """The evidence gives label, value and source."""
    answer = yes(release_with({"risks.regulated": True}), "risks.regulated")
    assert answer == Answer(True, "regulated: yes (facts.yaml:risks.regulated)")


@pytest.mark.parametrize(("value", "holds"), [(True, None), (False, False)])
def test_an_assumption_is_no_evidence(value: bool, holds: bool | None) -> None:
    """A good assumption leaves the answer open, a bad one counts as a no; both are shown as assumed."""
    release = release_with({"architecture.sessions_drain": {"assume": value, "because": "like last year"}})
    answer = yes(release, "architecture.sessions_drain")
    assert answer.holds is holds
    assert "assumed: like last year" in answer.evidence


def test_a_predicate_decides_about_other_values() -> None:
    """`asks` takes any test of the value."""
    release = release_with({"done.tests.failed": 3})
    assert asks(release, "done.tests.failed", lambda count: count == 0).holds is False
    assert asks(release, "done.tests.failed", lambda count: count < 5).holds is True
