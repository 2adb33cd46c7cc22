"""Scope and acceptance: is it clear what is released and how success is seen, and is it accepted?"""

from __future__ import annotations

from rollway.facts.model import Kpi, Release
from rollway.readiness import owners
from rollway.readiness.answer import Answer, asks
from rollway.readiness.probe import Probe, asked_for, over_rows


def _objective(release: Release) -> Answer:
    if release.goals.objective:
        return Answer(True, f"objective: {release.goals.objective} (goals.objective)")
    return Answer(None, "objective: none stated (goals.objective)", ("goals.objective",))


def gates(release: Release) -> tuple[Kpi, ...]:
    """The KPIs that must be shown safe before each promotion."""
    return tuple(kpi for kpi in release.kpis if kpi.say == "gate")


def criteria_fixed(release: Release) -> Answer:
    """Whether at least one KPI with a signal and a tolerance decides about going on."""
    if not release.kpis:
        return Answer(None, "KPIs: none stated (kpis)", ("kpis",))
    names = ", ".join(
        f"{kpi.name} (at most {kpi.tolerance:g} x the old version)" for kpi in gates(release)[:3]
    )
    if not names:
        return Answer(False, "KPIs: none of them is a gate (kpis)")
    return Answer(True, f"KPIs that decide: {names}")


def _stories(release: Release) -> Answer:
    return over_rows(
        "backlog.items", "stories accepted", ((item.id, item.accepted) for item in release.backlog.items)
    )


def _definition_of_done(release: Release) -> Answer:
    return over_rows("done.criteria", "criteria met", ((row.text, row.met) for row in release.done.criteria))


PROBES = (
    Probe(
        "scope.objective",
        "scope",
        "Is it said what the release is for?",
        owners.product_owner,
        _objective,
        "Write one sentence under goals.objective.",
        blocks="nothing",
    ),
    Probe(
        "scope.kpis",
        "scope",
        "Are success and rollback criteria fixed, with the signal of each KPI?",
        owners.product_owner,
        criteria_fixed,
        "Name at least one KPI that is a gate, with its signal and tolerance.",
        blocks="method",
        weight=3,
    ),
    Probe(
        "acceptance.stories",
        "acceptance",
        "Is every story of the increment accepted?",
        owners.product_owner,
        _stories,
        "Accept the open stories, or take them out of the increment.",
        weight=2,
    ),
    Probe(
        "acceptance.definition-of-done",
        "acceptance",
        "Is the Definition of Done met?",
        owners.scrum_team,
        _definition_of_done,
        "Meet the open criteria, or agree in writing to go without.",
    ),
    Probe(
        "acceptance.signed",
        "acceptance",
        asked_for("done.accepted_by"),
        owners.product_owner,
        lambda release: asks(release, "done.accepted_by", lambda name: bool(name.strip())),
        "Have the increment accepted, and name who did under done.accepted_by.",
    ),
)
