"""Scrape signals as tests ask for them, and the pages that they read."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from rollway.rollout.ports import Collected, Interval
from rollway.signals.scrape import ScrapeSignal

At = Callable[..., Interval]
Scripted = Any  # a web server that answers what it is told; see conftest.py


def rate(url: str, /, **more: str) -> ScrapeSignal:
    options = {
        "url": url,
        "arm_label": "variant",
        "candidate": "new",
        "baseline": "old",
        "total": "requests_total",
        "bad": 'requests_total{outcome="error"}',
    }
    return ScrapeSignal("errors", "rate", {**options, **more})


def latency(url: str, histogram: str = "seconds", **more: str) -> ScrapeSignal:
    options = {"url": url, "arm_label": "variant", "candidate": "new", "baseline": "old"}
    return ScrapeSignal("latency", "latency", {**options, "histogram": histogram, **more})


def page(
    *, new: tuple[int, int] | None = None, old: tuple[int, int] | None = None, started: float = 0
) -> str:
    """A metrics page with (ok, error) counts per version."""
    lines = ["# TYPE requests_total counter"]
    for variant, counts in (("new", new), ("old", old)):
        for outcome, value in zip(("ok", "error"), counts or (), strict=False):
            lines.append(f'requests_total{{variant="{variant}",outcome="{outcome}"}} {value}')
    if started:
        lines.append(f"process_start_time_seconds {started}")
    return "\n".join(lines) + "\n"


def arms(collected: Collected) -> tuple[Any, Any]:
    assert collected.reading is not None
    assert collected.reading.problem is None, collected.note
    return collected.reading.candidate, collected.reading.baseline


def hang(handler: BaseHTTPRequestHandler) -> None:
    handler.rfile.read1(1)
