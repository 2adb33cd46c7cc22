"""Conventional Commits, from a real repository and from what `git log` prints."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rollway.facts.importers import Imported, Options, UnreadableError, import_given, read_given

from .conftest import FIRST, LAST

Read = Callable[..., Imported]
MESSAGES = (
    ("feat: regions", "v1.0.0"),
    ("chore: build", ""),
    ("feat(ui): open reports as a chart (#482)\n\nRefs: REP-311", ""),
    ("fix!: totals on 29 February", ""),
    ("perf: one pass over the sales\n\nBREAKING CHANGE: the field `all` is gone", ""),
    ("wip", ""),
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a tag after its first commit."""
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "-q")
    for message, tag in MESSAGES:
        git(folder, "commit", "-q", "--allow-empty", "-m", message)
        if tag:
            git(folder, "tag", tag)
    return folder


def git(folder: Path, *words: str) -> None:
    who = {
        f"GIT_{role}_{part}": "ana@example.org"
        for role in ("AUTHOR", "COMMITTER")
        for part in ("NAME", "EMAIL")
    }
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", "-C", str(folder), *words], check=True, env={**os.environ, **who, **alone})


def of(folder: Path, revisions: str = "") -> Imported:
    options = Options(first=FIRST, last=LAST, revisions=revisions)
    return import_given(read_given(str(folder)), options)[1]


def test_a_repository_is_read_since_its_last_tag(repository: Path) -> None:
    """Features, fixes and speed-ups become stories; nobody has accepted them yet."""
    read = of(repository)
    assert read.told.startswith("5 commits in v1.0.0..HEAD: ")
    titles = {row["id"]: row["title"] for row in read.rows["backlog.items"]}
    assert titles["REP-311"] == "Open reports as a chart"
    assert sorted(titles.values()) == [
        "One pass over the sales",
        "Open reports as a chart",
        "Totals on 29 February",
    ]
    assert all("accepted" not in row for row in read.rows["backlog.items"])
    assert {one.why: one.count for one in read.skipped} == {
        "not a conventional commit": 1,
        "chore: users do not notice it": 1,
    }


def test_declared_breaks_speak_against_compatibility(repository: Path) -> None:
    """By an exclamation mark or in the footer. It is an assumption: nobody has tried both versions."""
    (fact,) = of(repository).facts
    assert (fact.path, fact.value, fact.assumed) == ("migration.backward_compatible", False, True)
    assert fact.told.startswith("2 of 5 commits declared breaking (")


def test_the_range_may_be_given(repository: Path) -> None:
    """As git understands it."""
    assert of(repository, "HEAD~2..HEAD").told.startswith("2 commits in HEAD~2..HEAD")
    assert of(repository, "v1.0.0").told == "1 commit in v1.0.0: 1 feat"


def test_what_git_refuses_is_told(repository: Path, tmp_path: Path) -> None:
    """An unknown revision, a range that would be taken for an option, a folder that is no repository."""
    with pytest.raises(UnreadableError, match=r"git says: .*v9"):
        of(repository, "v9..HEAD")
    with pytest.raises(UnreadableError, match="not a range of revisions"):
        of(repository, "--output=/tmp/x")
    with pytest.raises(UnreadableError, match="no git repository"):
        read_given(str(tmp_path))


def test_a_printed_log_is_read(sample: Read) -> None:
    """As `git log` prints it; merges are left out, and a commit without an issue is known by its hash."""
    read = sample("git_log.txt")
    assert [row["id"] for row in read.rows["backlog.items"]] == [
        "REP-311",
        "9b8a7c6d5",
        "77aa00112",
        "66bb00112",
    ]
    assert {one.why for one in read.skipped} == {
        "merges and reverts",
        "docs: users do not notice it",
        "not a conventional commit",
    }
    assert read.facts[0].told == "1 of 7 commits declared breaking (9b8a7c6d5)"


def test_one_line_each_is_read_too(sample: Read) -> None:
    """`git log --oneline`, with its decorations."""
    assert sample("git_oneline.txt").rows["backlog.items"] == (
        {"id": "3f9c1e2", "title": "Open reports as a chart"},
        {"id": "REP-330", "title": "Totals on 29 February", "touches": ["data"]},
    )


def test_a_text_that_is_no_log_is_refused(refused: Callable[..., str]) -> None:
    """Where somebody says it is one."""
    assert "this is not what `git log` prints" in refused("hello\nworld\n", "git")
