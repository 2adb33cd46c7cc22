"""What changed from one plan to another, in words; nothing is said exactly when nothing changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollway.planning.describe import (
    RULE_WORDS,
    margin_words,
    plan_promise_words,
    promise_words,
    promises_by_kpi,
)
from rollway.planning.model import Plan, Stage
from rollway.planning.windows import describe_freeze, describe_window
from rollway.planning.words import about, length, listing, percent, times

Body = dict[str, Any]
LONGEST = 120


def diff(a: Plan, b: Plan) -> tuple[str, ...]:
    """What changed from `a` to `b`, a line each; empty exactly when the plans are equal."""
    before, after = a.to_json(), b.to_json()
    lines: list[str] = []
    for field in (*_FIRST, *(name for name in Plan.model_fields if name not in _FIRST)):
        if before.get(field) == after.get(field):
            continue
        made = list(_SECTIONS[field](a, b)) if field in _SECTIONS else []
        # A change that no words were found for is told all the same.
        lines += made or _generic(_said(field), before.get(field), after.get(field))
    return tuple(lines)


_FIRST = ("version", "sequence", "stages", "guards", "windows", "freezes", "policy")


def _said(field: str) -> str:
    return field.replace("_", " ")


# --- lists of things with a name --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rows:
    """How entries of a list are told apart and called."""

    noun: str
    key: Callable[[Any], Any]
    name: Callable[[Any], str]

    def changes(self, before: Sequence[Any], after: Sequence[Any]) -> Iterator[str]:
        old, new = self._keyed(before), self._keyed(after)
        yield from (f"{self.noun} {self.name(one)} is gone" for key, one in old.items() if key not in new)
        for key, one in new.items():
            if key not in old:
                yield f"{self.noun} {self.name(one)} is new"
            elif old[key] != one:
                yield from _fields(f"{self.noun} {self.name(old[key])}", _plain(old[key]), _plain(one))
        kept = [key for key in old if key in new]
        if kept != [key for key in new if key in old]:
            yield f"the order of the {self.noun}s changed"

    def _keyed(self, entries: Sequence[Any]) -> dict[Any, Any]:
        """By key; entries that share one are told apart by their place."""
        keyed: dict[Any, Any] = {}
        for one in entries:
            key, count = self.key(one), 0
            while (key, count) in keyed:
                count += 1
            keyed[key, count] = one
        return keyed


def _plain(one: Any) -> Body:
    """The fields of a model or a dataclass."""
    fields = getattr(type(one), "model_fields", None) or type(one).__dataclass_fields__
    return {name: getattr(one, name) for name in fields}


def _quoted(text: str) -> str:
    return f"'{text}'"


_ROWS: Mapping[str, _Rows] = {
    "guards": _Rows("guard", lambda one: one.kpi, lambda one: one.kpi),
    "runbook": _Rows("task", lambda one: one.id, lambda one: f"{one.id} ({one.title})"),
    "people": _Rows("person", lambda one: one.id, lambda one: one.name or one.id),
    "gates": _Rows("gate", lambda one: one.id, lambda one: _quoted(one.what)),
    "training": _Rows(
        "training", lambda one: (one.stage, one.group), lambda one: f"of {one.group} before {one.stage}"
    ),
    "support": _Rows("support", lambda one: one.stage, lambda one: f"at {one.stage}"),
    "communication": _Rows(
        "message",
        lambda one: one.id or (one.stage, one.when, one.audience, one.channel),
        lambda one: f"to {one.audience}, {one.when} '{one.stage}'",
    ),
    "risks": _Rows("risk", lambda one: one.id, lambda one: f"{one.id} ({one.title})"),
    "overrides": _Rows(
        "override", lambda one: (one.path, one.after), lambda one: f"of {one.path} to {one.after}"
    ),
}


def _rows_of(field: str) -> Callable[[Plan, Plan], Iterator[str]]:
    return lambda a, b: _ROWS[field].changes(getattr(a, field), getattr(b, field))


# --- stages -----------------------------------------------------------------------------------------


def _stages(a: Plan, b: Plan) -> Iterator[str]:
    old = {stage.id: stage for stage in a.stages}
    new = {stage.id: stage for stage in b.stages}
    yield from (f"stage '{stage.title}' is gone" for name, stage in old.items() if name not in new)
    before: Stage | None = None
    for name, stage in new.items():
        if name not in old:
            place = f"after '{before.title}'" if before else "at the beginning"
            share = percent(stage.exposure.share)
            bake = f", at least {length(stage.bake_seconds)}" if stage.bake_seconds else ""
            yield f"stage '{stage.title}' ({share}{bake}) is new, {place}"
        elif old[name] != stage:
            yield from _stage(f"stage '{old[name].title}'", old[name], stage)
            if a.runbook == b.runbook:  # else the tasks themselves are told
                yield from _tasks(f"stage '{old[name].title}'", old[name].tasks, stage.tasks)
        before = stage
    if [name for name in old if name in new] != [name for name in new if name in old]:
        yield "the order of the stages changed"


def _stage(label: str, old: Stage, new: Stage) -> Iterator[str]:
    for field, words in _STAGE_WORDS.items():
        was, now = words(old), words(new)
        if was != now:
            yield f"{label}: {field} {now or 'nothing'} instead of {was or 'nothing'}"
    for line in old.entry:
        if line not in new.entry:
            yield f"{label}: no longer asked before it: {line}"
    for line in new.entry:
        if line not in old.entry:
            yield f"{label}: asked before it: {line}"
    if old.reversible and not new.reversible:
        yield f"{label}: there is no way back from it now"
    if new.reversible and not old.reversible:
        yield f"{label}: there is a way back from it now"
    rest = {"exposure", "bake_seconds", "patience_seconds", "margins", "advance", "in_window", "entry"}
    rest |= {"reversible", "title", "tasks", "expected_seconds"}
    plain = ({k: v for k, v in _plain(one).items() if k not in rest} for one in (old, new))
    yield from _fields(label, *plain)
    if old.entry != new.entry and {*old.entry} == {*new.entry}:
        yield f"{label}: what is asked before it is in another order"


def _tasks(label: str, old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    if old != new and {*old} == {*new}:
        yield f"{label}: its tasks are in another order"
    elif old != new:
        yield from _generic(f"{label}: tasks", list(old), list(new))


_STAGE_WORDS: Mapping[str, Callable[[Stage], str]] = {
    "is called": lambda stage: _quoted(stage.title),
    "reaches": lambda stage: percent(stage.exposure.share),
    "is seen by": lambda stage: stage.exposure.audience,
    "runs": lambda stage: stage.exposure.mode,
    "has a control group of": lambda stage: percent(stage.exposure.control) if stage.exposure.control else "",
    "lasts at least": lambda stage: length(stage.bake_seconds),
    "asks a person after": lambda stage: length(stage.patience_seconds),
    "goes on when": lambda stage: RULE_WORDS[stage.advance],
    "must exclude": margin_words,
    "is expected to last": lambda stage: (
        "" if stage.expected_seconds is None else about(stage.expected_seconds)
    ),
    "is entered": lambda stage: "in a change window only" if stage.in_window else "at any time",
}


# --- the rest ---------------------------------------------------------------------------------------


def _listed(noun: str, field: str, words: Callable[[Any], str]) -> Callable[[Plan, Plan], Iterator[str]]:
    def changes(a: Plan, b: Plan) -> Iterator[str]:
        before, after = ([words(one) for one in getattr(plan, field)] for plan in (a, b))
        yield from (f"{noun} {one} is gone" for one in before if one not in after)
        yield from (f"{noun} {one} is new" for one in after if one not in before)

    return changes


def _promises(a: Plan, b: Plan) -> Iterator[str]:
    """A line for each stage and KPI, with the sizes of fault for which it reads differently."""
    old, new = promises_by_kpi(a), promises_by_kpi(b)
    yield from (f"promise of '{stage}' for {kpi} is gone" for stage, kpi in old if (stage, kpi) not in new)
    for (stage, kpi), promises in new.items():
        was = old.get((stage, kpi))
        if was is None:
            yield f"promise of '{stage}' for {kpi} is new"
        elif was != promises:
            words = [{one.ratio: promise_words(one) for one in each} for each in (was, promises)]
            yield f"promise of '{stage}' for {kpi}: {_other_figures(*words)}"


def _plan_promises(a: Plan, b: Plan) -> Iterator[str]:
    """A line for each KPI."""
    label = "promise before everyone has it for"
    for kpi in dict.fromkeys(one.kpi for plan in (a, b) for one in plan.plan_promises):
        was, now = ([one for one in plan.plan_promises if one.kpi == kpi] for plan in (a, b))
        if not was or not now:
            yield f"{label} {kpi} is {'new' if now else 'gone'}"
        elif was != now:
            words = [{one.ratio: plan_promise_words(one) for one in each} for each in (was, now)]
            yield f"{label} {kpi}: {_other_figures(*words)}"


def _other_figures(was: Mapping[float, str], now: Mapping[float, str]) -> str:
    """By size of fault: `×2: 22% instead of 25%`."""
    told = [
        f"{times(ratio)}: {now.get(ratio, 'nothing')} instead of {was.get(ratio, 'nothing')}"
        for ratio in sorted({*was, *now})
        if was.get(ratio) != now.get(ratio)
    ]
    return "; ".join(told) or "other figures that read the same when rounded"


def _facts(a: Plan, b: Plan) -> Iterator[str]:
    yield f"it rests on other facts ({b.facts_hash[:12]} instead of {a.facts_hash[:12]})"


def _inside(label: str, field: str) -> Callable[[Plan, Plan], Iterator[str]]:
    def changes(a: Plan, b: Plan) -> Iterator[str]:
        old, new = getattr(a, field), getattr(b, field)
        if old is not None and new is not None:
            yield from _fields(label, _plain(old), _plain(new))

    return changes


def _notes(field: str) -> Callable[[Plan, Plan], Iterator[str]]:
    def changes(a: Plan, b: Plan) -> Iterator[str]:
        before, after = getattr(a, field), getattr(b, field)
        noun = {"notes": "note", "rationale": "reason"}[field]
        yield from (f"{noun} gone: {one}" for one in before if one not in after)
        yield from (f"{noun} new: {one}" for one in after if one not in before)

    return changes


_SECTIONS: Mapping[str, Callable[[Plan, Plan], Iterator[str]]] = {
    "stages": _stages,
    "windows": _listed("change window", "windows", describe_window),
    "freezes": _listed("freeze", "freezes", describe_freeze),
    "policy": _inside("policy", "policy"),
    "rollback": _inside("rollback", "rollback"),
    "night": _inside("the night", "night"),
    "traffic": _inside("traffic", "traffic"),
    "promises": _promises,
    "plan_promises": _plan_promises,
    "facts_hash": _facts,
    "notes": _notes("notes"),
    "rationale": _notes("rationale"),
    **{field: _rows_of(field) for field in _ROWS},
}


def _fields(label: str, before: Body, after: Body) -> Iterator[str]:
    for name in before:
        if before[name] != after[name]:
            yield from _generic(f"{label}: {_said(name)}", before[name], after[name], name)


def _generic(label: str, before: Any, after: Any, field: str = "") -> list[str]:
    if field == "stages":
        counted, was = (listing(one) if one else "every stage" for one in (after, before))
        return [f"{label.removesuffix(': stages')}: counts in {counted} instead of {was}"]
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        gone = [one for one in before if one not in after]
        come = [one for one in after if one not in before]
        told = [f"{label}: no longer {_short(one)}" for one in gone]
        told += [f"{label}: now {_short(one)}" for one in come]
        return told or [f"{label}: the order or number changed"]
    return [f"{label}: {_short(after, field)} instead of {_short(before, field)}"]


def _short(value: Any, field: str = "") -> str:
    if value is None or value in ("", (), [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float | int):
        is_time = field.endswith("_seconds") or field in ("duration", "p90")
        return length(value) if is_time and value >= 0 else f"{value:g}"
    if isinstance(value, dict):
        return listing((f"{key} {_short(item)}" for key, item in value.items()), 8)
    named = getattr(value, "title", None) or getattr(value, "id", None)
    text = str(named) if isinstance(named, str) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
