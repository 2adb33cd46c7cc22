"""Real rollouts are sequences: who goes first, how it grows from there, and what keeps it safe meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from rollway.choice.condition import AtLeast, Condition, Seen, Unless, all_of, any_of, is_, no, yes
from rollway.choice.model import MethodState, Overlay, Ranked, Shape
from rollway.facts.model import MethodName, Release
from rollway.readiness import Answer

_GROUPS = "stakeholders.groups"


def _two_groups(release: Release) -> Answer:
    count = len(release.stakeholders.groups)
    return Answer(count > 1, f"groups: {count} ({_GROUPS})")


_SEVERAL = any_of(AtLeast("stakeholders.sites", 2), Seen("two groups", _two_groups))
_LEARNING = any_of(
    yes("goals.outcome_uncertain"),
    yes("goals.user_feedback_needed"),
    is_("done.tests.testability", "low"),
    is_("risks.failure_impact", "high", "critical"),
    yes("stakeholders.groups_alike"),
)
_SPLIT = any_of(yes("architecture.feature_flags"), yes("architecture.traffic_split"))
_WATCHED = any_of(yes("architecture.per_version_telemetry"), is_("architecture.telemetry", "high"))

_BEFORE: tuple[tuple[MethodName, MethodName, Condition], ...] = (
    ("pilot", "parallel", _SEVERAL),
    ("pilot", "phased", all_of(_SEVERAL, _LEARNING)),
)
"""What may go before a method, and when."""

_AFTER: tuple[tuple[MethodName, MethodName, Condition], ...] = (
    ("pilot", "phased", _SEVERAL),
    ("canary", "phased", AtLeast("stakeholders.sites", 3)),
    ("blue_green", "canary", all_of(_SPLIT, _WATCHED)),
)
"""A method, and what may go after it (for blue-green: the way in which the switch is made)."""


def sequence_of(release: Release, chosen: Ranked, ranking: tuple[Ranked, ...]) -> tuple[MethodName, ...]:
    """The chosen method with what goes before or after it, as far as that is not blocked.

    A pilot in one of several groups is followed by waves, and so is a canary at several sites; a parallel
    run over several groups starts in one of them, and so do waves that have something to learn; where users
    can be split and watched, a blue-green switch is made share by share.
    """
    states = {one.method: one.state for one in ranking}
    for first, method, when in _BEFORE:
        if method == chosen.method and _open(states, first) and when.told(release) is not None:
            return (first, method)
    for method, then, when in _AFTER:
        if method == chosen.method and _open(states, then) and when.told(release) is not None:
            return (method, then)
    return (chosen.method,)


def shape_of(release: Release, sequence: tuple[MethodName, ...]) -> Shape:
    """The sequence in parts, in words: entry stage, scaling pattern, safety overlays."""
    return Shape(
        entry=_ENTRY[sequence[0]],
        scaling=_SCALING[sequence[-1]],
        overlays=tuple(_overlays(release, sequence)),
    )


def _open(states: dict[MethodName, MethodState], method: MethodName) -> bool:
    return states.get(method, "blocked") != "blocked"


_ENTRY: dict[MethodName, str] = {
    "pilot": "one group that stands for the rest, for at least a business cycle",
    "phased": "the first wave",
    "canary": "a small random share, beside the old version at the same time",
    "blue_green": "nobody: the new environment is warmed up and tried out first",
    "parallel": "nobody: the old system counts until the results agree",
    "big_bang": "everyone, after a rehearsal against the clock",
}
_SCALING: dict[MethodName, str] = {
    "pilot": "everyone else after the pilot's verdict",
    "phased": "wave by wave, each after the verdict on the one before",
    "canary": "share by share, each when harm beyond the margin is ruled out",
    "blue_green": "one switch, and one switch back if need be",
    "parallel": "one cutover when the exit rule is met",
    "big_bang": "none: it is over in one window",
}
_OVERLAYS: tuple[tuple[str, frozenset[MethodName], Condition, str], ...] = (
    (
        "flag",
        frozenset({"pilot", "phased", "canary", "big_bang", "blue_green"}),
        yes("architecture.feature_flags"),
        "a flag switches it off for everyone at once",
    ),
    (
        "shadow",
        frozenset({"pilot", "phased", "canary", "blue_green", "big_bang"}),
        any_of(
            yes("migration.side_effects_suppressed"),
            all_of(no("goals.user_impact_allowed"), Unless(no("migration.dual_run_feasible"))),
        ),
        "copies of real requests go to the new version before anyone is served by it",
    ),
    (
        "drain_down",
        frozenset({"pilot", "phased", "parallel", "blue_green"}),
        yes("architecture.work_drains_naturally"),
        "new work begins in the new version, old work ends in the old one",
    ),
    (
        "hold_back",
        frozenset({"canary"}),
        all_of(),
        "a small share stays on the old version to compare with, until the end",
    ),
    (
        "warm_standby",
        frozenset({"pilot", "phased", "canary", "blue_green", "big_bang"}),
        yes("architecture.spare_capacity"),
        "the old environment is kept ready to take over",
    ),
    (
        "rehearsal",
        frozenset({"big_bang"}),
        Unless(yes("migration.rehearsed")),
        "the cutover is rehearsed against the clock before the day",
    ),
)


def _overlays(release: Release, sequence: tuple[MethodName, ...]) -> Iterator[Overlay]:
    for name, methods, when, text in _OVERLAYS:
        told = when.told(release)
        if methods & set(sequence) and told is not None:
            yield Overlay(name, f"{text} [{', '.join(told)}]" if told else text)
