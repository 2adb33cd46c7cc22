"""The list of releases: what runs, what waits for people, what has ended. Pure."""

from __future__ import annotations

from typing import Any

from rollway.rollout import FINAL_PHASES
from rollway.web import words
from rollway.web.board import SAME_SHARE

Json = dict[str, Any]


def releases(overview: Json) -> Json:
    """The overview (`rollway.app.views.overview`) in the order in which it matters, with words and looks."""
    plans = {plan["hash"]: plan for plan in overview["plans"]}
    rollouts = [_line(line, plans[line["plan"]]) for line in overview["rollouts"]]
    return {
        "running": [line for line in rollouts if line["phase"] not in FINAL_PHASES],
        "ended": [line for line in rollouts if line["phase"] in FINAL_PHASES],
        "open_plans": [plan for plan in overview["plans"] if not plan["is_started"]],
        "is_empty": not plans,
    }


def _line(line: Json, plan: Json) -> Json:
    served, desired = line["served_share"], line["desired_share"]
    agrees = served is None or abs(served - desired) < SAME_SHARE
    return {
        **line,
        "of": plan,
        "look": words.PHASES[line["phase"]],
        "planned_mark": None if agrees else desired,
        "standing": words.standing(line["phase"], line["standing"]),
    }
