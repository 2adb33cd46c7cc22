"""The review: every probe asked, the scores of the areas, and the question to ask next."""

from __future__ import annotations

from rollway.facts.model import Release
from rollway.readiness.checks import PROBES
from rollway.readiness.model import AREAS, Check, Readiness

_BLOCKING = {"method": 2, "date": 1, "nothing": 0}
_WEIGHTS = {probe.id: probe.weight for probe in PROBES}


def assess(release: Release) -> Readiness:
    """What is ready, what is not, and what nobody has said. Reads nothing but the release; never raises."""
    checks = tuple(probe.ask(release) for probe in PROBES)
    scores = {area: _score([check for check in checks if check.area == area]) for area in AREAS}
    return Readiness(checks=checks, scores=scores, next_question=_next_question(checks))


def _score(checks: list[Check]) -> float | None:
    """The share of settled checks that are ok; None where none is settled."""
    settled = [check for check in checks if check.state != "unknown"]
    return sum(check.state == "ok" for check in settled) / len(settled) if settled else None


def _next_question(checks: tuple[Check, ...]) -> Check | None:
    """The unknown that blocks most: a method before a date, then by weight, then by its place."""
    unknowns = [check for check in checks if check.state == "unknown"]
    return max(unknowns, key=lambda check: (_BLOCKING[check.blocks], _WEIGHTS[check.id]), default=None)
