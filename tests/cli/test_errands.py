"""`rollway errands` and `rollway errand`: what people are asked, and what they say of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rollway.app import Rollway
from rollway.cli.main import cli
from rollway.errors import ConflictError, InputError, NotFoundError, RefusedError
from rollway.rollout import Errand
from support.waves import started, wave_facts

TARGET = {
    "type": "people",
    "owner": "eva",
    "backup": "tom",
    "candidate": "2.4.0",
    "up": "Install it",
    "down": "Remove it",
}


@pytest.fixture
def rollway(tmp_path: Path) -> Iterator[Rollway]:
    rollway = Rollway(tmp_path)
    yield rollway
    rollway.close()


@pytest.fixture
def rollout(rollway: Rollway) -> str:
    """A rollout that asks for two things; nobody carries it out meanwhile."""
    name = started(rollway, wave_facts(TARGET, groups={"Oslo": 10, "Rome": 90}))
    shelf = rollway.errands.of(name)
    shelf.ask([Errand("3-up-10:Oslo", "eva, tom", "Install 2.4.0 for Oslo.\nTills first.")])
    shelf.ask([Errand("3-up-10:Rome", "luca", "Install 2.4.0 for Rome.")])
    return name


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--data", str(folder), *words])


def test_the_list_says_who_is_asked_for_what_and_since_when(tmp_path: Path, rollout: str) -> None:
    """The rollout and the key to answer with, who and since when, and all of the text."""
    told = run(tmp_path, "errands").output.splitlines()
    assert told[0] == f"{rollout}  3-up-10:Oslo"
    assert told[1].startswith("  eva (or tom), asked ")
    assert told[2:4] == ["  Install 2.4.0 for Oslo.", "  Tills first."]
    assert told[4:6][0] == f"{rollout}  3-up-10:Rome"
    assert run(tmp_path, "errands", rollout).output == "\n".join(told) + "\n"


def test_an_answer_closes_the_errand_and_says_what_is_left(tmp_path: Path, rollout: str) -> None:
    """It is kept with the name and the words; `--all` still shows it."""
    told = run(tmp_path, "errand", "done", rollout, "3-up-10:Oslo", "--as", "tom", "--because", "all up")
    assert told.output == f"3-up-10:Oslo: done, says tom. 1 errand is still open in {rollout}.\n"
    (left,) = json.loads(run(tmp_path, "errands", "--json").output)
    assert (left["key"], left["owner"], left["state"]) == ("3-up-10:Rome", "luca", "asked")
    every = run(tmp_path, "errands", rollout, "--all").output
    assert "done, says tom " in every
    assert ": all up" in every


def test_programs_read_json(tmp_path: Path, rollout: str) -> None:
    """The answer tells the errand as it is kept now."""
    words = ("errand", "failed", rollout, "3-up-10:Rome", "--as", "luca", "--because", "dark", "--json")
    told = json.loads(run(tmp_path, *words).output)
    assert (told["state"], told["actor"], told["note"], told["left"]) == ("failed", "luca", "dark", 1)
    assert told["answered_at"] > told["asked_at"]


def test_what_is_refused_is_told_with_what_to_do(tmp_path: Path, rollout: str) -> None:
    """Somebody who was not asked, a key that is not there, a failure without a reason, another's word."""
    refused = run(tmp_path, "errand", "done", rollout, "3-up-10:Oslo", "--as", "kim").exception
    assert isinstance(refused, RefusedError)
    assert refused.message == "kim may not answer 3-up-10:Oslo: eva, tom was asked"
    unknown = run(tmp_path, "errand", "done", rollout, "nothing", "--as", "eva").exception
    assert isinstance(unknown, NotFoundError)
    assert "rollway errands" in unknown.hint
    unsaid = run(tmp_path, "errand", "failed", rollout, "3-up-10:Oslo", "--as", "eva").exception
    assert isinstance(unsaid, InputError)
    assert "--because" in unsaid.hint
    run(tmp_path, "errand", "done", rollout, "3-up-10:Oslo", "--as", "eva")
    words = ("errand", "failed", rollout, "3-up-10:Oslo", "--as", "tom", "--because", "dark")
    assert isinstance(run(tmp_path, *words).exception, ConflictError)


def test_without_errands_and_without_sites_it_says_so(tmp_path: Path, rollway: Rollway) -> None:
    """No empty table that leaves one wondering."""
    assert run(tmp_path, "errands").output == "Nobody is asked for anything.\n"
    assert run(tmp_path, "errands", "--json").output == "[]\n"
    assert isinstance(run(tmp_path, "errands", "no-such-1").exception, NotFoundError)
    name = started(rollway, wave_facts(TARGET, groups={"Oslo": 10, "Rome": 90}))
    nowhere = run(tmp_path, "sites", name).exception
    assert isinstance(nowhere, InputError)
    assert nowhere.message == f"{name} switches people, which has no sites"
    assert isinstance(run(tmp_path, "sites", name, "--only", "broken").exception, InputError)
