"""The share of users over time as a picture: in characters for a terminal, and as SVG.

Rows are the shares that the plan serves, so that 1% is as easy to see as 100%. A row is dark where nearly all
runs serve as much, and light where few do.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise

import numpy as np

from rollway.judge.logs import FloatArray
from rollway.planning import Plan
from rollway.planning.words import length, percent
from rollway.rehearsal.findings import Rehearsal
from rollway.rehearsal.many import Result

WIDEST, LABEL = 80, 8
SHADES = (" ", "░", "▒", "█")
PLAIN_SHADES = (" ", ".", "o", "#")
PARTS = (0.05, 0.5, 0.95)
"""Above these parts of the runs the shades begin: a few, half, nearly all."""
SLACK = 1e-6


def shares_of(plan: Plan) -> list[float]:
    """The shares that the plan serves, the largest first."""
    live = {stage.exposure.share for stage in plan.stages if stage.exposure.mode == "live"}
    return sorted((share for share in live if share > 0), reverse=True)


def span(result: Result) -> float:
    """How long the picture is, seconds: nine in ten runs are over by then."""
    return max(1.0, result.quantile(lambda outcome: outcome.lasted, 0.9) or 1.0)


def parts(result: Result, shares: Sequence[float], columns: int, seconds: float) -> FloatArray:
    """The part of the runs that serve at least each share, shape (shares, columns), from the exposure on."""
    found = np.zeros((len(shares), columns))
    moments = (np.arange(columns) + 0.5) * seconds / columns
    for outcome in result.outcomes:
        if outcome.started is None:
            continue
        times = np.array([at - outcome.started for at, _ in outcome.path])
        served = np.array([share for _, share in outcome.path])
        at = served[np.maximum(np.searchsorted(times, moments, side="right") - 1, 0)]
        found += at >= np.array(shares)[:, np.newaxis] - SLACK
    return found / max(1, len(result.outcomes))


def characters(plan: Plan, result: Result, *, width: int = WIDEST, plain: bool = False) -> list[str]:
    """The picture in lines of at most `width` characters. `plain`: nothing beyond ASCII."""
    shares, columns = shares_of(plan), min(width, WIDEST) - LABEL - 1
    if not shares:
        return []
    seconds, shades = span(result), PLAIN_SHADES if plain else SHADES
    table = np.searchsorted(PARTS, parts(result, shares, columns, seconds), side="right")
    axis, corner, floor = ("|", "+", "-") if plain else ("│", "└", "─")
    lines = [
        f"{percent(share):>{LABEL - 1}} {axis}{''.join(shades[cell] for cell in row)}".rstrip()
        for share, row in zip(shares, table, strict=True)
    ]
    end = length(round(seconds))
    lines.append(" " * LABEL + corner + floor * columns)
    lines.append(" " * (LABEL + 1) + "first user".ljust(columns - len(end)) + end)
    told = f"{shades[3]} nearly all runs serve as much  {shades[2]} most  {shades[1]} some"
    return [*lines, " " * (LABEL + 1) + told]


# --- as SVG -----------------------------------------------------------------------------------------

WIDTH, ROW, GAP, LEFT, TOP = 760, 16, 54, 70, 46
COLUMNS = 160
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1c2733}.small{font-size:11px;fill:#5a6b7b}"
    ".good{fill:#2f7d5b}.bad{fill:#b5473c}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9fb0c0}}"
)


def svg(rehearsal: Rehearsal) -> str:
    """All stories below each other, as one SVG document."""
    shares, at, body = shares_of(rehearsal.plan), TOP, []
    title = f"Rehearsal of {rehearsal.plan.title or rehearsal.plan.name} {rehearsal.plan.version}"
    for result in rehearsal.results:
        body += _panel(result, shares, at)
        at += ROW * len(shares) + GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {at}" role="img" '
        f'aria-label="{escape(title, quote=True)}"><style>{STYLE}</style>'
        f'<text x="10" y="20" font-weight="bold">{escape(title)}</text>'
    )
    return "\n".join([head, *body, "</svg>", ""])


def _panel(result: Result, shares: Sequence[float], top: int) -> list[str]:
    seconds, wide = span(result), WIDTH - LEFT - 20
    table = parts(result, shares, COLUMNS, seconds)
    kind = "bad" if result.scenario.fault else "good"
    scenario = result.scenario
    lines = [f'<text x="10" y="{top}">{escape(f"{scenario.name}: {scenario.told}")}</text>']
    for row, share in enumerate(shares):
        y = top + 8 + row * ROW
        lines.append(
            f'<text class="small" x="{LEFT - 8}" y="{y + 11}" text-anchor="end">{percent(share)}</text>'
        )
        lines += _blocks(table[row], y, wide, kind)
    base = top + 8 + ROW * len(shares) + 12
    lines.append(f'<text class="small" x="{LEFT}" y="{base}">first user</text>')
    end = length(round(seconds))
    lines.append(f'<text class="small" x="{LEFT + wide}" y="{base}" text-anchor="end">{end}</text>')
    return lines


def _blocks(row: FloatArray, y: int, wide: int, kind: str) -> list[str]:
    """Neighbouring columns of one darkness as one rectangle."""
    shown = np.round(row, 2)
    edges = [0, *(np.flatnonzero(np.diff(shown)) + 1).tolist(), len(shown)]
    step = wide / len(shown)
    return [
        f'<rect class="{kind}" x="{LEFT + begin * step:.1f}" y="{y}" width="{(end - begin) * step:.1f}" '
        f'height="{ROW - 3}" opacity="{shown[begin]:g}"/>'
        for begin, end in pairwise(edges)
        if shown[begin] > 0
    ]
