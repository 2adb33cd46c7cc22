"""A plan as its page shows it. Pure."""

from __future__ import annotations

import json
from typing import Any

from rollway.planning import Plan, Promise

Json = dict[str, Any]


def plan_sheet(plan: Plan) -> Json:
    """The plan, its JSON, its promises as a table, and the settings of its target as pairs of texts."""
    titles = {stage.id: stage.title for stage in plan.stages}
    settings = plan.target.options() if plan.target else {}
    return {
        "plan": plan,
        "p": plan.to_json(),
        "stage_titles": titles,
        "promises": _promise_table(plan.promises, titles),
        "target": [
            (key, value if isinstance(value, str) else json.dumps(value)) for key, value in settings.items()
        ],
    }


def _promise_table(promises: tuple[Promise, ...], titles: dict[str, str]) -> Json:
    """One row per stage and KPI, one column per size of fault."""
    ratios = sorted({promise.ratio for promise in promises})
    cells = {(promise.stage, promise.kpi, promise.ratio): promise for promise in promises}
    keys = dict.fromkeys((promise.stage, promise.kpi) for promise in promises)
    rows = [
        {
            "stage": titles.get(stage, stage),
            "kpi": kpi,
            "cells": [cells.get((stage, kpi, ratio)) for ratio in ratios],
        }
        for stage, kpi in keys
    ]
    return {"ratios": ratios, "rows": rows}
