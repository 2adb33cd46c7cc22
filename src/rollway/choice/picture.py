"""The chart of the methods as SVG: to stand in a page, or in a file of its own.

What stands in a page has no script, no style sheet and no style attribute, so that a strict
Content-Security-Policy lets it through; it takes its ink from `color`. A page that gives `.paper` a fill and
`.halo` a stroke in the colour of its ground makes it crisper.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from rollway.choice.chart import TITLES, X_LABEL, Y_LABEL, Axis, axes, short, with_spread
from rollway.choice.labels import Box, Marked, place_labels
from rollway.choice.model import Choice, MethodState
from rollway.choice.outcomes import Outcome, Outcomes
from rollway.facts.model import MethodName

TITLE = "Time to full value against harm"
STATES: dict[MethodState, str] = {"allowed": "", "unknown": ", rules open", "blocked": ", blocked"}
_FIRST = 11.0  # radius of the ring around the method that comes first
_FAR = 16.0  # a name that stands farther from its mark gets a line to it

# Middle tones that keep a contrast of 3:1 against white and against near-black; shapes tell them apart too.
_COLOURS: dict[MethodName, str] = {
    "pilot": "#b8730a",
    "phased": "#7d6bd1",
    "canary": "#1f8f4d",
    "blue_green": "#2a7fc4",
    "parallel": "#a8589f",
    "big_bang": "#d3483e",
}
_SHAPES: dict[MethodName, str] = {
    "pilot": "M0,-6.5 L6.5,5.5 H-6.5 Z",
    "phased": "M-5.5,-5.5 H5.5 V5.5 H-5.5 Z",
    "canary": "M-6,0 A6,6 0 1 0 6,0 A6,6 0 1 0 -6,0 Z",
    "blue_green": "M0,-7.5 L7.5,0 L0,7.5 L-7.5,0 Z",
    "parallel": "M-6,-6 H-1.5 V6 H-6 Z M1.5,-6 H6 V6 H1.5 Z",
    "big_bang": "M0,-8 L2.2,-2.6 L8,-2.6 L3.5,1 L5.6,7 L0,3.4 L-5.6,7 L-3.5,1 L-8,-2.6 L-2.2,-2.6 Z",
}
_ROUND = _SHAPES["canary"]
_CROSS = "M-8,-8 L8,8 M-8,8 L8,-8"


@dataclass(frozen=True, slots=True)
class Format:
    """The size of the picture, its margins and its type, in pixels."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    size: float

    @property
    def area(self) -> Box:
        """Where marks and names stand."""
        return Box(self.left, self.top, self.width - self.right, self.height - self.bottom)


