"""Runs the commands of automatic tasks, beside the ticks, and leaves their ends for the next tick to hear.

No shell is involved. What a command says is kept, its last 4 KB in the record. A command that was begun goes
on when this process ends: the rollout knows that it was begun, and decides what becomes of it.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import IO

from rollway.rollout import RunTask, TaskRan
from rollway.store import SqlRollouts

log = logging.getLogger("rollway.tasks")

KEPT_BYTES = 4096
LONGEST = timedelta(hours=1, minutes=1)
"""After this long every command has ended, wherever it was run, and has said so if it still could."""
TRIES, BETWEEN_SECONDS = 30, 1.0
"""How often the end of a command is told to a database that does not answer."""

_Key = tuple[str, str, int, bool]


class TaskRuns:
    """Fills the `TaskRunner` port. Where it `is_alone` on its database, what it does not know nobody runs."""

    def __init__(self, rollouts: SqlRollouts, clock: Callable[[], datetime], *, is_alone: bool) -> None:
        self._rollouts, self._clock, self._is_alone = rollouts, clock, is_alone
        self._known: set[_Key] = set()
        self._lock = threading.Lock()

    def run(self, rollout: str, task: RunTask) -> None:
        with self._lock:
            key = (rollout, task.subject, task.attempt, task.is_undo)
            if key in self._known:
                return
            self._known.add(key)
        name = f"task-{task.subject}"
        threading.Thread(target=self._run, args=(rollout, task), name=name, daemon=True).start()

    def knows(self, rollout: str, subject: str, attempt: int, since: datetime, *, is_undo: bool) -> bool:
        with self._lock:
            if (rollout, subject, attempt, is_undo) in self._known:
                return True
        return not self._is_alone and self._clock() - since < LONGEST

    def _run(self, rollout: str, task: RunTask) -> None:
        begun = time.monotonic()
        with tempfile.TemporaryFile() as said:
            code, problem = _end_of(rollout, task, said)
            output = _last_of(said)
        log.info("task %s of %s ended with %s %s", task.subject, rollout, code, problem)
        ran = TaskRan(
            at=self._clock(),
            subject=task.subject,
            attempt=task.attempt,
            is_undo=task.is_undo,
            code=code,
            output=output,
            problem=problem,
            seconds=time.monotonic() - begun,
        )
        self._tell(rollout, ran)

    def _tell(self, rollout: str, ran: TaskRan) -> None:
        for left in reversed(range(TRIES)):
            try:
                self._rollouts.report(rollout, ran)
                return
            except Exception:
                if not left:
                    log.exception("the end of task %s of %s could not be kept", ran.subject, rollout)
                time.sleep(BETWEEN_SECONDS)
        with self._lock:
            # Nobody will hear of it, so that it counts as cut off.
            self._known.discard((rollout, ran.subject, ran.attempt, ran.is_undo))


def _end_of(rollout: str, task: RunTask, said: IO[bytes]) -> tuple[int | None, str]:
    """The code with which the command ended; else why there is none."""
    environment = os.environ | {
        "ROLLWAY_ROLLOUT": rollout,
        "ROLLWAY_TASK": task.subject,
        "ROLLWAY_ATTEMPT": str(task.attempt),
    }
    try:
        process = subprocess.Popen(  # noqa: S603 -- the command of an approved plan, and no shell
            task.command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return None, f"its command cannot be run: {error}"
    with process:
        try:
            return process.wait(timeout=task.timeout), ""
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return None, f"its command took longer than {task.timeout:g} s and was ended"


def _last_of(said: IO[bytes]) -> str:
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - KEPT_BYTES))
    text = said.read().decode("utf-8", errors="replace")
    # What a database or a page could stumble over is made visible.
    return "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in text)
