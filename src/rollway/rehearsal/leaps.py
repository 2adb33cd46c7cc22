"""From tick to tick, and in leaps over the ticks at which nothing can be decided.

While a stage bakes, or holds, nothing changes but the evidence, and the evidence of ten ticks at once is that
of ten ticks one by one. So a leap draws what is served in many ticks and lets the judge read it as one. Where
that brings a decision, or may hide one, the leap is undone, what was drawn is split into two halves as chance
would have split it, and these are read instead, down to the plan's own ticks. So every decision falls at a
tick of the plan.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from rollway import judge
from rollway.judge.courses import kept_part
from rollway.judge.harm import contributions
from rollway.judge.processes import SUSPICIOUS_LOG_E
from rollway.planning import Plan
from rollway.planning.calendar.in_plan import plan_state
from rollway.planning.evidence import COMPARED
from rollway.rehearsal.course import (
    Run,
    account,
    collect,
    command_due,
    fault_of,
    is_shut,
    onset,
    served,
    tasks_due,
    tick,
    troubles_at,
)
from rollway.rehearsal.draws import Drawn, split, thinned
from rollway.rollout import machine

HIDDEN = math.log(1000)
"""A leap is split where the chance that it hides a decision is above exp(-HIDDEN)."""
FIRST_SWING = 4.0
"""The variance (nats squared) of a leap's evidence while nothing is known of it: a leap that ends less than
some nats from a decision is split."""
SWING_SAFETY, SWING_KEPT = 2.0, 0.7
FINEST = 100
"""Where nothing is decided yet, leaps are not split into parts below this part of the time in the stage."""
GROWTH = 2
"""After a fault began a leap is at most this part of the time since then."""
FEWEST_LOOKS = 3
"""In so many leaps, where nothing is compared."""
NO_CHANCE = 15.0
"""Expected requests of which none comes by chance three times in ten million."""
MOST_TICKS = 20_000
LONGEST_SECONDS = 400 * 86_400.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How finely runs are rehearsed: a stage's bake time is passed in at least so many leaps; `is_exact`:
    every tick of the plan one by one."""

    looks: int = 8
    is_exact: bool = False


USUAL_PACE = Pace()
Stop = Callable[[Run], bool]
Watch = Callable[[Run], None]


def play(run: Run, pace: Pace = USUAL_PACE, *, stop: Stop | None = None, seen: Watch | None = None) -> Run:
    """Carry the run on until it is over, or until `stop` says so. `seen` is shown every tick."""
    latest = run.at + LONGEST_SECONDS
    while not run.is_over and not (stop and stop(run)):
        if run.ticks > MOST_TICKS or run.at > latest:
            run.ending = "not over"
            break
        ticks = None if pace.is_exact else _ticks_ahead(run, pace)
        if ticks is None:
            tick(run, run.at + _seconds_ahead(run))
        else:
            _read(run, ticks, served(run, run.at + ticks * run.script.tick_seconds))
        if seen:
            seen(run)
    return run


def longest_leap(plan: Plan, pace: Pace = USUAL_PACE) -> int:
    """How many ticks of the plan are read as one at most, while its longest stage bakes."""
    bake = max(stage.bake_seconds for stage in plan.stages)
    return max(1, int(bake / pace.looks / plan.policy.tick_seconds))


def _seconds_ahead(run: Run) -> float:
    """How long until the next tick, as the engine sets it; the first is at once. Windows are awaited."""
    if run.ticks == 0:
        return 0.0
    now = datetime.fromtimestamp(run.at, UTC)
    wake = machine.next_wake(run.script.plan, run.state, now, moved=run.moved)
    seconds = run.script.tick_seconds if wake is None else wake.total_seconds()
    if run.state.phase == "waiting":
        opens = plan_state(run.script.plan, now).next_open
        return max(seconds, opens.timestamp() - run.at) if opens else seconds
    return seconds


# --- how far to leap --------------------------------------------------------------------------------


