"""Training and support: are the users prepared, and is somebody there when they ask?"""

from __future__ import annotations

from rollway.facts.model import Release
from rollway.readiness import owners
from rollway.readiness.answer import Answer, asks, either, no, yes
from rollway.readiness.probe import Probe, asked_for, over_rows

TRAINED_ENOUGH = 0.85  # the share of a group that must be trained before its wave, where none is stated
_GROUPS = "stakeholders.groups"


def users_trained(release: Release) -> Answer:
    """Whether every group has enough trained users, or needs no training."""
    stated = release.stakeholders.training_minimum
    enough = TRAINED_ENOUGH if stated is None else stated
    rows = (
        (
            group.name if group.training_done is None else f"{group.name} ({group.training_done:.0%})",
            None if group.training_done is None else group.training_done >= enough,
        )
        for group in release.stakeholders.groups
    )
    trained = over_rows(_GROUPS, f"groups trained to {enough:.0%} or more", rows)
    return either(no(release, "stakeholders.training_needed"), trained)


def groups_informed(release: Release) -> Answer:
    """Whether every group has been told."""
    groups = release.stakeholders.groups
    return over_rows(_GROUPS, "groups informed", ((group.name, group.informed) for group in groups))


def _stand_in(release: Release) -> Answer:
    """Whether two people at least may hold, resume and roll back, so that one can be away."""
    operators, where = dict.fromkeys(release.agreements.operators), "agreements.operators"
    told = f"operators: {', '.join(operators) or 'none named'} ({where})"
    return Answer(len(operators) > 1, told) if operators else Answer(None, told, (where,))


def _contact(release: Release) -> Answer:
    contact, where = release.stakeholders.support_contact, "stakeholders.support_contact"
    if contact:
        return Answer(True, f"support contact: {contact} ({where})")
    return Answer(None, f"support contact: none stated ({where})", (where,))


PROBES = (
    Probe(
        "training.done",
        "training",
        "Is every group trained, where training is needed?",
        owners.training_lead,
        users_trained,
        "Train the groups that are short of it before their wave starts.",
        weight=2,
    ),
    Probe(
        "training.informed",
        "training",
        "Has every group been told what changes for it, and when?",
        owners.training_lead,
        groups_informed,
        "Send the announcement to the groups that have not had it.",
    ),
    Probe(
        "training.communication",
        "training",
        asked_for("stakeholders.communication_ready"),
        owners.training_lead,
        lambda release: yes(release, "stakeholders.communication_ready"),
        "Write the messages for before, during, delay, rollback and all clear.",
    ),
    Probe(
        "support.briefed",
        "support",
        asked_for("stakeholders.support_briefed"),
        owners.support_lead,
        lambda release: yes(release, "stakeholders.support_briefed"),
        "Brief the support desk with the runbook and the known issues.",
        weight=2,
    ),
    Probe(
        "support.capacity",
        "support",
        "Can support carry the questions that will come?",
        owners.support_lead,
        lambda release: asks(release, "stakeholders.support_capacity", lambda level: level != "low"),
        "Add people for the first days, or make the waves smaller.",
        weight=2,
    ),
    Probe(
        "support.stand-in",
        "support",
        "Can somebody stand in for the one who runs the rollout?",
        owners.operations,
        _stand_in,
        "Name a second operator, and agree who is on call.",
        blocks="nothing",
    ),
    Probe(
        "support.contact",
        "support",
        "Is it said whom users turn to?",
        owners.support_lead,
        _contact,
        "Name the contact under stakeholders.support_contact.",
        blocks="nothing",
    ),
)
