"""What a plan says about each guard is what is done: going back, holding, asking, telling."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from rollway import judge
from rollway.judge import Counts, GuardVerdict, Moments, Reading, Sample, Verdict, VerdictKind
from rollway.planning import Guard, Plan, Stage
from rollway.rollout import ClockCompared, ClockTicked, CommandGiven, EvidenceRead, State, Step, advance
from rollway.rollout.rules import rules_of
from rollway.rollout.steps import compared_share
from support.machine import World
from support.stories import GATE, START, canary, stage, verdict

SPEED = GATE.model_copy(update={"kpi": "speed"})
TEN = 1


def said(kind: VerdictKind, **states: VerdictKind) -> Verdict:
    """A verdict on the stage `ten`, with each guard's own state."""
    guards = tuple(_guard_verdict(kpi, state) for kpi, state in states.items())
    drivers = tuple(kpi for kpi, state in states.items() if state == kind)
    return replace(verdict(kind, START, "ten"), guards=guards, drivers=drivers)


def _guard_verdict(kpi: str, state: VerdictKind) -> GuardVerdict:
    return GuardVerdict(kpi, "gate", "rate", state, 0, 0, 0, 1.25, 0, 0, 0, 0, *[None] * 5)  # type: ignore[arg-type]


def plan_with(*guards: Guard, **policy: object) -> Plan:
    plan = canary(guards=guards)
    return plan.model_copy(update={"policy": plan.policy.model_copy(update=policy)})


def at_ten(**changes: object) -> State:
    """Ten percent have been served since START."""
    state = State(phase="running", stage=TEN, started_at=START, desired_share=0.1, served_share=0.1)
    return state.model_copy(update={"entered_at": START, **changes})


def hear(plan: Plan, state: State, word: Verdict, seconds: float = 1) -> Step:
    return advance(plan, state, EvidenceRead(at=START + timedelta(seconds=seconds), verdict=word))


def acting(guard: Guard, **actions: object) -> Guard:
    return guard.model_copy(update=actions)


# --- harm -------------------------------------------------------------------------------------------


def test_harm_goes_back_unless_the_plan_says_hold() -> None:
    """By default a harmful guard takes the release back at once."""
    step = hear(plan_with(GATE), at_ten(), said("harmful", errors="harmful"))
    assert (step.state.phase, step.state.desired_share) == ("rolling_back", 0.0)


def test_a_guard_that_holds_keeps_the_share_and_waits_for_a_person() -> None:
    """Nobody is taken back, nobody new is exposed, and the reason names the guard."""
    plan = plan_with(acting(GATE, on_harm="hold"))
    step = hear(plan, at_ten(), said("harmful", errors="harmful"))
    assert (step.state.phase, step.state.desired_share, step.effects) == ("paused", 0.1, ())
    assert [entry.kind for entry in step.entries] == ["verdict", "held"]
    assert "hold for errors" in step.state.standing
    again = hear(plan, step.state, said("harmful", errors="harmful"), 2)
    assert again.entries == ()


def test_going_back_wins_over_holding() -> None:
    """Two guards are harmful, one of them holds: the other takes the release back, first or later."""
    plan = plan_with(acting(GATE, on_harm="hold"), SPEED)
    both = said("harmful", errors="harmful", speed="harmful")
    assert hear(plan, at_ten(), both).state.phase == "rolling_back"
    held = hear(plan, at_ten(), said("harmful", errors="harmful", speed="healthy")).state
    assert held.phase == "paused"
    later = replace(both, drivers=("errors",))
    assert hear(plan, held, later, 2).state.phase == "rolling_back"


def test_harm_of_no_guard_in_particular_goes_back() -> None:
    """Where the verdict names nobody, caution decides."""
    plan = plan_with(acting(GATE, on_harm="hold"))
    assert hear(plan, at_ten(), said("harmful")).state.phase == "rolling_back"


