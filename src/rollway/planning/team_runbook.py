"""A team's own runbook put together with the one that was made from the facts.

A row with the id of a generated task says more about that task; what it leaves open stays as generated. Other
rows are the team's own: they belong to the stage they name, else to the night's stage, and serving users (or,
where nothing is served, the decision that ends the stage) waits for them. A plan's runbook that is exported
and given again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from rollway.errors import InputError
from rollway.facts.model import Release
from rollway.facts.problems import did_you_mean
from rollway.planning.model import Night, Person, RollbackPlan, Stage, Task
from rollway.planning.rollback import make_rollback, rollback_steps
from rollway.planning.runbook import make_runbook
from rollway.planning.runbooks.model import REST_SECONDS, DataPart, Runbook, UndoStep
from rollway.planning.runbooks.network import ancestors
from rollway.planning.runbooks.plan_parts import unnamed
from rollway.planning.runbooks.yaml_out import is_unstated
from rollway.planning.stage_tasks import DATA_WORK, WAY_BACK, night_stage
from rollway.planning.stages import HOUR, ROLL_FORWARD

_KEPT = frozenset({"id", "stage"})


@dataclass(frozen=True, slots=True)
class Script:
    """What a plan holds of its runbook."""

    tasks: tuple[Task, ...]
    night: Night
    people: tuple[Person, ...]
    rollback: RollbackPlan


def make_night(release: Release, stages: Sequence[Stage]) -> Night:
    """The head of the generated runbook: T is the entering of the night's stage, and has no date."""
    agreements = release.agreements
    stated = agreements.window_duration.value
    lengths = [_hours(window.opens, window.closes) for window in agreements.windows]
    seconds = min(lengths, default=None) if stated is None else stated.total_seconds()
    stage = night_stage(stages)
    return Night(
        stage=stage.id,
        title=f"{release.release.title or release.release.name} {release.release.version}: {stage.title}",
        timezone=agreements.windows[0].timezone if agreements.windows else "UTC",
        window_seconds=seconds if stage.in_window else None,
        authority=agreements.operators,
        release=f"{release.release.name} {release.release.version}",
    )


def _hours(opens: str, closes: str) -> float:
    """How long a window is on an ordinary night, in seconds."""
    start, end = (int(clock[:2]) * HOUR + int(clock[3:]) * 60 for clock in (opens, closes))
    return end - start if end > start else end - start + 24 * HOUR


def write_script(release: Release, stages: Sequence[Stage], book: Runbook | None) -> Script:
    """What the plan holds of its runbook: made from the facts, and put together with the team's own."""
    script = Script(
        make_runbook(release, stages), make_night(release, stages), (), make_rollback(release, stages)
    )
    if book is None:
        return script
    script = merged(script, book, stages)
    own = tuple(step for step in script.rollback.undo if step.id != WAY_BACK)
    steps = rollback_steps(release, stages, script.rollback.data, own)
    return replace(script, rollback=script.rollback.model_copy(update={"steps": steps}))


def merged(script: Script, book: Runbook, stages: Sequence[Stage]) -> Script:
    """The generated runbook with the team's. Raises InputError where a row names an unknown stage."""
    _check_stages(book, stages)
    roles = unnamed(book)
    undo, data = _way_back(script, book, roles)
    steps = {step.id for step in undo}
    ours = {task.id for task in script.tasks}
    theirs = tuple(
        _named(replace(task, stage=task.stage or script.night.stage), roles)
        for task in book.tasks
        if task.id not in ours
    )
    rows = {task.id: _named(task, roles) for task in book.tasks}
    tasks = [
        _without_lost(_overlaid(task, rows[task.id]) if task.id in rows else task, steps)
        for task in without(script.tasks, _replaced(script.tasks, theirs, rows))
    ]
    tasks = _waiting(_inserted(tasks, theirs), {task.id for task in theirs}, ours)
    return Script(
        tuple(tasks),
        _night(script.night, book, roles),
        tuple(person for person in book.people if not _is_bare(person, book, roles)),
        script.rollback.model_copy(
            update={
                "undo": undo,
                "data": data,
                "data_unknown": "" if data else script.rollback.data_unknown,
                "cannot_undo": _united(book.cannot_undo, script.rollback.cannot_undo),
                "authority": _united(
                    (roles.get(name, name) for name in book.authority), script.rollback.authority
                ),
                "tested": all(step.tested for step in undo) if undo else script.rollback.tested,
                "no_return": _no_return(tasks) or script.rollback.no_return,
            }
        ),
    )


def _check_stages(book: Runbook, stages: Sequence[Stage]) -> None:
    known = [stage.id for stage in stages]
    details = tuple(
        f"  tasks.{task.id}.stage: there is no stage '{task.stage}'; {did_you_mean(task.stage, known)}"
        for task in book.tasks
        if task.stage and task.stage not in known
    )
    if details:
        hint = f"the plan's stages are {', '.join(known)}; without a stage a task belongs to the night's"
        raise InputError("the runbook names stages that the plan does not have", details=details, hint=hint)


def _named(task: Task, roles: Mapping[str, str]) -> Task:
    """Roles under their names, as the generated tasks have them."""
    owner, backup, decider = (roles.get(name, name) for name in (task.owner, task.backup, task.decider))
    return replace(task, owner=owner, backup=backup, decider=decider)


def _overlaid(task: Task, row: Task) -> Task:
    """The generated task with whatever the row states."""
    stated = {
        column.name: getattr(row, column.name)
        for column in fields(Task)
        if column.name not in _KEPT and not is_unstated(column.name, getattr(row, column.name))
    }
    return replace(task, **stated, stage=row.stage or task.stage)


