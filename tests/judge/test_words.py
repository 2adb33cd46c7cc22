"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest

from rollway.judge import words


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
