"""Numbers as people read them, on a page and in a terminal. Pure."""

from __future__ import annotations

import math

NOTHING = "–"
DIGITS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def percent(part: float | None) -> str:
    """0.25 -> 25%, 0.0042 -> 0.42%, None -> –. Three significant digits at most."""
    if part is None:
        return NOTHING
    value = 100 * part
    if value == 0 or value >= 99.95:
        return f"{value:.0f}%"
    return f"{value:.3g}%" if value >= 0.1 else f"{value:.2g}%"


def rate(part: float | None) -> str:
    """A measured rate, with digits that do not jump: 0.02 -> 2.00%, 0.101 -> 10.1%, 0.00042 -> 0.042%."""
    if part is None:
        return NOTHING
    value = 100 * part
    if value == 0 or value >= 99.95:
        return f"{value:.0f}%"
    if value < 0.1:
        return f"{value:.2g}%"
    return f"{value:.2f}%" if value < 10 else f"{value:.1f}%"


def count(number: int | float | None) -> str:
    return NOTHING if number is None else f"{number:,.0f}"


def amount(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def times(ratio: float | None) -> str:
    """1.052 -> 1.05×, 12.3 -> 12×, None -> –."""
    if ratio is None:
        return NOTHING
    return f"{ratio:.2f}×" if ratio < 10 else f"{ratio:,.0f}×"


def band(low: float | None, high: float | None) -> str:
    """The ratios the data leave open: 0.81–1.37×; open-ended where a side is not bounded yet."""
    if low is None and high is None:
        return "any ratio is still possible"
    if low is None:
        return f"up to {times(high)}"
    if high is None:
        return f"{times(low)} and more"
    return f"{times(low)} to {times(high)}"


def e_value(log_e: float) -> str:
    """exp(log_e) as people read it: 0.04, 7.2, 120, 3.1 × 10⁸, < 0.01."""
    if log_e < math.log(0.005):
        return "< 0.01"
    exponent = log_e / math.log(10)
    if exponent >= 5:
        whole = math.floor(exponent)
        return f"{10 ** (exponent - whole):.1f} × 10{str(whole).translate(DIGITS)}"
    value = math.exp(log_e)
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.2g}"


def duration(seconds: float | None) -> str:
    """40 -> 40 s, 90 -> 1 min 30 s, 5400 -> 1 h 30 min, 273600 -> 3 d 4 h. Two units at most."""
    if seconds is None:
        return NOTHING
    left, parts = round(seconds), []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        amount, left = divmod(left, size)
        if amount:
            parts.append(f"{amount} {unit}")
        elif parts:
            break
    return " ".join(parts[:2]) or f"{seconds:.2g} s"


def sentence(text: str) -> str:
    """Words with a capital at the beginning and a full stop at the end."""
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if not text or text[-1] in ".!?" else f"{text}."
