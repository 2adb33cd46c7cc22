"""Users are hashed into shares exactly as flagd's second generation does it."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import mmh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.flags.fractional import MAX_TOTAL, bucket
from rollway.flags.rules import Place, Rule
from rollway.flags.targeting import Compiler

USERS = [f"user-{number}" for number in range(20_000)]


def rule(shares: list[Any], flag: str = "colour") -> Rule:
    return Compiler(flag, {}).compile({"fractional": shares}, Place(flag)).run


def choose(shares: list[Any], **context: Any) -> Any:
    return rule(shares)(context)


def newcomers(exposed: int, total: int, flag: str = "colour") -> set[str]:
    chosen = rule([["new", exposed], ["old", total - exposed]], flag)
    return {user for user in USERS if chosen({"targetingKey": user}) == "new"}


COLOURS = ["green", "blue", "green", "red", "red", "green", "red", "green", "green", "green", "red", "blue"]


def test_users_fall_where_the_published_client_puts_them() -> None:
    """The colours were read from npm's @openfeature/flagd-core 4.0.1 for this very definition."""
    chosen = rule([["red", 1], ["green", 2], ["blue"]])
    assert [chosen({"targetingKey": f"user-{number}"}) for number in range(len(COLOURS))] == COLOURS


@pytest.mark.parametrize("number", [158, 184, 285, 311, 315])
def test_a_salted_percent_takes_the_users_of_the_published_client(number: int) -> None:
    """These are the first five users whom the same client gives the one percent."""
    shares = [{"cat": ["2026-11:", {"var": "targetingKey"}]}, ["red", 1_000], ["green", 99_000]]
    assert choose(shares, targetingKey=f"user-{number}") == "red"
    assert sum(choose(shares, targetingKey=f"user-{n}") == "red" for n in range(316)) == 5


@given(text=st.text(st.characters(exclude_categories=["Cs"])), total=st.integers(1, MAX_TOTAL))
def test_the_bucket_is_the_formula(text: str, total: int) -> None:
    """floor(h / 2**32 * W) for the unsigned hash h of the UTF-8 bytes."""
    unsigned = mmh3.hash(text.encode(), signed=True) % 2**32
    assert bucket(text, total) == unsigned * total // 2**32


def test_half_a_surrogate_pair_is_hashed_as_the_replacement_character() -> None:
    """JSON may carry one; it must neither stop an evaluation nor the process."""
    assert bucket("a\ud800", 1000) == bucket("a\ufffd", 1000)


def test_shares_are_served_in_proportion() -> None:
    """Of 20,000 users each share gets its part, within four standard deviations."""
    weights = {"a": 100, "b": 2_400, "c": 30_000, "d": 67_500}
    chosen = rule([[name, weight] for name, weight in weights.items()])
    served = Counter(chosen({"targetingKey": user}) for user in USERS)
    for name, weight in weights.items():
        p = weight / 100_000
        assert abs(served[name] - p * 20_000) < 4 * math.sqrt(20_000 * p * (1 - p)), name


def test_a_growing_first_share_only_adds_users() -> None:
    """At a constant total, and at any total for the same fraction, nobody is taken out again."""
    before: set[str] = set()
    for exposed, total in [(1, 1000), (10, 1000), (10_000, 100_000), (50, 100), (999, 1000)]:
        now = newcomers(exposed, total)
        assert before <= now
        before = now


def test_two_flags_choose_different_users() -> None:
    """Without a text of its own a rule hashes the flag's key too, so not always the same users come first."""
    first, second = newcomers(10, 100, "one"), newcomers(10, 100, "two")
    assert len(first & second) < 0.2 * len(first)


@pytest.mark.parametrize("context", [{}, {"targetingKey": ""}, {"targetingKey": None}, {"targetingKey": 7}])
def test_a_user_without_a_key_gets_the_default(context: dict[str, Any]) -> None:
    """No key, no bucket: the rule gives null."""
    assert choose([["new", 100]], **context) is None


@pytest.mark.parametrize("by", [None, 7, True, ["user-1"], {"a": 1}])
def test_only_text_is_hashed(by: Any) -> None:
    """A bucketing value of another type gives null, as in the published client."""
    assert choose([{"var": "by"}, ["new", 100]], by=by, targetingKey="user-1") is None


@pytest.mark.parametrize("weight", [None, True, "5", 2.5, [1], MAX_TOTAL])
def test_a_computed_weight_that_is_none_gives_the_default(weight: Any) -> None:
    """Weights that are no whole numbers, or too large together, choose nobody."""
    assert choose([["new", {"var": "w"}], ["old", 1]], w=weight, targetingKey="u") is None


def test_computed_weights_may_be_negative_or_whole_floats() -> None:
    """A ramp that has not begun has a negative weight, which counts as nothing."""
    shares = [["new", {"-": [{"var": "now"}, 100]}], ["old", {"-": [200, {"var": "now"}]}]]
    assert choose(shares, now=50, targetingKey="u") == "old"
    assert choose(shares, now=250.0, targetingKey="u") == "new"
    assert choose(shares, now=1e9, targetingKey="u") == "new"


def test_weights_of_nothing_choose_nobody() -> None:
    """A sum of zero gives null; a share of zero among others is never chosen."""
    assert choose([["a", 0], ["b", -3]], targetingKey="u") is None
    chosen = rule([["a", 0], ["b", 1], ["c", 0]])
    assert {chosen({"targetingKey": user}) for user in USERS[:500]} == {"b"}


def test_the_largest_total_reaches_both_ends() -> None:
    """At 2**31 - 1 the first and the last bucket are still right."""
    low, high = "m2818259@x.org", "m950829@x.org"  # hashes 7183 and 2**32 - 1801
    assert bucket(low, MAX_TOTAL) == 3591
    shares = [{"var": "email"}, ["a", 3592], ["b", MAX_TOTAL - 3592 - 901], ["c", 901]]
    assert choose(shares, email=low) == "a"
    assert choose(shares, email=high) == "c"
    assert choose([{"var": "email"}, ["a", 3591], ["b", MAX_TOTAL - 3591]], email=low) == "b"


def test_a_variant_may_be_computed() -> None:
    """Only the chosen variant is evaluated, and null leaves the choice to the default."""
    shares = [[{"if": [{"var": "pro"}, "gold", "tin"]}, 1], [{"/": [1, 0]}, 0]]
    assert choose(shares, targetingKey="u", pro=True) == "gold"
    assert choose(shares, targetingKey="u") == "tin"
    assert choose([[None, 1]], targetingKey="u") is None
