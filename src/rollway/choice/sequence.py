"""Real rollouts are often a sequence: a pilot before the waves, a pilot before the parallel run."""

from __future__ import annotations

from rollway.choice.model import Ranked
from rollway.facts.model import MethodName, Release

_BEFORE_PARALLEL: MethodName = "pilot"
_AFTER_PILOT: MethodName = "phased"


def sequence_of(release: Release, chosen: Ranked, ranking: tuple[Ranked, ...]) -> tuple[MethodName, ...]:
    """The chosen method with what goes before or after it, as far as that is not blocked.

    A pilot in one of several groups is followed by waves; a parallel run over several groups starts in
    one of them. The other methods stand alone.
    """
    open_ = {one.method for one in ranking if one.state != "blocked"}
    if _has_several_groups(release):
        if chosen.method == "pilot" and _AFTER_PILOT in open_:
            return ("pilot", _AFTER_PILOT)
        if chosen.method == "parallel" and _BEFORE_PARALLEL in open_:
            return (_BEFORE_PARALLEL, "parallel")
    return (chosen.method,)


def _has_several_groups(release: Release) -> bool:
    return len(release.stakeholders.groups) > 1 or (release.stakeholders.sites.value or 0) > 1
