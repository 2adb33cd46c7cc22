"""Drawn nights beside exact laws and beside a plain simulation; until when one can go back."""

from __future__ import annotations

import math
import random
from datetime import timedelta
from itertools import product
from statistics import mean

import numpy as np
import pytest
from scipy import stats

from planning.runbook.books import T, book, step, task
from rollway.planning.runbooks import Runbook, UndoStep
from rollway.planning.runbooks.chance import SPREAD, Settings, night_of, predictive, simulate, usual_and_long
from rollway.planning.runbooks.model import StageMark
from rollway.planning.runbooks.turning import last_calls, latest_safe, turning_point

A, B, C = (600.0, 900.0, 1500.0), (300.0, 1200.0), (400.0, 800.0, 1000.0, 2000.0)
EXACTLY = Settings(runs=40_000, law="empirical", shared=0.0)
NEAR = 4 * 0.5 / math.sqrt(40_000)
"""Four standard errors of a probability."""


def test_tasks_in_a_row_add_up_as_their_convolution() -> None:
    """The law of the finish of two rehearsed tasks in a row is that of all their pairs."""
    nights = simulate(book(task("a", rehearsed=A), task("b", "a", rehearsed=B)), EXACTLY)
    sums = [one + two for one, two in product(A, B)]
    for limit in sorted(sums):
        exact = mean(total <= limit for total in sums)
        assert (nights.finish <= limit + 1e-6).mean() == pytest.approx(exact, abs=NEAR)


def test_tasks_side_by_side_end_with_the_last() -> None:
    """P(max <= x) is the product of the laws: parallel tasks are later than each of them."""
    nights = simulate(book(task("a", rehearsed=A), task("b", rehearsed=B), task("c", rehearsed=C)), EXACTLY)
    for limit in (900.0, 1200.0, 1500.0):
        exact = math.prod(mean(one <= limit for one in samples) for samples in (A, B, C))
        assert (nights.finish <= limit).mean() == pytest.approx(exact, abs=NEAR)


def test_few_rehearsals_promise_little() -> None:
    """The foretold time follows its law, and its P90 comes nearer to the median with each rehearsal."""
    samples = (600.0, 700.0, 640.0)
    centre, scale = predictive(samples)
    nights = simulate(book(task("a", rehearsed=samples)), Settings(runs=40_000, shared=0.0))
    for share in (0.1, 0.5, 0.9):
        exact = math.exp(stats.norm.ppf(share, centre, scale))
        assert (nights.finish <= exact).mean() == pytest.approx(share, abs=NEAR)
    spreads = [predictive(samples * times)[1] for times in (1, 2, 4, 8)]
    assert spreads == sorted(spreads, reverse=True)


def test_a_plan_without_rehearsals_counts_as_one_rehearsal() -> None:
    """Its median is the plan, its spread the belief before any rehearsal, times the root of two."""
    centre, scale = predictive((600.0,))
    assert math.exp(centre) == pytest.approx(600)
    assert scale == pytest.approx(SPREAD * math.sqrt(2))
    assert math.exp(stats.norm.ppf(0.9) * SPREAD) == pytest.approx(1.5)


def test_a_shared_factor_makes_long_chains_less_sure() -> None:
    """With the same tasks, a night that is slow as a whole spreads the finish."""
    chain = book(*(task(f"t{n}", *([f"t{n - 1}"] if n else [])) for n in range(30)))
    apart, together = (simulate(chain, Settings(runs=5000, shared=shared)).finish for shared in (0.0, 0.3))
    assert np.log(together).std() > 2 * np.log(apart).std()


def test_equal_seeds_give_equal_nights() -> None:
    """Same runbook and settings, same numbers; another seed, others."""
    runbook = book(task("a"))
    first, again, other = (simulate(runbook, Settings(runs=50, seed=seed)).finish for seed in (3, 3, 4))
    assert (first == again).all()
    assert (first != other).any()


