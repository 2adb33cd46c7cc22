"""How a build of the service behaves: the good one, and what may be wrong with a new one."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

MEDIAN_SECONDS = 0.030
SPREAD = 0.45
"""Of the logarithm of the time that a quote takes."""


@dataclass(frozen=True, slots=True)
class Build:
    """`fails`, `wrong`: the share of quotes that end with an error, or with a wrong price. `slower`: how many
    times as long they take. `crashes_after`: seconds from the first quote to the end of the process."""

    fails: float = 0.02
    wrong: float = 0.0
    slower: float = 1.0
    crashes_after: float = math.inf

    def seconds(self) -> float:
        """How long the next quote takes: log-normal, as waiting for a database is."""
        return self.slower * MEDIAN_SECONDS * math.exp(SPREAD * random.gauss())


BUILDS = {
    "good": Build(),
    "errors": Build(fails=0.15),
    "slow": Build(slower=3.0),
    "wrong": Build(wrong=0.12),
    "crash": Build(crashes_after=1.5),
}
TOLD = {
    "good": "as healthy as the old version",
    "errors": "15% of its answers are errors, 2% are usual",
    "slow": "takes three times as long",
    "wrong": "12% of its prices are wrong",
    "crash": "dies 1.5 s after its first user",
}


def price(item: int, count: int) -> int:
    """What a quote should say, in cents: a tenth off from ten pieces on."""
    cents = (199 + 37 * item) * count
    return cents - cents // 10 if count >= 10 else cents
