"""The network of tasks: an order to go through it, and the rings that keep it from having one."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

Links = Mapping[str, Sequence[str]]
"""Each id with the ids it comes after; ids that are no key are left out."""


def ordered(links: Links) -> list[str]:
    """The ids such that each comes after its predecessors; those on or behind a ring are missing.

    Kahn's algorithm (A. B. Kahn 1962, Topological sorting of large networks), first come first served.
    """
    followers: dict[str, list[str]] = {name: [] for name in links}
    waiting = dict.fromkeys(links, 0)
    for name, before in links.items():
        for one in before:
            if one in links:
                followers[one].append(name)
                waiting[name] += 1
    free = deque(name for name, count in waiting.items() if not count)
    order: list[str] = []
    while free:
        name = free.popleft()
        order.append(name)
        for follower in followers[name]:
            waiting[follower] -= 1
            if not waiting[follower]:
                free.append(follower)
    return order


def rings(links: Links) -> list[tuple[str, ...]]:
    """Rings in full, in the order of work, each beginning and ending with the same id; disjoint.

    Every part of the network that cannot be ordered because of a ring of its own gets one.
    """
    sound = set(ordered(links))
    rest = {
        name: [one for one in before if one in links and one not in sound]
        for name, before in links.items()
        if name not in sound
    }
    found: list[tuple[str, ...]] = []
    visited: set[str] = set()
    for start in rest:
        path: list[str] = []
        name = start
        while name not in visited:
            visited.add(name)
            path.append(name)
            name = rest[name][0]  # whatever is left has a predecessor that is left
        if name in path:
            ring = path[path.index(name) :]
            found.append((ring[0], *reversed(ring)))
    return found


def ancestors(links: Links, name: str) -> set[str]:
    """All that must have ended before the one named."""
    found: set[str] = set()
    left = list(links.get(name, ()))
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += links.get(one, ())
    return found
