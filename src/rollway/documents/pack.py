"""What every document is made from."""

from __future__ import annotations

from dataclasses import dataclass

from rollway.choice.model import Choice
from rollway.facts.model import Release
from rollway.planning.model import Plan
from rollway.readiness.model import Readiness


@dataclass(frozen=True, slots=True)
class Pack:
    """A release with all that was derived from it. Documents read it and nothing else."""

    release: Release
    readiness: Readiness
    choice: Choice
    plan: Plan
