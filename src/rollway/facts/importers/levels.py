"""Likelihoods, impacts and severities as registers and trackers write them: in words, or on a scale."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Word -> level. What stands first decides: "very high" before "high".
_IMPACTS = (
    (
        "critical",
        "very high|critical|catastroph|severe|extreme|blocker|showstopper|existential|sehr hoch|kritisch",
    ),
    ("low", "very low|low|minor|negligible|insignificant|trivial|marginal|gering|niedrig|faible|bajo"),
    ("medium", "medium|moderate|mittel|moyen|medio|normal|possible|tolerable"),
    ("high", "high|major|significant|serious|hoch|elev|eleve|élev|alto|schwer"),
)
_PROBABILITIES = (
    (
        "low",
        "very low|low|unlikely|rare|remote|improbable|gering|niedrig|unwahrscheinlich|selten|faible|bajo",
    ),
    ("high", "very high|high|almost certain|certain|very likely|frequent|sehr hoch|hoch|häufig|élev|alto"),
    ("medium", "medium|moderate|possible|occasional|mittel|möglich|moyen|medio|normal"),
    ("high", "likely|probable|wahrscheinlich"),
)
# Largest figure of a column -> the figures at which medium, high and critical begin.
_SCALES = {3: (2, 3, 4), 4: (2, 3, 4), 5: (3, 4, 5), 10: (4, 7, 9), 25: (6, 13, 20), 100: (34, 67, 90)}
_NAMES = ("low", "medium", "high", "critical")


def largest(texts: Iterable[str]) -> float:
    """The end of the scale on which a column is written: its largest figure; 0 where it has none."""
    return max((figure for text in texts if (figure := _figure(text)) is not None), default=0.0)


def impact_of(text: str, scale_end: float = 0.0) -> str:
    """low, medium, high or critical; "" where it cannot be told. `scale_end`: see `largest`."""
    return _word(text, _IMPACTS) or _on_scale(text, scale_end)


def probability_of(text: str, scale_end: float = 0.0) -> str:
    """low, medium or high; "" where it cannot be told."""
    level = _word(text, _PROBABILITIES) or _on_scale(text, scale_end)
    return "high" if level == "critical" else level


def scale_told(scale_end: float, *, has_critical: bool) -> str:
    """How the figures of a column were understood, for the report; "" where it has none."""
    top = _top(scale_end)
    if not top:
        return ""
    if scale_end <= 1:
        return "on a scale from 0 to 1: medium from 0.34, high from 0.67"
    medium, high, critical = _SCALES[top]
    rest = f", critical from {critical}" if has_critical and critical <= top else ""
    return f"on a scale to {top}: medium from {medium}, high from {high}{rest}"


def _word(text: str, words: tuple[tuple[str, str], ...]) -> str:
    told = text.lower()
    return next((level for level, pattern in words if re.search(rf"\b(?:{pattern})", told)), "")


def _figure(text: str) -> float | None:
    """The figure that a text begins with: `4`, `4 - likely`, `30 %`, `0,3`."""
    found = re.match(r"\s*([0-9]{1,4}(?:[.,][0-9]{1,4})?)\s*(%?)(?![\w.])", text)
    return float(found[1].replace(",", ".")) if found else None


def _on_scale(text: str, scale_end: float) -> str:
    figure = _figure(text)
    if figure is None:
        return ""
    is_percent, top = "%" in text, _top(scale_end)
    if is_percent or not top or scale_end <= 1:
        figure, top = (figure if is_percent else figure * 100), 100
    medium, high, critical = _SCALES[top]
    return _NAMES[(figure >= medium) + (figure >= high) + (figure >= critical)]


def _top(scale_end: float) -> int:
    """The smallest usual scale that holds the largest figure; 0 for none."""
    if scale_end <= 0:
        return 0
    return next((top for top in _SCALES if scale_end <= top), 0)
