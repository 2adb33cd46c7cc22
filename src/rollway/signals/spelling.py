"""A bucket's bound is a number, so `le="1"` and `le="1.0"` are one bucket; pure.

Clients, formats and servers spell it differently: Prometheus 3 stores `1.0` where Prometheus 2 stored `1`,
and so does one that begins to scrape protobuf. Taken as texts, each of these would begin a counter anew.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

LE = "le"
"""The label of a classic histogram's bounds."""
_IN_KEY = re.compile(r'(?<=[{,])le="([^"\\]*)"')


def canonical(bound: str) -> str:
    """The one spelling of that number; what is no number stays as it is."""
    try:
        number = float(bound)
    except ValueError:
        return bound
    return "+Inf" if number == math.inf else repr(number)


def spellings(bound: str) -> tuple[str, ...]:
    """As clients and servers write that number; the given spelling first."""
    known = canonical(bound)
    try:
        number = float(bound)
    except ValueError:
        return (bound,)
    texts = (bound, known, known.removesuffix(".0"), f"{number:g}" if math.isfinite(number) else known)
    return tuple(dict.fromkeys(text for text in texts if float(text) == number))


def spelled_once(labels: Mapping[str, str]) -> Mapping[str, str]:
    """The labels of a series, with its bound, where it has one, in its one spelling."""
    bound = labels.get(LE)
    return labels if bound is None else {**labels, LE: canonical(bound)}


def key_spelled_once(key: str) -> str:
    """The same of a series that was written down by name and labels. Within a label's value no quote stands
    without a backslash."""
    return _IN_KEY.sub(lambda found: f'{LE}="{canonical(found.group(1))}"', key)
