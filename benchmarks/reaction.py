"""How long from a breach that the signal shows until traffic is moved back?

    python -m benchmarks.reaction                      100 rollouts each on a flag, HAProxy and Envoy
    python -m benchmarks.reaction --only haproxy --trials 20

`rollway serve` carries a canary out at half of the users, with a tick of one second, on a real balancer or on
its own flags. At a random moment the service's counters begin to show three bad requests in ten instead of
two in a hundred. The clock stops when the balancer's own state, or the answer to each of forty users' flag,
says that nobody is served the new version.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.load import confirm_gates
from examples.live.servers import Envoy, Haproxy, Places, free_port, wait_until
from examples.live.servers.reached import answers_at
from rollway.app import Rollway
from rollway.facts import Release
from rollway.planning import Plan
from rollway.targets.flag import FlagTarget

TRIALS, SEED = 100, 1
TICK = 1.0
RATES = {"old": 500.0, "new": 500.0}
"""Requests a second of each version."""
SOUND, BROKEN = 0.02, 0.30
USERS = 40
LOOK_EVERY = 0.01


class Service:
    """Both versions, each on a port of its own, and one page with what they count."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at = time.monotonic()
        self._counts = {arm: [0.0, 0.0] for arm in RATES}
        self.bad = SOUND
        self.ports = {arm: self._listen() for arm in (*RATES, "metrics")}

    def turn(self, bad: float) -> float:
        """From now on so many of the new version's requests are bad; gives the moment."""
        with self._lock:
            self._grow()
            self.bad = bad
            return time.monotonic()

    def page(self) -> str:
        with self._lock:
            self._grow()
            return "".join(
                f'requests_total{{arm="{arm}"}} {int(total)}\nerrors_total{{arm="{arm}"}} {int(bad)}\n'
                for arm, (total, bad) in self._counts.items()
            )

    def _grow(self) -> None:
        now = time.monotonic()
        passed, self._at = now - self._at, now
        for arm, rate in RATES.items():
            self._counts[arm][0] += rate * passed
            self._counts[arm][1] += rate * passed * (self.bad if arm == "new" else SOUND)

    def _listen(self) -> int:
        page = self.page

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = page().encode() if self.path == "/metrics" else b"ok"
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(ConnectionError):
                    self.wfile.write(body)  # a health check that has seen enough hangs up

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return int(server.server_address[1])


def a_release(service: Service, target: dict[str, Any], number: int) -> Release:
    signal = {
        "type": "scrape",
        "url": f"http://127.0.0.1:{service.ports['metrics']}/metrics",
        "arm_label": "arm",
        "candidate": "new",
        "baseline": "old",
        "total": "requests_total",
        "bad": "errors_total",
    }
    return Release.model_validate(
        {
            "release": {"name": f"reaction-{number}", "version": "1.0.0", "prepared_by": "ana"},
            "architecture": {
                "traffic_split": True,
                "per_version_telemetry": True,
                "requests_per_second": 1000,
            },
            "migration": {"needed": False, "backward_compatible": True},
            "done": {"tests": {"rollback_tested": True}},
            "agreements": {"approvers": ["bo"], "operators": ["ops"]},
            "kpis": [
                {"name": "errors", "kind": "rate", "tolerance": 1.25, "expected": SOUND, "signal": signal}
            ],
            "target": target,
            "rollout": {
                "method": "canary",
                "because": "this is what is measured",
                "shares": [0.5, 1.0],
                "bake": "1h",
                "check_every": f"{TICK:g}s",
            },
        }
    )


