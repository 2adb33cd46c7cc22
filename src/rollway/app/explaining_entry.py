"""One entry of the record: its numbers, its rule, and what would have decided otherwise. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rollway.app import telling, words
from rollway.app.explaining import guard_line
from rollway.app.explaining_end import otherwise, rule_of, verdict_before, verdict_in
from rollway.app.telling import Line, Section
from rollway.errors import NotFoundError
from rollway.planning import Plan
from rollway.planning.words import sentence as stopped

Json = dict[str, Any]


def explain_entry(plan: Plan, view: Json, number: int) -> tuple[Section, ...]:
    """The sections that explain one entry. Raises NotFoundError where the record has no such entry."""
    zone = view["clock"]["timezone"]
    entry = next((one for one in view["record"] if one["n"] == number), None)
    if entry is None:
        raise NotFoundError(
            f"the record of {view['id']} has no entry {number}",
            hint=f"it has entries 1 to {view['record_length']}: rollway record show {view['id']}",
        )
    verdict = verdict_before(view["record"], number)
    own = verdict_in(entry)
    rule = rule_of(entry)
    found = (
        Section("entry", "What happened", (_what(entry, zone),)),
        Section("rule", "By which rule", (Line(rule),) if rule else ()),
        Section("numbers", "With which numbers", tuple(_numbers(plan, entry, own))),
        Section("before", "What the judge had said before", tuple(_before(plan, own, verdict, entry))),
        Section("otherwise", "What would have decided otherwise", tuple(otherwise(plan, entry, verdict))),
    )
    return tuple(section for section in found if section.lines)


def _what(entry: Json, zone: str) -> Line:
    when = telling.moment(datetime.fromisoformat(entry["at"]), zone)
    rows = [("when", when), ("by", entry["actor"]), ("kind", entry["kind"].replace("_", " "))]
    if entry["data"].get("reason"):
        rows.append(("reason", str(entry["data"]["reason"])))
    keys = ("n", "at", "kind", "actor", "hash")
    text = f"Entry {entry['n']}: {stopped(entry['text'])}"
    return Line(text, tuple(rows), data={key: entry[key] for key in keys})


def _numbers(plan: Plan, entry: Json, verdict: Json | None) -> Iterator[Line]:
    plain = {
        key: value
        for key, value in entry["data"].items()
        if key not in ("reason", "verdict") and value not in ("", None, [], {})
    }
    if isinstance(plain.get("stage"), int):
        plain["stage"] = plan.stages[plain["stage"]].title
    if plain and entry["kind"] != "verdict":
        rows = tuple(
            (key.removesuffix("_seconds").replace("_", " "), _plain(key, plain[key])) for key in plain
        )
        yield Line("As they were kept:", rows, data={"values": plain})
    if verdict is None:
        return
    harm, enough = words.e_value(verdict["harm_log_e"]), words.count(verdict["harm_threshold"])
    yield Line(f"Evidence of harm, all guards together: e = {harm}; {enough} takes it back.")
    for said in verdict["guards"]:
        yield guard_line(telling.guard_of(plan, said["kpi"]), said, verdict)


def _before(plan: Plan, own: Json | None, verdict: Json | None, entry: Json) -> Iterator[Line]:
    if (
        own is None
        and verdict is not None
        and entry["kind"] in ("rollback", "held", "asked", "promote", "told")
    ):
        text = f"{verdict['kind'].capitalize()}: {stopped(verdict['reason'])}"
        yield Line(text, (("rule", verdict["rule"]),), data={"kind": verdict["kind"]})
        for said in verdict["guards"]:
            if said["kpi"] in verdict["drivers"]:
                yield guard_line(telling.guard_of(plan, said["kpi"]), said, verdict)


def _plain(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if key.endswith("seconds") and isinstance(value, int | float):
        return words.duration(value)
    if key.endswith(("share", "planned", "served", "mirrored")) and isinstance(value, int | float):
        return words.percent(value)
    if key.endswith("log_e") and isinstance(value, int | float):
        return f"e = {words.e_value(value)}"
    if isinstance(value, list):
        return "; ".join(str(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
