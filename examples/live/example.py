"""What an example is: a folder with a release file, the servers it needs, and how its bad build is bad."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from examples.live.servers import Places

HERE = Path(__file__).parent


class Server(Protocol):
    """What is started for an example, and stopped in the end."""

    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How time is compressed: `bake` and `check_every` are seconds; a quicker pace rules out coarser faults
    before going on (`margin`), and takes a release back on the same evidence as ever."""

    bake: float
    margin: float
    check_every: float


NORMAL = Pace(bake=6, margin=2.5, check_every=1.0)
FAST = Pace(bake=1.5, margin=4, check_every=0.4)


@dataclass(frozen=True, slots=True)
class Example:
    """One release on real servers.

    `name` is its folder too; `sequence` what `rollway choose` must choose by itself. `servers` are started in
    this order, after the service. `bad` is the build that must come back, `breaks` says what is wrong with
    it. `baked` are stages whose time no fact shortens: `plan edit` does, with a reason. `edits` are other
    values of the plan that people overrule, and `edited_because` is why. `files` are copied beside the
    release, with the run's addresses in them.
    """

    name: str
    title: str
    sequence: tuple[str, ...]
    servers: tuple[Callable[[Places], Server], ...]
    bad: str
    breaks: str
    signal: str
    target: str
    baked: tuple[str, ...] = ()
    edits: Mapping[str, str] = field(default_factory=dict)
    edited_because: str = "an example has seconds where a release has days"
    files: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    has_ledger: bool = False
    users: int = 5000
    sites: int = 12
    rate: float = 300.0
    give_up_after: float = 180.0

    @property
    def folder(self) -> Path:
        return HERE / self.name
