"""Places names beside marks, so that no name covers another one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Of the size of the type: a letter on average, in the widest of the usual fonts.
WIDEST, WIDEST_BOLD = 0.62, 0.7
GAP = 2.0
_STEP = 4.0
_CROSSING = 9.0  # a line that is written over is as bad as standing so much further away
_SIDES = (0.0, 1.5, 3.0)  # right of the mark is best, then left, then across


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box, gap: float = 0.0) -> bool:
        """Whether less than `gap` is between the two."""
        return (
            self.left < other.right + gap
            and other.left < self.right + gap
            and self.top < other.bottom + gap
            and other.top < self.bottom + gap
        )

    def holds(self, other: Box) -> bool:
        return (
            self.left <= other.left
            and self.top <= other.top
            and other.right <= self.right
            and other.bottom <= self.bottom
        )

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """The point of the rectangle that is nearest to (x, y)."""
        return min(max(x, self.left), self.right), min(max(y, self.top), self.bottom)


@dataclass(frozen=True, slots=True)
class Marked:
    """A mark of this radius at (x, y), the lines that belong to it, and the name it is to get."""

    x: float
    y: float
    radius: float
    text: str
    lines: tuple[Box, ...] = ()
    is_bold: bool = False

    @property
    def box(self) -> Box:
        return Box(self.x - self.radius, self.y - self.radius, self.x + self.radius, self.y + self.radius)


def width_of(text: str, size: float, *, is_bold: bool = False) -> float:
    """How wide a text may become in any usual font, in pixels."""
    return (WIDEST_BOLD if is_bold else WIDEST) * size * len(text)


def place_labels(marks: Sequence[Marked], area: Box, size: float) -> tuple[Box, ...]:
    """A rectangle for each mark's name, in the order of the marks, inside `area` where a name fits into it.

    Names never cover each other. They keep off the marks too where there is room, and off the lines where
    that costs little way.
    """
    taken: list[Box] = []
    for mark in marks:
        boxes = [
            box for box in _candidates(mark, area, size) if not any(box.meets(one, GAP) for one in taken)
        ]
        clear = [box for box in boxes if not any(box.meets(one.box, 1.0) for one in marks)]
        taken.append(min(clear or boxes, key=lambda box: _cost(box, mark, marks)))
    return tuple(taken)


def _candidates(mark: Marked, area: Box, size: float) -> Iterator[Box]:
    width, height = width_of(mark.text, size, is_bold=mark.is_bold), 1.2 * size
    steps = math.floor((area.bottom - area.top - height) / _STEP)
    sides = (mark.x + mark.radius + 3, mark.x - mark.radius - 3 - width, mark.x - width / 2)
    for left in sides:
        at = max(area.left, min(left, area.right - width))
        for step in range(steps + 1):
            top = area.top + step * _STEP
            yield Box(at, top, at + width, top + height)
        level = min(max(mark.y - height / 2, area.top), area.bottom - height)
        yield Box(at, level, at + width, level + height)


def _cost(box: Box, mark: Marked, marks: Sequence[Marked]) -> tuple[float, float, float]:
    x, y = box.nearest(mark.x, mark.y)
    crossed = sum(box.meets(line) for one in marks for line in one.lines)
    side = _SIDES[0 if box.left > mark.x else 1 if box.right < mark.x else 2]
    way = math.hypot(x - mark.x, y - mark.y)
    return round(way + _CROSSING * crossed + side, 6), box.top, box.left
