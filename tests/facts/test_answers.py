"""What people type, as the value that goes into the file."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.facts.answers import answer_from, forms_of
from rollway.facts.words import Misfit
from rollway.readiness.reasons import REASONS

FLAG, LEVEL = "architecture.feature_flags", "architecture.telemetry"


@pytest.mark.parametrize(
    ("path", "typed", "value"),
    [
        (FLAG, "yes", True),
        (FLAG, "Y", True),
        (FLAG, "nein", False),
        (FLAG, "true", True),
        (FLAG, "yes (Jo, platform team)", {"value": True, "source": "Jo, platform team"}),
        (FLAG, "assume yes because as in 2.3", {"assume": True, "because": "as in 2.3"}),
        (FLAG, "assume no", {"assume": False}),
        (FLAG, "~ yes, since they told us", {"assume": True, "because": "they told us"}),
        (FLAG, "", None),
        (FLAG, "?", None),
        (FLAG, "I don't know", None),
        (FLAG, "? ask Jo", {"value": "unknown", "source": "ask Jo"}),
        (FLAG, "don't know, Jo may", {"value": "unknown", "source": "Jo may"}),
        (LEVEL, "high", "high"),
        (LEVEL, "m", "medium"),
        ("release.change", "new increment", "new_increment"),
        ("agreements.downtime_tolerated", "none", "none"),
        ("done.tests.coverage", "87%", 0.87),
        ("done.tests.coverage", "0.87", 0.87),
        ("stakeholders.users", "12 000", 12000),
        ("stakeholders.users", "12'000", 12000),
        ("architecture.requests_per_second", "2.5 (Grafana)", {"value": 2.5, "source": "Grafana"}),
        ("migration.duration", "1h 30m", "1h30m"),
        ("goals.deadline", "2026-11-05", "2026-11-05"),
        ("done.accepted_by", "Ines (Product Owner)", "Ines (Product Owner)"),
        ("done.accepted_by", "assume nothing", "assume nothing"),
        (
            "migration.parallel_exit_rule",
            "two month ends without a difference",
            "two month ends without a difference",
        ),
        ("goals.objective", "  Faster   reports ", "Faster reports"),
        ("goals.objective", "? ask Jo", None),
        ("agreements.approvers", "ines, tomas,, ines", ["ines", "tomas"]),
    ],
)
def test_what_is_typed_is_what_is_meant(path: str, typed: str, value: Any) -> None:
    """Known, known by somebody, assumed, unknown, unknown with a name; short forms of words and figures."""
    assert answer_from(path, typed).value == value


@pytest.mark.parametrize(
    ("path", "typed", "told"),
    [
        (FLAG, "maybe", "'maybe' is neither true nor false"),
        (LEVEL, "hgih", "'hgih' is not one of low, medium, high; did you mean 'high'?"),
        ("stakeholders.users", "many", "'many' is not a whole number"),
        ("migration.duration", "90", "write the unit too, such as '90m'"),
        ("goals.deadline", "5.11.2026", "write year-month-day"),
        ("migration.duration", "assume 90 because x", "write the unit too"),
    ],
)
def test_what_cannot_be_meant_is_told(path: str, typed: str, told: str) -> None:
    """In the words in which the loader tells it."""
    with pytest.raises(Misfit) as caught:
        answer_from(path, typed)
    assert told in f"{caught.value.message}; {caught.value.suggestion}"


@pytest.mark.parametrize(
    ("path", "forms"),
    [
        (FLAG, "yes or no"),
        (LEVEL, "low, medium, high"),
        ("done.tests.coverage", "a share such as 85%"),
        ("migration.duration", "a duration such as 45m, 2h or 1h30m"),
        ("agreements.approvers", "names, separated by commas"),
        ("goals.objective", "text"),
    ],
)
def test_the_form_of_the_answer_is_said(path: str, forms: str) -> None:
    """Words to choose from, or the kind of value."""
    assert forms_of(path) == forms


@given(st.sampled_from(sorted(REASONS)), st.text(max_size=20))
def test_anything_typed_is_an_answer_or_a_misfit(path: str, typed: str) -> None:
    """Nobody is thrown out of an interview by a slip."""
    with suppress(Misfit):
        answer_from(path, typed)
