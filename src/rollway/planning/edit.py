"""People overrule a plan: what they changed, from what, to what and why stays in it; its hash is a new one.

The plan is edited as plain YAML. Some of it cannot be overruled, because it would no longer be what it says
it is, or because it is people's only way back; each such part is refused with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollway.errors import InputError, RefusedError
from rollway.facts.problems import SourceText, did_you_mean, dotted
from rollway.planning.counting import with_counting_note
from rollway.planning.misfits import misfits
from rollway.planning.model import Override, Plan
from rollway.planning.promises import with_promises
from rollway.planning.rollback_clock import with_clock
from rollway.planning.words import length

Body = dict[str, Any]
Where = tuple[str | int, ...]
LONGEST_TEXT = 120

REFUSED: Mapping[str, str] = {
    "format": "it says how the plan is to be read",
    "facts_hash": "it says which facts the plan was made from; change the facts and plan anew",
    "name": "another name is another release",
    "version": "another version is another release",
    "prepared_by": "whoever prepared a plan cannot approve it, and that must not be written away",
    "method": "the method is chosen from the facts (rollout.method), with its vetoes",
    "sequence": "the methods are chosen from the facts (rollout.method), with their vetoes",
    "rationale": "these are the reasons that the choice had",
    "approvals_required": "who must agree is settled beforehand (agreements.approvals_required)",
    "approvers": "who must agree is settled beforehand (agreements.approvers)",
    "overrides": "what was overruled before, and why, stays",
    "promises": "they are computed from stages and guards",
    "plan_promises": "they are computed from stages and guards",
    "traffic": "it says what the promises were computed for",
    "support": "it is computed from users and the support desk",
    "rollback.clock": "it is drawn from the times of the runbook",
    "rollback.tested": "a test is made, not written",
}
"""What may not be overruled, and why; a path stands for all that is below it."""

KEYS: Mapping[str, str] = {
    "stages": "id",
    "guards": "kpi",
    "runbook": "id",
    "people": "id",
    "gates": "id",
    "communication": "id",
    "risks": "id",
}
"""Lists whose entries have a name: a path may use it (`stages.pilot.bake_seconds`)."""


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs: where, from what, to what. A missing value is None."""

    where: Where
    before: Any
    after: Any

    @property
    def path(self) -> str:
        return dotted(self.where)


def edited(plan: Plan, body: Body, because: str, by: str = "") -> Plan:
    """The plan as people changed it, with an override for each value they changed.

    `body` is the whole plan as plain values. Promises are computed anew: with the traffic of the release that
    the plan was made from, or without it with that which the plan names. Raises RefusedError for what
    cannot be overruled, InputError where nothing changed or no reason is given, and ValidationError where the
    result could not be carried out.
    """
    changed = tuple(changes(plan.to_json(), body))
    if not changed:
        raise InputError("nothing was changed", hint="change a value, such as stages.pilot.bake_seconds")
    refuse(plan, body, changed)
    reason = " ".join(because.split())
    if not reason:
        raise InputError("a changed plan says why", hint='give the reason: --because "..." (or because: ...)')
    overrides = tuple(
        Override(
            path=one.path, by=by, before=_said(one, one.before), after=_said(one, one.after), because=reason
        )
        for one in changed
    )
    kept = plan.to_json().get("overrides", [])
    whole = _with_waits(plan.to_json(), _without_gone(plan.to_json(), body))
    made = Plan.model_validate(
        {**whole, "overrides": [*kept, *(override.model_dump(mode="json") for override in overrides)]}
    )
    return with_counting_note(with_clock(with_promises(made)))


def _without_gone(before: Body, after: Body) -> Body:
    """What was done in a stage that was taken out goes with it, unless somebody changed it.

    What was asked for before it (tasks, gates, training, messages) is asked for before the next stage: nobody
    gets around a check by taking out a stage.
    """
    left = [one.get("id") for one in _dicts(after.get("stages"))]
    gone = {one["id"]: _heir(before, one["id"], left) for one in before["stages"] if one["id"] not in left}
    if not gone:
        return after
    result = dict(after)
    lost: dict[str, list[str]] = {}
    for field in ("runbook", "gates", "training", "support", "communication", "promises"):
        rows = after.get(field)
        if not isinstance(rows, list):
            continue
        known = _dicts(before.get(field))
        dropped = [one for one in known if one["stage"] in gone and _is_of_the_stage(field, one)]
        result[field] = [
            {**one, "stage": gone[one["stage"]]} if one in known and one["stage"] in gone else one
            for one in rows
            if one not in dropped
        ]
        if field == "runbook":
            lost = {one["id"]: one.get("after", []) for one in dropped}
    if isinstance(after.get("guards"), list):
        result["guards"] = [_still_counted(guard, gone) for guard in after["guards"]]
    if isinstance(result.get("runbook"), list):
        result["runbook"] = [_relinked(task, lost) for task in result["runbook"]]
    return result


