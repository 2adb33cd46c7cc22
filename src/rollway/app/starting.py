"""Starting what was looked at first: the preflight within a start and a retry, and what it refuses."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rollway.app.preflight import Ask, Preflight
from rollway.app.proof import (
    CANDIDATE_READY,
    FROM_NOBODY,
    OLD_VERSION,
    TARGET,
    Finding,
    Proof,
    refusal,
    refusals,
)
from rollway.app.service import Rollway, checked_reason
from rollway.planning import Plan
from rollway.rollout.gates import is_followed
from rollway.rollout.rules import rules_of

LEAST_PAUSE, MOST_PAUSE = 1.0, 5.0
LEAST_WITHIN, MOST_WITHIN = 30.0, 120.0
"""Seconds for which new numbers are waited for: as long as the judge would, between these."""


@dataclass(frozen=True, slots=True)
class Started:
    """A rollout that was started: its id, and what was found before; None where nobody looked."""

    rollout: str
    proof: Proof | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody who starts a rollout may ask for. `unproven` is why nothing is looked at beforehand;
    the others are as `Rollway.start` has them. `ask` is how to look, and None: as fits the plan."""

    reason: str = ""
    override_window: str = ""
    reset_target: str = ""
    unproven: str = ""
    ask: Ask | None = None


def ask_for(plan: Plan) -> Ask:
    """How long a start looks: counters are read twice, a tick of the plan apart, for 1 to 5 s; numbers are
    waited for as long as the judge would wait before it is blind, for half a minute to two."""
    pause = min(max(plan.policy.tick_seconds, LEAST_PAUSE), MOST_PAUSE)
    within = min(max(rules_of(plan).blind_seconds, LEAST_WITHIN), MOST_WITHIN)
    return Ask(pause=pause, within=within)


def start(
    rollway: Rollway,
    plan: Plan,
    actor: str,
    wish: Wish | None = None,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Started:
    """Start an approved plan after a preflight, which is kept in the record.

    Raises NotProvenError, with a line for each point, where something failed and nobody said that it starts
    all the same; otherwise as `Rollway.start`. Whoever may not start is told before anything is looked at.
    """
    wish = wish or Wish()
    unproven = checked_reason(wish.unproven)
    proof = None
    if not unproven:
        rollway.check_start(plan, actor)
        proof = _proof(rollway, plan, wish, sleep, f"rollway start {plan.hash[:12]}")
    rollout = rollway.start(
        plan,
        actor,
        reason=wish.reason,
        override_window=wish.override_window,
        reset_target=wish.reset_target,
        proof=proof,
        unproven=unproven,
    )
    return Started(rollout, proof)


def retry(
    rollway: Rollway,
    rollout: str,
    actor: str,
    wish: Wish | None = None,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Started:
    """Start the plan of a rollout that was taken back once more, after a preflight. Raises as `start`."""
    wish = wish or Wish()
    unproven, proof = checked_reason(wish.unproven), None
    plan = rollway.check_retry(rollout, wish.reason)
    if not unproven:
        rollway.check_start(plan, actor, again=rollout)
        proof = _proof(rollway, plan, wish, sleep, f"rollway retry {rollout}")
    again = rollway.retry(
        rollout,
        actor,
        reason=wish.reason,
        override_window=wish.override_window,
        proof=proof,
        unproven=unproven,
    )
    return Started(again, proof)


def _proof(rollway: Rollway, plan: Plan, wish: Wish, sleep: Callable[[float], None], typed: str) -> Proof:
    ask = wish.ask or ask_for(plan)
    looked = Preflight(rollway.connectors, rollway.rollouts, rollway.clock, sleep=sleep)
    proof = looked.prove(plan, ask)
    against = [one for one in refusals(plan, proof, ask.within) if not _is_seen_to(plan, one, wish)]
    if against:
        raise refusal(against, f'{typed} --skip-preflight --because "..."')
    return proof


def _is_seen_to(plan: Plan, found: Finding, wish: Wish) -> bool:
    """What the rollout itself takes care of: users that are taken back first, so that the old version has
    some again, and a version that its own tasks still install; no share goes to one that is not ready."""
    name, state = found.check.name, found.check.state
    if wish.reset_target and (name == FROM_NOBODY or (name == OLD_VERSION and state == "unknown")):
        return True
    return found.about == TARGET and name == CANDIDATE_READY and is_followed(plan)
