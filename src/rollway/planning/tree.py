"""A plan as a tree for a terminal, 80 columns wide: what somebody reads before saying yes to it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from rollway.planning.calendar.in_plan import calendar_words
from rollway.planning.control_group import control_words
from rollway.planning.crew import conflict_words
from rollway.planning.describe import (
    advance_words,
    guard_words,
    margin_words,
    promise_items,
    sequence_words,
    share_bar,
)
from rollway.planning.model import Gate, Message, Override, Plan, Stage, Task
from rollway.planning.people import gate_words
from rollway.planning.rollback_clock import clock_words
from rollway.planning.windows import describe_freeze, describe_window
from rollway.planning.words import length, listing, percent

WIDTH = 80
MOST_LINES = 8
"""Of tasks, messages and gates of one stage this many are shown; the rest is counted."""

MOST_NAMES = 24
"""Of a longer critical path the middle is left out."""

MARKS = {True: "✓", False: "✗", None: "?"}

Item = Sequence[str]
"""A branch: its first line, and the lines under it."""


def describe(plan: Plan) -> str:
    """The plan as plain text: stages with all that belongs to them, guards, calendar, the way back, notes."""
    head = [f"{plan.title or plan.name} {plan.version}", f"plan {plan.hash[:12]}: {sequence_words(plan)}"]
    if plan.objective:
        head += textwrap.wrap(f"objective: {plan.objective}", WIDTH)
    sections: tuple[tuple[str, Sequence[Item]], ...] = (
        ("Overruled by people", [_override(one) for one in plan.overrides]),
        ("Stages", [_stage(plan, number, stage) for number, stage in enumerate(plan.stages, 1)]),
        ("Guards", [[guard_words(plan, guard)] for guard in plan.guards]),
        ("Calendar", [[line] for line in _calendar(plan)]),
        ("Promises", list(promise_items(plan))),
        ("Support", [[line] for line in _support_lines(plan)]),
        ("Rollback", [[line] for line in _rollback_lines(plan)]),
        ("Runbook", [[line] for line in _runbook_lines(plan)]),
        ("Notes", [[note] for note in plan.notes]),
    )
    for title, items in sections:
        if items:
            head += ["", title, *_tree(items)]
    return "\n".join(line.rstrip() for line in head)


def _tree(items: Sequence[Item]) -> Iterator[str]:
    for index, (first, *rest) in enumerate(items):
        is_last = index == len(items) - 1
        stem = "   " if is_last else "│  "
        front, *others = _wrapped(first, WIDTH - 3, hanging=3)
        yield f"{'└─' if is_last else '├─'} {front}"
        for line in others:
            yield f"{stem}{line}"
        for line in rest:
            for part in _wrapped(line, WIDTH - 6, hanging=4):
                yield f"{stem}   {part}"


def _wrapped(text: str, width: int, hanging: int) -> list[str]:
    """The text in lines of this width; what follows the first is indented behind its own indent."""
    line = text.replace("\n", " ")
    indent = len(line) - len(line.lstrip(" "))
    following = " " * (indent + hanging)
    return textwrap.wrap(
        line,
        width,
        initial_indent=" " * indent,
        subsequent_indent=following,
        break_on_hyphens=False,
        drop_whitespace=True,
    ) or [""]


# --- stages -----------------------------------------------------------------------------------------


def _stage(plan: Plan, number: int, stage: Stage) -> list[str]:
    mode = "" if stage.exposure.mode == "live" else f", {stage.exposure.mode}"
    audience = "" if stage.exposure.audience == "everyone" else f", {stage.exposure.audience}"
    share = percent(stage.exposure.share)
    lines = [f"{number}. {stage.title}  {share_bar(stage.exposure.share)} {share}{mode}{audience}"]
    if stage.exposure.control:
        lines.append(control_words(stage.exposure))
    lines.append(f"goes on {advance_words(stage)}")
    if stage.margins:
        lines.append(f"to be excluded: {margin_words(stage)}")
    if not stage.in_window or plan.windows or plan.calendar:
        lines.append(f"entered {'only while a change window is open' if stage.in_window else 'at any time'}")
    if not stage.reversible:
        lines.append("no way back from here on")
    gates = sorted((gate for gate in plan.gates if gate.stage == stage.id), key=_urgency)
    lines += _block("opens only when", [_gate_line(gate) for gate in gates])
    lines += _block("before", stage.entry)
    tasks = sorted((task for task in plan.runbook if task.stage == stage.id), key=_turn)
    lines += _block("tasks", [_task_line(plan, stage, task) for task in tasks])
    messages = [message for message in plan.communication if message.stage == stage.id]
    return lines + _block("messages", [_message_line(message) for message in messages])


def _block(title: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    shown = lines if len(lines) <= MOST_LINES else lines[: MOST_LINES - 1]
    rest = [f"  … and {len(lines) - len(shown)} more"] if len(shown) < len(lines) else []
    return [title, *(f"  {line}" for line in shown), *rest]


def _urgency(gate: Gate) -> int:
    """What is not met first, then what is not known."""
    return (False, None, True).index(gate.is_met)


def _gate_line(gate: Gate) -> str:
    decider = f" ({gate.decider})" if gate.decider else ""
    return f"{MARKS[gate.is_met]} {gate_words(gate)}{decider}"


def _turn(task: Task) -> tuple[int, float]:
    """Phases in their order; what comes before, by its offset."""
    phase = ("before", "during", "after").index(task.phase)
    return phase, (task.at or 0.0) if task.phase != "during" else 0.0


def _task_line(plan: Plan, stage: Stage, task: Task) -> str:
    """`before, T-7d: Test the rollback (Scrum Team)`; a gate and a step of no return are marked."""
    from rollway.planning.runbooks.pictures import offset

    when = task.phase if task.at is None else f"{task.phase}, {offset(task.at)}"
    marks = ("G " if task.gate else "") + ("" if task.reversible else "! ")
    return f"{marks}{when}: {task.title.removeprefix(f'{stage.title}: ')} ({called(plan, task.owner)})"


def called(plan: Plan, name: str) -> str:
    """The name of somebody in the plan's table of people; a role's own name."""
    return next((person.name for person in plan.people if person.id == name and person.name), name)


def _message_line(message: Message) -> str:
    at = f", {message.local_time} {message.timezone}" if message.local_time else ""
    missing = f", to be written in '{message.language}'" if message.to_write else ""
    return f"{message.when}{at}: {message.kind} to {message.audience}{missing}"


# --- the rest ---------------------------------------------------------------------------------------


def _override(one: Override) -> list[str]:
    by = f" ({one.by})" if one.by else ""
    return [f"{one.path}: {one.before} -> {one.after}{by}", f"because: {one.because}"]


def _calendar(plan: Plan) -> Iterator[str]:
    if plan.calendar is not None:
        yield calendar_words(plan.calendar)
    elif not plan.windows:
        yield "no change windows: open at any time"
    for window in plan.windows:
        yield f"window {describe_window(window)}"
    for freeze in plan.freezes:
        yield f"freeze {describe_freeze(freeze)}"


def _support_lines(plan: Plan) -> Iterator[str]:
    titles = {stage.id: stage.title for stage in plan.stages}
    if plan.support and all(row.needed is None for row in plan.support):
        yield "how many people the desk needs cannot be told (state stakeholders.support_desk)"
        return
    for row in plan.support:
        yield f"{titles[row.stage]}: {support_words(row.joining, row.needed, row.available)}"


def support_words(joining: int | None, needed: int | None, available: int | None) -> str:
    """`120 users join; 3 people needed, 2 there`; what is not known is said."""
    who = "how many users join is not known" if joining is None else f"{joining:,} users join"
    if needed is None:
        return f"{who}; how many people the desk needs cannot be told"
    return f"{who}; the desk needs {needed} in the busiest hour, " + (
        "and how many it has is not known" if available is None else f"and has {available}"
    )


def _rollback_lines(plan: Plan) -> Iterator[str]:
    rollback = plan.rollback
    yield from (f"{number}. {step}" for number, step in enumerate(rollback.steps, 1))
    for step in rollback.undo:
        seconds = max((step.duration or 0.0, *step.rehearsed))
        took = length(seconds) if seconds else "time not known"
        tested = f"tested: {step.tested}" if step.tested else "never tested"
        yield f"undo: {step.title} ({called(plan, step.owner)}), {took}, {tested}"
    for part in rollback.data:
        yield f"data: {part.title}: {part.rule}{f'. {part.how}' if part.how else ''}"
    if rollback.data_unknown:
        yield f"data: {rollback.data_unknown}"
    yield f"tested: {'yes' if rollback.tested else 'no'}"
    yield "ordered by: anybody, at any hour"
    if rollback.authority:
        yield f"called first: {listing((called(plan, name) for name in rollback.authority), 12)}"
    yield from (f"stays: {line}" for line in rollback.cannot_undo)
    if rollback.clock is not None:
        yield from clock_words(rollback.clock)
        yield from rollback.clock.assumed


def _runbook_lines(plan: Plan) -> Iterator[str]:
    if plan.night is None:
        return
    titles = {stage.id: stage.title for stage in plan.stages}
    gates = sum(task.gate for task in plan.runbook)
    final = sum(not task.reversible for task in plan.runbook)
    yield f"{len(plan.runbook)} tasks, {gates} go/no-go, {final} of no return"
    yield f"T is the entering of '{titles[plan.night.stage]}'{_date(plan)}"
    if plan.rollback.clock is not None and plan.rollback.clock.critical:
        yield f"critical path: {' -> '.join(_ends(plan.rollback.clock.critical))}"
    yield from (f"conflict: {line}" for line in conflict_words(plan))
    yield "all of it: rollway runbook show plan.json"


def _ends(names: Sequence[str]) -> Sequence[str]:
    """The first and the last of many names."""
    return names if len(names) <= MOST_NAMES else (*names[: MOST_NAMES - 5], "…", *names[-4:])


def _date(plan: Plan) -> str:
    from zoneinfo import ZoneInfo

    night = plan.night
    if night is None or night.start is None:
        return ""
    return f", {night.start.astimezone(ZoneInfo(night.timezone)):%a %Y-%m-%d %H:%M} {night.timezone}"
