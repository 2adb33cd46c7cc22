"""What the tutorial shows is what happens.

The page is played from its first command to its last in an empty folder, and every answer is compared with
what stands in the page, letter by letter. How a fence says what it is, is told in `tests/docs/pages.py`.
After a change of wording: `python -m tests.docs.rewrite`, then read what changed in docs/tutorial.md.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import pytest

from tests.docs.pages import told_again
from tests.docs.rewrite import PAGES, ROOT

TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")


def test_the_tutorial_tells_the_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newcomer who types what the page says sees what the page shows."""
    monkeypatch.delenv("ROLLWAY_DATA", raising=False)
    told = told_again(TUTORIAL, tmp_path)
    changed = "\n".join(
        difflib.unified_diff(
            TUTORIAL.splitlines(), told.splitlines(), "the page", "what happens", lineterm=""
        )
    )
    assert told == TUTORIAL, f"run `python -m tests.docs.rewrite` and read what changed:\n{changed}"
    for written, copy in PAGES["docs/tutorial.md"].items():
        assert (tmp_path / written).read_bytes() == (ROOT / copy).read_bytes(), copy


def test_a_lie_is_found(tmp_path: Path) -> None:
    """An answer that is not the program's is replaced by the program's."""
    page = "Begin:\n\n```console\n$ rollway init\nwrote nothing\n```\n"
    told = told_again(page, tmp_path)
    assert "wrote nothing" not in told
    assert "$ rollway init\nwrote release.yaml" in told
    assert told_again(told, _empty(tmp_path)) == told


def test_a_command_that_fails_stops_the_page(tmp_path: Path) -> None:
    """A page cannot show an error by accident; where it means to, it names the exit code."""
    page = "```console\n$ rollway init\n$ rollway chose release.yaml\n```\n"
    with pytest.raises(AssertionError, match=r"rollway chose release\.yaml: exit code 2"):
        told_again(page, tmp_path)


def test_the_tutorial_leads_the_whole_way() -> None:
    """From an empty folder to the documents, with every command that it promises."""
    commands = re.findall(r"^\$ rollway (\w+)", TUTORIAL, flags=re.MULTILINE)
    assert commands[0] == "init"
    for name in ("check", "facts", "choose", "import", "assess", "plan", "docs"):
        assert name in commands
    for option in ("--what-if", "--why"):
        assert option in TUTORIAL


def test_the_story_between_the_answers_still_holds() -> None:
    """What the sentences say of the answers is so: if this fails, rewriting the answers is not enough."""
    answers = re.findall(
        r"^\$ rollway choose release.yaml(?: --chart methods.svg)?\n(?!\.)(.*)$", TUTORIAL, re.M
    )
    assert [answer.split(";")[0] for answer in answers] == [
        "Not known yet: too little is stated to recommend a method",
        "Recommended: Pilot",
        "Recommended: Canary",
        "Recommended: Canary",
    ]
    assert "  Pilot gives way to Canary." in TUTORIAL
    assert "Not ready: every method is blocked" in TUTORIAL
    assert "  Big-bang    0." in TUTORIAL
    assert "  gap     Did every test pass?" in TUTORIAL


def _empty(folder: Path) -> Path:
    empty = folder / "empty"
    empty.mkdir()
    return empty
