"""Selectors: what they choose, and how they say what is wrong with them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.errors import InputError
from rollway.signals.selector import Matcher, Selector, parse_selector


def test_a_selector_is_a_name_and_conditions_on_labels() -> None:
    """Spaces and a comma at the end do not matter; both kinds of quotes work."""
    selector = parse_selector(
        """ requests_total { code =~ "5..", region != 'eu' , path="/a" , job!~"x|y", } """, where="bad"
    )
    assert selector == Selector(
        "requests_total",
        (
            Matcher("code", "=~", "5.."),
            Matcher("region", "!=", "eu"),
            Matcher("path", "=", "/a"),
            Matcher("job", "!~", "x|y"),
        ),
    )
    assert parse_selector("up", where="bad") == parse_selector("up{}", where="bad") == Selector("up")


@pytest.mark.parametrize(
    ("condition", "labels", "is_chosen"),
    [
        ('code="500"', {"code": "500"}, True),
        ('code="500"', {"code": "5000"}, False),
        ('code=~"5.."', {"code": "503"}, True),
        ('code=~"5.."', {"code": "5033"}, False),
        ('code=~"5.."', {"code": "x503"}, False),
        ('code!="200"', {"code": "503"}, True),
        ('code!="200"', {"code": "200"}, False),
        ('code!~"2..|3.."', {"code": "302"}, False),
        ('code!~"2..|3.."', {"code": "404"}, True),
        ('code!="200"', {}, True),
        ('code=""', {}, True),
        ('code=~".+"', {}, False),
        (r'path=~"/r\d+"', {"path": "/r12"}, True),
        (r'path="a\"b\\c\nd"', {"path": 'a"b\\c\nd'}, True),
        ('le="1"', {"le": "1.0"}, True),
        ('le="1.0"', {"le": "1"}, True),
        ('le!="1"', {"le": "1.0"}, False),
        ('le=~"1|5"', {"le": "5.0"}, True),
        ('le!~"1|5"', {"le": "5.0"}, False),
        ('le="+Inf"', {"le": "+Inf"}, True),
        ('le="1"', {"le": "10"}, False),
        ('shelf="1"', {"shelf": "1.0"}, False),
    ],
)
def test_conditions_mean_what_they_mean_in_prometheus(
    condition: str, labels: dict[str, str], is_chosen: bool
) -> None:
    """Patterns must match the whole value, a missing label counts as an empty one, and a bucket's bound is a
    number."""
    assert parse_selector(f"m{{{condition}}}", where="bad").matches(labels) is is_chosen


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ("", 1, "expected a metric's name here"),
        ("9lives", 1, "expected a metric's name here"),
        ("up down", 4, "expected '{' or the end here"),
        ('up{a="b"} x', 11, "expected the end here"),
        ('up{a="b"', 9, "expected ',' or '}' here"),
        ('up{a="b" c="d"}', 10, "expected ',' or '}' here"),
        ('up{="b"}', 4, "expected a label's name here"),
        ('up{a"b"}', 5, "expected one of =, !=, =~, !~"),
        ("up{a=b}", 6, "expected a value in quotes here"),
        ('up{a="b}', 6, "this quote is never closed"),
        ('up{a=~"(b"}', 7, "this pattern cannot be used"),
    ],
)
def test_a_mistake_is_shown_at_its_place(text: str, column: int, problem: str) -> None:
    """The message names the option and the column, and a caret points at it."""
    with pytest.raises(InputError) as caught:
        parse_selector(text, where="KPI 'errors', signal.bad")
    assert caught.value.message.startswith(f"KPI 'errors', signal.bad, column {column}: ")
    assert problem in caught.value.message
    shown, caret = caught.value.details
    assert shown == f"    {text}"
    assert caret.index("^") == 4 + column - 1


@given(st.text(alphabet="ab_{}=~!\",'\\ (x", max_size=40))
def test_any_text_is_a_selector_or_an_input_error(text: str) -> None:
    """No text ends in a traceback."""
    with contextlib.suppress(InputError):
        parse_selector(text, where="bad")


@given(st.text(max_size=30))
def test_any_label_value_can_be_written(value: str) -> None:
    """What is escaped when written is the same again when read."""
    written = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    assert parse_selector(f'm{{a="{written}"}}', where="bad").matches({"a": value})
