"""The kinds of KPI the judge knows: one file each, and one line here.

A kind turns readings into evidence; it never decides, and knows nothing of other KPIs.
"""

from __future__ import annotations

from typing import Any

from rollway.judge.evidence import KpiKind
from rollway.judge.kinds.latency import LatencyKind
from rollway.judge.kinds.rate import RateKind

KINDS: dict[str, KpiKind[Any]] = {
    "rate": RateKind(),
    "latency": LatencyKind(),
}

__all__ = ["KINDS", "KpiKind"]
