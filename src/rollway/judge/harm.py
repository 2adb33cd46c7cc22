"""The guards' evidence of harm as one e-value."""

from __future__ import annotations

import math
from collections.abc import Mapping

from rollway.judge.kinds import BESIDE, KINDS
from rollway.judge.logs import log_total
from rollway.judge.model import GuardRule, Rules
from rollway.judge.state import JudgeState

# A guard is named as a driver where its part is at least this much of the largest part.
DRIVER_PART = 0.1


def contributions(rules: Rules, state: JudgeState) -> tuple[float, dict[str, float]]:
    """log of E = sum of v_i E_i over gates and brakes, and log(v_i E_i) by KPI.

    The weights v_i are normed to 1. An average of e-processes is an e-process under any dependence
    between them (Vovk & Wang 2021), so P(E ever reaches 1/alpha) <= alpha when nothing is harmful.
    Without a guard that may roll back E is 1. Where one KPI's readings wait longer than another's the
    average is of processes at different times: each is still an e-process, but that their average is one
    then asks that what one KPI shows early tells nothing of the chance part of what another shows late.
    """
    return combine(
        rules,
        {
            rule.kpi: KINDS[rule.kind].harm(rule, rules, guard.evidence)
            for rule, guard in zip(rules.guards, state.guards, strict=True)
            if bears(rule)
        },
    )


def at_most(rules: Rules, state: JudgeState) -> float:
    """What log E cannot exceed: the largest of bounds on the guards' log E_i. It costs less than log E."""
    most = 0.0
    for rule, guard in zip(rules.guards, state.guards, strict=True):
        if bears(rule):
            found = KINDS[rule.kind].harm_at_most(rule, rules, guard.evidence)
            most = found if found > most else most
    return most


def bears(rule: GuardRule) -> bool:
    """Whether the rule's evidence can take a release back."""
    return rule.say != "watch" and rule.kind not in BESIDE


def combine(rules: Rules, log_e: Mapping[str, float]) -> tuple[float, dict[str, float]]:
    """The same from each KPI's log E_i."""
    total = sum(rule.weight for rule in rules.guards if bears(rule))
    parts = {
        rule.kpi: math.log(rule.weight / total) + log_e[rule.kpi] for rule in rules.guards if bears(rule)
    }
    return (log_total(parts.values()) if parts else 0.0), parts


def drivers_of(parts: dict[str, float]) -> tuple[str, ...]:
    """The KPIs that carry the evidence, the strongest first."""
    ranked = sorted(parts, key=lambda kpi: -parts[kpi])
    return tuple(kpi for kpi in ranked if parts[kpi] >= parts[ranked[0]] + math.log(DRIVER_PART))
