"""Small runbooks for tests, and a large one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rollway.planning.runbooks import Person, Runbook, Task, UndoStep

T = datetime(2027, 3, 27, 21, 0, tzinfo=UTC)
PEOPLE = (Person("ann"), Person("bob", timezone="America/New_York"), Person("crew", seats=1000))


def task(name: str, *after: str, minutes: float | None = 10, **fields: Any) -> Task:
    given = {"title": name.title(), "phase": "during", "owner": "crew", "backup": "bob"} | fields
    given = {"instruction": "Do it.", "verification": "It is done."} | given
    return Task(name, after=after, duration=None if minutes is None else minutes * 60, **given)


def step(name: str, minutes: float = 5, **fields: Any) -> UndoStep:
    given = {"title": name.title(), "owner": "ann", "tested": "staging"} | fields
    return UndoStep(name, duration=minutes * 60, **given)


def book(*tasks: Task, **fields: Any) -> Runbook:
    given = {"title": "A night", "timezone": "Europe/Berlin", "start": T, "people": PEOPLE} | fields
    if given.get("undo"):
        given = {"authority": ("ann",)} | given
    return Runbook(tasks=tasks, **given)


def large_yaml(count: int = 1000) -> str:
    """As people write it: about fifteen lines a task, in a chain with branches."""
    lines = ["runbook:", "  title: Large", "  timezone: Europe/Berlin", "  start: 2027-03-27T22:00"]
    lines += ["people:", "  - id: ann", "  - id: crew", "    seats: 1000", "tasks:"]
    for number in range(count):
        after = f"[t-{number - 1}]" if number % 3 == 1 else f"[t-{max(number - 2, 0)}]" if number else "[]"
        lines += [f"  - id: t-{number}", "    phase: during", f'    title: "Part {number}: move it"']
        lines += [
            f"    after: {after}",
            "    duration: 5m",
            "    rehearsed: [4m, 5m, 4m30s]",
            "    owner: crew",
        ]
        lines += [
            "    backup: ann",
            "    instruction: |-",
            "      Open the page.",
            "",
            "      Press the button.",
        ]
        lines += ['    command: "=start --now"', "    verification: The page says done", "    x-cost: 12"]
    return "\n".join(lines) + "\n"
