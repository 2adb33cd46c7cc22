"""Who does what: the roles of a rollout, and the RACI table that holds unless people agree otherwise."""

from __future__ import annotations

from dataclasses import dataclass

PRODUCT_OWNER = "Product Owner"
RELEASE_MANAGER = "Release manager"
SCRUM_TEAM = "Scrum Team"
OPERATIONS = "Operations"
BUSINESS_OWNER = "Business owner"
COMPLIANCE = "Security and compliance"
CHANGE_AUTHORITY = "Change authority"
SUPPORT_LEAD = "Support lead"
TRAINING_LEAD = "Communications and training lead"
VENDORS = "Vendors"


@dataclass(frozen=True, slots=True)
class Duty:
    """One row of the RACI table: who does it, who answers for it, who is asked, who is told."""

    activity: str
    responsible: str
    accountable: str
    consulted: tuple[str, ...] = ()
    informed: tuple[str, ...] = ()


RACI: tuple[Duty, ...] = (
    Duty("Strategy and success criteria", RELEASE_MANAGER, PRODUCT_OWNER, (BUSINESS_OWNER, COMPLIANCE)),
    Duty("Plan, calendar and runbook", RELEASE_MANAGER, PRODUCT_OWNER, (OPERATIONS, SCRUM_TEAM, VENDORS)),
    Duty("Build, telemetry and rollback scripts", SCRUM_TEAM, PRODUCT_OWNER, (OPERATIONS,)),
    Duty("Environment and target", OPERATIONS, OPERATIONS, (SCRUM_TEAM, VENDORS)),
    Duty("Change window", RELEASE_MANAGER, CHANGE_AUTHORITY, (OPERATIONS,), (SUPPORT_LEAD,)),
    Duty("Regulated items", COMPLIANCE, COMPLIANCE, (PRODUCT_OWNER,), (BUSINESS_OWNER,)),
    Duty(
        "Go or no-go, and the sign-off of data", RELEASE_MANAGER, BUSINESS_OWNER, (PRODUCT_OWNER, COMPLIANCE)
    ),
    Duty("Going back on a harmful KPI", OPERATIONS, OPERATIONS, (SCRUM_TEAM,), (PRODUCT_OWNER, SUPPORT_LEAD)),
    Duty("Messages and training", TRAINING_LEAD, PRODUCT_OWNER, (BUSINESS_OWNER,), (SUPPORT_LEAD,)),
    Duty("Support and hypercare", SUPPORT_LEAD, OPERATIONS, (SCRUM_TEAM,), (PRODUCT_OWNER,)),
)

ROLES: frozenset[str] = frozenset(
    {
        PRODUCT_OWNER,
        RELEASE_MANAGER,
        SCRUM_TEAM,
        OPERATIONS,
        BUSINESS_OWNER,
        COMPLIANCE,
        CHANGE_AUTHORITY,
        SUPPORT_LEAD,
        TRAINING_LEAD,
        VENDORS,
    }
)
"""Every role, as it is written in plans."""
