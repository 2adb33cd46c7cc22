"""`rollway plan show`, `diff` and `edit`, and a plan's runbook: what people type, read and get back."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from ruamel.yaml import YAML

from rollway.cli.main import cli
from rollway.errors import InputError, NotFoundError, RefusedError

NIGHT = Path(__file__).parents[2] / "examples" / "runbook" / "cutover.yaml"
FACTS: dict[str, Any] = {
    "release": {"name": "ledger", "version": "7", "title": "Ledger", "prepared_by": "mira"},
    "done": {
        "tests": {
            "rollback_tested": True,
            "rollback_duration": "95m",
            "recovery_tested": True,
            "performance_tested": True,
            "failed": 0,
            "passed": 9,
        }
    },
    "architecture": {"all_switch_together": True},
    "stakeholders": {
        "groups": [{"name": "Lugano", "users": 12, "language": "it", "timezone": "Europe/Zurich"}],
        "training_needed": True,
    },
    "agreements": {
        "windows": [{"days": ["sat"], "opens": "20:00", "closes": "06:00", "timezone": "Europe/Zurich"}],
        "downtime_tolerated": "long",
        "operators": ["jon"],
    },
    "migration": {"needed": True, "reversible": True, "rehearsed": True, "duration": "4h"},
    "rollout": {"method": "big_bang", "because": "one ledger"},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a release file and the plan made from it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROLLWAY_USER", "jon")
    write(tmp_path / "release.yaml", FACTS)
    assert run("plan", "release.yaml").exit_code == 0
    return tmp_path


def write(path: Path, facts: dict[str, Any]) -> None:
    with path.open("w") as file:
        YAML(typ="safe").dump(facts, file)


def run(*words: str | Path, answer: str = "") -> Result:
    return CliRunner().invoke(cli, [*map(str, words)], input=answer)


def editor(folder: Path, *turns: tuple[str, str]) -> str:
    """An editor that replaces one text by another, each time it is opened the next pair."""
    script = folder / "editor.py"
    script.write_text(
        f"import sys, pathlib\nturns = {turns!r}\ncount = pathlib.Path({str(folder / 'count')!r})\n"
        "n = int(count.read_text()) if count.exists() else 0\ncount.write_text(str(n + 1))\n"
        "file = pathlib.Path(sys.argv[1])\nold, new = turns[n]\n"
        "text = file.read_text()\nassert old in text, old\nfile.write_text(text.replace(old, new))\n",
        encoding="utf-8",
    )
    return f"{sys.executable} {script}"


def test_show_prints_the_tree_in_80_columns(folder: Path) -> None:
    """Stages with gates, tasks and messages, and whether it is approved; JSON for programs."""
    output = run("plan", "show", "plan.json").output
    for told in ("opens only when", "? Lugano was told", "Last call to turn back", "approvals missing"):
        assert told in output
    assert max(map(len, output.splitlines())) <= 80
    body = json.loads(run("plan", "show", "plan.json", "--json").output)
    assert (body["is_approved"], body["plan"]["night"]["stage"]) == (False, "switch")


def test_diff_ends_like_the_diff_of_files(folder: Path) -> None:
    """0 and `nothing changed`, 1 and what changed, 2 for trouble; hashes are taken as well as files."""
    same = run("plan", "diff", "plan.json", "plan.json")
    assert (same.exit_code, same.output) == (0, "nothing changed\n")
    run("plan", "release.yaml", "-o", "other.json", "--set", "rollout.bake=14d")
    other = run("plan", "diff", "plan.json", "other.json")
    assert other.exit_code == 1
    assert "stage 'Hypercare': lasts at least 14 days instead of 7 days" in other.output
    assert max(map(len, other.output.splitlines())) <= 80
    body = json.loads(run("plan", "diff", "plan.json", "other.json", "--json").output)
    by_hash = run("plan", "diff", body["old"][:12], body["new"][:12])
    assert (by_hash.exit_code, by_hash.output) == (1, other.output)
    assert isinstance(run("plan", "diff", "plan.json", "none.json").exception, InputError)
    assert isinstance(run("plan", "diff", "plan.json", "abcdef12").exception, NotFoundError)


def test_a_script_overrules_with_a_reason(folder: Path) -> None:
    """The new plan takes the file's place, the old one is kept, and neither approval nor docs are lost."""
    old = json.loads(run("plan", "show", "plan.json", "--json").output)["hash"]
    assert run("approve", "plan.json", "--as", "ines").exit_code == 0
    done = run(
        "plan", "edit", "plan.json", "--set", "stages.hypercare.bake_seconds=14d", "--because", "pay runs"
    )
    assert "stage 'Hypercare': lasts at least 14 days instead of 7 days" in done.output
    new = json.loads(run("plan", "show", "plan.json", "--json").output)
    assert new["plan"]["overrides"][0]["because"] == "pay runs"
    assert new["plan"]["overrides"][0]["by"] == "jon"
    assert new["hash"] != old
    assert new["is_approved"] is False
    assert json.loads(run("plan", "show", old[:12], "--json").output)["is_approved"] is True
    assert run("docs", "plan.json", "--format", "md").exit_code == 0
    text = (folder / "documents" / "rollout-plan.md").read_text()
    assert "| stages.hypercare.bake\\_seconds | 7 days | 14 days | jon | pay runs |" in text


