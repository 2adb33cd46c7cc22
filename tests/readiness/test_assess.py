"""The readiness review."""

from __future__ import annotations

import pytest

from rollway.choice import choose
from rollway.facts.model import Release
from rollway.readiness import AREAS, WORDINGS, Check, assess
from rollway.readiness.wording import LIST_QUESTIONS
from support.releases import release_with

ERRORS = {"name": "errors", "kind": "rate", "signal": {"type": "scrape"}}

SLOW = {
    "name": "latency",
    "kind": "latency",
    "limit": 0.1,
    "limit_seconds": 1,
    "signal": {"type": "scrape"},
}
GRAVE = {"id": "R-1", "title": "slow", "impact": "critical"}
FREEZE = {"first": "2026-12-18", "last": "2027-01-04", "reason": "end of the year"}


def _check(release: Release, id_: str) -> Check:
    return next(check for check in assess(release).checks if check.id == id_)


# One row per check: facts that make it ok, and facts that make it a gap (None: it knows no gap).
ROWS = {
    "scope.objective": ({"goals": {"objective": "faster tills"}}, None),
    "scope.kpis": ({"kpis": [ERRORS]}, {"kpis": [{**ERRORS, "say": "watch"}]}),
    "scope.audience": ({"stakeholders": {"users": 40}}, {"stakeholders": {"users": 0}}),
    "scope.notes": (
        {"backlog": {"items": [{"id": "A", "title": "a", "touches": ["ui"], "note_for_users": "New."}]}},
        {"backlog": {"items": [{"id": "A", "title": "a", "touches": ["ui"]}]}},
    ),
    "acceptance.stories": (
        {"backlog": {"items": [{"id": "A", "title": "a", "accepted": True}]}},
        {"backlog": {"items": [{"id": "A", "title": "a", "accepted": False}]}},
    ),
    "acceptance.definition-of-done": (
        {"done": {"criteria": [{"text": "reviewed", "met": True}]}},
        {"done": {"criteria": [{"text": "reviewed", "met": False}]}},
    ),
    "acceptance.signed": ({"done": {"accepted_by": "Ines"}}, {"done": {"accepted_by": " "}}),
    "tests.failed": ({"done": {"tests": {"failed": 0}}}, {"done": {"tests": {"failed": 2}}}),
    "tests.ran": ({"done": {"tests": {"passed": 12}}}, {"done": {"tests": {"passed": 0}}}),
    "tests.severe-issues": (
        {"done": {"tests": {"open_severe_issues": 0}}},
        {"done": {"tests": {"open_severe_issues": 1}}},
    ),
    "tests.rollback": (
        {"done": {"tests": {"rollback_tested": True}}},
        {"done": {"tests": {"rollback_tested": False}}},
    ),
    "tests.rollback-timed": ({"done": {"tests": {"rollback_duration": "3m"}}}, None),
    "tests.recovery": (
        {"migration": {"needed": True}, "done": {"tests": {"recovery_tested": True}}},
        {"migration": {"needed": True}, "done": {"tests": {"recovery_tested": False}}},
    ),
    "performance.tested": (
        {"done": {"tests": {"performance_tested": True}}},
        {"done": {"tests": {"performance_tested": False}}},
    ),
    "performance.load": ({"architecture": {"requests_per_second": 40}}, None),
    "performance.capacity": (
        {"architecture": {"spare_capacity": True}},
        {"architecture": {"spare_capacity": False}},
    ),
    "performance.watched": ({"kpis": [SLOW]}, {"kpis": [{**SLOW, "say": "watch"}]}),
    "performance.error-budget": (
        {"agreements": {"service_levels": [{"name": "up", "objective": "99.9%", "error_budget_left": 0.4}]}},
        {
            "release": {"name": "till", "version": "2", "change": "new_increment"},
            "agreements": {"service_levels": [{"name": "up", "objective": "99.9%", "error_budget_left": 0}]},
        },
    ),
    "integration.telemetry": (
        {"architecture": {"per_version_telemetry": True}},
        {"architecture": {"per_version_telemetry": False}},
    ),
    "integration.monitoring": (
        {"architecture": {"telemetry": "medium"}},
        {"architecture": {"telemetry": "low"}},
    ),
    "integration.automation": (
        {"architecture": {"automation": "high"}},
        {"architecture": {"automation": "low"}},
    ),
    "integration.environments": ({"architecture": {"environments": ["test", "live"]}}, None),
    "data_migration.needed": ({"migration": {"needed": False}}, None),
    "data_migration.compatible": (
        {"migration": {"backward_compatible": True}},
        {"migration": {"backward_compatible": False}},
    ),
    "data_migration.rehearsed": (
        {"migration": {"needed": True, "rehearsed": True}},
        {"migration": {"needed": True, "rehearsed": False}},
    ),
    "data_migration.way-back": (
        {"migration": {"needed": True, "reversible": True}},
        {
            "migration": {"needed": True, "reversible": False},
            "done": {"tests": {"recovery_tested": False}},
        },
    ),
    "data_migration.timed": ({"migration": {"needed": True, "duration": "2h"}}, None),
    "data_migration.reconciled": (
        {"migration": {"needed": True, "reconciliation_rules": True}},
        {"migration": {"needed": True, "reconciliation_rules": False}},
    ),
    "external_dependencies.ready": (
        {"architecture": {"third_parties": [{"name": "Card network", "ready": True}]}},
        {"architecture": {"third_parties": [{"name": "Card network", "ready": False}]}},
    ),
    "external_dependencies.valid": (
        {
            "goals": {"deadline": "2027-03-01"},
            "architecture": {
                "third_parties": [{"name": "DB", "kind": "licence", "valid_until": "2027-12-31"}]
            },
        },
        {
            "goals": {"deadline": "2027-03-01"},
            "architecture": {
                "third_parties": [{"name": "DB", "kind": "licence", "valid_until": "2027-02-28"}]
            },
        },
    ),
    "training.done": (
        {"stakeholders": {"training_needed": True, "groups": [{"name": "Leeds", "training_done": 0.85}]}},
        {"stakeholders": {"training_needed": True, "groups": [{"name": "Leeds", "training_done": 0.84}]}},
    ),
    "training.informed": (
        {"stakeholders": {"groups": [{"name": "Leeds", "informed": True}]}},
        {"stakeholders": {"groups": [{"name": "Leeds", "informed": False}]}},
    ),
    "training.communication": (
        {"stakeholders": {"communication_ready": True}},
        {"stakeholders": {"communication_ready": False}},
    ),
    "support.briefed": (
        {"stakeholders": {"support_briefed": True}},
        {"stakeholders": {"support_briefed": False}},
    ),
    "support.capacity": (
        {"stakeholders": {"support_capacity": "medium"}},
        {"stakeholders": {"support_capacity": "low"}},
    ),
    "support.stand-in": (
        {"agreements": {"operators": ["Kim", "Ada"]}},
        {"agreements": {"operators": ["Kim", "Kim"]}},
    ),
    "support.contact": ({"stakeholders": {"support_contact": "desk@example.org"}}, None),
    "security_compliance.reviewed": (
        {"risks": {"security_reviewed": True}},
        {"risks": {"security_reviewed": False}},
    ),
    "security_compliance.risks": (
        {"risks": {"items": [{**GRAVE, "owner": "jo", "response": "switch it off"}]}},
        {"risks": {"items": [{**GRAVE, "owner": "jo"}]}},
    ),
    "security_compliance.classified": ({"risks": {"regulated": True}}, None),
    "security_compliance.signed-off": (
        {"risks": {"regulated": True, "compliance_signed_off": True}},
        {"risks": {"regulated": True, "compliance_signed_off": False}},
    ),
    "cutover.window": ({"agreements": {"windows": [{"opens": "20:00", "closes": "23:00"}]}}, None),
    "cutover.window-fits": (
        {"migration": {"needed": True, "duration": "2h"}, "agreements": {"window_duration": "3h"}},
        {"migration": {"needed": True, "duration": "2h"}, "agreements": {"window_duration": "2h59m"}},
    ),
    "cutover.rollback-fits": (
        {"done": {"tests": {"rollback_duration": "20m"}}, "agreements": {"window_duration": "3h"}},
        {"done": {"tests": {"rollback_duration": "4h"}}, "agreements": {"window_duration": "3h"}},
    ),
    "cutover.downtime": ({"agreements": {"downtime_tolerated": "none"}}, None),
    "cutover.freezes": (
        {"agreements": {"freezes": [FREEZE]}, "goals": {"deadline": "2026-12-17"}},
        {"agreements": {"freezes": [FREEZE]}, "goals": {"deadline": "2026-12-18"}},
    ),
    "cutover.approvers": (
        {"agreements": {"approvers": ["Ines"]}},
        {"agreements": {"approvers": ["Ines"], "approvals_required": 2}},
    ),
    "cutover.operators": ({"agreements": {"operators": ["Kim"]}}, None),
    "cutover.decider": ({"agreements": {"approvers": ["Ines"]}}, None),
}


