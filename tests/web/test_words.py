"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.web import words


@pytest.mark.parametrize(
    ("part", "text"),
    [(0, "0%"), (0.25, "25%"), (0.005, "0.5%"), (0.00042, "0.042%"), (1, "100%"), (None, "–")],
)
def test_a_share_is_told_with_the_digits_it_has(part: float | None, text: str) -> None:
    """A share of a plan has few digits, and no more are shown."""
    assert words.percent(part) == text


@pytest.mark.parametrize(
    ("part", "text"), [(0.02, "2.00%"), (0.101, "10.1%"), (0.00042, "0.042%"), (0, "0%"), (1, "100%")]
)
def test_a_measured_rate_keeps_its_digits(part: float, text: str) -> None:
    """A figure that is renewed every few seconds does not change its width with each of them."""
    assert words.rate(part) == text


def test_a_stage_that_asks_for_no_proof_is_not_said_to_show_any() -> None:
    """Only margins can be shown; a hold-back without them waits for time and for the judge's silence."""
    assert words.goes_on({"advance": "evidence", "margins": {"errors": 1.5}}) == words.ADVANCE["evidence"]
    assert "nothing speaks against" in words.goes_on({"advance": "evidence", "margins": {}})
    assert words.goes_on({"advance": "person", "margins": {}}) == "leaves when a person says go"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (40, "40 s"),
        (90, "1 min 30 s"),
        (5400, "1 h 30 min"),
        (86400 * 28, "28 d"),
        (0.3, "0.3 s"),
        (3605, "1 h"),
    ],
)
def test_a_duration_is_told_in_two_units_at_most(seconds: float, text: str) -> None:
    """Nobody wants to know the seconds of a pilot that takes a month."""
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("log_e", "text"),
    [(0.0, "1"), (math.log(7.23), "7.2"), (math.log(1234), "1,234"), (-20, "< 0.01"), (2000, "3.9 × 10⁸⁶⁸")],
)
def test_an_e_value_of_any_size_is_readable(log_e: float, text: str) -> None:
    """Evidence grows without limit; its text does not."""
    assert words.e_value(log_e) == text


@given(st.floats(min_value=-1e6, max_value=1e6))
def test_no_e_value_is_too_large_to_be_told(log_e: float) -> None:
    """exp() of the evidence may overflow; the page never does."""
    assert 0 < len(words.e_value(log_e)) < 20


def test_a_band_that_is_open_says_so() -> None:
    """A side that the data have not bounded yet is not shown as a number."""
    assert words.band(0.5, 1.25) == "0.50× to 1.25×"
    assert words.band(None, 2.0) == "up to 2.00×"
    assert words.band(0.5, None) == "0.50× and more"
    assert words.band(None, None) == "any ratio is still possible"


def test_code_in_a_hint_is_marked_and_everything_is_escaped() -> None:
    """What stands in backticks becomes code; what looks like HTML stays text."""
    assert words.with_code("run `rollway <x>` now") == "run <code>rollway &lt;x&gt;</code> now"
    assert words.with_code("a ` b <c>") == "a ` b &lt;c&gt;"
