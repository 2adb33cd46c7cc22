"""What a rollout waits for, its gates, tasks and clock, as JSON values. Pure; times are ISO 8601 in UTC."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from rollway.app import words
from rollway.app.authority import NEEDS_OPERATOR, as_option, speakers
from rollway.app.own_words import OwnWord
from rollway.facts.model import WEEKDAYS
from rollway.planning import Gate, Plan, Task
from rollway.planning.calendar.in_plan import plan_lines, plan_state
from rollway.planning.calendar.openings import openings
from rollway.planning.calendar.recurring import Horizon
from rollway.planning.people import gate_words
from rollway.planning.runbooks.model import UndoStep
from rollway.planning.windows import local_span, occurrence, zone_named
from rollway.rollout import CommandGiven, CommandKind, Doing, State
from rollway.rollout.gates import gate_people, is_followed, is_met
from rollway.rollout.machine import next_wake
from rollway.rollout.needs import Heard, Need, lacking
from rollway.rollout.ports import Pending
from rollway.rollout.steps import is_past_return
from rollway.rollout.tasks import task_of
from rollway.rollout.undoing import needed_undo

Json = dict[str, Any]

DAY = timedelta(days=1)
LATE = timedelta(seconds=15)
"""How much later than due a look may be before people are told, at least."""
PEOPLE_KINDS = frozenset({"gate", "task", "decision", "undo", "person"})
"""Needs that end only when a person says or does something."""
_TYPED = re.compile(r"rollway [a-z-]+(?: [^;,()]*[^\s;,()])?")


def waiting_json(
    rollout: str,
    plan: Plan,
    state: State,
    at: datetime,
    *,
    verdict: Json | None = None,
    entered: Mapping[str, datetime] | None = None,
    own: Sequence[OwnWord] = (),
) -> Json:
    """What it waits for, gates, tasks, undo steps and the clock.

    `verdict` is the judge's newest word, `entered` when each stage was entered, by its id, `own` what Rollway
    will say of gates itself.
    """
    needs = _with_own(lacking(plan, state, at, heard_in(verdict)), own)
    return {
        "needs": [need_json(rollout, plan, state, need) for need in needs],
        "gates": [_gate(plan, state, gate) for gate in plan.gates],
        "tasks": [_task(state, task) for task in plan.runbook] if is_followed(plan) else [],
        "undo": [_undo(state, step) for step in needed_undo(plan, state)] if _is_back(state) else [],
        "tasks_are_followed": is_followed(plan),
        "clock": clock_json(plan, state, at, entered or {}),
    }


# --- needs ------------------------------------------------------------------------------------------


def _with_own(needs: Iterable[Need], own: Sequence[OwnWord]) -> Iterator[Need]:
    """Gates that Rollway will see met by itself end at that time, unless a person is faster."""
    own_of = {word.gate.id: word for word in own}
    for need in needs:
        word = own_of.get(need.subject) if need.kind == "gate" else None
        if word is None:
            yield need
        else:
            yield replace(need, until=word.due, takes=f"{need.takes}; else time, for it was {word.seen}")


def heard_in(verdict: Json | None) -> Heard | None:
    """What a verdict as JSON says of its stage's rule."""
    if verdict is None:
        return None
    ready, is_mismatch = bool(verdict["baseline_ready"]), bool(verdict["mismatch"])
    return Heard(str(verdict["stage"]), str(verdict["kind"]), ready, is_mismatch)


def need_json(rollout: str, plan: Plan, state: State, need: Need) -> Json:
    """One need, with what to type about it; `is_people`: nothing but a person ends it; `may_say`: whose word
    counts, by name, empty where anybody's does; `is_typed`: `takes` is said by its commands already."""
    said: CommandKind = "go" if need.kind == "decision" else "confirm"
    may_say = list(speakers(plan, state, said, need.subject)) if need.subject else []
    takes = need.takes.replace("ROLLOUT", rollout)
    commands = list(_commands(rollout, plan, need, may_say))
    return {
        "kind": need.kind,
        "what": need.what,
        "who": list(need.who),
        "since": iso(need.since),
        "until": iso(need.until),
        "takes": takes,
        "is_typed": any(command.startswith(takes) for command in commands),
        "subject": need.subject,
        "is_people": (need.kind in PEOPLE_KINDS and need.until is None)
        or "a person who was asked" in need.takes,
        "may_say": may_say,
        "commands": commands,
    }


