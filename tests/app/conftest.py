"""A real Rollway on a database of its own, with its runtime, and a rollout that serves users."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from rollway.app import Rollway
from rollway.app.runtime import Runtime
from web.story import Story, make_story


@pytest.fixture
def rollway(database: str) -> Iterator[Rollway]:
    rollway = Rollway(database)
    yield rollway
    rollway.close()


@pytest.fixture
def runtime(rollway: Rollway) -> Iterator[Runtime]:
    runtime = Runtime(rollway)
    runtime.start()
    yield runtime
    runtime.stop()


@pytest.fixture(scope="session")
def served_data(fresh_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, datetime]:
    """The data of a rollout whose first stage with users was just read back; copying it is fast."""
    folder = shutil.copytree(fresh_data, tmp_path_factory.mktemp("served") / "data")
    story = make_story(folder)
    rollout = story.start()
    story.tick_until(rollout, lambda state: state.desired_share > 0 and state.entered_at is not None)
    story.rollway.close()
    return folder, rollout, story.now


@pytest.fixture
def served_story(served_data: tuple[Path, str, datetime], tmp_path: Path) -> Iterator[tuple[Story, str]]:
    """The story of such a rollout, and its name."""
    folder, rollout, now = served_data
    story = make_story(shutil.copytree(folder, tmp_path / "data"))
    story.now, story.world.share = now, story.rollway.load(rollout).state.desired_share
    yield story, rollout
    story.rollway.close()