def test_a_held_release_goes_on_only_by_name_and_with_a_reason() -> None:
    """Resume is refused; promote with a reason leaves the stage, and the same harm holds it no more."""
    plan = plan_with(acting(GATE, on_harm="hold"))
    held = hear(plan, at_ten(), said("harmful", errors="harmful")).state
    at = START + timedelta(seconds=20)
    resumed = advance(plan, held, CommandGiven(at=at, kind="resume", actor="ops", reason="go"))
    assert resumed.state.phase == "paused"
    unsaid = advance(plan, held, CommandGiven(at=at, kind="promote", actor="ops"))
    assert unsaid.state.stage == TEN
    promoted = advance(plan, held, CommandGiven(at=at, kind="promote", actor="ops", reason="known")).state
    assert (promoted.phase, promoted.stage) == ("running", TEN + 1)
    again = hear(plan, promoted, replace(said("harmful", errors="harmful"), stage="half"), 30)
    assert again.state.phase == "running"
    waits = advance(plan, again.state.model_copy(update={"entered_at": at}), ClockTicked(at=at, verdict=None))
    assert waits.state.stage == TEN + 1


def test_a_harmful_release_that_is_not_held_cannot_be_promoted() -> None:
    """A person's word does not carry a harmful version further where the plan does not say hold."""
    state = at_ten(heard="harmful")
    step = advance(plan_with(GATE), state, CommandGiven(at=START, kind="promote", actor="o", reason="r"))
    assert step.entries[0].kind == "refused"


# --- no answer in time ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "phase", "kind"),
    [
        ("rollback", "rolling_back", "rollback"),
        ("hold", "paused", "held"),
        ("ask", "running", "asked"),
        ("tell", "running", "told"),
        (None, "running", "asked"),
    ],
)
def test_an_open_guard_says_what_follows_its_patience(action: str | None, phase: str, kind: str) -> None:
    """Once, when the patience is over; without an action of its own the policy's."""
    plan = plan_with(acting(GATE, on_undecided=action))
    tick = ClockTicked(at=START + timedelta(seconds=200), verdict=said("undecided", errors="undecided"))
    step = advance(plan, at_ten(), tick)
    assert (step.state.phase, [entry.kind for entry in step.entries]) == (phase, [kind])
    if phase == "running":
        assert advance(plan, step.state, tick).entries == ()


def test_what_is_shown_safe_has_no_say_in_the_patience() -> None:
    """A guard that would go back does not, while another one is what is waited for."""
    plan = plan_with(acting(GATE, on_undecided="rollback"), SPEED)
    word = said("undecided", errors="healthy", speed="undecided")
    step = advance(plan, at_ten(), ClockTicked(at=START + timedelta(seconds=200), verdict=word))
    assert [entry.kind for entry in step.entries] == ["asked"]


def test_a_stage_is_held_once_for_its_patience() -> None:
    """Resumed, it goes on collecting, and a person is asked instead of being stopped again."""
    plan = plan_with(acting(GATE, on_undecided="hold"))
    word = said("undecided", errors="undecided")
    tick = ClockTicked(at=START + timedelta(seconds=200), verdict=word)
    held = advance(plan, at_ten(heard="undecided"), tick).state
    resumed = advance(plan, held, CommandGiven(at=tick.at, kind="resume", actor="ops")).state
    assert resumed.phase == "running"
    step = advance(plan, resumed, tick)
    assert (step.state.phase, [entry.kind for entry in step.entries]) == ("running", ["asked"])


# --- no numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "phase", "kinds"),
    [
        ("rollback", "rolling_back", ["rollback"]),
        ("hold", "running", []),
        ("ask", "running", ["asked"]),
        ("tell", "running", ["told"]),
    ],
)
def test_a_blind_guard_says_what_follows(action: str, phase: str, kinds: list[str]) -> None:
    """After the policy's time, and once; until then nothing."""
    plan = plan_with(acting(GATE, on_blind=action), on_blind="hold" if action == "rollback" else "rollback")
    word = said("blind", errors="blind")
    first = hear(plan, at_ten(heard="blind"), word, 1)
    assert first.entries == ()
    step = hear(plan, first.state, word, 60)
    assert (step.state.phase, [entry.kind for entry in step.entries]) == (phase, kinds)
    if kinds in (["asked"], ["told"]):
        assert step.entries[0].data["blind_seconds"] == 59, "what people are told has its numbers"
    if phase == "running":
        assert hear(plan, step.state, word, 61).entries == ()
        seen = hear(plan, step.state, said("undecided", errors="undecided"), 62).state
        assert (seen.blind_since, seen.blind_told) == (None, False)


