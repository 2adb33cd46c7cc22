"""The example of a target of one's own: built as a package, installed beside Rollway, found and tried."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2] / "examples" / "plugin-target"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as its wheel puts it there, built without a network."""
    wheels, folder = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    subprocess.run(build, cwd=HERE, check=True, capture_output=True)
    (wheel,) = wheels.glob("*.whl")
    subprocess.run([sys.executable, "-m", "zipfile", "-e", wheel, folder], check=True)
    return folder


def rollway(*words: str, cwd: Path, path: Path | None) -> subprocess.CompletedProcess[str]:
    """The command as a user runs it who has this folder among the installed ones."""
    more = {} if path is None else {"PYTHONPATH": str(path)}
    command = [sys.executable, "-m", "rollway", *words]
    return subprocess.run(
        command, cwd=cwd, env=os.environ | more, capture_output=True, text=True, check=False, timeout=60
    )


def test_the_installed_target_is_found_and_keeps_its_promises(installed: Path, tmp_path: Path) -> None:
    """`rollway target check`, as its README says; afterwards the share is what it was."""
    (tmp_path / "share").write_text('{"share": 0.25}')
    asked = ("target", "check", str(HERE / "target.yaml"), "--yes-move-traffic", "--json")
    done = rollway(*asked, cwd=tmp_path, path=installed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {promise["state"] for promise in json.loads(done.stdout)["promises"]} == {"kept"}
    assert json.loads((tmp_path / "share").read_text())["share"] == 0.25


def test_without_leave_the_file_is_not_moved(installed: Path, tmp_path: Path) -> None:
    """Each line says why it was not tried, and how it could be."""
    (tmp_path / "share").write_text('{"share": 0.25}')
    done = rollway("target", "check", str(HERE / "target.yaml"), cwd=tmp_path, path=installed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "100% is read back          it moves traffic" in done.stdout
    assert "--yes-move-traffic tries the rest" in done.stdout


def test_where_it_is_not_installed_that_is_said(tmp_path: Path) -> None:
    """The type is named, and what is there instead."""
    done = rollway("target", "check", str(HERE / "target.yaml"), cwd=tmp_path, path=None)
    assert done.returncode == 2
    assert "'share_file', which is not installed" in done.stderr
    assert "haproxy" in done.stderr


def test_the_examples_own_tests_pass(tmp_path: Path) -> None:
    """As its author runs them."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(HERE)]
    path = {"PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*command, "-c", os.devnull, str(HERE)],
        cwd=tmp_path,
        check=False,
        env=os.environ | path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_the_module_is_as_short_as_its_documentation_says() -> None:
    """Under sixty lines."""
    assert len((HERE / "share_file.py").read_text().splitlines()) < 60
