"""One label and one question per fact, so that every room cites and asks for it in the same words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any

from rollway.facts.fact import Fact
from rollway.facts.model import Release


@dataclass(frozen=True, slots=True)
class Wording:
    """How a fact is named in a sentence, and how it is asked for."""

    label: str
    question: str


WORDINGS: dict[str, Wording] = {
    path: Wording(label, question)
    for path, label, question in (
        ("release.change", "kind of change", "Is it a new increment, a replacement or a fix?"),
        ("release.size", "size", "How large is the increment?"),
        ("goals.urgency", "urgency", "How urgent is the release?"),
        ("goals.deadline", "deadline", "By which date must it be out?"),
        ("goals.deadline_fixed", "fixed date", "Is the date fixed by law, contract or event?"),
        (
            "goals.compare_results_needed",
            "comparison of old and new results needed",
            "Must the results of the old and the new version be compared?",
        ),
        (
            "goals.fast_rollback_needed",
            "fast way back needed",
            "Must there be a fast way back to the old version?",
        ),
        ("goals.outcome_uncertain", "outcome uncertain", "Is it uncertain whether users will gain from it?"),
        ("goals.user_feedback_needed", "user feedback needed", "Is feedback from users needed to go on?"),
        ("goals.user_impact_allowed", "users may notice the trial", "May users notice the trial of it?"),
        ("goals.cost_matters", "rollout cost matters", "Does the cost of the rollout itself matter?"),
        ("backlog.modular", "modular", "Can the increment be released module by module?"),
        ("done.tests.passed", "passed tests", "How many tests passed?"),
        ("done.tests.failed", "failed tests", "How many tests failed?"),
        ("done.tests.coverage", "coverage", "What share of the code do the tests cover?"),
        ("done.tests.open_severe_issues", "open severe issues", "How many severe issues are still open?"),
        ("done.tests.performance_tested", "performance tested", "Was performance tested under full load?"),
        ("done.tests.rollback_tested", "rollback tested", "Was the rollback tested from end to end?"),
        ("done.tests.rollback_duration", "rollback takes", "How long did the tested rollback take?"),
        ("done.tests.recovery_tested", "data recovery tested", "Was the recovery of data tested?"),
        ("done.tests.testability", "testability", "How far can tests reduce the risk?"),
        ("done.accepted_by", "accepted by", "Who accepted the increment?"),
        ("risks.failure_impact", "impact of a failure", "How bad would a failure be?"),
        ("risks.financial_impact", "financial impact", "How high is the financial impact?"),
        ("risks.regulated", "regulated", "Is the product regulated?"),
        ("risks.data_loss_tolerated", "data may be lost", "May any data be lost?"),
        ("risks.compliance_signed_off", "compliance signed off", "Has compliance signed off the release?"),
        ("risks.security_reviewed", "security reviewed", "Was the increment reviewed for security?"),
        ("risks.reversible", "reversible", "Can the change be taken back once it is out?"),
        ("architecture.complexity", "complexity", "How complex is the change?"),
        (
            "architecture.integration_coupling",
            "integration coupling",
            "How tightly is it coupled to other systems?",
        ),
        ("architecture.automation", "automation", "How mature is the automation of deployments?"),
        ("architecture.telemetry", "telemetry", "How mature is the telemetry?"),
        (
            "architecture.per_version_telemetry",
            "telemetry per version",
            "Is each version measured apart from the other?",
        ),
        ("architecture.feature_flags", "feature flags", "Can feature flags switch it on and off?"),
        ("architecture.traffic_split", "traffic split", "Can a share of the traffic be sent to one version?"),
        ("architecture.requests_per_second", "requests per second", "How many requests come per second?"),
        (
            "architecture.spare_capacity",
            "capacity for two environments",
            "Is there room for two full environments at peak load?",
        ),
        (
            "architecture.sessions_drain",
            "sessions drain",
            "Do sessions, jobs and queues drain by themselves?",
        ),
        (
            "architecture.all_switch_together",
            "all must switch together",
            "Must all parties switch at the same instant?",
        ),
        (
            "architecture.work_drains_naturally",
            "work drains naturally",
            "Does open work run out in the old system by itself?",
        ),
        (
            "architecture.vendor_procedure_fixed",
            "upgrade procedure fixed by the vendor",
            "Does a vendor fix how the upgrade is done?",
        ),
        ("architecture.hardware_install", "installation on site", "Must something be installed on site?"),
        ("stakeholders.groups_alike", "groups alike", "Are the sites or groups of users alike?"),
        ("stakeholders.sites", "sites", "How many sites get the release?"),
        ("stakeholders.users", "users", "How many users get the release?"),
        ("stakeholders.users_external", "users outside the house", "Are the users outside the organisation?"),
        ("stakeholders.training_needed", "training needed", "Do users need training?"),
        ("stakeholders.training_load", "training load", "How much training do users need?"),
        ("stakeholders.communication_ready", "communication ready", "Are the messages to users ready?"),
        ("stakeholders.support_capacity", "support capacity", "How much can support carry?"),
        ("stakeholders.support_briefed", "support briefed", "Has the support desk been briefed?"),
        ("agreements.window_duration", "change window", "How long is the change window?"),
        ("agreements.downtime_tolerated", "downtime tolerated", "How much downtime is tolerated?"),
        ("agreements.peak_season", "busiest season", "Does it fall into the busiest season?"),
        ("migration.needed", "data migration needed", "Must data be migrated?"),
        (
            "migration.backward_compatible",
            "backward compatible",
            "Can the old and the new version read each other's data and interfaces?",
        ),
        ("migration.reversible", "migration reversible", "Can the migration be undone?"),
        ("migration.rehearsed", "migration rehearsed", "Was the migration rehearsed?"),
        ("migration.duration", "migration takes", "How long did the rehearsed migration take?"),
        ("migration.complexity", "migration complexity", "How complex is the migration?"),
        (
            "migration.schema_separable",
            "schema separable from code",
            "Can the schema change be rolled out apart from the code?",
        ),
        (
            "migration.old_kept_running",
            "old system kept running",
            "Does the old system stay in use beside the new one for a time?",
        ),
        (
            "migration.dual_run_feasible",
            "dual run feasible",
            "Can both systems do the same work side by side?",
        ),
        (
            "migration.side_effects_suppressed",
            "double side effects suppressed",
            "Are payments, messages and orders kept from happening twice?",
        ),
        (
            "migration.reconciliation_rules",
            "reconciliation rules",
            "Are there rules for reconciling the results of both systems?",
        ),
        ("migration.parallel_exit_rule", "exit rule of the parallel run", "When does the parallel run end?"),
    )
}


LIST_QUESTIONS: dict[str, str] = {
    "kpis": "Which KPIs decide about going on, and where do their numbers come from?",
    "backlog.items": "Which stories are in the increment, and which are accepted?",
    "done.criteria": "What does the Definition of Done ask for, and what of it is met?",
    "architecture.environments": "Through which environments does the release go?",
    "architecture.third_parties": "Which integrations, licences and suppliers must be in step?",
    "stakeholders.groups": "Which groups get the release, and which of them stands for the rest?",
    "stakeholders.support_contact": "Whom do users turn to?",
    "agreements.freezes": "On which days may nothing change?",
    "risks.items": "What may go wrong, who looks after it, and what is done about it?",
    "agreements.service_levels": "Which service levels hold, and how much error budget is left?",
    "agreements.approvers": "Who approves?",
    "agreements.operators": "Who may hold, resume and roll back?",
    "goals.objective": "What is the release for?",
    "release.prepared_by": "Who prepares the plan?",
}


def fact_at(release: Release, path: str) -> Fact[Any]:
    """The fact at a dotted path of the release file, such as `risks.regulated`."""
    fact: Fact[Any] = _finder(path)(release)
    return fact


@cache
def _finder(path: str) -> Callable[[Release], Any]:
    return attrgetter(path)


def cite(release: Release, *paths: str) -> str:
    """Each fact's label, value and source: `regulated: yes (release.yaml:21), sites: 840 (…)`."""
    return ", ".join(f"{WORDINGS[path].label}: {fact_at(release, path).quote()}" for path in paths)


def ask_for(path: str) -> str:
    """The question that would settle a fact or a list, with the place where the answer belongs."""
    question = WORDINGS[path].question if path in WORDINGS else LIST_QUESTIONS[path]
    return f"{question} ({path})"
