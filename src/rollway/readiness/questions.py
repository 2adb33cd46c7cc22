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
    are paths that come before all others for reasons of the caller's own. An assumption is no
    question: it is somebody's answer for now.
    """
    waiting: dict[str, list[str]] = {}
    added: dict[str, float] = {}
    for check in assess(release).unknowns:
        for path in check.facts:
            waiting.setdefault(path, []).append(check.id)
            added[path] = max(added.get(path, 0.0), _BLOCKED[check.blocks])
    for rank, path in enumerate(reversed(tuple(first)), start=1):
        added[path] = added.get(path, 0.0) + _BEFORE_OTHERS * rank
    found = [
        replace(asked, weight=asked.weight + added.get(path, 0.0), checks=tuple(waiting.get(path, ())))
        for path, asked in _ALL.items()
        if not is_stated(release, path) and not _does_not_matter(release, path)
    ]
    return tuple(sorted(found, key=lambda one: -one.weight))


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
    migration, stakeholders = release.migration, release.stakeholders
    if path in _OF_A_MIGRATION:
        return migration.needed.is_false
    if path in _OF_A_DUAL_RUN:
        return migration.dual_run_feasible.is_false
    return {
        "risks.compliance_signed_off": release.risks.regulated.is_false,
        "stakeholders.training_load": stakeholders.training_needed.is_false,
        "stakeholders.groups_alike": stakeholders.sites.value == 1 and len(stakeholders.groups) < 2,
        "stakeholders.users": any(group.users for group in stakeholders.groups),
        "agreements.window_duration": bool(release.agreements.windows),
        "done.tests.rollback_duration": release.done.tests.rollback_tested.is_false,
        "goals.deadline_fixed": not release.goals.deadline.is_stated,
    }.get(path, False)


def _asked(path: str) -> Question:
    weight, why = REASONS.get(
        path, (_OF_OTHERS, f"it is part of what is known about {path.partition('.')[0]}")
    )
    return Question(path, question_about(path), why, weight)


_ALL = {path: _asked(path) for path in dict.fromkeys((*REASONS, *WORDINGS))}
_OF_A_MIGRATION = frozenset(
    f"migration.{key}" for key in ("reversible", "rehearsed", "duration", "complexity", "old_kept_running")
)
_OF_A_DUAL_RUN = frozenset(
    f"migration.{key}" for key in ("side_effects_suppressed", "reconciliation_rules", "parallel_exit_rule")
)
