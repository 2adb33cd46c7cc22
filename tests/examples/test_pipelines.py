"""The pipelines of examples/pipelines do what they say, on a real Rollway."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from rollway.cli.watch import TIME_IS_OVER, WAITS_FOR_PEOPLE
from support.command import rollway
from support.served import Served
from support.world import metrics_server, release_facts

FOLDER = Path(__file__).parents[2] / "examples" / "pipelines"


def read(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(FOLDER / name)
    return loaded


def of_github(job: str) -> list[str]:
    """The scripts of a job's steps, but for the installation."""
    workflow = read("github-actions.yml")
    assert workflow["defaults"]["run"]["shell"] == "bash", "without it there is no pipefail"
    steps = workflow["jobs"][job]["steps"]
    return [step["run"] for step in steps if "run" in step and step["name"] != "install"]


def of_gitlab(job: str) -> list[str]:
    """A job's lines, which one shell runs."""
    return ["\n".join(read("gitlab-ci.yml")[job]["script"])]


def typed(scripts: list[str]) -> list[str]:
    """The commands of some scripts, without what becomes of their output."""
    lines = "\n".join(scripts).splitlines()
    return [line.split(" | ")[0].strip() for line in lines if line.strip()]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with a release file, and a server that carries rollouts out."""
    with metrics_server() as metrics:
        facts = release_facts(metrics.url, bake="1s", check_every="0.3s")
        # Fewer requests than really come, so that a look every 0.3 s is fine enough for what is promised.
        facts["architecture"]["requests_per_second"] = 300
        with (tmp_path / "release.yaml").open("w") as file:
            YAML(typ="safe").dump(facts, file)
        server = Served(str(tmp_path / ".rollway"), tmp_path / "serve.log")
        server.start()
        server.wait_ready()
        yield tmp_path
        server.stop()


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """One step as the runner runs it: bash that stops at the first error, with what steps before exported."""
    exported = folder / "github-env"
    exported.touch()
    said = dict(line.split("=", 1) for line in exported.read_text().splitlines())
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    runner = {
        "PATH": path,
        "ROLLWAY_DATA": str(folder / ".rollway"),
        "ROLLWAY_USER": "ops",
        "GITHUB_ENV": str(exported),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
    }
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, **runner, **said},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def meet_gates(folder: Path) -> None:
    """What people do beside a pipeline: confirm the gates, once the rollout is there."""
    for _ in range(200):
        told = rollway("task", "list", "--json", cwd=folder)
        if told.returncode == 0:
            break
        time.sleep(0.2)
    view = json.loads(told.stdout)
    for gate in view["gates"]:
        if not gate["is_met"]:
            rollway("task", "confirm", view["id"], gate["id"], "--as", "ops", "--reached", "100%", cwd=folder)


@pytest.mark.parametrize("of", [of_github, of_gitlab])
def test_a_release_goes_through_the_pipeline(of: Any, folder: Path) -> None:
    """Checked in the pull request, approved by a person, started on merge, followed to its end."""
    # The check takes long, and is the same in both.
    assert typed(of_gitlab("check")) == typed(of_github("check"))
    for script in of_github("check") if of is of_github else ["rollway plan release.yaml"]:
        told = run(script, folder)
        assert told.returncode == 0, told.stdout + told.stderr
    plan = (folder / "plan.json").read_bytes()
    scripts = of("rollout")
    refused = [run(script, folder) for script in scripts[:2]][-1]
    assert refused.returncode == 4
    assert "is not approved" in refused.stderr
    assert rollway("approve", "plan.json", "--as", "bo", cwd=folder).returncode == 0
    people = threading.Thread(target=meet_gates, args=(folder,))
    people.start()
    for script in scripts:
        told = run(script, folder)
        assert told.returncode == 0, told.stdout + told.stderr
    people.join()
    assert (folder / "plan.json").read_bytes() == plan, "the same facts give the plan that was approved"
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert (events[-1]["event"], events[-1]["phase"]) == ("end", "done")
    numbers = [event["n"] for event in events if event["event"] == "entry"]
    assert numbers == list(range(1, len(numbers) + 1))
    assert "Every stage was left by its own rule" in told.stdout


def test_exit_codes_that_are_no_failure_are_those_of_watch() -> None:
    """The codes that the pipelines let pass are the ones that `watch` gives."""

    gitlab = read("gitlab-ci.yml")["rollout"]["allow_failure"]["exit_codes"]
    assert gitlab == [TIME_IS_OVER, WAITS_FOR_PEOPLE]
    follow = of_github("rollout")[-1]
    assert f"{TIME_IS_OVER})" in follow
    assert f"{WAITS_FOR_PEOPLE})" in follow
