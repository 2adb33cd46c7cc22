"""The old report: a text table, regions down, months across, made by sorting and grouping."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from sales import MONTHS, Sale


def write_report(sales: Iterable[Sale]) -> str:
    """A plain-text table of the sales per region and month, in whole units of money."""
    ordered = sorted(sales, key=lambda sale: (sale.region, sale.month))
    lines = ["region  " + "".join(f"{month:>10}" for month in MONTHS) + f"{'total':>12}"]
    for region, rows in groupby(ordered, key=lambda sale: sale.region):
        by_month = {
            month: sum(sale.cents for sale in group)
            for month, group in groupby(rows, key=lambda sale: sale.month)
        }
        cells = "".join(f"{by_month.get(month, 0) // 100:>10}" for month in MONTHS)
        lines.append(f"{region:<8}{cells}{sum(by_month.values()) // 100:>12}")
    return "\n".join(lines) + "\n"
