"""A plan as the commented YAML that people edit, and what they wrote read again, with places in that text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rollway.facts.places import Node, parse_document
from rollway.facts.problems import ReleaseFileError, SourceText
from rollway.facts.yaml_text import written
from rollway.planning.edit import REFUSED, Where
from rollway.planning.model import Plan

_HEAD = """\
# {name} {version}, plan {hash}
#
# Change what you want to overrule, write the reason behind `because:`, save and close.
# What you do not change stays. The result is a new plan with a new hash; it needs an approval of
# its own. Without a change nothing happens. Times are in seconds. With a stage goes what belongs to it.
# Not shown here, because it cannot be overruled: {refused}.

because:
"""

_ABOUT: Mapping[str, str] = {
    "objective": "what it is for",
    "stages": "who sees what, how much of it, for how long; advance: ready, evidence, time or person",
    "guards": "the KPIs; say: gate (must be shown safe), brake (may roll back only) or watch",
    "windows": "when a change may happen, on the clocks of the place",
    "freezes": "days on which nothing changes",
    "target": "what is told to expose",
    "runbook": "who does what; `at` counts in seconds from the entering of the stage",
    "night": "the stage whose entering is T, and the change window from there on",
    "people": "who is named in the runbook",
    "gates": "what must be true before a stage opens; minimum is a share",
    "training": "who is to be trained before which stage",
    "communication": "who is told what and when",
    "rollback": "the way back; data: keep, replay or discard",
    "risks": "risks and their responses",
    "operators": "who may start, resume and promote it",
    "policy": "the numbers that the engine and the judge work with",
    "notes": "what a reader should know",
}


def editable(plan: Plan) -> dict[str, Any]:
    """The plain values that people may overrule, in the order in which they are shown."""
    body = plan.to_json()
    rollback = {key: value for key, value in body["rollback"].items() if f"rollback.{key}" not in REFUSED}
    shown = {key: value for key, value in body.items() if key not in REFUSED and key not in ("rollback",)}
    ordered: dict[str, Any] = {}
    for key in Plan.model_fields:
        if key == "rollback":
            ordered[key] = rollback
        elif key == "stages":
            ordered[key] = [_without_computed(stage) for stage in body["stages"]]
        elif key in shown:
            ordered[key] = shown[key]
    return ordered


def _without_computed(stage: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in stage.items() if key != "expected_seconds"}


def write_text(plan: Plan) -> str:
    """The commented YAML of a plan; equal plans give equal texts."""
    refused = ", ".join(name for name in REFUSED if "." not in name)
    head = _HEAD.format(name=plan.name, version=plan.version, hash=plan.hash[:12], refused=refused)
    lines: list[str] = []
    for key, value in editable(plan).items():
        lines.append("")
        if key in _ABOUT:
            lines.append(f"# {_ABOUT[key]}")
        lines += _block(key, value, "")
    return _folded(head) + "\n".join(lines) + "\n"


def _folded(head: str) -> str:
    """The remarks above, in lines that fit a terminal."""
    import textwrap

    lines: list[str] = []
    for line in head.split("\n"):
        lines += textwrap.wrap(line, 100, subsequent_indent="# ") if line.startswith("# ") else [line]
    return "\n".join(lines)


def _block(key: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        yield f"{indent}{key}:"
        for name, inner in value.items():
            yield from _block(_key(name), inner, f"{indent}  ")
    elif isinstance(value, list) and any(isinstance(one, dict | str) for one in value) and value:
        yield f"{indent}{key}:"
        for one in value:
            yield from _item(one, f"{indent}  ")
    else:
        yield f"{indent}{key}: {written(value)}"


def _item(value: Any, indent: str) -> Iterator[str]:
    if not isinstance(value, dict) or not value:
        yield f"{indent}- {written(value)}"
        return
    first = True
    for name, inner in value.items():
        lines = list(_block(_key(name), inner, f"{indent}  "))
        if first:
            lines[0] = f"{indent}- {lines[0].lstrip()}"
        yield from lines
        first = False


def _key(name: str) -> str:
    return written(name)


class Draft:
    """What people wrote: the reason, the whole plan as plain values, and the place of each of them."""

    def __init__(self, plan: Plan, text: str, name: str) -> None:
        """Raises ReleaseFileError with the place where the text is no YAML."""
        self._source = SourceText(name, text)
        self._root: Node = parse_document(self._source)
        given = self._root.plain()
        because = given.pop("because", "")
        self.because = " ".join(str(because or "").split())
        self.body = _whole(plan, given)

    def problems(self, found: Mapping[Where, str]) -> ReleaseFileError:
        """The findings with their places in the text."""
        return ReleaseFileError(
            self._source.name,
            [
                self._source.problem(self._root.nearest(where).place, message, where=where)
                for where, message in found.items()
            ],
        )


def _whole(plan: Plan, given: dict[str, Any]) -> dict[str, Any]:
    """The plan's values as they were, with what people wrote in place of what they were shown.

    Whoever writes a key that was not shown means it, and is told why it cannot be overruled.
    """
    body = plan.to_json()
    hidden = {key: value for key, value in body.items() if key not in editable(plan)}
    rollback = given.get("rollback")
    if isinstance(rollback, dict):
        kept = {key: value for key, value in body["rollback"].items() if f"rollback.{key}" in REFUSED}
        given = {**given, "rollback": {**kept, **rollback}}
    return {**hidden, **given, **_timed(body, given)}


def _timed(body: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The stages with the computed time that was not shown."""
    stages = given.get("stages")
    if not isinstance(stages, list):
        return {}
    known = {stage["id"]: stage.get("expected_seconds") for stage in body["stages"]}
    timed = [
        {"expected_seconds": known[stage["id"]], **stage}
        if isinstance(stage, dict) and known.get(str(stage.get("id"))) is not None
        else stage
        for stage in stages
    ]
    return {"stages": timed}
