"""A real HAProxy in front of instances: the one of the examples, with the servers that a test wants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from examples.live.servers import Haproxy, Places
from examples.live.servers.haproxy import CONFIGURATION
from support.servers import or_skipped
from support.versions import Version


@contextmanager
def haproxy(
    folder: Path, servers: Sequence[tuple[str, Version, int]], *, level: str = "admin", cookie: bool = False
) -> Iterator[Haproxy]:
    """HAProxy with these servers: name, instance, weight in its configuration."""
    text = CONFIGURATION.read_text().replace("level admin", f"level {level}")
    given = "".join(
        f"    server {name} 127.0.0.1:{one.port} check weight {weight}"
        + (f" cookie {name}\n" if cookie else "\n")
        for name, one, weight in servers
    )
    sticky = "    cookie SERVER insert indirect nocache\n" if cookie else ""
    with or_skipped():
        running = Haproxy(Places(folder), text[: text.index("    server old ")] + sticky + given)
    try:
        yield running
    finally:
        running.stop()


__all__ = ["Haproxy", "haproxy"]
