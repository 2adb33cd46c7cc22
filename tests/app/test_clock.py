"""Real ticks on a real database while the clock jumps, and while nobody looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from rollway.canonical import canonical_json
from rollway.cli.main import cli
from rollway.judge.evidence_file import write_evidence
from rollway.rollout import Pace, tick
from web.story import Story

QUARTER = 900.0


@dataclass
class Engine:
    """A process that calls ticks: its steady clock, and the wall clock of the story."""

    story: Story
    rollout: str
    passed: float = 0.0

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Another process: it remembers nothing of clocks."""
        self.pace = Pace(lambda: self.passed)

    def tick(self, times: int = 1, *, seconds: float = 10.0, jump: float = 0.0) -> None:
        """Ticks so many seconds apart; the clock jumps before the first of them."""
        rollway, story = self.story.rollway, self.story
        story.now += timedelta(seconds=jump)
        for _ in range(times):
            self.passed += seconds
            story.now += timedelta(seconds=seconds)
            seq = rollway.load(self.rollout).seq
            said = {"rollouts": rollway.rollouts, "connectors": story.world, "clock": lambda: story.now}
            assert tick(self.rollout, seq, **said, pace=self.pace) == "moved"  # type: ignore[arg-type]

    @property
    def aged(self) -> float:
        """How long the present stage is served, by the rollout's own time."""
        loaded = self.story.rollway.load(self.rollout)
        assert loaded.state.entered_at is not None
        return (loaded.moved_at - loaded.state.entered_at).total_seconds()

    def told(self, kind: str) -> list[str]:
        entries = self.story.rollway.rollouts.record(self.rollout)
        return [entry.text for entry in entries if entry.kind == kind]

    def is_whole(self) -> bool:
        return self.story.rollway.verify_record(self.rollout)[1] == ()


@pytest.fixture
def engine(served_story: tuple[Story, str]) -> Engine:
    """A rollout half a minute after its first stage with users was read back."""
    made = Engine(*served_story)
    made.tick(3)
    return made


def test_a_jump_is_written_down_and_passes_no_bake(engine: Engine) -> None:
    """A quarter of an hour forward in ten seconds: ten seconds are counted, and the record says so."""
    before, stage = engine.aged, engine.story.rollway.load(engine.rollout).state.stage
    engine.tick(jump=QUARTER)
    assert engine.aged == pytest.approx(before + 10)
    assert engine.story.rollway.load(engine.rollout).state.stage == stage
    (told,) = engine.told("clock_jumped")
    assert told.startswith("The clock jumped forward by 15 minutes.")
    engine.tick(3)
    assert len(engine.told("clock_jumped")) == 1
    assert engine.is_whole()


def test_a_clock_that_was_set_back_counts_on(engine: Engine) -> None:
    """Five minutes back: the rollout's own time goes on slowly, what is counted at its pace."""
    before, moved_at = engine.aged, engine.story.rollway.load(engine.rollout).moved_at
    engine.tick(30, seconds=1, jump=-300)
    assert engine.aged == pytest.approx(before + 30)
    assert engine.story.rollway.load(engine.rollout).moved_at == moved_at + timedelta(seconds=15)
    assert len(engine.told("clock_jumped")) == 1
    assert engine.is_whole()


def test_after_a_restart_the_time_in_between_is_not_watched(engine: Engine) -> None:
    """Another process after an hour: half a minute of it counts, and the record says so."""
    before = engine.aged
    engine.restart()
    engine.tick(seconds=3600)
    assert engine.aged == pytest.approx(before + 30)
    (told,) = engine.told("not_watched")
    assert "1 hour" in told
    assert "or its clock jumped" in told
    assert engine.is_whole()


def test_a_restart_within_seconds_leaves_no_word(engine: Engine) -> None:
    """What a deployment of Rollway itself takes changes nothing."""
    before = engine.aged
    engine.restart()
    engine.tick(seconds=20)
    assert engine.aged == pytest.approx(before + 20)
    assert engine.told("not_watched") == []


def test_a_process_that_was_stopped_knows_that_it_was_no_jump(engine: Engine) -> None:
    """Stopped, or locked out of its database, for an hour by both clocks."""
    before = engine.aged
    engine.tick(seconds=3600)
    assert engine.aged == pytest.approx(before + 30)
    (told,) = engine.told("not_watched")
    assert "or its clock jumped" not in told
    assert engine.told("clock_jumped") == []


@pytest.mark.parametrize("jump", [QUARTER, -300.0])
def test_what_was_seen_across_a_jump_can_be_judged_again(engine: Engine, tmp_path: Path, jump: float) -> None:
    """The verdicts depend on readings and times that are kept: judged again, they say the same."""
    engine.tick(3)
    engine.tick(5, seconds=1, jump=jump)
    rollway, file = engine.story.rollway, tmp_path / "evidence.jsonl"
    said = [row["body"] for row in rollway.rollouts.verdicts(engine.rollout)]
    rules, course = rollway.evidence(engine.rollout)
    file.write_text("\n".join(write_evidence(rules, course)), encoding="utf-8")
    replayed = CliRunner().invoke(cli, ["judge", "replay", str(file)])
    assert replayed.stdout == "".join(f"{canonical_json(body)}\n" for body in said)
