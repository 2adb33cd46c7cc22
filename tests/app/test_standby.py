"""Nothing can be written down, and the new version is bad: the target is told the way back all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from rollway.canonical import canonical_json
from rollway.cli.main import cli
from rollway.judge.evidence_file import write_evidence
from rollway.planning import Policy
from rollway.rollout import Loaded, Move, tick
from rollway.rollout.standby import Standby
from rollway.store import SqlRollouts
from web.story import Story

BAD = 0.4


@dataclass
class Paper:
    """The database's rollouts: it takes nothing while it is full, and says nothing while it is away."""

    rollouts: SqlRollouts
    is_full: bool = False
    is_away: bool = False

    def load(self, rollout: str) -> Loaded | None:
        if self.is_away:
            raise sa.exc.OperationalError("load", {}, Exception("the server is away"))
        return self.rollouts.load(rollout)

    def commit(self, move: Move) -> bool:
        if self.is_full or self.is_away:
            raise sa.exc.OperationalError("commit", {}, Exception("disk full"))
        return self.rollouts.commit(move)

    def note_target_problem(self, rollout: str, seq: int, problem: str) -> None:
        self.rollouts.note_target_problem(rollout, seq, problem)


@dataclass
class Engine:
    """A process that calls ticks and has a standby; time is the story's."""

    story: Story
    rollout: str
    passed: float = 0.0
    paper: Paper = field(init=False)
    standby: Standby = field(init=False)

    def __post_init__(self) -> None:
        self.paper = Paper(self.story.rollway.rollouts)
        self.start()

    def start(self) -> None:
        """As a new process, which knows nothing yet."""
        self.standby = Standby(self.paper, self.story.world, lambda: self.story.now, lambda: self.passed)  # type: ignore[arg-type]  # only what ticks need

    def wait(self, seconds: float) -> None:
        self.passed += seconds
        self.story.now += timedelta(seconds=seconds)

    def look(self, seconds: float) -> None:
        """As its thread does, once a second."""
        for _ in range(round(seconds)):
            self.wait(1)
            self.standby.look()

    @property
    def policy(self) -> Policy:
        return self.story.rollway.load(self.rollout).plan.policy

    @property
    def waits(self) -> float:
        """Seconds without a written tick after which it looks."""
        return max(10.0, 3 * self.policy.tick_seconds)

    def tick(self, times: int = 1) -> None:
        """What the engine does when a tick is due: what is owed comes first."""
        for _ in range(times):
            self.wait(10)
            seq = self.story.rollway.load(self.rollout).seq
            if not self.standby.settle(self.rollout, seq):
                said = {"connectors": self.story.world, "clock": lambda: self.story.now}
                tick(self.rollout, seq, rollouts=self.paper, **said, keep=self.standby.keep)  # type: ignore[arg-type]  # only what ticks need
            self.standby.look()

    def turns_bad(self) -> None:
        self.story.world.new = {**self.story.world.new, "errors": BAD}

    @property
    def share(self) -> float:
        return self.story.world.share

    @property
    def phase(self) -> str:
        return self.story.rollway.load(self.rollout).state.phase

    @property
    def kinds(self) -> list[str]:
        """The kinds of the entries since the first share."""
        kinds = [entry.kind for entry in self.story.rollway.rollouts.record(self.rollout)]
        return kinds[len(kinds) - kinds[::-1].index("exposure_verified") :]

    def is_whole(self) -> bool:
        return self.story.rollway.verify_record(self.rollout)[1] == ()


@pytest.fixture
def engine(served_story: tuple[Story, str]) -> Engine:
    """A rollout half a minute after its first stage with users was read back."""
    made = Engine(*served_story)
    made.tick(3)
    assert made.share > 0
    return made


def full(engine: Engine) -> None:
    engine.paper.is_full = True


def away(engine: Engine) -> None:
    engine.paper.is_away = True


@pytest.mark.parametrize("fails", [full, away])
def test_a_bad_version_is_taken_back_though_nothing_can_be_written(
    engine: Engine, fails: Callable[[Engine], None]
) -> None:
    """After the time of three ticks the target is told; nothing is written, so the record is as it was."""
    fails(engine)
    engine.turns_bad()
    engine.look(engine.waits - 1)
    assert engine.share > 0
    engine.look(2)
    assert engine.share == 0
    assert engine.phase == "running"


def test_it_is_the_first_thing_that_is_written_afterwards(engine: Engine) -> None:
    """Verdict, way back, and that the target heard it first; then it is read back, and not called drift."""
    full(engine)
    engine.turns_bad()
    engine.look(engine.waits + 5)
    engine.paper.is_full = False
    engine.tick()
    assert engine.phase == "rolling_back"
    engine.tick()
    assert engine.phase == "rolled_back"
    assert engine.kinds[-4:] == ["verdict", "rollback", "told_unwritten", "rolled_back"]
    assert "drift" not in engine.kinds
    assert engine.is_whole()


