"""A rollout's share becomes a flagd definition, and is read back from it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.errors import InputError
from rollway.flags import FlagError, evaluate, exposure_definition, read_definitions, served_share

USERS = [f"user-{number}" for number in range(20_000)]


def definition(share: float, salt: str = "checkout", **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "key": "checkout",
        "candidate_variant": "on",
        "baseline_variant": "off",
        "variants": {"on": True, "off": False},
        "share": share,
        "salt": salt,
    }
    return exposure_definition(**{**given, **changes})


def exposed(share: float, salt: str = "checkout") -> set[str]:
    flags = read_definitions({"flags": {"checkout": definition(share, salt)}})
    return {
        user
        for user in USERS
        if evaluate(flags, "checkout", {"targetingKey": user}, timestamp=0).value is True
    }


@pytest.mark.parametrize("share", [0.01, 0.1, 0.25, 0.5, 0.9])
def test_the_share_is_served(share: float) -> None:
    """Of 20,000 users the share sees the candidate, within four standard deviations."""
    assert abs(len(exposed(share)) - share * 20_000) < 4 * math.sqrt(20_000 * share * (1 - share))


def test_nobody_who_was_exposed_loses_it_while_the_share_grows() -> None:
    """From the first user to the last stage, each set of users holds the one before."""
    before: set[str] = set()
    for share in (0.0, 0.0005, 0.01, 0.05, 0.1, 0.25, 1 / 3, 0.5, 0.9, 0.99, 1.0):
        now = exposed(share)
        assert before <= now, share
        before = now
    assert len(before) == len(USERS)


def groups(share: float, control: float) -> dict[str, set[str]]:
    """The users of each variant."""
    flags = read_definitions({"flags": {"checkout": sampled(share, control)}})
    found: dict[str, set[str]] = {"on": set(), "off": set(), "control": set()}
    for user in USERS:
        found[str(evaluate(flags, "checkout", {"targetingKey": user}, timestamp=0).variant)].add(user)
    return found


def sampled(share: float, control: float, **changes: Any) -> dict[str, Any]:
    variants = {"on": True, "off": False, "control": False}
    return definition(share, variants=variants, control=control, control_variant="control", **changes)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.25, 0.5])
def test_the_control_group_is_as_large_as_the_exposed_one(share: float) -> None:
    """Of 20,000 users each group has its share, within four standard deviations; nobody is in both."""
    found = groups(share, share)
    for variant in ("on", "control"):
        assert abs(len(found[variant]) - share * 20_000) < 4 * math.sqrt(20_000 * share * (1 - share))


def test_nobody_changes_sides_while_both_groups_grow() -> None:
    """Who has the new version keeps it; who is in the control group leaves it for the new version only, and
    only once nobody else is left."""
    before = groups(0.0, 0.01)
    for share in (0.01, 0.05, 0.25, 0.5, 0.75, 0.95):
        now = groups(share, min(share, 1 - share))
        assert before["on"] <= now["on"], share
        assert before["control"] <= now["control"] | (now["on"] if share > 0.5 else set()), share
        before = now
    assert before["off"] == set()


@given(st.floats(0, 1), st.floats(0, 1))
def test_both_shares_are_read_back(share: float, control: float) -> None:
    """To 1/100,000, whatever the two are, as long as they are no more than everybody."""
    if share + control > 1:
        with pytest.raises(InputError, match="more users than there are"):
            sampled(share, control + 1e-4 if share + control < 1 + 1e-4 else control)
        return
    there = sampled(share, control)
    assert served_share(there, "on") == pytest.approx(share, abs=1e-5)
    assert served_share(there, "control") == pytest.approx(control if share < 1 else 0.0, abs=2e-5)
    assert (served_share(there, "on") == 0) == (share == 0)


def test_an_anonymous_user_is_in_no_control_group() -> None:
    """Without a key nobody can stay in a group, so their figures are compared with nothing."""
    flags = read_definitions({"flags": {"checkout": sampled(0.5, 0.5)}})
    for context in ({}, {"targetingKey": ""}, {"targetingKey": None}):
        assert evaluate(flags, "checkout", context, timestamp=0).variant == "off"


def test_without_a_control_group_the_definition_is_what_it_was() -> None:
    """Clients that have it cached see no change."""
    assert definition(0.3)["targeting"] == {
        "if": [
            {"var": "targetingKey"},
            {"fractional": [{"cat": ["checkout", {"var": "targetingKey"}]}, ["on", 30_000], ["off", 70_000]]},
            "off",
        ]
    }


def test_another_salt_starts_with_other_users() -> None:
    """The next release is not always tried out on the same people."""
    first, second = exposed(0.1, "checkout:a:"), exposed(0.1, "checkout:b:")
    assert len(first & second) < 0.2 * len(first)


@given(st.floats(0, 1))
def test_the_share_is_read_back(share: float) -> None:
    """To 1/200,000, exactly for shares of up to five decimals, and never nobody or everybody by rounding."""
    there = definition(share)
    served = served_share(there, "on")
    assert abs(served - share) <= (0.5e-5 if 1e-5 <= share <= 1 - 1e-5 else 1e-5) + 1e-12
    assert (served == 0) == (share == 0)
    assert (served == 1) == (share == 1)
    assert served_share(there, "off") == pytest.approx(1 - served, abs=1e-12)
    assert served_share(definition(round(share, 5)), "on") == round(share, 5)


@pytest.mark.parametrize(
    ("share", "value"), [(0, False), (0.00001, False), (0.5, False), (0.99999, False), (1, True)]
)
def test_an_anonymous_user_gets_the_baseline_until_all_get_the_candidate(share: float, value: bool) -> None:
    """Without a key nobody can be served the same twice; so no part of the anonymous is exposed."""
    flags = read_definitions({"flags": {"checkout": definition(share)}})
    for context in ({}, {"targetingKey": ""}, {"targetingKey": None}):
        assert evaluate(flags, "checkout", context, timestamp=0).value is value


def test_share_zero_and_one_do_not_hash() -> None:
    """The ends are plain defaults, that no client of any generation can read otherwise."""
    assert "targeting" not in definition(0)
    assert definition(0)["defaultVariant"] == "off"
    assert "targeting" not in definition(1)
    assert definition(1)["defaultVariant"] == "on"


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"share": 1.5}, "1.5 is no share"),
        ({"share": -0.1}, "-0.1 is no share"),
        ({"share": math.nan}, "NaN is no share"),
        ({"share": "0.5"}, '"0.5" is no share'),
        ({"salt": ""}, '"" is no salt'),
        ({"salt": " a"}, '" a" is no salt'),
        ({"baseline_variant": "on"}, 'both "on"'),
        ({"candidate_variant": "new"}, '"new"'),
        ({"baseline_variant": "old"}, '"old"'),
        ({"variants": {"on": 1, "off": "x"}}, "several types"),
        ({"control": 1.5}, "1.5 is no share"),
        ({"control": 0.6, "control_variant": "off"}, "more users than there are"),
        ({"control": 0.1, "control_variant": "control"}, '"control"'),
    ],
)
def test_what_cannot_be_exposed_is_refused(changes: dict[str, Any], part: str) -> None:
    """The message names the flag and what is wrong with the order."""
    with pytest.raises(InputError) as caught:
        definition(**{"share": 0.5, **changes})
    assert part in str(caught.value)
    assert 'flag "checkout"' in str(caught.value)


def foreign(targeting: Any, default: str | None = "off", state: str = "ENABLED") -> dict[str, Any]:
    return {
        "state": state,
        "variants": {"on": True, "off": False},
        "defaultVariant": default,
        "targeting": targeting,
    }


@pytest.mark.parametrize(
    ("there", "share"),
    [
        (foreign({}), 0.0),
        (foreign({}, default="on"), 1.0),
        (foreign({}, default=None), 0.0),
        (foreign(None, default="on", state="DISABLED"), 0.0),
        (foreign({"if": [True, "on"]}), 1.0),
        (foreign({"if": [{"var": "staff"}, "on"]}), 0.0),
        (foreign({"fractional": [["off", 70], ["on", 30]]}), 0.3),
        (foreign({"fractional": [{"var": "email"}, ["on", 30], ["off", 70]]}), 0.0),
        (foreign({"if": [{"==": [{"var": "$flagd.timestamp"}, 7]}, "on"]}), 1.0),
        (foreign({"fractional": [["on", {"-": [{"var": "$flagd.timestamp"}, 2]}], ["off", 5]]}), 0.5),
    ],
)
def test_a_foreign_definition_is_counted(there: dict[str, Any], share: float) -> None:
    """What somebody else wrote into the flag is read as users would meet it, within two percent."""
    assert served_share(there, "on", key="checkout", timestamp=7) == pytest.approx(share, abs=0.02)


def test_one_that_only_looks_like_ours_is_counted() -> None:
    """A hand on one number or one operator is enough for the definition to be measured, not believed."""
    there = definition(0.3)
    there["targeting"]["if"][1]["fractional"][1][1] = 90_000
    assert served_share(there, "on") == pytest.approx(90 / 160, abs=0.02)
    there = definition(0.3)
    there["targeting"]["if"][0] = False
    assert served_share(there, "on") == 0.0
    there = definition(0.3)
    there["targeting"]["if"][2] = "on"
    assert served_share(there, "on") == pytest.approx(0.3, abs=0.02)


def test_what_cannot_be_read_is_an_error() -> None:
    """A definition that no client could evaluate is not taken for "nobody is exposed"."""
    with pytest.raises(FlagError):
        served_share(foreign({"nope": 1}), "on")
