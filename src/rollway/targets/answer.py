"""What a command or a service of somebody else tells of the share it serves, read with care."""

from __future__ import annotations

import json
from typing import Any

from rollway.errors import TemporaryError
from rollway.rollout.serving import Served

HINT = 'tell a number from 0 to 1, or {"share": 0.1, "candidate_ready": true, "baseline_ready": true}'


def served_from(text: str, who: str) -> Served:
    """Reads a number in 0..1, or a JSON object with `share` and, if known, `mirrored`, `candidate_ready`,
    `baseline_ready` and `note`. Raises TemporaryError for anything else: no answer is never taken for 0."""
    try:
        told = json.loads(text.strip())
    except ValueError as error:
        raise TemporaryError(f"{who} does not tell the share: {text.strip()[:80]!r}", hint=HINT) from error
    if not isinstance(told, dict):
        told = {"share": told}
    return Served(
        share=_share(told.get("share"), "share", who),
        mirrored=_share(told.get("mirrored", 0.0), "mirrored", who),
        candidate_ready=_ready(told, "candidate_ready", who),
        baseline_ready=_ready(told, "baseline_ready", who),
        note=str(told.get("note", "")),
    )


def _share(value: Any, name: str, who: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise TemporaryError(f"{who} tells {value!r} as {name}", hint=HINT)
    return float(value)


def _ready(told: dict[str, Any], name: str, who: str) -> bool | None:
    value = told.get(name)
    if value is not None and not isinstance(value, bool):
        raise TemporaryError(f"{who} tells {value!r} as {name}", hint=HINT)
    return value
