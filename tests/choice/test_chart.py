"""The chart of the methods: what it marks, that names never cover each other, and where it may stand."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.choice import Choice, choose
from rollway.choice.chart import TITLES, axes, text_chart
from rollway.choice.labels import WIDEST, WIDEST_BOLD, Box
from rollway.choice.model import MethodState, VetoResult
from rollway.choice.outcomes import Outcomes, Spread, simulate
from rollway.choice.picture import NARROW, WIDE, Format, svg_chart, svg_file
from rollway.facts.model import Release

SVG = "{http://www.w3.org/2000/svg}"
RELEASE = Release.model_validate({"release": {"name": "till", "version": "2.0"}})
OUTCOMES = simulate(RELEASE, draws=100)
CHOICE = choose(RELEASE)
STATES: dict[str, MethodState] = {
    "canary": "allowed",
    "pilot": "allowed",
    "phased": "unknown",
    "parallel": "unknown",
    "blue_green": "blocked",
    "big_bang": "blocked",
}


def choice_with(**changes: object) -> Choice:
    """A choice with two methods in each state, which recommends the canary."""
    states: dict[MethodState, str] = {"allowed": "satisfied", "unknown": "unknown", "blocked": "violated"}
    ranking = tuple(
        replace(
            one,
            state=STATES[one.method],
            vetoes=(VetoResult("V0", "a rule", states[STATES[one.method]], ""),),  # type: ignore[arg-type]
        )
        for one in CHOICE.ranking
    )
    values = {"ranking": ranking, "recommended": "canary", "chosen": "canary", **changes}
    return replace(CHOICE, **values)  # type: ignore[arg-type]


def names(svg: str) -> list[tuple[str, Box]]:
    """The names of the methods with the room they take in a wide font."""
    found = []
    for text in ET.fromstring(svg).iter(f"{SVG}text"):
        if text.get("class") != "halo":
            continue
        told = text.text or ""
        is_bold = text.get("font-weight") == "700"
        size = NARROW.size if 'viewBox="0 0 340' in svg else WIDE.size
        width = (WIDEST_BOLD if is_bold else WIDEST) * size * len(told)
        x, y = float(text.get("x", 0)), float(text.get("y", 0))
        left = x - width if text.get("text-anchor") == "end" else x
        found.append((told, Box(left, y - 0.8 * size, left + width, y + 0.2 * size)))
    return found


def assert_readable(outcomes: Outcomes, choice: Choice | None, form: Format) -> None:
    """Six names, none on another, everything inside the picture."""
    svg = svg_chart(outcomes, choice, form=form)
    found = names(svg)
    assert len(found) == len(TITLES)
    for number, (told, box) in enumerate(found):
        assert Box(0, 0, form.width, form.height).holds(box), told
        for other, beside in found[number + 1 :]:
            assert not box.meets(beside), (told, other)
    lines = re.findall(r'stroke="#\w+" stroke-width="1.8"[^>]* d="([^"v]*)"', svg)
    assert len(lines) == len(TITLES)
    figures = [float(one) for one in re.findall(r"[-\d.]+", " ".join(lines))]
    assert min(figures) >= 0
    assert max(figures) <= max(form.width, form.height)


def spread_of(mean: float, low: float, high: float) -> Spread:
    return Spread(mean, low, mean, high)


def with_figures(days: list[Spread], harm: list[Spread]) -> Outcomes:
    rows = zip(OUTCOMES.rows, days, harm, strict=True)
    return replace(OUTCOMES, rows=tuple(replace(row, days=d, harmed_if_faulty=h) for row, d, h in rows))


figures = st.floats(0, 1e7, allow_subnormal=False)
spreads = st.lists(
    st.tuples(figures, figures, figures).map(lambda three: spread_of(three[0], *sorted(three[1:]))),
    min_size=6,
    max_size=6,
)


@pytest.mark.parametrize("form", [WIDE, NARROW])
@settings(max_examples=40, deadline=None)
@given(days=spreads, harm=spreads)
def test_names_never_cover_each_other(form: Format, days: list[Spread], harm: list[Spread]) -> None:
    """Whatever the figures are, on a wide screen and on a narrow one; and no spread leaves the picture."""
    assert_readable(with_figures(days, harm), choice_with(), form)


@pytest.mark.parametrize("form", [WIDE, NARROW])
@pytest.mark.parametrize(
    ("days", "harm"),
    [
        (spread_of(3, 1, 9), spread_of(100, 10, 300)),
        (spread_of(0, 0, 0), spread_of(0, 0, 0)),
        (spread_of(9e6, 0.001, 1e7), spread_of(8e9, 0, 9e9)),
    ],
)
def test_six_methods_with_the_same_figures_can_be_told_apart(
    form: Format, days: Spread, harm: Spread
) -> None:
    """Their marks lie on one another, and their six names stand side by side."""
    assert_readable(with_figures([days] * 6, [harm] * 6), choice_with(), form)


def test_allowed_open_and_blocked_methods_differ_without_colour() -> None:
    """Filled, hollow, and hollow with a cross; the name says it too."""
    svg = svg_chart(OUTCOMES, choice_with())
    told = {text.split(",")[0]: text for text, _ in names(svg)}
    for method, state in STATES.items():
        word = {"allowed": "", "unknown": ", rules open", "blocked": ", blocked"}[state]
        assert told[TITLES[method]].endswith(f"{TITLES[method]}{word}") or method == "canary"  # type: ignore[index]
    assert svg.count('class="paper"') == 4 + 2, "four methods and two signs of the key are hollow"
    assert svg.count("M-8,-8 L8,8") == 2 + 1, "two methods and one sign of the key are crossed out"
    assert svg.count("stroke-dasharray") == 2


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "Canary, recommended"),
        ({"chosen": "big_bang"}, "Big-bang, chosen, blocked"),
        ({"chosen": None, "recommended": None, "leaning": "pilot"}, "Pilot, leaning"),
    ],
)
def test_the_method_that_comes_first_has_a_ring_and_a_word(changes: dict[str, object], told: str) -> None:
    """Recommended by the facts, chosen by a person, or only leaned to: three different words."""
    svg = svg_chart(OUTCOMES, choice_with(**changes))
    assert svg.count("<circle") == 1
    bold = [text.text for text in ET.fromstring(svg).iter(f"{SVG}text") if text.get("font-weight") == "700"]
    assert bold == [told]


def test_what_stands_in_a_page_needs_nothing_that_a_strict_policy_forbids() -> None:
    """No style sheet, no style attribute, no script, no address; a title and a description that are found."""
    svg = svg_chart(OUTCOMES, choice_with(), name="-2")
    for forbidden in ("<style", "style=", "<script", "href", " on", "url("):
        assert forbidden not in re.sub(r"<desc.*?</desc>|<text[^>]*>[^<]*", "", svg), forbidden
    root = ET.fromstring(svg)
    ids = {element.get("id") for element in root.iter() if element.get("id")}
    assert set(root.get("aria-labelledby", "").split()) == ids
    assert root.find(f"{SVG}title") is not None
    description = root.findtext(f"{SVG}desc") or ""
    assert all(title in description for title in TITLES.values())
    assert "Canary, recommended: " in description


def test_a_file_brings_its_own_ground() -> None:
    """It is read on light and on dark, wherever it is shown; and the same arguments give the same bytes."""
    text = svg_file(OUTCOMES, choice_with())
    assert '<rect class="paper" width="100%" height="100%"/>' in text
    assert "prefers-color-scheme:dark" in text
    assert text == svg_file(OUTCOMES, choice_with())
    ET.fromstring(text)


def test_an_axis_of_few_decades_has_figures_between() -> None:
    """A reader sees where 2 and 5 are."""
    x, _ = axes(with_figures([spread_of(3, 1, 9)] * 6, [spread_of(3, 1, 9)] * 6))
    assert x.ticks == (1, 2, 5, 10)


def test_the_chart_of_the_terminal_fits_into_it() -> None:
    """No line is longer than 84 characters, however long the figures are."""
    long = with_figures([spread_of(9e6, 0.001, 1e7)] * 6, [spread_of(8e9, 0, 9e9)] * 6)
    for outcomes in (OUTCOMES, long):
        assert max(len(line) for line in text_chart(outcomes).splitlines()) <= 84
