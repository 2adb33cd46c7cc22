"""Three-valued answers over facts: yes, no or not known, each with the facts it rests on.

The connectives are Kleene's: an answer that is settled stays so whatever an unknown turns out to be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rollway.facts.model import Release
from rollway.readiness.wording import cite, fact_at


@dataclass(frozen=True, slots=True)
class Answer:
    """`holds` is None when it cannot be said; `facts` are the paths that would settle it then."""

    holds: bool | None
    evidence: str
    facts: tuple[str, ...] = ()


def asks(release: Release, path: str, good: Callable[[Any], bool]) -> Answer:
    """Whether the fact at `path` is `good`.

    An assumption is no evidence: a good one leaves the answer open, a bad one counts as a no.
    """
    fact = fact_at(release, path)
    if fact.value is None:
        return Answer(None, cite(release, path), (path,))
    if not good(fact.value):
        return Answer(False, cite(release, path))
    if fact.state == "assumed":
        return Answer(None, cite(release, path), (path,))
    return Answer(True, cite(release, path))


def yes(release: Release, path: str) -> Answer:
    """Whether the fact at `path` is stated as true."""
    return asks(release, path, lambda value: value is True)


def no(release: Release, path: str) -> Answer:
    """Whether the fact at `path` is stated as false."""
    return asks(release, path, lambda value: value is False)


def every(*answers: Answer) -> Answer:
    """All of them: one no settles it, else one unknown leaves it open."""
    return _joined(answers, deciding=False)


def either(*answers: Answer) -> Answer:
    """At least one of them: one yes settles it, else one unknown leaves it open."""
    return _joined(answers, deciding=True)


def _joined(answers: tuple[Answer, ...], *, deciding: bool) -> Answer:
    verdict: bool | None
    settling = [answer for answer in answers if answer.holds is deciding]
    open_ = [answer for answer in answers if not answer.holds]
    if settling:
        verdict, told = deciding, settling
    elif any(answer.holds is None for answer in answers):
        verdict, told = None, open_
    else:
        verdict, told = not deciding, list(answers)
    evidence = ", ".join(dict.fromkeys(answer.evidence for answer in told))
    facts = tuple(dict.fromkeys(path for answer in told for path in answer.facts))
    return Answer(verdict, evidence, facts)
