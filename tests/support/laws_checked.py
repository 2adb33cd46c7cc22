"""The laws: what one event may make of a rollout, given what its ledger knows. Each is a function of the
ledger before the event, the state before it, the event, and the machine's answer."""

from __future__ import annotations

from collections.abc import Callable

from rollway.planning import Stage
from rollway.rollout import ClockTicked, CommandGiven, Event, EvidenceRead, State, Step, TargetObserved
from rollway.rollout.needs import lacking
from support.laws_ledger import NEARLY, Ledger, comes_before_exposure, is_own, task_of, tasks_in
from support.laws_of_features import (
    answer_to_blindness,
    patience_ends_as_planned,
    split_is_dated,
    the_group_is_as_planned,
    the_group_is_set_back,
)
from support.laws_of_work import (
    SERVED,
    commands_run_once,
    everything_is_written_down,
    has,
    shares,
    tasks_come_in_order,
    undoing_is_in_order,
)

Law = Callable[[Ledger, State, Event, Step], None]


def holds(ledger: Ledger, before: State, event: Event, step: Step) -> None:
    """Raise AssertionError for the first law that the answer breaks."""
    if before.is_final:
        assert step.state == before
        assert step.effects == ()
        return
    for law in LAWS:
        law(ledger, before, event, step)


# --- exposure -----------------------------------------------------------------------------------------


def exposure_grows_by_entering(ledger: Ledger, before: State, event: Event, step: Step) -> None:
    """Only the next stage raises the share, or a person who goes on with what was paused."""
    after, told = step.state, shares(step)
    assert all(effect.share == after.desired_share for effect in told)
    assert all(effect.control == after.desired_control for effect in told)
    assert after.desired_share <= live(ledger, after) + NEARLY
    if has(step, "stage_entered"):
        return
    assert after.stage == before.stage
    if after.desired_share > before.desired_share + NEARLY:
        assert isinstance(event, CommandGiven)
        # What was lowered and then promoted by name runs below its share until somebody rolls forward.
        assert before.phase == "paused" or event.kind == "roll_forward"
        may_be_entered(ledger, before, ledger.plan.stages[after.stage], event, step)
    if isinstance(event, TargetObserved) and before.phase == "paused":
        assert all(effect.share <= event.share + NEARLY for effect in told), "what was paused is raised"


def stages_come_one_by_one(ledger: Ledger, before: State, event: Event, step: Step) -> None:
    """A stage is entered after the one before it: approved, read back, over, and never past its gates."""
    if not has(step, "stage_entered"):
        return
    after = step.state
    assert after.entered_at is None, "it counts from when it is read back"
    assert after.stage == (0 if ledger.stage is None else ledger.stage + 1)
    stage = ledger.plan.stages[after.stage]
    assert abs(after.desired_share - stage.exposure.live) < NEARLY
    may_be_entered(ledger, before, stage, event, step)
    if ledger.stage is None:
        assert isinstance(event, ClockTicked)
        assert event.is_approved
    else:
        may_be_left(ledger, before, ledger.plan.stages[ledger.stage], event, step)


def may_be_entered(ledger: Ledger, before: State, stage: Stage, event: Event, step: Step) -> None:
    """Ready, in its window, its gates met, its tasks done, as far as they come before the exposure."""
    raises = stage.exposure.live > before.desired_share
    assert not (raises and ledger.candidate_ready is False), "the new version is not ready"
    assert ledger.is_open(stage, event.at), "outside its window"
    for gate in ledger.plan.gates:
        if gate.stage == stage.id and not ledger.gate_is_met(gate):
            is_late = ledger.is_followed and gate.kind == "task" and is_late_task(ledger, stage, gate.of)
            done_now = gate.kind == "task" and ledger.is_followed and ledger.is_done(gate.of, step)
            assert is_late or (done_now and gate.id not in ledger.words), f"{gate.id} is not met"
    if ledger.is_followed:
        for task in ledger.plan.runbook:
            if task.stage == stage.id and not is_own(task):
                is_first = task.phase == "before" or (
                    task.phase == "during" and comes_before_exposure(ledger.plan, stage, task)
                )
                assert not is_first or ledger.is_over(task.id, step), f"{task.id} comes before {stage.id}"


