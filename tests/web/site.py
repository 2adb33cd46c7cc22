"""A story behind a real server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx2

from rollway.app import Rollway
from rollway.flags import FlagBook
from rollway.web import create_app, make_server
from web.story import Story


class Site:
    """A story behind a real server, and a client that speaks to it."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.wakes: list[float] = []
        self.port = 0
        self.start()
        # No certificate is needed for loopback, and reading them all takes longer than most tests.
        self.client = httpx2.Client(base_url=self.url, timeout=10, verify=False, trust_env=False)

    @property
    def rollway(self) -> Rollway:
        return self.story.rollway

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server, on the same port as before."""
        app = create_app(self.rollway, FlagBook(), self._wake, hosts=["rollway.example"])
        self.server = make_server(app, "127.0.0.1", self.port)
        self._thread = threading.Thread(target=self.server.run, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self.server.started and time.monotonic() < deadline:
            time.sleep(0.005)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]

    def stop(self) -> None:
        self.server.should_exit = True
        self._thread.join(10)
        assert not self._thread.is_alive(), "the server did not stop"

    def _wake(self) -> None:
        self.wakes.append(time.monotonic())

    def page(self, path: str, **headers: str) -> httpx2.Response:
        """Ask as a browser does when a person follows a link."""
        return self.client.get(path, headers={"accept": "text/html", **headers})

    def events(self, path: str, **headers: str) -> Iterator[tuple[str, str, Any]]:
        """The events of a stream as (kind, id, data)."""
        with self.client.stream("GET", path, headers=headers) as response:
            assert response.status_code == 200, response.read()
            fields: dict[str, str] = {}
            for line in response.iter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif "event" in fields:
                    yield fields["event"], fields.get("id", ""), json.loads(fields["data"])
                    fields = {}
