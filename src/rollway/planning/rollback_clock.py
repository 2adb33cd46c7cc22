"""Until when one can still turn back in the night of a plan: drawn from rehearsed times, always the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rollway.planning.model import Plan, RollbackClock
from rollway.planning.parts import GateOdds
from rollway.planning.runbooks.model import Runbook, Task
from rollway.planning.words import length, listing

RUNS = 5_000
"""Nights drawn: a probability is then exact to 0.007."""
SEED = 1
CONFIDENCE = 0.9
DECISION_SECONDS = 900.0
"""How long it takes to decide to go back, where nobody stated it."""


def make_clock(plan: Plan) -> RollbackClock | None:
    """The clock of the plan's night; None where no task of it has a time that was ever planned or rehearsed.

    Seconds and shares are rounded, so that the same plan gives the same clock on every machine.
    """
    from rollway.planning.runbooks.chance import Settings, night_of, simulate
    from rollway.planning.runbooks.plan_parts import runbook_of
    from rollway.planning.runbooks.schedule import make_schedule
    from rollway.planning.runbooks.turning import turning_point

    if plan.night is None or not _has_times(plan.runbook, plan.night.stage):
        return None
    whole = runbook_of(plan)
    decision = plan.night.decision_seconds or DECISION_SECONDS
    book, assumed = _with_way_back(replace(night_of(whole), decision=decision), plan)
    turning = turning_point(book, simulate(book, Settings(runs=RUNS, seed=SEED)), CONFIDENCE)
    window = book.window_seconds
    return RollbackClock(
        stage=plan.night.stage,
        runs=RUNS,
        seed=SEED,
        confidence=CONFIDENCE,
        window_seconds=window,
        decision_seconds=decision,
        finish_p50=_whole(turning.finish.p50),
        finish_p90=_whole(turning.finish.p90),
        finish_in_window=_share(turning.finish_in_window),
        back_p50=_whole(turning.back.p50),
        back_p90=_whole(turning.back.p90),
        last_call=None if turning.latest_safe is None else _whole(turning.latest_safe),
        no_return_p10=None if turning.no_return is None else _whole(turning.no_return.p10),
        no_return_p50=None if turning.no_return is None else _whole(turning.no_return.p50),
        critical=make_schedule(book).critical,
        gates=tuple(
            GateOdds(task=gate.id, back_in_time=round(gate.back_in_time, 3)) for gate in turning.gates
        )
        if window is not None
        else (),
        assumed=tuple(_assumed(plan, assumed)),
    )


def with_clock(plan: Plan) -> Plan:
    """The plan with its clock reckoned anew, and what the clock has to say among its notes."""
    old = set(clock_notes(plan.rollback.clock))
    clock = make_clock(plan)
    notes = (*(note for note in plan.notes if note not in old), *clock_notes(clock))
    rollback = plan.rollback.model_copy(update={"clock": clock})
    return plan.model_copy(update={"rollback": rollback, "notes": notes})


def _has_times(runbook: Sequence[Task], stage: str) -> bool:
    """Whether some task of the night has a time of its own, not only a fixed wait."""
    return any(
        task.seconds and not task.is_wait
        for task in runbook
        if task.phase == "during" and task.stage == stage
    )


def _with_way_back(book: Runbook, plan: Plan) -> tuple[Runbook, tuple[str, ...]]:
    """The runbook with a time for each undo step, and what was assumed for those without one."""
    longest = max((task.seconds for task in book.tasks if not task.is_wait), default=0.0)
    untimed = [step for step in book.undo if not step.duration and not step.rehearsed]
    undo = tuple(replace(step, duration=longest) if step in untimed else step for step in book.undo)
    told = f"Nobody timed the way back ({listing(step.title for step in untimed)}): it is taken to last "
    return replace(book, undo=undo), ((f"{told}{length(longest)}, as the longest task.",) if untimed else ())


def _assumed(plan: Plan, assumed: Sequence[str]) -> Iterator[str]:
    yield from assumed
    night = plan.night
    if night is not None and not night.decision_seconds:
        yield f"Deciding to go back is taken to need {length(DECISION_SECONDS)}; nobody stated it."
    if night is not None and night.window_seconds is not None and night.start is None:
        yield "The night begins when the change window opens, and the window has its usual length."
    marks = [
        task
        for task in plan.runbook
        if night and task.stage == night.stage and task.phase == "during" and not task.seconds
    ]
    if marks:
        yield f"{len(marks)} tasks of the night have no time and count as none."


def _whole(seconds: float) -> float:
    return float(round(seconds))


def _share(share: float | None) -> float | None:
    return None if share is None else round(share, 3)


def clock_notes(clock: RollbackClock | None) -> Iterator[str]:
    """What somebody who approves the plan should know of its night."""
    if clock is None or clock.window_seconds is None:
        return
    if clock.finish_in_window is not None and clock.finish_in_window < CONFIDENCE:
        yield (
            f"The work of the night ends inside its window of {length(clock.window_seconds)} in "
            f"{clock.finish_in_window:.0%} of the nights that were drawn: shorten it or lengthen the window."
        )
    if clock.last_call is not None and clock.last_call < 0:
        yield (
            "Even at the start of the night it is too late to be sure of coming back inside the window: "
            f"going back takes {length(clock.back_p90)} in a bad night."
        )
    late = [gate for gate in clock.gates if gate.back_in_time < CONFIDENCE]
    for gate in late:
        yield (
            f"A no at '{gate.task}' comes back inside the window in {gate.back_in_time:.0%} of the nights: "
            "ask that question earlier."
        )


def clock_words(clock: RollbackClock) -> Iterator[str]:
    """The clock in lines for show and the documents; times count from the entering of its stage."""
    from rollway.planning.runbooks.pictures import offset

    usual, bad = offset(clock.finish_p50), offset(clock.finish_p90)
    yield f"The work ends at {usual} in half of the nights, by {bad} in nine of ten."
    if clock.finish_in_window is not None and clock.window_seconds is not None:
        window = length(clock.window_seconds)
        yield f"It ends inside the window of {window} in {clock.finish_in_window:.0%} of them."
    yield f"Going back takes {length(clock.back_p50)}, in a bad night {length(clock.back_p90)}."
    if clock.no_return_p10 is not None:
        first = offset(clock.no_return_p10)
        yield f"The point of no return comes before {first} in one night of ten."
    if clock.last_call is None:
        yield "Nothing limits until when one can turn back."
    elif clock.last_call < 0:
        yield "Last call: even at T it is too late to be sure of coming back in time."
    else:
        share = f"{clock.confidence:.0%}"
        yield f"Last call to turn back: {offset(clock.last_call)}, in time in {share} of the nights."