def is_late_task(ledger: Ledger, stage: Stage, name: str) -> bool:
    """Whether a gate's task is one of the stage itself that waits for its exposure."""
    task = task_of(ledger.plan, name)
    within = (task.phase, task.stage) == ("during", stage.id)
    return within and not comes_before_exposure(ledger.plan, stage, task)


def may_be_left(ledger: Ledger, before: State, stage: Stage, event: Event, step: Step) -> None:
    """Read back, its tasks over, and its rule met or overridden by a person."""
    is_promoted = isinstance(event, CommandGiven) or ledger.is_promoted
    if ledger.is_followed:
        for task in tasks_in(ledger.plan, "during", stage):
            if task.id != f"{stage.id}-decide":
                assert ledger.is_over(task.id, step), f"{task.id} belongs to the stage that was left"
    if before.phase == "running":
        assert before.entered_at is not None, "a stage that was never read back was left"
    if is_promoted:
        return
    assert isinstance(event, ClockTicked)
    assert before.phase == "running"
    assert ledger.read_at is not None, "the target does not serve the stage that was left"
    assert (event.at - ledger.read_at).total_seconds() >= stage.bake_seconds, "left before it was baked"
    assert ledger.dead_at is None, "left while the new version is not ready"
    decision = [one for one in ledger.plan.runbook if one.id == f"{stage.id}-decide" and one.gate]
    if stage.advance == "person":
        assert ledger.is_followed, "a person decides"
        assert decision, "a person decides"
        assert ledger.is_over(decision[0].id, step), "a person decides"
        return
    said = event.verdict
    assert said is not None
    assert said.stage == stage.id, "the verdict is on another stage"
    assert not said.mismatch, "users are not split as planned"
    if stage.advance == "ready":
        assert said.baseline_ready
    elif stage.advance == "time":
        assert said.kind in ("healthy", "undecided")
    else:
        assert said.kind == "healthy"


def promotion_has_its_limits(ledger: Ledger, before: State, event: Event, step: Step) -> None:
    """A person overrides the rule of a stage with a reason; not harm, and not a stage nobody saw served."""
    if not isinstance(event, CommandGiven) or not has(step, event.kind):
        return
    if event.kind in ("promote", "override_window", "roll_forward", "waive", "skip"):
        assert event.reason, f"{event.kind} without a reason"
    if event.kind == "promote":
        assert ledger.stage is not None
        assert before.entered_at is not None, "a stage was promoted that was never read back"
        assert ledger.is_past or not is_harmful(ledger) or not goes_back(ledger, ledger.heard)
    if event.kind == "resume":
        assert not is_harmful(ledger), "what is harmful is not resumed"
    if event.kind in ("resume", "roll_forward"):
        assert not any(doing.is_stuck for doing in before.tasks.values()), "a task failed and is not settled"
    if event.kind == "roll_forward":
        assert ledger.is_past, "there is still a way back"
        assert step.state.entered_at is None
        assert step.state.phase in SERVED


# --- the target ---------------------------------------------------------------------------------------


def target_is_followed_down_only(ledger: Ledger, before: State, event: Event, step: Step) -> None:
    """Somebody else may lower what is served; what is more than was told is told again, and never kept."""
    if not isinstance(event, TargetObserved) or ledger.stage is None:
        return
    after = step.state
    is_more = event.share > before.desired_share + NEARLY
    is_less = event.share < before.desired_share - NEARLY
    if is_more and not (after.phase == "rolling_back" and event.baseline_ready is False):
        assert [effect.share for effect in shares(step)] == [after.desired_share], "more, and not set back"
        assert after.entered_at is None or before.phase == "rolling_back"
    if is_less and before.entered_at is not None and before.phase in SERVED:
        assert after.phase == "paused", "somebody lowered it, and it goes on"
        assert not shares(step)
        assert abs(after.desired_share - event.share) < NEARLY
    is_new = before.entered_at is None and after.entered_at is not None
    if is_new and after.phase == "running" and not ledger.is_promoted:
        assert ledger.serves(event), "counted as served before it was"
    is_as_told = not is_more and not is_less
    is_dead = event.candidate_ready is False and event.share > 0 and ledger.dead_at is not None
    if is_as_told and is_dead and event.at > ledger.dead_at and before.phase in SERVED:
        assert ledger.is_past or after.phase == "rolling_back", "the new version died and goes on serving"
        is_told = ledger.is_death_told or has(step, "version_dead")
        assert is_told or after.phase == "rolling_back", "it died, there is no way back, and nobody is told"