def _without_lost(task: Task, steps: set[str]) -> Task:
    """The team's own way back takes the place of the one undo step that was generated."""
    if WAY_BACK in task.undo and WAY_BACK not in steps:
        return replace(task, undo=tuple(name for name in task.undo if name != WAY_BACK))
    return task


def waiting_tasks(tasks: Sequence[Task]) -> frozenset[str]:
    """Of each stage the generated task that serves users, or else its last one."""
    during = [task for task in tasks if task.phase == "during"]
    last = {task.stage: task.id for task in during}
    serving = {task.stage: task.id for task in during if task.id == f"{task.stage}-expose"}
    return frozenset((last | serving).values())


def _replaced(tasks: Sequence[Task], theirs: Sequence[Task], rows: Mapping[str, Task]) -> set[str]:
    """The generated work on the data, in a stage for which the team has written its own work."""
    own = {task.stage for task in theirs if task.phase == "during"}
    work = {f"{stage}-{name}" for stage in own for name in DATA_WORK}
    return {task.id for task in tasks if task.id in work and task.id not in rows}


def without(tasks: Sequence[Task], gone: Iterable[str]) -> list[Task]:
    """The tasks without some; what waited for those waits for what they waited for."""
    lost = {task.id: task.after for task in tasks if task.id in set(gone)}
    return [
        replace(task, after=_through(task.after, lost)) if lost.keys() & set(task.after) else task
        for task in tasks
        if task.id not in lost
    ]


def _through(after: Sequence[str], lost: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    left, result = list(after), dict[str, None]()
    while left:
        name = left.pop(0)
        if name in lost:
            left = [*lost[name], *left]
        else:
            result[name] = None
    return tuple(result)


def _inserted(tasks: Sequence[Task], theirs: Iterable[Task]) -> list[Task]:
    """Before what waits for them; at the end of their phase in the phases before and after."""
    left = list(theirs)
    waiting = waiting_tasks(tasks)
    result: list[Task] = []
    for place, task in enumerate(tasks):
        following = tasks[place + 1] if place + 1 < len(tasks) else None
        if task.id in waiting:
            result += (one for one in left if (one.phase, one.stage) == ("during", task.stage))
            result.append(task)
            continue
        result.append(task)
        if task.phase == "before" and (following is None or following.phase != "before"):
            result += (one for one in left if one.phase == "before")
    return result + [one for one in left if one.phase == "after"]


def _waiting(tasks: Sequence[Task], theirs: set[str], ours: set[str]) -> list[Task]:
    """In each stage one generated task waits for the team's tasks that nothing else waits for."""
    waiting = waiting_tasks([task for task in tasks if task.id in ours])
    links = {task.id: task.after for task in tasks}
    waited_for = {name for task in tasks if task.id in theirs for name in task.after}
    result: list[Task] = []
    for task in tasks:
        if task.id in waiting:
            ends = [
                one.id
                for one in tasks
                if one.id in theirs
                and (one.phase, one.stage) == ("during", task.stage)
                and one.id not in waited_for
                and task.id not in ancestors(links, one.id)
            ]
            result.append(replace(task, after=_united(task.after, ends)))
        else:
            result.append(task)
    return result


def _way_back(
    script: Script, book: Runbook, roles: Mapping[str, str]
) -> tuple[tuple[UndoStep, ...], tuple[DataPart, ...]]:
    undo = tuple(replace(step, owner=roles.get(step.owner, step.owner)) for step in book.undo)
    data = tuple(replace(part, owner=roles.get(part.owner, part.owner)) for part in book.data)
    return undo or script.rollback.undo, data or script.rollback.data


def _night(night: Night, book: Runbook, roles: Mapping[str, str]) -> Night:
    """The team's head; the stage and, where the team has no date, the length of the window stay."""
    seconds = book.window_seconds
    rest = None if book.rest == REST_SECONDS else book.rest
    return night.model_copy(
        update={
            "title": book.title,
            "timezone": book.timezone,
            "start": book.start if book.dated else None,
            "window_seconds": night.window_seconds if seconds is None else seconds,
            "decision_seconds": book.decision,
            "rest_seconds": rest,
            "authority": tuple(roles.get(name, name) for name in book.authority) or night.authority,
            "release": book.release or night.release,
            "note": book.note,
            "extra": book.extra,
        }
    )


def _is_bare(person: Person, book: Runbook, roles: Mapping[str, str]) -> bool:
    """Whether the row says nothing that the plan would not put there by itself, for somebody it names."""
    named = {name for task in book.tasks for name in (task.owner, task.backup, task.decider)}
    named |= {step.owner for step in book.undo} | {part.owner for part in book.data} | set(book.authority)
    return person.id in named and (person.id in roles or person == Person(person.id))


def _united(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _no_return(tasks: Sequence[Task]) -> str:
    return next((task.id for task in tasks if not task.reversible and task.phase == "during"), "")


def after_no_return(stages: Sequence[Stage], tasks: Sequence[Task]) -> tuple[Stage, ...]:
    """The stages, those behind a task that cannot be taken back marked as without a way back."""
    final = {task.stage for task in tasks if not task.reversible and task.phase == "during"}
    passed = False
    result: list[Stage] = []
    for stage in stages:
        final_now = {"reversible": False, "undo": ROLL_FORWARD} if passed and stage.reversible else {}
        result.append(stage.model_copy(update=final_now) if final_now else stage)
        passed = passed or stage.id in final
    return tuple(result)
