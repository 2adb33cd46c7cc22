"""init --ask: an interview in which no answer is lost."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rollway.cli.files import write_atomically
from rollway.cli.main import cli
from rollway.errors import InputError
from rollway.facts import ReleaseFileError, load_release, skeleton, stated_facts
from rollway.readiness import open_questions


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "release.yaml").write_text(skeleton("x", "1"))
    return tmp_path


def ask(*answers: str, words: tuple[str, ...] = ()) -> Result:
    """The interview with these lines piped in, and the end of the input after them."""
    return CliRunner().invoke(cli, ["init", "--ask", *words], input="".join(f"{line}\n" for line in answers))


def stated() -> dict[str, object]:
    return {path: fact.value for path, fact in stated_facts(load_release("release.yaml"))}


def asked(result: Result) -> list[str]:
    """The paths of the facts that were asked for, in order."""
    reasons = [line for line in result.output.splitlines() if line.startswith("  ") and line.endswith(")")]
    return [line.rpartition("(")[2].rstrip(")") for line in reasons if "." in line.rpartition("(")[2]]


def test_a_new_file_is_asked_for_from_its_name_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Name and version first; a name that will not do is asked for again; then the facts."""
    monkeypatch.chdir(tmp_path)
    result = ask("No Good", "tills", "2.0", "yes", words=("sub/release.yaml",))
    assert result.exit_code == 0
    assert "did you mean 'no-good'?" in result.output
    release = load_release("sub/release.yaml")
    assert (release.release.name, release.release.version) == ("tills", "2.0")
    assert len(stated_facts(release)) == 1
    assert Path("sub/release.schema.json").exists()