def traffic_waits_for_the_old(ledger: Ledger, before: State, event: Event, step: Step) -> None:
    """Going back, the target is told once the old version is ready, and is read back before it is over."""
    after = step.state
    is_ready = event.baseline_ready if isinstance(event, TargetObserved) else ledger.baseline_ready
    if after.phase == "rolling_back":
        moves = shares(step) and not (isinstance(event, TargetObserved) and event.share == 0)
        assert is_ready is not False or not moves, "sent back to a version that is not ready"
    if after.phase == "rolled_back" and before.phase == "rolling_back" and ledger.stage is not None:
        has_seen = event.share == 0 if isinstance(event, TargetObserved) else ledger.is_back
        assert has_seen or before.back_at is not None, "over before it was read back"
    if after.back_at is not None and before.back_at is None and ledger.stage is not None:
        assert isinstance(event, TargetObserved)
        assert event.share == 0


# --- harm, blindness, and people's words ----------------------------------------------------------------


def harm_leads_back(ledger: Ledger, before: State, event: Event, step: Step) -> None:
    """Before the point of no return to the old version, after it into a hold; as the plan's guards say."""
    if not isinstance(event, EvidenceRead) or before.phase not in SERVED or ledger.stage is None:
        return
    after, said = step.state, event.verdict
    if said.kind == "harmful":
        if goes_back(ledger, event) and not ledger.is_past:
            assert after.phase in ("rolling_back", "rolled_back")
            assert after.desired_share == 0
        elif goes_back(ledger, event) or not before.held_for:
            assert after.phase == "paused", "harm past the point of no return goes on"
        return
    is_here = said.stage == ledger.plan.stages[ledger.stage].id
    if said.mismatch and is_here and ledger.mismatched != ledger.stage and said.kind != "blind":
        assert after.phase == "paused", "users are not split as planned, and it goes on"


def is_harmful(ledger: Ledger) -> bool:
    return ledger.heard is not None and ledger.heard.verdict.kind == "harmful"


def goes_back(ledger: Ledger, event: EvidenceRead | None) -> bool:
    """Whether one of the guards that were found harmful asks for going back; where none is named, it does."""
    assert event is not None
    harmful = {guard.kpi for guard in event.verdict.guards if guard.state == "harmful"}
    named = [guard for guard in ledger.plan.guards if guard.kpi in {*event.verdict.drivers, *harmful}]
    having_a_say = [guard for guard in named if guard.say != "watch"]
    return not having_a_say or any(guard.on_harm == "rollback" for guard in having_a_say)


def no_data_is_no_evidence(ledger: Ledger, before: State, event: Event, step: Step) -> None:
    """Blindness goes back by the plan's policy: not before its time, and not later either."""
    if not isinstance(event, EvidenceRead) or before.phase not in SERVED or event.verdict.kind != "blind":
        return
    blind_for = ledger.blind_for(event.at)
    is_due = blind_for >= ledger.plan.policy.blind_seconds and before.desired_share > 0
    answer = answer_to_blindness(ledger, event.verdict) if is_due else "hold"
    by_policy = answer == "rollback" and not ledger.is_past
    assert (step.state.phase == "rolling_back") == by_policy, f"blind for {blind_for} s"
    if answer in ("ask", "tell"):
        assert ledger.is_blind_told or has(step, "asked", "told"), "blind, and nobody is told"


