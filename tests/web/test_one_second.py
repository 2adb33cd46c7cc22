"""From a person's word to the last user who is served the new version: less than a second."""

from __future__ import annotations

import http.client
import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from rollway.app import Rollway
from rollway.facts import parse_release
from support.command import rollway as command
from support.rollouts import start_plan, wait_for
from support.served import Served
from support.servers import free_port

EXAMPLE = Path(__file__).parents[2] / "examples" / "reporting"
USERS = 400
WITHIN = 1.0


@dataclass
class Crowd:
    """Users of the service who ask all the time. `met`: when each question was asked, and who answered."""

    port: int
    met: list[tuple[float, str]] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        self._threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(4)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def last_served_new(self) -> float:
        return max(asked for asked, variant in self.met if variant == "new")

    def is_served_new(self) -> bool:
        return [variant for _, variant in self.met[-300:]].count("new") >= 10

    def _ask(self, first: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        for user in itertools.cycle(range(first, USERS, 4)):
            if self._ended.is_set():
                break
            asked = time.monotonic()
            connection.request("GET", f"/report?user=u{user}")
            answer = connection.getresponse()
            answer.read()
            self.met.append((asked, answer.headers["X-Variant"]))
        connection.close()


@dataclass
class Running:
    """A rollout at work: its server, its data, its name, and the users of its service."""

    served: Served
    data: Path
    rollout: str
    crowd: Crowd


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """The reporting example with its good build, at 10% of the users, in a stage that lasts."""
    data = tmp_path / "data"
    served = Served(str(data), tmp_path / "serve.log")
    port = free_port()
    served.start()
    with (tmp_path / "service.log").open("wb") as log:
        words = ("--port", str(port), "--ofrep", served.url, "--build", "good")
        service = subprocess.Popen(
            [sys.executable, str(EXAMPLE / "service.py"), *words], stdout=log, stderr=log
        )
        rollway, crowd = Rollway(data), Crowd(port)
        try:
            served.wait_ready()
            wait_for(lambda: _listens(port))
            crowd.start()
            rollout = _start(rollway, f"http://127.0.0.1:{port}")
            wait_for(crowd.is_served_new)
            yield Running(served, data, rollout, crowd)
        finally:
            crowd.stop()
            rollway.close()
            service.terminate()
            service.wait()
            served.stop()


def _listens(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _start(rollway: Rollway, url: str) -> str:
    file = EXAMPLE / "release.yaml"
    text = file.read_text(encoding="utf-8").replace("http://127.0.0.1:8101", url)
    changes = {"rollout.bake": "10m", "rollout.check_every": "1s"}
    plan = rollway.plan(parse_release(text, file.name, changes=changes))
    rollway.approve(plan, plan.approvers[0])
    return start_plan(
        rollway, plan, plan.operators[0], override_window="the test does not wait for the night"
    )


def _is_back_within_a_second(running: Running, say: Callable[[], float]) -> None:
    said = say()
    wait_for(lambda: time.monotonic() > said + WITHIN + 2)
    crowd = running.crowd
    asked_since = [variant for asked, variant in crowd.met if asked > said + WITHIN]
    assert len(asked_since) > 100, "hardly anybody asked"
    assert set(asked_since) == {"old"}, (
        f"last served new {crowd.last_served_new() - said:.2f} s after the word"
    )


@pytest.mark.browser
def test_the_button_takes_everyone_back_within_a_second(running: Running, chromium: Path) -> None:
    """One second after the button was pressed the service serves the new version to nobody."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(f"{running.served.url}/rollouts/{running.rollout}")
        page.get_by_label("You are").fill("kaya")
        page.get_by_role("button", name="Roll back…").click()
        page.locator("#ask-rollback").get_by_label("Reason").fill("numbers on paper look wrong")

        def press() -> float:
            page.get_by_role("button", name="Roll back now").click()
            return time.monotonic()

        _is_back_within_a_second(running, press)
        expect(page.locator(".head .badge")).to_contain_text("rolled back")
        browser.close()


def test_the_command_takes_everyone_back_within_a_second(running: Running) -> None:
    """One second after `rollway rollback` has answered the service serves the new version to nobody."""

    def say() -> float:
        words = ("--data", str(running.data), "rollback", running.rollout)
        said = command(*words, "--as", "kaya", "--because", "no", cwd=running.data)
        assert said.returncode == 0, said.stderr
        return time.monotonic()

    _is_back_within_a_second(running, say)
