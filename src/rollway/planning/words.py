"""Shares, lengths of time and names as people say them, and as stage ids."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from rollway.facts.fact import Fact
from rollway.facts.model import MethodName

METHOD_WORDS: dict[MethodName, str] = {
    "pilot": "pilot",
    "phased": "phased rollout",
    "parallel": "parallel run",
    "big_bang": "big bang",
    "blue_green": "blue-green",
    "canary": "canary",
}

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def percent(share: float) -> str:
    """`0.1` is 10%, `0.0143` is 1.43%; a share that is not zero never reads as 0%."""
    hundredths = round(share * 100, 2)
    return "<0.01%" if share > 0 and hundredths == 0 else f"{hundredths:g}%"


def length(seconds: float) -> str:
    """A length of time in its two largest units: `20 minutes`, `1 day 6 hours`, `0.5 seconds`."""
    if seconds < 1:
        return f"{seconds:g} seconds"
    parts: list[str] = []
    rest = float(round(seconds))
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count:.0f} {unit}{'' if count == 1 else 's'}")
    return " ".join(parts[:2])


def about(seconds: float) -> str:
    """A length of time that is only roughly known: `1.8 hours`, `23 seconds`, `300 days`."""
    unit, size = next((pair for pair in _UNITS if seconds >= pair[1]), _UNITS[-1])
    amount = two_digits(seconds / size)
    return f"{amount} {unit}" if amount == "1" else f"{amount} {unit}s"


def times(ratio: float) -> str:
    """A ratio as a factor: `×1.5`."""
    return f"×{ratio:.3g}"


def two_digits(number: float) -> str:
    """A number to two digits, its thousands apart: 12 345 is `12 000`."""
    rounded = float(f"{number:.1e}")
    return f"{rounded:g}" if rounded < 100 else f"{rounded:,.0f}".replace(",", " ")


def listing(items: Iterable[str], at_most: int = 5) -> str:
    """`a, b and c`; beyond `at_most` the rest is counted."""
    names = list(items)
    if len(names) > at_most:
        names = [*names[: at_most - 1], f"{len(names) - at_most + 1} more"]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def sentence(text: str) -> str:
    """The text with a full stop, unless it ends like a sentence already; empty text stays empty."""
    text = text.strip()
    return text if not text or text[-1] in ".!?…:" else f"{text}."


def stated(fact: Fact[bool]) -> str:
    """What a fact answers to a yes-or-no question, without its place: a moved line changes no plan."""
    if fact.value is None:
        return "not stated"
    return f"{'assumed' if fact.state == 'assumed' else 'stated'}: {'yes' if fact.value else 'no'}"


def slug(text: str) -> str:
    """Lower-case ASCII letters and digits joined by hyphens, at most 40 characters; never empty."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-")[:40].strip("-") or "part"


def share_slug(share: float) -> str:
    """`0.1` is 10-percent, `0.005` is 0-5-percent."""
    return slug(f"{share * 100:.6g}-percent")
