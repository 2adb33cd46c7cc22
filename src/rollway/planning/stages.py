"""What the six builders share: the audience, the first look at the old version, undoing, joining."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rollway.facts.model import Group, MethodName, Release
from rollway.planning.counting import counted_for
from rollway.planning.evidence import arrivals_per_second, gates, margins_before, slowest_clear_seconds
from rollway.planning.model import (
    LONGEST_SECONDS,
    LONGEST_TICK_SECONDS,
    SHORTEST_TICK_SECONDS,
    Exposure,
    Stage,
)
from rollway.planning.words import listing, slug

HOUR = 3600.0
DAY = 24 * HOUR
FAST_METHODS: frozenset[MethodName] = frozenset({"canary", "blue_green"})
FAST_TICK_SECONDS, SLOW_TICK_SECONDS = 10.0, 60.0
DEFAULT_PART = 0.10
"""The share of users to begin with where nobody said how many users a group has."""

HALF_INCIDENTS, LATE_INCIDENTS = 0.5, 0.9
LONGEST_BAKE_SECONDS = 90 * DAY
"""No computed bake is longer; people may wish for more."""

MORE = 1e-9
"""Shares closer than this are the same share."""

SHARE_DIGITS = 5
SMALLEST_SHARE = 1e-5
"""Targets weigh in hundred-thousandths; a share beyond that could not be told from its neighbour."""


def usable_share(share: float) -> float:
    """A share as targets can serve it: a multiple of SMALLEST_SHARE above zero, at most 1."""
    return min(1.0, max(SMALLEST_SHARE, round(share, SHARE_DIGITS)))


def wished_shares(release: Release) -> tuple[float, ...]:
    """The shares below 1 that people wished for, rising, each once."""
    return tuple(sorted({usable_share(share) for share in release.rollout.shares} - {1.0}))


# --- time -------------------------------------------------------------------------------------------


def tick_seconds(release: Release, methods: Sequence[MethodName]) -> float:
    """Time between two evaluations: as wished, else ten seconds where machines decide and a minute where
    people do."""
    if release.rollout.check_every is not None:
        wish = release.rollout.check_every.total_seconds()
        return min(LONGEST_TICK_SECONDS, max(SHORTEST_TICK_SECONDS, wish))
    return FAST_TICK_SECONDS if FAST_METHODS & set(methods) else SLOW_TICK_SECONDS


def bake_seconds(release: Release, default: float, *, is_last: bool = False) -> float:
    """How long to wait at least in a stage with users: as wished; else the method's own default, or longer
    where incidents of past releases took longer to show, or where a gate's figures need their cycle.

    The last stages, for which `is_last`, wait until nine in ten of such incidents had shown and for the
    cycles of brakes too; the others until half of them had.
    """
    wish = release.rollout.bake
    if wish is not None:
        return wish.total_seconds()
    says = ("gate", "brake") if is_last else ("gate",)
    cycles = [kpi.cycle.total_seconds() for kpi in release.kpis if kpi.cycle and kpi.say in says]
    history = incidents_shown(release, LATE_INCIDENTS if is_last else HALF_INCIDENTS)
    return min(max(default, history or 0.0, *cycles, 0.0), LONGEST_BAKE_SECONDS)


def incidents_shown(release: Release, part: float) -> float | None:
    """The time (seconds) within which this part of past incidents had shown; None without any."""
    delays = sorted(each.total_seconds() for each in release.architecture.incidents_showed_after)
    return delays[min(len(delays) - 1, math.ceil(part * len(delays)) - 1)] if delays else None


def patience_seconds(release: Release, method: MethodName, bake: float, clear: float | None = None) -> float:
    """When a person is asked why a stage is still open: as wished, else four bakes or three times the
    expected time to clear, whichever is longer, and at most a week after the bake."""
    wish = release.rollout.patience
    if wish is not None:
        return max(bake, wish.total_seconds(), tick_seconds(release, (method,)))
    floor = 30 * tick_seconds(release, (method,))
    return min(max(4 * bake, 3 * (clear or 0.0), floor), bake + 7 * DAY, max(bake, LONGEST_SECONDS))


def person_patience(release: Release, method: MethodName, bake: float) -> float:
    """In a stage that a person ends, the person is asked when the bake is over."""
    return max(bake, tick_seconds(release, (method,)))


# --- the audience -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Crowd:
    """The groups with a weight each (users, or an estimate), and the weight of all users."""

    members: tuple[tuple[Group, float], ...]
    total: float

    def share_of(self, groups: Iterable[Group]) -> float:
        """These groups' share of all users, 0..1. Added in the crowd's own order, so that it never falls."""
        wanted = {id(group) for group in groups}
        weight = sum(weight for group, weight in self.members if id(group) in wanted)
        return usable_share(weight / self.total) if weight else 0.0


def crowd_of(release: Release) -> Crowd:
    """All groups, representative ones first. A group without a head count gets an even part of what the
    counted ones leave over, or the average of these."""
    groups = sorted(release.stakeholders.groups, key=lambda group: group.representative is not True)
    counted = [group.users for group in groups if group.users is not None]
    unknown = len(groups) - len(counted)
    users = release.stakeholders.users.value or 0
    left = users - sum(counted)
    guess = left / unknown if unknown and left > 0 else (sum(counted) / len(counted) if counted else 1.0)
    members = tuple((group, float(guess if group.users is None else group.users)) for group in groups)
    return Crowd(members, max(float(users), sum(weight for _, weight in members)))


def pilot_groups(release: Release) -> tuple[tuple[Group, ...], float]:
    """The groups that go first, and their share of all users.

    The representative ones; if these are everybody, only the first of them; if that is still everybody
    or nobody, a tenth of the users, because a pilot with everyone is no pilot.
    """
    crowd = crowd_of(release)
    chosen = tuple(group for group, _ in crowd.members if group.representative)
    for candidates in (chosen, chosen[:1]):
        share = crowd.share_of(candidates)
        if candidates and 0 < share < 1:
            return candidates, share
    return chosen[:1], DEFAULT_PART


NAMED = "all users: "
"""What an audience of named groups begins with: the share is always one of all users."""


def audience_words(groups: Sequence[Group]) -> str:
    """`everyone`, or the groups by name: `all users: Oslo and Rom`."""
    return f"{NAMED}{listing(group.name for group in groups)}" if groups else "everyone"


# --- undoing ----------------------------------------------------------------------------------------


NOTHING_TO_UNDO = "Nobody is served by the new version yet: stopping is enough."
ROLL_FORWARD = "No way back: the rollout holds, and the fault is mended forward by the steps of the runbook."


def undo_words(release: Release, *, reversible: bool = True) -> str:
    """How a stage with users is undone with this release's target."""
    if not reversible:
        return ROLL_FORWARD
    target = release.target
    if target is None:
        return "Operations put every user back on the old version by hand, and confirm it."
    named = target.options().get("flag") or target.options().get("key") or target.options().get("name") or ""
    label = f" ({named})" if isinstance(named, str) and named else ""
    return f"The target {target.type}{label} is told share 0: everyone is served by the old version again."