def test_the_rows_below_cover_every_check() -> None:
    """No check goes untested, and every area has at least one."""
    checks = assess(release_with()).checks
    assert [check.id for check in checks] == list(dict.fromkeys(check.id for check in checks))
    assert {check.id for check in checks} == set(ROWS)
    assert {check.area for check in checks} == set(AREAS)


@pytest.mark.parametrize("id_", ROWS)
def test_each_check_is_ok_by_its_facts_and_a_gap_by_their_opposite(id_: str) -> None:
    """Good facts make it ok without a remedy; bad ones make it a gap with one."""
    good, bad = ROWS[id_]
    assert (_check(release_with(**good), id_).state, _check(release_with(**good), id_).remedy) == ("ok", "")
    if bad is not None:
        gap = _check(release_with(**bad), id_)
        assert gap.state == "gap"
        assert gap.remedy


def test_without_facts_every_check_is_unknown_and_names_what_would_settle_it() -> None:
    """An absent fact is never a no: nothing is ok, nothing a gap, and no area has a score."""
    review = assess(release_with())
    assert {check.state for check in review.checks} == {"unknown"}
    assert all(check.fact in WORDINGS or check.fact in LIST_QUESTIONS for check in review.checks)
    assert set(review.scores.values()) == {None}
    assert review.unknowns == review.checks


