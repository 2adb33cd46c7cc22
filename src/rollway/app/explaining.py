"""Why a rollout is where it is, and what it would take: values in, sections out. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from rollway.app import telling, words
from rollway.app.authority import NEEDS_OPERATOR, NEEDS_REASON
from rollway.app.explaining_end import ended
from rollway.app.telling import BLIND, LOOK_AT, Line, Section
from rollway.app.waiting import late_words, nothing_words, past_return_words, unheard_words
from rollway.facts.model import Freeze
from rollway.planning import Guard, Plan
from rollway.planning.windows import describe_freeze
from rollway.planning.words import listing
from rollway.planning.words import sentence as stopped

Json = dict[str, Any]

KINDS = {
    "gate": "a gate",
    "task": "a task",
    "decision": "a decision",
    "undo": "an undo step",
    "window": "a change window",
    "time": "time",
    "target": "the target",
    "version": "the new version",
    "evidence": "evidence",
    "person": "a person's word",
}


SOON = timedelta(days=30)
"""How far ahead a freeze is told of."""


def explain(plan: Plan, view: Json, at: datetime) -> tuple[Section, ...]:
    """The sections that have something to say of a rollout at this moment.

    `view` is what `rollway.app.views.rollout_view` says of it, with the whole record.
    """
    zone = view["clock"]["timezone"]
    found = [_where(view, at, zone)]
    if view["is_final"]:
        found.append(Section("ended", "How it ended, and why", tuple(ended(plan, view, zone))))
    else:
        found += [
            Section("waits", "What it waits for, and what it would take", tuple(_waits(view, at, zone))),
            Section("verdict", "What the judge says", tuple(_verdict(plan, view, at))),
            Section("blind", "Why it cannot see", tuple(_blind(plan, view))),
            Section("back", "What would make it go back", tuple(_back(plan, view))),
            Section("windows", "Change windows and freezes", tuple(_windows(plan, view, at, zone))),
            Section("clock", "The way back", tuple(_clock(view, at, zone))),
            Section("people", "Who may say what", tuple(_people(plan, view))),
        ]
    return tuple(section for section in found if section.lines)


def _where(view: Json, at: datetime, zone: str) -> Section:
    stage, count = view["stages"][view["stage"]], len(view["stages"])
    name = f"{view['name']} {view['version']}"
    phase = view["phase"].replace("_", " ")
    place = f"'{stage['title']}' (stage {view['stage'] + 1} of {count})"
    lines = {
        "waiting": f"{name} waits to begin; nobody has the new version.",
        "running": f"{name} runs, in {place}.",
        "paused": f"{name} is held, in {place}.",
        "rolling_back": f"{name} is being taken back.",
        "rolled_back": f"{name} was taken back; everyone has the old version.",
        "done": f"{name} is done: everyone has the new version.",
    }
    rows = [("now", words.sentence(view["standing"]))] if view["standing"] and not view["is_final"] else []
    if view["entered_at"] and view["phase"] in ("running", "paused"):
        rows.append(("in this stage", telling.since(view["entered_at"], at, zone)))
    rows.append(("served", served(view)))
    rows += [("the target says", note) for key, note in view["notes"].items() if key == "#target"]
    if view["target_problem"]:
        rows.append(("the target's trouble", view["target_problem"]))
    data = {"phase": view["phase"], "stage": view["stage_id"], "standing": view["standing"]}
    data |= {"served_share": view["served_share"], "desired_share": view["desired_share"]}
    line = Line(lines.get(view["phase"], f"{name}: {phase}."), tuple(rows), data=data)
    return Section("where", "Where it stands", (line, *_late(view, at)))


def _late(view: Json, at: datetime) -> Iterator[Line]:
    """Nothing happens while nobody looks; that is said before all reasons why."""
    if text := late_words(view, at):
        yield Line(text, commands=("rollway serve",), data={"moved_at": view["moved_at"]})
    for said in view["unheard"]:
        yield Line(f"{words.sentence(unheard_words(said, at))}", data={"unheard": said})


def served(view: Json) -> str:
    """What is served and what was planned: `10% of users, as planned`."""
    planned = words.percent(view["desired_share"])
    share = view["served_share"]
    if share is None:
        return f"not read back yet; {planned} planned"
    agrees = abs(share - view["desired_share"]) < 1e-5
    told = f"{words.percent(share)} of users, {'as planned' if agrees else f'where {planned} is planned'}"
    if view["served_mirrored"]:
        told += f"; copies of {words.percent(view['served_mirrored'])} of the requests"
    group, asked = view["served_control"], view["desired_control"]
    if group or asked:
        differs = f" where one of {words.percent(asked)} is planned" if abs(group - asked) >= 1e-5 else ""
        told += f"; a control group of {words.percent(group)}{differs}"
    groups = view["served_groups"]
    return f"{told}; groups: {', '.join(groups)}" if groups else told


# --- what it waits for ------------------------------------------------------------------------------


def _waits(view: Json, at: datetime, zone: str) -> Iterator[Line]:
    for need in view["needs"]:
        yield need_line(need, at, zone)
    if not view["needs"]:
        yield Line(nothing_words(view), commands=() if view["seq"] else ("rollway serve",))


def need_line(need: Json, at: datetime, zone: str) -> Line:
    """One thing that is waited for: what, who, since, until, what it takes, what to type."""
    rows = [("from", " or ".join(need["who"]))] if need["who"] else []
    rows += [("waits", telling.since(need["since"], at, zone))] if need["since"] else []
    rows += [("until", telling.until(need["until"], at, zone))] if need["until"] else []
    takes = need["takes"]
    rows += [("takes", takes)] if takes and not need["is_typed"] else []
    told = f"{KINDS[need['kind']].capitalize()}: {stopped(need['what'])}"
    return Line(told, tuple(rows), tuple(need["commands"]), need)


# --- the judge --------------------------------------------------------------------------------------


def _verdict(plan: Plan, view: Json, at: datetime) -> Iterator[Line]:
    if view["verdict"] is None:
        return
    ago = (at - datetime.fromisoformat(view["verdict_at"])).total_seconds()
    first, *guards = verdict_lines(plan, view["verdict"])
    yield replace(first, rows=(("said", f"{words.duration(max(0.0, ago))} ago"), *first.rows))
    yield from guards


def verdict_lines(plan: Plan, verdict: Json | None) -> Iterator[Line]:
    """The verdict with its rule, and each guard with its numbers; nothing where nothing was judged."""
    if verdict is None:
        return
    rows = [("rule", verdict["rule"])] if verdict["rule"] else []
    if verdict["kind"] == "undecided":
        wait = verdict["wait_seconds"]
        told = (
            "cannot be said" if wait is None else f"about {words.duration(wait)}, if both versions are alike"
        )
        rows.append(("until a decision", told))
    rows += [("missing", line) for line in verdict["missing"]]
    keys = ("kind", "reason", "rule", "missing", "wait_seconds", "harm_threshold", "safe_threshold", "stage")
    data = {key: verdict[key] for key in keys}
    yield Line(f"{verdict['kind'].capitalize()}: {stopped(verdict['reason'])}", tuple(rows), data=data)
    for said in verdict["guards"]:
        yield guard_line(telling.guard_of(plan, said["kpi"]), said, verdict)


def guard_line(guard: Guard | None, said: Json, verdict: Json) -> Line:
    """One KPI: its figures, what must be shown, how far it is, and what speaks of harm."""
    rows = [("figures", telling.figures(said))]
    shown = telling.to_be_shown(guard, said)
    if shown and said["say"] == "gate":
        rows.append(("to be shown", shown))
        rows.append(("evidence of safety", telling.safety(said, verdict["safe_threshold"])))
        rows += [("still needed", needed)] if (needed := telling.still_needed(said)) else []
    if said["say"] != "watch":
        rows.append(("evidence of harm", f"e = {words.e_value(said['harm_log_e'])} by itself"))
    if said["is_weak"]:
        rows.append(("weak", "nothing ran beside the new version; it is compared with the past"))
    if said["blind_reason"]:
        rows.append(("blind", BLIND[said["blind_reason"]]))
    if said["state"] == "uncounted" and guard is not None:
        rows.append(("counts in", f"{listing(guard.stages)} only; here it is not asked"))
    title = f" ({guard.title})" if guard is not None and guard.title and guard.title != said["kpi"] else ""
    standing = telling.STANDINGS.get(said["state"], said["state"])
    return Line(f"{said['kpi']}{title}, a {said['say']}: {standing}.", tuple(rows), data=dict(said))


def _blind(plan: Plan, view: Json) -> Iterator[Line]:
    verdict = view["verdict"]
    is_blind = verdict is not None and verdict["kind"] == "blind"
    for said in verdict["guards"] if verdict else ():
        reason = said["blind_reason"]
        if not reason:
            continue
        guard = telling.guard_of(plan, said["kpi"])
        rows = [("source", guard.signal.type)] if guard is not None else []
        rows += [("it says", view["notes"][said["kpi"]])] if said["kpi"] in view["notes"] else []
        rows.append(("look at", LOOK_AT[reason]))
        if is_blind and said["say"] == "gate" and guard is not None:
            action = guard.on_blind or plan.policy.on_blind
            patience = f"{words.duration(plan.policy.blind_seconds)} of it"
            users = "" if view["served_share"] else ", counted from the first user who is served"
            rows.append(("then", f"{_ACTIONS[action]} after {patience}{users}"))
        data = {"kpi": said["kpi"], "reason": reason, "say": said["say"]}
        yield Line(f"{said['kpi']}: {BLIND[reason]}.", tuple(rows), data=data)


_ACTIONS = {
    "rollback": "it goes back",
    "hold": "it holds",
    "ask": "a person is asked",
    "tell": "people are told",
}


# --- what would make it go back ---------------------------------------------------------------------


def _back(plan: Plan, view: Json) -> Iterator[Line]:
    if view["phase"] == "rolling_back":
        return
    if view["clock"]["no_return"]["is_passed"]:
        yield Line("Nothing any more: the way back is closed. It would hold, and people roll forward.")
        return
    verdict = view["verdict"]
    if verdict is not None and verdict["harm_threshold"] > 0:
        told = words.e_value(verdict["harm_log_e"])
        enough = words.count(verdict["harm_threshold"])
        text = f"Evidence of harm, all guards together: e = {told} now, {enough} takes it back by itself."
        keys = ("harm_log_e", "harm_threshold")
        yield Line(text, data={key: verdict[key] for key in keys})
        yield from _limits(plan, verdict)
    stage = view["stages"][view["stage"]]
    blind, policy = words.duration(plan.policy.blind_seconds), plan.policy
    if any(guard.say == "gate" for guard in plan.guards):
        yield Line(
            f"Gates that are blind for {blind}: {_ACTIONS[policy.on_blind]}, unless the guard says otherwise."
        )
    if view["phase"] == "running":
        patience = words.duration(stage["patience_seconds"])
        yield Line(f"No answer within {patience} of this stage: {_ACTIONS[policy.on_patience]}.")
    yield Line(
        "The word of anybody, at any hour.",
        commands=(f"rollway rollback {view['id']} --because TEXT",),
    )


def _limits(plan: Plan, verdict: Json) -> Iterator[Line]:
    said = {one["kpi"]: one for one in verdict["guards"]}
    for guard in plan.guards:
        is_asked = guard.kpi in said and said[guard.kpi]["state"] != "uncounted"
        if guard.limit is None or guard.say == "watch" or not is_asked:
            continue
        slow = f" slower than {guard.limit_seconds:g} s" if guard.limit_seconds else ""
        now = said[guard.kpi]["candidate_rate"] if not guard.limit_seconds else None
        here = f", {words.rate(now)} now" if now is not None else ""
        share = f"{words.percent(guard.limit)}{slow} of the new version's requests"
        text = f"{guard.kpi}: clearly above {share}{here}."
        yield Line(text, data={"kpi": guard.kpi, "limit": guard.limit, "limit_seconds": guard.limit_seconds})


# --- windows, the way back, people ------------------------------------------------------------------


def _windows(plan: Plan, view: Json, at: datetime, zone: str) -> Iterator[Line]:
    window = view["clock"]["window"]
    if window is None or (window["is_open"] and not window["closes_at"] and not _freezes(plan, at)):
        return
    rows = [("closes", telling.until(window["closes_at"], at, zone))] if window["closes_at"] else []
    rows += [("opens", telling.until(window["next_open"], at, zone))] if window["next_open"] else []
    first = view["stage"] + 1 if view["started_at"] else 0
    ahead = [stage.title for stage in plan.stages[first:] if stage.in_window]
    if ahead and (not window["is_open"] or window["closes_at"]):
        rows.append(("needed for", "; ".join(ahead)))
    if view["override"]:
        told = f"by {view['override']['actor']}: {view['override']['reason']}"
        rows.append(("overridden", told))
    state = "Open" if window["is_open"] else "Closed"
    yield Line(f"{state}: {stopped(window['reason'])}", tuple(rows), data=window)
    for freeze in _freezes(plan, at):
        yield Line(f"Freeze: {describe_freeze(freeze)}.", data=freeze.model_dump(mode="json"))


def _freezes(plan: Plan, at: datetime) -> list[Freeze]:
    soon = (at + SOON).date()
    return [freeze for freeze in plan.freezes if freeze.last >= at.date() and freeze.first <= soon]


def _clock(view: Json, at: datetime, zone: str) -> Iterator[Line]:
    clock = view["clock"]
    turn = clock["no_return"]
    if turn["is_passed"]:
        yield Line(past_return_words(turn), commands=(f"rollway pause {view['id']}",), data=turn)
        return
    if turn["at"]:
        yield Line(f"The way back is open until '{turn['title']}' begins.", data=turn)
    else:
        yield Line("It can be taken back at any time: nothing in this plan closes the way.", data=turn)
    if clock["is_too_late_from_the_start"]:
        yield Line(
            "Even from its beginning, the night has no room to be sure of coming back inside its window."
        )
    elif clock["last_call"]:
        yield Line(f"Last call to go back: {telling.until(clock['last_call'], at, zone)}.")
    if clock["night_closes_at"]:
        yield Line(f"The night's window closes: {telling.until(clock['night_closes_at'], at, zone)}.")


def _people(plan: Plan, view: Json) -> Iterator[Line]:
    operators = ", ".join(plan.operators) or "anybody (the plan names no operators)"
    closed = view["clock"]["no_return"]["is_passed"]
    told = ", ".join(
        f"{kind.replace('_', '-')}{' (with a reason)' if kind in NEEDS_REASON else ''}"
        for kind in ("resume", "promote", "override_window", "roll_forward")
        if kind in NEEDS_OPERATOR and (closed or kind != "roll_forward")
    )
    yield Line(f"Push it on: {operators}.", (("that is", told),), data={"operators": list(plan.operators)})
    yield Line(f"Hold it{'' if closed else ', or take it back'}: anybody.")
    for need in view["needs"]:
        if need["may_say"]:
            yield Line(
                f"'{need['subject']}': {', '.join(need['may_say'])}.", data={"subject": need["subject"]}
            )