def test_what_was_decided_unwritten_can_be_judged_again(engine: Engine, tmp_path: Path) -> None:
    """The readings behind it are kept with it: judged again, they say the same byte for byte."""
    full(engine)
    engine.turns_bad()
    engine.look(engine.waits + 5)
    engine.paper.is_full = False
    engine.tick(2)
    rollway, file = engine.story.rollway, tmp_path / "evidence.jsonl"
    said = [row["body"] for row in rollway.rollouts.verdicts(engine.rollout)]
    assert said[-1]["kind"] == "harmful"
    rules, course = rollway.evidence(engine.rollout)
    file.write_text("\n".join(write_evidence(rules, course)), encoding="utf-8")
    replayed = CliRunner().invoke(cli, ["judge", "replay", str(file)])
    assert replayed.stdout == "".join(f"{canonical_json(body)}\n" for body in said)


def test_a_good_version_goes_on_where_it_was(engine: Engine) -> None:
    """Nothing is told, nothing is entered, and afterwards ticks go on."""
    full(engine)
    share, kinds = engine.share, engine.kinds
    engine.look(60)
    assert (engine.share, engine.kinds) == (share, kinds)
    engine.paper.is_full = False
    engine.tick()
    assert engine.phase == "running"
    assert "told_unwritten" not in engine.kinds


def test_a_judge_that_stays_blind_is_answered_by_policy(engine: Engine) -> None:
    """Blindness lasts from look to look, though each look begins where the last tick ended."""
    full(engine)
    engine.story.world.signal = lambda rollout, guard: NoSource()  # type: ignore[assignment, method-assign]
    engine.look(engine.waits + engine.policy.blind_seconds - 5)
    assert engine.share > 0
    engine.look(60)
    assert engine.share == 0


class NoSource:
    def collect(self, cursor: object, interval: object) -> None:
        raise OSError("nobody answers")


def test_where_ticks_are_written_it_does_nothing(engine: Engine) -> None:
    """The ticks take it back themselves, and nobody is before them."""
    engine.turns_bad()
    for _ in range(4):
        engine.tick()
        engine.standby.look()
    assert "told_unwritten" not in engine.kinds
    assert engine.phase == "rolled_back"


def test_a_process_that_was_stopped_lets_its_ticks_look_first(engine: Engine) -> None:
    """Stopped for a minute and woken: nothing was written meanwhile, and that is nobody's fault."""
    engine.look(1)
    engine.turns_bad()
    engine.wait(60)
    engine.standby.look()
    engine.look(2)
    assert engine.share > 0
    engine.tick()
    assert "told_unwritten" not in engine.kinds
    assert engine.share == 0


def test_a_tick_of_another_worker_leaves_it_nothing_to_do(engine: Engine) -> None:
    """Another one wrote meanwhile: what this one knows is old, and it does not act on it."""
    other = Engine(engine.story, engine.rollout)
    other.tick()
    share = engine.share
    engine.turns_bad()
    engine.look(60)
    assert engine.share == share


def test_what_is_owed_is_dropped_where_another_worker_was_first(engine: Engine) -> None:
    """It finds the target at nobody; the record is theirs, and whole."""
    away(engine)
    engine.turns_bad()
    engine.look(engine.waits + 5)
    engine.paper.is_away = False
    seq = engine.story.rollway.load(engine.rollout).seq
    other = Engine(engine.story, engine.rollout)
    other.tick()
    assert not engine.standby.settle(engine.rollout, seq)
    other.tick()
    assert engine.share == 0
    assert engine.phase in ("paused", "rolled_back")
    assert engine.is_whole()


def test_a_target_that_does_not_hear_it_is_told_again(engine: Engine) -> None:
    """At each look, until it does."""
    full(engine)
    engine.turns_bad()
    apply = engine.story.world.apply
    refused = [0.0, 0.0]

    def refuses(share: float, **more: Any) -> None:
        if refused:
            refused.pop()
            raise OSError("not now")
        apply(share, **more)

    engine.story.world.apply = refuses  # type: ignore[method-assign]
    engine.look(engine.waits + 1)
    assert engine.share > 0
    engine.look(1)
    assert engine.share == 0


def test_a_process_that_ended_with_it_leaves_it_to_evidence(engine: Engine) -> None:
    """Told, and killed before it could write: the next one finds nobody served, and holds or goes back."""
    full(engine)
    engine.turns_bad()
    engine.look(engine.waits + 5)
    engine.paper.is_full = False
    engine.start()
    engine.tick(2)
    assert engine.share == 0
    assert engine.phase in ("paused", "rolled_back")
    assert engine.is_whole()
