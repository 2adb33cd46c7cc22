"""The guards' evidence of harm as one e-value."""

from __future__ import annotations

import math

from rollway.judge.kinds import KINDS
from rollway.judge.logs import floats, log_sum
from rollway.judge.model import Rules
from rollway.judge.state import JudgeState

# A guard is named as a driver where its part is at least this much of the largest part.
DRIVER_PART = 0.1


def contributions(rules: Rules, state: JudgeState) -> tuple[float, dict[str, float]]:
    """log of E = sum of v_i E_i over gates and brakes, and log(v_i E_i) by KPI.

    The weights v_i are normed to 1. An average of e-processes is an e-process under any dependence
    between them (Vovk & Wang 2021), so P(E ever reaches 1/alpha) <= alpha when nothing is harmful.
    Without a guard that may roll back E is 1.
    """
    total = sum(rule.weight for rule in rules.guards if rule.say != "watch")
    parts = {
        rule.kpi: math.log(rule.weight / total) + KINDS[rule.kind].harm(rule, rules, guard.evidence)
        for rule, guard in zip(rules.guards, state.guards, strict=True)
        if rule.say != "watch"
    }
    return (float(log_sum(floats(*parts.values()))) if parts else 0.0), parts


def drivers_of(parts: dict[str, float]) -> tuple[str, ...]:
    """The KPIs that carry the evidence, the strongest first."""
    ranked = sorted(parts, key=lambda kpi: -parts[kpi])
    return tuple(kpi for kpi in ranked if parts[kpi] >= parts[ranked[0]] + math.log(DRIVER_PART))