def test_a_name_that_will_not_do_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the command line gives it, nothing is asked and nothing is written."""
    monkeypatch.chdir(tmp_path)
    result = ask("2.0", words=("--name", "No Good"))
    assert isinstance(result.exception, InputError)
    assert "no-good" in f"{result.exception.message} {result.exception.hint}"
    assert list(tmp_path.iterdir()) == []


def test_each_question_says_why_and_how_to_answer(folder: Path) -> None:
    """The question, the words to choose from, the reason, and the path."""
    told = ask("quit").output
    first = open_questions(load_release("release.yaml"))
    assert any(f"{one.text}  [" in told and f"{one.why} ({one.path})" in told for one in first)


def test_an_answer_is_in_the_file_at_once(folder: Path) -> None:
    """In the way it was given; the rest of the file is as it was."""
    result = ask("yes (Jo, platform team)", "assume no because as in 2.3")
    first, second = asked(result)[:2]
    facts = dict(stated_facts(load_release("release.yaml")))
    assert (facts[first].state, facts[first].note) == ("known", "Jo, platform team")
    assert (facts[second].state, facts[second].note) == ("assumed", "as in 2.3")
    before, after = skeleton("x", "1").splitlines(), Path("release.yaml").read_text().splitlines()
    assert len(set(after) - set(before)) == 2
    assert len(after) == len(before)


def test_not_to_know_is_an_answer(folder: Path) -> None:
    """Nothing is written, and the next question comes; an empty line says the same."""
    result = ask("?", "don't know", "")
    assert stated() == {}
    assert len(set(asked(result))) == 4
    assert Path("release.yaml").read_text() == skeleton("x", "1")


def test_who_may_know_is_written_down_and_asked_last(folder: Path) -> None:
    """The next interview begins with another question."""
    first = asked(ask("? ask Jo"))[0]
    assert "{value: unknown, source: ask Jo}" in Path("release.yaml").read_text()
    again = asked(ask(*["?"] * 100))
    assert again[0] != first
    assert again[-1] == first
    assert len(again) == len(set(again))


def test_a_slip_is_told_and_asked_again(folder: Path) -> None:
    """With what was expected; also where the value is at odds with the rest of the file."""
    result = ask("perhaps", "yes")
    assert "'perhaps' is neither true nor false; asked for is yes or no; or ?" in result.output
    assert len(stated()) == 1


def test_it_goes_on_where_it_was_left(folder: Path) -> None:
    """What is answered is not asked again."""
    first = asked(ask("yes", "quit"))[0]
    assert first not in asked(ask(*["?"] * 100))


def test_one_can_go_back(folder: Path) -> None:
    """The answer so far is shown and can be changed, kept by an empty line, or taken back."""
    first = asked(ask("yes", "back", "no"))[0]
    assert stated()[first] is False
    result = ask("yes", "back", "", "quit")
    assert "so far: yes (release.yaml:" in result.output
    second = asked(result)[0]
    assert stated()[second] is True
    third = asked(ask("yes", "back", "?"))[0]
    assert third not in stated()


def test_going_back_from_the_first_question_stays_there(folder: Path) -> None:
    """There is nothing before it."""
    paths = asked(ask("back", "help", "quit"))
    assert paths[0] == paths[1]


@pytest.mark.parametrize("word", ["quit", "q", "exit"])
def test_one_can_leave_any_time(folder: Path, word: str) -> None:
    """What is answered is in the file, and how to go on is told."""
    result = ask("yes", word)
    assert result.exit_code == 0
    assert "1 answer written; " in result.output
    assert "go on later: `rollway init --ask release.yaml`" in result.output
    assert len(stated()) == 1


def test_everything_can_be_answered(folder: Path) -> None:
    """Whatever a question takes is among these, and what no longer matters is not asked; then it ends."""
    forms = ("no", "50%", "3", "medium", "none", "2h", "2026-11-05", "fix", "simple")
    result = ask(*forms * 80)
    assert result.exit_code == 0
    assert "Nothing is left to ask." in result.output
    assert open_questions(load_release("release.yaml")) == ()
    assert stated()["migration.needed"] is False
    assert "migration.duration" not in asked(result)


def test_a_file_that_was_edited_meanwhile_is_read_again(folder: Path) -> None:
    """An answer does not undo what somebody wrote in an editor in the meantime."""
    path = folder / "release.yaml"
    path.write_text(path.read_text().replace("  size: unknown", "  size: small"))
    ask("yes")
    assert stated()["release.size"] == "small"


def test_a_broken_file_is_told_with_its_place(folder: Path) -> None:
    """Nothing is asked, and nothing is written."""
    broken = "release: {name: x, version: 1}\ngoals: {urgency: hgih}\n"
    (folder / "release.yaml").write_text(broken)
    assert isinstance(ask("yes").exception, ReleaseFileError)
    assert (folder / "release.yaml").read_text() == broken


def test_what_cannot_be_written_is_told_and_not_lost(folder: Path) -> None:
    """Where the layout does not allow it, the line to write by hand is shown."""
    written = '{"release": {"name": "x", "version": "1"}}'
    (folder / "release.yaml").write_text(written)
    result = ask("yes")
    assert "release.yaml was not changed, because it is JSON" in result.output
    assert f"write it there yourself: {asked(result)[0]}: true" in result.output
    assert (folder / "release.yaml").read_text() == written


def test_in_a_terminal_control_c_leaves_with_everything_written(folder: Path) -> None:
    """The real command in a real terminal."""
    primary, secondary = pty.openpty()
    command = [sys.executable, "-m", "rollway", "init", "--ask"]
    process = subprocess.Popen(
        command,
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
        start_new_session=True,
        # A shell that runs the tests in the background has the signal ignored, and it would be inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    os.close(secondary)
    try:
        _until(primary, r"> $")
        os.write(primary, b"yes\n")
        _until(primary, r"written.*\n> $")
        _interrupt(process, primary)
        told = _until(primary, r"\nnext: .*\n")
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        os.close(primary)
    assert "1 answer written" in told
    assert "Traceback" not in told
    assert len(stated()) == 1


def _interrupt(process: subprocess.Popen[bytes], terminal: int, within: float = 20) -> None:
    """Control-C until something is shown, as a person would.

    One that comes after the prompt and before the reading begins is kept by Python until a line is read.
    """
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        process.send_signal(signal.SIGINT)
        if select.select([terminal], [], [], 2)[0]:
            return


def _until(terminal: int, pattern: str, within: float = 20) -> str:
    """What the terminal shows until it looks like the pattern."""
    told, deadline = "", time.monotonic() + within
    while not re.search(pattern, told, re.DOTALL) and time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.2)[0]:
            told += os.read(terminal, 4096).decode(errors="replace")
    assert re.search(pattern, told, re.DOTALL), told
    return told


def test_a_file_is_replaced_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where writing fails, the old text is there and nothing else is left in the folder."""
    path = tmp_path / "release.yaml"
    path.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(Exception, match="No space left on device"):
        write_atomically(path, "new")
    assert (path.read_text(), list(tmp_path.iterdir())) == ("old", [path])


def test_a_link_stays_a_link_and_permissions_stay(tmp_path: Path) -> None:
    """The file behind it is replaced, with the permissions it had."""
    path, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_atomically(link, "new\r\n")
    assert link.is_symlink()
    assert path.read_bytes() == b"new\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
