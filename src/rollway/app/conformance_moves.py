"""What the promises of a target are tried with: it is told as by a rollout, looked at, and waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from rollway.errors import RollwayError, TemporaryError
from rollway.rollout import SetShare, Target
from rollway.rollout.ports import samples_control
from rollway.rollout.serving import Served
from rollway.rollout.tick import tell_target

SAME_SHARE = 1e-5
SAME_COPIES = 1e-3


class BrokenError(Exception):
    """A promise was broken; the text says how."""


class UntriedError(Exception):
    """A promise could not be tried here; the text says why."""


@dataclass
class Moves:
    """A target's moves. `within` seconds each may take to be read back; `fence` is that of the last one.

    `most_control` is the largest control group that was told while it was looked at, asked for or not.
    """

    within: float
    fence: int = field(default=1000, init=False)
    most_control: float = field(default=0.0, init=False)

    def reach(
        self,
        target: Target,
        share: float,
        mirrored: float = 0.0,
        control: float = 0.0,
        *,
        seen: Callable[[Served], None] = lambda served: None,
    ) -> Served:
        """Told the share, again and again as a rollout does, until it is read back. `seen` hears of every
        look. Raises BrokenError where that takes too long."""
        self.fence += 10
        end, problem, served = time.monotonic() + self.within, "", None
        while served is None or _is_other(target, served, share, control):
            if time.monotonic() > end:
                other = _other_words(target, served, share, control, self.within)
                raise BrokenError(f"{other}{'; ' + problem if problem else ''}")
            try:
                self.tell(target, share, mirrored, control)
                served = looked(target)
                self.most_control = max(self.most_control, served.control)
                seen(served)
            except TemporaryError as error:
                problem, served = error.message, None
            time.sleep(0.0 if served is not None else 0.1)
        return served

    def tell(
        self, target: Target, share: float, mirrored: float = 0.0, control: float = 0.0, *, late: int = 0
    ) -> None:
        """Told once, as a rollout tells it; with a fence `late` below the last one. Raises what it raises."""
        wanted = SetShare(share=share, mirrored=mirrored, control=control)
        tell_target(target, wanted, self.fence - late)


def _is_other(target: Target, served: Served, share: float, control: float) -> bool:
    if abs(served.share - target.nearest(share)) >= SAME_SHARE:
        return True
    return samples_control(target) and abs(served.control - control) >= SAME_SHARE


def _other_words(target: Target, served: Served | None, share: float, control: float, within: float) -> str:
    near = target.nearest(share)
    if served is not None and abs(served.share - near) < SAME_SHARE:
        return (
            f"told a control group of {percent(control)}, it tells {percent(served.control)} after "
            f"{within:g} s; it is compared with what was asked, to 0.001%"
        )
    has = "nothing" if served is None else percent(served.share)
    return f"told {share:.4g}, it tells {has} after {within:g} s, not {percent(near)}"


def looked(target: Target) -> Served:
    """What it serves, of the right kinds and within bounds."""
    served: object = target.observe()
    if not isinstance(served, Served):
        raise BrokenError(f"observe gives {served!r:.80}, not a Served")
    for name in ("share", "mirrored", "control"):
        value = getattr(served, name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        require(is_number and 0 <= value <= 1, f"observe tells {value!r} as {name}")
    for name in ("candidate_ready", "baseline_ready"):
        value = getattr(served, name)
        require(value is None or isinstance(value, bool), f"observe tells {value!r} as {name}")
    require(isinstance(served.note, str), f"observe tells {served.note!r} as note")
    return replace(served)


def is_same(one: Served, other: Served) -> bool:
    """Whether users are served alike, and as many copies are sent."""
    copies = abs(one.mirrored - other.mirrored) < SAME_COPIES
    control = abs(one.control - other.control) < SAME_SHARE
    return copies and control and abs(one.share - other.share) < SAME_SHARE


def require(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise BrokenError(otherwise)


def percent(share: float) -> str:
    return f"{share * 100:.6g}%"


def served_words(served: Served) -> str:
    """`50%`, or `10% beside a control group of 10%`."""
    beside = f" beside a control group of {percent(served.control)}" if served.control else ""
    return f"{percent(served.share)}{beside}"


def words(error: Exception) -> str:
    """An exception in one sentence; one of Rollway's own by its message."""
    return error.message if isinstance(error, RollwayError) else f"{type(error).__name__}: {error}"