def _ticks_ahead(run: Run, pace: Pace) -> int | None:
    """How many ticks may be read at once from here; None where the next has to be looked at by itself."""
    if not _is_settled(run):
        return None
    every, ready = run.script.tick_seconds, run.stage.bake_seconds
    is_compared = 0 < (run.state.served_share or 0.0) < 1
    ahead = max(ready, run.elapsed) / (pace.looks if is_compared else FEWEST_LOOKS)
    if is_shut(run) and not is_compared:
        ahead = LONGEST_SECONDS
    if run.elapsed < ready:
        ahead = min(ahead, max(every * math.ceil((ready - run.elapsed) / every - 1e-9), every))
    elif is_compared and run.stage.advance == "evidence":
        # Most runs go on soon after their bake, at the first tick at which nothing speaks against it.
        ahead = min(ahead, max(every, (run.elapsed - ready) / GROWTH))
    if fault_of(run) is not None:
        ahead = min(ahead, (run.at - (onset(run) or 0.0)) / GROWTH)
    # A tick at which something turns is looked at by itself.
    turns = (math.ceil((at - run.at) / every - 1e-9) - 1 for at in _turns(run) if at > run.at)
    ticks = max(1, min([math.floor(ahead / every + 1e-9), *turns]))
    quiet = _least_traffic(run, ticks * every) * _compared(run) * run.script.rules.blind_seconds
    return ticks if quiet > NO_CHANCE or _is_patient(run, is_compared) else None


def _is_patient(run: Run, is_compared: bool) -> bool:
    """Whether a moment without numbers changes nothing: nobody is compared, and the plan would only hold."""
    plan = run.script.plan
    actions = {guard.on_blind or plan.policy.on_blind for guard in plan.guards}
    return not is_compared and actions <= {"hold"}


def _is_settled(run: Run) -> bool:
    """Whether the target serves the stage as told, can be read, and nobody does anything."""
    state = run.state
    return (
        state.phase == "running"
        and state.entered_at is not None
        and not run.moved
        and run.collected == run.at
        and run.sham.due is None
        and not run.sham.problem
        and not state.target_problem
        and (state.blind_since is None or run.script.plan.policy.on_blind == "hold")
        and abs(run.sham.said.share - state.desired_share) < machine.SAME_SHARE
        and not _is_unread(run, run.at)
    )


def _is_unread(run: Run, at: float) -> bool:
    """Whether no KPI can be read. Other troubles show only when the target is told something."""
    return any(trouble.kind == "source_down" for trouble in troubles_at(run, at))


def _turns(run: Run) -> list[float]:
    """Moments at which something turns, besides the end of the bake time."""
    found = [
        run.told_at[trouble.stage] + trouble.after_seconds
        for trouble in run.script.scenario.troubles
        if trouble.stage in run.told_at
    ]
    begins, due, entered = onset(run), command_due(run), run.state.entered_at
    if begins is not None:
        found.append(begins)
    if due is not None:
        found.append(due[0])
    found += [at for at, _ in tasks_due(run)]
    if entered is not None and run.state.asked_at is None:
        found.append(entered.timestamp() + run.stage.patience_seconds)
    if is_shut(run):
        plan, now = run.script.plan, datetime.fromtimestamp(run.at, UTC)
        opens = plan_state(plan, now).next_open
        found += [opens.timestamp()] if opens else []
    return found


def _least_traffic(run: Run, seconds: float) -> float:
    """Requests per second in the quietest quarter of what lies ahead."""
    traffic, part = run.script.scenario.world.traffic, seconds / 4
    starts = (run.at + n * part for n in range(4))
    return min(traffic.expected(start, start + part) / part for start in starts)


# --- the leap ---------------------------------------------------------------------------------------


