"""Security and compliance: was it reviewed, and has it been signed off where it must be?"""

from __future__ import annotations

from rollway.facts.model import Release
from rollway.readiness import owners
from rollway.readiness.answer import Answer, either, no, yes
from rollway.readiness.probe import Probe, asked_for, over_rows


def _signed_off(release: Release) -> Answer:
    return either(no(release, "risks.regulated"), yes(release, "risks.compliance_signed_off"))


def _classified(release: Release) -> Answer:
    return either(yes(release, "risks.regulated"), no(release, "risks.regulated"))


def risks_answered(release: Release) -> Answer:
    """Whether every risk of high or critical impact has an owner and a response."""
    items, where = release.risks.items, "risks.items"
    grave = [risk for risk in items if risk.impact in ("high", "critical")]
    if items and not grave:
        return Answer(True, f"no risk of high impact among {len(items)} ({where})")
    rows = ((risk.id, bool(risk.owner and risk.response)) for risk in grave)
    return over_rows(where, "high risks with an owner and a response", rows)


PROBES = (
    Probe(
        "security_compliance.reviewed",
        "security_compliance",
        asked_for("risks.security_reviewed"),
        owners.compliance,
        lambda release: yes(release, "risks.security_reviewed"),
        "Have the increment reviewed, and its findings closed.",
        weight=3,
    ),
    Probe(
        "security_compliance.risks",
        "security_compliance",
        "Has every high risk an owner and a response?",
        owners.release_manager,
        risks_answered,
        "Give each an owner and a response, or accept it by name.",
        weight=2,
    ),
    Probe(
        "security_compliance.classified",
        "security_compliance",
        "Is it settled whether a regulator looks at it?",
        owners.compliance,
        _classified,
        "Ask compliance, and write yes or no under risks.regulated.",
        blocks="method",
        weight=3,
    ),
    Probe(
        "security_compliance.signed-off",
        "security_compliance",
        "Has compliance signed off, where the product is regulated?",
        owners.compliance,
        _signed_off,
        "Get the sign-off in writing before the plan is approved.",
        weight=4,
    ),
)
