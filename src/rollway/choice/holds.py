"""Right method, wrong week: V12 to V17, which stop a date or a wave, but no method."""

from __future__ import annotations

from rollway.choice.actions import WIDEN_WINDOW
from rollway.choice.condition import Seen, any_of, is_, no, yes
from rollway.choice.hard_rule import demand, veto
from rollway.choice.model import Action, VetoResult
from rollway.facts.model import Release
from rollway.readiness import Answer
from rollway.readiness.checks.cutover import long_enough
from rollway.readiness.checks.data import parties_ready
from rollway.readiness.checks.people import users_trained

_DEADLINE, _LEVELS = "goals.deadline", "agreements.service_levels"
_APPROVERS = "agreements.approvers"


def _decider_named(release: Release) -> Answer:
    names = ", ".join(release.agreements.approvers)
    told = f"who decides: {names or 'nobody is named'} ({_APPROVERS})"
    return Answer(bool(names) or None, told, () if names else (_APPROVERS,))


def _outside_freezes(release: Release) -> Answer:
    day, freezes = release.goals.deadline.value, release.agreements.freezes
    if day is None:
        return Answer(None, "date: not stated (goals.deadline)", (_DEADLINE,))
    hit = [freeze for freeze in freezes if freeze.first <= day <= freeze.last]
    told = f"{day} falls into a freeze: {hit[0].reason or hit[0].first}" if hit else f"{day} is free"
    return Answer(not hit, f"{told} (agreements.freezes)")


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


def _budget_left(release: Release) -> Answer:
    shares = [level.error_budget_left for level in release.agreements.service_levels]
    spent = [
        level.name
        for level in release.agreements.service_levels
        if level.error_budget_left is not None and level.error_budget_left <= 0
    ]
    if spent:
        return Answer(False, f"error budget spent: {', '.join(spent)} ({_LEVELS})")
    if not shares or None in shares:
        return Answer(None, f"error budget left: not stated ({_LEVELS})", (_LEVELS,))
    return Answer(True, f"error budget is left ({_LEVELS})")


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
            any_of(yes("risks.reversible"), Seen("decider named", _decider_named, (_APPROVERS,))),
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
            Seen("outside freezes", _outside_freezes, (_DEADLINE,)),
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
            any_of(is_("release.change", "fix"), Seen("budget left", _budget_left, (_LEVELS,))),
            _do("wait-for-budget", "Wait until the error budget has recovered", 20),
        ),
    ),
)


def holds_of(release: Release) -> tuple[VetoResult, ...]:
    """The rules that are violated or open for this release; satisfied ones are left out."""
    found = (hold.check(release) for hold in HOLDS)
    return tuple(result for result in found if result.state != "satisfied")
