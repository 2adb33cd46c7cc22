"""`rollway rehearse`: what it prints, and with what it ends."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from rollway.cli.main import cli
from rollway.cli.rehearse import check_plan
from rollway.errors import InputError
from rollway.planning import Promise
from rollway.planning.model import Traffic
from tests.rehearsal.conftest import plan_of

PROMISE = Promise(stage="ten", kpi="errors", ratio=10.0, requests=100, seconds=5.0, probability=1.0)
FEW = ("--runs", "3", "--start", "2026-01-05T12:00")


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    path.write_text(plan_of(traffic=Traffic(per_second=200.0, users=9000), promises=(PROMISE,)).text())
    return path


def rehearse(path: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--data", str(path.parent / "data"), "rehearse", str(path), *words])


def fault(path: Path, *words: str) -> InputError:
    error = rehearse(path, *words).exception
    assert isinstance(error, InputError)
    return error


def test_a_release_manager_reads_what_would_happen(plan_file: Path) -> None:
    """The answer first, then the healthy release with its picture, the stories, and the promises."""
    result = rehearse(plan_file, *FEW)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0].startswith("In rehearsal the plan does what it says")
    assert "All 3 runs reach everyone." in lines
    assert any(line.startswith("   100% ") for line in lines)
    assert "  everything fails: errors ×10 from ten on" in lines
    assert lines[-1].split() == ["ten", "errors", "×10", "100%", "/", "100%", "-", "-", "kept"]
    assert max(map(len, lines)) <= 80


def test_the_same_seed_prints_the_same(plan_file: Path) -> None:
    """Byte by byte; another seed draws other runs."""
    words = ("--runs", "2", "--no-promises", "--fault", "errors=2", "--json")
    one, again = (rehearse(plan_file, *words).output for _ in range(2))
    assert one == again
    assert rehearse(plan_file, *words, "--seed", "2").output != one


def test_a_wrong_promise_ends_with_its_own_exit_code(plan_file: Path) -> None:
    """A plan edited to promise that three users meet a fault which hundreds meet."""
    plan = json.loads(plan_file.read_text())
    plan["promises"][0]["exposed"] = 3.0
    plan_file.write_text(json.dumps(plan))
    result = rehearse(plan_file, *FEW)
    assert result.exit_code == 14
    assert "missed  errors ×10 in ten" in result.output
    assert "MISSED" in result.output


def test_own_faults_and_troubles_are_rehearsed_instead(plan_file: Path) -> None:
    """With their stage and onset; one run of them can be told line by line."""
    result = rehearse(plan_file, *FEW, "--fault", "errors=5@half+100s", "--story", "fault errors=5@half+100s")
    assert result.exit_code == 0, result.output
    assert "All 3 runs are taken back on evidence" in result.output
    assert "Rolling back: errors" in result.output
    down = rehearse(plan_file, *FEW, "--trouble", "source_down=1h@half", "--json")
    (story,) = [s for s in json.loads(down.output)["stories"] if s["name"] != "healthy"]
    assert story["endings"] == {"blind": 3}


def test_recorded_telemetry_is_the_world_before_the_release(plan_file: Path, tmp_path: Path) -> None:
    """A day of the old version with a fault planted into it."""
    rows = [f"{60 * n},{9000 + 50 * n},{150 + n}" for n in range(60)]
    record = tmp_path / "day.csv"
    record.write_text("time,trials,errors\n" + "\n".join(rows))
    result = rehearse(plan_file, *FEW, "--recorded", str(record), "--fault", "errors=10")
    assert result.exit_code == 0, result.output
    assert "traffic as recorded over 1 hour" in result.output
    assert "All 3 runs are taken back on evidence" in result.output


def test_the_picture_is_written(plan_file: Path, tmp_path: Path) -> None:
    """As SVG, to the file that is named."""
    drawing = tmp_path / "rehearsal.svg"
    assert rehearse(plan_file, "--runs", "1", "--no-promises", "--fault", "all=9", "--svg", str(drawing))
    assert drawing.read_text().startswith("<svg ")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--traffic", "many"), "--traffic"),
        (("--base", "eror=0.1"), "no KPI 'eror'"),
        (("--base", "errors=often"), "no rate"),
        (("--fault", "errors"), "not understood"),
        (("--fault", "errors=0.5"), "no ratio above 1"),
        (("--fault", "errors=5@third"), "no stage 'third'"),
        (("--trouble", "flood=5m"), "no trouble 'flood'"),
        (("--trouble", "source_down=soon"), "no duration"),
        (("--start", "tonight"), "no moment"),
        (("--story", "nothing"), "no story"),
        (("--query", "requests=up"), "--prometheus"),
    ],
)
def test_what_is_not_understood_is_refused_with_a_hint(
    plan_file: Path, words: tuple[str, ...], told: str
) -> None:
    """Before anything is run."""
    error = fault(plan_file, *words)
    assert told in error.message
    assert error.hint


RELEASE = """
release: {name: shop, version: "2", prepared_by: ada}
architecture: {telemetry: high, per_version_telemetry: true, feature_flags: true, requests_per_second: 200,
  traffic_split: true, automation: high}
stakeholders: {users: 9000}
kpis:
  - {name: errors, kind: rate, expected: 0.02, signal: {type: scrape, url: "http://127.0.0.1:1/metrics",
     arm_label: v, candidate: new, baseline: old, total: t, bad: b}}
rollout: {method: canary, bake: 5m, check_every: 10s}
"""


def test_a_plan_is_checked_as_it_is_made(tmp_path: Path) -> None:
    """`rollway plan --check` ends with the answer of a short rehearsal."""
    path = tmp_path / "release.yaml"
    path.write_text(RELEASE)
    words = ("plan", str(path), "-o", str(tmp_path / "plan.json"), "--check")
    result = CliRunner().invoke(cli, ["--data", str(tmp_path / "data"), *words])
    assert result.exit_code == 0, result.output
    assert "In rehearsal the plan does what it says" in result.output.replace("\n", " ")


def test_a_plan_that_fails_its_check_ends_with_its_own_exit_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With what it missed; beside JSON on stderr, so that programs read JSON alone."""
    plan = plan_of(traffic=Traffic(per_second=200.0), promises=(PROMISE.model_copy(update={"exposed": 3.0}),))
    with pytest.raises(click.exceptions.Exit) as left:
        check_plan(plan, as_json=True)
    told = capsys.readouterr()
    assert left.value.exit_code == 14
    assert told.out == ""
    assert "missed  errors ×10 in ten" in told.err
