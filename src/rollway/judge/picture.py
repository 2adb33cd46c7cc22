"""A confidence sequence over time as a picture: in characters for a terminal, and as SVG.

Both say the same: a band that holds the truth at every moment at once, the estimate within it, and the
lines that matter (no difference, what is tolerated, what must be ruled out).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Literal

Role = Literal["plain", "band", "estimate", "line", "faint"]
Text = list[tuple[str, Role]]
"""One line of characters: texts side by side, each with the role that decides its colour."""

WIDEST = 80
LABEL = 9
UNICODE = {
    "band": "░",
    "estimate": "●",
    "line": "╌",
    "covered": "▒",
    "axis": "┤",
    "floor": "─",
    "corner": "└",
}
ASCII = {"band": ":", "estimate": "o", "line": "-", "covered": "=", "axis": "|", "floor": "-", "corner": "+"}
RATIO_TICKS = (1, 1.05, 1.1, 1.2, 1.35, 1.5, 1.75, 2, 2.5, 3, 4, 5, 7, 10, 15, 20)
FARTHEST_RATIO = 20.0


@dataclass(frozen=True, slots=True)
class Point:
    """The estimate and its bounds at one moment; None where there is none yet, or no bound on that side."""

    at: float
    middle: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Mark:
    """A level that matters, and its name."""

    value: float
    name: str


@dataclass(frozen=True, slots=True)
class Track:
    """What is drawn. `what` names the value ("new / old, failed requests"); `is_ratio` draws it on a
    logarithmic axis. `begin` and `end` are the texts below the ends of the time axis."""

    points: tuple[Point, ...]
    marks: tuple[Mark, ...]
    what: str
    is_ratio: bool
    begin: str
    end: str


@dataclass(frozen=True, slots=True)
class Scale:
    """The range of values drawn, in drawing coordinates (logs of ratios)."""

    low: float
    high: float
    is_ratio: bool

    def part(self, value: float) -> float:
        """Where a value lies: 0 at the bottom, 1 at the top; clipped to a little outside."""
        at = (math.log(max(value, 1e-12)) if self.is_ratio else value) - self.low
        return min(1.05, max(-0.05, at / (self.high - self.low)))


def scale_of(track: Track) -> Scale:
    """A range that shows the lines and the later three quarters of the band: the beginning is always wide."""
    later = track.points[len(track.points) // 4 :]
    values = [mark.value for mark in track.marks]
    values += [each for p in later for each in (p.low, p.middle, p.high) if each is not None]
    if track.is_ratio:
        near = [min(max(each, 1 / FARTHEST_RATIO), FARTHEST_RATIO) for each in values] or [1.0]
        low, high = math.log(min(near)), math.log(max(near))
    else:
        low, high = min(values, default=0.0), max(values, default=0.0)
    spare = max(0.06 * (high - low), 0.02 if track.is_ratio else 1e-9 + 0.02 * max(abs(low), abs(high)))
    return Scale(low - spare, high + spare, track.is_ratio)


def ticks_of(scale: Scale, most: int) -> list[float]:
    """Round values within the range, at most so many (and one, if there is room for none)."""
    if scale.is_ratio:
        candidates = sorted({1 / each for each in RATIO_TICKS} | {float(each) for each in RATIO_TICKS})
        inside = [each for each in candidates if scale.low <= math.log(each) <= scale.high]
        while len(inside) > most:
            inside = [
                each for n, each in enumerate(inside) if (n - inside.index(_nearest_one(inside))) % 2 == 0
            ]
        return inside
    span = scale.high - scale.low
    step = 10.0 ** math.floor(math.log10(span / most))
    while span / step > most:
        step *= 2.5 if f"{step:e}".startswith("2") else 2
    first = math.ceil(scale.low / step)
    return [n * step for n in range(first, math.floor(scale.high / step) + 1)]


def _nearest_one(values: Sequence[float]) -> float:
    return min(values, key=lambda each: abs(math.log(each)))


def number(value: float) -> str:
    """A value with three digits, as short as it can be: 1.25, 0.8, 12.5, 1300, 1.1e+05."""
    return f"{value:.0f}" if 1000 <= abs(value) < 10_000 else f"{value:.3g}"


# --- in characters ----------------------------------------------------------------------------------


def characters(track: Track, *, width: int = WIDEST, height: int = 15, plain: bool = False) -> list[Text]:
    """The picture in lines of at most `width` characters. `plain`: nothing beyond ASCII."""
    ink = ASCII if plain else UNICODE
    scale, columns = scale_of(track), max(10, min(width, WIDEST) - LABEL - 1)
    cells = _cells(track, scale, columns, height, ink)
    labels = _labels(track, scale, height)
    lines: list[Text] = [[(track.what[:width], "plain")]]
    for row, line in enumerate(cells):
        lines.append([(f"{labels.get(row, ''):>{LABEL - 1}} {ink['axis']}", "faint"), *_runs(line)])
    lines.append([(" " * LABEL + ink["corner"] + ink["floor"] * columns, "faint")])
    gap = max(1, columns - len(track.begin) - len(track.end))
    lines.append([(" " * (LABEL + 1) + track.begin + " " * gap + track.end, "faint")])
    margin = " " * (LABEL + 1)
    lines.append([(f"{margin}{ink['estimate']} estimate  {ink['band'] * 2} 95% confidence, always", "faint")])
    for n, mark in enumerate(track.marks):
        covered = f"  ({ink['covered'] * 2} where the band covers it)" if n == 0 else ""
        told = f"{margin}{ink['line'] * 2} {number(mark.value)} {mark.name}{covered}"
        lines.append([(told[:width], "faint")])
    return lines


def _cells(
    track: Track, scale: Scale, columns: int, height: int, ink: dict[str, str]
) -> list[list[tuple[str, Role]]]:
    cells: list[list[tuple[str, Role]]] = [[(" ", "plain")] * columns for _ in range(height)]
    for mark in track.marks:
        row = _row(scale, mark.value, height)
        if 0 <= row < height:
            cells[row] = [(ink["line"], "line")] * columns
    for column, point in enumerate(_by_column(track.points, columns)):
        if point is None or point.middle is None:
            continue
        top = 0 if point.high is None else max(0, _row(scale, point.high, height))
        bottom = height - 1 if point.low is None else min(height - 1, _row(scale, point.low, height))
        for row in range(top, bottom + 1):
            is_line = cells[row][column][1] == "line"
            cells[row][column] = (ink["covered"], "line") if is_line else (ink["band"], "band")
        row = _row(scale, point.middle, height)
        if 0 <= row < height:
            cells[row][column] = (ink["estimate"], "estimate")
    return cells


def _row(scale: Scale, value: float, height: int) -> int:
    return round((1 - scale.part(value)) * (height - 1))


def _by_column(points: Sequence[Point], columns: int) -> list[Point | None]:
    """For each column the last point at or before its moment."""
    if not points:
        return [None] * columns
    begin, end = points[0].at, points[-1].at
    found: list[Point | None] = []
    n = 0
    for column in range(columns):
        moment = begin + (end - begin) * (column + 1) / columns
        while n + 1 < len(points) and points[n + 1].at <= moment:
            n += 1
        found.append(points[n])
    return found


def _labels(track: Track, scale: Scale, height: int) -> dict[int, str]:
    """Which rows are labelled: those of the marks, and those that lie near a round value."""
    found = {}
    for tick in ticks_of(scale, height):
        row = _row(scale, tick, height)
        if abs((1 - scale.part(tick)) * (height - 1) - row) < 0.3 and row + 1 not in found:
            found[row] = number(tick)
    for mark in track.marks:
        row = _row(scale, mark.value, height)
        if 0 <= row < height:
            found[row] = number(mark.value)
    return found


def _runs(line: list[tuple[str, Role]]) -> Text:
    """The same characters, neighbours of one role together."""
    runs: Text = []
    for text, role in line:
        if runs and runs[-1][1] == role:
            runs[-1] = (runs[-1][0] + text, role)
        else:
            runs.append((text, role))
    return runs


# --- as SVG -----------------------------------------------------------------------------------------

WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 64, 176, 56, 44
STYLE = """
  svg { color-scheme: light dark; font: 13px system-ui, sans-serif; }
  .ground { fill: #ffffff; } text { fill: #1d2430; } .faint { fill: #566072; }
  .grid { stroke: #e3e7ee; } .axis { stroke: #8a94a6; } .mark { stroke: #9a3412; stroke-dasharray: 6 4; }
  .markname { fill: #9a3412; }
  .band { fill: #2563eb; fill-opacity: .18; stroke: #2563eb; stroke-opacity: .55; }
  .estimate { fill: none; stroke: #1d4ed8; stroke-width: 2.2; } .name { fill: #1d4ed8; }
  .title { font-size: 15px; font-weight: 600; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #14181f; } text { fill: #e6eaf0; } .faint { fill: #a3adbd; }
    .grid { stroke: #2a313c; } .axis { stroke: #6b7687; } .mark { stroke: #fdba74; }
    .markname { fill: #fdba74; } .band { fill: #60a5fa; fill-opacity: .22; stroke: #60a5fa; }
    .estimate { stroke: #93c5fd; } .name { fill: #93c5fd; }
  }
"""


def svg(track: Track, *, title: str, told: str) -> str:
    """The picture as a document of its own. `title` and `told` are read aloud where it cannot be seen."""
    scale = scale_of(track)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img" aria-labelledby="title desc">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="desc">{escape(told)}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="title" x="{LEFT}" y="24">{escape(title)}</text>',
        f'<text class="faint" x="{LEFT}" y="43">{escape(track.what)}</text>',
        *_grid(scale),
        *_shape(track, scale),
        *_marks(track, scale),
        *_names(track, scale),
        *_times(track),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _y(scale: Scale, value: float) -> float:
    part = min(1.0, max(0.0, scale.part(value)))
    return round(TOP + (1 - part) * (HEIGHT - TOP - BOTTOM), 1)


def _grid(scale: Scale) -> list[str]:
    lines = []
    for tick in ticks_of(scale, 7):
        y = _y(scale, tick)
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        lines.append(
            f'<text class="faint" x="{LEFT - 8}" y="{y + 4.5:.1f}" text-anchor="end">{number(tick)}</text>'
        )
    floor = HEIGHT - BOTTOM
    return [*lines, f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{floor}" y2="{floor}"/>']


def _times(track: Track) -> list[str]:
    y, end = HEIGHT - BOTTOM + 22, WIDTH - RIGHT
    return [
        f'<text class="faint" x="{LEFT}" y="{y}">{escape(track.begin)}</text>',
        f'<text class="faint" x="{end}" y="{y}" text-anchor="end">{escape(track.end)}</text>',
    ]


def _shape(track: Track, scale: Scale) -> list[str]:
    known = [point for point in track.points if point.middle is not None]
    if not known:
        centre = (LEFT + WIDTH - RIGHT) / 2
        return [f'<text x="{centre}" y="{HEIGHT / 2}" text-anchor="middle">nothing to compare yet</text>']
    begin, end = track.points[0].at, track.points[-1].at

    def x(at: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (at - begin) / max(end - begin, 1e-9), 1)

    top, bottom = math.inf, -math.inf
    if track.is_ratio:
        bottom = 0.0
    over = [f"{x(p.at)},{_y(scale, top if p.high is None else p.high)}" for p in known]
    under = [f"{x(p.at)},{_y(scale, bottom if p.low is None else p.low)}" for p in known]
    line = [f"{x(p.at)},{_y(scale, p.middle)}" for p in known if p.middle is not None]
    return [
        f'<polygon class="band" points="{" ".join(over + under[::-1])}"/>',
        f'<polyline class="estimate" points="{" ".join(line)}"/>',
    ]


def _names(track: Track, scale: Scale) -> list[str]:
    """What each line is and where it ends, beside the right edge, in the order of their heights."""
    named: list[tuple[float, str, str]] = [(mark.value, mark.name, "markname") for mark in track.marks]
    last = next((point for point in reversed(track.points) if point.middle is not None), None)
    if last is not None:
        of_band = (
            (last.middle, "estimate", "name"),
            (last.high, "95% bound", "faint"),
            (last.low, "95% bound", "faint"),
        )
        named += [(value, name, kind) for value, name, kind in of_band if value is not None]
    side, heights = WIDTH - RIGHT + 10, _apart([_y(scale, value) for value, _, _ in named])
    return [
        f'<text class="{kind}" x="{side}" y="{y + 4.5:.1f}">{number(value)} {escape(name)}</text>'
        for (value, name, kind), y in zip(named, heights, strict=True)
    ]


def _marks(track: Track, scale: Scale) -> list[str]:
    heights = [_y(scale, mark.value) for mark in track.marks]
    return [f'<line class="mark" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>' for y in heights]


def _apart(heights: list[float], least: float = 16.0) -> list[float]:
    """The heights moved apart so that no two texts lie upon each other; their order stays."""
    order = sorted(range(len(heights)), key=lambda n: heights[n])
    moved = list(heights)
    for above, below in pairwise(order):
        moved[below] = max(moved[below], moved[above] + least)
    excess = max(0.0, max(moved, default=0.0) - (HEIGHT - BOTTOM))
    return [each - excess for each in moved]