def can_go_back(release: Release) -> bool:
    """Whether a switch of everyone at once can honestly be called reversible.

    No, where a fact says so, or where data is migrated and neither the way back nor the rollback is shown.
    """
    migration, risks, tests = release.migration, release.risks, release.done.tests
    if migration.reversible.is_false or risks.reversible.is_false:
        return False
    shown = migration.reversible.is_true or tests.rollback_tested.is_true
    return shown or not migration.needed.is_true


# --- stages -----------------------------------------------------------------------------------------


def baseline_stage(release: Release, method: MethodName) -> tuple[Stage, ...]:
    """Before anybody is exposed: every gate must show numbers of the old version. None without gates."""
    if not gates(release):
        return ()
    arrivals = arrivals_per_second(release)
    # A hundred requests make usable numbers; chance, and a quiet hour, may let them take three times as long.
    patience = max(30 * tick_seconds(release, (method,)), 300 / arrivals if arrivals else 0.0)
    return (
        Stage(
            id="baseline",
            title="Look at the old version",
            purpose="See that every gate has usable numbers before anybody is exposed.",
            method=method,
            exposure=Exposure(share=0.0),
            advance="ready",
            bake_seconds=0.0,
            patience_seconds=min(patience, LONGEST_SECONDS),
            in_window=False,
            undo=NOTHING_TO_UNDO,
        ),
    )


