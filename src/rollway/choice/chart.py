"""Days to full value against users harmed, the six methods with their spread: its axes, and in characters.

Both axes are logarithmic (harm as log(1 + users)). A mark stands at the means; its arms reach from the value
that one draw in ten stays below to the one that nine in ten stay below. Harm is that of a faulty release.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

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
TITLES = {method.name: method.title for method in METHODS}


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic axis: from data to 0..1, and the figures that are written on it."""

    low: float
    high: float
    ticks: tuple[float, ...]
    value: Callable[[float], float]

    def place(self, figure: float) -> float:
        part = (self.value(figure) - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, part))


def axes(outcomes: Outcomes) -> tuple[Axis, Axis]:
    """The axis of days and the axis of users harmed, wide enough for every spread."""
    days = [figure for row in outcomes.rows for figure in (row.days.low, row.days.high, row.days.mean)]
    least, most = max(0.01, min(days)), max(0.01, *days)
    low, high = math.floor(math.log10(least)), math.ceil(math.log10(most * 1.05))
    x = Axis(low, max(high, low + 1), tuple(_ticks(low, max(high, low + 1))), _log)
    harm = max(max(row.harmed_if_faulty.high, row.harmed_if_faulty.mean) for row in outcomes.rows)
    top = max(1, math.ceil(_log1(harm * 1.05)))
    y = Axis(0.0, _log1(10.0**top), (0.0, *(10.0**power for power in range(1, top + 1))), _log1)
    return x, y


def _ticks(low: int, high: int) -> Iterator[float]:
    """The powers of ten, and 2 and 5 between them where there are few."""
    for power in range(low, high):
        yield from (step * 10.0**power for step in ((1, 2, 5) if high - low <= 2 else (1,)))
    yield 10.0**high


def _log(figure: float) -> float:
    return math.log10(max(figure, 1e-3))


def _log1(figure: float) -> float:
    return math.log10(1 + max(figure, 0.0))


# --- in characters ----------------------------------------------------------------------------------


def text_chart(outcomes: Outcomes) -> str:
    """The chart in characters, with a table below it: about 80 columns wide, 25 lines high."""
    x, y = axes(outcomes)
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
    lines = [f"{short(marks[n]) if n in marks else '':>8} |{''.join(grid[n])}" for n in range(ROWS)]
    lines = [f"{'':>3}{Y_LABEL}", *(line.rstrip() for line in lines)]
    lines += [f"{'':>9}+{'-' * COLUMNS}", _x_figures(x), f"{'':>12}{X_LABEL}", ""]
    return "\n".join([*lines, *_table(outcomes)])


def _arms(grid: list[list[str]], x: Axis, y: Axis, row: Outcome) -> None:
    column, line = _cell(x, y, row.days.mean, row.harmed_if_faulty.mean)
    left, upper = _cell(x, y, row.days.low, row.harmed_if_faulty.high)
    right, lower = _cell(x, y, row.days.high, row.harmed_if_faulty.low)
    for at in range(left, right + 1):
        grid[line][at] = "+" if grid[line][at] == "|" else "-"
    for at in range(upper, lower + 1):
        grid[at][column] = "+" if grid[at][column] == "-" else "|"


def _cell(x: Axis, y: Axis, days: float, harm: float) -> tuple[int, int]:
    """Column and line, from the upper left corner."""
    return round(x.place(days) * (COLUMNS - 1)), ROWS - 1 - round(y.place(harm) * (ROWS - 1))


def _x_figures(x: Axis) -> str:
    line = [" "] * (COLUMNS + 20)
    for tick in x.ticks:
        at = 10 + round(x.place(tick) * (COLUMNS - 1))
        for offset, character in enumerate(short(tick)):
            line[at + offset] = character
    return "".join(line).rstrip()


def _table(outcomes: Outcomes) -> Iterator[str]:
    yield f"{'':<15}{'days':>18}{'harmed if faulty':>24}{'double work':>14}{'tickets':>10}"
    for row in outcomes.rows:
        name = f"{LETTERS[row.method]}  {TITLES[row.method]}"
        yield (
            f"{name:<15}{with_spread(row.days):>18}{with_spread(row.harmed_if_faulty):>24}"
            f"{short(row.double.mean):>9} p-d{short(row.tickets.mean):>11}"
        )
    yield "Means (10% to 90% of the draws); p-d: person-days; tickets: on the worst day."


def with_spread(spread: Spread) -> str:
    """A mean with the range that holds eight of ten draws."""
    return f"{short(spread.mean)} ({short(spread.low)}–{short(spread.high)})"


def short(figure: float) -> str:
    """A figure in at most six characters: 0.4, 12, 3.4k, 1.2M."""
    for limit, unit in ((1e6, "M"), (1e4, "k")):
        if figure >= limit:
            scaled = figure / (limit if unit == "M" else 1e3)
            return f"{scaled:.0f}{unit}" if scaled >= 10 else f"{scaled:.1f}{unit}"
    if 0 < figure < 0.05:
        return f"{figure:.2g}"
    return f"{figure:.0f}" if figure >= 10 else f"{figure:.1f}".removesuffix(".0")
