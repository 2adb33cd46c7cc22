"""The laws of control groups, and of guards that count in some stages; the others are in laws_checked."""

from __future__ import annotations

from rollway.facts.model import OpenAction
from rollway.judge import Verdict
from rollway.rollout import ClockTicked, Event, State, Step, TargetObserved
from support.laws_ledger import NEARLY, Ledger, is_counted
from support.laws_of_work import SERVED, has, shares

STRONGEST_FIRST: tuple[OpenAction, ...] = ("rollback", "hold", "ask", "tell")
SECONDS_TO_DRAW = 30.0


# --- control groups -----------------------------------------------------------------------------------


def the_group_is_as_planned(ledger: Ledger, before: State, event: Event, step: Step) -> None:
    """As large as the stage says while its share is wanted, and nobody on the way back and in the end."""
    after = step.state
    if after.phase in ("rolling_back", "rolled_back", "done"):
        assert after.desired_control == 0, "it is over, and a control group is left"
    if after.started_at is None or after.phase not in SERVED:
        return
    exposure = ledger.plan.stages[after.stage].exposure
    if abs(after.desired_share - exposure.live) < NEARLY:
        assert after.desired_control == exposure.control, "another control group than the stage asks for"


def the_group_is_set_back(ledger: Ledger, before: State, event: Event, step: Step) -> None:
    """A group that somebody changed is set back and the stage counts anew; one that never comes is a hold."""
    after = step.state
    if not isinstance(event, TargetObserved) or ledger.stage is None:
        return
    if before.phase == "rolling_back" and event.share == 0 and not event.mirrored:
        assert after.phase == "rolled_back" or after.back_at is not None, "it is back, and waits for a group"
    if before.phase not in SERVED:
        return
    is_share = abs(event.share - before.desired_share) < NEARLY
    is_copies = not ledger.has_copies or abs(event.mirrored - before.desired_mirrored) < NEARLY
    is_group = abs(event.control - before.desired_control) < NEARLY
    if event.share < before.desired_share - NEARLY and before.entered_at is not None:
        assert after.desired_control == event.control, "lowered, and its control group is fought"
    if not is_share or not is_copies or is_group or after.phase == "rolling_back":
        return
    assert after.entered_at is None, "another control group than planned, and it counts"
    if before.entered_at is not None:
        assert [effect.control for effect in shares(step)] == [after.desired_control]
        assert has(step, "drift")
        return
    assert ledger.told_at is not None
    is_late = (event.at - ledger.told_at).total_seconds() > SECONDS_TO_DRAW
    if before.phase == "running" and event.refusal in ("", before.refusal):
        assert (after.phase == "paused") == is_late, "held too soon, or not at all"
        assert has(step, "held") == is_late


def split_is_dated(ledger: Ledger, before: State, event: Event, step: Step) -> None:
    """Since when users are split as they are is the moment of the first look that found them so."""
    is_look = isinstance(event, TargetObserved)
    expected = ledger.split_since(event) if is_look else before.split_at
    assert step.state.split_at == expected, "users are said to be split so since another moment"


# --- guards that count in some stages only --------------------------------------------------------------


def answer_to_blindness(ledger: Ledger, said: Verdict) -> OpenAction:
    """What the gates that count here ask for, of those that the judge names, else of all; else the policy."""
    assert ledger.stage is not None
    blind = {guard.kpi for guard in said.guards if guard.state == "blind"}
    policy = ledger.plan.policy.on_blind
    return _strongest(
        [
            guard.on_blind or policy
            for guard in ledger.plan.guards
            if guard.say == "gate"
            and is_counted(guard, ledger.plan.stages[ledger.stage].id)
            and (not blind or guard.kpi in blind)
        ],
        policy,
    )


def patience_ends_as_planned(ledger: Ledger, before: State, event: Event, step: Step) -> None:
    """At its end the gates that count and are open say what is done, and the policy where they do not."""
    if not isinstance(event, ClockTicked) or before.phase != "running" or ledger.is_asked:
        return
    said, after = event.verdict, step.state
    if ledger.stage is None or ledger.read_at is None or before.entered_at is None or said is None:
        return
    stage = ledger.plan.stages[ledger.stage]
    is_over = (event.at - ledger.read_at).total_seconds() >= max(stage.patience_seconds, stage.bake_seconds)
    is_open = stage.advance == "evidence" and said.stage == stage.id and said.kind != "healthy"
    if not is_over or not is_open or ledger.is_promoted or before.closing_at or after.phase == "rolled_back":
        return
    policy = ledger.plan.policy.on_patience
    still_open = {guard.kpi for guard in said.guards if guard.state in ("undecided", "blind")}
    gates = [guard for guard in ledger.plan.guards if guard.say == "gate" and guard.kpi in still_open]
    answer = _strongest([guard.on_undecided or policy for guard in gates], policy)
    goes_back = answer == "rollback" and before.desired_share > 0 and not ledger.is_past
    assert (after.phase == "rolling_back") == goes_back, f"its gates say {answer}"
    if not goes_back:
        assert has(step, "told") if answer == "tell" else has(step, "asked", "held"), (
            f"its gates say {answer}"
        )


def _strongest(asked: list[OpenAction], policy: OpenAction) -> OpenAction:
    return next((action for action in STRONGEST_FIRST if action in asked), policy)
