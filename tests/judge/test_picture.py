"""The picture of a confidence sequence: narrow enough, in the right places, and readable without sight."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.judge.picture import (
    UNICODE,
    WIDEST,
    Mark,
    Point,
    Scale,
    Track,
    characters,
    scale_of,
    svg,
    ticks_of,
)

numbers = st.none() | st.floats(-1e9, 1e9)
points = st.lists(st.tuples(numbers, numbers, numbers), max_size=90).map(
    lambda rows: tuple(Point(float(n), *row) for n, row in enumerate(rows))
)


def track(*rows: tuple[float | None, float | None, float | None], is_ratio: bool = True) -> Track:
    return Track(
        points=tuple(Point(float(n), *row) for n, row in enumerate(rows)),
        marks=(Mark(1.0 if is_ratio else 0.0, "no difference"),),
        what="new / old <failed>",
        is_ratio=is_ratio,
        begin="start",
        end="9 rows",
    )


def text_of(drawn: Track, **more: bool) -> list[str]:
    return ["".join(text for text, _ in line) for line in characters(drawn, **more)]


def test_the_band_is_where_the_numbers_are() -> None:
    """A band that ends above 1 leaves the line of no difference free, and an estimate lies in its band."""
    rows = text_of(track(*[(2.0, 1.4, 3.0)] * 40))
    line = next(row for row in rows if row.lstrip().startswith("1 "))
    assert UNICODE["line"] * 60 in line
    assert UNICODE["covered"] not in line
    estimate = next(n for n, row in enumerate(rows) if UNICODE["estimate"] * 60 in row)
    bands = [n for n, row in enumerate(rows) if UNICODE["band"] * 60 in row]
    assert min(bands) < estimate < max(bands) < rows.index(line)


def test_an_open_side_reaches_the_edge() -> None:
    """Where there is no upper bound yet, the band goes to the top."""
    rows = text_of(track(*[(2.0, 1.4, None)] * 40))
    assert UNICODE["band"] * 60 in rows[1]


def test_a_line_that_is_not_ruled_out_is_covered() -> None:
    """Where the band holds no difference, its line is drawn as covered."""
    rows = text_of(track(*[(1.1, 0.8, 1.5)] * 40))
    assert any(UNICODE["covered"] * 60 in row for row in rows)


@pytest.mark.parametrize("is_ratio", [True, False])
@given(rows=points, plain=st.booleans())
def test_any_course_fits_the_terminal(is_ratio: bool, rows: tuple[Point, ...], plain: bool) -> None:
    """Whatever the numbers, no line is wider than 80 characters; plain ones are ASCII."""
    drawn = track(is_ratio=is_ratio)
    drawn = Track(rows, drawn.marks, drawn.what, is_ratio, drawn.begin, drawn.end)
    for row in text_of(drawn, plain=plain):
        assert len(row) <= WIDEST
        assert row.isascii() or not plain


@given(st.floats(-20, 20), st.floats(1e-6, 40), st.booleans(), st.integers(2, 10))
def test_labels_are_few_and_inside(low: float, span: float, is_ratio: bool, most: int) -> None:
    """Never more labels than there is room for, and all within what is drawn."""
    scale = Scale(low, low + span, is_ratio)
    ticks = ticks_of(scale, most)
    assert len(ticks) <= most + 1
    for tick in ticks:
        at = math.log(tick) if is_ratio else tick
        assert scale.low - 1e-6 * span <= at <= scale.high + 1e-6 * span


@given(rows=points, is_ratio=st.booleans())
def test_the_drawing_is_whole_and_named(rows: tuple[Point, ...], is_ratio: bool) -> None:
    """Any course gives well-formed SVG with a title and a description, and texts are escaped."""
    drawn = track(is_ratio=is_ratio)
    drawn = Track(rows, drawn.marks, drawn.what, is_ratio, drawn.begin, drawn.end)
    root = ElementTree.fromstring(svg(drawn, title="a < b & c", told="it is <shown>"))
    space = "{http://www.w3.org/2000/svg}"
    assert root.findtext(f"{space}title") == "a < b & c"
    assert root.findtext(f"{space}desc") == "it is <shown>"
    assert root.attrib["aria-labelledby"] == "title desc"
    assert "nan" not in ElementTree.tostring(root, encoding="unicode").lower().replace("nan<", "")


def test_the_drawing_has_both_themes() -> None:
    """Every colour of the light theme has one in the dark theme."""
    drawn = svg(track((2.0, 1.4, 3.0), (2.0, 1.5, 2.5)), title="t", told="d")
    light, dark = drawn.split("@media (prefers-color-scheme: dark)")
    for part in (".ground", ".grid", ".axis", ".mark", ".markname", ".band", ".estimate", ".name", ".faint"):
        assert f"{part} {{" in light
        assert f"{part} {{" in dark


def test_the_wild_beginning_does_not_squeeze_the_rest() -> None:
    """The range is that of the later part: a first band of a millionfold leaves the last one visible."""
    wild = [(50.0, 0.001, 1000.0)] * 10 + [(1.2, 1.1, 1.4)] * 40
    scale = scale_of(track(*wild))
    assert math.exp(scale.high) < 2
