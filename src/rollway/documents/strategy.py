"""The deployment strategy: which method, on which facts, against which alternatives, and who says so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rollway.choice.chart import with_spread
from rollway.choice.describe import sections
from rollway.choice.model import Choice, MethodState, Ranked
from rollway.choice.outcomes import Outcomes, simulate
from rollway.choice.robustness import robustness
from rollway.documents.figures import Figure, mark_of, methods_figure
from rollway.documents.pack import Pack
from rollway.facts.duration import format_duration
from rollway.facts.model import MethodName, Release
from rollway.planning.describe import sequence_words
from rollway.planning.roles import BUSINESS_OWNER, PRODUCT_OWNER
from rollway.planning.words import listing
from rollway.readiness import WORDINGS, fact_at
from rollway.readiness.model import Readiness

TITLE = "Deployment strategy"
FIGURE = "strategy-methods"
_PLACE = re.compile(r"(?:, |(?<=\())[^\s,()\[\]]+:\d+:\d+")
_EMPTY_BRACKETS = re.compile(r" \(\)")
STANDING: dict[MethodState, str] = {
    "allowed": "allowed",
    "unknown": "rules open",
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
class OutcomeRow:
    """What one method may bring: means with the range that holds eight of ten draws."""

    title: str
    standing: str
    days: str
    harmed: str
    double: str
    tickets: str


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
    outcomes = simulate(release)
    return {
        "release": release,
        "choice": choice,
        "plan": plan,
        "readiness": pack.readiness,
        "name": plan.title or plan.name,
        "method": sequence_words(plan),
        "reasons": tuple(without_places(reason) for reason in choice.reasons),
        "options": tuple(_option(ranked, plan.method) for ranked in choice.ranking),
        "dissent": without_places(choice.dissent),
        "figure": mark_of(FIGURE),
        "outcomes": outcomes,
        "outcome_rows": tuple(_outcomes(outcomes, choice)),
        "how_sure": tuple(_how_sure(pack)),
        "facts": tuple(row for row in rows if row.state != "unknown"),
        "unknown_facts": listing((row.label for row in rows if row.state == "unknown"), 200),
        "assumed": tuple(row for row in rows if row.state == "assumed"),
        "areas": tuple(_areas(pack.readiness)),
        "changes_it": tuple(_changes_it(pack)),
        "revisit": tuple(_revisit(pack)),
        "signatures": tuple(_signatures(pack)),
    }


def figures(pack: Pack) -> Mapping[str, Figure]:
    """The figures that the template places, by name."""
    return {FIGURE: methods_figure(simulate(pack.release), pack.choice)}


def without_places(text: str) -> str:
    """A sentence of the choice without the lines of the file: they stand once, under the facts used."""
    return _EMPTY_BRACKETS.sub("", _PLACE.sub("", text))


def _outcomes(outcomes: Outcomes, choice: Choice) -> Iterator[OutcomeRow]:
    for ranked in choice.ranking:
        row = outcomes.of(ranked.method)
        yield OutcomeRow(
            title=ranked.title,
            standing=STANDING[ranked.state],
            days=with_spread(row.days),
            harmed=with_spread(row.harmed_if_faulty),
            double=with_spread(row.double),
            tickets=with_spread(row.tickets),
        )


def _how_sure(pack: Pack) -> Iterator[str]:
    """How far weights and unknown facts could turn the answer, and which facts would."""
    for section in sections(pack.choice, robustness(pack.release)):
        if section.title == "How sure":
            for line in section.lines:
                told = line.strip().removeprefix("- ")
                yield (
                    f"{told[:1].upper()}{told[1:]}"
                    if told.endswith(".")
                    else f"{told[:1].upper()}{told[1:]}."
                )


def _option(ranked: Ranked, planned: MethodName) -> Option:
    criteria = tuple(f"{ranked.criteria[name]:.2f}" if name in ranked.criteria else "" for name in _CRITERIA)
    order = sorted(ranked.reasons, key=lambda reason: -abs(reason.points))
    return Option(
        title=ranked.title,
        mark="chosen" if ranked.method == planned else "",
        standing=STANDING[ranked.state],
        score=f"{ranked.score:.2f}",
        criteria=criteria,
        vetoes=tuple(
            (veto.id, veto.title, veto.state, without_places(veto.evidence)) for veto in ranked.vetoes
        ),
        for_it=tuple(without_places(reason.text) for reason in order if reason.points > 0)[:3],
        against_it=tuple(without_places(reason.text) for reason in order if reason.points < 0)[:3],
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
