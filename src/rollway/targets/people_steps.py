"""Reading from errands alone how far people have come: the keys are the memory. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from rollway.rollout.ports import Errand

SAME = 1e-9
LONGEST_GROUP = 150
_KEY = re.compile(r"(\d+)-(?:up-([\d.e-]+)|back-([\d.e-]+)-to-([\d.e-]+))(?::(.+))?", re.DOTALL)
_UP = "{number}-up-{to}"
_BACK = "{number}-back-{most}-to-{to}"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the course: the errands of one number, which is the fence of the call that asked.

    `to` is the share (0..1) that is reached with it, `groups` those that it is about (none: all users).
    `most` is, for a step back, what anybody may have had when it was asked for.
    """

    number: int
    direction: str
    to: float
    most: float
    groups: tuple[str, ...]
    errands: tuple[Errand, ...]

    @property
    def is_done(self) -> bool:
        return all(errand.state == "done" for errand in self.errands)


@dataclass(frozen=True, slots=True)
class Course:
    """All steps in their order, and what they come to.

    `share` and `groups` are served by the new version as far as people confirmed it; `most` is what may be
    served besides, because it was asked for. `superseded` are the keys of open errands that a later step has
    made pointless.
    """

    steps: tuple[Step, ...]
    share: float
    groups: tuple[str, ...]
    most: float
    superseded: tuple[str, ...]


def keys_of(
    number: int, direction: str, share: float, groups: tuple[str, ...], most: float
) -> Iterator[tuple[str, str]]:
    """The keys of a step with the group of each ("" where it is about all users)."""
    to, highest = (f"{one * 100:.10g}" for one in (share, most))
    stem = (_UP if direction == "up" else _BACK).format(number=number, to=to, most=highest)
    if not groups:
        yield stem, ""
    for group in groups:
        yield f"{stem}:{group}", group


def course_of(errands: Mapping[str, Errand]) -> Course:
    """The course that these errands tell of; keys that are none of ours are left alone."""
    steps = tuple(_steps(errands))
    share, most = 0.0, 0.0
    groups: dict[str, None] = {}
    for step in steps:
        done = [errand.state == "done" for errand in step.errands]
        if step.direction == "up":
            groups |= {group: None for group, is_done in zip(step.groups, done, strict=False) if is_done}
            share = step.to if step.is_done else share
            most = max(most, step.to)
        elif step.is_done:
            share = most = step.to
            groups = groups if step.to > SAME else {}
        elif step is steps[-1]:
            share = max(share, step.most)
    superseded = tuple(
        errand.key for step in steps[:-1] for errand in step.errands if errand.state == "asked"
    )
    return Course(steps, share, tuple(groups), max(share, most), superseded)


def _steps(errands: Mapping[str, Errand]) -> Iterator[Step]:
    parsed = [(found, errand) for errand in errands.values() if (found := _KEY.fullmatch(errand.key))]
    parsed.sort(key=lambda pair: int(pair[0][1]))
    for number, some in groupby(parsed, key=lambda pair: int(pair[0][1])):
        members = list(some)
        found = members[0][0]
        yield Step(
            number,
            "back" if found[4] else "up",
            float(found[4] or found[2]) / 100,
            float(found[3] or found[2]) / 100,
            tuple(one[5] for one, _ in members if one[5]),
            tuple(errand for _, errand in members),
        )
