"""Files of dispersion: what `rollway judge calibrate --write` has learned, read again."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rollway.cli.judge_numbers import read_text
from rollway.errors import InputError
from rollway.judge.dispersion import NONE, Dispersion, faults

if TYPE_CHECKING:
    from rollway.planning.model import Guard

FORMAT = "rollway.dispersion/1"
HINT = "`rollway judge calibrate history.jsonl --write FILE` writes such a file"
NAMES = tuple(field.name for field in fields(Dispersion))


def read_dispersion(path: Path) -> dict[str, Dispersion]:
    """The noise of each KPI in a file. Raises InputError that says where and what is wrong."""
    try:
        raw = json.loads(read_text(path, HINT))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}", hint=HINT) from error
    except (RecursionError, ValueError) as error:
        raise InputError(f"{path}: not JSON that can be read: {error}", hint=HINT) from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise InputError(f'{path}: there is no "format": "{FORMAT}" in it', hint=HINT)
    if not isinstance(raw.get("dispersion"), dict):
        raise InputError(f'{path}: there is no "dispersion" with an entry for each KPI in it', hint=HINT)
    return {name: _entry(each, f"{path}: dispersion.{name}") for name, each in raw["dispersion"].items()}


def _entry(raw: Any, where: str) -> Dispersion:
    if not isinstance(raw, dict) or set(raw) != set(NAMES):
        raise InputError(f"{where}: its fields are {', '.join(NAMES)}, each once", hint=HINT)
    for name, value in raw.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{where}.{name} is a number, not {value!r:.40}", hint=HINT)
    found = Dispersion(**raw)
    if wrong := faults(found):
        raise InputError(f"{where}: {wrong[0]}", hint=HINT)
    return found


def one_of(found: dict[str, Dispersion], kpi: str | None, path: Path) -> Dispersion:
    """The noise of the KPI asked for, or of the only one. Raises InputError where it is not clear."""
    if kpi is None and len(found) == 1:
        return next(iter(found.values()))
    names = ", ".join(found) or "none"
    if kpi is None:
        raise InputError(f"{path}: it is not clear whose noise is meant: {names}", hint="name it: --kpi NAME")
    if kpi not in found:
        raise InputError(f"{path}: it tells no noise of {kpi!r}", hint=f"it tells that of {names}")
    return found[kpi]


def of_plan(guard: Guard) -> Dispersion:
    """The noise that a plan's guard states."""
    return NONE if guard.dispersion is None else Dispersion(**guard.dispersion.model_dump())
