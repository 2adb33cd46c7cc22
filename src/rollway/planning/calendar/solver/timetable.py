"""A placed quarter: who goes out when, who does not and why, and what is proven; to a file and back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rollway.errors import InputError
from rollway.planning.calendar.slots import Slot
from rollway.planning.calendar.solver.explain import Deferral
from rollway.planning.windows import Span

FORM = "rollway timetable 1"
Starts = dict[tuple[str, str], datetime]


@dataclass(frozen=True, slots=True)
class Placement:
    """The slot of one wave ("" for a release without waves), and the one it had in the plan before."""

    release: str
    wave: str
    service: str
    slot: Slot
    before: datetime | None = None
    begun: bool = False

    @property
    def moved(self) -> bool:
        return self.before is not None and self.before != self.slot.start


@dataclass(frozen=True, slots=True)
class Costs:
    """What a plan costs in points, in all and by kind; `least` is the most that is proven to be needed."""

    delay: float
    out_of_hours: float
    crowded: float
    total: float
    least: float

    @property
    def gap(self) -> float:
        """The part of the cost that a better plan might still save, 0..1."""
        return 0.0 if self.total <= self.least else 1 - self.least / self.total


@dataclass(frozen=True, slots=True)
class Timetable:
    """All placements by time, and all deferrals. `proven`: no plan leaves out, moves or costs less."""

    within: Span
    step: timedelta
    placements: tuple[Placement, ...]
    deferred: tuple[Deferral, ...]
    moved: tuple[str, ...]
    costs: Costs
    proven: bool
    stopped_by_clock: bool = False

    @property
    def starts(self) -> Starts:
        return {(one.release, one.wave): one.slot.start for one in self.placements}

    def to_json(self) -> dict[str, Any]:
        return {
            "form": FORM,
            "from": self.within.start.isoformat(),
            "to": self.within.end.isoformat(),
            "step_minutes": self.step // timedelta(minutes=1),
            "proven": self.proven,
            "gap": round(self.costs.gap, 6),
            "points": {
                "total": round(self.costs.total, 3),
                "delay": round(self.costs.delay, 3),
                "out_of_hours": round(self.costs.out_of_hours, 3),
                "crowded": round(self.costs.crowded, 3),
                "proven_least": round(self.costs.least, 3),
            },
            "placements": [_placement_json(one) for one in self.placements],
            "moved": list(self.moved),
            "deferred": [_deferral_json(one) for one in self.deferred],
        }

    def to_text(self) -> str:
        return json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n"


def _placement_json(one: Placement) -> dict[str, Any]:
    body = {"release": one.release, "wave": one.wave, "service": one.service, "begun": one.begun}
    before = {"before": one.before.isoformat()} if one.before is not None else {}
    return body | one.slot.to_json() | before


def _deferral_json(one: Deferral) -> dict[str, Any]:
    reasons = [
        {"rule": reason.rule, "words": reason.words, "enough_to_lift": reason.alone} for reason in one.reasons
    ]
    return {"release": one.release, "proven": one.proven, "reasons": reasons}


def read_starts(text: str, name: str) -> Starts:
    """The starts in a file that `Timetable.to_text` made. Raises InputError that says where it is wrong."""
    hint = "give a file that `rollway calendar solve --write` has made"
    try:
        body = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{name}:{error.lineno}:{error.colno}: not JSON: {error.msg}", hint=hint) from error
    except RecursionError as error:
        raise InputError(f"{name}: this is no timetable", hint=hint) from error
    if not isinstance(body, dict) or body.get("form") != FORM:
        raise InputError(f"{name}: this is no timetable of this version", hint=hint)
    rows = body.get("placements")
    if not isinstance(rows, list):
        raise InputError(f"{name}: placements: a list is needed", hint=hint)
    found: Starts = {}
    for index, row in enumerate(rows):
        key, start = _read_row(row, f"{name}: placements.{index}", hint)
        if key in found:
            raise InputError(f"{name}: placements.{index}: {' '.join(key)} is there twice", hint=hint)
        found[key] = start
    return found


def _read_row(row: Any, where: str, hint: str) -> tuple[tuple[str, str], datetime]:
    if not isinstance(row, dict):
        raise InputError(f"{where}: an object is needed", hint=hint)
    release, wave, start = (row.get(name) for name in ("release", "wave", "start"))
    if not (isinstance(release, str) and isinstance(wave, str) and isinstance(start, str)):
        raise InputError(f"{where}: release, wave and start are needed", hint=hint)
    try:
        moment = datetime.fromisoformat(start)
    except ValueError:
        raise InputError(f"{where}.start: '{start}' is not a moment", hint=hint) from None
    if moment.tzinfo is None:
        raise InputError(f"{where}.start: '{start}' has no offset", hint=hint)
    return (release, wave), moment.astimezone(UTC)