def _commands(rollout: str, plan: Plan, need: Need, may_say: Sequence[str]) -> Iterator[str]:
    """What to type, with a person's name where only some may say it."""
    asked = [name for name in need.who if name in may_say]
    person, operator = as_option([*asked, *may_say]), as_option(plan.operators)
    for typed in _TYPED.findall(need.takes):
        if "ROLLOUT" in typed:
            said = typed.split(" or ")[0].replace("ROLLOUT", rollout)
            yield said + (person if need.subject else _as_operator(said, operator))
        elif need.kind == "person":
            word, _, rest = typed.removeprefix("rollway ").partition(" ")
            said = f"rollway {word} {rollout} {rest if rest.startswith('--') else ''}".strip()
            yield said + _as_operator(said, operator)
    if need.kind == "evidence" and "promote" in need.takes:
        yield f"rollway promote {rollout} --because TEXT{operator}"
    kind = plan.target.type if plan.target else ""
    if need.kind == "target" and kind in ("people", "sites"):
        yield f"rollway errands {rollout}"
    if need.kind == "target" and kind == "sites":
        yield f"rollway sites {rollout}"


def _as_operator(typed: str, operator: str) -> str:
    """The operator's name behind a command that only operators may say."""
    return operator if typed.split()[1].replace("-", "_") in NEEDS_OPERATOR else ""


# --- gates, tasks, undo steps -----------------------------------------------------------------------


def _gate(plan: Plan, state: State, gate: Gate) -> Json:
    """One gate. `state` is open, met, waived, not met, or met by facts."""
    word = state.words.get(gate.id)
    by_facts = "met by the facts" if gate.is_met else "met" if is_met(plan, state, gate) else "open"
    stage = plan.stages[plan.stage_index(gate.stage)]
    is_behind = state.started_at is not None and plan.stage_index(gate.stage) <= state.stage
    return {
        "id": gate.id,
        "stage": gate.stage,
        "stage_title": stage.title,
        "what": gate_words(gate),
        "who": list(gate_people(plan, gate)),
        "state": word.said if word else by_facts,
        "is_met": is_met(plan, state, gate),
        "is_behind": is_behind,
        "by": word.actor if word else "",
        "at": iso(word.at) if word else None,
        "note": word.note if word else "",
        "minimum": gate.minimum,
        "reached": word.reached if word else gate.known,
    }


def _task(state: State, task: Task) -> Json:
    who = task.decider if task.gate and task.decider else task.owner
    return {
        "phase": task.phase,
        "stage": task.stage,
        "is_decision": task.gate,
        "is_reversible": task.reversible,
        **_work(task, state.tasks.get(task.id), who, task.backup),
    }


def _undo(state: State, step: UndoStep) -> Json:
    return _work(step, state.undo.get(step.id), step.owner, "")


def _work(task: Task | UndoStep, doing: Doing | None, who: str, backup: str) -> Json:
    """`since` is when it got into its state; None while its turn has not come."""
    since = None if doing is None else doing.ended_at or doing.begun_at or doing.ready_at
    return {
        "id": task.id,
        "title": task.title,
        "who": list(dict.fromkeys(name for name in (who, backup) if name)),
        "state": "ahead" if doing is None else doing.state,
        "since": iso(since),
        "by": "" if doing is None else doing.actor,
        "note": "" if doing is None else doing.note,
    }


def _is_back(state: State) -> bool:
    return state.phase in ("rolling_back", "rolled_back")


# --- the clock --------------------------------------------------------------------------------------


def clock_json(plan: Plan, state: State, at: datetime, entered: Mapping[str, datetime]) -> Json:
    """The change window now, the point of no return, and until when one can still turn back in time.

    `night_closes_at` and `last_call` count from the turn of the plan's night, and are None before it.
    """
    has_windows = bool(plan.windows or plan.freezes or plan.calendar)
    window = plan_state(plan, at) if has_windows and not state.is_final else None
    is_open = window is not None and window.is_open
    return {
        "timezone": zone_of(plan),
        "window": None
        if window is None
        else {
            "is_open": window.is_open,
            "reason": window.reason,
            "closes_at": iso(closes_at(plan, at)) if is_open else None,
            "next_open": iso(window.next_open),
            "is_overridden": state.override is not None,
        },
        **_night(plan, state, entered),
        "no_return": _no_return(plan, state),
    }


def _night(plan: Plan, state: State, entered: Mapping[str, datetime]) -> Json:
    clock, night = plan.rollback.clock, plan.night
    turn = None if night is None else state.turns.get(night.stage) or entered.get(night.stage)
    window = None if night is None else night.window_seconds
    call = None if clock is None else clock.last_call
    return {
        "turn": iso(turn),
        "night_closes_at": iso(turn + timedelta(seconds=window)) if turn and window and clock else None,
        "last_call": iso(turn + timedelta(seconds=call)) if turn and call is not None else None,
        "is_too_late_from_the_start": call is not None and call < 0,
        "back_seconds": None if clock is None else clock.back_p90,
    }


def _no_return(plan: Plan, state: State) -> Json:
    """Where the way back closes: whether it is behind, and which stage or task it is."""
    if is_past_return(plan, state):
        name = state.no_return or plan.stages[state.stage].id
        return {"is_passed": True, "at": name, "title": _title(plan, name)}
    index = 0 if state.started_at is None else state.stage + 1
    ahead = [stage.id for stage in plan.stages[index:] if not stage.reversible]
    if is_followed(plan):
        ahead += [task.id for task in plan.runbook if not task.reversible and task.id not in state.tasks]
        ahead += [task.id for task in plan.runbook if not task.reversible and task.id in state.tasks]
    name = plan.rollback.no_return if plan.rollback.no_return in ahead else next(iter(ahead), "")
    return {"is_passed": False, "at": name, "title": _title(plan, name) if name else ""}


