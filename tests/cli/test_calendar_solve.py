"""`rollway calendar solve` as a release manager meets it: the table, the reasons, the file, the errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rollway.cli.main import cli
from rollway.errors import InputError

CALENDAR = """\
calendar: {name: harbour, timezone: Europe/Zurich}
windows:
  - {name: night, days: [tue, thu], opens: "22:00", closes: "04:00"}
  - {name: weekend, days: [sat], opens: "20:00", closes: "08:00"}
freezes:
  - {name: audit, first: 2027-01-10, last: 2027-01-20, reason: yearly}
teams:
  - {name: blue, per_night: 1, rest_nights: 1}
capacity: {per_night: 2}
"""
RELEASES = """\
releases:
  - {name: books, service: ledger, team: blue, duration: 3h, priority: 8}
  - name: shop
    service: shop
    team: blue
    duration: 1h
    waves: [{name: pilot, bake: 3d}, {name: rest, duration: 2h}]
  - {name: search, service: search, after: [shop], gap: 1d}
  - {name: late, service: shop, duration: 1h, earliest: 2027-01-11, deadline: 2027-01-18}
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    calendar, releases = tmp_path / "harbour.yaml", tmp_path / "releases.yaml"
    calendar.write_text(CALENDAR, encoding="utf-8")
    releases.write_text(RELEASES, encoding="utf-8")
    return calendar, releases


def solve(*words: str | Path) -> Result:
    return CliRunner().invoke(
        cli, ["calendar", "solve", *map(str, words), "--from", "2027-01-04", "--to", "2027-02-14"]
    )


def test_the_quarter_is_shown(files: tuple[Path, Path]) -> None:
    """Slots in local time and UTC, what is left out and why, and that no plan is better."""
    pytest.importorskip("ortools")
    output = solve(*files).output
    assert "3 releases in 4 slots, 1 left out" in output
    assert "books        Thu 7 Jan 2027 22:00 to Fri 01:00 Europe/Zurich (21:00 UTC)" in output
    assert (
        "freeze 'audit' (yearly) until Thu 21 Jan 2027 00:00 CET  (lifting this alone lets it in)" in output
    )
    assert "Proven: no plan on a grid of 30 minutes is better." in output


def test_programs_read_the_same(files: tuple[Path, Path]) -> None:
    """--json holds slots, reasons and the proof; the written file says the same."""
    pytest.importorskip("ortools")
    written = files[0].with_name("q1.json")
    body = json.loads(solve(*files, "--json", "--write", written).output)
    assert body == json.loads(written.read_text(encoding="utf-8"))
    assert body["proven"] is True
    assert [one["release"] for one in body["deferred"]] == ["late"]
    starts = {(one["release"], one["wave"]): one["start"] for one in body["placements"]}
    assert starts["books", ""] == "2027-01-07T21:00:00+00:00"


def test_a_slip_moves_as_little_as_can_be(files: tuple[Path, Path]) -> None:
    """With --previous only what has to moves, and the table says from where."""
    pytest.importorskip("ortools")
    calendar, releases = files
    written = calendar.with_name("q1.json")
    solve(calendar, releases, "--write", written)
    slipped = RELEASES.replace("search, after", "search, earliest: 2027-01-26, after")
    releases.write_text(slipped, encoding="utf-8")
    output = solve(calendar, releases, "--previous", written).output
    assert "1 left out, 1 moved" in output
    assert "* search" in output
    assert "before: " in output


def test_without_the_solver_it_says_what_to_install(files: tuple[Path, Path]) -> None:
    """Where OR-Tools is missing the error names the extra, and the code is that of wrong input."""
    code = (
        "import sys; sys.modules['ortools'] = None;"
        "sys.argv = ['rollway', 'calendar', 'solve', *sys.argv[1:]];"
        "from rollway.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, files)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "pip install 'rollway[solver]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_solver_is_imported_only_when_it_is_used() -> None:
    """Help loads neither OR-Tools nor NumPy."""
    code = (
        "import sys; from rollway.cli.main import cli;"
        "cli.main(['calendar', 'solve', '--help'], standalone_mode=False);"
        "print([n for n in ('numpy', 'ortools', 'pydantic') if n in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "q.json:1:2: not JSON"),
        ("[]", "q.json: this is no timetable of this version"),
        ('{"form": "rollway timetable 1"}', "placements: a list is needed"),
        ('{"form": "rollway timetable 1", "placements": [{}]}', "placements.0: release, wave and start"),
        (
            '{"form": "rollway timetable 1", '
            '"placements": [{"release": "a", "wave": "", "start": "2027-01-01"}]}',
            "placements.0.start: '2027-01-01' has no offset",
        ),
    ],
)
def test_a_broken_timetable_is_an_error_with_its_place(
    files: tuple[Path, Path], text: str, told: str
) -> None:
    """--previous says where the file is wrong, and which file is meant."""
    broken = files[0].with_name("q.json")
    broken.write_text(text, encoding="utf-8")
    error = solve(*files, "--previous", broken).exception
    assert isinstance(error, InputError)
    assert told in error.message
    assert "--write" in error.hint


def test_no_release_is_an_error(files: tuple[Path, Path]) -> None:
    """A calendar alone leaves nothing to place."""
    error = solve(files[0]).exception
    assert isinstance(error, InputError)
    assert "no release to place" in error.message
