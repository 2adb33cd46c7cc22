"""`rollway channels`: made, tried, watched and removed by a person at the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rollway.app import Rollway
from rollway.app.outbox import LEASE
from rollway.cli.main import cli
from rollway.errors import ConflictError, InputError, NotFoundError, TemporaryError
from rollway.rollout import Entry
from rollway.rollout.notifications import GROUPS, KINDS
from support.receivers import HttpReceiver
from support.stories import canary


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    receiver = HttpReceiver()
    yield receiver
    receiver.go_away()


def run(folder: Path, *words: str, main: str = "channels") -> Result:
    return CliRunner().invoke(cli, ["--data", str(folder), main, *words])


def test_a_channel_is_added_listed_and_removed(tmp_path: Path) -> None:
    """The list says what it is told of and how it stands; the address is masked."""
    words = ("add", "webhook", "desk", "https://desk.example.com/T0KEN", "--secret-env", "DESK_SECRET")
    added = run(tmp_path, *words, "--on", "rollback,held", "--on", "ends", "--as", "ana")
    assert "Channel desk is told of rollback, held, ends." in added.output
    listed = run(tmp_path).output
    assert "webhook https://desk.example.com/..., signed with DESK_SECRET; on rollback, held, ends" in listed
    assert "0 sent; 0 waiting" in listed
    (row,) = json.loads(run(tmp_path, "--json").output)
    assert (row["created_by"], row["on"], row["given_up"]) == ("ana", ["rollback", "held", "ends"], 0)
    assert "T0KEN" not in listed + json.dumps(row)
    assert isinstance(run(tmp_path, *words).exception, ConflictError)
    assert "Channel desk is removed." in run(tmp_path, "remove", "desk").output
    assert "no channel yet" in run(tmp_path).output
    assert isinstance(run(tmp_path, "remove", "desk").exception, NotFoundError)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("webhook", "desk", "https://ana:hunter2@x.org/a"), "env:NAME"),
        (("webhook", "desk", "desk.example.com"), "https://"),
        (("webhook", "two words", "https://x.org"), "ops-chat"),
        (("webhook", "desk", "https://x.org", "--on", "rolback"), "did you mean rollback?"),
        (("webhook", "desk", "https://x.org", "--secret-env", "s3cret value"), "not the secret itself"),
        (("webhook", "desk", "env:https://x.org/T0KEN"), "not the secret itself"),
        (("apprise", "chat", "nonsense"), "appriseit.com"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_to_do(
    tmp_path: Path, words: tuple[str, ...], hint: str
) -> None:
    """Nothing is kept, and no secret is repeated."""
    refused = run(tmp_path, "add", *words)
    assert isinstance(refused.exception, InputError)
    assert hint in refused.exception.hint
    assert not any(secret in str(refused.exception) for secret in ("hunter2", "s3cret value", "T0KEN"))
    assert "no channel yet" in run(tmp_path).output


def test_an_address_that_holds_a_secret_is_remarked_upon(tmp_path: Path) -> None:
    """Kept as it is, or in a variable that is not set here: both are said."""
    assert "kept as it is" in run(tmp_path, "add", "webhook", "a", "https://x.org/?key=1").stderr
    assert "has no NO_SUCH here" in run(tmp_path, "add", "webhook", "b", "env:NO_SUCH").stderr
    assert "not encrypted" in run(tmp_path, "add", "webhook", "c", "http://x.org/").stderr
    assert run(tmp_path, "add", "webhook", "d", "https://x.org/").stderr == ""


def test_a_test_says_what_came_back(tmp_path: Path, receiver: HttpReceiver) -> None:
    """It arrives, or the reason why not is shown, and nothing lies in the outbox."""
    run(tmp_path, "add", "webhook", "desk", receiver.url)
    assert run(tmp_path, "test", "desk").output.startswith("desk took it within ")
    (request,) = receiver.requests
    assert request.json["type"] == "rollway.rollout.test"
    assert json.loads(run(tmp_path, "test", "desk", "--json").output)["channel"] == "desk"
    receiver.status = 403
    failed = run(tmp_path, "test", "desk")
    assert isinstance(failed.exception, TemporaryError)
    assert "status 403" in failed.exception.message
    assert "Nothing was sent yet." in run(tmp_path, "log").output


def test_what_waits_and_what_was_given_up_is_seen_and_tried_again(tmp_path: Path) -> None:
    """In the log, in the list and in `rollway status`."""
    run(tmp_path, "add", "webhook", "desk", "https://desk.example.com/")
    rollway = Rollway(tmp_path)
    plan, now = canary(), rollway.clock()
    rollway.plans.save(plan, now)
    rollway.rollouts.create("reporting-1", plan, now, Entry(kind="started", text="go"))
    assert "waiting    desk" in run(tmp_path, "log").output
    claimed = rollway.outbox.claim(rollway.channels.find("desk").id, "reporting-1", now, LEASE)
    assert claimed is not None
    rollway.outbox.put_off(claimed, now, "it is full")
    assert "waits because: it is full" in run(tmp_path).output
    assert "channel desk: 1 waiting: it is full" in run(tmp_path, main="status").output
    claimed = rollway.outbox.claim(rollway.channels.find("desk").id, "reporting-1", now, LEASE)
    assert claimed is not None
    rollway.outbox.give_up(claimed, now, "it was never there")
    rollway.close()
    logged = run(tmp_path, "log", "--channel", "desk").output
    assert "given up   desk             started            reporting-1:1 (2 attempts)" in logged
    assert "it was never there" in logged
    assert "1 given up; once it is mended: rollway channels retry desk" in run(tmp_path).output
    assert "channel desk: 1 given up" in run(tmp_path, main="status").output
    assert "1 for desk is due now" in run(tmp_path, "retry", "desk").output
    (row,) = json.loads(run(tmp_path, "log", "--json").output)
    assert (row["state"], row["key"], row["attempts"]) == ("waiting", "reporting-1:1", 0)


def test_every_kind_and_group_is_listed_and_documented(tmp_path: Path) -> None:
    """What `--on` takes is found at the command line; what comes by default, and each group, in the docs."""
    listed = run(tmp_path, "kinds").output
    assert [line.split()[0] for line in listed.splitlines()] == list(KINDS)
    page = (Path(__file__).parents[2] / "docs/notifications.md").read_text()
    assert all(f"`{group}`" in page for group in GROUPS)
    assert "rollback_waits" in page
