"""The first release file: every section with its questions, all of them still unknown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from pydantic import BaseModel, ValidationError

from rollway.errors import InputError
from rollway.facts.explain import explanation
from rollway.facts.model import Identity, Release
from rollway.facts.schema import SCHEMA_FILE
from rollway.facts.shape import bare, fact_value, section_of, words_of
from rollway.facts.words import complaint

_HEAD = """\
# yaml-language-server: $schema={schema}
#
# What is known about this release. Fill in what you know; leave the rest unknown.
# `rollway check` tells what is wrong, `rollway assess` what is missing and which question to settle next.
#
# A fact is written in one of three ways:
#
#   feature_flags: true                                     known, because it stands here
#   feature_flags: {{value: true, source: "Jo, platform"}}    known, and who says so
#   feature_flags: {{assume: true, because: "as in 2.3"}}     assumed, and why; it is shown as such
#
# Until then it is unknown. Unknown never counts as no: it holds back what depends on it.
# A question that names no answers takes true or false. Durations are 90s, 15m, 2h, 3d or 1h30m.
#
# What several releases share can stand in a file of its own: the line `extends: org.yaml` brings it in.
"""

# What stands below a list's key, as comments to be uncommented.
_EXAMPLES: dict[str, str] = {
    "Goals.success": """\
- the monthly report is ready in under a minute""",
    "Backlog.items": """\
- id: REP-12
  title: Export a report as a spreadsheet
  accepted: true
  touches: [ui, performance]          # of ui, workflow, performance, data, api, config
  note_for_users: A report can be saved as a spreadsheet.""",
    "Done.criteria": """\
- text: Every story is accepted
  met: true
  evidence: the sprint review of 3 November""",
    "Risks.items": """\
- id: R1
  title: Reports become slow at the end of the month
  probability: medium                 # low, medium, high
  impact: high                        # low, medium, high, critical
  owner: Jo
  response: switch the module off
  trigger: latency above two seconds""",
    "Architecture.environments": """\
- test
- production""",
    "Architecture.incidents_showed_after": """\
- 20m
- 4h
- 1d""",
    "Architecture.third_parties": """\
- name: the payment provider
  kind: integration                   # integration, licence, supplier
  ready: true
  valid_from: 2026-01-01
  valid_until: 2026-12-31""",
    "Stakeholders.groups": """\
- name: Zurich
  users: 120
  site: Zurich
  language: de
  timezone: Europe/Zurich
  representative: true                # does it stand for the others
  training_done: 0.8                  # 80 percent
  informed: true
  contact: zurich@example.org
  champion: Ann Keller                # who is asked first
  training_day: 2026-11-20""",
    "Stakeholders.wordings": """\
- message: notice                     # notice, reminder, news, delay, rollback
  language: de
  text: Am Montag bekommt Ihr die neuen Berichte.""",
    "Agreements.service_levels": """\
- name: availability
  objective: 99.9 % a month
  error_budget_left: 0.7""",
    "Agreements.windows": """\
- days: [mon, tue, wed, thu]
  opens: 20:00
  closes: 02:00                       # the next day
  timezone: Europe/Zurich
  note: fewest users""",
    "Agreements.freezes": """\
- first: 2026-12-18
  last: 2027-01-04
  timezone: Europe/Zurich
  reason: end of the year""",
    "Agreements.approvers": """\
- ann@example.org""",
    "Agreements.operators": """\
- jo@example.org""",
    "Release.kpis": """\
- name: errors
  title: Reports that fail
  kind: rate                            # rate: bad events among all; latency: how long requests take
  say: gate                             # gate: must be shown safe to go on; brake: may roll back; watch
  tolerance: 1.25                       # at most 1.25 times the old version's figure
  limit: 0.05                           # stop above 5 percent, whatever the old version does
  weight: 1
  expected: 0.01                        # the old version's usual rate, to foretell how long it takes
  # direction: less_is_worse            # for good events, such as orders: then `bad` below counts those
  # baseline: concurrent                # concurrent, history (past weeks) or absolute (the limit alone)
  # on_undecided: ask                   # rollback, hold, ask or tell when it stays open for too long
  # on_blind: hold                      # the same when it has no numbers for too long
  # during: [parallel]                  # counts there only: pilot, phased, parallel, canary, everyone
  # objective: 0.999                    # what the whole service owes; burning its budget fast stops at once
  # dispersion:                         # the noise, as `rollway judge calibrate` has learned it
  #   floor: 1.5
  #   growth: 0.04
  #   block_seconds: 300
  owner: Jo
  signal:
    type: scrape                        # a metrics page; the other keys belong to this kind of signal
    url: http://127.0.0.1:8080/metrics
    arm_label: version                  # the label that tells the versions apart, and its two values
    candidate: new
    baseline: old
    total: requests_total
    bad: requests_total{outcome="error"}