def test_a_score_counts_only_what_is_settled() -> None:
    """Two checks ok and one gap are two thirds, whatever is unknown beside them."""
    tests = {"failed": 0, "open_severe_issues": 0, "rollback_tested": False}
    review = assess(release_with(done={"tests": tests}))
    assert review.scores["tests"] == pytest.approx(2 / 3)
    assert review.scores["support"] is None
    assert [gap.id for gap in review.gaps] == ["tests.rollback"]


def test_what_does_not_apply_is_ok_and_says_why() -> None:
    """Without migration, regulation and training their checks are settled by the fact that says so."""
    release = release_with(
        {"migration.needed": False, "risks.regulated": False, "stakeholders.training_needed": False}
    )
    for id_, evidence in (
        ("tests.recovery", "data migration needed: no (facts.yaml:migration.needed)"),
        ("cutover.window-fits", "data migration needed: no (facts.yaml:migration.needed)"),
        ("security_compliance.signed-off", "regulated: no (facts.yaml:risks.regulated)"),
        ("training.done", "training needed: no (facts.yaml:stakeholders.training_needed)"),
    ):
        check = _check(release, id_)
        assert (check.state, check.evidence) == ("ok", evidence)


def test_a_fix_may_go_out_without_error_budget() -> None:
    """An exhausted budget stops new things, not the release that mends the service."""
    levels = [{"name": "up", "objective": "99.9%", "error_budget_left": 0}]
    release = release_with(release={"name": "till", "version": "2", "change": "fix"})
    fix = release.model_copy(
        update={"agreements": release_with(agreements={"service_levels": levels}).agreements}
    )
    assert _check(fix, "performance.error-budget").state == "ok"


def test_a_spent_budget_is_open_until_somebody_says_whether_this_is_the_fix() -> None:
    """What kind of change it is was not stated, and not stated is no "no"."""
    levels = [{"name": "up", "objective": "99.9%", "error_budget_left": 0}]
    check = _check(release_with(agreements={"service_levels": levels}), "performance.error-budget")
    assert (check.state, check.fact) == ("unknown", "release.change")


def test_users_that_nobody_counted_are_not_counted_as_none() -> None:
    """Groups without a figure say that they have none."""
    groups = [{"name": "York"}, {"name": "Leeds", "users": 40}]
    told = [
        _check(release_with(stakeholders={"groups": groups[:count]}), "scope.audience").evidence
        for count in (1, 2)
    ]
    assert told == [
        "1 group, users in them: not stated (stakeholders.groups)",
        "2 groups, users in them: 40, not stated for 1 of them (stakeholders.groups)",
    ]


def test_the_stated_share_of_trained_users_is_the_one_that_counts() -> None:
    """The plan gates a wave by `training_minimum`, and the review says the same of it."""
    people = {"training_needed": True, "groups": [{"name": "York", "training_done": 0.7}]}
    check = _check(release_with(stakeholders={**people, "training_minimum": 0.6}), "training.done")
    assert check.state == "ok"
    assert "groups trained to 60% or more" in check.evidence
    assert _check(release_with(stakeholders=people), "training.done").state == "gap"


