"""The figures as one picture: exposure beside the limit, and the share of healthy releases stopped.

Written by hand as SVG, so that it needs no library and follows the reader's light or dark theme.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any

from benchmarks.judge.measure import (
    ARGO,
    FLAGGER,
    KAYENTA,
    LEARNED,
    PEEKED,
    POOLED,
    ROLLWAY,
    STRATIFIED,
    USERS,
)

SHOWN = (ROLLWAY, LEARNED, USERS, STRATIFIED, POOLED, PEEKED, KAYENTA, FLAGGER, ARGO)
SHAPES = {
    ROLLWAY: "dot",
    LEARNED: "ring",
    USERS: "diamond",
    STRATIFIED: "square",
    POOLED: "square hollow",
    PEEKED: "cross",
    KAYENTA: "triangle",
    FLAGGER: "down",
    ARGO: "down hollow",
}
ROW, TOP, LEFT = 26, 92, 300
PLOT, GAP, SIDE = 430, 60, 210
WIDTH = LEFT + PLOT + GAP + SIDE + 24
MISSED = LEFT + PLOT + 16
SMALLEST, LARGEST = 0.5, 300.0
CALM = 0.1
"""Where more of the healthy releases are stopped, the exposure's mark is pale: stopping all is no merit."""
MOSTLY_MISSED = 0.5
STYLE = """
svg{--ink:#1f2328;--soft:#656d76;--line:#d8dee4;--back:#fff;--own:#0969da;--a:#8250df;--b:#bc4c00;--c:#57606a}
@media (prefers-color-scheme:dark){svg{--ink:#e6edf3;--soft:#9198a1;--line:#30363d;--back:#0d1117;
--own:#58a6ff;--a:#bc8cff;--b:#f0883e;--c:#9198a1}}
text{font:12px system-ui,sans-serif;fill:var(--ink)}.soft{fill:var(--soft)}.head{font-weight:600}
.line{stroke:var(--line)}.one{stroke:var(--soft);stroke-dasharray:3 3}.pale{opacity:.3}
.own{--m:var(--own)}.sequence{--m:var(--a)}.test{--m:var(--c)}.rule{--m:var(--b)}
.mark{fill:var(--m);stroke:var(--m);stroke-width:1.5}.hollow{fill:var(--back)}
"""
FAMILY = {
    ROLLWAY: "own",
    LEARNED: "own",
    USERS: "own",
    STRATIFIED: "sequence",
    POOLED: "sequence",
    PEEKED: "test",
    KAYENTA: "rule",
    FLAGGER: "rule",
    ARGO: "rule",
}


def svg(found: Mapping[str, Any], alpha: float = 0.05) -> str:
    """The chart of these results, one line of marks for each scenario."""
    height = TOP + ROW * len(found) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="Requests exposed beside the limit, and healthy releases stopped, by method">',
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="var(--back)"/>',
        *_legend(),
        *_axes(height),
    ]
    for row, result in enumerate(found.values()):
        parts += _scenario(result, TOP + ROW * row + ROW / 2, alpha)
    return "\n".join([*parts, "</svg>\n"])


def _legend() -> list[str]:
    parts, x, y = [], 16.0, 20.0
    for method in SHOWN:
        wide = 34 + 7 * len(method)
        if x + wide > WIDTH:
            x, y = 16.0, y + 20
        parts += [_mark(method, x + 6, y - 4, pale=False, title=method), _text(x + 18, y, method)]
        x += wide
    return parts


def _axes(height: int) -> list[str]:
    bottom = height - 34
    parts = [
        _text(LEFT, TOP - 24, "requests exposed, times the limit (log)", "head"),
        _text(LEFT + PLOT + GAP, TOP - 24, "healthy releases stopped", "head"),
    ]
    for value in (1, 2, 5, 10, 20, 50, 100):
        x = _times_at(value)
        parts += [
            _line(x, bottom, "one" if value == 1 else "line"),
            _text(x, TOP - 6, f"{value}×", "soft", "middle"),
        ]
    parts.append(_text(MISSED, TOP - 6, "missed", "soft", "middle"))
    for percent in (0, 5, 25, 50, 100):
        x = _share_at(percent / 100)
        parts += [
            _line(x, bottom, "one" if percent == 5 else "line"),
            _text(x, TOP - 6, f"{percent}%", "soft", "middle"),
        ]
    note = (
        f"Pale: the rule stops more than {CALM:.0%} of healthy releases. "
        f"Missed: it does not stop more than {MOSTLY_MISSED:.0%} of the bad ones by the end."
    )
    return [*parts, _text(16, height - 12, note, "soft")]


def _scenario(result: Mapping[str, Any], y: float, alpha: float) -> list[str]:
    parts = [_text(LEFT - 14, y + 4, result["title"], anchor="end")]
    for method in reversed(SHOWN):
        if method not in result["methods"]:
            continue
        told = result["methods"][method][f"{alpha:g}"]
        is_pale = told["false"] > CALM
        title = (
            f"{method}: {told['times_limit'] or math.nan:.2f} x limit, {told['false']:.1%} of healthy stopped"
        )
        if told["times_limit"] is not None:
            is_missed = told["missed"] > MOSTLY_MISSED
            x = MISSED if is_missed else _times_at(told["times_limit"])
            parts.append(_mark(method, x, y, pale=is_pale, title=title))
        parts.append(_mark(method, _share_at(told["false"]), y, pale=False, title=title))
    return parts


def _times_at(value: float) -> float:
    inside = min(max(value, SMALLEST), LARGEST)
    return LEFT + PLOT * math.log(inside / SMALLEST) / math.log(LARGEST / SMALLEST)


def _share_at(part: float) -> float:
    return LEFT + PLOT + GAP + SIDE * math.sqrt(part)


def _mark(method: str, x: float, y: float, *, pale: bool, title: str) -> str:
    shape, _, hollow = SHAPES[method].partition(" ")
    look = f"mark {FAMILY[method]} {hollow} {'pale' if pale else ''}"
    if shape == "ring":
        look += " hollow"
    drawn = {
        "dot": f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5"',
        "ring": f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5"',
        "diamond": _path(x, y, ((0, -6), (6, 0), (0, 6), (-6, 0))),
        "square": f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8"',
        "cross": f'<path d="M{x - 4:.1f} {y - 4:.1f}l8 8m0-8l-8 8"',
        "triangle": _path(x, y, ((0, -5), (5, 4), (-5, 4))),
        "down": _path(x, y, ((0, 5), (5, -4), (-5, -4))),
    }[shape]
    return f'{drawn} class="{" ".join(look.split())}"><title>{escape(title)}</title></{drawn[1:].split()[0]}>'


def _path(x: float, y: float, corners: tuple[tuple[float, float], ...]) -> str:
    points = "L".join(f"{x + dx:.1f} {y + dy:.1f}" for dx, dy in corners)
    return f'<path d="M{points}Z"'


def _line(x: float, bottom: float, look: str) -> str:
    return f'<path d="M{x:.1f} {TOP}V{bottom}" class="{look}"/>'


def _text(x: float, y: float, words: str, look: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{look}" text-anchor="{anchor}">{escape(words)}</text>'
