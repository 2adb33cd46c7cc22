"""How a rollout ended: by which decision and rule, and what it would have taken to end otherwise. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rollway.app import telling, words
from rollway.app.telling import Line
from rollway.planning import Plan
from rollway.planning.words import sentence as stopped

Json = dict[str, Any]

OVER_RULES = frozenset({"promote", "override_window", "waive", "skip", "roll_forward"})
"""Entries with which somebody overrode a rule by name."""


def ended(plan: Plan, view: Json, zone: str) -> Iterator[Line]:
    """Why it ended as it did, with the rule, and what it would have taken to end otherwise."""
    record = sorted(view["record"], key=lambda entry: int(entry["n"]))
    yield _length(view, zone)
    if view["phase"] == "done":
        yield from _done(record)
        return
    cause = next((one for one in reversed(record) if one["kind"] == "rollback"), None)
    if cause is None:
        return
    yield Line(
        f"It was decided in entry {cause['n']} of the record.",
        (("when", telling.moment(datetime.fromisoformat(cause["at"]), zone)), ("by", cause["actor"])),
        (f"rollway explain {view['id']} {cause['n']}",),
        {"entry": cause["n"], "actor": cause["actor"], "at": cause["at"]},
    )
    verdict = verdict_before(record, cause["n"])
    if verdict is not None:
        why = "" if verdict["reason"] in cause["text"] else f": {verdict['reason']}"
        yield Line(
            stopped(f"The judge's last word before it: {verdict['kind']}{why}"),
            (("rule", verdict["rule"]),),
            data={"verdict": verdict["kind"], "rule": verdict["rule"]},
        )
    yield from otherwise(plan, cause, verdict)


def _length(view: Json, zone: str) -> Line:
    end = datetime.fromisoformat(view["ended_at"])
    rows = [("ended", telling.moment(end, zone))]
    if view["started_at"]:
        begun = datetime.fromisoformat(view["started_at"])
        rows.append(("it took", words.duration((end - begun).total_seconds())))
    text = words.sentence(view["standing"]) or "The new version reached everyone."
    return Line(text, tuple(rows), data={"phase": view["phase"], "ended_at": view["ended_at"]})


def _done(record: list[Json]) -> Iterator[Line]:
    named = [entry for entry in record if entry["kind"] in OVER_RULES]
    for entry in named:
        yield Line(f"Over a rule, entry {entry['n']}: {stopped(entry['text'])}", data={"entry": entry["n"]})
    if not named:
        yield Line("Every stage was left by its own rule; nobody overrode one.")


def verdict_before(record: list[Json], n: int) -> Json | None:
    """The verdict that was heard last, up to an entry: of its own, or of an entry before it."""
    for entry in sorted(record, key=lambda one: -int(one["n"])):
        if entry["n"] > n:
            continue
        body = verdict_in(entry)
        if body is not None:
            return body
    return None


def verdict_in(entry: Mapping[str, Any]) -> Json | None:
    """The verdict that an entry carries; None where it has none."""
    data = entry["data"]
    body = data if entry["kind"] == "verdict" else data.get("verdict")
    return dict(body) if isinstance(body, dict) and "guards" in body else None


def otherwise(plan: Plan, entry: Mapping[str, Any], verdict: Json | None) -> Iterator[Line]:
    """What it would have taken for another decision than this one."""
    if entry["kind"] == "rollback":
        yield from _instead_of_going_back(plan, entry, verdict)
    elif entry["kind"] == "verdict" and verdict is not None:
        yield from (Line(words.sentence(line)) for line in verdict["missing"])
        if verdict["kind"] == "healthy":
            yield from _still_open_to_harm(verdict)
    elif entry["kind"] == "stage_passed":
        yield Line(
            "A verdict that is not healthy, or a bake time that is not over, would have kept it there."
        )
    elif entry["kind"] in ("asked", "held", "told"):
        for line in (verdict or {}).get("missing", ()):
            yield Line(f"An answer would have taken: {stopped(line)}")


def _instead_of_going_back(plan: Plan, entry: Mapping[str, Any], verdict: Json | None) -> Iterator[Line]:
    if entry["actor"] != "rollway":
        yield Line(
            f"It was the word of {entry['actor']}: without it the rollout would have gone on by its rules."
        )
        return
    if verdict is None or entry["data"].get("heard") != "harmful":
        blind = words.duration(plan.policy.blind_seconds)
        yield Line(
            f"It was the plan's policy, not evidence of harm: usable numbers within {blind}, or an answer "
            "within the stage's patience, would have kept it."
        )
        return
    if verdict["is_stop"]:
        yield Line(
            "It was a hard stop: a plain rule that needs no test. Only better numbers would have kept it.",
            (("found", stopped(verdict["reason"])),),
        )
        return
    told, enough = words.e_value(verdict["harm_log_e"]), words.count(verdict["harm_threshold"])
    yield Line(
        f"Evidence of harm had to stay below {enough}, and was {told}: chance alone gets there in at most 1 "
        f"of {enough} releases within tolerance.",
        data={"harm_log_e": verdict["harm_log_e"], "harm_threshold": verdict["harm_threshold"]},
    )
    for said in verdict["guards"]:
        if said["kpi"] in verdict["drivers"]:
            yield _broken_limit(plan, said, verdict) or _not_tolerated(said)


def _broken_limit(plan: Plan, said: Json, verdict: Json) -> Line | None:
    """The limit that was broken, with its own figures; None where it was not a limit that told against it.

    The verdict's reason is about its first driver, and ends with the evidence.
    """
    guard = telling.guard_of(plan, said["kpi"])
    found = verdict["reason"].partition("; evidence e = ")[0]
    is_told = said["kpi"] == verdict["drivers"][0] and " the limit of " in found
    if guard is None or guard.limit is None or not is_told:
        return None
    found = found.partition("; also ")[0].removeprefix(f"{said['kpi']}: ")
    text = f"{said['kpi']}: its limit was broken, which holds whatever the old version's figure is: {found}."
    return Line(text, data={**said, "limit": guard.limit, "limit_seconds": guard.limit_seconds})


def _not_tolerated(said: Json) -> Line:
    kept = f"up to {words.times(said['tolerance'])} of the old version's figure is tolerated"
    return Line(f"{said['kpi']}: {kept}; measured: {telling.figures(said)}.", data=dict(said))


def _still_open_to_harm(verdict: Json) -> Iterator[Line]:
    told, enough = words.e_value(verdict["harm_log_e"]), words.count(verdict["harm_threshold"])
    yield Line(f"Evidence of harm of {enough} would have made it harmful; it was {told}.")


# --- one entry --------------------------------------------------------------------------------------

RULES = {
    "started": "Only an approved plan is started, and only by an operator.",
    "stage_entered": "A stage is entered once the one before is left, its gates are met, its tasks are "
    "done, and a change window is open where it needs one.",
    "exposure_verified": "A stage counts from the moment at which the target was read back as serving it.",
    "stage_passed": "A stage is left when its bake time is over and its own rule is met.",
    "rollback": "A harmful verdict, the plan's policy or anybody's word takes it back, windows or not.",
    "rolled_back": "It is over once the target was read back as serving the old version to everyone.",
    "held": "It holds where the plan says so, and past the point of no return: then people decide.",
    "asked": "No data is no evidence: after the stage's patience a person is asked.",
    "drift": "Somebody else may always lower the exposure; nobody but the plan may raise it.",
    "clock_jumped": "Durations are elapsed time, whatever the clock does; windows go by the clock.",
    "not_watched": "A stage bakes while it is watched; time in which nobody looked does not count.",
    "told_unwritten": "The way back needs no pen: it is told first where nothing can be written.",
    "preflight_skipped": "Who starts without having looked does so in their own name.",
    "mismatch": "Users not split as planned make evidence worthless: it pauses, and a person decides.",
    "gates_open": "What must be true before a stage is asked for as soon as it is the next one.",
    "no_return": "From here on a fault is mended forward.",
    "target_failed": "A target that does not answer is seen as that; it is asked again until it does.",
    "version_dead": "A new version that is not ready is not done, whatever else is over.",
    "refused": "What was said is refused by a rule, and kept all the same.",
}
_OPERATORS_WORD = (
    "Operators push on, anybody may hold or take back; what is said is kept with name and reason."
)


def rule_of(entry: Mapping[str, Any]) -> str:
    """The rule behind an entry, in one sentence; empty where it only tells what happened."""
    verdict = verdict_in(entry)
    if entry["kind"] == "verdict" and verdict is not None:
        return str(verdict["rule"])
    if entry["kind"] in RULES:
        return RULES[entry["kind"]]
    return "" if entry["actor"] == "rollway" else _OPERATORS_WORD