- name: latency
  title: Time to make a report
  kind: latency
  limit: 0.1                            # stop when more than 10 percent of the requests ...
  limit_seconds: 0.25                   # ... take longer than this
  # buckets: [0.05, 0.1, 0.25, 0.5, 1]  # bounds of its histogram, in seconds; promises depend on them
  signal:
    type: scrape
    url: http://127.0.0.1:8080/metrics
    arm_label: version
    candidate: new
    baseline: old
    histogram: request_seconds
- name: score
  title: What users answer when they are asked
  aspect: human                         # technical, business or human
  kind: mean                            # figures between 0 and bound, one for each user
  bound: 5
  direction: less_is_worse
  say: brake
  cycle: 1d                             # no stage that waits for it is shorter
  on_harm: hold                         # rollback or hold when it is found harmful
  signal:
    type: scrape
    url: http://127.0.0.1:8080/metrics""",
    "Release.target": """\
type: flag                              # a feature flag that Rollway serves itself
flag: new-reports
candidate: new
baseline: old""",
    "Wishes.shares": """\
- 0.1
- 0.5""",
}
_EXAMPLE_VALUES: dict[str, str] = {
    "hold_back": "0.05",
    "control_group": "equal",
    "margin": "1.5",
    "requests_by_hour": "[2,1,1,1,1,2,4,7,9,9,9,9,8,9,9,9,8,7,6,5,5,4,3,2]",
    "requests_timezone": "Europe/Zurich",
    "effect": "2",
    "harm_budget": "100",
    "bake": "30m",
    "patience": "2h",
    "check_every": "10s",
    "false_rollback": "0.01",
    "method": "canary",
    "tasks": "followed",
    "training_minimum": "0.85",
    "people": "12",
    "requests_per_user_day": "0.05",
    "handling_time": "10m",
}
_QUESTION_WORDS = {"are", "can", "do", "does", "has", "how", "is", "must", "was", "what"}
_ANSWERS = {date: "such as 2026-11-05", timedelta: "such as 2h"}
_NOTE_COLUMN = 44


def skeleton(name: str, version: str) -> str:
    """The text of a new release file, valid as it stands. Raises `InputError` for an unfit name."""
    _check(name, version)
    given = {"name": name, "version": json.dumps(version, ensure_ascii=False)}
    lines = [_HEAD.format(schema=SCHEMA_FILE)]
    for key, field in Release.model_fields.items():
        lines.append(f"# {_sentence(explanation(Release, key))}")
        section = section_of(field.annotation)
        if example := _EXAMPLES.get(f"Release.{key}"):
            lines += [f"{key}:", *_commented(example, "  ")]
        elif section is not None:
            lines += [f"{key}:", *_section(section, "  ", given if section is Identity else {})]
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def _section(section: type[BaseModel], indent: str, given: dict[str, str]) -> Iterator[str]:
    for key, field in section.model_fields.items():
        told = explanation(section, key)
        inner = section_of(field.annotation)
        if key in given:
            yield _line(f"{indent}{key}: {given[key]}", told)
        elif example := _EXAMPLES.get(f"{section.__name__}.{key}"):
            yield _line(f"{indent}{key}:", told)
            yield from _commented(example, f"{indent}  ")
        elif (value := fact_value(field.annotation)) is not None:
            yield _line(f"{indent}{key}: unknown", _asked(told, value))
        elif inner is not None:
            yield _line(f"{indent}{key}:", told)
            yield from _section(inner, f"{indent}  ", {})
        else:
            yield _line(f"{indent}# {key}: {_plain(key, field.default)}", told)


def _line(written: str, told: str) -> str:
    return f"{written.ljust(_NOTE_COLUMN)}# {told}" if told else written


def _commented(example: str, indent: str) -> Iterator[str]:
    return (f"{indent}# {line}" for line in example.splitlines())


def _asked(told: str, annotation: Any) -> str:
    """The explanation as a question where it is one, with the words or the form of its answer."""
    asked = f"{told}?" if told.split(maxsplit=1)[0] in _QUESTION_WORDS else told
    answer = ", ".join(words_of(annotation)) or _ANSWERS.get(bare(annotation), "")
    return f"{asked}{'' if asked.endswith('?') else ':'} {answer}" if answer else asked


def _plain(key: str, default: Any) -> str:
    if key in _EXAMPLE_VALUES:
        return _EXAMPLE_VALUES[key]
    return '""' if default in ("", None) else f"{default:g}" if isinstance(default, float) else str(default)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _check(name: str, version: str) -> None:
    try:
        Identity(name=name, version=version)
    except ValidationError as error:
        one = error.errors(include_url=False)[0]
        wrong = complaint(one["type"], one.get("ctx", {}), one["input"], one["msg"])
        raise InputError(f"the {one['loc'][0]}: {wrong.message}", hint=wrong.suggestion) from None
    if not version.isprintable():
        raise InputError("the version: it holds characters that cannot be printed")
