"""Who answers for a check: the role, and the people whom the release file names for it."""

from __future__ import annotations

from rollway.facts.model import Release


def product_owner(release: Release) -> str:
    return "Product Owner"


def business_owner(release: Release) -> str:
    return _with("business owner", *release.agreements.approvers)


def release_manager(release: Release) -> str:
    return _with("release manager", release.release.prepared_by)


def scrum_team(release: Release) -> str:
    return _with("Scrum Team", release.release.team)


def operations(release: Release) -> str:
    return _with("operations", *release.agreements.operators)


def compliance(release: Release) -> str:
    return "security and compliance"


def support_lead(release: Release) -> str:
    return _with("support lead", release.stakeholders.support_contact)


def training_lead(release: Release) -> str:
    return _with("communication and training lead", *(group.contact for group in release.stakeholders.groups))


def _with(role: str, *people: str) -> str:
    named = list(dict.fromkeys(person for person in people if person))
    if not named:
        return role
    return f"{role} ({', '.join(named[:3])}{', …' if len(named) > 3 else ''})"
