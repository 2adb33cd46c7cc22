"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest

from rollway.judge import words
from rollway.judge.evidence import Safety


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (words.percent(0.097), "9.7%"),
        (words.percent(0.0), "0%"),
        (words.percent(0.00123), "0.12%"),
        (words.percent(1.0), "100%"),
        (words.e_value(math.log(7)), "7"),
        (words.e_value(math.log(123)), "123"),
        (words.e_value(math.log(1234)), "1.2e+03"),
        (words.e_value(-5000.0), "1e-2171"),
        (words.seconds(40), "40 s"),
        (words.seconds(600), "10 min"),
        (words.seconds(9000), "2.5 h"),
        (words.amount(87.2), "88"),
        (words.amount(1234), "1,300"),
        (words.amount(0.2), "1"),
        (words.times(4.81), "4.8 times"),
        (words.times(1.073), "1.07 times"),
        (words.times(123.4), "123 times"),
    ],
)
def test_numbers_are_short_and_plain(said: str, expected: str) -> None:
    """Two digits are enough to decide by."""
    assert said == expected


def test_a_gate_says_how_far_it_is_and_how_long_it_takes() -> None:
    """Requests and time are told where they are known, and an obstacle where there is one."""
    text = words.safety_text("errors", Safety(0.0, 0.01, 1.1), 2.0, 0.05, 1234.0, 700.0)
    assert text == (
        "errors: evidence of safety e = 1 of 20 needed: about 1,300 more requests of the new version, "
        "12 min at the present traffic"
    )
    obstacle = Safety(0.0, None, None, "about 40 more units of the new version if both are alike", 40.0)
    assert words.safety_text("revenue", obstacle, 2.0, 0.05, 40.0, 90.0).endswith(
        "about 40 more units of the new version if both are alike, 90 s at the present traffic"
    )
    unknown = words.safety_text("errors", Safety(0.0, 0.01, 2.5), 2.0, 0.05, 90.0, None)
    assert unknown.endswith("new version, if both are alike, but the ratio stands at 2.5 (margin 2)")


def test_what_was_not_judged_is_told() -> None:
    """Late and lost readings are told apart; nothing is said where there were none."""
    assert words.loss_text("errors", 0, 0) == ""
    assert words.loss_text("errors", 2, 1) == (
        "errors: of its readings 2 came too late and 1 were never completed or waited too long, "
        "and were not judged"
    )
