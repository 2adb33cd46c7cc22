"""Conditions: strict and loose, told with evidence, and over many worlds at once."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.choice.condition import (
    Also,
    AtLeast,
    Condition,
    Given,
    Unless,
    all_of,
    any_of,
    below,
    is_,
    no,
    yes,
)
from rollway.choice.methods import METHODS
from rollway.choice.sampling import sample
from rollway.choice.worlds import Worlds, code
from rollway.facts.model import Release
from rollway.readiness import fact_at
from support.releases import TYPES, known, put, release_files, release_with, releases, values_of

FLAGS, TELEMETRY = "architecture.feature_flags", "architecture.per_version_telemetry"
CONDITIONS: list[Condition] = [
    yes(FLAGS),
    no(FLAGS),
    is_("risks.failure_impact", "high", "critical"),
    AtLeast("stakeholders.sites", 3),
    below("architecture.requests_per_second", 1.0),
    all_of(yes(FLAGS), yes(TELEMETRY)),
    any_of(yes(FLAGS), yes(TELEMETRY)),
    any_of(yes(FLAGS), yes(TELEMETRY), is_("architecture.automation", "high"), count=2),
]
RULES = list({id(row.rule): row.rule for method in METHODS for row in method.argue.rows}.values())  # type: ignore[attr-defined]


def _over(condition: Condition, release: Release, *, strict: bool) -> bool | None:
    good, bad = condition.over(Worlds(release, 1, {}), strict=strict)
    return True if bool(good) else False if bool(bad) else None


@settings(max_examples=60, deadline=None)
@given(releases())
def test_asked_of_one_release_or_of_its_world_the_answer_is_the_same(release: Release) -> None:
    """Strictly, three-valued; loosely, it holds in the world exactly where it can be told of the release."""
    for condition in CONDITIONS:
        assert _over(condition, release, strict=True) == condition.ask(release).holds
    for rule in RULES:
        assert (_over(rule.holds, release, strict=False) is True) == bool(rule.state(release)), rule.title


def test_an_assumption_weighs_and_proves_nothing() -> None:
    """A rule that weighs fires on it, a hard rule stays open."""
    release = release_with({FLAGS: {"assume": True, "because": "as in 2.3"}})
    assert yes(FLAGS).told(release) is not None
    assert yes(FLAGS).ask(release).holds is None
    assert no(FLAGS).ask(release).holds is False


def test_unless_holds_on_the_unknown_and_cites_nothing() -> None:
    """It only asks that nothing is known to the contrary."""
    condition = Unless(yes(FLAGS))
    assert condition.told(release_with()) == ()
    assert condition.told(release_with({FLAGS: False})) == ()
    assert condition.told(release_with({FLAGS: True})) is None


def test_also_never_decides_and_cites_where_it_holds() -> None:
    """Evidence that makes a reason stronger is quoted, and not asked for."""
    condition = all_of(yes(FLAGS), Also(yes(TELEMETRY)))
    plain, more = release_with({FLAGS: True}), release_with({FLAGS: True, TELEMETRY: True})
    assert len(condition.told(plain) or ()) == 1
    assert len(condition.told(more) or ()) == 2


def test_given_decides_and_cites_nothing() -> None:
    """What a point rests on is asked for, and not quoted beside it."""
    condition = all_of(yes(FLAGS), Given(yes(TELEMETRY)))
    assert condition.told(release_with({FLAGS: True})) is None
    assert condition.ask(release_with({FLAGS: True})).facts == (TELEMETRY,)
    both = release_with({FLAGS: True, TELEMETRY: True})
    assert condition.told(both) == yes(FLAGS).told(both)


def test_words_of_one_fact_have_codes_of_their_own() -> None:
    """Two values of a fact must not look the same to the arithmetic."""
    for path, kind in TYPES.items():
        values = [value for value in values_of(kind) if path != "done.accepted_by"]
        codes = [code(Release.model_validate(_raw(path, value)) and _value(path, value)) for value in values]
        assert len(set(codes)) == len(codes), path


def _raw(path: str, value: Any) -> dict[str, Any]:
    raw: dict[str, Any] = {"release": {"name": "a", "version": "1"}}
    put(raw, path, known(value))
    return raw


def _value(path: str, value: Any) -> Any:
    return fact_at(Release.model_validate(_raw(path, value)), path).value


@settings(max_examples=20, deadline=None)
@given(release_files(), st.integers(0, 3))
def test_a_drawn_world_is_judged_like_a_release_that_states_it(raw: dict[str, Any], row: int) -> None:
    """The row of a column, written into the release as a known fact, gives the answer of that row."""
    release = Release.model_validate(raw)
    worlds = sample(release, 4, 11)
    for condition in CONDITIONS[:5]:
        (path,) = condition.facts
        good, bad = condition.over(worlds, strict=True)
        value = next(
            (
                one
                for one in _values(path)
                if path in worlds.columns and code(one) == worlds.columns[path][row]
            ),
            fact_at(release, path).value,
        )
        told = copy.deepcopy(raw)
        put(told, path, known(value))
        answer = condition.ask(Release.model_validate(told)).holds
        assert bool(np.broadcast_to(good, 4)[row]) is (answer is True)
        assert bool(np.broadcast_to(bad, 4)[row]) is (answer is False)


def _values(path: str) -> list[Any]:
    from rollway.choice.priors import ODDS

    return [value for value, _ in ODDS[path]]
