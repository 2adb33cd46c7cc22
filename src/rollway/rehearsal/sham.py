"""The sham target of a rehearsal: it serves a share at once, or fails as the scenario has it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from rollway.rehearsal.scenario import Trouble

REFUSAL = "the target refuses what it is told (rehearsed)"


class Split(NamedTuple):
    """The share of users who have the new version, and of those who are its control group."""

    share: float = 0.0
    control: float = 0.0


NOBODY = Split()


@dataclass(frozen=True, slots=True)
class Sham:
    """serving: what users really get; said: what is read back; due: what comes later, and when (unix
    seconds)."""

    serving: Split = NOBODY
    said: Split = NOBODY
    due: tuple[Split, float] | None = None
    problem: str = ""


def at_moment(sham: Sham, now: float) -> Sham:
    """The target at a moment: what was due by then is served."""
    if sham.due is None or now < sham.due[1]:
        return sham
    return replace(sham, serving=sham.due[0], said=sham.due[0], due=None)


def told(sham: Sham, split: Split, now: float, troubles: tuple[Trouble, ...]) -> Sham:
    """The target after it was told what to serve, under the troubles that act at this moment."""
    sham = at_moment(sham, now)
    kinds = {trouble.kind: trouble for trouble in troubles}
    if "target_refuses" in kinds:
        return replace(sham, problem=REFUSAL)
    if "target_lies" in kinds:
        return replace(sham, said=split, due=None, problem="")
    if "target_slow" in kinds and split != sham.serving:
        if sham.due is not None and sham.due[0] == split:
            return sham
        return replace(sham, due=(split, now + kinds["target_slow"].seconds), problem="")
    return Sham(serving=split, said=split)