@contextmanager
def balancer(kind: str, folder: Path, service: Service) -> Iterator[dict[str, Any]]:
    """The target's options without what differs from rollout to rollout."""
    ports = {arm: service.ports[arm] for arm in RATES}
    stop: Callable[[], None]
    if kind == "haproxy":
        running = Haproxy(Places(folder, **ports))
        options: dict[str, Any] = {
            "socket": str(running.socket),
            "backend": "web",
            "state_file": str(folder / "state"),
        }
        stop = running.stop
    elif kind == "envoy":
        proxy = Envoy(Places(folder, **ports))
        options = {"admin": proxy.admin, "file": str(proxy.file), "key": "rollway.web"}
        stop = proxy.stop
    else:
        yield {"type": "flag", "candidate": "new", "baseline": "old"}
        return
    try:
        yield {"type": kind, "candidate": "new", "baseline": "old", **options}
    finally:
        stop()


def measure(kind: str, trials: int) -> np.ndarray:
    """Seconds from the breach until nobody is served the new version, of each trial."""
    rng, found = random.Random(SEED), []
    service = Service()
    with tempfile.TemporaryDirectory() as text, balancer(kind, Path(text), service) as options:
        data = Path(text) / "data"
        with _serving(data) as port:
            rollway = Rollway(data)
            for number in range(trials):
                found.append(_trial(rollway, service, dict(options), port, number, rng))
            rollway.close()
    return np.array(found)


def _trial(
    rollway: Rollway, service: Service, options: dict[str, Any], port: int, number: int, rng: random.Random
) -> float:
    service.turn(SOUND)
    if options["type"] == "flag":
        options["flag"] = f"flag-{number}"
    plan = rollway.plan(a_release(service, options, number))
    rollway.approve(plan, "bo")
    rollout = rollway.start(plan, "ops")
    confirm_gates(rollway, rollout, plan)
    wait_until(
        lambda: rollway.load(rollout).state.entered_at is not None and _share(rollway, rollout) == 0.5, 60
    )
    share = _share_of(rollway, rollout, plan, port)
    assert share() > 0
    time.sleep(3 * TICK + rng.random() * TICK)
    begin = service.turn(BROKEN)
    while share() > 0:
        if time.monotonic() - begin > 30:
            raise SystemExit(f"{rollout} was not taken back within 30 s")
        time.sleep(LOOK_EVERY)
    took = time.monotonic() - begin
    wait_until(lambda: rollway.load(rollout).state.is_final, 30)
    return took


def _share(rollway: Rollway, rollout: str) -> float | None:
    return rollway.load(rollout).state.served_share


def _share_of(rollway: Rollway, rollout: str, plan: Plan, port: int) -> Callable[[], float]:
    """What asks the world itself for the share of users who are served the new version."""
    target = rollway.connectors.target(rollout, plan)
    return (
        _flag_share(port, target.flag) if isinstance(target, FlagTarget) else lambda: target.observe().share
    )


def _flag_share(port: int, flag: str) -> Callable[[], float]:
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def share() -> float:
        new = 0
        for user in range(USERS):
            body = json.dumps({"context": {"targetingKey": f"user-{user}"}})
            headers = {"Content-Type": "application/json"}
            connection.request("POST", f"/ofrep/v1/evaluate/flags/{flag}", body, headers)
            new += json.loads(connection.getresponse().read())["variant"] == "new"
        return new / USERS

    return share


@contextmanager
def _serving(data: Path) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "rollway", "--data", str(data), "serve", "--port", str(port)]
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: answers_at(port), 60)
        yield port
    finally:
        running.terminate()
        running.wait(30)


def main() -> None:
    """Print a row for each target."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--only", choices=("flag", "haproxy", "envoy"))
    options, _ = parser.parse_known_args()
    print("| target | rollouts | median | p90 | p99 | longest |\n|---|---|---|---|---|---|")
    for kind in ("flag", "haproxy", "envoy"):
        if options.only in (None, kind):
            seconds = measure(kind, options.trials)
            told = (f"{np.quantile(seconds, level):.2f} s" for level in (0.5, 0.9, 0.99, 1.0))
            print(f"| {kind} | {len(seconds)} | " + " | ".join(told) + " |", flush=True)


if __name__ == "__main__":
    main()
