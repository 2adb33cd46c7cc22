"""Whether a runbook holds together: people, predecessors, gates, undo steps, the point of no return."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping

from rollway.facts.problems import closest
from rollway.planning.runbooks.model import Runbook, Task
from rollway.planning.runbooks.network import ancestors, ordered, rings
from rollway.planning.runbooks.spots import Finding
from rollway.planning.runbooks.values import write_duration


def check(runbook: Runbook) -> tuple[Finding, ...]:
    """Every error and warning, errors first; paths are `tasks.<id>.<column>`."""
    findings = [finding for rule in _RULES for finding in rule(runbook)]
    return tuple(sorted(findings, key=lambda finding: finding.level != "error"))


def _error(path: str, message: str, hint: str = "") -> Finding:
    return Finding("error", path, message, hint)


def _warning(path: str, message: str, hint: str = "") -> Finding:
    return Finding("warning", path, message, hint)


def _unknown(path: str, what: str, name: str, names: Iterable[str]) -> Finding:
    near = closest(name, names)
    return _error(path, f"there is no {what} '{name}'", f"did you mean '{near}'?" if near else "")


def _head(runbook: Runbook) -> Iterator[Finding]:
    if not runbook.tasks:
        yield _error("runbook", "there are no tasks")
    seconds = runbook.window_seconds
    if seconds is not None and seconds <= 0:
        yield _error("runbook.closes", "the window closes before it opens")
    if runbook.undo and not runbook.authority:
        yield _error("runbook.authority", "nobody has the authority to go back", "name a person of the table")


def _people(runbook: Runbook) -> Iterator[Finding]:
    """Whoever is named is in the table of people."""
    for name in runbook.authority:
        if name not in runbook.person:
            yield _unknown("runbook.authority", "person", name, runbook.person)
    for task in runbook.tasks:
        for column, name in (("owner", task.owner), ("backup", task.backup), ("decider", task.decider)):
            if name and name not in runbook.person:
                yield _unknown(f"tasks.{task.id}.{column}", "person", name, runbook.person)
        if task.backup and task.backup == task.owner and runbook.person.get(task.owner):
            yield _error(f"tasks.{task.id}.backup", f"'{task.backup}' is the owner too", "name somebody else")
    for table, parts in (("undo", runbook.undo), ("data", runbook.data)):
        for part in parts:
            if part.owner not in runbook.person:
                yield _unknown(f"{table}.{part.id}.owner", "person", part.owner, runbook.person)


def _links(runbook: Runbook) -> Mapping[str, tuple[str, ...]]:
    return {task.id: task.after for task in runbook.tasks}


def _predecessors(runbook: Runbook) -> Iterator[Finding]:
    order = {"before": 0, "during": 1, "after": 2}
    for task in runbook.tasks:
        path = f"tasks.{task.id}.after"
        for name in task.after:
            if name not in runbook.index:
                yield _unknown(path, "task", name, runbook.index)
                continue
            before = runbook.tasks[runbook.index[name]]
            if order[before.phase] > order[task.phase]:
                told = (
                    f"'{name}' belongs to the phase '{before.phase}', which comes later than '{task.phase}'"
                )
                yield _error(path, told)
    for ring in rings(_links(runbook)):
        told = f"these tasks wait for each other: {' -> '.join(ring)}"
        yield _error(f"tasks.{ring[0]}.after", told, "remove one of the arrows")


def _decisions(runbook: Runbook) -> Iterator[Finding]:
    for task in runbook.tasks:
        path = f"tasks.{task.id}"
        if task.gate and not task.decider:
            yield _error(f"{path}.decider", "this gate is decided by nobody", "name its decider")
        if task.gate and not task.criteria:
            yield _warning(f"{path}.criteria", "this gate has no criteria")
        if not task.reversible and not task.decider:
            told = "this cannot be taken back, and nobody decides it"
            yield _error(f"{path}.decider", told, "name who says go to the point of no return")
        if not task.reversible and task.undo:
            told = f"this cannot be taken back, yet '{task.undo[0]}' is to undo it"
            yield _error(f"{path}.undo", told, "leave one of the two out")


def _durations(runbook: Runbook) -> Iterator[Finding]:
    for table, parts in (("tasks", runbook.tasks), ("undo", runbook.undo)):
        for part in parts:
            path = f"{table}.{part.id}.duration"
            if part.p90 is not None and (part.duration is None or part.p90 < part.duration):
                told = "the P90 is shorter than the planned duration, or stands without one"
                yield _error(f"{table}.{part.id}.p90", told, "state the usual time as duration")
            if part.duration is None and not part.rehearsed:
                yield _error(path, "neither a duration nor a rehearsed time", "write '0s' for a mere mark")
            elif part.duration is not None and part.rehearsed:
                middle = statistics.median(part.rehearsed)
                if part.duration < middle:
                    planned, took = write_duration(part.duration), write_duration(middle)
                    told = f"planned for {planned}, rehearsals took {took}"
                    yield _warning(path, told)


def _stages(runbook: Runbook) -> Iterator[Finding]:
    """Tasks are bound to stages that the runbook names, if it names any; T is the entering of one."""
    if not runbook.stages:
        return
    for task in runbook.tasks:
        if task.stage and task.stage not in runbook.entered:
            yield _unknown(f"tasks.{task.id}.stage", "stage", task.stage, runbook.entered)
    if runbook.entered.get(runbook.night) != 0:
        told = "this names the stage whose entering is T"
        yield _error("runbook.night", told, "write the id of a stage with 'at: T'")


def _times(runbook: Runbook) -> Iterator[Finding]:
    for task in runbook.tasks:
        path = f"tasks.{task.id}.at"
        if task.phase == "before" and task.at is None and not task.after:
            yield _warning(path, "this comes before T, and nothing says when", "write an offset such as T-2h")
        elif task.phase == "during" and task.at is not None and task.at < 0:
            yield _error(path, "a task of the phase 'during' cannot begin before T", "its phase is 'before'")


def _words(runbook: Runbook) -> Iterator[Finding]:
    for task in runbook.tasks:
        if task.gate:
            continue
        missing = [name for name in ("instruction", "verification", "backup") if not getattr(task, name)]
        if "instruction" in missing and (task.command or task.link):
            missing.remove("instruction")
        if task.phase == "during" and missing:
            yield _warning(f"tasks.{task.id}", f"has no {', no '.join(missing)}")


def _undo(runbook: Runbook) -> Iterator[Finding]:
    steps = {step.id: place for place, step in enumerate(runbook.undo)}
    for task in runbook.tasks:
        for name in task.undo:
            if name not in steps:
                yield _unknown(f"tasks.{task.id}.undo", "undo step", name, steps)
    for step in runbook.undo:
        if not step.tested:
            yield _warning(f"undo.{step.id}.tested", "this step was never tested")
    yield from _undo_order(runbook, steps)


def _undo_order(runbook: Runbook, steps: Mapping[str, int]) -> Iterator[Finding]:
    """What was built last is taken down first."""
    links = _links(runbook)
    undone = [task for task in runbook.tasks if task.undo and steps.keys() >= set(task.undo)]
    sound = set(ordered(links))
    for task in undone:
        if task.id not in sound:
            continue
        earlier = ancestors(links, task.id)
        mine = max(steps[name] for name in task.undo)
        for other in undone:
            if other.id in earlier and min(steps[name] for name in other.undo) < mine:
                told = f"'{other.id}' is undone before '{task.id}', which was built on it"
                yield _warning(f"tasks.{task.id}.undo", told, "the last thing done is undone first")
                break


def _no_return(runbook: Runbook) -> Iterator[Finding]:
    final = [task for task in runbook.tasks if not task.reversible]
    links = _links(runbook)
    for task in final:
        before = ancestors(links, task.id)
        if not task.gate and not any(one.gate for one in runbook.tasks if one.id in before):
            told = "the point of no return is passed without a go/no-go gate"
            yield _warning(f"tasks.{task.id}", told, "put a gate before it")
    if final and not runbook.cannot_undo:
        told = f"'{final[0].id}' cannot be taken back, and nothing says what stays"
        yield _warning("runbook.cannot_undo", told)


_RULES: tuple[Callable[[Runbook], Iterator[Finding]], ...] = (
    _head,
    _people,
    _predecessors,
    _decisions,
    _durations,
    _stages,
    _times,
    _undo,
    _no_return,
    _words,
)


def irreversible(runbook: Runbook) -> tuple[Task, ...]:
    """The tasks that cannot be taken back, in the order of the list."""
    return tuple(task for task in runbook.tasks if not task.reversible)
