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


def _audience(release: Release) -> Answer:
    """Whether it is known who gets the release: a number of users, or groups."""
    groups = release.stakeholders.groups
    if groups:
        told = f"{len(groups)} groups" if len(groups) > 1 else "1 group"
        known = [group.users for group in groups if group.users is not None]
        if not known:
            return Answer(True, f"{told}, users in them: not stated (stakeholders.groups)")
        rest = f", not stated for {len(groups) - len(known)} of them" if len(known) < len(groups) else ""
        return Answer(True, f"{told}, users in them: {sum(known):,}{rest} (stakeholders.groups)")
    return asks(release, "stakeholders.users", lambda users: users > 0)


def _notes(release: Release) -> Answer:
    """Whether users are told of every story that changes what they see or do."""
    items = release.backlog.items
    felt = [item for item in items if {"ui", "workflow"} & set(item.touches)]
    if items and not felt:
        return Answer(True, "no story touches the interface or a workflow (backlog.items)")
    return over_rows(
        "backlog.items", "notes for users", ((item.id, bool(item.note_for_users)) for item in felt)
    )


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
        "scope.audience",
        "scope",
        "Is it known who gets the release?",
        owners.product_owner,
        _audience,
        "List the groups under stakeholders.groups, or at least the number of users.",
        blocks="method",
        weight=3,
    ),
    Probe(
        "scope.notes",
        "scope",
        "Is every change that users will notice described for them?",
        owners.product_owner,
        _notes,
        "Write note_for_users for the stories that touch the interface or a workflow.",
        blocks="nothing",
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
