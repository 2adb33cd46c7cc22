"""The durable engine: DBOS behind the `TickCaller` port, in tick style.

Each evaluation is one short workflow `tick(rollout, seq)` without steps: it may be run again from its
start at any time, because a tick whose number has passed changes nothing. Nothing sleeps in here: a
rollout that waits is a row with a time in it, and whoever finds it due calls its tick. A tick has one
workflow id, so several workers that find it due run it once. See decision 0004.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID

log = logging.getLogger("rollway.engine")

WORKFLOW = "tick"
APPLICATION_VERSION = "1"
"""Ticks may be taken over by any later release of Rollway, so this changes only when their arguments do."""

Run = Callable[[str, int], object]


class DurableTicks:
    """Calls `run(rollout, seq)` durably, on this process and any other with the same database.

    DBOS keeps one engine per process, so there is at most one of these alive at a time.
    """

    def __init__(self, engine: sa.Engine, run: Run, *, executor: str, workers: int = 32) -> None:
        self._is_sqlite = engine.dialect.name == "sqlite"
        if self._is_sqlite:
            sa.event.listen(engine, "connect", _mend_unixepoch)
        url = engine.url.render_as_string(hide_password=False)
        config: DBOSConfig = {
            "name": "rollway",
            "system_database_url": url,
            "application_version": APPLICATION_VERSION,
            "executor_id": executor,
            "max_executor_threads": workers,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "ERROR",
            "console_log_level": "ERROR",
        }
        shared = {"system_database_engine": engine} if self._is_sqlite else {}
        DBOS(config={**config, **shared})  # type: ignore[typeddict-item]  # shared holds config keys
        self._workflow = DBOS.workflow(name=WORKFLOW)(_guarded(run))

    def launch(self) -> None:
        """Start working, first on what an earlier life of this executor left unfinished."""
        DBOS.launch()

    def close(self) -> None:
        """Stop. Whoever calls has waited for the ticks at work; DBOS would look for them once a second.

        On PostgreSQL that second is also what DBOS's own threads need to give their connections back.
        """
        patience = 0 if self._is_sqlite else 5
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=patience)

    def call(self, rollout: str, seq: int, why: str) -> None:
        """Run this tick at once on a thread of this process. A second call for the same reason is none."""
        with SetWorkflowID(f"{rollout}:{seq}:{why}"):
            DBOS.start_workflow(self._workflow, rollout, seq)

    def prune(self, finished_before: datetime) -> int:
        """Forget ticks that finished before this; our own record has what they decided. Returns how many."""
        done = DBOS.list_workflows(
            name=WORKFLOW, completed_before=finished_before.isoformat(), limit=5000, load_input=False
        )
        if done:
            DBOS.delete_workflows([workflow.workflow_id for workflow in done])
        return len(done)


def _guarded(run: Run) -> Callable[[str, int], None]:
    def tick(rollout: str, seq: int) -> None:
        try:
            run(rollout, seq)
        except Exception:
            # The watcher calls an overdue tick again; a crash in one must not look like silence.
            log.exception("tick %s of %s failed", seq, rollout)

    return tick


def _mend_unixepoch(connection: Any, _record: object) -> None:
    # DBOS asks for unixepoch('subsec') on Python >= 3.12, which SQLite knows only from 3.42 on.
    if sqlite3.sqlite_version_info < (3, 42):
        connection.create_function("unixepoch", 1, _unixepoch)


def _unixepoch(_modifier: str) -> float:
    return time.time()
