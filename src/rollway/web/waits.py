"""What a rollout waits for, as its page shows it: needs, gates, tasks and undo steps. Pure."""

from __future__ import annotations

from typing import Any

from rollway.app.waiting import nothing_words
from rollway.web.words import WORK, amount

Json = dict[str, Any]


def waits(view: Json) -> Json:
    """The gates that are not behind, the tasks that somebody has to do with, and one line about it all.

    What is over is left out, and what stands among the needs already; of what is still ahead only the
    number is told.
    """
    named = {need["subject"] for need in view["needs"]}
    gates = [
        {**gate, "look": WORK[gate["state"]]}
        for gate in view["gates"]
        if not gate["is_behind"] and gate["state"] != "met by the facts" and gate["id"] not in named
    ]
    at_hand = [task for task in view["tasks"] if task["state"] not in ("ahead", "done", "skipped")]
    tasks = [_task(task) for task in at_hand if task["id"] not in named]
    undo = [_task(step) for step in view["undo"] if step["id"] not in named]
    is_final = view["is_final"]
    work = [] if is_final else [("Tasks", tasks)] if tasks else []
    work += [("Undo steps", undo)] if undo else []
    return {
        "gates": [] if is_final else gates,
        "work": work,
        "said": "" if is_final else _said(view),
        "nothing": "" if is_final or view["needs"] else nothing_words(view),
        "is_shown": bool(work) or not is_final,
    }


def _task(task: Json) -> Json:
    return {**task, "look": WORK[task["state"]]}


def _said(view: Json) -> str:
    """`2 need people · 3 tasks ahead`."""
    people = sum(need["is_people"] for need in view["needs"])
    ahead = sum(task["state"] == "ahead" for task in view["tasks"])
    told = [f"{people} {'needs' if people == 1 else 'need'} people"] if people else []
    return " · ".join([*told, *([f"{amount(ahead, 'task', 'tasks')} ahead"] if ahead else [])])
