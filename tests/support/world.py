"""A world for whole rollouts: a metrics page over real HTTP, and a release that reads it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rollway.facts import Release


class Metrics:
    """Counters of both versions at constant rates; `bad` is the share of bad requests of the new version.

    The page has 20,000 requests a second of the old version, 2% of them bad, and 10,000 of the new one.
    """

    def __init__(self) -> None:
        self.url = ""
        self.is_down = False
        self.bad = 0.02
        self._totals = {"old": 0.0, "new": 0.0}
        self._bads = {"old": 0.0, "new": 0.0}
        self._at = time.monotonic()
        self._lock = threading.Lock()

    def break_new_version(self, bad: float) -> None:
        """From now on this share of the new version's requests is bad."""
        with self._lock:
            self._grow()
            self.bad = bad

    def page(self) -> str:
        with self._lock:
            self._grow()
            lines = ["# TYPE requests_total counter"]
            for variant in self._totals:
                bad = int(self._bads[variant])
                good = int(self._totals[variant]) - bad
                lines.append(f'requests_total{{variant="{variant}",outcome="ok"}} {good}')
                lines.append(f'requests_total{{variant="{variant}",outcome="error"}} {bad}')
        return "\n".join(lines) + "\n"

    def rates(self) -> dict[str, tuple[float, float]]:
        """Requests per second and the share of bad ones, by variant."""
        return {"old": (20_000, 0.02), "new": (10_000, self.bad)}

    def _grow(self) -> None:
        now = time.monotonic()
        passed, self._at = now - self._at, now
        for variant, (rate, bad) in self.rates().items():
            self._totals[variant] += passed * rate
            self._bads[variant] += passed * rate * bad


@contextmanager
def metrics_server() -> Iterator[Metrics]:
    """The metrics page on a free port of loopback."""
    metrics = Metrics()
    with page_served(metrics):
        yield metrics


@contextmanager
def page_served(metrics: Metrics) -> Iterator[None]:
    """These metrics on a free port of loopback; they learn their address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = metrics.page().encode()
            self.send_response(503 if metrics.is_down else 200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    metrics.url = f"http://127.0.0.1:{server.server_address[1]}/metrics"
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def a_release(metrics_url: str, **more: str) -> Release:
    """The release of `release_facts`, read."""
    return Release.model_validate(release_facts(metrics_url, **more))


def release_facts(
    metrics_url: str, *, name: str = "reporting", bake: str = "1s", check_every: str = "0.3s"
) -> dict[str, Any]:
    """A canary on a flag of its own with one gate, prepared by ana, approved by bo, run by ops."""
    return {
        "release": {"name": name, "version": "2.4.0", "title": "Reports", "prepared_by": "ana"},
        "architecture": {
            "feature_flags": True,
            "traffic_split": True,
            "per_version_telemetry": True,
            "telemetry": "high",
            "automation": "high",
            "requests_per_second": 30_000,
        },
        "done": {"tests": {"rollback_tested": True}},
        "migration": {"needed": False, "backward_compatible": True},
        "agreements": {"approvers": ["bo"], "operators": ["ops"]},
        "kpis": [
            {
                "name": "errors",
                "kind": "rate",
                "tolerance": 1.25,
                "expected": 0.02,
                "signal": {
                    "type": "scrape",
                    "url": metrics_url,
                    "arm_label": "variant",
                    "candidate": "new",
                    "baseline": "old",
                    "total": "requests_total",
                    "bad": 'requests_total{outcome="error"}',
                },
            }
        ],
        "target": {"type": "flag", "flag": f"{name}-flag", "candidate": "new", "baseline": "old"},
        "rollout": {
            "method": "canary",
            "because": "this is what is tested",
            "shares": [0.1, 0.5, 1.0],
            "hold_back": 0.05,
            "bake": bake,
            "check_every": check_every,
        },
    }
