"""flagd's `fractional`, second generation: users hashed into shares.

    bucket = (h * W) >> 32,    chosen = the first share whose cumulative weight > bucket

h: MurmurHash3 (x86, 32 bit, seed 0, unsigned) of the UTF-8 text; W: the sum of the weights. This is what
flagd 0.16 and JavaScript's flagd-core 4 do. Clients of the third generation (Python's flagd-core 2) hash
CBOR instead and choose other users.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import mmh3

from rollway.flags.rules import Part, Rule

MAX_TOTAL = 2**31 - 1


def bucket(text: str, total: int) -> int:
    """Where the text falls in [0, total)."""
    # Never hand mmh3 the text itself: on half a surrogate pair, which JSON may carry, 5.3.1 crashes.
    try:
        data = text.encode()
    except UnicodeEncodeError:
        data = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
    return (mmh3.mmh3_32_uintdigest(data) * total) >> 32


def by_targeting_key(flag: str) -> Rule:
    """The text that is hashed where a rule names none: flag key and targeting key."""

    def text(data: Any) -> str | None:
        key = data.get("targetingKey")
        return flag + key if isinstance(key, str) and key else None

    return text


def fractional(text_of: Rule, shares: Sequence[tuple[Part, Part]]) -> Rule:
    """The rule that chooses among (variant, weight) pairs.

    It gives None, so that the default applies, where `text_of` gives no text, a weight is no whole
    number, or the weights sum to 0 or to more than 2**31 - 1. Negative weights count as 0.
    """
    variants = [variant.run for variant, _ in shares]
    weights = [weight.value for _, weight in shares if weight.is_literal]
    if len(weights) < len(shares):
        return _with_changing_weights(text_of, variants, [weight.run for _, weight in shares])
    bounds = _bounds(weights)
    if bounds is None:
        return lambda _data: None
    if all(variant.is_literal for variant, _ in shares):
        return _among_names(text_of, [variant.value for variant, _ in shares], bounds)

    def choose(data: Any) -> Any:
        text = text_of(data)
        if not isinstance(text, str):
            return None
        return variants[bisect_right(bounds, bucket(text, bounds[-1]))](data)

    return choose


def _among_names(text_of: Rule, names: Sequence[Any], bounds: Sequence[int]) -> Rule:
    total = bounds[-1]

    def choose(data: Any) -> Any:
        text = text_of(data)
        return names[bisect_right(bounds, bucket(text, total))] if isinstance(text, str) else None

    return choose


def _with_changing_weights(text_of: Rule, variants: Sequence[Rule], weights: Sequence[Rule]) -> Rule:
    def choose(data: Any) -> Any:
        text = text_of(data)
        bounds = _bounds([weight(data) for weight in weights])
        if not isinstance(text, str) or bounds is None:
            return None
        return variants[bisect_right(bounds, bucket(text, bounds[-1]))](data)

    return choose


def _bounds(weights: Sequence[Any]) -> list[int] | None:
    """Cumulative weights; None where they cannot be used."""
    if not all(is_weight(weight) for weight in weights):
        return None
    bounds = list(accumulate(max(0, int(weight)) for weight in weights))
    return bounds if 0 < bounds[-1] <= MAX_TOTAL else None


def is_weight(value: Any) -> bool:
    """Whether the value is a whole number."""
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)
