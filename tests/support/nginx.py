"""A real nginx in front of an old and a new instance: the one of the examples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from examples.live.servers import Nginx, Places
from support.servers import or_skipped
from support.versions import Version


@contextmanager
def nginx(folder: Path, old: Version, new: Version) -> Iterator[Nginx]:
    """nginx in front of both versions; nobody is served by the new one."""
    with or_skipped():
        running = Nginx(Places(folder, old=old.port, new=new.port))
    try:
        yield running
    finally:
        running.stop()


__all__ = ["Nginx", "nginx"]
