"""Users of the shop: they come at random over loopback, whether the shop answers or not.

    python -m examples.live.traffic --url http://127.0.0.1:8080 --users 5000 --rate 300 --counts counts.json

Each request says who asks (header `user`) and from which shop (header `site`). What they met stands in
`counts.json`, written anew four times a second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from examples.live.builds import price

PATIENCE_SECONDS = 3.0
WRITE_EVERY = 0.25
MOST_AT_ONCE = 400


@dataclass
class Counts:
    """What the users met so far.

    `unserved` requests reached no version; `late` ones were given up before an answer came. Moments are unix
    seconds: `bad_at` is the first bad answer of the new version, or the first request since it served that
    reached nobody; `new_at` the last answer of the new version.
    """

    new: str
    served: Counter[str] = field(default_factory=Counter)
    bad: Counter[str] = field(default_factory=Counter)
    unserved: Counter[str] = field(default_factory=Counter)
    late: int = 0
    not_sent: int = 0
    users: set[str] = field(default_factory=set)
    users_new: set[str] = field(default_factory=set)
    sites_new: set[str] = field(default_factory=set)
    first_new_at: float = 0.0
    bad_at: float = 0.0
    new_at: float = 0.0

    def note(self, user: str, site: str, version: str, status: int, *, is_bad: bool) -> None:
        """An answer came. Without a version it is the balancer's own: nobody was there to serve it."""
        now = time.time()
        self.users.add(user)
        if not version:
            self.lost(str(status))
            return
        self.served[version] += 1
        self.bad[version] += is_bad
        if version == self.new:
            self.users_new.add(user)
            self.sites_new.add(site)
            self.first_new_at = self.first_new_at or now
            self.new_at = now
            self.bad_at = self.bad_at or (now if is_bad else 0.0)

    def lost(self, why: str) -> None:
        """A request that no version answered; `why` is the balancer's status, or what went wrong."""
        self.unserved[why] += 1
        if self.first_new_at:
            self.bad_at = self.bad_at or time.time()

    def write(self, path: Path) -> None:
        told = {
            "served": dict(self.served),
            "bad": dict(self.bad),
            "unserved": self.unserved.total(),
            "unserved_as": dict(self.unserved),
            "late": self.late,
            "not_sent": self.not_sent,
            "users": len(self.users),
            "users_exposed": len(self.users_new),
            "sites_exposed": sorted(self.sites_new),
            "first_new_at": self.first_new_at,
            "bad_at": self.bad_at,
            "new_at": self.new_at,
            "at": time.time(),
        }
        beside = path.with_suffix(".part")
        beside.write_text(json.dumps(told))
        os.replace(beside, path)


class Shop:
    """Just enough HTTP/1.1 over kept connections to be cheaper than what it measures."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def get(self, path: str, headers: str) -> tuple[int, str, bytes]:
        """Status, version and body. Raises OSError, EOFError or ValueError where none can be used."""
        request = f"GET {path} HTTP/1.1\r\nHost: shop\r\n{headers}\r\n".encode()
        while self._idle:
            with suppress(OSError, EOFError):  # the other side had closed it; says nothing about the next
                return await self._exchange(self._idle.pop(), request)
        return await self._exchange(await asyncio.open_connection(self._host, self._port), request)

    async def _exchange(
        self, link: tuple[asyncio.StreamReader, asyncio.StreamWriter], request: bytes
    ) -> tuple[int, str, bytes]:
        reader, writer = link
        try:
            writer.write(request)
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
            body = await reader.readexactly(int(headers["content-length"]))
        except BaseException:
            writer.close()
            raise
        if headers.get("connection") == "close":
            writer.close()
        else:
            self._idle.append(link)
        return int(first.split()[1]), headers.get("x-version", ""), body


async def ask(shop: Shop, counts: Counts, users: int, sites: int) -> None:
    """One user asks for one quote."""
    number = random.randrange(users)
    user, site = f"user-{number}", f"shop-{number % sites + 1}"
    item, count = random.randrange(100), random.randrange(1, 20)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            status, version, body = await shop.get(
                f"/quote?item={item}&count={count}", f"user: {user}\r\nsite: {site}\r\n"
            )
    except TimeoutError:
        counts.late += 1
        return
    except (OSError, EOFError, ValueError, KeyError) as error:
        counts.lost(type(error).__name__)
        return
    counts.note(user, site, version, status, is_bad=status != 200 or int(body) != price(item, count))


async def run(arguments: argparse.Namespace) -> None:
    """Send at the rate that was asked for, until SIGTERM."""
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    shop, counts, busy = Shop(arguments.url), Counts(arguments.new), set[asyncio.Task[None]]()
    due = written = time.monotonic()
    while not ending.is_set():
        due += random.expovariate(arguments.rate)
        if (pause := due - time.monotonic()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), pause)
        if len(busy) >= MOST_AT_ONCE:
            counts.not_sent += 1
            await asyncio.sleep(0)
        else:
            task = asyncio.create_task(ask(shop, counts, arguments.users, arguments.sites))
            busy.add(task)
            task.add_done_callback(busy.discard)
        if time.monotonic() - written > WRITE_EVERY:
            counts.write(arguments.counts)
            written = time.monotonic()
    await asyncio.gather(*busy)
    counts.write(arguments.counts)


def main() -> None:
    parser = argparse.ArgumentParser(description="Simulated users of the shop.")
    parser.add_argument("--url", required=True, help="where the shop is")
    parser.add_argument("--users", type=int, default=5000, help="how many different users there are")
    parser.add_argument("--sites", type=int, default=12, help="how many shops they are in")
    parser.add_argument("--rate", type=float, default=300.0, help="requests per second, on average")
    parser.add_argument("--new", default="2.0", help="what the new version calls itself")
    parser.add_argument("--counts", type=Path, required=True, help="what they met is written here")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
