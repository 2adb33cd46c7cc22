"""Whether somebody answers at a port of loopback."""

from __future__ import annotations

import http.client


def status_at(port: int, path: str = "/health") -> int:
    """The status of an answer; 0 where nobody answers."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        link.request("GET", path)
        return link.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        link.close()


def answers_at(port: int, path: str = "/health") -> bool:
    """Whether an answer comes, and it is no complaint of a proxy that reaches nobody."""
    return 0 < status_at(port, path) < 500
