"""The list of releases: what runs, what waits for people, what has ended. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rollway.app.waiting import UNATTENDED_MEANS, is_late, late_words, unheard_words
from rollway.rollout import FINAL_PHASES
from rollway.web import words
from rollway.web.board import SAME_SHARE

Json = dict[str, Any]


def releases(overview: Json, at: datetime) -> Json:
    """The overview (`rollway.app.views.overview`) in the order in which it matters, with words and looks."""
    plans = {plan["hash"]: plan for plan in overview["plans"]}
    rollouts = [_line(line, plans[line["plan"]], at) for line in overview["rollouts"]]
    unattended = sum(line["is_late"] for line in rollouts)
    return {
        "unattended": unattended,
        "unattended_means": UNATTENDED_MEANS if unattended else "",
        "running": [line for line in rollouts if line["phase"] not in FINAL_PHASES],
        "ended": [line for line in rollouts if line["phase"] in FINAL_PHASES],
        "open_plans": [
            {**plan, "methods": words.methods(plan["sequence"])}
            for plan in overview["plans"]
            if not plan["is_started"]
        ],
        "is_empty": not plans,
    }


def _line(line: Json, plan: Json, at: datetime) -> Json:
    served, desired = line["served_share"], line["desired_share"]
    agrees = served is None or abs(served - desired) < SAME_SHARE
    return {
        **line,
        "of": plan,
        "methods": words.methods(plan["sequence"]),
        "is_late": is_late(line, at),
        "late": late_words(line, at),
        "unheard_lines": [words.sentence(unheard_words(said, at)) for said in line["unheard"]],
        "look": words.PHASES[line["phase"]],
        "planned_mark": None if agrees else desired,
        "standing": words.standing(line["phase"], line["standing"]),
    }
