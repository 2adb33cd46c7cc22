"""What a row of the fault matrix is, and how one is played."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from tests.faults.stand import Engine, Stand, an_engine
from tests.faults.street import USERS, Street

Kind = Literal["signal", "service", "target", "engine", "clock"]
Own = Literal["", "own", "skewed", "small disk", "postgres"]


@dataclass(frozen=True, slots=True)
class Row:
    """`should`: what ought to happen. `word`: what the first entry about the fault matches. `engine`: own,
    where the row harms it; skewed, where its clock is set; small disk; postgres, on a server of its own;
    else rows share one."""

    name: str
    kind: Kind
    fault: str
    should: str
    word: str
    engine: Own
    play: Callable[[Stand], None]


@dataclass(frozen=True, slots=True)
class Found:
    """What happened. Seconds count from the fault; None where there was no such moment. `exposed` users of
    USERS and `requests` met the new version after the fault began, of `all_requests` in `watched` seconds."""

    row: Row
    did: str
    word: float | None
    back: float | None
    held: float | None
    watched: float
    exposed: int
    requests: int
    all_requests: int
    unserved: int
    wrong: tuple[str, ...]

    def to_json(self) -> str:
        """One line, with the row by its name."""
        return json.dumps({**{name: getattr(self, name) for name in self.__slots__}, "row": self.row.name})

    @classmethod
    def from_json(cls, text: str) -> Found:
        told = json.loads(text)
        return cls(**{**told, "row": ROWS[told["row"]], "wrong": tuple(told["wrong"])})


_ROWS: dict[str, Row] = {}
ROWS: Mapping[str, Row] = MappingProxyType(_ROWS)
QUIET = ("verdict: undecided", "verdict: healthy")


def row(
    name: str, kind: Kind, fault: str, should: str, *, word: str = ".", engine: Own = ""
) -> Callable[[Callable[[Stand], None]], Callable[[Stand], None]]:
    """Register a scenario."""

    def registered(play: Callable[[Stand], None]) -> Callable[[Stand], None]:
        _ROWS[name] = Row(name, kind, fault, should, word, engine, play)
        return play

    return registered


def play(one: Row, street: Street, shared: Callable[[], Engine]) -> Found:
    """Carry a row out. `shared` is the engine of all rows that do not harm it."""
    with ExitStack() as stack:
        engine = stack.enter_context(an_engine(one.engine)) if one.engine else shared()
        stand = Stand(one.name, street, engine)
        stack.callback(stand.close)
        try:
            one.play(stand)
        except Exception as error:
            stand.wrong.append(f"the scenario broke: {type(error).__name__}: {error}")
        return _found(one, stand)


def _found(one: Row, stand: Stand) -> Found:
    stand.look()
    stand.verify()
    counts = stand.street.users.counts
    phase = stand.state.phase if stand.rollout else ""
    is_back = phase in ("rolling_back", "rolled_back")
    return Found(
        row=one,
        did=_did(stand, phase),
        word=stand.first(one.word) if _told(stand) else None,
        back=stand.last_of_new() if is_back else None,
        held=stand.first("^(held|drift|paused|mismatch|exposure_kept)") if not is_back else None,
        watched=time.monotonic() - stand.at,
        exposed=len(counts.users_new),
        requests=counts.served["2.0"],
        all_requests=counts.requests,
        unserved=counts.unserved,
        wrong=tuple(stand.wrong),
    )


def _told(stand: Stand) -> list[str]:
    """The entries since the fault, in their order."""
    return [
        f"{seconds:.1f} s {entry.text}"
        for seconds, entry in stand.after
        if not f"{entry.kind}: {entry.text}".startswith(QUIET) and entry.kind != "confirm"
    ]


def _did(stand: Stand, phase: str) -> str:
    """The same and where it stands, in one text."""
    return " / ".join([*_told(stand), phase.replace("_", " ")])


__all__ = ["ROWS", "USERS", "Found", "Row", "play", "row"]
