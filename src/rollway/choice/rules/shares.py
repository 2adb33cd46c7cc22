"""Small shares of users: arguments that only count where something is said of the machinery for them."""

from __future__ import annotations

from rollway.choice.condition import AtLeast, Given, all_of, any_of, is_, yes
from rollway.choice.rules.factors import BUSY
from rollway.choice.rules.rule import Rule

MACHINERY = any_of(
    is_("architecture.automation", "high"),
    is_("architecture.telemetry", "high"),
    yes("architecture.per_version_telemetry"),
    yes("architecture.feature_flags"),
    yes("architecture.traffic_split"),
    AtLeast("architecture.requests_per_second", BUSY),
)
"""Without any of it a small share can neither be cut out nor be seen, and what it would show is hearsay."""


def with_machinery(rule: Rule) -> Rule:
    """The same rule, for releases of which some of the machinery is stated."""
    return Rule(
        rule.id,
        f"{rule.title}, and small shares can be dealt out or watched",
        all_of(rule.holds, Given(MACHINERY)),
    )
