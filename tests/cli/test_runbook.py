"""`rollway runbook` on the example and on broken files: what people read, and what programs read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rollway.cli.main import cli
from rollway.errors import InputError, NotFoundError

EXAMPLES = Path(__file__).parents[2] / "examples" / "runbook"
NIGHT = EXAMPLES / "cutover.yaml"
BROKEN = NIGHT.read_text(encoding="utf-8").replace("after: [load-master]", "after: [load-mister]")


def runbook(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["runbook", *map(str, words)])


@pytest.mark.parametrize("name", ["check", "show", "times", "export", "import"])
def test_every_command_teaches_by_an_example(name: str) -> None:
    """Each command explains itself and shows how it is called."""
    assert f"rollway runbook {'show' if name == 'show' else name} cutover" in runbook(name, "--help").output


def test_the_group_is_light() -> None:
    """Its help imports neither NumPy nor openpyxl nor the models."""
    code = (
        "import sys; from rollway.cli.main import cli;"
        "cli.main(['runbook', '--help'], standalone_mode=False);"
        "print([n for n in ('numpy', 'openpyxl', 'pydantic', 'ruamel') if n in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("name", ["cutover.yaml", "cutover.xlsx"])
def test_the_example_is_sound(name: str) -> None:
    """Both forms of the example pass without a warning."""
    answer = runbook("check", EXAMPLES / name)
    assert "44 tasks, 3 gates, 1 of no return, 12 undo steps; no errors, 0 warnings" in answer.output


def test_both_forms_of_the_example_are_one_runbook(tmp_path: Path) -> None:
    """Out of either comes the other, byte for byte (but for the remark above it)."""
    runbook("export", NIGHT, "-o", tmp_path / "night.xlsx")
    assert (tmp_path / "night.xlsx").read_bytes() == (EXAMPLES / "cutover.xlsx").read_bytes()
    runbook("import", tmp_path / "night.xlsx", "-o", tmp_path / "night.yaml")
    remark, _, rest = NIGHT.read_text(encoding="utf-8").partition("\n")
    assert remark.startswith("# ")
    assert (tmp_path / "night.yaml").read_text(encoding="utf-8") == rest


def test_an_error_has_its_place_in_yaml(tmp_path: Path) -> None:
    """File, line, column, and what was meant; the code is 2."""
    file = tmp_path / "night.yaml"
    file.write_text(BROKEN, encoding="utf-8")
    error = runbook("check", file).exception
    assert isinstance(error, InputError)
    line = 1 + BROKEN[: BROKEN.index("[load-mister]")].count("\n")
    assert error.message.startswith(
        f"{file}:{line}:12: tasks.load-orders.after: there is no task 'load-mister'"
    )
    assert "did you mean 'load-master'?" in error.message


def test_an_error_has_its_place_in_a_workbook(tmp_path: Path) -> None:
    """Sheet and cell."""
    from openpyxl import load_workbook

    file = tmp_path / "night.xlsx"
    book = load_workbook(EXAMPLES / "cutover.xlsx")
    book["tasks"]["G12"] = "load-mister"
    book.save(file)
    error = runbook("check", file).exception
    assert isinstance(error, InputError)
    assert "sheet 'tasks' cell G12" in error.message


def test_errors_for_programs(tmp_path: Path) -> None:
    """JSON with the place of each finding, and the same code."""
    file = tmp_path / "night.yaml"
    file.write_text(BROKEN, encoding="utf-8")
    answer = runbook("check", file, "--json")
    assert answer.exit_code == 2
    (found,) = json.loads(answer.output)["errors"]
    assert (found["path"], found["column"]) == ("tasks.load-orders.after", 12)


@pytest.mark.parametrize(
    "words", [("show",), ("show", "--chart"), ("times", "--runs", "500"), ("show", "--task", "dns")]
)
def test_everything_fits_80_columns(words: tuple[str, ...]) -> None:
    """A terminal of the usual width shows all of it."""
    answer = runbook(words[0], NIGHT, *words[1:])
    assert answer.exit_code == 0
    assert max(map(len, answer.output.splitlines())) <= 80


def test_the_tree_shows_what_matters() -> None:
    """The critical path, gates, the step of no return, and the way back in its order."""
    output = runbook("show", NIGHT).output
    assert "Sat 20:00     10m *  room" in output
    assert "*G gate-go" in output
    assert "*! release-bank" in output
    assert output.index("Point the shop's name back") < output.index("Take the maintenance page away")
    assert "stays: Payment files that the bank has taken." in output


def test_the_chart_runs_from_t_to_the_end_of_the_window() -> None:
    """The night of the change of clocks begins in CET and ends in CEST."""
    first, *lines = runbook("show", NIGHT, "--chart").output.splitlines()[2:]
    assert first.split() == ["Sat", "20:00", "CET", "Sun", "07:00", "CEST"]
    assert next(line for line in lines if line.startswith("room")).rstrip(" │").endswith("█")
    assert "✗" in next(line for line in lines if line.startswith("release-bank"))


def test_one_task_with_all_it_says() -> None:
    """On its owner's clock."""
    output = runbook("show", NIGHT, "--task", "connect-print").output
    assert "earliest      Sat 20:55 EDT" in output
    assert "P50, P90      18m, 29m" in output
    assert "Run the script in each of the three warehouses." in output
    error = runbook("show", NIGHT, "--task", "conect-print").exception
    assert isinstance(error, NotFoundError)
    assert error.hint == "did you mean 'connect-print'?"


