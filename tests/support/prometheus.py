"""A real Prometheus that scrapes one page five times a second: the one of the examples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from examples.live.servers import Places, Prometheus
from examples.live.servers.prometheus import CONFIGURATION
from support.servers import or_skipped


@contextmanager
def prometheus(folder: Path, page: str, *, features: tuple[str, ...] = ()) -> Iterator[Prometheus]:
    """Prometheus, which scrapes this page."""
    parts = urlsplit(page)
    text = CONFIGURATION.read_text().replace("/metrics", parts.path)
    text = text.replace("'127.0.0.1:8081', '127.0.0.1:8082'", f"'{parts.netloc}'")
    with or_skipped():
        running = Prometheus(Places(folder), text, features=features)
    try:
        yield running
    finally:
        running.stop()


__all__ = ["Prometheus", "prometheus"]
