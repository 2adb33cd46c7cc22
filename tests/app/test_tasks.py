"""Automatic tasks for real: commands are run once, kept, timed, and asked about after a crash."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rollway.app import Rollway
from rollway.app.authority import speakers
from rollway.app.runtime import Runtime
from rollway.app.task_runs import KEPT_BYTES, TaskRuns
from rollway.errors import RefusedError
from rollway.planning import Gate, Plan, Task
from rollway.rollout import RunTask, TaskRan, begin
from support.rollouts import wait_for
from support.tasks import night
from support.world import Metrics, a_release


def python(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


def plan_with(rollway: Rollway, metrics: Metrics, *tasks: Task, **more: Any) -> Plan:
    """The usual release, with these tasks and nothing else to wait for."""
    made = rollway.plan(a_release(metrics.url))
    policy = made.policy.model_copy(update={"tasks": "followed"})
    changes = {"runbook": tasks, "gates": (), "policy": policy, "night": None, **more}
    stages = tuple(stage.model_copy(update={"tasks": ()}) for stage in made.stages)
    rollback = made.rollback.model_copy(update={"undo": ()})
    plan = made.model_copy(update={**changes, "stages": stages, "rollback": rollback})
    plan = Plan.model_validate(plan.to_json())
    rollway.approve(plan, "bo")
    return plan


def automatic(name: str, command: str, **more: Any) -> Task:
    given = {"phase": "before", "owner": "kim", "stage": "baseline", "automatic": True, **more}
    return Task(id=name, title=name, command=command, **given)


def doing_of(rollway: Rollway, rollout: str, name: str) -> str:
    doing = rollway.load(rollout).state.tasks.get(name)
    return "" if doing is None else doing.state


def entries(rollway: Rollway, rollout: str, kind: str) -> list[Any]:
    return [entry for entry in rollway.rollouts.record(rollout) if entry.kind == kind]


@contextmanager
def working(rollway: Rollway) -> Iterator[Runtime]:
    runtime = Runtime(rollway)
    runtime.start()
    try:
        yield runtime
    finally:
        runtime.stop()


def test_commands_run_in_their_order_and_what_they_say_is_kept(
    rollway: Rollway, metrics: Metrics, tmp_path: Path
) -> None:
    """The second begins after the first has ended; a failed one holds the rollout until it is settled."""
    log = tmp_path / "log"
    first = automatic("first", python(f"print('one', file=open({str(log)!r}, 'a')); print('said one')"))
    second = automatic("second", python("import sys; print('no disk'); sys.exit(3)"), after=("first",))
    plan = plan_with(rollway, metrics, first, second)
    with working(rollway):
        rollout = rollway.start(plan, "ops")
        wait_for(lambda: rollway.load(rollout).state.phase == "paused")
        assert log.read_text() == "one\n"
        assert [doing_of(rollway, rollout, name) for name in ("first", "second")] == ["done", "failed"]
        assert entries(rollway, rollout, "task_done")[0].data["output"] == "said one\n"
        failed = entries(rollway, rollout, "task_failed")[0]
        assert (failed.data["code"], failed.data["output"]) == (3, "no disk\n")
        with pytest.raises(RefusedError, match="mallory may not say skip of 'second'"):
            rollway.say(rollout, "skip", "mallory", "why not", "second")
        rollway.say(rollout, "skip", "kim", "made room by hand", "second")
        wait_for(lambda: rollway.load(rollout).state.started_at is not None)
        assert rollway.verify_record(rollout)[1] == ()


@pytest.mark.parametrize("idempotent", [True, False])
def test_a_restart_in_the_middle_of_a_command(
    rollway: Rollway, metrics: Metrics, tmp_path: Path, idempotent: bool
) -> None:
    """What is idempotent is run again; else nothing is run, and a person is asked whether it ran."""
    if rollway.engine.dialect.name != "sqlite":
        pytest.skip("where workers share a database, another one may still run it: see the next tests")
    log = tmp_path / "log"
    code = f"import time; print('begun', file=open({str(log)!r}, 'a'), flush=True); time.sleep(4)"
    plan = plan_with(rollway, metrics, automatic("migrate", python(code), idempotent=idempotent))
    with working(rollway):
        rollout = rollway.start(plan, "ops")
        wait_for(lambda: log.exists() and log.read_text() == "begun\n")
    with working(rollway):
        wait_for(lambda: bool(entries(rollway, rollout, "task_cut_off")))
        if idempotent:
            wait_for(lambda: log.read_text() == "begun\n" * 2)
            assert rollway.load(rollout).state.tasks["migrate"].attempt == 2
            return
        assert rollway.load(rollout).state.phase == "paused"
        assert doing_of(rollway, rollout, "migrate") == "unsure"
        rollway.say(rollout, "confirm", "kim", "looked: all rows are there", "migrate")
        wait_for(lambda: rollway.load(rollout).state.started_at is not None)
        assert log.read_text() == "begun\n"


def test_what_was_rolled_back_is_retried_on_its_old_approvals(
    rollway: Rollway, runtime: Runtime, metrics: Metrics
) -> None:
    """The same plan, a new rollout; both records name the other. Without approvals it is refused."""
    plan = plan_with(rollway, metrics)
    first = rollway.start(plan, "ops")
    with pytest.raises(RefusedError, match="only what was rolled back is retried"):
        rollway.retry(first, "ops")
    rollway.say(first, "rollback", "kim", "the wrong evening")
    wait_for(lambda: rollway.load(first).state.is_final)
    with pytest.raises(RefusedError, match="may not retry"):
        rollway.retry(first, "mallory")
    second = rollway.retry(first, "ops", reason="the right evening")
    assert rollway.load(second).plan.hash == plan.hash
    assert entries(rollway, second, "started")[0].data["again"] == first
    assert entries(rollway, first, "retried")[0].data["as"] == second
    assert rollway.verify_record(first)[1] == ()
    rollway.say(second, "rollback", "kim", "no")
    wait_for(lambda: rollway.load(second).state.is_final)
    rollway.approve(plan, "bo", decision="no", reason="enough")
    with pytest.raises(RefusedError, match="not approved"):
        rollway.retry(second, "ops")


# --- the runner by itself ---------------------------------------------------------------------------


class Told:
    """Where ends are left."""

    def __init__(self) -> None:
        self.ends: list[TaskRan] = []

    def report(self, rollout: str, event: TaskRan) -> None:
        self.ends.append(event)


def ended(*command: str, timeout: float = 30.0) -> TaskRan:
    told = Told()
    runs = TaskRuns(told, lambda: datetime.now(UTC), is_alone=True)  # type: ignore[arg-type]  # reports only
    effect = RunTask(subject="t", attempt=1, command=command, timeout=timeout)
    runs.run("r-1", effect)
    runs.run("r-1", effect)
    assert runs.knows("r-1", "t", 1, datetime.now(UTC), is_undo=False)
    wait_for(lambda: bool(told.ends))
    assert len(told.ends) == 1, "the same attempt was run twice"
    return told.ends[0]


def test_the_last_of_what_a_command_says_is_kept() -> None:
    """Errors too, and no more than 4 KB."""
    ran = ended(sys.executable, "-c", "import sys; print('x' * 9000); print('end', file=sys.stderr)")
    assert ran.code == 0
    assert len(ran.output) == KEPT_BYTES
    assert "x" * 100 in ran.output


def test_a_command_that_takes_too_long_is_ended() -> None:
    """With whatever it started."""
    ran = ended("sh", "-c", "sleep 60 & sleep 60", timeout=0.5)
    assert (ran.code, ran.seconds < 10) == (None, True)
    assert "took longer than 0.5 s" in ran.problem


def test_a_command_that_is_not_there_has_failed() -> None:
    """The reason is in the record, and no thread dies of it."""
    assert "cannot be run" in ended("/nowhere/at-all").problem


def test_a_worker_that_shares_its_database_waits_before_it_calls_a_task_lost() -> None:
    """Another one may be running it: only after its time has surely passed nobody does."""
    told, now = Told(), datetime(2027, 1, 1, 12, tzinfo=UTC)
    runs = TaskRuns(told, lambda: now, is_alone=False)  # type: ignore[arg-type]  # reports only
    assert runs.knows("r", "t", 1, now, is_undo=False)
    assert not runs.knows("r", "t", 1, datetime(2027, 1, 1, 10, tzinfo=UTC), is_undo=False)
    alone = TaskRuns(told, lambda: now, is_alone=True)  # type: ignore[arg-type]  # reports only
    assert not alone.knows("r", "t", 1, now, is_undo=False)


# --- who may say what -------------------------------------------------------------------------------


def test_authority_over_gates_and_tasks() -> None:
    """Owner, backup and operators do; only the decider decides; an unfilled role is stood in for."""
    board = Gate(
        id="board", stage="switch", kind="person", what="the board says go", decider="Business owner"
    )
    numbers = Gate(id="numbers", stage="switch", kind="task", what="seen", of="brief")
    plan = night(gates=(board, numbers), approvers=("ines",))
    state = begin()
    assert speakers(plan, state, "confirm", "brief") == ("eva", "max", "ops")
    assert speakers(plan, state, "go", "switch-decide") == ("po", "vice")
    assert speakers(plan, state, "skip", "switch-decide") == ("po", "vice")
    assert speakers(plan, state, "confirm", "board") == ("Business owner", "ines", "ops")
    assert speakers(plan, state, "waive", "numbers") == ("ops",)
    assert speakers(night(operators=()), state, "confirm", "brief") == ()