def test_times_name_conflicts_and_the_last_call() -> None:
    """Who is twice at once, who has no rest, and until when one can go back."""
    output = runbook("times", NIGHT, "--runs", "2000").output
    assert "priya, twice at once, Sat 21:15 to Sat 21:40 CET\n  export-master, snapshot" in output
    assert "mira, no rest" in output
    assert "last call" in output
    assert "a no at gate-go" in output


def test_times_for_programs_are_the_same_with_the_same_seed() -> None:
    """Every number twice the same; a lower confidence allows a later call."""
    first, again = (runbook("times", NIGHT, "--json", "--runs", "2000").output for _ in range(2))
    assert first == again
    careful, bold = (
        json.loads(runbook("times", NIGHT, "--json", "--runs", "2000", "--confidence", share).output)
        for share in ("0.95", "0.6")
    )
    assert careful["going_back"]["latest_safe"] < bold["going_back"]["latest_safe"]
    assert careful["critical_path"][-1] == "start-jobs"
    task = next(one for one in careful["tasks"] if one["id"] == "dns")
    assert task["earliest_start"] == "2027-03-28T03:10:00+02:00"


@pytest.mark.parametrize(
    "words", [("check", "none.yaml"), ("export", NIGHT, "-o", "night.txt"), ("check", EXAMPLES)]
)
def test_what_cannot_be_read_or_written_is_said(words: tuple[str, ...]) -> None:
    """No such file, a folder, an ending that names no form: a message with code 2."""
    error = runbook(*words).exception
    assert isinstance(error, InputError)


def test_the_document_shows_a_file_that_works_and_names_every_column() -> None:
    """What docs/runbook.md prints is a sound runbook, and no column is missing from its table."""
    from rollway.planning.runbooks import read_yaml
    from rollway.planning.runbooks.columns import HEAD, TABLES

    text = (EXAMPLES.parents[1] / "docs" / "runbook.md").read_text(encoding="utf-8")
    shown = text.split("```yaml\n")[1].split("```")[0]
    assert len(read_yaml(shown, "docs")[0].tasks) == 1
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("| ")}
    for name, columns in (("runbook", HEAD), *((table.name, table.columns) for table in TABLES)):
        assert [column.name for column in columns if column.name not in rows[name]] == []
