"""SARIF 2.1, as CodeQL, Semgrep, Trivy and other scanners write it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rollway.facts.importers.given import clean
from rollway.facts.importers.json_text import as_list, as_map, load_json, looks_like_json
from rollway.facts.importers.model import (
    SHOWN_PLACES,
    Found,
    Given,
    Imported,
    Importer,
    Options,
    Row,
    Skips,
    UnreadableError,
    counted,
)

SEVERE = 7.0  # from here on CVSS speaks of high, from 9 on of critical
CRITICAL = 9.0


@dataclass(frozen=True, slots=True)
class _Finding:
    tool: str
    rule: str
    title: str
    score: float | None  # 0..10, what the scanner calls security-severity
    level: str  # error, warning, note, none
    place: str

    @property
    def is_severe(self) -> bool:
        return self.level == "error" if self.score is None else self.score >= SEVERE


def read(given: Given, options: Options) -> Imported:
    """Counts open findings; severe ones go to the issue log, one row per rule.

    Severe: a security severity of 7 or more, or level error where a rule has no such figure.
    """
    runs = as_list(as_map(load_json(given)).get("runs"))
    if not runs:
        raise UnreadableError(f"{given.name}: this SARIF file holds no run")
    skips, findings, tools = Skips(), list[_Finding](), list[str]()
    for run in map(as_map, runs):
        tools.append(_tool(run))
        findings += _findings(run, skips)
    severe = [finding for finding in findings if finding.is_severe]
    told = (
        f"{', '.join(dict.fromkeys(tools))}: {counted(len(findings), 'open finding')}, {len(severe)} severe"
    )
    fact = Found("done.tests.open_severe_issues", len(severe), told, joins="sum")
    return Imported(told, (fact,), {"risks.items": _rows(severe)}, skips.result(), _notes(findings))


def _findings(run: Mapping[str, Any], skips: Skips) -> list[_Finding]:
    tool, rules = _tool(run), _rules(run)
    found = []
    for result in map(as_map, as_list(run.get("results"))):
        rule = _rule(result, rules)
        finding = _finding(tool, result, rule)
        if reason := _closed(result):
            skips.add(reason, finding.place)
        else:
            found.append(finding)
    return found


def _closed(result: Mapping[str, Any]) -> str:
    """Why a result is no open finding; "" where it is one."""
    if result.get("kind", "fail") not in ("fail", "open", "review"):
        return "the scanner found nothing wrong there"
    if result.get("baselineState") == "absent":
        return "gone since the baseline"
    suppressions = [as_map(one).get("status", "accepted") for one in as_list(result.get("suppressions"))]
    return "suppressed" if suppressions and all(status == "accepted" for status in suppressions) else ""


def _finding(tool: str, result: Mapping[str, Any], rule: Mapping[str, Any]) -> _Finding:
    id_ = clean(
        result.get("ruleId") or as_map(result.get("rule")).get("id") or rule.get("id") or "finding", 120
    )
    told = (
        as_map(rule.get("shortDescription")).get("text") or as_map(result.get("message")).get("text") or id_
    )
    if id_ in str(told):  # a scanner that has no words of its own for the rule
        told = as_map(result.get("message")).get("text") or told
    default = as_map(rule.get("defaultConfiguration")).get("level")
    return _Finding(
        tool=tool,
        rule=id_,
        title=clean(told, 160),
        score=_score(as_map(rule.get("properties")).get("security-severity")),
        level=str(result.get("level") or default or "warning"),
        place=_place(result),
    )


def _rules(run: Mapping[str, Any]) -> dict[str | int, Mapping[str, Any]]:
    """The rules of the driver by id and by index, and those of its extensions by id."""
    tool = as_map(run.get("tool"))
    rules: dict[str | int, Mapping[str, Any]] = {}
    for component in [*map(as_map, as_list(tool.get("extensions"))), as_map(tool.get("driver"))]:
        for rule in map(as_map, as_list(component.get("rules"))):
            rules[str(rule.get("id"))] = rule
    for index, rule in enumerate(map(as_map, as_list(as_map(tool.get("driver")).get("rules")))):
        rules[index] = rule
    return rules


def _rule(result: Mapping[str, Any], rules: Mapping[str | int, Mapping[str, Any]]) -> Mapping[str, Any]:
    reference = as_map(result.get("rule"))
    by_id = rules.get(str(result.get("ruleId") or reference.get("id")))
    in_driver = "toolComponent" not in reference
    index = result.get("ruleIndex", reference.get("index", -1)) if in_driver else -1
    by_index = rules.get(index) if isinstance(index, int) else None
    return by_id or by_index or {}


def _score(text: Any) -> float | None:
    try:
        score = float(text)
    except (TypeError, ValueError):
        return None
    return score if 0 <= score <= 10 else None


def _place(result: Mapping[str, Any]) -> str:
    location = as_map(next(iter(as_list(result.get("locations"))), None))
    physical = as_map(location.get("physicalLocation"))
    file = clean(as_map(physical.get("artifactLocation")).get("uri"), 100)
    line = as_map(physical.get("region")).get("startLine")
    return f"{file}:{line}" if file and isinstance(line, int) else file


def _rows(severe: list[_Finding]) -> tuple[Row, ...]:
    by_rule: dict[tuple[str, str], list[_Finding]] = defaultdict(list)
    for finding in severe:
        by_rule[finding.tool, finding.rule].append(finding)
    return tuple(_row(findings) for findings in by_rule.values())


def _row(findings: list[_Finding]) -> Row:
    first = findings[0]
    places = [finding.place for finding in findings if finding.place]
    where = f", {', '.join(places[:3])}{', …' if len(places) > 3 else ''}" if places else ""
    impact = "critical" if max(finding.score or 0 for finding in findings) >= CRITICAL else "high"
    return {
        "id": f"{first.tool}:{first.rule}",
        "title": f"{first.title} ({counted(len(findings), 'finding')}{where})",
        "impact": impact,
    }


def _notes(findings: list[_Finding]) -> tuple[str, ...]:
    by_rule = Counter(finding.rule for finding in findings if not finding.is_severe)
    if not by_rule:
        return ()
    told = ", ".join(f"{rule} {number}" for rule, number in by_rule.most_common(SHOWN_PLACES))
    more = ", …" if len(by_rule) > SHOWN_PLACES else ""
    return (f"not severe, so not in the issue log: {told}{more}",)


def _tool(run: Mapping[str, Any]) -> str:
    driver = as_map(as_map(run.get("tool")).get("driver"))
    return clean(driver.get("name") or "scanner", 40)


def _recognises(given: Given) -> bool:
    return looks_like_json(given, "{") and b'"runs"' in given.data


IMPORTER = Importer("sarif", "SARIF", _recognises, read)