def test_the_guard_that_sees_has_no_say_in_blindness() -> None:
    """Only what is blind decides what follows from it."""
    plan = plan_with(acting(GATE, on_blind="hold"), acting(SPEED, on_blind="rollback"))
    word = said("blind", errors="blind", speed="undecided")
    state = hear(plan, at_ten(), word, 1).state
    assert hear(plan, state, word, 60).state.phase == "running"


def blind_for_an_hour(first: Stage | None = None) -> World:
    """Nobody is served yet, and the numbers have not come for an hour."""
    world = World(canary(first or stage("look", 0, "person"), stage("ten", 0.1), stage("all", 1, "time")))
    world.until("look")
    world.tick("blind")
    world.tick("blind", 3600)
    assert (world.state.phase, world.stage_id) == ("running", "look")
    return world


def test_the_patience_with_blindness_begins_with_the_first_exposed_user() -> None:
    """Blind for an hour while nobody was served: promoted by name, the first users have all of it."""
    world = blind_for_an_hour()
    world.say("promote", "we look by hand")
    assert "no numbers" in world.record[-1].text
    world.tick("blind", 0.2)
    assert (world.state.phase, world.share) == ("running", 0.1)
    world.tick("blind", 39)
    assert (world.state.phase, world.stage_id) == ("running", "ten")
    assert world.state.standing.startswith("blind: ")
    world.tick("blind", 1)
    assert world.state.phase == "rolling_back"
    assert "blind for 40 s with users on the new version" in world.state.standing


def test_blindness_goes_on_counting_from_stage_to_stage() -> None:
    """More users are no reason to begin anew."""
    world = World(canary(stage("ten", 0.1, "person"), stage("half", 0.5, "person"), stage("all", 1, "time")))
    world.until("ten")
    world.tick("blind")
    world.tick("blind", 30)
    world.say("promote")
    world.tick("blind", 1)
    assert world.share == 0.5
    world.tick("blind", 9)
    assert world.state.phase == "rolling_back"


def test_a_target_that_serves_nobody_yet_wears_out_no_patience() -> None:
    """People switch a site hours after they were asked: until then no user is at risk."""
    world = blind_for_an_hour()
    world.is_deaf = True
    world.say("promote")
    world.tick("blind", 3600)
    assert world.state.phase == "running"
    world.share = 0.1
    world.tick("blind", 30)
    assert world.state.phase == "running"
    world.tick("blind", 10)
    assert world.state.phase == "rolling_back"


def test_time_in_which_nobody_could_look_counts_as_blind() -> None:
    """Told, and then dead for an hour: the users were served without anybody looking."""
    world = blind_for_an_hour()
    world.say("promote")
    world.tick("blind", 3600)
    assert world.state.phase == "rolling_back"


def test_users_who_were_taken_back_by_somebody_else_come_back_with_a_whole_patience() -> None:
    """Lowered to nobody and resumed, the time without users was no blindness."""
    world = World(canary(stage("ten", 0.1), stage("all", 1, "time")))
    world.until("ten")
    world.share = 0.0
    world.tick("blind")
    world.tick("blind", 3600)
    assert world.state.phase == "paused"
    world.say("resume")
    world.tick("blind", 39)
    assert (world.state.phase, world.share) == ("running", 0.1)
    world.tick("blind", 1)
    assert world.state.phase == "rolling_back"


