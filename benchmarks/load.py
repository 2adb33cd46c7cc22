"""Many rollouts at once on one `rollway serve` with SQLite: is every tick on time, and what does it cost?

    python -m benchmarks.load                           50 to 500 rollouts, three minutes each
    python -m benchmarks.load --rollouts 500 --seconds 600

All rollouts are started at one moment, so that their ticks fall due together, which is the worst case. Each
is a canary on a flag of its own at its first stage with users, with three rates and a latency read over HTTP
every ten seconds from a page that another process serves.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from rollway.app import Rollway
from rollway.facts import Release
from rollway.planning import Plan
from rollway.store.tables import rollout, verdict

EVERY = 10.0
"""Seconds between two ticks of a rollout."""
SETTLE = 45.0
"""Seconds until all have entered their stage, before anything is measured."""
STEPS = (50, 100, 200, 350, 500)
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
HEAD = ("rollouts", "ticks", "late p50", "late p99", "latest", "missed", "CPU of a core", "memory", "a tick")


@dataclass(frozen=True, slots=True)
class Figures:
    """What was seen with so many rollouts: lateness in seconds, CPU in cores, memory in MB, CPU ms a tick."""

    rollouts: int
    ticks: int
    late: tuple[float, float, float]
    missed: int
    cores: float
    memory: float
    tick_ms: float

    def row(self) -> tuple[str, ...]:
        half, most, worst = (f"{seconds:.2f} s" for seconds in self.late)
        counts = (str(self.rollouts), str(self.ticks))
        cost = (f"{self.cores:.0%}", f"{self.memory:.0f} MB", f"{self.tick_ms:.1f} ms")
        return (*counts, half, most, worst, str(self.missed), *cost)


# --- the service that is watched ------------------------------------------------------------------


def serve_metrics() -> None:
    """A page whose counters grow with time, as of a service with 200 requests a second; prints its port."""
    begin = time.time()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = _page(time.time() - begin).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


def _page(seconds: float) -> str:
    lines = []
    for arm, rate in (("old", 180.0), ("new", 20.0)):
        total = int(rate * seconds)
        for name, share in (("errors", 0.02), ("timeouts", 0.01), ("rejected", 0.03)):
            lines.append(f'{name}_total{{arm="{arm}"}} {int(total * share)}')
        lines.append(f'requests_total{{arm="{arm}"}} {total}')
        shares = np.linspace(0.1, 1.0, len(BOUNDS))
        for bound, share in zip(BOUNDS, shares, strict=True):
            lines.append(f'seconds_bucket{{arm="{arm}",le="{bound:g}"}} {int(total * share)}')
        lines.append(f'seconds_bucket{{arm="{arm}",le="+Inf"}} {total}')
        lines.append(f'seconds_count{{arm="{arm}"}} {total}')
        lines.append(f'seconds_sum{{arm="{arm}"}} {total * 0.1:.3f}')
    return "\n".join(lines) + "\n"


def a_plan(port: int) -> Plan:
    """A canary whose stages last for hours, so that all rollouts stand in the first one with users."""
    from rollway.choice import choose
    from rollway.planning import make_plan

    arms = {"arm_label": "arm", "candidate": "new", "baseline": "old", "type": "scrape"}
    page = {**arms, "url": f"http://127.0.0.1:{port}/metrics"}
    rates = [
        {
            "name": name,
            "kind": "rate",
            "tolerance": 1.5,
            "expected": expected,
            "signal": {**page, "total": "requests_total", "bad": f"{name}_total"},
        }
        for name, expected in (("errors", 0.02), ("timeouts", 0.01), ("rejected", 0.03))
    ]
    latency = {
        "name": "latency",
        "kind": "latency",
        "tolerance": 1.5,
        "signal": {**page, "histogram": "seconds"},
    }
    release = Release.model_validate(
        {
            "release": {"name": "load", "version": "1.0.0", "prepared_by": "ana"},
            "architecture": {"feature_flags": True, "traffic_split": True, "per_version_telemetry": True},
            "migration": {"needed": False, "backward_compatible": True},
            "agreements": {"approvers": ["bo"], "operators": ["ops"]},
            "kpis": [*rates, latency],
            "target": {"type": "flag", "flag": "load", "candidate": "new", "baseline": "old"},
            "rollout": {
                "method": "canary",
                "because": "this is what is measured",
                "shares": [0.1, 1.0],
                "bake": "6h",
                "check_every": f"{EVERY:g}s",
            },
        }
    )
    return make_plan(release, choose(release))


def start_all(folder: Path, plan: Plan, count: int) -> None:
    """So many rollouts of the same plan, each with a name and a flag of its own; all due at once."""
    rollway = Rollway(folder)
    for number in range(count):
        body = plan.to_json()
        body["name"] = f"load-{number}"
        body["target"]["flag"] = f"load-{number}"
        mine = Plan.model_validate(body)
        rollway.plans.save(mine, rollway.clock())
        rollway.approve(mine, "bo")
        confirm_gates(rollway, rollway.start(mine, "ops"), mine)
    rollway.close()


def confirm_gates(rollway: Rollway, name: str, plan: Plan) -> None:
    """Say that what the facts left open is met, so that nothing waits for people."""
    for gate in plan.gates:
        if not gate.is_met:
            rollway.say(name, "confirm", "ops", "as measured", subject=gate.id)


# --- what is measured -----------------------------------------------------------------------------


def measure(count: int, seconds: float) -> Figures:
    with tempfile.TemporaryDirectory() as text, _process(["-m", "benchmarks.load", "--page"]) as page:
        assert page.stdout is not None
        port = int(page.stdout.readline())
        folder = Path(text) / "data"
        start_all(folder, a_plan(port), count)
        serve = ["-m", "rollway", "--data", str(folder), "serve", "--port", "0"]
        with _process(serve) as server:
            time.sleep(SETTLE)
            begin, cpu = time.time(), _cpu_seconds(server.pid)
            time.sleep(seconds)
            cores = (_cpu_seconds(server.pid) - cpu) / (time.time() - begin)
            memory = _memory(server.pid)
            end = time.time()
        gaps = ticks_between(folder, count, begin, end)
    ticks, late = len(gaps) - count, np.maximum(0.0, gaps - EVERY)
    half, most, worst = (float(np.quantile(late, level)) for level in (0.5, 0.99, 1.0))
    missed = int(np.sum(gaps >= 2 * EVERY))
    return Figures(count, ticks, (half, most, worst), missed, cores, memory, 1000 * cores * seconds / ticks)


def ticks_between(folder: Path, count: int, begin: float, end: float) -> np.ndarray:
    """Seconds between two ticks that follow each other, of all rollouts, and to the span's two ends."""
    rollway = Rollway(folder)
    with rollway.engine.connect() as connection:
        names = connection.scalars(sa.select(rollout.c.id)).all()
        rows = connection.execute(sa.select(verdict.c.rollout_id, verdict.c.at).order_by(verdict.c.at)).all()
    rollway.close()
    times: dict[str, list[float]] = {name: [begin] for name in names}
    for row in rows:
        if begin <= row.at.timestamp() <= end:
            times[row.rollout_id].append(row.at.timestamp())
    assert len(times) == count
    return np.array([later - earlier for each in times.values() for earlier, later in pairwise([*each, end])])


@contextmanager
def _process(arguments: list[str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, *arguments]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield running
    finally:
        running.terminate()
        running.wait(30)


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def main() -> None:
    """Print a row for each number of rollouts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rollouts", default=",".join(map(str, STEPS)), help="how many at once, by commas")
    parser.add_argument("--seconds", type=float, default=180.0, help="how long each is measured")
    parser.add_argument("--page", action="store_true", help=argparse.SUPPRESS)
    options, _ = parser.parse_known_args()
    if options.page:
        serve_metrics()
        return
    print("| " + " | ".join(HEAD) + " |")
    print("|" + "---|" * len(HEAD))
    for count in map(int, options.rollouts.split(",")):
        print("| " + " | ".join(measure(count, options.seconds).row()) + " |", flush=True)


if __name__ == "__main__":
    main()
