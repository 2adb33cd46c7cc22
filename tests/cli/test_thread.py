"""The whole thread by hand, command by command, as the README shows it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from support.command import rollway
from support.served import Served
from support.world import metrics_server, release_facts

UNPROVEN = ("--skip-preflight", "--because", "its metrics page is gone")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a release file that states all it needs."""
    with metrics_server() as metrics:
        plain = release_facts(metrics.url, bake="30s")
    with (tmp_path / "release.yaml").open("w") as file:
        YAML(typ="safe").dump(plain, file)
    return tmp_path


@pytest.fixture
def served(folder: Path) -> Iterator[Served]:
    server = Served(str(folder / ".rollway"), folder / "serve.log")
    server.start()
    server.wait_ready()
    yield server
    server.stop()


def test_init_writes_a_file_that_checks(tmp_path: Path) -> None:
    """The skeleton is sound as written, is not overwritten, and its schema is beside it."""
    assert rollway("init", "--name", "my-thing", cwd=tmp_path).returncode == 0
    checked = rollway("check", "release.yaml", "--json", cwd=tmp_path)
    assert json.loads(checked.stdout)["ok"]
    assert json.loads((tmp_path / "release.schema.json").read_text())["$schema"]
    again = rollway("init", cwd=tmp_path)
    assert again.returncode == 4
    assert "is there already" in again.stderr


def test_a_broken_file_is_one_message_with_its_place(tmp_path: Path) -> None:
    """File, line, column, what, and what was meant; exit code 2; the same for programs."""
    (tmp_path / "release.yaml").write_text("release:\n  name: a\n  version: '1'\n  tittle: x\n")
    told = rollway("choose", "release.yaml", cwd=tmp_path)
    assert told.returncode == 2
    assert "release.yaml:4:3" in told.stderr
    assert "title" in told.stderr
    assert "Traceback" not in told.stderr
    problems = json.loads(rollway("check", "release.yaml", "--json", cwd=tmp_path).stdout)["problems"]
    assert (problems[0]["line"], problems[0]["column"]) == (4, 3)


def test_from_facts_to_approval(folder: Path) -> None:
    """assess, choose, plan, show, diff, docs, approve: each says what it did and what is next."""
    assert rollway("assess", "release.yaml", cwd=folder).returncode in (0, 11)
    chosen = json.loads(rollway("choose", "release.yaml", "--json", cwd=folder).stdout)
    assert chosen["chosen"] == "canary"
    assert "Big-bang" in rollway("choose", "release.yaml", cwd=folder).stdout
    assert "V1" in rollway("choose", "release.yaml", "--why", "big-bang", cwd=folder).stdout
    made = json.loads(rollway("plan", "release.yaml", "--json", cwd=folder).stdout)
    short = made["hash"][:12]
    assert short in rollway("plan", "show", "plan.json", cwd=folder).stdout
    other = rollway("plan", "release.yaml", "-o", "other.json", "--set", "rollout.bake=50s", cwd=folder)
    assert other.returncode == 0, other.stderr
    differs = rollway("plan", "diff", "plan.json", "other.json", cwd=folder)
    assert differs.returncode == 1
    assert "50 seconds" in differs.stdout
    assert rollway("docs", short, cwd=folder).returncode == 0
    assert (folder / "documents" / "strategy.html").exists()
    assert short in (folder / "documents" / "rollout-plan.md").read_text()
    refused = rollway("approve", "plan.json", "--as", "ana", cwd=folder)
    assert refused.returncode == 4
    assert "prepared" in refused.stderr
    assert rollway("start", "plan.json", "--as", "ops", cwd=folder).returncode == 4
    assert rollway("approve", "plan.json", "--as", "bo", cwd=folder).returncode == 0
    assert "approved by bo" in rollway("status", cwd=folder).stdout


def test_a_changed_plan_is_not_the_approved_one(folder: Path) -> None:
    """An approval is bound to the hash: the same plan with one number changed does not start."""
    rollway("plan", "release.yaml", cwd=folder)
    rollway("approve", "plan.json", "--as", "bo", cwd=folder)
    plan = json.loads((folder / "plan.json").read_text())
    plan["stages"][1]["exposure"]["share"] = 0.2
    (folder / "plan.json").write_text(json.dumps(plan))
    told = rollway("start", "plan.json", "--as", "ops", cwd=folder)
    assert told.returncode == 4
    assert "not approved" in told.stderr


def test_commands_reach_a_running_rollout(folder: Path, served: Served) -> None:
    """start, pause, resume, rollback and watch, each heard by the served Rollway; the record is whole."""
    rollway("plan", "release.yaml", cwd=folder)
    rollway("approve", "plan.json", "--as", "bo", cwd=folder)
    started = json.loads(rollway("start", "plan.json", "--as", "ops", *UNPROVEN, "--json", cwd=folder).stdout)
    name = started["rollout"]
    watching = subprocess.Popen(
        [sys.executable, "-m", "rollway", "watch", name, "--follow"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    paused = rollway("pause", name, "--as", "mia", "--because", "lunch", cwd=folder)
    assert "Paused by mia: lunch" in paused.stdout
    assert rollway("resume", name, "--as", "mia", cwd=folder).returncode == 4
    assert "Resumed by ops" in rollway("resume", "--as", "ops", cwd=folder).stdout
    assert "running" in rollway("status", name, cwd=folder).stdout
    begun = time.monotonic()
    back = rollway("rollback", name, "--as", "mia", cwd=folder)
    assert "Rolling back" in back.stdout
    assert watching.wait(20) == 10
    assert time.monotonic() - begun < 20
    assert watching.stdout is not None
    events = [json.loads(line) for line in watching.stdout]
    kinds = [event["kind"] for event in events if event["event"] == "entry"]
    watching.stdout.close()
    assert kinds[0] == "started"
    assert kinds[-1] == "rolled_back"
    verified = json.loads(rollway("record", "verify", name, "--json", cwd=folder).stdout)
    assert verified["is_whole"]
    assert verified["entries"] == len(kinds)
    assert rollway("pause", name, "--as", "mia", cwd=folder).returncode == 4


def test_a_command_that_nobody_hears_says_so(folder: Path) -> None:
    """Without a running Rollway a command is kept, and the exit code says that it was not heard."""
    rollway("plan", "release.yaml", cwd=folder)
    rollway("approve", "plan.json", "--as", "bo", cwd=folder)
    rollway("start", "plan.json", "--as", "ops", *UNPROVEN, cwd=folder)
    told = rollway("pause", "--as", "mia", cwd=folder)
    assert told.returncode == 6
    assert "nothing was done about it yet" in told.stderr
    assert "rollway serve" in told.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("status", "nothing"),
        ("record", "verify", "nothing"),
        ("record", "nothing"),
        ("plan", "show", "abcdef"),
    ],
)
def test_what_is_not_there_is_exit_code_3(tmp_path: Path, words: tuple[str, ...]) -> None:
    """A name that does not exist is said so, in one message."""
    told = rollway(*words, cwd=tmp_path)
    assert told.returncode == 3
    assert "Traceback" not in told.stderr