def words_are_followed(ledger: Ledger, before: State, event: Event, step: Step) -> None:
    """A person's rollback, no and pause are done at once; what is refused changes nothing."""
    if not isinstance(event, CommandGiven):
        return
    after = step.state
    assert event.actor in {entry.actor for entry in step.entries}
    if has(step, "refused"):
        assert after == before
        assert step.effects == ()
    for entry in step.entries:
        if "gate" in entry.data and entry.kind in ("confirm", "go"):
            asked = next(gate.minimum for gate in ledger.plan.gates if gate.id == entry.data["gate"])
            reached = entry.data["reached"]
            is_enough = asked is None or (isinstance(reached, float) and reached >= asked)
            assert is_enough, f"{entry.data['gate']} is met with {reached}"
    if event.kind == "resume" and before.phase == "paused" and has(step, "refused"):
        needs = lacking(ledger.plan, before, event.at)
        is_sent = all(need.takes.startswith("rollway resume") for need in needs)
        assert needs, "a resume is refused, and nothing is waited for"
        assert not is_sent, "people are sent to a resume that is refused"
    if event.kind == "rollback":
        if ledger.is_past:
            assert has(step, "refused") or before.phase == "rolling_back"
        else:
            assert after.phase in ("rolling_back", "rolled_back")
            assert after.desired_share == 0
    if event.kind == "pause" and before.phase in ("waiting", "running"):
        assert after.phase == "paused"
    if event.kind == "no_go" and has(step, "no_go"):
        if not ledger.is_past:
            assert after.phase in ("rolling_back", "rolled_back")
        assert after.phase not in ("waiting", "running")
    if event.kind == "fail" and any(entry.kind == "fail" and "task" in entry.data for entry in step.entries):
        assert after.phase not in ("waiting", "running")


def past_return_is_past(ledger: Ledger, before: State, event: Event, step: Step) -> None:
    """Where the way back is closed nothing leads back, and it stays closed."""
    if ledger.is_past and before.phase != "rolling_back":
        assert step.state.phase not in ("rolling_back", "rolled_back"), "a false promise"
    after_step = any(
        entry.kind in ("go", "confirm", "begin", "repeat", "fail", "task_began")
        and isinstance(entry.data.get("task"), str)
        and (entry.kind == "task_began" or entry.data.get("began"))
        and not task_of(ledger.plan, str(entry.data["task"])).reversible
        for entry in step.entries
    )
    if after_step:
        assert step.state.no_return, "a step of no return began, and the state does not know"


def paused_is_paused(ledger: Ledger, before: State, event: Event, step: Step) -> None:
    """What is paused goes on by a person's word only."""
    if before.phase == "paused" and step.state.phase not in ("paused", "rolling_back"):
        assert isinstance(event, CommandGiven)


def people_are_asked(ledger: Ledger, before: State, event: Event, step: Step) -> None:
    """A stage without an answer in its time is asked about, held, or taken back; never simply left open."""
    if not isinstance(event, ClockTicked) or (before.phase, step.state.phase) != ("running", "running"):
        return
    if before.entered_at is None or ledger.read_at is None or ledger.stage is None or before.closing_at:
        return
    stage = ledger.plan.stages[ledger.stage]
    elapsed = (event.at - ledger.read_at).total_seconds()
    is_rule_open = step.state.stage == before.stage and stage.advance == "evidence" and event.verdict
    is_late = elapsed >= stage.patience_seconds and not ledger.is_promoted
    if is_rule_open and is_late and event.verdict.kind != "healthy":
        assert ledger.is_asked or has(step, "asked", "told"), "nobody was asked"


def done_is_done(ledger: Ledger, before: State, event: Event, step: Step) -> None:
    """Everybody has it, and it lives or somebody says so; the last stage was read back, no task is left."""
    if step.state.phase != "done":
        return
    assert step.state.desired_share == 1.0
    assert ledger.stage == len(ledger.plan.stages) - 1
    assert before.entered_at is not None
    assert ledger.dead_at is None or has(step, "promote"), "done with a version that is not ready"
    if before.closing_at is None:
        may_be_left(ledger, before, ledger.plan.stages[ledger.stage], event, step)
    if ledger.is_followed:
        left = [task.id for task in ledger.plan.runbook if not ledger.is_over(task.id, step)]
        assert not left, f"done without {left}"


def live(ledger: Ledger, state: State) -> float:
    return ledger.plan.stages[state.stage].exposure.live


LAWS: tuple[Law, ...] = (
    exposure_grows_by_entering,
    stages_come_one_by_one,
    promotion_has_its_limits,
    target_is_followed_down_only,
    traffic_waits_for_the_old,
    harm_leads_back,
    no_data_is_no_evidence,
    words_are_followed,
    past_return_is_past,
    paused_is_paused,
    people_are_asked,
    commands_run_once,
    tasks_come_in_order,
    undoing_is_in_order,
    done_is_done,
    the_group_is_as_planned,
    the_group_is_set_back,
    split_is_dated,
    patience_ends_as_planned,
    everything_is_written_down,
)
