"""`rollway tokens`: made, listed and revoked by a person at the command line."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from rollway.app import Rollway
from rollway.cli.main import cli
from rollway.errors import InputError


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--data", str(folder), "tokens", *words])


def test_a_token_is_shown_once_and_works_until_it_is_revoked(tmp_path: Path) -> None:
    """The text goes to standard output alone, so that it can be piped to where it belongs."""
    made = run(tmp_path, "create", "ticket-desk", "--as", "ana")
    token = made.stdout.strip()
    rollway = Rollway(tmp_path)
    assert rollway.pushed.source_of(token) == "ticket-desk"
    listed = run(tmp_path)
    assert "ticket-desk" in listed.output
    assert "by ana" in listed.output
    assert token not in listed.output
    assert "revoked" in run(tmp_path, "revoke", "1").output
    assert rollway.pushed.source_of(token) is None
    assert "; revoked 2" in run(tmp_path).output
    rollway.close()


def test_programs_read_json(tmp_path: Path) -> None:
    """The list tells no hash, and the new token's text is in the answer to its making."""
    made = json.loads(run(tmp_path, "create", "survey", "--json").output)
    (row,) = json.loads(run(tmp_path, "--json").output)
    assert (made["source"], made["id"]) == (row["source"], row["id"]) == ("survey", 1)
    assert "hash" not in row


def test_a_source_with_no_name_is_refused(tmp_path: Path) -> None:
    """The error says what a name is."""
    refused = run(tmp_path, "create", "two words")
    assert isinstance(refused.exception, InputError)
    assert "ticket-desk" in refused.exception.hint
