"""What stands around the engine, and can be made sick: two versions, HAProxy, users, a page of metrics."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import socket
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from examples.live.servers import Haproxy, Places, Process
from examples.live.servers.haproxy import CONFIGURATION
from examples.live.servers.reached import status_at
from examples.live.traffic import Shop

ROOT = Path(__file__).parents[2]
NEW, OLD = "2.0", "1.0"
USERS = 2000
RATE = 120.0
"""Requests a second, of so many users who come at random."""
MOST_AT_ONCE = 300
PATIENCE_SECONDS = 3.0


@dataclass
class Met:
    """What users met: answers by version, the users whom the new one answered and when it last did (unix
    seconds), and the requests that no version answered within their patience."""

    served: Counter[str] = field(default_factory=Counter)
    users_new: set[int] = field(default_factory=set)
    new_at: float = 0.0
    unserved: int = 0

    @property
    def requests(self) -> int:
        return self.served.total() + self.unserved


async def ask(shop: Shop, met: Met) -> None:
    """One user asks for one quote."""
    user = random.randrange(USERS)
    version = ""
    with suppress(OSError, EOFError, ValueError, KeyError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            _, version, _ = await shop.get("/quote?item=1&count=1", f"user: user-{user}\r\n")
    if not version:
        met.unserved += 1
        return
    met.served[version] += 1
    if version == NEW:
        met.users_new.add(user)
        met.new_at = time.time()


class Users:
    """They come at random from a thread of ours; `counts` can be begun anew at the moment of a fault."""

    def __init__(self, url: str) -> None:
        self._shops = [Shop(url)]
        self.rate = RATE
        self.counts = Met()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._come()), daemon=True)
        self._thread.start()

    def count_anew(self) -> None:
        self.counts = Met()

    def aim(self, url: str) -> None:
        """From now on they go there."""
        self._shops.append(Shop(url))

    def stop(self) -> None:
        self._ending.set()
        self._thread.join(10)

    async def _come(self) -> None:
        busy = set[asyncio.Task[None]]()
        due = time.monotonic()
        while not self._ending.is_set():
            if not self.rate:
                await asyncio.sleep(0.02)
                due = time.monotonic()
                continue
            due += random.expovariate(self.rate)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if len(busy) < MOST_AT_ONCE:
                task = asyncio.create_task(ask(self._shops[-1], self.counts))
                busy.add(task)
                task.add_done_callback(busy.discard)
        await asyncio.gather(*busy)
        for _, writer in (link for shop in self._shops for link in shop._idle):
            with suppress(OSError):
                writer.close()
                await writer.wait_closed()


class Front:
    """An HTTP server of ours that a subclass answers; it can be away."""

    drips = False
    """Whether each byte of an answer takes 0.3 s."""

    def __init__(self) -> None:
        self.port = 0
        self.come_back()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def come_back(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        serve = self._server.serve_forever
        threading.Thread(target=serve, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def go_away(self) -> None:
        """Connections are refused from now on."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
        """Status, content type and body."""
        raise NotImplementedError


def _handler(front: Front) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            status, kind, answer = front.answer(self.command, self.path, body)
            with suppress(OSError):  # who asked has lost patience
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                for piece in [answer[n : n + 1] for n in range(len(answer))] if front.drips else [answer]:
                    self.wfile.write(piece)
                    time.sleep(0.3 if front.drips else 0)

        do_POST = do_GET  # noqa: N815  # the name is the base class's

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler


class Page(Front):
    """The metrics of both versions on one page, as a gateway gathers them.

    `slow`: seconds before each answer; `is_nan`, `is_empty`; `lacks`: the version whose lines are missing;
    `skew`: the page is OpenMetrics and its samples are stamped so many seconds from now.
    """

    def __init__(self, places: Places) -> None:
        self._ports = [places.ports[name] for name in ("old", "new")]
        self.heal()
        super().__init__()

    def heal(self) -> None:
        self.slow, self.is_nan, self.is_empty, self.lacks = 0.0, False, False, ""
        self.skew: float | None = None

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
        time.sleep(self.slow)
        lines = [] if self.is_empty else self.lines()
        if self.lacks:
            lines = [line for line in lines if f'version="{self.lacks}"' not in line]
        if self.is_nan:
            lines = [re.sub(r" \S+$", " NaN", line) for line in lines]
        if self.skew is None:
            return 200, "text/plain; version=0.0.4", "".join(f"{line}\n" for line in lines).encode()
        stamp = time.time() + self.skew
        text = "".join(f"{line} {stamp:.3f}\n" for line in lines) + "# EOF\n"
        return 200, "application/openmetrics-text; version=1.0.0; charset=utf-8", text.encode()

    def lines(self) -> list[str]:
        """The counters of quotes, of each version that answers."""
        found = list[str]()
        for port in self._ports:
            with (
                suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as answer,
            ):
                found += [
                    line for line in answer.read().decode().splitlines() if line.startswith("quotes_total")
                ]
        return found

    def totals(self) -> dict[str, tuple[int, int]]:
        """Trials and bad ones by version."""
        found = {NEW: (0, 0), OLD: (0, 0)}
        for line in self.lines():
            labels, value = line.rsplit(" ", 1)
            version = NEW if f'version="{NEW}"' in labels else OLD
            bad = int(float(value)) if 'outcome="error"' in labels else 0
            found[version] = found[version][0] + int(float(value)), found[version][1] + bad
        return found


