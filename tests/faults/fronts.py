"""What else may stand in front of the two versions: Envoy, nginx, or code that asks a flag for each user."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

from examples.live.servers import Envoy, Nginx, Places, free_port
from examples.live.servers.reached import answers_at
from examples.live.traffic import Shop
from tests.faults.stand import Stand
from tests.faults.street import NEW, OLD, Front

FLAG_PATIENCE_SECONDS = 0.3
_QUARREL = "a line of somebody else;\n"


@contextmanager
def _places(stand: Stand) -> Iterator[Places]:
    """A folder and free ports in front of the street's versions, where users go until the row is over."""
    folder = Path(tempfile.mkdtemp(prefix="front-"))
    ports = stand.street.places.ports
    places = Places(folder, old=ports["old"], new=ports["new"])
    try:
        yield places
    finally:
        stand.street.users.aim(stand.street.places.url("front"))
        shutil.rmtree(folder, ignore_errors=True)


class EnvoyFront:
    """A real Envoy. `admin` stands before its admin interface, as a rule of a network might."""

    def __init__(self, places: Places) -> None:
        self.envoy = Envoy(places)
        self.admin = Admin(self.envoy.admin)

    @property
    def target(self) -> dict[str, Any]:
        names = {"key": "rollway.web", "candidate": "new", "baseline": "old"}
        return {
            "type": "envoy",
            "admin": self.admin.url,
            "file": str(self.envoy.file),
            "timeout": 1,
            **names,
        }

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It does not move: its sockets accept, and nobody answers."""
        with _stopped(self.envoy._process.pid):
            yield


class Admin(Front):
    """Passes questions on; where it `refuses`, it answers with status 403."""

    def __init__(self, behind: str) -> None:
        self._behind = behind
        self.refuses = False
        super().__init__()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
        if self.refuses:
            return 403, "text/plain", b"not from here"
        try:
            with urllib.request.urlopen(self._behind + path, timeout=5) as found:
                return 200, "application/json", found.read()
        except (OSError, urllib.error.URLError):
            return 502, "text/plain", b"nobody is there"


@contextmanager
def envoy(stand: Stand) -> Iterator[EnvoyFront]:
    """Users meet an Envoy."""
    with _places(stand) as places:
        front = EnvoyFront(places)
        stand.street.users.aim(places.url("front"))
        try:
            yield front
        finally:
            front.envoy.stop()
            front.admin.go_away()


class NginxFront:
    """A real nginx, and somebody who may break its configuration."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.nginx = Nginx(places)
        self._configuration = places.folder / "nginx.conf"

    @property
    def target(self) -> dict[str, Any]:
        health = {f"{side}_health": f"{self._places.url(name)}/health" for side, name in _SIDES.items()}
        command = self.nginx.command
        return {
            "type": "nginx",
            "file": str(self.nginx.file),
            "variable": "web",
            "key": "$http_user",
            "candidate": "web_new",
            "baseline": "web_old",
            "probe": f"{self._places.url('front')}/rollway",
            "test": [*command, "-t"],
            "reload": [*command, "-s", "reload"],
            "timeout": 2,
            **health,
        }

    @contextmanager
    def broken(self) -> Iterator[None]:
        """Somebody else has a line in it that nginx does not know; what runs is not touched."""
        right = self._configuration.read_text(encoding="utf-8")
        self._configuration.write_text(right + _QUARREL, encoding="utf-8")
        try:
            yield
        finally:
            self._configuration.write_text(right, encoding="utf-8")


_SIDES = {"candidate": "new", "baseline": "old"}


@contextmanager
def nginx(stand: Stand) -> Iterator[NginxFront]:
    """Users meet an nginx."""
    with _places(stand) as places:
        front = NginxFront(places)
        stand.street.users.aim(places.url("front"))
        try:
            yield front
        finally:
            front.nginx.stop()


class FlagShop(Shop):
    """A connection to an OFREP service."""

    async def value(self, flag: str, user: str) -> str:
        """The flag's value for this user."""
        body = json.dumps({"context": {"targetingKey": user}}).encode()
        head = f"POST /ofrep/v1/evaluate/flags/{flag} HTTP/1.1\r\nHost: {self._host}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        link = self._idle.pop() if self._idle else await asyncio.open_connection(self._host, self._port)
        _, _, answer = await self._exchange(link, head.encode() + body)
        return str(json.loads(answer)["value"])


class Code:
    """An application that asks for each request of a user which version it is to be, and passes it on.

    As OpenFeature's clients do, it serves its default, the old version, where no answer comes in time; and it
    remembers the last answer for each user for `remembers` seconds.
    """

    FLAG = "web"
    target: ClassVar[dict[str, Any]] = {"type": "flag", "flag": FLAG, "candidate": "new", "baseline": "old"}

    def __init__(self, places: Places, flags: str) -> None:
        self.remembers = 0.0
        self.port = free_port()
        self._shops = {name: Shop(places.url(name)) for name in ("old", "new")}
        self._flags = FlagShop(flags)
        self._known: dict[str, tuple[float, str]] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join(10)

    async def _run(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=512)
        while not self._ending.is_set():
            await asyncio.sleep(0.05)
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError, asyncio.CancelledError):  # whoever asked has gone, or we end
            while not self._ending.is_set():
                first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
                writer.write(await self._answer(first.split()[1], headers.get("user", "")))
                await writer.drain()
        writer.close()

    async def _answer(self, path: str, user: str) -> bytes:
        version = await self._version(user) if user else "old"
        status, name, body = 502, "", b""
        with suppress(OSError, EOFError, ValueError, KeyError):
            status, name, body = await self._shops[version].get(path, f"user: {user}\r\n")
        said = f"X-Version: {name}\r\n" if name in (NEW, OLD) else ""
        return f"HTTP/1.1 {status} -\r\n{said}Content-Length: {len(body)}\r\n\r\n".encode() + body

    async def _version(self, user: str) -> str:
        at, value = self._known.get(user, (0.0, ""))
        if value and time.monotonic() - at < self.remembers:
            return value
        try:
            async with asyncio.timeout(FLAG_PATIENCE_SECONDS):
                value = await self._flags.value(self.FLAG, user)
        except (OSError, EOFError, ValueError, KeyError):
            return "old"
        self._known[user] = (time.monotonic(), value)
        return "new" if value == "new" else "old"


@contextmanager
def code(stand: Stand) -> Iterator[Code]:
    """Users meet an application whose flag Rollway serves."""
    with _places(stand) as places:
        running = Code(places, stand.engine.url)
        while not answers_at(running.port):
            time.sleep(0.02)
        stand.street.users.aim(f"http://127.0.0.1:{running.port}")
        try:
            yield running
        finally:
            running.stop()


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