def _still_counted(guard: Any, gone: Mapping[str, str]) -> Any:
    """The guard without the stages that are gone; one that would count in none is left, to be refused."""
    if not isinstance(guard, dict) or not isinstance(guard.get("stages"), list):
        return guard
    left = [stage for stage in guard["stages"] if stage not in gone]
    return {**guard, "stages": left} if left else guard


def _heir(before: Body, gone: str, left: Sequence[Any]) -> str:
    """The stage that comes in the place of one that is gone: the next that is left, else the last one."""
    names = [one["id"] for one in before["stages"]]
    following = (name for name in names[names.index(gone) :] if name in left)
    return next(following, str(left[-1]) if left else gone)


def _is_of_the_stage(field: str, one: Body) -> bool:
    """Whether it is nothing without its stage."""
    if field == "runbook":
        return bool(one["phase"] == "during")
    return field in ("support", "promises") or one.get("kind") == "decision"


def _with_waits(before: Body, after: Body) -> Body:
    """The waits of the runbook, as long as the bakes of their stages are now."""
    was, now = (
        {one.get("id"): one.get("bake_seconds") for one in _dicts(body.get("stages"))}
        for body in (before, after)
    )
    known = _dicts(before.get("runbook"))

    def waited(task: Any) -> Any:
        old, new = was.get(task.get("stage")), now.get(task.get("stage"))
        is_wait = task in known and task.get("duration") == task.get("p90") == old
        if not is_wait or old == new or not isinstance(new, int | float) or not old:
            return task
        told = str(task.get("instruction", "")).replace(length(old), length(new))
        return {**task, "duration": new, "p90": new or None, "instruction": told}

    rows = after.get("runbook")
    return (
        {**after, "runbook": [waited(one) if isinstance(one, dict) else one for one in rows]}
        if isinstance(rows, list)
        else after
    )


def _relinked(task: Any, lost: Mapping[str, Sequence[str]]) -> Any:
    """The task, waiting for what the tasks that are gone waited for."""
    if not isinstance(task, dict) or not set(task.get("after") or ()) & lost.keys():
        return task
    after: list[str] = []
    left = list(task["after"])
    while left:
        name = left.pop(0)
        if name in lost:
            left = [*lost[name], *left]
        elif name not in after:
            after.append(name)
    return {**task, "after": after}


