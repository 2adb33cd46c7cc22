"""Right method, wrong week: V12 to V17, which stop a date or a wave, but no method."""

from __future__ import annotations

from rollway.choice.actions import WIDEN_WINDOW
from rollway.choice.condition import Seen, no, yes
from rollway.choice.hard_rule import demand, veto
from rollway.choice.model import Action, VetoResult
from rollway.facts.model import Release
from rollway.readiness import Answer
from rollway.readiness.checks.cutover import decider_named, long_enough
from rollway.readiness.checks.data import parties_ready
from rollway.readiness.checks.people import users_trained
from rollway.readiness.checks.tests import budget_left

_DEADLINE, _FREEZES = "goals.deadline", "agreements.freezes"


def _outside_freezes(release: Release) -> Answer:
    day, freezes = release.goals.deadline.value, release.agreements.freezes
    if not freezes:
        return Answer(None, f"freezes: none stated ({_FREEZES})", (_FREEZES,))
    if day is None:
        return Answer(None, f"date: not stated ({_DEADLINE})", (_DEADLINE,))
    hit = [freeze for freeze in freezes if freeze.first <= day <= freeze.last]
    told = f"{day} falls into a freeze: {hit[0].reason or hit[0].first}" if hit else f"{day} is free"
    return Answer(not hit, f"{told} ({_FREEZES})")


def _others_valid(release: Release) -> Answer:
    day = release.goals.deadline.value
    dated = [party for party in release.architecture.third_parties if party.valid_from or party.valid_until]
    if not dated:
        return Answer(True, "no third party has dates (architecture.third_parties)")
    if day is None:
        return Answer(None, "date: not stated (goals.deadline)", (_DEADLINE,))
    out = [
        party.name
        for party in dated
        if (party.valid_from and party.valid_from > day) or (party.valid_until and party.valid_until < day)
    ]
    told = f"not valid on {day}: {', '.join(out)}" if out else f"all valid on {day}"
    return Answer(not out, f"{told} (architecture.third_parties)")


def _do(id_: str, does: str, days: float) -> Action:
    return Action(id_, does, days)


HOLDS = (
    veto(
        "V12",
        "The rehearsed migration, times one and a half, fits into the change window",
        demand(Seen("window long enough", long_enough), WIDEN_WINDOW),
    ),
    veto(
        "V13",
        "What cannot be taken back has a named decider at its point of no return",
        demand(
            Seen("decider named", decider_named, ("risks.reversible", "agreements.approvers")),
            _do("name-decider", "Name who decides at the point of no return", 0.5),
        ),
    ),
    veto(
        "V14",
        "Third parties, licences and contracts are ready and valid on the day",
        demand(
            Seen("third parties ready", parties_ready),
            _do("align-parties", "Get each party's word with a date, and go after the latest", 10),
        ),
        demand(
            Seen("third parties valid", _others_valid),
            _do("extend-contracts", "Extend what runs out, or move the day", 10),
        ),
    ),
    veto(
        "V15",
        "The date lies outside freezes and the busiest season",
        demand(
            no("agreements.peak_season"),
            _do("leave-peak", "Move the date out of the busiest season", 30),
        ),
        demand(
            Seen("outside freezes", _outside_freezes, (_FREEZES, _DEADLINE)),
            _do("leave-freeze", "Move the date, or have the exception approved", 5),
        ),
    ),
    veto(
        "V16",
        "The users of the first wave are trained, and the support desk is briefed",
        demand(
            Seen("users trained", users_trained),
            _do("train", "Train the groups that are short of it before their wave", 10),
        ),
        demand(
            yes("stakeholders.support_briefed"),
            _do("brief-support", "Brief the support desk with the runbook and the known issues", 1),
        ),
    ),
    veto(
        "V17",
        "Error budget is left, or the release mends what spent it",
        demand(
            Seen("budget left", budget_left, ("release.change", "agreements.service_levels")),
            _do("wait-for-budget", "Wait until the error budget has recovered", 20),
        ),
    ),
)


def holds_of(release: Release) -> tuple[VetoResult, ...]:
    """The rules that are violated or open for this release; satisfied ones are left out."""
    found = (hold.check(release) for hold in HOLDS)
    return tuple(result for result in found if result.state != "satisfied")
