"""What a rule means for one method: an argument with its criterion, its points and its reason."""

from __future__ import annotations

from dataclasses import dataclass

from rollway.choice.model import Criterion, Reason, Veto, VetoResult
from rollway.choice.rules.rule import Rule
from rollway.facts.model import Release


@dataclass(frozen=True, slots=True)
class Argument:
    """When `rule` fires, the method gains or loses `points` (-2..+2) because of `effect`.

    `effect` is a clause that starts in lower case, so that it reads on after "because".
    """

    rule: Rule
    criterion: Criterion
    points: float
    effect: str


class Said:
    """What each rule says of one release, asked once for all methods."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self._states: dict[int, str] = {}
        self._vetoes: dict[int, tuple[Veto, VetoResult]] = {}

    def by(self, rule: Rule) -> str:
        """The facts that make the rule fire; "" where it does not."""
        key = id(rule)
        if key not in self._states:
            self._states[key] = rule.state(self.release)
        return self._states[key]

    def veto(self, veto: Veto) -> VetoResult:
        """What a hard rule finds."""
        key = id(veto)
        if key not in self._vetoes:
            self._vetoes[key] = (veto, veto.check(self.release))
        return self._vetoes[key][1]


@dataclass(frozen=True)
class Arguments:
    """All arguments about one method; called with a release it gives those that hold there."""

    rows: tuple[Argument, ...]

    def __call__(self, release: Release, said: Said | None = None) -> tuple[Reason, ...]:
        """The reasons that hold; with `said`, rules that another method asked already are not asked again."""
        told = said or Said(release)
        return tuple(
            Reason(row.rule.id, row.criterion, row.points, sentence(f"{row.effect} [{stated}]"))
            for row in self.rows
            if (stated := told.by(row.rule))
        )


def sentence(clause: str) -> str:
    """A clause made to stand alone: a capital in front, a full stop behind."""
    return f"{clause[:1].upper()}{clause[1:]}."


def clause(sentence: str) -> str:
    """A sentence made to follow "because": undoes `sentence`."""
    return f"{sentence[:1].lower()}{sentence[1:]}".removesuffix(".")
