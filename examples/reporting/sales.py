"""The table that both reports are made of: a year's sales, the same ones at every start."""

from __future__ import annotations

import random
from typing import NamedTuple

REGIONS = ("North", "East", "South", "West")
MONTHS = tuple(f"2025-{month:02d}" for month in range(1, 13))


class Sale(NamedTuple):
    """One row. Amounts are whole cents, so that sums are exact."""

    region: str
    month: str
    cents: int


def load_sales(rows: int = 400) -> list[Sale]:
    """The table; `rows` is its length."""
    dice = random.Random(2025)
    return [
        Sale(dice.choice(REGIONS), dice.choice(MONTHS), dice.randrange(100, 100_000)) for _ in range(rows)
    ]
