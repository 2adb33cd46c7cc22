"""A runbook on a terminal: a tree of its tasks and a chart of when they run, at most 80 columns wide."""

from __future__ import annotations

from collections.abc import Iterator

from rollway.planning.runbooks.model import Runbook, Task
from rollway.planning.runbooks.schedule import ROUNDING, Schedule
from rollway.planning.runbooks.values import write_duration

WIDTH = 80
_NAME, _CLOCK = 20, 9
PHASE_WORDS = {"before": "Before", "during": "During", "after": "After"}


def clock(runbook: Runbook, seconds: float, timezone: str = "", *, zone: bool = False) -> str:
    """`Sat 22:00`, or `Sat 22:00 CET`, on the clocks of a time zone (the runbook's unless named).

    Where T has no date, the offset from it: `T+1h30m`.
    """
    if not runbook.dated:
        return offset(seconds)
    return f"{runbook.moment(seconds, timezone):%a %H:%M{' %Z' if zone else ''}}"


def offset(seconds: float) -> str:
    """`T+1h30m`, to the minute."""
    minutes = round(abs(seconds) / 60) * 60.0
    return f"T{'-' if seconds < 0 else '+'}{write_duration(minutes)}" if minutes else "T"


def minutes(seconds: float) -> str:
    """A length to the minute beyond ten minutes, else to the second: `2h5m`, `45s`."""
    unit = 60 if abs(seconds) >= 600 else 1
    text = write_duration(float(round(abs(seconds) / unit) * unit))
    return f"-{text}" if seconds < -ROUNDING else text


def clipped(text: str, width: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def flags(task: Task, schedule: Schedule) -> str:
    """`*` critical, `G` gate, `!` cannot be taken back."""
    is_critical = task.id in schedule.critical
    return ("*" if is_critical else "") + ("G" if task.gate else "") + ("" if task.reversible else "!")


def tree(runbook: Runbook, schedule: Schedule) -> Iterator[str]:
    """Phases, sections and tasks with start (the runbook's clock), length, flags, id, title and owner."""
    for phase, word in PHASE_WORDS.items():
        tasks = [task for task in runbook.tasks if task.phase == phase]
        if tasks:
            yield word
        for section in dict.fromkeys(task.section for task in tasks):
            if section:
                yield f"  {clipped(section, WIDTH - 2)}"
            yield from (_line(runbook, task, schedule) for task in tasks if task.section == section)


def _line(runbook: Runbook, task: Task, schedule: Schedule) -> str:
    begun = clock(runbook, schedule.times[task.id].earliest_start)
    when = f"{begun:<{_CLOCK}} {minutes(task.seconds):>7}"
    front = f"    {when} {flags(task, schedule):<2} {clipped(task.id, 16):<16} "
    owner = clipped(task.owner, 12)
    return (
        f"{front}{clipped(task.title, WIDTH - len(front) - 13):<{WIDTH - len(front) - 13}} {owner}".rstrip()
    )


def chart(runbook: Runbook, schedule: Schedule, width: int = WIDTH) -> Iterator[str]:
    """One line a task: █ critical, ▒ the others, · slack, ◆ gate, ✗ no way back, │ the window's end.

    It spans T to the finish or the window's end, whichever is later; `<` and `>` lie outside of it.
    """
    columns = width - _NAME - _CLOCK - 3
    window = runbook.window_seconds
    span = max(schedule.finish, window or 0.0, 1.0)
    edge = None if window is None else min(columns - 1, int(window / span * columns))
    left, right = clock(runbook, 0.0, zone=True), clock(runbook, span, zone=True)
    indent = " " * (_NAME + _CLOCK + 3)
    yield f"{indent}{left}{right:>{columns - len(left)}}"
    for task in sorted(runbook.tasks, key=lambda one: schedule.times[one.id].earliest_start):
        times = schedule.times[task.id]
        bar = _bar(task, schedule, span, columns)
        if edge is not None and bar[edge] == " ":
            bar[edge] = "│"
        begun = clock(runbook, times.earliest_start)
        yield f"{clipped(task.id, _NAME):<{_NAME}} {begun:<{_CLOCK}}  {''.join(bar)}".rstrip()


def _bar(task: Task, schedule: Schedule, span: float, columns: int) -> list[str]:
    times = schedule.times[task.id]
    bar = [" "] * columns
    if times.earliest_end < 0:
        return ["<", *bar[1:]]
    if times.earliest_start >= span + ROUNDING:
        return [*bar[1:], ">"]

    def column(seconds: float) -> int:
        return min(columns - 1, max(0, int(seconds / span * columns)))

    first, last = column(times.earliest_start), column(times.earliest_end - ROUNDING)
    for place in range(last + 1, column(times.latest_end - ROUNDING) + 1):
        bar[place] = "·"
    for place in range(first, max(first, last) + 1):
        bar[place] = "█" if task.id in schedule.critical else "▒"
    if task.gate or not task.reversible:
        bar[first] = "◆" if task.reversible else "✗"
    return bar
