"""Everything that runs for one build of one example: two versions, their servers, users, and Rollway."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.live.example import HERE, Example
from examples.live.servers import Places, Process
from examples.live.servers.reached import status_at

ROOT = HERE.parents[1]
FIRST_SECONDS = 2.0
"""Of traffic there has been before Rollway is asked to start something: it looks at the numbers first."""
LOG_LINES = 12
"""Of each log, where an example went wrong."""


@dataclass
class World:
    """One build's servers on free ports, its files in `places.folder`."""

    example: Example
    build: str
    places: Places
    engine: Process

    @property
    def data(self) -> Path:
        return self.places.folder / "data"

    def counts(self) -> dict[str, Any]:
        """What the users met so far (see traffic.py); empty before the first of them."""
        with suppress(FileNotFoundError):
            found: dict[str, Any] = json.loads((self.places.folder / "counts.json").read_text())
            return found
        return {}

    def start_engine(self) -> None:
        """Start Rollway again."""
        self.engine = start_engine(self.places)

    def wait_for_engine(self) -> None:
        self.engine.wait_until(lambda: status_at(self.places.ports["rollway"], "/healthz") == 200, within=120)


@contextmanager
def running(example: Example, build: str, *, keep: bool = False) -> Iterator[World]:
    """The world of one build; everything in it ends with the block, and its folder goes unless kept."""
    folder = Path(tempfile.mkdtemp(prefix="live-"))
    places = Places(folder)
    with ExitStack() as stack:
        if not keep:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.enter_context(telling_logs(folder))
        engine = start_engine(places)
        world = World(example, build, places, engine)
        # Looked up when it ends: an engine that was killed has been replaced by then.
        stack.callback(lambda: world.engine.stop())  # noqa: PLW0108
        for name in ("release.yaml", *example.files):
            places.write(example.folder / name)
        for name, version, behaves in (("old", "1.0", "good"), ("new", "2.0", build)):
            stack.callback(_start_service(world, name, version, behaves).stop)
        for server in example.servers:
            stack.callback(server(places).stop)
        # Users who came earlier would take the processor from it while it starts.
        world.wait_for_engine()
        users = _start_users(world)
        stack.callback(users.stop)
        users.wait_until(lambda: _answered(world) >= FIRST_SECONDS * example.rate)
        stack.enter_context(in_environment(places))
        yield world


@contextmanager
def telling_logs(folder: Path) -> Iterator[None]:
    """An error that leaves the block carries the end of each log in the folder, which may go with it."""
    try:
        yield
    except Exception as error:
        for log in sorted(folder.glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
            error.add_note("\n".join([f"--- the end of {log.name}", *lines]))
        raise


def environment_of(places: Places) -> dict[str, str]:
    """What `rollway serve` needs to find its sources, and `rollway start`, which looks at them first."""
    return {
        "LEDGER_DATABASE": f"sqlite:///{places.folder / 'ledger.db'}",
        "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin",
    }


@contextmanager
def in_environment(places: Places) -> Iterator[None]:
    """What is typed within the block finds what the engine finds."""
    before = dict(os.environ)
    os.environ.update(environment_of(places))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def start_engine(places: Places) -> Process:
    """`rollway serve`; where signals find their database stands in its environment."""
    words = ("--data", str(places.folder / "data"), "serve", "--port", str(places.ports["rollway"]))
    environment = environment_of(places)
    return Process(
        [sys.executable, "-m", "rollway", *words],
        places.folder / "rollway.log",
        folder=places.folder,
        environment=environment,
    )


def _start_service(world: World, name: str, version: str, behaves: str) -> Process:
    places = world.places
    environment = {"BUILD": behaves}
    if world.example.has_ledger:
        environment["LEDGER"] = str(places.folder / "ledger.db")
    words = ("-m", "examples.live.service", "--port", str(places.ports[name]), "--version", version)
    service = Process(
        [sys.executable, *words], places.folder / f"{name}.log", folder=ROOT, environment=environment
    )
    service.wait_until(lambda: status_at(places.ports[name]) == 200)
    return service


def _answered(world: World) -> int:
    return sum(world.counts().get("served", {}).values())


def _start_users(world: World) -> Process:
    example, places = world.example, world.places
    crowd = {"--users": example.users, "--sites": example.sites, "--rate": example.rate}
    words = [str(word) for pair in crowd.items() for word in pair]
    counts = places.folder / "counts.json"
    command = [sys.executable, "-m", "examples.live.traffic", "--url", places.url("front"), *words]
    users = Process([*command, "--counts", str(counts)], places.folder / "users.log", folder=ROOT)
    users.wait_until(counts.exists)
    return users
