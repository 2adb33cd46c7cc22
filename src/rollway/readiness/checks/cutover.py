"""Cutover: is there a window, is it long enough, and are the people named who decide and act?"""

from __future__ import annotations

from datetime import timedelta

from rollway.facts.model import Release
from rollway.readiness import owners
from rollway.readiness.answer import Answer, asks, either, no, yes
from rollway.readiness.probe import Probe
from rollway.readiness.window import cite_window, fits_window, window_length
from rollway.readiness.wording import cite

REHEARSAL_FACTOR = 1.5  # a real cutover takes longer than its rehearsal
DECISION_TIME = timedelta(minutes=15)  # from the first alarm to somebody's "back"


def _window_known(release: Release) -> Answer:
    known = window_length(release) is not None
    return Answer(known or None, cite_window(release), () if known else ("agreements.window_duration",))


def long_enough(release: Release) -> Answer:
    """Whether the rehearsed migration, times 1.5, fits into the change window."""
    fits = fits_window(release, "migration.duration", factor=REHEARSAL_FACTOR)
    return either(no(release, "migration.needed"), fits)


def rollback_fits(release: Release) -> Answer:
    """Whether the tested rollback, and the time to decide on it, fit into the change window."""
    return fits_window(release, "done.tests.rollback_duration", extra=DECISION_TIME)


def _clear_of_freezes(release: Release) -> Answer:
    """Whether the freezes are known, and the deadline lies in none of them."""
    freezes, day = release.agreements.freezes, release.goals.deadline.value
    where = "agreements.freezes"
    if not freezes:
        return Answer(None, f"freezes: none stated ({where})", (where,))
    told = f"freezes: {len(freezes)} stated ({where}), {cite(release, 'goals.deadline')}"
    if day is None:
        return Answer(None, told, ("goals.deadline",))
    met = [freeze for freeze in freezes if freeze.first <= day <= freeze.last]
    spans = ", ".join(f"{one.first} to {one.last} ({one.reason or 'freeze'})" for one in met[:3])
    return Answer(not met, f"{told}; inside {spans}" if met else told)


def _approvers(release: Release) -> Answer:
    agreed = release.agreements
    told = f"approvers: {', '.join(agreed.approvers) or 'none named'}, needed: {agreed.approvals_required}"
    evidence = f"{told} (agreements.approvers)"
    if not agreed.approvers:
        return Answer(None, evidence, ("agreements.approvers",))
    others = set(agreed.approvers) - {release.release.prepared_by}
    return Answer(len(others) >= agreed.approvals_required, evidence)


def _operators(release: Release) -> Answer:
    names, where = ", ".join(release.agreements.operators), "agreements.operators"
    return Answer(
        bool(names) or None, f"operators: {names or 'none named'} ({where})", () if names else (where,)
    )


def decider_named(release: Release) -> Answer:
    """Whether somebody is named who decides at the point of no return, where there is one."""
    names, where = ", ".join(release.agreements.approvers), "agreements.approvers"
    decider = Answer(
        bool(names) or None, f"deciders: {names or 'none named'} ({where})", () if names else (where,)
    )
    return either(yes(release, "risks.reversible"), decider)


PROBES = (
    Probe(
        "cutover.window",
        "cutover",
        "Is it known when a change may happen?",
        owners.release_manager,
        _window_known,
        "Agree the change windows, and write them under agreements.windows.",
        weight=2,
    ),
    Probe(
        "cutover.window-fits",
        "cutover",
        "Is the window one and a half times as long as the rehearsed migration?",
        owners.release_manager,
        long_enough,
        "Get a longer window, or move less data at a time.",
        weight=3,
    ),
    Probe(
        "cutover.rollback-fits",
        "cutover",
        "Does the tested rollback, with a quarter of an hour to decide on it, fit into the window?",
        owners.release_manager,
        rollback_fits,
        "Get a longer window, or a quicker way back.",
        weight=2,
    ),
    Probe(
        "cutover.downtime",
        "cutover",
        "Is it agreed how much downtime users accept?",
        owners.business_owner,
        lambda release: asks(release, "agreements.downtime_tolerated", lambda _: True),
        "Agree it with the business, and write it under agreements.downtime_tolerated.",
        blocks="method",
        weight=2,
    ),
    Probe(
        "cutover.freezes",
        "cutover",
        "Are the freezes known, and does the deadline keep clear of them?",
        owners.release_manager,
        _clear_of_freezes,
        "Import the change calendar (rollway import freezes.ics), and move the day out of the freeze.",
        weight=2,
    ),
    Probe(
        "cutover.approvers",
        "cutover",
        "Are enough approvers named who did not prepare the plan?",
        owners.business_owner,
        _approvers,
        "Name them under agreements.approvers.",
        weight=3,
    ),
    Probe(
        "cutover.operators",
        "cutover",
        "Is it named who may hold, resume and roll back?",
        owners.operations,
        _operators,
        "Name them under agreements.operators.",
        weight=2,
    ),
    Probe(
        "cutover.decider",
        "cutover",
        "Is somebody named who decides at the point of no return?",
        owners.business_owner,
        decider_named,
        "Name who decides, or make the change reversible.",
    ),
)