def past_return_words(turn: Json) -> str:
    """That the way back is closed, and what closed it; `turn` is `no_return` of a view's clock."""
    return f"The point of no return was passed with '{turn['title']}': faults are mended forward."


def _title(plan: Plan, name: str) -> str:
    stages = {stage.id: stage.title for stage in plan.stages}
    task = task_of(plan, name)
    return stages.get(name) or (task.title if task else name)


def zone_of(plan: Plan) -> str:
    """The time zone in which the plan's people read a clock; empty where the plan names none."""
    if plan.night is not None and plan.night.timezone:
        return plan.night.timezone
    if plan.windows:
        return plan.windows[0].timezone
    return plan.calendar.calendar.calendar.timezone if plan.calendar else ""


def closes_at(plan: Plan, at: datetime) -> datetime | None:
    """When the change window that is open now closes; None where it stays open for two weeks at least."""
    end = at
    while end - at < 14 * DAY:
        longer = max(_ends(plan, end), default=end)
        if longer <= end:
            break
        end = longer
    starts = (
        local_span(freeze.first, "00:00", freeze.last, "24:00", zone_named(freeze.timezone)).start
        for freeze in plan.freezes
    )
    end = min([end, *(start for start in starts if start > at)])
    return end if at < end < at + 14 * DAY else None


def _ends(plan: Plan, at: datetime) -> Iterator[datetime]:
    """The ends of the windows that are open at a moment."""
    if plan.calendar is not None:
        booking = plan.calendar.booking
        found = openings(plan_lines(plan), booking, Horizon(at - DAY, at + 2 * DAY))
        yield from (one.span.end for one in found if one.span.has(at))
        return
    for window in plan.windows:
        zone = zone_named(window.timezone)
        today = at.astimezone(zone).date()
        for day in (today - 2 * DAY, today - DAY, today, today + DAY):
            if WEEKDAYS[day.weekday()] in window.days:
                span = occurrence(window, zone, day)
                if span.has(at):
                    yield span.end


def iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def late_at(plan: Plan, state: State, moved_at: datetime) -> datetime | None:
    """From when on the next look at a rollout is overdue, so that nobody seems to carry it out; None where
    nothing is due."""
    wake = next_wake(plan, state, moved_at, moved=False)
    return None if wake is None else moved_at + wake + max(wake, LATE)


def is_late(view: Json, at: datetime) -> bool:
    """Whether nobody seems to carry a rollout out, by its view."""
    return view["late_at"] is not None and at > datetime.fromisoformat(view["late_at"])


def late_words(view: Json, at: datetime) -> str:
    """That nobody carries a rollout out, and since when; empty where it was looked at in time."""
    if not is_late(view, at):
        return ""
    return (
        f"Nobody carries it out: the last look at it was {_ago(view['moved_at'], at)}. Is `rollway serve` up?"
    )


UNATTENDED = "unattended"
"""The word for a rollout that nobody seems to carry out, where there is no room for the sentence."""
UNATTENDED_MEANS = "What is unattended is carried out by nobody: is `rollway serve` up?"


def overdue_words(line: Json, at: datetime) -> list[str]:
    """What a list says of a rollout before all else: that nobody looks, and what nobody has heard yet."""
    told = [UNATTENDED] if is_late(line, at) else []
    return [*told, *(unheard_words(said, at) for said in line["unheard"])]


def nothing_words(view: Json) -> str:
    """What is said of a rollout that waits for nothing that is known."""
    if not view["seq"]:
        return "To be taken up: nobody has looked at it since it was started."
    every = words.duration(view["tick_seconds"])
    return f"Nothing that is known: it goes on with the next look, every {every}."


def unheard_json(pending: Iterable[Pending]) -> list[Json]:
    """What people said and no tick has heard yet, oldest first."""
    return [
        {
            "id": one.id,
            "command": one.event.kind,
            "actor": one.event.actor,
            "at": iso(one.event.at),
            "reason": one.event.reason,
            "subject": one.event.subject,
        }
        for one in pending
        if isinstance(one.event, CommandGiven)
    ]


def unheard_words(said: Json, at: datetime) -> str:
    """`rollback said by jo 12 s ago, not heard yet`."""
    about = f" of '{said['subject']}'" if said["subject"] else ""
    word = said["command"].replace("_", "-")
    return f"{word}{about} said by {said['actor']} {_ago(said['at'], at)}, not heard yet"


def _ago(moment: str, at: datetime) -> str:
    return f"{words.duration(max(0.0, (at - datetime.fromisoformat(moment)).total_seconds()))} ago"