WIDE = Format(720, 460, 56, 20, 36, 76, 13)
NARROW = Format(340, 440, 44, 10, 34, 88, 12)
"""For screens of a telephone's width, where the wide one's type would be too small to read."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """A format with the axes that are drawn on it."""

    format: Format
    x: Axis
    y: Axis

    def point(self, days: float, harm: float) -> tuple[float, float]:
        area = self.format.area
        return (
            area.left + self.x.place(days) * (area.right - area.left),
            area.bottom - self.y.place(harm) * (area.bottom - area.top),
        )

    def centre(self, row: Outcome) -> tuple[float, float]:
        return self.point(row.days.mean, row.harmed_if_faulty.mean)

    def reach(self, row: Outcome) -> Box:
        """The rectangle of both spreads."""
        left, top = self.point(row.days.low, row.harmed_if_faulty.high)
        right, bottom = self.point(row.days.high, row.harmed_if_faulty.low)
        return Box(left, top, right, bottom)


def svg_chart(
    outcomes: Outcomes, choice: Choice | None = None, *, form: Format = WIDE, name: str = ""
) -> str:
    """The chart as an SVG element for a page. `name` keeps its ids apart from another chart's.

    With a choice the mark of an allowed method is filled, that of one with open rules is hollow, that of a
    blocked one is crossed out; the method that comes first has a ring. The same arguments give the same text.
    """
    ids = f"methods-title{name}", f"methods-desc{name}"
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="methods" role="img" '
        f'viewBox="0 0 {form.width} {form.height}" aria-labelledby={quoteattr(" ".join(ids))} '
        f'font-size="{form.size:g}" fill="currentColor">'
    )
    told = (
        f"<title id={quoteattr(ids[0])}>{escape(TITLE)}</title>",
        f"<desc id={quoteattr(ids[1])}>{escape(description(outcomes, choice))}</desc>",
    )
    return "\n".join((opening, *told, *_drawing(outcomes, choice, form), "</svg>")) + "\n"


_FILE_STYLE = """\
svg{color:#171c24;font-family:system-ui,sans-serif}.paper{fill:#fff}.halo{stroke:#fff}
@media(prefers-color-scheme:dark){svg{color:#e6e9ee}.paper{fill:#161b24}.halo{stroke:#161b24}}"""


def svg_file(outcomes: Outcomes, choice: Choice | None = None) -> str:
    """The chart as a file of its own, with its own ground, so that it can be read wherever it is shown."""
    element = svg_chart(outcomes, choice)
    ground = f'<style>{_FILE_STYLE}</style>\n<rect class="paper" width="100%" height="100%"/>'
    return element.replace("</desc>\n", f"</desc>\n{ground}\n", 1)


def description(outcomes: Outcomes, choice: Choice | None = None) -> str:
    """What the chart shows, in words, for whoever does not see it."""
    told = "; ".join(
        f"{_label(row.method, choice)}: {with_spread(row.days)} days, "
        f"{with_spread(row.harmed_if_faulty)} users"
        for row in outcomes.rows
    )
    return f"Mean, with the range that holds eight of ten draws, of {X_LABEL} and of {Y_LABEL}. {told}."


def _first(choice: Choice | None) -> tuple[MethodName | None, str]:
    """The method that is ringed, and the word for it."""
    if choice is None:
        return None, ""
    if choice.chosen is None:
        return choice.leaning, ", leaning"
    return choice.chosen, ", recommended" if choice.chosen == choice.recommended else ", chosen"


def _label(method: MethodName, choice: Choice | None) -> str:
    if choice is None:
        return TITLES[method]
    first, word = _first(choice)
    return f"{TITLES[method]}{word if method == first else ''}{STATES[choice.of(method).state]}"


def _drawing(outcomes: Outcomes, choice: Choice | None, form: Format) -> Iterator[str]:
    frame = _Frame(form, *axes(outcomes))
    first, _ = _first(choice)
    # What is drawn last lies on top: the method that comes first.
    rows = sorted(outcomes.rows, key=lambda row: row.method == first)
    states = {row.method: choice.of(row.method).state if choice else "allowed" for row in rows}
    yield from _axis_lines(frame)
    yield from (_arms(frame, row, states[row.method]) for row in rows)
    marks = [_marked(frame, row, choice) for row in rows]
    boxes = place_labels(marks, form.area, form.size)
    yield from (_leader(mark, box) for mark, box in zip(marks, boxes, strict=True) if _is_far(mark, box))
    for row, mark in zip(rows, marks, strict=True):
        yield from _mark(mark, _SHAPES[row.method], _COLOURS[row.method], states[row.method])
        if row.method == first:
            yield (
                f'<circle cx="{mark.x:.1f}" cy="{mark.y:.1f}" r="{_FIRST:g}" fill="none" '
                'stroke="currentColor" stroke-width="2"/>'
            )
    for mark, box in zip(marks, boxes, strict=True):
        yield _name(mark, box, form)
    yield from _key(form, choice)


def _axis_lines(frame: _Frame) -> Iterator[str]:
    form, area = frame.format, frame.format.area
    grid = 'stroke="currentColor" stroke-opacity="0.16"'
    for tick in frame.x.ticks:
        at, _ = frame.point(tick, 0)
        yield f'<path {grid} d="M{at:.1f},{area.top} V{area.bottom}"/>'
        anchor = "end" if at > area.right - 4 else "middle"
        line = area.bottom + form.size + 5
        yield f'<text x="{at:.1f}" y="{line:g}" text-anchor="{anchor}">{short(tick)}</text>'
    for tick in frame.y.ticks:
        _, at = frame.point(1, tick)
        yield f'<path {grid} d="M{area.left},{at:.1f} H{area.right}"/>'
        yield f'<text x="{area.left - 7}" y="{at + form.size / 3:.1f}" text-anchor="end">{short(tick)}</text>'
    edge = f"M{area.left},{area.top} V{area.bottom} H{area.right}"
    yield f'<path fill="none" stroke="currentColor" stroke-opacity="0.6" d="{edge}"/>'
    middle, base = (area.left + area.right) / 2, area.bottom + 2.6 * form.size + 5
    yield f'<text x="{middle:g}" y="{base:.1f}" text-anchor="middle">{escape(X_LABEL)}</text>'
    yield f'<text x="4" y="{form.size + 3:g}">{escape(Y_LABEL)}</text>'


def _arms(frame: _Frame, row: Outcome, state: MethodState) -> str:
    (x, y), reach = frame.centre(row), frame.reach(row)
    path = f"M{reach.left:.1f},{y:.1f} H{reach.right:.1f} M{x:.1f},{reach.top:.1f} V{reach.bottom:.1f}"
    ends = (
        f"M{reach.left:.1f},{y - 4:.1f} v8 M{reach.right:.1f},{y - 4:.1f} v8 "
        f"M{x - 4:.1f},{reach.top:.1f} h8 M{x - 4:.1f},{reach.bottom:.1f} h8"
    )
    dashes = ' stroke-dasharray="5 4"' if state == "blocked" else ""
    line = f'fill="none" stroke="{_COLOURS[row.method]}" stroke-width="1.8"'
    return f'<path {line}{dashes} d="{path}"/><path {line} d="{ends}"/>'


def _marked(frame: _Frame, row: Outcome, choice: Choice | None) -> Marked:
    (x, y), reach = frame.centre(row), frame.reach(row)
    first, _ = _first(choice)
    lines = Box(reach.left, y - 1, reach.right, y + 1), Box(x - 1, reach.top, x + 1, reach.bottom)
    is_first = row.method == first
    radius = _FIRST + 1 if is_first else 8.0
    return Marked(x, y, radius, _label(row.method, choice), lines, is_bold=is_first)


def _mark(mark: Marked, shape: str, colour: str, state: MethodState) -> Iterator[str]:
    place = f'transform="translate({mark.x:.1f},{mark.y:.1f})"'
    if state == "allowed":
        yield f'<path fill="{colour}" {place} d="{shape}"/>'
        return
    yield f'<path class="paper" fill="none" stroke="{colour}" stroke-width="2.2" {place} d="{shape}"/>'
    if state == "blocked":
        yield f'<path fill="none" stroke="currentColor" stroke-width="1.6" {place} d="{_CROSS}"/>'


def _is_far(mark: Marked, box: Box) -> bool:
    x, y = box.nearest(mark.x, mark.y)
    return (x - mark.x) ** 2 + (y - mark.y) ** 2 > (mark.radius + _FAR - 8) ** 2


def _leader(mark: Marked, box: Box) -> str:
    x, y = box.nearest(mark.x, mark.y)
    line = 'stroke="currentColor" stroke-opacity="0.55"'
    return f'<path fill="none" {line} d="M{mark.x:.1f},{mark.y:.1f} L{x:.1f},{y:.1f}"/>'


def _name(mark: Marked, box: Box, form: Format) -> str:
    weight = ' font-weight="700"' if mark.is_bold else ""
    on_left = box.right < mark.x
    x, anchor = (box.right, "end") if on_left else (box.left, "start")
    halo = 'class="halo" paint-order="stroke" stroke-width="4" stroke-linejoin="round"'
    where = f'x="{x:.1f}" y="{box.top + 0.95 * form.size:.1f}" text-anchor="{anchor}"'
    return f"<text {halo} {where}{weight}>{escape(mark.text)}</text>"


def _key(form: Format, choice: Choice | None) -> Iterator[str]:
    """What marks and lines mean, in one row below the axis, or in two."""
    y = form.area.bottom + 4.2 * form.size + 8
    x = form.left + 6.0
    states: dict[MethodState, str] = {"allowed": "allowed", "unknown": "rules open", "blocked": "blocked"}
    for state, told in states.items():
        if choice is not None:
            yield from _mark(Marked(x, y, 8, ""), _ROUND, "currentColor", state)
            yield f'<text x="{x + 13:.1f}" y="{y + form.size / 3:.1f}">{told}</text>'
            x += 13 + 0.56 * form.size * len(told) + 18
    told, width = "eight of ten draws", 26
    if x + width + 0.6 * form.size * len(told) > form.width:
        x, y = form.left + 0.0, y + 1.6 * form.size
    bar = f"M{x:.1f},{y:.1f} h{width} M{x:.1f},{y - 4:.1f} v8 M{x + width:.1f},{y - 4:.1f} v8"
    yield f'<path fill="none" stroke="currentColor" stroke-width="1.8" d="{bar}"/>'
    yield f'<text x="{x + width + 7:.1f}" y="{y + form.size / 3:.1f}">{told}</text>'
