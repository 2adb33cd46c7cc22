"""What to ask next: every open fact that a person can state in one line, the one that matters most first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from operator import attrgetter

from rollway.facts.fact import Fact
from rollway.facts.model import Release
from rollway.readiness.assess import assess
from rollway.readiness.model import Blocks
from rollway.readiness.reasons import REASONS
from rollway.readiness.wording import LIST_QUESTIONS, WORDINGS

# What an open check adds to the weight of the facts that would settle it.
_BLOCKED: dict[Blocks, int] = {"method": 6, "date": 3, "nothing": 0}
_BEFORE_OTHERS = 20  # more than any fact weighs by itself and by its checks
_OF_OTHERS = 2


@dataclass(frozen=True, slots=True)
class Question:
    """One open fact: its path, what to ask, why, and which checks of the review wait for it."""

    path: str
    text: str
    why: str
    weight: float
    checks: tuple[str, ...] = ()


def open_questions(release: Release, first: Iterable[str] = ()) -> tuple[Question, ...]:
    """The open facts, weightiest first. Facts that do not matter here are left out.

    A fact weighs what `REASONS` gives it, and more where open checks of the review wait for it. `first`
    are paths that come before all others for reasons of the caller's own. A question whose answer could
    make others pointless comes before them. An assumption is no question: it is somebody's answer for now.
    """
    waiting: dict[str, list[str]] = {}
    added: dict[str, float] = {}
    for check in assess(release).unknowns:
        for path in check.facts:
            waiting.setdefault(path, []).append(check.id)
            added[path] = max(added.get(path, 0.0), _BLOCKED[check.blocks])
    for rank, path in enumerate(reversed(tuple(first)), start=1):
        added[path] = added.get(path, 0.0) + _BEFORE_OTHERS * rank
    found = {
        path: replace(asked, weight=asked.weight + added.get(path, 0.0), checks=tuple(waiting.get(path, ())))
        for path, asked in _ALL.items()
        if not is_stated(release, path) and not _does_not_matter(release, path)
    }
    for path, before in _ONLY_AFTER.items():
        if path in found and before in found and found[before].weight <= found[path].weight:
            found[before] = replace(found[before], weight=found[path].weight + 1)
    return tuple(sorted(found.values(), key=lambda one: -one.weight))


def question_of(path: str) -> Question:
    """The question about one fact, whatever a release says about it."""
    return _ALL[path]


def question_about(path: str) -> str:
    """The question alone, without the place where the answer belongs."""
    return WORDINGS[path].question if path in WORDINGS else LIST_QUESTIONS[path]


def is_stated(release: Release, path: str) -> bool:
    """Whether the release says anything at a path, be it an assumption."""
    value = attrgetter(path)(release)
    return value.is_stated if isinstance(value, Fact) else bool(value)


def is_asked_elsewhere(release: Release, path: str) -> bool:
    """Whether somebody has said that it is not known, and who may know: a note beside `unknown`."""
    value = attrgetter(path)(release)
    return isinstance(value, Fact) and not value.is_stated and bool(value.note)


def _does_not_matter(release: Release, path: str) -> bool:
    """Whether what is stated already makes a question pointless."""
    before = _ONLY_AFTER.get(path)
    if before is not None and attrgetter(before)(release).is_false:
        return True
    stakeholders = release.stakeholders
    return {
        "stakeholders.groups_alike": stakeholders.sites.value == 1 and len(stakeholders.groups) < 2,
        "stakeholders.users": any(group.users for group in stakeholders.groups),
        "agreements.window_duration": bool(release.agreements.windows),
        "goals.deadline_fixed": not release.goals.deadline.is_stated,
    }.get(path, False)


def _asked(path: str) -> Question:
    weight, why = REASONS.get(
        path, (_OF_OTHERS, f"it is part of what is known about {path.partition('.')[0]}")
    )
    return Question(path, question_about(path), why, weight)


_ALL = {path: _asked(path) for path in dict.fromkeys((*REASONS, *WORDINGS))}
# A question -> the one that a "no" to makes it pointless.
_ONLY_AFTER = {
    **{
        f"migration.{key}": "migration.needed"
        for key in ("reversible", "rehearsed", "duration", "complexity", "old_kept_running")
    },
    **{
        f"migration.{key}": "migration.dual_run_feasible"
        for key in ("side_effects_suppressed", "reconciliation_rules", "parallel_exit_rule")
    },
    "risks.compliance_signed_off": "risks.regulated",
    "stakeholders.training_load": "stakeholders.training_needed",
    "done.tests.rollback_duration": "done.tests.rollback_tested",
}