def test_the_review_and_the_hard_rule_agree_on_whether_the_rollback_fits() -> None:
    """The quarter of an hour to decide counts in both."""
    facts = {"done.tests.rollback_tested": True, "migration.needed": False}
    facts |= {"done.tests.rollback_duration": "50m", "agreements.window_duration": "1h"}
    facts |= {"agreements.downtime_tolerated": "short"}
    release = release_with(facts)
    assert _check(release, "cutover.rollback-fits").state == "gap"
    assert {veto.id: veto.state for veto in choose(release).of("big_bang").vetoes}["V1"] == "violated"


def test_a_freeze_is_not_missed_by_a_date_that_nobody_has_stated() -> None:
    """The freezes are known and the day is not: open, and the day is asked for."""
    freezes = [{"first": "2026-12-18", "last": "2027-01-04"}]
    check = _check(release_with(agreements={"freezes": freezes}), "cutover.freezes")
    assert (check.state, check.fact) == ("unknown", "goals.deadline")


def test_the_one_who_prepares_does_not_count_as_approver() -> None:
    """Two approvals need two approvers besides the author."""
    release = release_with(
        release={"name": "till", "version": "2", "prepared_by": "Ines"},
        agreements={"approvers": ["Ines", "Omar"], "approvals_required": 2},
    )
    assert _check(release, "cutover.approvers").state == "gap"


def test_groups_short_of_training_are_named() -> None:
    """The evidence says who is short of it, and of whom nobody has said anything."""
    groups = [
        {"name": "Leeds", "training_done": 1.0},
        {"name": "York", "training_done": 0.4},
        {"name": "Hull"},
    ]
    release = release_with(stakeholders={"training_needed": True, "groups": groups})
    evidence = _check(release, "training.done").evidence
    assert "1 of 3" in evidence
    assert "not: York (40%)" in evidence
    assert "not stated: Hull" in evidence


def test_hundreds_of_groups_do_not_flood_the_evidence() -> None:
    """Five are named, the rest are counted."""
    groups = [{"name": f"shop {i}", "informed": False} for i in range(840)]
    evidence = _check(release_with(stakeholders={"groups": groups}), "training.informed").evidence
    assert evidence.endswith("shop 4 and 835 more")


def test_people_named_in_the_file_own_their_checks() -> None:
    """An owner is a role, with the people whom the file names for it."""
    release = release_with(agreements={"operators": ["Kim", "Ada"]})
    assert _check(release, "integration.telemetry").owner == "operations (Kim, Ada)"
    assert _check(release, "tests.failed").owner == "Scrum Team"


def test_the_next_question_is_about_what_blocks_a_method_first() -> None:
    """The tested rollback is asked for first; once everything that blocks a method is known, dates follow."""
    first = assess(release_with()).next_question
    assert first is not None
    assert first.id == "tests.rollback"
    known = {
        "done.tests.rollback_tested": True,
        "done.tests.recovery_tested": True,
        "migration.backward_compatible": False,
        "architecture.per_version_telemetry": True,
        "stakeholders.users": 12,
        "migration.needed": False,
        "risks.regulated": False,
        "agreements.downtime_tolerated": "none",
    }
    later = assess(release_with(known, kpis=[ERRORS])).next_question
    assert later is not None
    assert later.blocks == "date"


def test_a_complete_and_good_release_leaves_no_question() -> None:
    """When every check is ok there is no gap, no next question, and every score is 1."""
    merged: dict[str, dict[str, object]] = {}
    for good, _ in ROWS.values():
        for section, body in good.items():
            if section == "kpis":
                continue
            for key, value in body.items():
                known = merged.setdefault(section, {})
                known[key] = {**known[key], **value} if isinstance(known.get(key), dict) else value
    merged["migration"] = {
        "needed": True,
        "backward_compatible": True,
        "reversible": True,
        "rehearsed": True,
        "duration": "2h",
        "reconciliation_rules": True,
    }
    merged["goals"]["deadline"] = "2027-03-01"
    merged["architecture"]["third_parties"] = [
        {"name": "DB", "kind": "licence", "ready": True, "valid_until": "2027-12-31"}
    ]
    merged["agreements"]["operators"] = ["Kim", "Ada"]
    merged["stakeholders"]["groups"] = [{"name": "Leeds", "training_done": 1, "informed": True}]
    merged["backlog"]["items"] = [
        {"id": "A", "title": "a", "accepted": True, "touches": ["ui"], "note_for_users": "New."}
    ]
    review = assess(release_with(kpis=[ERRORS, SLOW], **merged))
    assert (review.gaps, review.unknowns, review.next_question) == ((), (), None)
    assert set(review.scores.values()) == {1.0}
