"""The deployment strategy: which method, on which facts, against which alternatives, and who says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rollway.choice.model import Choice, MethodState, Ranked
from rollway.documents.pack import Pack
from rollway.facts.duration import format_duration
from rollway.facts.model import Release
from rollway.planning.describe import sequence_words
from rollway.planning.roles import BUSINESS_OWNER, PRODUCT_OWNER
from rollway.planning.words import listing
from rollway.readiness import WORDINGS, fact_at
from rollway.readiness.model import Readiness

TITLE = "Deployment strategy"
STANDING: dict[MethodState, str] = {
    "allowed": "allowed",
    "unknown": "allowed, with open questions",
    "blocked": "blocked",
}


@dataclass(frozen=True, slots=True)
class Option:
    """One method as a reader of the decision wants to see it."""

    title: str
    mark: str
    standing: str
    score: str
    criteria: tuple[str, ...]
    vetoes: tuple[tuple[str, str, str, str], ...]
    for_it: tuple[str, ...]
    against_it: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FactRow:
    """One stated fact with its source."""

    label: str
    value: str
    state: str
    source: str


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One area of the readiness review in figures."""

    area: str
    ok: int
    gaps: int
    unknown: int


def values(pack: Pack) -> dict[str, Any]:
    """What the template `strategy.md.j2` shows."""
    release, choice, plan = pack.release, pack.choice, pack.plan
    rows = tuple(_facts(release))
    return {
        "release": release,
        "choice": choice,
        "plan": plan,
        "readiness": pack.readiness,
        "name": plan.title or plan.name,
        "method": sequence_words(plan),
        "options": tuple(_option(ranked, choice) for ranked in choice.ranking),
        "facts": tuple(row for row in rows if row.state != "unknown"),
        "unknown_facts": listing((row.label for row in rows if row.state == "unknown"), 200),
        "assumed": tuple(row for row in rows if row.state == "assumed"),
        "areas": tuple(_areas(pack.readiness)),
        "changes_it": tuple(_changes_it(pack)),
        "revisit": tuple(_revisit(pack)),
        "signatures": tuple(_signatures(pack)),
    }


def _option(ranked: Ranked, choice: Choice) -> Option:
    criteria = tuple(f"{ranked.criteria[name]:.2f}" if name in ranked.criteria else "" for name in _CRITERIA)
    order = sorted(ranked.reasons, key=lambda reason: -abs(reason.points))
    return Option(
        title=ranked.title,
        mark="chosen" if ranked.method == choice.chosen else "",
        standing=STANDING[ranked.state],
        score=f"{ranked.score:.2f}",
        criteria=criteria,
        vetoes=tuple((veto.id, veto.title, veto.state, veto.evidence) for veto in ranked.vetoes),
        for_it=tuple(reason.text for reason in order if reason.points > 0)[:3],
        against_it=tuple(reason.text for reason in order if reason.points < 0)[:3],
    )


_CRITERIA = ("value", "risk", "compliance", "user_readiness")


def _facts(release: Release) -> Iterator[FactRow]:
    for path, wording in WORDINGS.items():
        fact = fact_at(release, path)
        source = ", ".join(part for part in (fact.note, fact.source) if part)
        yield FactRow(wording.label, value_words(fact.value), fact.state, source)


def value_words(value: Any) -> str:
    """A fact's value as people write it: yes and no, durations with units."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, timedelta):
        return format_duration(value)
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")


def _areas(readiness: Readiness) -> Iterator[AreaRow]:
    for area in readiness.scores:
        states = [check.state for check in readiness.checks if check.area == area]
        name = "security and compliance" if area == "security_compliance" else area.replace("_", " ")
        yield AreaRow(name, states.count("ok"), states.count("gap"), states.count("unknown"))


def _changes_it(pack: Pack) -> Iterator[str]:
    """The facts whose other value would lead to another answer, as far as the choice can tell."""
    choice = pack.choice
    for ranked in choice.ranking:
        for veto in ranked.vetoes:
            if ranked.method in pack.plan.sequence and veto.state == "unknown":
                yield f"{ranked.title} falls if this does not hold ({veto.id}): {veto.title}."
            if ranked.score > choice.of(pack.plan.method).score and veto.state == "violated":
                unlock = f" ({veto.unlock})" if veto.unlock else ""
                yield f"{ranked.title} scores higher but is blocked by {veto.id}{unlock}."


def _revisit(pack: Pack) -> Iterator[str]:
    release = pack.release
    yield f"A fact changes: the facts then no longer hash to {pack.plan.facts_hash[:12]}."
    yield "The rollout is rolled back, or held for longer than a stage's patience."
    deadline = release.goals.deadline
    if deadline.is_stated:
        yield f"The date ({deadline.quote()}) can no longer be met with the stages of this plan."
    for party in release.architecture.third_parties:
        if party.ready is not True:
            yield f"{party.name} is not ready in time."
    for row in _facts(release):
        if row.state == "assumed":
            yield f"The assumption on “{row.label}” ({row.value}) proves wrong."


def _signatures(pack: Pack) -> Iterator[tuple[str, str]]:
    for name in pack.plan.approvers:
        yield ("Approver", name)
    for number in range(len(pack.plan.approvers), pack.plan.approvals_required):
        yield (f"Approval {number + 1}", "")
    yield (PRODUCT_OWNER, "")
    yield (BUSINESS_OWNER, "")
