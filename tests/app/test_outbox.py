"""What is recorded reaches the channels: over real HTTP and mail, through kill -9, with slow and dead ones
beside."""

from __future__ import annotations

import hashlib
import hmac
import shutil
import ssl
import subprocess
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import apprise
import pytest

from rollway.app import Rollway
from rollway.app.delivery import cloud_event, deliver, masked, without
from rollway.app.outbox import BACKOFF, GIVE_UP_AFTER, Sender, next_attempt
from rollway.app.runtime import Runtime
from rollway.errors import TemporaryError
from rollway.rollout import Entry, Move
from rollway.rollout.notifications import Notification
from rollway.store import Channel
from support.receivers import HttpReceiver, MailServer
from support.rollouts import started, wait_for
from support.stories import START, canary
from support.world import Metrics

TOLD = Notification(
    "r-1:3",
    "rollback",
    START,
    "reporting 2.4.0: rolling back",
    "Rolling back: it is bad",
    {"rollout": "r-1", "stage": "ten"},
)


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    receiver = HttpReceiver()
    yield receiver
    receiver.go_away()


@pytest.fixture(scope="session", autouse=True)
def _apprise_is_loaded() -> None:
    """Its plugins import modules that warn of their own end."""
    with warnings.catch_warnings(action="ignore"):
        assert apprise.Apprise().add("json://localhost")


@pytest.fixture
def mail() -> Iterator[MailServer]:
    mail = MailServer()
    yield mail
    mail.stop()


@pytest.fixture
def sender(rollway: Rollway) -> Iterator[Sender]:
    sender = Sender(rollway.outbox, rollway.clock)
    sender.start()
    yield sender
    sender.stop()


def a_channel(url: str, kind: str = "webhook", secret_env: str = "") -> Channel:
    return Channel(1, "desk", kind, url, secret_env, ("all",), "", "ana", START)  # type: ignore[arg-type]


def add(rollway: Rollway, name: str, url: str, kind: str = "webhook", *wanted: str) -> None:
    rollway.channels.add(name, kind, url, wanted=wanted or ("all",), actor="ana")  # type: ignore[arg-type]


def record(rollway: Rollway, count: int, rollout: str = "reporting-1") -> list[str]:
    """A rollout with so many entries in its record, all of them in one move after its start. Their keys."""
    plan = canary()
    rollway.plans.save(plan, rollway.clock())
    rollway.rollouts.create(rollout, plan, rollway.clock(), Entry(kind="started", text="go"))
    loaded = rollway.rollouts.load(rollout)
    assert loaded is not None
    entries = tuple(Entry(kind="held", text=f"number {n}") for n in range(2, count + 1))
    rest = {"judge": {}, "cursors": {}, "readings": (), "verdict": None, "heard": (), "wake_after": None}
    move = Move(rollout=rollout, seq=0, at=rollway.clock(), state=loaded.state, entries=entries, **rest)
    assert rollway.rollouts.commit(move)
    return [f"{rollout}:{n}" for n in range(1, count + 1)]


def states(rollway: Rollway) -> Counter[str]:
    return Counter(row.state for row in rollway.outbox.log(newest=10_000))


# --- one attempt ----------------------------------------------------------------------------------


