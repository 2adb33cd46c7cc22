"""Numbers and names as people read them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.facts.model import SLUG_PATTERN
from rollway.planning.words import about, length, listing, percent, sentence, share_slug, slug, two_digits


@pytest.mark.parametrize(
    ("share", "told"),
    [(0, "0%"), (0.1, "10%"), (0.0143, "1.43%"), (1e-6, "<0.01%"), (0.999, "99.9%"), (1, "100%")],
)
def test_shares(share: float, told: str) -> None:
    """A share that is not nothing does not read as nothing."""
    assert percent(share) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.2, "0.2 seconds"),
        (1, "1 second"),
        (1200, "20 minutes"),
        (108000, "1 day 6 hours"),
        (59.9, "1 minute"),
    ],
)
def test_lengths(seconds: float, told: str) -> None:
    """The two largest units, exactly."""
    assert length(seconds) == told


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.04, "0.04 seconds"), (6250, "1.7 hours"), (86400, "1 day"), (1e8, "1 200 days")]
)
def test_rough_lengths(seconds: float, told: str) -> None:
    """One unit, two digits: what is only estimated does not pretend."""
    assert about(seconds) == told


def test_rough_numbers() -> None:
    """Two digits, thousands apart."""
    assert [two_digits(n) for n in (72, 2571, 93720, 0.5)] == ["72", "2 600", "94 000", "0.5"]


def test_lists() -> None:
    """Long lists are counted, not printed."""
    assert [listing(items) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert listing("abcdefg", 3) == "a, b and 5 more"


def test_sentences() -> None:
    """A full stop where there is none."""
    assert [sentence(text) for text in ("Go", "Go.", "Go? ", "")] == ["Go.", "Go.", "Go?", ""]


@given(st.text(max_size=80))
def test_every_name_gives_a_slug(text: str) -> None:
    """Whatever people call a group, its stage has a usable id."""
    assert re.fullmatch(SLUG_PATTERN, slug(text))
    assert len(slug(text)) <= 40


def test_shares_as_ids() -> None:
    """10-percent, and parts of a percent too."""
    assert [share_slug(share) for share in (0.1, 0.005, 1.0)] == ["10-percent", "0-5-percent", "100-percent"]