def test_a_clock_that_jumps_makes_no_patience_and_takes_none() -> None:
    """The first user is as long ago as time has passed."""
    world = blind_for_an_hour()
    world.say("promote")
    world.tick("blind", 1)
    world.now += timedelta(hours=1)
    world.hear(ClockCompared(at=world.now, jumped=3600, ahead=3600))
    world.tick("blind", 38)
    assert world.state.phase == "running"
    world.tick("blind", 1)
    assert world.state.phase == "rolling_back"


# --- the judge's rules ------------------------------------------------------------------------------


def test_the_judge_is_told_what_a_guard_is_compared_with() -> None:
    """A mean has its bound; past weeks are a kind of their own; an absolute guard is held to its limit."""
    score = acting(GATE, kpi="score", kind="mean", bound=5.0)
    past = acting(GATE, kpi="past", baseline="history", limit=0.1)
    tickets = acting(GATE, kpi="tickets", baseline="absolute", limit=0.1, say="brake")
    plan = canary(
        stage("ten", 0.1, margins={"score": 1.5}), stage("all", 1, "time"), guards=(score, past, tickets)
    )
    rules = rules_of(plan)
    told = {rule.kpi: (rule.kind, rule.bound, rule.tolerance, rule.limit) for rule in rules.guards}
    assert told["score"] == ("mean", 5.0, 1.25, None)
    assert told["past"] == ("past", None, 1.25, 0.1)
    assert told["tickets"][0] == "rate"
    assert told["tickets"][2] > 1000


def judged(plan: Plan, kpi: str, candidate: Sample, baseline: Sample, intervals: int = 60) -> Verdict:
    """What the real judge says after so many like minutes at ten percent."""
    rules = rules_of(plan)
    readings = [
        Reading(kpi, 60.0 * n, 60.0 * (n + 1), "ten", 0.1, candidate, baseline) for n in range(intervals)
    ]
    state = judge.update(rules, judge.begin(rules), readings)
    return judge.verdict(rules, state, now=60.0 * intervals, stage="ten", share=0.1)


def test_an_absolute_guard_hears_its_limit_and_nothing_else() -> None:
    """Five times as bad as the old version is well while the limit holds; above the limit it is harmful."""
    tickets = acting(GATE, kpi="tickets", baseline="absolute", limit=0.2)
    plan = canary(stage("ten", 0.1, margins={}, advance="person"), stage("all", 1, "time"), guards=(tickets,))
    assert judged(plan, "tickets", Counts(100, 10), Counts(900, 18)).kind != "harmful"
    assert judged(plan, "tickets", Counts(100, 30), Counts(900, 18)).kind == "harmful"


def test_a_score_that_falls_is_harm_and_one_that_does_not_is_shown_safe() -> None:
    """Answers from 0 to 5, fewer points are worse: the real judge on sums of answers."""
    score = acting(GATE, kpi="score", kind="mean", bound=5.0, direction="less_is_worse", tolerance=1.1)
    plan = canary(stage("ten", 0.1, margins={"score": 1.5}), stage("all", 1, "time"), guards=(score,))
    usual = Moments(90, 90 * 4.0, 90 * 17.0)
    assert judged(plan, "score", Moments(10, 40.0, 170.0), usual).kind == "healthy"
    assert judged(plan, "score", Moments(10, 20.0, 50.0), usual).kind == "harmful"


@pytest.mark.parametrize(
    ("served", "mirrored", "part"),
    [
        (0.0, 0.0, 0.0),
        (0.1, 0.0, 0.1),
        (0.0, 1.0, 0.5),
        (0.0, 0.5, 1 / 3),
        (0.2, 0.5, 0.6 / 1.4),
        (1.0, 0.0, 1.0),
    ],
)
def test_copies_count_in_what_is_compared(served: float, mirrored: float, part: float) -> None:
    """Of 100 requests, copies of all: the new version does 100 of the 200 that are measured."""
    state = State(served_share=served, served_mirrored=mirrored)
    assert compared_share(state) == pytest.approx(part)
