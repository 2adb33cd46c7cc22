"""What targets say of themselves: what they serve, which versions are ready, and whether the way there and
back is clear."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

CheckState = Literal["ok", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Served:
    """What a target serves at this moment, read back from the world.

    `share` of all live users is served by the new version (0..1); copies of `mirrored` of the requests go
    to it besides; `control` of the users are its control group. A version is ready when it could take the
    traffic that it may be given; None where the target cannot know. `note` is one sentence for people: what
    is odd, or what is still going on. `groups` are those that are served by the new version as a whole; None
    where the target knows no groups. `refusal` says why the target will not go further by itself, so that the
    rollout is held; empty where nothing is wrong.
    """

    share: float
    mirrored: float = 0.0
    candidate_ready: bool | None = None
    baseline_ready: bool | None = None
    note: str = ""
    groups: tuple[str, ...] | None = None
    refusal: str = ""
    control: float = 0.0


@dataclass(frozen=True, slots=True)
class Check:
    """One finding before anything moves: `told` is the evidence in one sentence, `hint` what to do about it.

    `seconds` is how long it took, where that matters (the way back is timed).
    """

    name: str
    state: CheckState
    told: str
    hint: str = ""
    seconds: float | None = None


def is_clear(checks: Iterable[Check]) -> bool:
    """Whether nothing failed. What is unknown does not stop a rollout; it is shown."""
    return all(check.state != "failed" for check in checks)