def _dicts(rows: Any) -> list[Body]:
    return [one for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []


# --- what differs -----------------------------------------------------------------------------------


def changes(before: Any, after: Any, where: Where = ()) -> Iterator[Change]:
    """Every value that differs, as deep as both have the same shape; lists with names are told by name."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in (*before, *(key for key in after if key not in before)):
            yield from changes(before.get(key), after.get(key), (*where, key))
        return
    named = KEYS.get(str(where[0])) if len(where) == 1 else None
    if named and isinstance(before, list) and isinstance(after, list):
        old, new = _by_name(before, named), _by_name(after, named)
        if old is not None and new is not None:
            for key in (*old, *(key for key in new if key not in old)):
                yield from changes(old.get(key), new.get(key), (*where, key))
            if [key for key in old if key in new] != [key for key in new if key in old]:
                yield Change((*where, "order"), list(old), list(new))
            return
    yield Change(where, before, after)


def _by_name(rows: Sequence[Any], key: str) -> dict[str, Any] | None:
    """The rows by their name; None where one has none or two share one."""
    named = {str(row[key]): row for row in rows if isinstance(row, dict) and key in row}
    return named if len(named) == len(rows) else None


def refuse(plan: Plan, body: Body, changed: Sequence[Change]) -> None:
    """Raise RefusedError for whatever may not be overruled, one line for each, with the reason."""
    details = tuple(dict.fromkeys(_reasons(plan, body, changed)))
    if details:
        raise RefusedError("this cannot be overruled", details=tuple(f"  {line}" for line in details))


def _reasons(plan: Plan, body: Body, changed: Sequence[Change]) -> Iterator[str]:
    for one in changed:
        for path, reason in REFUSED.items():
            if one.path == path or one.path.startswith(f"{path}."):
                yield f"{path}: {reason}"
    yield from _way_back(plan, body)
    for one in changed:
        yield from _irreversible(one)


def _way_back(plan: Plan, body: Body) -> Iterator[str]:
    rollback = body.get("rollback")
    if not isinstance(rollback, dict) or not rollback.get("steps"):
        yield "rollback.steps: a plan without a way back is no plan; write other steps, not none"
        return
    if plan.rollback.undo and not rollback.get("undo"):
        yield "rollback.undo: the steps of the way back are not taken out; write other ones"
    if not set(plan.rollback.cannot_undo) <= set(rollback.get("cannot_undo") or ()):
        yield "rollback.cannot_undo: what cannot be undone stays told; you may add to it"


def _irreversible(one: Change) -> Iterator[str]:
    last = one.where[-1]
    if last == "expected_seconds":
        yield f"{one.path}: it is computed from traffic, margins and bake"
    if last == "undo" and len(one.where) == 3 and one.where[0] == "stages" and not one.after:
        yield f"{one.path}: a stage says how it is undone"
    if last == "reversible" and one.before is False and one.after in (None, True):
        yield f"{one.path}: saying that there is a way back makes none"


def _said(one: Change, value: Any) -> str:
    """The value as people say it: seconds as a length of time."""
    is_time = str(one.where[-1]).endswith("_seconds") and isinstance(value, int | float)
    return length(value) if is_time and value >= 0 else _short(value)


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        name = next((value[key] for key in ("title", "what", "id", "kpi") if key in value), "")
        return f"an entry '{name}'" if name else "an entry"
    text = " ".join(str(value).split()) if not isinstance(value, bool) else ("yes" if value else "no")
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


# --- one value at a time, for scripts ---------------------------------------------------------------


def with_values(plan: Plan, pairs: Mapping[str, str]) -> Body:
    """The plan's plain values with `path=value` laid over them; a value is read as YAML.

    A path names fields, places in lists (from 0) or the names of entries: `stages.pilot.bake_seconds`. An
    empty value leaves a field to its default, or takes an entry out. Raises InputError for a path that leads
    nowhere.
    """
    body = plan.to_json()
    for path, text in pairs.items():
        _set(body, path, _value(path, text))
    return body


def _value(path: str, text: str) -> Any:
    from rollway.facts.duration import parse_duration
    from rollway.facts.places import parse_value

    if path.endswith("_seconds") or path.rsplit(".", 1)[-1] in ("duration", "p90", "at"):
        try:
            return parse_duration(text.strip()).total_seconds()
        except ValueError:
            pass  # a plain number of seconds
    return parse_value(SourceText(path, text)).plain()


def _set(body: Body, path: str, value: Any) -> None:
    parts = path.split(".")
    at: Any = body
    for place, part in enumerate(parts[:-1]):
        at = _step(at, part, parts[:place], path)
    last = parts[-1]
    if isinstance(at, list):
        index = _index(at, last, parts[:-1], path)
        if value is None:
            del at[index]
        else:
            at[index] = value
    elif isinstance(at, dict):
        if last not in at and len(parts) == 1 and last not in Plan.model_fields:
            raise InputError(
                f"--set {path}: a plan has no '{last}'", hint=did_you_mean(last, Plan.model_fields)
            )
        if value is None:
            at.pop(last, None)
        else:
            at[last] = value
    else:
        raise InputError(f"--set {path}: '{'.'.join(parts[:-1])}' is a plain value and has no parts")


def _step(at: Any, part: str, before: Sequence[str], path: str) -> Any:
    if isinstance(at, dict):
        if part in at:
            return at[part]
        raise InputError(f"--set {path}: there is no '{part}'", hint=did_you_mean(part, at))
    if isinstance(at, list):
        return at[_index(at, part, before, path)]
    raise InputError(f"--set {path}: '{'.'.join(before)}' is a plain value and has no parts")


def _index(rows: Sequence[Any], part: str, before: Sequence[str], path: str) -> int:
    if part.isdigit() and int(part) < len(rows):
        return int(part)
    key = KEYS.get(before[0], "id") if before else "id"
    names = [str(row.get(key, "")) if isinstance(row, dict) else "" for row in rows]
    if part in names:
        return names.index(part)
    hint = did_you_mean(part, [name for name in names if name]) or f"its entries are {', '.join(names)[:300]}"
    raise InputError(f"--set {path}: there is no '{part}' in '{'.'.join(before)}'", hint=hint)


__all__ = ["KEYS", "REFUSED", "Change", "changes", "edited", "misfits", "refuse", "with_values"]
