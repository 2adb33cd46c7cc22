"""The simulated users, run as by hand."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

Services = dict[str, Any]


def run(example: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(example / "users.py"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_users_tell_what_they_met(services: Services, flags: Any, example: Path, tmp_path: Path) -> None:
    """The summary is kept up to date while they come, and printed once when they are sent home."""
    flags.expose(0.3)
    file = tmp_path / "met.json"
    users = run(
        example,
        *(
            "--url",
            services["good"].url,
            "--users",
            "300",
            "--rate",
            "120",
            "--seed",
            "3",
            "--summary",
            str(file),
        ),
    )
    time.sleep(1.6)
    halfway = json.loads(file.read_text())
    users.send_signal(signal.SIGTERM)
    said, wrong = users.communicate(timeout=8)
    assert (users.returncode, wrong) == (0, "")
    met = json.loads(said)
    assert json.loads(file.read_text())["requests"] == met["requests"] > halfway["requests"] > 0
    assert (met["unanswered"], met["not_sent"]) == (0, 0)
    assert 80 < met["requests_per_second"] < 220
    assert 0.15 < met["share_of_users_who_met_new"] < 0.45
    assert met["share_of_users_who_met_new"] == round(met["users_who_met_new"] / met["users_seen"], 4)
    assert met["users_seen"] <= 300
    counts = met["per_variant"].values()
    assert sum(one["requests"] for one in counts) == met["requests"]
    feedback = sum(one["happy"] + one["unhappy"] for one in counts)
    assert 0.04 < feedback / met["requests"] < 0.2
    assert list(tmp_path.iterdir()) == [file]


def test_users_come_even_where_nobody_serves_them(example: Path) -> None:
    """A service that is not up yet is counted, not a crash; they leave after the time that was set."""
    users = run(example, "--url", "http://127.0.0.1:9", "--users", "5", "--rate", "50", "--seconds", "0.6")
    said, wrong = users.communicate(timeout=8)
    met = json.loads(said)
    assert (users.returncode, wrong) == (0, "")
    assert met["unanswered"] == met["requests"] > 0
    assert (met["users_seen"], met["share_of_users_who_met_new"]) == (0, 0)
