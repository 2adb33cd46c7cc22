"""`rollway demo`: the whole thread on a real service and real traffic, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from support.command import rollway

pytestmark = pytest.mark.slow


def test_a_bad_build_is_taken_back_before_many_met_it(tmp_path: Path) -> None:
    """Five times the errors: rolled back, and under a tenth of the users met it."""
    done = rollway(
        "demo", "--fast", "--exit", "--json", "--build", "errors", "--port", "0", cwd=tmp_path, within=200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (outcome,) = json.loads(done.stdout.splitlines()[-1])
    assert outcome["phase"] == "rolled_back"
    assert outcome["is_whole"]
    assert 0 < outcome["met"] < 0.10
    assert "big-bang blocked" in done.stdout
    assert "cannot approve it" in done.stdout
    assert list(tmp_path.glob(".rollway/demo/*/documents/errors/strategy.html"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_ends_no_process_is_left(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C, a polite kill and kill -9 in the middle: server, service and users are gone soon after."""
    mark = uuid.uuid4().hex
    demo = subprocess.Popen(
        [sys.executable, "-m", "rollway", "demo", "--build", "good", "--port", "0"],
        cwd=tmp_path,
        env={**os.environ, "ROLLWAY_TEST_MARK": mark},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(lambda: len(_marked(mark)) >= 4, within=60)
        demo.send_signal(number)
        demo.wait(20)
        _wait(lambda: not _marked(mark), within=20)
    finally:
        demo.kill()
        demo.wait()


def _marked(mark: str) -> list[int]:
    """The processes that were started with this mark in their environment."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in environment.read_bytes():
                found.append(int(environment.parent.name))
        except OSError:
            continue
    return found


def _wait(condition: Callable[[], bool], *, within: float) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