def test_a_webhook_is_a_signed_cloud_event(receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The receiver verifies it from what the documentation says, with its own code."""
    monkeypatch.setenv("DESK_SECRET", "s3cret")
    monkeypatch.setenv("ROLLWAY_URL", "https://rollway.example.com/")
    deliver(a_channel(receiver.url, secret_env="DESK_SECRET"), TOLD)
    (request,) = receiver.requests
    stamp = request.headers["rollway-timestamp"]
    mark = hmac.new(b"s3cret", f"{stamp}.".encode() + request.body, hashlib.sha256).hexdigest()
    assert request.headers["rollway-signature"] == f"sha256={mark}"
    assert abs(time.time() - int(stamp)) < 60
    assert request.headers["content-type"].startswith("application/cloudevents+json")
    assert (request.key, request.json["id"]) == ("r-1:3", "r-1:3")
    event = request.json
    assert (event["specversion"], event["type"]) == ("1.0", "rollway.rollout.rollback")
    assert event["source"] == event["data"]["link"] == "https://rollway.example.com/rollouts/r-1"
    assert event["time"] == "2026-11-23T21:00:00Z"
    assert (event["data"]["text"], event["data"]["stage"]) == (TOLD.text, "ten")


def test_a_webhook_is_the_same_at_every_attempt(receiver: HttpReceiver) -> None:
    """So that a receiver may compare what has the same key."""
    for is_unsure in (False, True):
        deliver(a_channel(receiver.url), TOLD, is_unsure=is_unsure)
    one, other = receiver.requests
    assert (one.body, one.key) == (other.body, other.key)
    assert cloud_event(TOLD)["source"] == "/rollouts/r-1"


def test_without_its_secret_nothing_is_sent(receiver: HttpReceiver) -> None:
    """An unsigned event would look like somebody else's."""
    with pytest.raises(TemporaryError, match="the environment has no NO_SUCH_SECRET"):
        deliver(a_channel(receiver.url, secret_env="NO_SUCH_SECRET"), TOLD)
    assert receiver.requests == []


def test_a_redirect_is_a_failure(receiver: HttpReceiver) -> None:
    """Whoever answers for the receiver does not get what was meant for it."""
    receiver.status, receiver.location = 307, receiver.url + "/elsewhere"
    with pytest.raises(TemporaryError, match="status 307"):
        deliver(a_channel(receiver.url), TOLD)
    assert [request.path for request in receiver.requests] == ["/hook"]


def test_a_server_whose_certificate_nobody_vouches_for_is_told_nothing(tmp_path: Path) -> None:
    """TLS is verified: a certificate that the server signed itself is refused."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    make = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-out", "crt"]
    subprocess.run(
        [*make, "-subj", "/CN=localhost", "-days", "2"], cwd=tmp_path, check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "crt", tmp_path / "key")
    receiver = HttpReceiver(tls=context)
    with pytest.raises(TemporaryError, match="certificate"):
        deliver(a_channel(f"https://localhost:{receiver.port}/hook"), TOLD)
    assert receiver.requests == []
    receiver.go_away()


def test_apprise_speaks_json_to_a_real_server(receiver: HttpReceiver) -> None:
    """Title, text and how it looks; a possible repeat says so in front."""
    url = f"json://127.0.0.1:{receiver.port}/hook"
    deliver(a_channel(url, "apprise"), TOLD)
    deliver(a_channel(url, "apprise"), TOLD, is_unsure=True)
    one, other = (request.json for request in receiver.requests)
    assert (one["title"], one["message"], one["type"]) == (TOLD.title, TOLD.text, "failure")
    assert other["title"] == f"(may be a repeat) {TOLD.title}"


def test_apprise_sends_a_letter_to_a_real_mail_server(
    mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the text and the page's address, to the one who is named; the address stands in a variable."""
    monkeypatch.setenv("ROLLWAY_URL", "https://rollway.example.com")
    url = f"mailto://127.0.0.1:{mail.port}?from=rollway@example.com&to=ops@example.com&mode=insecure"
    monkeypatch.setenv("OPS_MAIL", url)
    deliver(a_channel("env:OPS_MAIL", "apprise"), TOLD)
    ((to, letter),) = mail.letters
    assert to == ["ops@example.com"]
    assert letter["subject"] == TOLD.title
    assert letter.get_content_type() == "text/plain"
    said = letter.get_content().splitlines()
    assert said[:2] == ["Rolling back: it is bad", "https://rollway.example.com/rollouts/r-1"]


def test_without_apprise_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra, imported only when it is used."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(TemporaryError, match="not installed") as caught:
        deliver(a_channel("json://127.0.0.1:1", "apprise"), TOLD)
    assert caught.value.hint == "pip install 'rollway[notify]'"


@pytest.mark.parametrize(
    ("kind", "url", "shown"),
    [
        ("webhook", "http://127.0.0.1:1/T0KEN/abcdef?key=hunter2", "http://127.0.0.1:1/..."),
        ("apprise", "json://someone:hunter22@127.0.0.1:1/T0KENabcdef", "json://..."),
        ("apprise", "tgram://nobot-T0KENabcdef/hunter22", "tgram://..."),
    ],
)
def test_no_secret_of_an_address_is_ever_shown(kind: str, url: str, shown: str) -> None:
    """Neither in the list of channels nor in what is told of a failure."""
    assert masked(url) == shown
    with pytest.raises(TemporaryError) as caught:
        deliver(a_channel(url, kind), TOLD)
    told = str(caught.value)
    assert told
    assert not any(secret in told + masked(url) for secret in ("hunter2", "T0KEN", "abcdef"))
    assert without(url, f"failed: {url}") == f"failed: {shown}"


# --- the sender -----------------------------------------------------------------------------------


def test_attempts_grow_rarer_and_end_after_a_day() -> None:
    """A second, five, half a minute, ...; what waited behind others for a day had one attempt of its own."""
    young = timedelta(minutes=1)
    assert [next_attempt(n, young) for n in (1, 2, 3)] == [timedelta(seconds=s) for s in (1, 5, 30)]
    assert next_attempt(50, young) == BACKOFF[-1]
    assert next_attempt(1, GIVE_UP_AFTER) is None
    assert list(BACKOFF) == sorted(BACKOFF)


def test_a_dead_channel_gets_everything_in_order_once_it_is_back(
    rollway: Rollway, sender: Sender, receiver: HttpReceiver
) -> None:
    """Nothing is lost, nothing is sent twice, nothing overtakes."""
    add(rollway, "desk", receiver.url)
    receiver.go_away()
    keys = record(rollway, 8)
    wait_for(lambda: rollway.outbox.log(newest=9)[0].problem != "")
    (standing,) = rollway.outbox.standings().values()
    assert standing.waiting == 8
    assert "127.0.0.1" in standing.problem
    receiver.come_back()
    wait_for(lambda: states(rollway) == {"sent": 8})
    assert receiver.keys == keys


def test_a_slow_channel_delays_no_other(rollway: Rollway, sender: Sender, receiver: HttpReceiver) -> None:
    """While it takes half a second for each, the other one has everything."""
    slow = HttpReceiver()
    slow.delay = 0.5
    add(rollway, "slow", slow.url)
    add(rollway, "quick", receiver.url)
    keys = record(rollway, 6)
    wait_for(lambda: receiver.keys == keys)
    assert len(slow.requests) <= 3
    wait_for(lambda: slow.keys == keys)
    slow.go_away()


def test_what_nobody_takes_is_given_up_and_seen(rollway: Rollway, receiver: HttpReceiver) -> None:
    """After a day, here by a clock that is two days ahead of the entries; the next one still has its try."""
    add(rollway, "desk", receiver.url)
    receiver.status = 500
    record(rollway, 2)
    sender = Sender(rollway.outbox, lambda: rollway.clock() + timedelta(days=2))
    sender.start()
    wait_for(lambda: states(rollway) == {"given_up": 2})
    sender.stop()
    (standing,) = rollway.outbox.standings().values()
    assert standing.given_up == 2
    assert receiver.keys == ["reporting-1:1", "reporting-1:2"]


@pytest.mark.postgres
def test_two_workers_on_one_database_send_each_once(postgres_url: str, receiver: HttpReceiver) -> None:
    """Five rollouts at once, two senders: every key arrives once, each rollout's in its order."""
    first, second = Rollway(postgres_url), Rollway(postgres_url)
    senders = [Sender(one.outbox, one.clock) for one in (first, second)]
    add(first, "desk", receiver.url)
    keys = [key for n in range(5) for key in record(first, 30, f"reporting-{n}")]
    for sender in senders:
        sender.start()
    wait_for(lambda: len(receiver.requests) >= len(keys))
    time.sleep(0.5)
    for sender in senders:
        sender.stop()
    assert sorted(receiver.keys) == sorted(keys)
    for n in range(5):
        mine = [key for key in receiver.keys if key.startswith(f"reporting-{n}:")]
        assert mine == [f"reporting-{n}:{number}" for number in range(1, 31)]
    assert states(first) == {"sent": 150}
    first.close()
    second.close()


# --- whole rollouts -------------------------------------------------------------------------------


def test_a_hanging_channel_delays_no_tick_and_no_rollback(
    rollway: Rollway, runtime: Runtime, metrics: Metrics, receiver: HttpReceiver
) -> None:
    """One channel never answers. Ticks go on as they were asked for, a rollback begins at once, and the other
    channel hears each entry in the order of the record."""
    hanging = HttpReceiver()
    hanging.delay = 60.0
    add(rollway, "hanging", hanging.url)
    add(rollway, "desk", receiver.url)
    rollout = started(rollway, metrics)
    wait_for(lambda: len(hanging.requests) == 1 and len(rollway.rollouts.verdicts(rollout)) >= 6)
    asked = time.monotonic()
    rollway.say(rollout, "rollback", "ops", "enough")
    runtime.wake()
    wait_for(lambda: "rollback" in told_kinds(receiver))
    assert time.monotonic() - asked < 5, "it waited for a channel, which takes ten seconds to fail"
    verdicts = rollway.rollouts.verdicts(rollout)
    gaps = [(b["at"] - a["at"]).total_seconds() for a, b in pairwise(verdicts)]
    assert max(gaps) < 5
    # After its end nothing is added to the record any more.
    wait_for(lambda: "rolled_back" in told_kinds(receiver))
    entries = rollway.rollouts.record(rollout)
    assert receiver.keys == [f"{rollout}:{entry.n}" for entry in entries]
    assert told_kinds(receiver) == [entry.kind for entry in entries]
    assert {"started", "stage_entered", "exposure_verified", "verdict"} <= set(told_kinds(receiver))
    assert len(hanging.requests) == 1


def told_kinds(receiver: HttpReceiver) -> list[str]:
    return [request.json["data"]["kind"] for request in receiver.requests]


SENDING = """
import sys, time
from rollway.app import Rollway
from rollway.app.outbox import Sender
rollway = Rollway(sys.argv[1])
Sender(rollway.outbox, rollway.clock).start(is_alone=True)
time.sleep(120)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["webhook", "apprise"])
def test_kill_minus_nine_between_sending_and_marking(
    tmp_path: Path, receiver: HttpReceiver, kind: str
) -> None:
    """The process that sends is killed while the receiver has the event and has not answered. Nothing is
    lost: a webhook comes again with the same key and body, a message to people says that it may repeat."""
    rollway = Rollway(tmp_path / "data")
    scheme = "http" if kind == "webhook" else "json"
    add(rollway, "desk", f"{scheme}://127.0.0.1:{receiver.port}/hook", kind)
    keys = record(rollway, 5)
    processes: list[subprocess.Popen[bytes]] = []
    killed = threading.Event()

    def live() -> None:
        processes.append(subprocess.Popen([sys.executable, "-c", SENDING, str(tmp_path / "data")]))

    def kill_once(_: object) -> None:
        if len(receiver.requests) == 2 and not killed.is_set():
            processes[0].kill()
            processes[0].wait()
            killed.set()

    receiver.before_answer = kill_once
    live()
    try:
        assert killed.wait(60)
        assert states(rollway) == {"sent": 1, "sending": 1, "waiting": 3}
        live()
        wait_for(lambda: states(rollway) == {"sent": 5}, within=60)
    finally:
        for process in processes:
            process.kill()
            process.wait()
        rollway.close()
    lost, again = receiver.requests[1:3]
    assert len(receiver.requests) == 6
    if kind == "webhook":
        assert (lost.key, lost.body) == (again.key, again.body)
        assert list(dict.fromkeys(receiver.keys)) == keys
        return
    assert again.json["title"] == f"(may be a repeat) {lost.json['title']}"
    assert sum("repeat" in request.json["title"] for request in receiver.requests) == 1
