"""A plan as a tree for a terminal, and what changed between two plans, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rollway.planning.model import Advance, Guard, Part, Plan, Promise, Stage
from rollway.planning.windows import describe_freeze, describe_window
from rollway.planning.words import METHOD_WORDS, about, length, listing, percent, times, two_digits

BAR_CELLS = 10


def describe(plan: Plan) -> str:
    """The plan as plain text: stages, guards, calendar, promises and notes."""
    head = [f"{plan.title or plan.name} {plan.version}", f"plan {plan.hash[:12]}: {sequence_words(plan)}"]
    sections = (
        ("Stages", [_stage_lines(number, stage) for number, stage in enumerate(plan.stages, 1)]),
        ("Guards", [[guard_words(guard)] for guard in plan.guards]),
        ("Calendar", [[line] for line in _calendar(plan)]),
        ("Promises", [[line] for line in _promise_lines(plan)]),
        ("Rollback", [[line] for line in (*plan.rollback.steps, f"tested: {_short(plan.rollback.tested)}")]),
        ("Notes", [[note] for note in plan.notes]),
    )
    if plan.objective:
        head.append(f"objective: {plan.objective}")
    for title, items in sections:
        if items:
            head += ["", title, *_tree(items)]
    return "\n".join(head)


def sequence_words(plan: Plan) -> str:
    """`pilot, then canary`."""
    return ", then ".join(METHOD_WORDS[method] for method in plan.sequence)


RULE_WORDS: Mapping[Advance, str] = {
    "ready": "every gate has numbers of the old version",
    "evidence": "every gate is shown to be within its margin",
    "time": "no limit is broken",
    "person": "a person says go",
}

UNMEASURED_WORDS = "both versions report and nothing speaks against the new one"
"""The rule of a stage that decides on evidence and asks for no margin."""


def rule_words(stage: Stage) -> str:
    """What must be true, besides the bake time, to leave the stage: `a person says go`."""
    is_unmeasured = stage.advance == "evidence" and not stage.margins
    return UNMEASURED_WORDS if is_unmeasured else RULE_WORDS[stage.advance]


def advance_words(stage: Stage) -> str:
    """What must be true to leave the stage: `after 20 minutes, when a person says go`."""
    rule = f"when {rule_words(stage)}"
    return f"after {length(stage.bake_seconds)}, {rule}" if stage.bake_seconds else rule


def margin_words(stage: Stage) -> str:
    """`errors ×1.5 and latency ×1.5`, empty where nothing is to be excluded."""
    return listing(f"{kpi} {times(margin)}" for kpi, margin in stage.margins.items())


def guard_words(guard: Guard) -> str:
    """`errors: gate, up to ×1.1 of the old version, never more than 5% bad`."""
    limit = f", never more than {limit_words(guard)}" if guard.limit is not None else ""
    named = guard.kpi if guard.title in ("", guard.kpi) else f"{guard.kpi} ({guard.title})"
    return f"{named}: {guard.say}, up to {times(guard.tolerance)} of the old version{limit}"


def limit_words(guard: Guard) -> str:
    """`5% bad`, `10% slower than 2 seconds`; empty without a limit."""
    if guard.limit is None:
        return ""
    bad = "bad" if guard.limit_seconds is None else f"slower than {length(guard.limit_seconds)}"
    return f"{percent(guard.limit)} {bad}"


def promises_by_kpi(plan: Plan) -> dict[tuple[str, str], tuple[Promise, ...]]:
    """The promises of each stage (title) and KPI, the smallest fault first."""
    titles = {stage.id: stage.title for stage in plan.stages}
    found: dict[tuple[str, str], tuple[Promise, ...]] = {}
    for promise in plan.promises:
        key = (titles[promise.stage], promise.kpi)
        found[key] = (*found.get(key, ()), promise)
    return found


def promise_words(promise: Promise) -> str:
    """`2 600 events, 1.8 hours`; the events are what the KPI counts."""
    seconds = "" if promise.seconds is None else f", {about(promise.seconds)}"
    return f"{two_digits(promise.requests)} events{seconds}"


def share_bar(share: float) -> str:
    """Ten cells, filled by the share: none for nobody, all of them only for everyone."""
    some = min(BAR_CELLS - 1, max(1, round(share * BAR_CELLS)))
    filled = some if 0 < share < 1 else round(share) * BAR_CELLS
    return "█" * filled + "░" * (BAR_CELLS - filled)


# --- the tree ---------------------------------------------------------------------------------------


def _tree(items: Sequence[Sequence[str]]) -> Iterator[str]:
    for index, (first, *rest) in enumerate(items):
        is_last = index == len(items) - 1
        yield f"{'└─' if is_last else '├─'} {first}"
        for line in rest:
            yield f"{'  ' if is_last else '│ '}    {line}"


def _stage_lines(number: int, stage: Stage) -> list[str]:
    mode = "" if stage.exposure.mode == "live" else f", {stage.exposure.mode}"
    audience = "" if stage.exposure.audience == "everyone" else f", {stage.exposure.audience}"
    share = percent(stage.exposure.share)
    lines = [f"{number}. {stage.title}  {share_bar(stage.exposure.share)} {share}{mode}{audience}"]
    lines.append(f"goes on {advance_words(stage)}")
    if stage.margins:
        lines.append(f"to be excluded: {margin_words(stage)}")
    lines += [f"before: {criterion}" for criterion in stage.entry]
    if not stage.reversible:
        lines.append("no way back from here on")
    return lines


def _calendar(plan: Plan) -> Iterator[str]:
    if not plan.windows:
        yield "no change windows: open at any time"
    for window in plan.windows:
        yield f"window {describe_window(window)}"
    for freeze in plan.freezes:
        yield f"freeze {describe_freeze(freeze)}"


def _promise_lines(plan: Plan) -> Iterator[str]:
    for (stage, kpi), promises in promises_by_kpi(plan).items():
        told = "; ".join(
            f"{times(promise.ratio)} after about {promise_words(promise)}" for promise in promises
        )
        yield f"{stage}, {kpi}: {told}"


# --- what changed -----------------------------------------------------------------------------------

_LISTS: Mapping[str, tuple[str, str]] = {
    "stages": ("stage", "id"),
    "guards": ("guard", "kpi"),
    "runbook": ("task", "id"),
    "risks": ("risk", "id"),
}


def diff(a: Plan, b: Plan) -> tuple[str, ...]:
    """What changed from `a` to `b`, a line each; empty exactly when the plans are equal."""
    lines: list[str] = []
    for field in Plan.model_fields:
        before, after = getattr(a, field), getattr(b, field)
        if before == after:
            continue
        if field in _LISTS:
            lines += _list_changes(*_LISTS[field], before, after)
        elif isinstance(before, Part) and isinstance(after, Part):
            lines += _field_changes(field, before, after)
        else:
            lines.append(_change(_words(field), before, after))
    return tuple(lines)


def _list_changes(noun: str, key: str, before: Sequence[Part], after: Sequence[Part]) -> Iterator[str]:
    old = {getattr(part, key): part for part in before}
    new = {getattr(part, key): part for part in after}
    yield from (f"{noun} {name} is gone" for name in old if name not in new)
    for name, part in new.items():
        if name not in old:
            yield f"{noun} {name} is new"
        elif old[name] != part:
            yield from _field_changes(f"{noun} {name}", old[name], part)
    kept_before = [name for name in old if name in new]
    if kept_before != [name for name in new if name in old] or len(old) != len(before):
        yield f"the order of the {noun}s changed"


def _field_changes(label: str, before: Part, after: Part) -> Iterator[str]:
    for field in type(before).model_fields:
        old, new = getattr(before, field), getattr(after, field)
        if old == new:
            continue
        if isinstance(old, Part) and isinstance(new, Part):
            yield from _field_changes(f"{label}: {_words(field)}", old, new)
        else:
            yield _change(f"{label}: {_words(field)}", old, new)


def _change(label: str, before: Any, after: Any) -> str:
    if isinstance(before, tuple) and isinstance(after, tuple):
        gone = [item for item in before if item not in after]
        come = [item for item in after if item not in before]
        if any(isinstance(item, Part) for item in (*before, *after)):
            return f"{label}: {len(gone)} lines gone, {len(come)} new"
        told = [f"- {_short(item)}" for item in gone] + [f"+ {_short(item)}" for item in come]
        return f"{label}: {'; '.join(told)}" if told else f"{label}: the order or number changed"
    return f"{label}: {_short(before)} -> {_short(after)}"


def _words(field: str) -> str:
    return field.replace("_", " ")


def _short(value: Any) -> str:
    if value is None or value in ("", ()):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return listing((f"{key} {_short(item)}" for key, item in value.items()), 8)
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
