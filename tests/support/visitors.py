"""A service behind a flag whose visitors are of two kinds, with a metrics page over real HTTP."""

from __future__ import annotations

import json
from typing import Any

from rollway.flags import FlagBook, answer_one
from support.world import Metrics, release_facts

ASKED = 1000
NEW = 50
"""Customers who come for the first time between two looks at the page."""


class Visitors(Metrics):
    """Customers are known, and get the variant that the flag says; strangers are not, and fail often.

    10,000 requests a second of each kind. 2% of the customers' are bad with the old version, 8% of the
    strangers', who have the old one too.
    """

    def __init__(self, book: FlagBook, flag: str) -> None:
        super().__init__()
        self._book, self._flag = book, flag
        self._totals = {"old": 0.0, "new": 0.0, "control": 0.0}
        self._bads = dict(self._totals)
        self._arrived = dict.fromkeys(self._totals, 0)

    def shares(self) -> dict[str, float]:
        """The shares of 1,000 customers who get each variant now."""
        said = [self._variant({"targetingKey": f"u{number}"}) for number in range(ASKED)]
        return {variant: said.count(variant) / ASKED for variant in self._totals}

    def page(self) -> str:
        for _ in range(NEW):
            self._arrived[self._variant({"targetingKey": f"new-{sum(self._arrived.values())}"})] += 1
        told = [f'customers_total{{variant="{name}"}} {count}' for name, count in self._arrived.items()]
        return super().page() + "\n".join(("# TYPE customers_total counter", *told)) + "\n"

    def _variant(self, context: dict[str, str]) -> str:
        answer = answer_one(self._book, self._flag, json.dumps({"context": context}).encode(), now=0)
        variant: str = json.loads(answer.body).get("variant", "old")
        return variant

    def rates(self) -> dict[str, tuple[float, float]]:
        """Requests per second and the share of bad ones, by variant."""
        bads = {"old": 0.02, "new": self.bad, "control": 0.02}
        found = {variant: (10_000 * share, bads[variant]) for variant, share in self.shares().items()}
        to_strangers = self._variant({})
        rate, bad = found[to_strangers]
        found[to_strangers] = (rate + 10_000, (rate * bad + 10_000 * 0.08) / (rate + 10_000))
        return found


def checkout_facts(visitors: Visitors, *, has_control_group: bool) -> dict[str, Any]:
    """A canary among these visitors, beside a control group of equal size or beside everyone else."""
    facts = release_facts(visitors.url, name="checkout")
    signal = facts["kpis"][0]["signal"]
    signal["baseline"] = "control" if has_control_group else "old"
    facts["rollout"]["control_group"] = "equal" if has_control_group else None
    counted = {key: value for key, value in signal.items() if key != "bad"} | {"total": "customers_total"}
    split = {"name": "split", "kind": "assignment", "say": "brake", "signal": counted}
    return {**facts, "kpis": [*facts["kpis"], split]}
