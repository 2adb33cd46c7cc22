"""`rollway --help` is quick, because it imports what it needs and nothing else."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from rollway.cli.main import CHAPTERS, cli

PROMISE = 0.4
HEAVY = (
    "pydantic",
    "sqlalchemy",
    "fastapi",
    "dbos",
    "numpy",
    "rich",
    "ruamel",
    "jinja2",
    "uvicorn",
    "alembic",
)


def test_help_is_there_in_less_than_0_4_seconds() -> None:
    """The quickest of five runs, so that a busy neighbour does not decide."""
    runs = []
    for _ in range(5):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "rollway", "--help"], capture_output=True, check=True)
        runs.append(time.perf_counter() - begun)
    assert min(runs) < PROMISE, runs


def test_help_imports_nothing_heavy() -> None:
    """What would slow the start down is imported by the command that needs it."""
    code = (
        "import sys; from rollway.cli.main import cli; cli.main(['--help'], standalone_mode=False);"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("name", [name for commands in CHAPTERS.values() for name in commands])
def test_every_command_teaches(name: str) -> None:
    """Each command that --help lists exists and explains itself."""
    answer = CliRunner().invoke(cli, [name, "--help"])
    assert answer.exit_code == 0
    assert len(answer.output.splitlines()) > 5


def test_a_typing_error_gets_a_suggestion(tmp_path: Path) -> None:
    """`rollway stauts` says what was meant."""
    done = subprocess.run(
        [sys.executable, "-m", "rollway", "stauts"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 2
    assert "Did you mean 'status'?" in done.stderr
