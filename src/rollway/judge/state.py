"""What the judge remembers between two evaluations: bounded, plain, and the same after a round trip."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np

from rollway.errors import InputError
from rollway.judge import stops, waiting
from rollway.judge.codec import decode, encode
from rollway.judge.kinds import KINDS, KpiKind
from rollway.judge.model import Rules
from rollway.judge.quick import quick
from rollway.judge.sight import Sight
from rollway.judge.stops import NO_STOPS, Stops
from rollway.judge.waiting import NOTHING_WAITS, Waiting

FORMAT = "rollway.judge/"
NUMBER = 4
# Before 3 tables were lists of numbers, and of other shapes; what was judged then is judged anew.


@quick
@dataclass(frozen=True, slots=True)
class GuardState:
    """One KPI: what was seen, its evidence (the state of its kind), what waits, and what may stop."""

    sight: Sight
    evidence: Any
    waiting: Waiting = NOTHING_WAITS
    stops: Stops = NO_STOPS


@dataclass(frozen=True, slots=True)
class Finding:
    """That the new version was found harmful: when, with which evidence, why, and by which KPIs.

    `is_stop`: by a hard stop, whatever the evidence.
    """

    at: float
    log_e: float
    reason: str
    drivers: tuple[str, ...]
    is_stop: bool = False


@quick
@dataclass(frozen=True, slots=True)
class Course:
    """The course of the rollout so far; times are unix seconds, None before the first reading.

    `latest` is the latest end of any reading, `stage_since` when a reading first named the stage.
    """

    first: float | None = None
    latest: float | None = None
    stage: str | None = None
    stage_since: float | None = None


@quick
@dataclass(frozen=True, slots=True)
class JudgeState:
    """The guards in the order of the rules; `finding` stays once it is there (Ville's inequality)."""

    guards: tuple[GuardState, ...]
    course: Course = Course()
    finding: Finding | None = None


def begin(rules: Rules) -> JudgeState:
    """The state before any reading. Raises InputError where the rules cannot be judged by."""
    _check(rules)
    return JudgeState(tuple(GuardState(Sight(), KINDS[rule.kind].begin()) for rule in rules.guards))


def dump(state: JudgeState) -> dict[str, Any]:
    """The state as plain JSON without NaN or infinity; `load` gives it back bit for bit."""
    return {
        "format": f"{FORMAT}{NUMBER}",
        "guards": [_dump_guard(guard) for guard in state.guards],
        "course": encode(state.course),
        "finding": encode(state.finding),
    }


def load(rules: Rules, raw: Mapping[str, Any]) -> JudgeState:
    """The state that `dump` wrote under the same rules; fields that are new since then begin empty. Raises
    InputError for anything else."""
    _check(rules)
    try:
        if raw["format"] != f"{FORMAT}{NUMBER}":
            raise ValueError(f"its format is {raw['format']!r}, not {FORMAT}{NUMBER}")
        guards = tuple(
            _load_guard(KINDS[rule.kind], guard)
            for rule, guard in zip(rules.guards, raw["guards"], strict=True)
        )
        finding = None if raw["finding"] is None else decode(Finding, raw["finding"])
        return JudgeState(guards, decode(Course, raw["course"]), finding)
    except (KeyError, TypeError, ValueError, AttributeError, InputError) as error:
        raise InputError(
            f"The judge's saved state cannot be read: {error}",
            hint="Replay the rollout's readings under its rules to build the state anew.",
        ) from error


def _dump_guard(guard: GuardState) -> dict[str, Any]:
    return {
        "sight": encode(guard.sight),
        "evidence": encode(guard.evidence),
        "waiting": waiting.dump(guard.waiting),
        "stops": encode(guard.stops),
    }


def _load_guard(kind: KpiKind[Any], raw: Mapping[str, Any]) -> GuardState:
    evidence = decode(kind.state, raw["evidence"])
    if not _fits(evidence, _fresh(type(kind))):
        raise ValueError("its evidence is of other bets than are laid now")
    return GuardState(
        decode(Sight, raw["sight"]),
        evidence,
        waiting.load(raw["waiting"]) if "waiting" in raw else NOTHING_WAITS,
        decode(Stops, raw.get("stops", {})),
    )


@cache
def _fresh(kind: type[KpiKind[Any]]) -> Any:
    return kind().begin()


def _fits(found: Any, fresh: Any) -> bool:
    """Whether tables have as many columns as in a fresh state: one for each bet, and bets may change."""
    if isinstance(fresh, np.ndarray):
        return fresh.ndim < 2 or found.shape[-1:] == fresh.shape[-1:]
    if not is_dataclass(fresh):
        return True
    return all(_fits(getattr(found, each.name), getattr(fresh, each.name)) for each in fields(fresh))


def _check(rules: Rules) -> None:
    details = [
        f"{name} is {value!r}, not between 0 and 1"
        for name, value in (
            ("alpha", rules.alpha),
            ("alpha_promote", rules.alpha_promote),
            ("alpha_mismatch", rules.alpha_mismatch),
        )
        if not 0 < value < 1
    ]
    if not 0 < rules.planned_seconds < math.inf:
        details.append(f"planned_seconds is {rules.planned_seconds!r}, not above 0")
    if not 0 <= rules.blind_seconds < math.inf:
        details.append(f"blind_seconds is {rules.blind_seconds!r}, not 0 or above")
    for rule in rules.guards:
        if rule.kind not in KINDS:
            details.append(f"{rule.kpi}: there is no kind {rule.kind!r}, only {', '.join(sorted(KINDS))}")
        else:
            details += [f"{rule.kpi}: {fault}" for fault in KINDS[rule.kind].faults(rule)]
            details += [f"{rule.kpi}: {fault}" for fault in stops.faults(rule)]
        if not 0 < rule.weight < math.inf:
            details.append(f"{rule.kpi}: weight is {rule.weight!r}, not above 0")
        if not 0 < rule.tolerance < math.inf:
            details.append(f"{rule.kpi}: tolerance is {rule.tolerance!r}, not above 0")
    details += [
        f"{kpi}: its margin at stage {stage} is {margin!r}, not above 0"
        for stage, margins in rules.margins.items()
        for kpi, margin in margins.items()
        if not 0 < margin < math.inf
    ]
    names = [rule.kpi for rule in rules.guards]
    details += [
        f"{name}: two guards have this name" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    if details:
        raise InputError(
            "The judge cannot work with these rules.",
            details=tuple(details),
            hint="Correct them in the plan.",
        )