def distinct(stages: Iterable[Stage]) -> tuple[Stage, ...]:
    """The same stages with ids that differ: a later one of the same name gets a number."""
    taken: set[str] = set()
    result: list[Stage] = []
    for stage in stages:
        name, count = slug(stage.id), 1
        while name in taken:
            count += 1
            name = f"{slug(stage.id)}-{count}"
        taken.add(name)
        result.append(stage if name == stage.id else stage.model_copy(update={"id": name}))
    return tuple(result)


def join(parts: Sequence[tuple[Stage, ...]]) -> tuple[Stage, ...]:
    """The stages of several methods as one rising sequence.

    An earlier method gives its opening (what comes before everyone is served, and no further than to
    where the next one begins) and its closing (what comes after that, such as keeping the old one warm).
    What a later method would repeat is left out, and nobody who has the new version is put back. What
    comes before a parallel run takes part in it: there too, only the old version's results count.
    """
    opening: list[Stage] = []
    closing: list[Stage] = []
    for index, part in enumerate(parts[:-1]):
        switch = next((i for i, stage in enumerate(part) if _is_full(stage)), len(part))
        reach = max(_first_live_share(part), _first_live_share(parts[index + 1]))
        opening += [stage for stage in part[:switch] if stage.exposure.live <= reach + MORE]
        closing = [*part[switch + 1 :], *closing]
    return distinct(_rising(_beside([*opening, *parts[-1], *closing])))


def proven(release: Release, stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The same stages, where a hold-back whose earlier proofs were left out asks for the proof itself.

    Joining leaves out the shares of a canary that another method has already reached; what they would
    have shown is then still to be shown.
    """
    result: list[Stage] = []
    has_proof = False
    for stage, following in zip(stages, (*stages[1:], None), strict=True):
        if stage.advance == "evidence" and not has_proof:
            reach = following.exposure.share if following else 1.0
            result.append(stage if stage.margins else _with_proof(release, stage, reach))
            has_proof = True
        else:
            result.append(stage)
    return tuple(result)


def _with_proof(release: Release, stage: Stage, reach: float) -> Stage:
    margins = margins_before(counted_for(release, stage.method), reach)
    clear = slowest_clear_seconds(release, margins, stage.exposure.share)
    patience = patience_seconds(release, stage.method, stage.bake_seconds, clear)
    return stage.model_copy(update={"margins": margins, "patience_seconds": patience})


def _beside(stages: Sequence[Stage]) -> list[Stage]:
    """Stages with users before the last parallel one run both versions, as that one does."""
    parallel = [index for index, stage in enumerate(stages) if stage.exposure.mode != "live"]
    if not parallel:
        return list(stages)
    last = stages[parallel[-1]]
    return [
        _without_users(stage, last) if index < parallel[-1] and stage.exposure.live > 0 else stage
        for index, stage in enumerate(stages)
    ]


def _without_users(stage: Stage, parallel: Stage) -> Stage:
    mode = parallel.exposure.mode
    share = stage.exposure.share if mode == "shadow" else 0.0
    exposure = Exposure(audience=stage.exposure.audience, share=share, mode=mode)
    changes = {"exposure": exposure, "advance": "person", "margins": {}, "undo": parallel.undo}
    return stage.model_copy(update=changes)


def _rising(stages: Sequence[Stage]) -> Iterable[Stage]:
    reached, looked = 0.0, False
    for stage in stages:
        share = stage.exposure.live
        looks = stage.advance == "ready"
        passed = 0 < share <= reached + MORE and not _is_full(stage)
        if passed or (looks and looked):
            continue
        looked = looked or looks
        # While the next method is prepared, those who have the new version keep it.
        yield stage if share >= reached else stage.model_copy(update={"exposure": _kept(reached)})
        reached = max(reached, share)


def _kept(share: float) -> Exposure:
    return Exposure(share=share, audience="those who have it already")


def _is_full(stage: Stage) -> bool:
    return stage.exposure.mode == "live" and stage.exposure.share >= 1


def _first_live_share(part: Sequence[Stage]) -> float:
    shares = (stage.exposure.live for stage in part)
    return next((share for share in shares if 0 < share < 1), 0.0)
