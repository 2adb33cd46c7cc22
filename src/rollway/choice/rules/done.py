"""How far what was to be done is done."""

from __future__ import annotations

from rollway.facts.model import Release
from rollway.readiness import Answer


def criteria_open(release: Release) -> Answer:
    """Whether a criterion of the Definition of Done is known not to be met."""
    open_ = [one.text for one in release.done.criteria if one.met is False]
    told = f"criteria not met: {', '.join(open_[:3])} (done.criteria)"
    known = any(one.met is not None for one in release.done.criteria)
    return Answer(bool(open_) if known else None, told, () if known else ("done.criteria",))


def criteria_met(release: Release) -> Answer:
    """Whether every criterion of the Definition of Done is known to be met."""
    met = [one.met for one in release.done.criteria]
    told = f"criteria met: {len(met)} of {len(met)} (done.criteria)"
    if any(one is False for one in met):
        return Answer(False, told)
    return Answer(True if met and all(met) else None, told, ("done.criteria",))
