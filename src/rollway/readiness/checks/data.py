"""Data migration and external dependencies: can both versions live with the data, and are others in step?"""

from __future__ import annotations

from datetime import date

from rollway.facts.model import Release, ThirdParty
from rollway.readiness import owners
from rollway.readiness.answer import Answer, asks, either, no, yes
from rollway.readiness.probe import Probe, asked_for, over_rows
from rollway.readiness.wording import cite

_PARTIES = "architecture.third_parties"


def _rehearsed(release: Release) -> Answer:
    return either(no(release, "migration.needed"), yes(release, "migration.rehearsed"))


def _way_back(release: Release) -> Answer:
    undone = either(yes(release, "migration.reversible"), yes(release, "done.tests.recovery_tested"))
    return either(no(release, "migration.needed"), undone)


def _timed(release: Release) -> Answer:
    timed = asks(release, "migration.duration", lambda _: True)
    return either(no(release, "migration.needed"), timed)


def _reconciled(release: Release) -> Answer:
    return either(no(release, "migration.needed"), yes(release, "migration.reconciliation_rules"))


def parties_ready(release: Release) -> Answer:
    """Whether every integration, licence and supplier is ready."""
    parties = release.architecture.third_parties
    if not parties and release.architecture.integration_coupling.value == "low":
        return Answer(True, f"{cite(release, 'architecture.integration_coupling')}, no third party named")
    return over_rows(_PARTIES, "third parties ready", ((party.name, party.ready) for party in parties))


def _dates_cover(release: Release) -> Answer:
    parties = release.architecture.third_parties
    dated = [party for party in parties if party.kind != "integration" or _has_dates(party)]
    if not dated:
        return Answer(True, f"integrations only ({_PARTIES})") if parties else parties_ready(release)
    if release.goals.deadline.value is None:
        return Answer(None, cite(release, "goals.deadline"), ("goals.deadline",))
    rows = ((f"{party.name} {_span(party)}", _covers(party, release.goals.deadline.value)) for party in dated)
    answer = over_rows(_PARTIES, "contracts and licences valid on the day", rows)
    return Answer(answer.holds, f"{answer.evidence}, {cite(release, 'goals.deadline')}", answer.facts)


def _has_dates(party: ThirdParty) -> bool:
    return party.valid_from is not None or party.valid_until is not None


def _covers(party: ThirdParty, day: date) -> bool | None:
    """Whether the party is there on the day; None where it has no date at all."""
    if not _has_dates(party):
        return None
    begun = party.valid_from is None or party.valid_from <= day
    return begun and (party.valid_until is None or day <= party.valid_until)


def _span(party: ThirdParty) -> str:
    return f"[{party.valid_from or '…'} to {party.valid_until or '…'}]"


PROBES = (
    Probe(
        "data_migration.needed",
        "data_migration",
        "Is it settled whether data must be migrated?",
        owners.scrum_team,
        lambda release: either(yes(release, "migration.needed"), no(release, "migration.needed")),
        "Say yes or no under migration.needed.",
        weight=4,
    ),
    Probe(
        "data_migration.compatible",
        "data_migration",
        asked_for("migration.backward_compatible"),
        owners.scrum_team,
        lambda release: yes(release, "migration.backward_compatible"),
        "Expand first and contract later, and prove it with contract tests between both versions.",
        blocks="method",
        weight=5,
    ),
    Probe(
        "data_migration.rehearsed",
        "data_migration",
        "Was the migration rehearsed, where there is one?",
        owners.operations,
        _rehearsed,
        "Rehearse with the same data, tools and people, and time it.",
        weight=3,
    ),
    Probe(
        "data_migration.way-back",
        "data_migration",
        "Can migrated data be brought back, by undoing the migration or from a backup?",
        owners.operations,
        _way_back,
        "Write and test the way back, or restore a backup and compare the data.",
        blocks="method",
        weight=3,
    ),
    Probe(
        "data_migration.timed",
        "data_migration",
        "Is it known how long the migration takes?",
        owners.operations,
        _timed,
        "Time the rehearsal, and write it under migration.duration.",
        weight=3,
    ),
    Probe(
        "data_migration.reconciled",
        "data_migration",
        "Is it settled how migrated data is checked against the old?",
        owners.scrum_team,
        _reconciled,
        "Agree which counts, sums and samples must match, and how far they may differ.",
    ),
    Probe(
        "external_dependencies.ready",
        "external_dependencies",
        "Is every integration, licence and supplier ready?",
        owners.release_manager,
        parties_ready,
        "Get each one's word with a date, and put the rollout after the latest of them.",
        weight=2,
    ),
    Probe(
        "external_dependencies.valid",
        "external_dependencies",
        "Are licences and contracts valid on the day?",
        owners.release_manager,
        _dates_cover,
        "Extend what runs out, or move the day.",
    ),
)