def plain_night(runbook: Runbook, draw: random.Random, moments: list[float]) -> tuple[float, list[bool]]:
    """One night, minute by minute thinking: its finish, and whether going back at each moment is in time."""
    start: dict[str, float] = {}
    end: dict[str, float] = {}
    for one in runbook.tasks:  # the test's list is in order of work
        start[one.id] = max([0.0, *(end[name] for name in one.after)])
        end[one.id] = start[one.id] + draw.choice(one.rehearsed)
    taken = {one.id: draw.choice(one.rehearsed) for one in runbook.undo}
    no_return = min((start[one.id] for one in runbook.tasks if not one.reversible), default=math.inf)
    answers = []
    for at in moments:
        begun = [one for one in runbook.tasks if start[one.id] <= at]
        named = {name for one in runbook.tasks for name in one.undo}
        needed = {one.id for one in runbook.undo if one.id not in named} | {
            u for one in begun for u in one.undo
        }
        back = at + runbook.decision + sum(taken[name] for name in needed)
        answers.append(at < no_return and back <= (runbook.window_seconds or math.inf))
    return max(end.values()), answers


def rehearsed_step(name: str, *samples: float) -> UndoStep:
    return UndoStep(name, name, "ann", rehearsed=samples, tested="staging")


NIGHT = book(
    task("close", rehearsed=A, undo=("open",)),
    task("copy", "close", rehearsed=C, undo=("empty",)),
    task("prepare", "close", rehearsed=B, undo=("open",)),
    task("switch", "copy", "prepare", rehearsed=B, undo=("point",)),
    task("send", "switch", rehearsed=A, reversible=False, decider="ann"),
    undo=(
        rehearsed_step("point", 200.0, 350.0),
        rehearsed_step("empty", 700.0, 900.0, 1600.0),
        rehearsed_step("open", 150.0),
        rehearsed_step("tell", 60.0, 120.0),
    ),
    closes=T + timedelta(seconds=4200),
    decision=300.0,
)


def test_the_curve_agrees_with_a_plain_simulation() -> None:
    """Arrays and a slow loop that walks through each night give the same chances at every moment."""
    moments = [n * 250.0 + 1.0 for n in range(16)]
    draw = random.Random(5)
    slow = [plain_night(NIGHT, draw, moments) for _ in range(4000)]
    nights = simulate(NIGHT, EXACTLY)
    near = 4 * 0.5 / math.sqrt(4000)
    for place, at in enumerate(moments):
        chance = mean(answers[place] for _, answers in slow)
        assert (nights.last_call >= at).mean() == pytest.approx(chance, abs=near)
    assert nights.finish.mean() == pytest.approx(mean(finish for finish, _ in slow), rel=0.02)


def test_the_last_call_is_where_going_back_stops_being_in_time() -> None:
    """By hand: steps of 10 and 20, needed from 0 and 30, a limit of 60: until 30 and then no more."""
    needed, undo = np.array([[30.0], [-np.inf]]), np.array([[20.0], [10.0]])
    never = np.array([np.inf])
    assert last_calls(needed, undo, 60.0, never).tolist() == [30.0]
    assert last_calls(needed, undo, 80.0, never).tolist() == [50.0]
    assert last_calls(needed, undo, 30.0, never).tolist() == [20.0]
    assert last_calls(needed, undo, 80.0, np.array([40.0])).tolist() == [40.0]
    assert last_calls(np.empty((0, 1)), np.empty((0, 1)), 60.0, never).tolist() == [60.0]


def test_the_last_safe_moment_keeps_its_confidence() -> None:
    """At it, at least so many nights are in time; a little later, fewer."""
    calls = np.array([5.0, 1.0, 4.0, 2.0, 3.0, 10.0, 9.0, 8.0, 7.0, 6.0])
    assert latest_safe(calls, 0.9) == 2.0
    assert latest_safe(calls, 0.95) == 1.0
    assert latest_safe(np.array([math.inf]), 0.9) is None