def test_what_may_not_be_overruled_changes_nothing(folder: Path) -> None:
    """The file stays as it was."""
    before = (folder / "plan.json").read_bytes()
    error = run("plan", "edit", "plan.json", "--set", "facts_hash=1", "--because", "x").exception
    assert isinstance(error, RefusedError)
    assert isinstance(run("plan", "edit", "plan.json", "--set", "objective=Fast").exception, InputError)
    assert (folder / "plan.json").read_bytes() == before


def test_an_editor_opens_the_text_and_a_slip_is_offered_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong value is shown with its line, the text opens again as it was left, and then it counts."""
    turns = (("because:", "because: longer look"), ("bake_seconds: 3600.0", "bake_seconds: an hour"))
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv(
        "EDITOR", editor(folder, ("bake_seconds: 3600.0", "bake_seconds: x"), turns[0], ("x\n", "7200\n"))
    )
    done = run("plan", "edit", "plan.json", answer="y\ny\n")
    assert re.search(r"\.yaml:\d+:\d+: stages\.1\.bake_seconds: Input should be a valid number", done.output)
    assert "lasts at least 2 hours instead of 1 hour" in done.output
    assert json.loads((folder / "plan.json").read_text())["overrides"][0]["because"] == "longer look"


def test_a_text_that_is_given_up_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody writes it twice: the draft stays, and --from goes on with it."""
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", editor(folder, ("bake_seconds: 3600.0", "bake_seconds: 7200.0")))
    given_up = run("plan", "edit", "plan.json", answer="n\n")
    error = given_up.exception
    assert isinstance(error, InputError)
    assert "a changed plan says why" in given_up.output
    draft = Path(error.message.rsplit(" ", 1)[1])
    assert "bake_seconds: 7200.0" in draft.read_text()
    done = run("plan", "edit", "plan.json", "--from", draft, "--because", "longer look")
    assert done.exit_code == 0
    draft.unlink()


def test_an_editor_that_changes_nothing_makes_no_plan(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened and closed is not overruled."""
    monkeypatch.setenv("VISUAL", editor(folder, ("because:", "because:")))
    error = run("plan", "edit", "plan.json").exception
    assert isinstance(error, InputError)
    assert error.message == "nothing was changed"


def test_a_team_gives_its_own_runbook(folder: Path) -> None:
    """By option or by the wish in the release; both give the same plan."""
    assert run("plan", "release.yaml", "--runbook", NIGHT, "-o", "own.json").exit_code == 0
    (folder / "night.yaml").write_text(NIGHT.read_text())
    write(folder / "wish.yaml", {**FACTS, "rollout": {**FACTS["rollout"], "runbook": "night.yaml"}})
    assert run("plan", "wish.yaml", "-o", "wished.json").exit_code == 0
    changed = run("plan", "diff", "own.json", "wished.json").output
    assert re.fullmatch(r"it rests on other facts \([^)]*\)\n", changed)
    missing = run("plan", "release.yaml", "--runbook", "none.yaml").exception
    assert isinstance(missing, InputError)


def test_the_runbook_commands_take_a_plan(folder: Path) -> None:
    """show, times and export as for a file; what is exported comes back as the same plan."""
    shown = run("runbook", "show", "plan.json").output
    assert "T has no date yet; the window closes at T+10h" in shown
    assert "switch-migrate" in shown
    times = run("runbook", "times", "plan.json", "--runs", "500").output
    assert "last call" in times
    assert max(map(len, times.splitlines())) <= 80
    body = json.loads(run("runbook", "times", "plan.json", "--runs", "500", "--json").output)
    assert body["tasks"][0]["earliest_start"].startswith("T")
    for name in ("out.xlsx", "out.yaml"):
        assert run("runbook", "export", "plan.json", "-o", name).exit_code == 0
        assert run("plan", "release.yaml", "--runbook", name, "-o", "again.json").exit_code == 0
        assert run("plan", "diff", "plan.json", "again.json").output == "nothing changed\n"


@pytest.mark.parametrize("text", ["{", '{"format": "other"}', "{}"])
def test_what_is_no_plan_is_told(folder: Path, text: str) -> None:
    """A file that only looks like one is a message."""
    (folder / "odd.json").write_text(text)
    assert isinstance(run("runbook", "show", "odd.json").exception, InputError)
    assert isinstance(run("plan", "show", "odd.json").exception, InputError)
