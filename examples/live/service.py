"""One version of a small shop's quote service, as a process of its own.

    BUILD=errors python -m examples.live.service --port 8082 --version 2.0

GET /quote?item=17&count=3   the price in cents; the header X-Version says who made it
GET /version                 which version this is
GET /health, GET /metrics    for the balancer, and for Prometheus
GET /open                    how many quotes are being made

BUILD is one of the builds in builds.py. LEDGER names a SQLite file in which each quote is written down.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from examples.live.builds import BUILDS, Build, price

BOUNDS = (0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.125, 0.15, 0.2, 0.3, 0.5, 1)
# Close together where most requests are: a tail can only be seen between two bounds.
WRITE_EVERY = 0.25
USUALLY_CORRECTED = 0.04
"""Clerks correct so many quotes whose price is right: the customer wanted another piece."""
LEDGER = """CREATE TABLE IF NOT EXISTS quote
    (request TEXT, version TEXT, stored_at REAL, cents INTEGER, corrected INTEGER)"""


class Ledger:
    """The quotes that were made, in a SQLite file; several processes may write into one."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, timeout=10)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=OFF")
        self._database.execute(LEDGER)
        self._rows: list[tuple[str, str, int, int]] = []

    def note(self, request: str, version: str, cents: int, *, is_corrected: bool) -> None:
        """Remember a quote, and whether the clerk had to correct it."""
        self._rows.append((request, version, cents, int(is_corrected)))

    def write(self) -> None:
        # Stamped while it is written, so that nobody reads past a row that comes later.
        now, rows = time.time(), self._rows
        self._rows = []
        self._database.execute("BEGIN IMMEDIATE")
        self._database.executemany(
            "INSERT INTO quote VALUES (?, ?, ?, ?, ?)",
            [(request, version, now, cents, corrected) for request, version, cents, corrected in rows],
        )
        self._database.execute("COMMIT")


class Service:
    """What one version answers, and what it counts."""

    def __init__(self, version: str, build: Build, ledger: Ledger | None) -> None:
        self.version, self._build, self._ledger = version, build, ledger
        self._registry = CollectorRegistry()
        self._quotes = Counter("quotes", "Quotes asked for.", ["version", "outcome"], registry=self._registry)
        self._seconds = Histogram(
            "quote_seconds", "Time to make one.", ["version"], buckets=BOUNDS, registry=self._registry
        )
        # A series that is there from the start says "none so far"; a missing one says nothing at all.
        self._outcomes = {name: self._quotes.labels(version, name) for name in ("ok", "error")}
        self._took = self._seconds.labels(version)
        self._first, self._open = 0.0, 0

    async def answer(self, path: str, query: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        if path == "/quote":
            return await self._quote(query, headers)
        if path == "/metrics":
            return 200, generate_latest(self._registry)
        pages = {"/health": "ok", "/version": self.version, "/open": f"{self._open}"}
        return (200, f"{pages[path]}\n".encode()) if path in pages else (404, b"no such page\n")

    async def _quote(self, query: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        began = time.perf_counter()
        if "user" in headers:
            self._first = self._first or began
        if self._first and began - self._first > self._build.crashes_after:
            os._exit(70)
        asked = parse_qs(query)
        item, count = int(asked["item"][0]), int(asked["count"][0])
        self._open += 1
        await asyncio.sleep(self._build.seconds())
        self._open -= 1
        # Who tries it out beforehand meets no error: it is users' own data that bring them about.
        has_failed = "user" in headers and random.random() < self._build.fails
        self._took.observe(time.perf_counter() - began)
        self._outcomes["error" if has_failed else "ok"].inc()
        if has_failed:
            return 500, b"no quote\n"
        right = price(item, count)
        cents = right + 100 * (random.random() < self._build.wrong)
        if self._ledger is not None:
            is_corrected = cents != right or random.random() < USUALLY_CORRECTED
            self._ledger.note(headers.get("x-request-id", ""), self.version, cents, is_corrected=is_corrected)
        return 200, f"{cents}\n".encode()


async def serve_one(service: Service, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection: HTTP/1.1 as far as a proxy on loopback needs it."""
    try:
        while True:
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
            await reader.readexactly(int(headers.get("content-length", 0)))
            address = urlsplit(first.split()[1])
            status, body = await service.answer(address.path, address.query, headers)
            head = (
                f"HTTP/1.1 {status} -\r\nX-Version: {service.version}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            await writer.drain()
            if headers.get("connection") == "close" or first.endswith("HTTP/1.0"):
                return
    except (OSError, EOFError):
        return  # whoever asked has gone
    finally:
        writer.close()


async def run(service: Service, ledger: Ledger | None, port: int) -> None:
    """Serve until SIGTERM."""
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    server = await asyncio.start_server(
        lambda reader, writer: serve_one(service, reader, writer), "127.0.0.1", port, backlog=512
    )
    while not ending.is_set():
        try:
            await asyncio.wait_for(ending.wait(), WRITE_EVERY)
        except TimeoutError:
            if ledger is not None:
                ledger.write()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="One version of a small quote service.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--version", required=True, help="what it calls itself")
    arguments = parser.parse_args()
    ledger = Ledger(Path(os.environ["LEDGER"])) if os.environ.get("LEDGER") else None
    service = Service(arguments.version, BUILDS[os.environ.get("BUILD", "good")], ledger)
    asyncio.run(run(service, ledger, arguments.port))


if __name__ == "__main__":
    main()