def test_certain_times_give_certain_answers() -> None:
    """Every task takes ten minutes, each undo five: the last call, the gate and the finish are exact."""
    ten, five = (600.0,), (300.0,)
    runbook = book(
        task("a", rehearsed=ten, undo=("ua",)),
        task("b", "a", rehearsed=ten, undo=("ub",)),
        task("gate", "b", rehearsed=ten, gate=True, decider="ann"),
        task("send", "gate", rehearsed=ten, reversible=False, decider="ann"),
        undo=(rehearsed_step("ub", *five), rehearsed_step("ua", *five)),
        closes=T + timedelta(minutes=40),
        decision=240.0,
    )
    said = turning_point(runbook, simulate(runbook, Settings(runs=200, law="empirical", shared=0.0)))
    assert said.finish.p50 == 2400
    assert said.finish_in_window == 1.0
    assert said.no_return is not None
    assert said.no_return.p50 == 1800
    assert said.back.p90 == 600
    assert said.latest_safe == 2400 - 240 - 600
    assert [(gate.id, gate.back_in_time) for gate in said.gates] == [("gate", 1.0)]


def test_without_window_and_final_step_one_can_always_go_back() -> None:
    """Nothing limits the last call, and nobody is told a moment."""
    runbook = book(task("a", undo=("back",)), undo=(step("back"),))
    said = turning_point(runbook, simulate(runbook, Settings(runs=100)))
    assert said.latest_safe is None
    assert said.finish_in_window is None
    assert said.no_return is None


def test_a_thousand_tasks_do_not_last_for_years() -> None:
    """No single draw carries the finish: the P99 of a long chain lies near its median."""
    chain = book(*(task(f"t{n}", *([f"t{n - 1}"] if n else [])) for n in range(1000)))
    finish = simulate(chain, Settings(runs=500, shared=0.0)).finish
    assert np.quantile(finish, 0.99) < 1.1 * np.median(finish)


def test_a_mark_takes_no_time() -> None:
    """A planned time of nothing is nothing in every night."""
    assert simulate(book(task("a", minutes=0)), Settings(runs=100)).finish.max() == 0


def test_a_stated_p90_is_the_p90() -> None:
    """Nine nights in ten need no more than people said, and half of them the usual time."""
    times = simulate(book(task("a", minutes=60, p90=5400.0)), Settings(runs=40_000, shared=0.0)).finish
    assert np.quantile(times, 0.9) == pytest.approx(5400, rel=0.02)
    assert np.median(times) == pytest.approx(3600, rel=0.02)
    assert usual_and_long(task("a", minutes=60, p90=5400.0)) == pytest.approx((3600, 5400))


def test_a_wait_is_as_long_in_every_night() -> None:
    """A slow night makes work longer, but no wait of fixed length."""
    finish = simulate(book(task("a", minutes=60, p90=3600.0)), Settings(runs=500, shared=0.5)).finish
    assert set(finish.round(6)) == {3600.0}


def test_rehearsals_weigh_more_than_what_was_stated() -> None:
    """Where both are there, what was measured counts."""
    seen = usual_and_long(task("a", minutes=60, p90=5400.0, rehearsed=(600.0,) * 8))
    assert seen is not None
    assert seen[0] == pytest.approx(600)


def test_a_bake_of_days_is_no_part_of_the_night() -> None:
    """The night's own work counts, not the other stages and not a wait beyond the window."""
    marks = (StageMark("pilot", -60.0), StageMark("night", 0.0))
    plan = book(
        task("early", minutes=600, stage="pilot"),
        task("move", "early", minutes=60, stage="night"),
        task("bake", "move", minutes=6000, p90=360_000.0, stage="night"),
        stages=marks,
        night="night",
        closes=T + timedelta(hours=8),
    )
    assert [one.id for one in night_of(plan).tasks] == ["move"]
    assert night_of(plan).tasks[0].after == ()
