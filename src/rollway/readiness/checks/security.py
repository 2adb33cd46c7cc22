"""Security and compliance: was it reviewed, and has it been signed off where it must be?"""

from __future__ import annotations

from rollway.facts.model import Release
from rollway.readiness import owners
from rollway.readiness.answer import Answer, either, no, yes
from rollway.readiness.probe import Probe, asked_for


def _signed_off(release: Release) -> Answer:
    return either(no(release, "risks.regulated"), yes(release, "risks.compliance_signed_off"))


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
        "security_compliance.signed-off",
        "security_compliance",
        "Has compliance signed off, where the product is regulated?",
        owners.compliance,
        _signed_off,
        "Get the sign-off in writing before the plan is approved.",
        weight=4,
    ),
)
