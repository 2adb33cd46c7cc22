"""What the rollout plan's document says of gates, training, support, messages, runbook and the way back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rollway.planning.crew import conflict_words
from rollway.planning.model import Message, Plan, Task
from rollway.planning.people import gate_words
from rollway.planning.rollback_clock import clock_words
from rollway.planning.runbooks.pictures import minutes, offset
from rollway.planning.tree import called, support_words
from rollway.planning.words import length, listing, percent


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task as it is printed: when, who, and what marks it."""

    task: Task
    when: str
    lasts: str
    who: str
    marks: str
    what: str


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message: when on whose clocks, and in which language."""

    message: Message
    when: str
    language: str


def people_values(plan: Plan) -> dict[str, Any]:
    """The values that the template `rollout-plan.md.j2` shows of people and of the runbook."""
    titles = {stage.id: stage.title for stage in plan.stages}
    return {
        "gates": {
            stage.id: tuple((gate_words(gate), gate.decider) for gate in plan.gates if gate.stage == stage.id)
            for stage in plan.stages
        },
        "phases": tuple(
            (title, tuple(_task(plan, task) for task in _in_time(plan, phase)))
            for phase, title in (("before", "Before"), ("during", "During"), ("after", "After"))
        ),
        "messages": tuple(_message(message) for message in plan.communication),
        "training": tuple(
            (
                row.group,
                titles[row.stage],
                "" if row.users is None else f"{row.users:,}",
                "not known" if row.trained is None else percent(row.trained),
                percent(row.minimum),
                row.day or "",
                row.champion,
                row.language,
            )
            for row in plan.training
        ),
        "support": tuple(
            (titles[row.stage], support_words(row.joining, row.needed, row.available)) for row in plan.support
        ),
        "conflicts": tuple(conflict_words(plan)),
        "people": tuple(
            (person.name or person.id, person.team, person.timezone, person.contact) for person in plan.people
        ),
        "undo": tuple(_undo(plan)),
        "data": tuple((part.title, part.rule, part.how) for part in plan.rollback.data),
        "clock": ()
        if plan.rollback.clock is None
        else (*clock_words(plan.rollback.clock), *plan.rollback.clock.assumed),
        "night": "" if plan.night is None else titles[plan.night.stage],
        "authority": listing((called(plan, name) for name in plan.rollback.authority), 20),
    }


def _in_time(plan: Plan, phase: str) -> list[Task]:
    """The tasks of a phase stage by stage and by their times, for each stage has a T of its own; where one
    has no time, in the order of the runbook."""
    place = {stage.id: number for number, stage in enumerate(plan.stages)}
    tasks = [task for task in plan.runbook if task.phase == phase]
    if any(task.at is None for task in tasks):
        return tasks
    return sorted(tasks, key=lambda task: (place.get(task.stage, len(place)), task.at or 0.0))


def sentences(lines: Iterable[str]) -> str:
    """Lines one after the other: with a space behind a full stop, else with a semicolon."""
    told = ""
    for line in lines:
        told += f"{'' if not told else ' ' if told[-1] in '.!?' else '; '}{line}"
    return told


def _task(plan: Plan, task: Task) -> TaskRow:
    more = (
        ("Run: ", task.command),
        ("See: ", task.link),
        ("Expected: ", task.expected),
        ("Keep: ", task.evidence),
        ("Only if: ", sentences(task.criteria) if task.gate else ""),
        ("Tell: ", task.tells),
    )
    marks = [
        *(["go/no-go"] if task.gate else []),
        *([] if task.reversible else ["no way back"]),
        *([f"{called(plan, task.decider)} decides"] if task.decider else []),
    ]
    backup = f", else {called(plan, task.backup)}" if task.backup else ""
    return TaskRow(
        task,
        "" if task.at is None else offset(task.at),
        minutes(task.seconds) if task.seconds else "",
        f"{called(plan, task.owner)}{backup}",
        ", ".join(marks),
        " ".join([task.instruction, *(f"{word}{text}" for word, text in more if text)]).strip(),
    )


def _message(message: Message) -> MessageRow:
    at = f", {message.local_time} {message.timezone}" if message.local_time else ""
    language = message.language or "en"
    missing = " (to be written)" if message.to_write else ""
    return MessageRow(message, f"{message.when}{at}", f"{language}{missing}")


def _undo(plan: Plan) -> Iterator[tuple[str, str, str, str]]:
    for step in plan.rollback.undo:
        seconds = max((step.duration or 0.0, *step.rehearsed))
        took = length(seconds) if seconds else "not known"
        yield step.title, called(plan, step.owner), took, step.tested or "never tested"
