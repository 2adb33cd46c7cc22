"""Days to full value against users harmed, the six methods with their spread: as SVG, and in characters.

Both axes are logarithmic (harm as log(1 + users)). A mark stands at the means; its arms reach from the value
that one draw in ten stays below to the one that nine in ten stay below. Harm is that of a faulty release.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from rollway.choice.methods import METHODS
from rollway.choice.outcomes import Outcome, Outcomes, Spread
from rollway.facts.model import MethodName

TITLE = "Time to full value against harm"
X_LABEL = "days until everyone has a version that works"
Y_LABEL = "users harmed if it is faulty"
LETTERS: dict[MethodName, str] = {
    "pilot": "P",
    "phased": "W",
    "canary": "C",
    "blue_green": "G",
    "parallel": "L",
    "big_bang": "B",
}
COLUMNS, ROWS = 60, 14
WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 72, 24, 48, 56
LABEL_WIDTH = 68
_TITLES = {method.name: method.title for method in METHODS}
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
    "pilot": "M0,-6 L6,5 L-6,5 Z",
    "phased": "M-5,-5 H5 V5 H-5 Z",
    "canary": "M-6,0 A6,6 0 1 0 6,0 A6,6 0 1 0 -6,0 Z",
    "blue_green": "M0,-7 L7,0 L0,7 L-7,0 Z",
    "parallel": "M-6,-6 H-1 V6 H-6 Z M1,-6 H6 V6 H1 Z",
    "big_bang": "M0,-7 L2,-2 L7,-2 L3,1 L5,7 L0,3 L-5,7 L-3,1 L-7,-2 L-2,-2 Z",
}


@dataclass(frozen=True, slots=True)
class _Axis:
    """A logarithmic axis: from data to 0..1, and the figures that are written on it."""

    low: float
    high: float
    ticks: tuple[float, ...]
    value: Callable[[float], float]

    def place(self, figure: float) -> float:
        part = (self.value(figure) - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, part))


def _axes(outcomes: Outcomes) -> tuple[_Axis, _Axis]:
    days = [figure for row in outcomes.rows for figure in (row.days.low, row.days.high, row.days.mean)]
    least, most = max(0.01, min(days)), max(days)
    low, high = math.floor(math.log10(least)), math.ceil(math.log10(most * 1.05))
    x = _Axis(low, max(high, low + 1), tuple(10.0**power for power in range(low, high + 1)), _log)
    harm = max(max(row.harmed_if_faulty.high, row.harmed_if_faulty.mean) for row in outcomes.rows)
    top = max(1, math.ceil(_log1(harm * 1.05)))
    y = _Axis(0.0, top, (0.0, *(10.0**power for power in range(1, top + 1))), _log1)
    return x, y


def _log(figure: float) -> float:
    return math.log10(max(figure, 1e-3))


def _log1(figure: float) -> float:
    return math.log10(1 + max(figure, 0.0))


# --- in characters ----------------------------------------------------------------------------------


def text_chart(outcomes: Outcomes) -> str:
    """The chart in characters, with a table below it: about 80 columns wide, 25 lines high."""
    x, y = _axes(outcomes)
    grid = [[" "] * COLUMNS for _ in range(ROWS)]
    for row in outcomes.rows:
        _arms(grid, x, y, row)
    for row in outcomes.rows:
        column, line = _cell(x, y, row.days.mean, row.harmed_if_faulty.mean)
        # Two methods in one cell: the later one stands beside the earlier.
        while grid[line][column] in LETTERS.values() and column < COLUMNS - 1:
            column += 1
        grid[line][column] = LETTERS[row.method]
    marks = {ROWS - 1 - round(y.place(tick) * (ROWS - 1)): tick for tick in y.ticks}
    lines = [f"{_short(marks[n]) if n in marks else '':>8} |{''.join(grid[n])}" for n in range(ROWS)]
    lines = [f"{'':>3}{Y_LABEL}", *(line.rstrip() for line in lines)]
    lines += [f"{'':>9}+{'-' * COLUMNS}", _x_figures(x), f"{'':>12}{X_LABEL}", ""]
    return "\n".join([*lines, *_table(outcomes)])


def _arms(grid: list[list[str]], x: _Axis, y: _Axis, row: Outcome) -> None:
    column, line = _cell(x, y, row.days.mean, row.harmed_if_faulty.mean)
    left, upper = _cell(x, y, row.days.low, row.harmed_if_faulty.high)
    right, lower = _cell(x, y, row.days.high, row.harmed_if_faulty.low)
    for at in range(left, right + 1):
        grid[line][at] = "+" if grid[line][at] == "|" else "-"
    for at in range(upper, lower + 1):
        grid[at][column] = "+" if grid[at][column] == "-" else "|"


def _cell(x: _Axis, y: _Axis, days: float, harm: float) -> tuple[int, int]:
    """Column and line, from the upper left corner."""
    return round(x.place(days) * (COLUMNS - 1)), ROWS - 1 - round(y.place(harm) * (ROWS - 1))


def _x_figures(x: _Axis) -> str:
    line = [" "] * (COLUMNS + 20)
    for tick in x.ticks:
        at = 10 + round(x.place(tick) * (COLUMNS - 1))
        for offset, character in enumerate(_short(tick)):
            line[at + offset] = character
    return "".join(line).rstrip()


def _table(outcomes: Outcomes) -> Iterator[str]:
    yield f"{'':<15}{'days':>18}{'harmed if faulty':>24}{'double work':>14}{'tickets':>10}"
    for row in outcomes.rows:
        name = f"{LETTERS[row.method]}  {_TITLES[row.method]}"
        yield (
            f"{name:<15}{_with_spread(row.days):>18}{_with_spread(row.harmed_if_faulty):>24}"
            f"{_short(row.double.mean):>9} p-d{_short(row.tickets.mean):>11}"
        )


def _with_spread(spread: Spread) -> str:
    return f"{_short(spread.mean)} ({_short(spread.low)}–{_short(spread.high)})"


def _short(figure: float) -> str:
    """A figure in at most six characters: 0.4, 12, 3.4k, 1.2M."""
    for limit, unit in ((1e6, "M"), (1e4, "k")):
        if figure >= limit:
            scaled = figure / (limit if unit == "M" else 1e3)
            return f"{scaled:.0f}{unit}" if scaled >= 10 else f"{scaled:.1f}{unit}"
    return f"{figure:.0f}" if figure >= 10 else f"{figure:.1f}".removesuffix(".0")


# --- as SVG -----------------------------------------------------------------------------------------

_STYLE = """\
.rollway-chart{color:var(--ink,#1b1f24);font:13px system-ui,sans-serif}
@media(prefers-color-scheme:dark){.rollway-chart{color:var(--ink,#e8eaed)}}
.rollway-chart text{fill:currentColor}
.rollway-chart .grid{stroke:currentColor;stroke-opacity:.18}
.rollway-chart .axis{stroke:currentColor;stroke-opacity:.7}
.rollway-chart .arm{stroke-width:2;stroke-opacity:.55}
.rollway-chart .first{stroke:currentColor;stroke-width:2}"""


def svg_chart(outcomes: Outcomes, first: MethodName | None = None, name: str = "") -> str:
    """The chart as SVG text, to stand in a page or in a file of its own.

    `first` is the method to be outlined, `name` what distinguishes its ids where a page holds several
    charts. Title and description say in words what it shows; colours fit light and dark.
    """
    x, y = _axes(outcomes)
    ids = f"chart-title{name}", f"chart-desc{name}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="rollway-chart" role="img" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" aria-labelledby={quoteattr(" ".join(ids))}>',
        f"<title id={quoteattr(ids[0])}>{escape(TITLE)}</title>",
        f"<desc id={quoteattr(ids[1])}>{escape(description(outcomes))}</desc>",
        f"<style>{_STYLE}</style>",
        *_svg_axes(x, y),
        *(_svg_arms(x, y, row) for row in outcomes.rows),
        *(_svg_mark(x, y, row, row.method == first) for row in outcomes.rows),
        *_svg_labels(x, y, outcomes),
        "</svg>",
    ]
    return "\n".join(parts)


def description(outcomes: Outcomes) -> str:
    """What the chart shows, in words, for whoever does not see it."""
    told = "; ".join(
        f"{_TITLES[row.method]}: {_with_spread(row.days)} days, {_with_spread(row.harmed_if_faulty)} users"
        for row in outcomes.rows
    )
    return (
        f"Mean, with the range that holds eight of ten draws, of {X_LABEL} and of {Y_LABEL} "
        f"({outcomes.fault:.0%} of the draws are). {told}."
    )


def _point(x: _Axis, y: _Axis, days: float, harm: float) -> tuple[float, float]:
    return (
        LEFT + x.place(days) * (WIDTH - LEFT - RIGHT),
        HEIGHT - BOTTOM - y.place(harm) * (HEIGHT - TOP - BOTTOM),
    )


def _svg_axes(x: _Axis, y: _Axis) -> Iterator[str]:
    right, base = WIDTH - RIGHT, HEIGHT - BOTTOM
    for tick in x.ticks:
        at, _ = _point(x, y, tick, 0)
        yield f'<line class="grid" x1="{at:.1f}" y1="{TOP}" x2="{at:.1f}" y2="{base}"/>'
        yield f'<text x="{at:.1f}" y="{base + 18}" text-anchor="middle">{_short(tick)}</text>'
    for tick in y.ticks:
        _, at = _point(x, y, 1, tick)
        yield f'<line class="grid" x1="{LEFT}" y1="{at:.1f}" x2="{right}" y2="{at:.1f}"/>'
        yield f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{_short(tick)}</text>'
    yield f'<path class="axis" fill="none" d="M{LEFT},{TOP} V{base} H{right}"/>'
    yield f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 14}" text-anchor="middle">{escape(X_LABEL)}</text>'
    yield f'<text x="{LEFT - 8}" y="{TOP - 18}">{escape(Y_LABEL)}</text>'


def _svg_arms(x: _Axis, y: _Axis, row: Outcome) -> str:
    at_x, at_y = _point(x, y, row.days.mean, row.harmed_if_faulty.mean)
    left, upper = _point(x, y, row.days.low, row.harmed_if_faulty.high)
    right, lower = _point(x, y, row.days.high, row.harmed_if_faulty.low)
    path = f"M{left:.1f},{at_y:.1f} H{right:.1f} M{at_x:.1f},{upper:.1f} V{lower:.1f}"
    return f'<path class="arm" fill="none" stroke="{_COLOURS[row.method]}" d="{path}"/>'


def _svg_mark(x: _Axis, y: _Axis, row: Outcome, is_first: bool) -> str:
    at_x, at_y = _point(x, y, row.days.mean, row.harmed_if_faulty.mean)
    outline = ' class="first"' if is_first else ""
    place = f'transform="translate({at_x:.1f},{at_y:.1f})"'
    return f'<path{outline} fill="{_COLOURS[row.method]}" {place} d="{_SHAPES[row.method]}"/>'


def _svg_labels(x: _Axis, y: _Axis, outcomes: Outcomes) -> Iterator[str]:
    """Each name beside its mark: above it where there is room, else below, else further up."""
    points = [(_point(x, y, row.days.mean, row.harmed_if_faulty.mean), row) for row in outcomes.rows]
    taken = [(at_x - 38, at_y + 5) for (at_x, at_y), _ in points]
    for (at_x, at_y), row in sorted(points, key=lambda one: one[0][1]):
        left = min(at_x + 10, WIDTH - RIGHT - LABEL_WIDTH)
        lines = (at_y - 8, at_y + 20, *(at_y - 8 - 7 * step for step in range(1, 40)))
        line = next(one for one in lines if _is_free(left, one, taken))
        taken.append((left, line))
        yield f'<text x="{left:.1f}" y="{line:.1f}">{escape(_TITLES[row.method])}</text>'


def _is_free(left: float, line: float, taken: list[tuple[float, float]]) -> bool:
    return all(abs(left - x) >= LABEL_WIDTH or abs(line - y) >= 12.5 for x, y in taken)