class Deployer(Front):
    """A service of the operators' own that is told the share, and sets HAProxy's weights.

    `mode`: well; refuses (status 500); hangs (answers nothing, does nothing); mute (does it and never
    answers); more, less (serves more or less than asked, and says so); liar (does nothing, says it is done);
    deaf (does nothing, and tells what is served).
    """

    def __init__(self, street: Street) -> None:
        self._street = street
        self.mode = "well"
        self.share = 0.0
        self.asked = 0.0
        super().__init__()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
        if method == "POST":
            mode = self.mode
            if mode == "refuses":
                return 500, "text/plain", b"change freeze"
            if mode not in ("hangs", "liar", "deaf"):
                self.asked = json.loads(body)["share"]
                self.share = min(1.0, self.asked * {"more": 2.0, "less": 0.5}.get(mode, 1.0))
                self._street.set_share(self.share)
            elif mode == "liar":
                self.share = json.loads(body)["share"]
            if mode in ("hangs", "mute"):
                time.sleep(60)
        return 200, "application/json", json.dumps({"share": self.share}).encode()


def _patient(configuration: str) -> str:
    """A health check that may take a second: a busy machine is not a dead version."""
    return configuration.replace("inter 100ms rise 1 fall 1", "inter 300ms rise 1 fall 2").replace(
        "timeout connect 1s", "timeout connect 1s\n    timeout check 1s"
    )


class Street:
    """Everything around the engine, in one folder, on free ports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.places = Places(folder)
        self._versions: dict[str, Process] = {}
        for name in ("old", "new"):
            self.behave(name)
            self.revive(name)
        self.haproxy = Haproxy(self.places, _patient(CONFIGURATION.read_text(encoding="utf-8")))
        self.users = Users(self.places.url("front"))
        self.page = Page(self.places)
        self.deployer = Deployer(self)

    @property
    def socket(self) -> Path:
        return self.folder / "admin.sock"

    def behave(self, name: str, **behaviour: Any) -> None:
        """From now on `old` or `new` behaves so; as usual where nothing is said."""
        file = self.folder / f"{name}.json"
        beside = file.with_suffix(".part")
        beside.write_text(json.dumps(behaviour))
        os.replace(beside, file)

    def revive(self, name: str) -> None:
        """Start the version's process where it does not run."""
        if name in self._versions and self._versions[name].is_running:
            return
        port, version = self.places.ports[name], NEW if name == "new" else OLD
        words = ("--port", port, "--version", version, "--behaviour", self.folder / f"{name}.json")
        command = [sys.executable, "-m", "tests.faults.shifting", *words]
        running = Process(command, self.folder / f"{name}.log", folder=ROOT)
        running.wait_until(lambda: status_at(port) == 200)
        self._versions[name] = running

    def kill(self, name: str) -> None:
        self._versions[name].stop(9)

    def balancer(self, command: str) -> str:
        """One command by hand to HAProxy's runtime API."""
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(5)
            link.connect(str(self.socket))
            link.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: link.recv(65536), b"")).decode()

    def set_share(self, share: float) -> None:
        """The weights by hand, as anybody might who can reach the socket."""
        new = round(share * 256)
        self.balancer(f"set server web/new weight {new}")
        self.balancer(f"set server web/old weight {256 - new}")

    def restart_balancer(self) -> None:
        """HAProxy ends and comes back, and has only its configuration."""
        (self.folder / "state").write_text("")
        self.haproxy.stop()
        self.haproxy.start()

    @contextmanager
    def frozen_balancer(self) -> Iterator[None]:
        """HAProxy does not move: its sockets accept, and nobody answers."""
        process = self.haproxy._process
        os.kill(process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(process.pid, signal.SIGCONT)

    def heal(self) -> None:
        """Everything as at the beginning."""
        for name in ("old", "new"):
            self.behave(name)
            self.revive(name)
        self.users.rate = RATE
        self.page.heal()
        self.deployer.mode, self.deployer.drips = "well", False

    def stop(self) -> None:
        self.users.stop()
        self.haproxy.stop()
        for one in self._versions.values():
            one.stop()
        for front in (self.page, self.deployer):
            with suppress(OSError):
                front.go_away()
