"""A probe asks one question of a release; asked, it becomes a check with evidence, owner and remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rollway.facts.model import Release
from rollway.readiness.answer import Answer
from rollway.readiness.model import Blocks, Check, CheckState
from rollway.readiness.wording import WORDINGS

_STATES: dict[bool | None, CheckState] = {True: "ok", False: "gap", None: "unknown"}
_NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Probe:
    """One line of the review. `owner` says who answers for it, `look` what the facts say.

    `weight` orders the unknowns that block equally much: the higher, the sooner it is asked.
    """

    id: str
    area: str
    question: str
    owner: Callable[[Release], str]
    look: Callable[[Release], Answer]
    remedy: str
    blocks: Blocks = "date"
    weight: int = 1

    def ask(self, release: Release) -> Check:
        """The check that this probe makes of the release."""
        answer = self.look(release)
        return Check(
            id=self.id,
            area=self.area,
            question=self.question,
            state=_STATES[answer.holds],
            evidence=answer.evidence,
            owner=self.owner(release),
            remedy="" if answer.holds else self.remedy,
            blocks=self.blocks,
            fact=answer.facts[0] if answer.facts else "",
            facts=answer.facts,
        )


def asked_for(path: str) -> str:
    """The question that belongs to a fact, for probes that ask for just that."""
    return WORDINGS[path].question


def over_rows(where: str, noun: str, rows: Iterable[tuple[str, bool | None]]) -> Answer:
    """Whether every row of a list is settled well: `rows` are (name, state); no row at all is unknown."""
    settled = tuple(rows)
    if not settled:
        return Answer(None, f"{noun}: none stated ({where})", (where,))
    bad = [name for name, state in settled if state is False]
    open_ = [name for name, state in settled if state is None]
    good = len(settled) - len(bad) - len(open_)
    parts = [f"{noun}: {good} of {len(settled)} ({where})"]
    parts += [f"not: {_some(bad)}"] if bad else []
    parts += [f"not stated: {_some(open_)}"] if open_ else []
    holds = False if bad else None if open_ else True
    return Answer(holds, "; ".join(parts), (where,) if holds is None else ())


def _some(names: list[str]) -> str:
    rest = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
