"""The examples on real servers: each chooses its method by itself, and each build ends as it should."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from examples.live.__main__ import NAMES, find
from examples.live.builds import BUILDS, price
from examples.live.play import is_on_evidence
from examples.live.servers import NotInstalledError, Places, installed
from rollway.choice import choose
from rollway.facts import load_release
from support.servers import or_skipped

ROOT = Path(__file__).parents[2]
WITHIN = 300.0
CHANGED = """
import dataclasses
import examples.live.__main__ as live

def does_not_start(places):
    raise OSError("the port is taken")

find = live.find
live.find = lambda name: dataclasses.replace(find(name), {change})
raise SystemExit(live.main())
"""
BROKEN_SERVER = CHANGED.format(change="servers=(does_not_start,)")
NO_TIME = CHANGED.format(change="give_up_after=0")


@pytest.fixture
def alone() -> Iterator[None]:
    """No other test process plays an example meanwhile: two worlds at once are enough for two cores."""
    with (Path(tempfile.gettempdir()) / f"rollway-live-examples-of-{os.getuid()}").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


@pytest.mark.parametrize("name", NAMES)
def test_the_facts_choose_the_method_by_themselves(name: str) -> None:
    """Nobody asks for a method: `rollway choose` comes to the one that the example is about."""
    example = find(name)
    release = load_release(example.folder / "release.yaml")
    assert release.rollout.method is None
    assert choose(release).sequence == example.sequence


@pytest.mark.parametrize("name", NAMES)
def test_every_address_in_an_examples_files_is_one_that_a_run_replaces(name: str, tmp_path: Path) -> None:
    """What is left on a usual port, or below the usual folder, would be somebody else's."""
    example, places = find(name), Places(tmp_path)
    for file in ("release.yaml", *example.files):
        text = places.put((example.folder / file).read_text())
        told = {int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", text)}
        assert told <= set(places.ports.values())
        assert "/srv/" not in text


def test_every_method_two_sequences_and_every_server_have_an_example() -> None:
    """Six methods alone; Envoy, HAProxy, nginx and Prometheus all at work; each with a `make` target."""
    examples = [find(name) for name in NAMES]
    alone = {one.sequence[0] for one in examples if len(one.sequence) == 1}
    assert alone == {"canary", "blue_green", "phased", "pilot", "parallel", "big_bang"}
    assert sum(len(one.sequence) > 1 for one in examples) == 2
    servers = {getattr(server, "__name__", "") for one in examples for server in one.servers}
    assert servers >= {"Envoy", "Haproxy", "Nginx", "Prometheus"}
    makefile, readme = (ROOT / "Makefile").read_text(), (ROOT / "examples/live/README.md").read_text()
    for name in NAMES:
        assert f"\nexample-{name.replace('_', '-')}: " in makefile
        assert f"({name}/release.yaml)" in readme


@pytest.mark.parametrize("name", NAMES)
def test_the_bad_build_of_an_example_differs_from_the_good_one(name: str) -> None:
    """What comes back must be bad."""
    assert BUILDS[find(name).bad] != BUILDS["good"]


def test_going_back_blind_is_not_going_back_on_evidence() -> None:
    """A rollout that went back because nothing was seen has caught no fault."""
    assert is_on_evidence("Rolling back: errors: the new version's rate is 21 times the old one's")
    assert is_on_evidence("Rolling back: the new version serves 100% and is not ready.")
    assert not is_on_evidence("Rolling back by policy: blind for 20 s")
    assert not is_on_evidence("")


def test_from_ten_pieces_on_a_tenth_is_off() -> None:
    """What users check answers against."""
    assert (price(0, 9), price(0, 10), price(3, 1)) == (1791, 1791, 310)


def test_a_program_that_is_missing_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is not root reads which package to install."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(NotInstalledError, match="sudo apt-get install no-such-thing"):
        installed("no-such-thing", "bin/no-such-thing")


def test_an_example_that_breaks_ends_with_70_and_shows_the_ends_of_its_logs() -> None:
    """An exit code of its own: 1 would say that a build did not end as it should."""
    command = [sys.executable, "-c", BROKEN_SERVER, "parallel", "--build", "good", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (70, ""), done.stderr
    assert "OSError: the port is taken" in done.stderr
    assert "--- the end of rollway.log\n" in done.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("alone")
def test_an_outcome_that_is_not_right_comes_with_what_happened() -> None:
    """Here it is given no time at all; who asked for JSON reads on standard error how far it came."""
    _servers_are_here("parallel")
    command = [sys.executable, "-c", NO_TIME, "parallel", "--build", "good", "--fast", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    (outcome,) = json.loads(done.stdout)
    assert outcome["faults"][0].startswith("expected done: ")
    assert "$ rollway start plan.json" in done.stderr
    assert "the last verdict: " in done.stderr


def _servers_are_here(name: str) -> None:
    with or_skipped():
        for server in find(name).servers:
            requires = getattr(server, "requires", None)
            if requires is not None:
                requires()


@pytest.mark.slow
@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("name", NAMES)
def test_the_good_build_arrives_and_the_bad_one_comes_back(name: str) -> None:
    """Both at the same time, each on servers of its own, as the command line starts them."""
    _servers_are_here(name)
    command = [sys.executable, "-m", "examples.live", name.replace("_", "-"), "--fast", "--json"]
    started = [
        subprocess.Popen(
            [*command, "--build", build], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for build in ("good", "bad")
    ]
    try:
        (good, told), (bad, told_of_bad) = [_outcome(process) for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()
    assert (good["phase"], good["faults"]) == ("done", []), told
    assert (bad["phase"], bad["faults"]) == ("rolled_back", []), told_of_bad
    assert bad["exposed"] < good["exposed"] or good["exposed"] == 0


def _outcome(process: subprocess.Popen[bytes]) -> tuple[dict[str, Any], str]:
    """The outcome, and what it told of one that is not right. Where there is none it fails at once."""
    try:
        said, complaint = process.communicate(timeout=WITHIN)
    except subprocess.TimeoutExpired:
        process.terminate()
        complaint = process.communicate()[1]
        pytest.fail(f"it was not done within {WITHIN:g} s\n{complaint.decode()}")
    assert process.returncode in (0, 1), f"it ended with {process.returncode}\n{complaint.decode()}"
    (outcome,) = json.loads(said)
    return outcome, f"{outcome}\n{complaint.decode()}"
