"""A plan as its page shows it. Pure."""

from __future__ import annotations

import json
from typing import Any

from markupsafe import Markup

from rollway.choice import Choice
from rollway.choice.chart import with_spread
from rollway.choice.outcomes import Outcomes
from rollway.documents.people_rows import people_values, sentences
from rollway.documents.rollout_plan import fault_sizes, kpi_titles, promise_rows
from rollway.planning import Plan
from rollway.planning.calendar.in_plan import calendar_words
from rollway.planning.describe import counting_lines

Json = dict[str, Any]


def plan_sheet(plan: Plan) -> Json:
    """The plan, its JSON, its promises as a table, and the settings of its target as pairs of texts."""
    settings = plan.target.options() if plan.target else {}
    return {
        "plan": plan,
        "p": plan.to_json(),
        "counted": counting_lines(plan),
        "calendar": "" if plan.calendar is None else calendar_words(plan.calendar),
        "stage_titles": {stage.id: stage.title for stage in plan.stages},
        "kpi_titles": kpi_titles(plan),
        "sentences": sentences,
        "promises": promise_rows(plan),
        "fault_sizes": fault_sizes(plan),
        "people": people_values(plan),
        "target": [
            (key, value if isinstance(value, str) else json.dumps(value)) for key, value in settings.items()
        ],
    }


STANDINGS = {"allowed": ("good", "allowed"), "unknown": ("wait", "rules open"), "blocked": ("bad", "blocked")}


def choice_sheet(plan: Plan, choice: Choice, outcomes: Outcomes, drawing: str) -> Json:
    """The six methods in the order of their ranking, with the drawing of what each may bring.

    `drawing` is HTML of ours, in which all text is escaped. `today` is the title of the method that would be
    chosen now, where that is not the plan's.
    """
    rows = [
        {
            "title": ranked.title,
            "is_planned": ranked.method == plan.method,
            "is_recommended": ranked.method == choice.recommended,
            "tone": STANDINGS[ranked.state][0],
            "standing": STANDINGS[ranked.state][1],
            "rules": ", ".join(veto.id for veto in ranked.vetoes if veto.state != "satisfied"),
            "score": f"{ranked.score:.2f}",
            "days": with_spread(outcomes.of(ranked.method).days),
            "harmed": with_spread(outcomes.of(ranked.method).harmed_if_faulty),
        }
        for ranked in choice.ranking
    ]
    leading = choice.of(choice.chosen or choice.leaning or plan.method)
    return {
        "drawing": Markup(drawing),  # noqa: S704 svg_chart escapes what it writes
        "rows": rows,
        "draws": f"{outcomes.draws:,}",
        "today": "" if leading.method == plan.method else leading.title,
    }
