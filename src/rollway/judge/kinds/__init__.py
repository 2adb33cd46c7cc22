"""The kinds of KPI the judge knows: one file each, and one line here.

A kind turns readings into evidence; it never decides, and knows nothing of other KPIs.
"""

from __future__ import annotations

from typing import Any

from rollway.judge.evidence import KpiKind
from rollway.judge.kinds.assignment import AssignmentKind
from rollway.judge.kinds.check import CheckKind
from rollway.judge.kinds.depths import DepthsKind
from rollway.judge.kinds.gauge import GaugeKind
from rollway.judge.kinds.latency import LatencyKind
from rollway.judge.kinds.mean import MeanKind
from rollway.judge.kinds.past import PastKind
from rollway.judge.kinds.quotient import QuotientKind
from rollway.judge.kinds.rate import RateKind
from rollway.judge.kinds.total import TotalKind

KINDS: dict[str, KpiKind[Any]] = {
    "rate": RateKind(),
    "depths": DepthsKind(),
    "latency": LatencyKind(),
    "assignment": AssignmentKind(),
    "check": CheckKind(),
    "past": PastKind(),
    "mean": MeanKind(),
    "total": TotalKind(),
    "quotient": QuotientKind(),
    "gauge": GaugeKind(),
}

BESIDE = frozenset({"assignment", "check"})
"""Kinds that bear no evidence of harm: they pause, or stop by a plain rule, beside the statistics."""
ALONE = frozenset({"check", "past"})
"""Kinds that need nothing of the old version."""

__all__ = ["ALONE", "BESIDE", "KINDS", "KpiKind"]
