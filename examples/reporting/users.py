"""Simulated users of the reporting service: they come at random, read reports, and some say what they think.

    python examples/reporting/users.py --url http://127.0.0.1:8101 --users 3000 --rate 200 --seconds 60

Ends after --seconds or on SIGTERM, and prints what the users met as one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

MOST_AT_ONCE = 256
PATIENCE_SECONDS = 5.0
FEEDBACK_SHARE = 0.1
UNHAPPY_AS_EVER = 0.08
UNHAPPY_WHEN_SLOW = 0.25
UNHAPPY_AFTER_ERROR = 0.85
SLOW_SECONDS = 0.06


class Answer(NamedTuple):
    """What came back: the status, and the version that the service says it was."""

    status: int
    variant: str


class HttpClient:
    """Just enough HTTP/1.1 over kept connections to be cheaper than what it measures."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def send(self, method: str, path: str) -> Answer:
        """Raises OSError, EOFError, TimeoutError or ValueError where there is no usable answer."""
        text = f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nContent-Length: 0\r\n\r\n"
        while self._idle:
            try:
                return await self._exchange(self._idle.pop(), text.encode())
            except (OSError, EOFError):
                continue  # the service had closed this connection, which says nothing about the next one
        fresh = await asyncio.open_connection(self._host, self._port)
        return await self._exchange(fresh, text.encode())

    async def _exchange(
        self, connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], request: bytes
    ) -> Answer:
        reader, writer = connection
        try:
            writer.write(request)
            status_line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
            await reader.readexactly(int(headers.get("content-length", 0)))
        except BaseException:
            writer.close()
            raise
        self._idle.append(connection)
        return Answer(int(status_line.split()[1]), headers.get("x-variant", ""))

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()


@dataclass
class Met:
    """What the users met so far."""

    requests: int = 0
    unanswered: int = 0
    not_sent: int = 0
    users: set[str] = field(default_factory=set)
    users_new: set[str] = field(default_factory=set)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=20_000))
    began: float = field(default_factory=time.monotonic)

    def note(self, user: str, answer: Answer, seconds: float) -> None:
        self.users.add(user)
        if answer.variant == "new":
            self.users_new.add(user)
        self.counts[answer.variant, "requests"] += 1
        self.counts[answer.variant, "errors"] += answer.status >= 500
        self.seconds.append(seconds)

    def summary(self) -> dict[str, Any]:
        elapsed = max(time.monotonic() - self.began, 1e-9)
        kinds = ("requests", "errors", "happy", "unhappy")
        return {
            "requests": self.requests,
            "unanswered": self.unanswered,
            "not_sent": self.not_sent,
            "users_seen": len(self.users),
            "users_who_met_new": len(self.users_new),
            "share_of_users_who_met_new": round(len(self.users_new) / max(len(self.users), 1), 4),
            "per_variant": {
                variant: {kind: self.counts[variant, kind] for kind in kinds} for variant in ("new", "old")
            },
            "requests_per_second": round(self.requests / elapsed, 1),
            "latency_ms": {"p50": self._percentile(0.5), "p99": self._percentile(0.99)},
            "seconds": round(elapsed, 1),
        }

    def _percentile(self, share: float) -> float | None:
        ordered = sorted(self.seconds)
        return round(ordered[int(share * (len(ordered) - 1))] * 1000, 1) if ordered else None


class Crowd:
    """A number of users with lasting names, who come independently of each other (a Poisson stream)."""

    def __init__(self, client: HttpClient, users: int, rate: float, dice: random.Random) -> None:
        self._client = client
        self._users = users
        self._rate = rate
        self._dice = dice
        self._visits: set[asyncio.Task[None]] = set()
        self.met = Met()

    async def keep_coming(self) -> None:
        """Start visits until cancelled. They do not wait for each other, as real users would not."""
        due = time.monotonic()
        while True:
            # After a stall the arrivals that were missed are not made up for beyond a second.
            due = max(due + self._dice.expovariate(self._rate), time.monotonic() - 1)
            await asyncio.sleep(max(due - time.monotonic(), 0))
            if len(self._visits) >= MOST_AT_ONCE:
                self.met.not_sent += 1
                continue
            visit = asyncio.create_task(self._visit(f"user-{self._dice.randint(1, self._users):04d}"))
            self._visits.add(visit)
            visit.add_done_callback(self._visits.discard)

    async def finish(self) -> None:
        """Let those who are here have their answer, for two seconds at most."""
        if self._visits:
            _, pending = await asyncio.wait(self._visits, timeout=2)
            for visit in pending:
                visit.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    async def _visit(self, user: str) -> None:
        self.met.requests += 1
        began = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer = await self._client.send("GET", f"/report?user={user}")
                seconds = time.monotonic() - began
                self.met.note(user, answer, seconds)
                if self._dice.random() < FEEDBACK_SHARE:
                    await self._say(user, answer, seconds)
        except (OSError, EOFError, TimeoutError, ValueError):
            self.met.unanswered += 1

    async def _say(self, user: str, answer: Answer, seconds: float) -> None:
        chance = UNHAPPY_WHEN_SLOW if seconds > SLOW_SECONDS else UNHAPPY_AS_EVER
        is_unhappy = self._dice.random() < (UNHAPPY_AFTER_ERROR if answer.status >= 500 else chance)
        said = await self._client.send("POST", f"/feedback?user={user}&happy={int(not is_unhappy)}")
        self.met.counts[said.variant, "unhappy" if is_unhappy else "happy"] += 1


async def keep_writing(met: Met, path: Path) -> None:
    """The summary as it stands, each second."""
    while True:
        write_summary(met, path)
        await asyncio.sleep(1)


def write_summary(met: Met, path: Path) -> None:
    """Whoever reads the file sees one whole summary, never half of one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(met.summary()) + "\n")
    draft.replace(path)


async def run(arguments: argparse.Namespace) -> Met:
    client = HttpClient(arguments.url)
    crowd = Crowd(client, arguments.users, arguments.rate, random.Random(arguments.seed))
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    tasks = [asyncio.create_task(crowd.keep_coming())]
    if arguments.summary:
        tasks.append(asyncio.create_task(keep_writing(crowd.met, arguments.summary)))
    ended = asyncio.create_task(stopped.wait())
    await asyncio.wait([ended, *tasks], timeout=arguments.seconds, return_when=asyncio.FIRST_COMPLETED)
    failed = [task.exception() for task in tasks if task.done()]
    for task in (ended, *tasks):
        task.cancel()
    await asyncio.gather(ended, *tasks, return_exceptions=True)
    await crowd.finish()
    client.close()
    for error in filter(None, failed):
        raise error
    return crowd.met


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Simulated users of the reporting service.")
    parser.add_argument("--url", default="http://127.0.0.1:8101", help="where the service is")
    parser.add_argument("--users", type=int, default=3000, help="how many different users there are")
    parser.add_argument("--rate", type=float, default=200.0, help="reports per second, on average")
    parser.add_argument("--seconds", type=float, default=None, help="end after this time")
    parser.add_argument("--summary", type=Path, default=None, help="keep the summary in this file as well")
    parser.add_argument("--seed", type=int, default=None, help="the same seed sends the same users")
    arguments = parser.parse_args()
    if arguments.users < 1 or arguments.rate <= 0:
        parser.error("--users and --rate must be more than zero")
    return arguments


def main() -> int:
    arguments = parse_arguments()
    met = asyncio.run(run(arguments))
    if arguments.summary:
        write_summary(met, arguments.summary)
    print(json.dumps(met.summary()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
