"""The figures as aligned text and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.judge.measure import (
    ALPHAS,
    ARGO,
    FLAGGER,
    KAYENTA,
    LEARNED,
    LIMIT,
    PEEKED,
    POOLED,
    ROLLWAY,
    SHIRYAEV,
    STRATIFIED,
    TWO_SAMPLE,
    USERS,
)

ORDER = (
    LIMIT,
    TWO_SAMPLE,
    SHIRYAEV,
    ROLLWAY,
    LEARNED,
    USERS,
    STRATIFIED,
    POOLED,
    PEEKED,
    KAYENTA,
    FLAGGER,
    ARGO,
)
HEADS = ("method", "healthy stopped %", "missed %", "exposed", "x limit", "at 5% false", "minutes")
TELEMETRY_HEADS = (
    "trouble",
    "method",
    "healthy stopped %",
    "x2 missed %",
    "x2 exposed",
    "Rollway says of healthy runs",
)
INTERVAL_HEADS = ("seconds between checks", "1", "5", "15", "30", "60")
USELESS = 0.2
"""Above this share of healthy releases stopped, how soon a rule stops bad ones is not shown as a merit."""


def text(result: Mapping[str, Any], alpha: float = 0.05) -> str:
    """One scenario, aligned."""
    rows = [HEADS, *scenario_rows(result, alpha)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]
    return "\n".join([f"{result['title']} (alpha {alpha:g}, {result['runs']:,} runs)", *lines])


def scenario_rows(result: Mapping[str, Any], alpha: float) -> list[tuple[str, ...]]:
    """A row for each method that read the scenario."""
    methods = result["methods"]
    return [_row(method, methods[method], alpha) for method in ORDER if method in methods]


def _row(method: str, levels: Mapping[str, Any], alpha: float) -> tuple[str, ...]:
    told = levels[f"{alpha:g}"]
    return (
        method,
        _percent(told["false"]),
        _percent(told["missed"]),
        "-" if told["exposed"] is None else f"{told['exposed']:,.0f}",
        times(told["times_limit"]),
        times(levels["matched"]["times_limit"]),
        "never" if told["minutes"] is None else f"{told['minutes']:g}",
    )


def markdown(found: Mapping[str, Any], methods: Sequence[str], alpha: float) -> str:
    """A row for each scenario, a column for each method: healthy stopped % / missed % / x limit / at 5%."""
    shown = [m for m in methods if any(m in result["methods"] for result in found.values())]
    rows = [
        [
            result["title"],
            _requests(result["methods"][LIMIT][f"{alpha:g}"]["exposed"]),
            *(_cell(result["methods"].get(method), alpha) for method in shown),
        ]
        for result in found.values()
        if any(method in result["methods"] for method in shown)
    ]
    return as_markdown(["scenario", "limit", *shown], rows)


def all_markdown(found: Mapping[str, Any]) -> list[str]:
    """The three tables of the document: Rollway, those that know alpha, those that do not."""
    parts: list[tuple[str, tuple[str, ...], float]] = [
        (f"Rollway and other limits, alpha {alpha:g}", (ROLLWAY, LEARNED, USERS, TWO_SAMPLE, SHIRYAEV), alpha)
        for alpha in ALPHAS
    ]
    parts.append(("Other tests, alpha 0.05", (STRATIFIED, POOLED, PEEKED), 0.05))
    parts.append(("Rules of other products", (KAYENTA, FLAGGER, ARGO), 0.05))
    return [f"### {title}\n\n{markdown(found, methods, alpha)}\n" for title, methods, alpha in parts]


def _cell(levels: Mapping[str, Any] | None, alpha: float) -> str:
    if levels is None:
        return ""
    told, matched = levels[f"{alpha:g}"], levels["matched"]["times_limit"]
    parts = (
        _percent(told["false"]),
        _percent(told["missed"]),
        "–" if told["false"] > USELESS else times(told["times_limit"]),
        times(matched),
    )
    return " / ".join(parts)


def telemetry_rows(found: Mapping[str, Any]) -> list[list[str]]:
    """For each trouble and method: healthy stopped %, faults missed %, requests exposed."""
    return [
        [
            trouble,
            method,
            _percent(told["false"]),
            _percent(told["missed"]),
            _requests(told["exposed"]),
            _says(result) if method == ROLLWAY else "",
        ]
        for trouble, result in found.items()
        for method, told in result["methods"].items()
    ]


def _says(result: Mapping[str, Any]) -> str:
    """Its verdicts at the trouble's end, and whether the fault was ever called healthy in its first stage."""
    asked = sum(result["says"].values())
    words = [f"{word} {_percent(count / asked)}%" for word, count in result["says"].items()]
    return f"{', '.join(words)}; passes x2 at 10%: {_percent(result['faulty_passed'])}%"


def interval_rows(found: Mapping[str, Any], alpha: float = 0.05) -> list[list[str]]:
    """For each method the requests exposed at each check interval."""
    methods = next(iter(found.values()))
    return [
        [method, *(_requests(each[method][f"{alpha:g}"]) for each in found.values())] for method in methods
    ]


def as_markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def times(value: float | None) -> str:
    """A multiple of the limit, to about two digits."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"


def _percent(part: float | None) -> str:
    return "–" if part is None else f"{100 * part:.1f}" if part < 0.0995 else f"{100 * part:.0f}"


def _requests(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"
