"""What every target is asked before a rollout starts, in the same words."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Protocol

from rollway.errors import TemporaryError
from rollway.rollout.ports import samples_control
from rollway.rollout.serving import Check, Served

SAME = 1e-9


class Switch(Protocol):
    """The part of a target that can be tried without anybody noticing."""

    @property
    def apply(self) -> Callable[..., None]: ...

    def observe(self) -> Served: ...


def tried(
    switch: Switch, *, unchecked: str = "it cannot tell", hint: str = "", more: Iterable[Check] = ()
) -> tuple[Check, ...]:
    """Reachable, both versions ready, and the way back: the present share is set once more, and timed.

    `unchecked` and `hint` say why the target cannot tell whether a version is ready, and how it could; `more`
    are the target's own findings. Nothing that users see changes. The target must not be one that a rollout
    uses already: its fence would take the try for a late call.
    """
    began = time.perf_counter()
    try:
        served = switch.observe()
    except TemporaryError as error:
        return (Check("reachable", "failed", error.message, error.hint),)
    reached = Check("reachable", "ok", f"tells that {served.share:.2%} are served", "", _since(began))
    ready = [
        _ready(version, is_ready, served.note, unchecked, hint)
        for version, is_ready in (("candidate", served.candidate_ready), ("baseline", served.baseline_ready))
    ]
    return (reached, *ready, *more, _way_back(switch, served))


def _ready(version: str, is_ready: bool | None, note: str, unchecked: str, hint: str) -> Check:
    name = f"{version} ready"
    if is_ready is None:
        return Check(name, "unknown", unchecked, hint)
    return Check(name, "ok", "alive") if is_ready else Check(name, "failed", note or "it is not alive")


def _way_back(switch: Switch, served: Served) -> Check:
    began = time.perf_counter()
    try:
        sampled = {"control": served.control} if samples_control(switch) else {}
        switch.apply(served.share, mirrored=served.mirrored, fence=0, **sampled)
        after = switch.observe()
    except TemporaryError as error:
        return Check("way back", "failed", error.message, error.hint)
    if abs(after.share - served.share) > SAME:
        told = f"told {served.share:.2%} once more, it serves {after.share:.2%}"
        return Check("way back", "failed", told, "it must set the share that it is told")
    return Check("way back", "ok", "the present share can be set again", "", _since(began))


def _since(began: float) -> float:
    return round(time.perf_counter() - began, 3)