def _read(run: Run, ticks: int, drawn: tuple[Drawn, ...]) -> None:
    """Let the judge read what was drawn for so many ticks: at once, or in halves where that decides."""
    if ticks == 1:
        before = run.log_e
        _read_at_once(run, 1, drawn)
        _note_evidence(run, before, 1)
        return
    trial = run.copy()
    _read_at_once(trial, ticks, drawn)
    _note_evidence(trial, run.log_e, ticks)
    if not _has_to_split(run, trial, ticks):
        _become(run, trial)
        return
    sizes, was = (ticks // 2, ticks - ticks // 2), run.state
    for size, part in zip(sizes, split(run.rng, drawn, sizes), strict=True):
        _read(run, size, part)
        if run.is_over or (run.state.stage, run.state.phase) != (was.stage, was.phase) or run.moved:
            # What follows is served by another share, and drawn anew.
            return


def _note_evidence(run: Run, before: float, ticks: int) -> None:
    """How far the evidence moved in so many ticks, and how it moves in general."""
    run.log_e, _ = contributions(run.script.rules, run.judged)
    squares, over = run.jolts
    run.jolts = SWING_KEPT * squares + (run.log_e - before) ** 2, SWING_KEPT * over + ticks


def _read_at_once(run: Run, ticks: int, drawn: tuple[Drawn, ...]) -> None:
    until = run.at + ticks * run.script.tick_seconds
    told = _told(run, ticks, drawn) if ticks > 1 else drawn
    if _is_idle(run, until):
        account(run, until)
        run.at = until
        run.ticks += 1
        run.judged = judge.update(run.script.rules, run.judged, collect(run, told))
        if run.judged.finding is None:
            return
        run.collected, told = until, ()
    tick(run, until, told)


def _is_idle(run: Run, until: float) -> bool:
    """Whether a tick at that moment could only go on baking, unless harm is found."""
    entered, due = run.state.entered_at, command_due(run)
    return (
        entered is not None
        and until - entered.timestamp() < run.stage.bake_seconds
        and not (due and until >= due[0])
        and not any(until >= at for at, _ in tasks_due(run))
        and not _is_unread(run, until)
        and not any(guard.kind == "assignment" for guard in run.script.plan.guards)
    )


def _has_to_split(run: Run, trial: Run, ticks: int) -> bool:
    """Whether the leap hides at which of its ticks something was decided."""
    if trial.judged.finding is not None:
        return True
    was, now = run.state, trial.state
    is_changed = (was.stage, was.phase, was.asked_at) != (now.stage, now.phase, now.asked_at)
    first = run.elapsed + run.script.tick_seconds
    if is_changed and first >= run.stage.bake_seconds:
        return True
    if ticks * run.script.tick_seconds * FINEST <= run.elapsed:
        return False
    return _may_hide(run, trial, ticks)


def _may_hide(run: Run, trial: Run, ticks: int) -> bool:
    """Whether the evidence may have been enough, or no longer suspicious after the bake, within the leap,
    though it is not so at its end.

    Between its ends evidence moves about like a Brownian bridge, which reaches what is `a` from the one and
    `b` from the other with probability exp(-2 a b / variance).
    """
    squares, over = run.jolts
    usual = SWING_SAFETY * ticks * squares / over if over > 0 else FIRST_SWING
    variance = max(usual, (trial.log_e - run.log_e) ** 2)
    levels = [math.log(1 / run.script.rules.alpha)]
    if trial.elapsed >= run.stage.bake_seconds:
        levels.append(SUSPICIOUS_LOG_E)
    return any(2 * (at - run.log_e) * (at - trial.log_e) < HIDDEN * variance for at in levels)


def _told(run: Run, ticks: int, drawn: tuple[Drawn, ...]) -> tuple[Drawn, ...]:
    """What the judge learns of what was drawn, were the ticks judged one by one: where two versions are
    compared, each tick's comparison costs a part of its requests. A limit costs none."""
    if not 0 < (run.state.served_share or 0.0) < 1:
        return drawn
    until = run.at + ticks * run.script.tick_seconds
    requests = run.script.scenario.world.traffic.expected(run.at, until) * _compared(run)
    guards = (each for each in run.script.plan.guards if each.kind in COMPARED)
    compared = {each.kpi for each in guards if each.baseline == "concurrent"}
    return thinned(run.rng, drawn, kept_part(requests / ticks, ticks), of=compared)


def _compared(run: Run) -> float:
    """The share of users whose figures are compared."""
    share = run.state.served_share or 0.0
    return share + (run.state.served_control or 1 - share)


def _become(run: Run, other: Run) -> None:
    for name in Run.__slots__:
        setattr(run, name, getattr(other, name))
