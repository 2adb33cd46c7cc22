"""Stories, the servers in front of them, and a browser."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from web.site import Site
from web.story import Story, make_story

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture
def site(story: Story) -> Iterator[Site]:
    made = Site(story)
    yield made
    made.client.close()
    made.stop()


@pytest.fixture(scope="module")
def quiet_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site for tests that change nothing, with one rollout."""
    story = make_story(tmp_path_factory.mktemp("quiet"))
    story.tick(story.start(), 12)
    made = Site(story)
    yield made
    made.client.close()
    made.stop()
    story.rollway.close()


@pytest.fixture
def quiet_rollout(quiet_site: Site) -> Iterator[str]:
    """The one rollout of the quiet site, to which nobody may have said anything afterwards."""
    rollout = quiet_site.rollway.newest_rollout()
    yield rollout
    assert quiet_site.rollway.load(rollout).pending == ()


@pytest.fixture(scope="session")
def chromium() -> Path:
    """A Chromium to drive; installed where that is possible, else the test is skipped."""
    if not CHROMIUM.exists() and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "chromium"], check=False, capture_output=True, timeout=300
        )
    if not CHROMIUM.exists():
        pytest.skip("there is no /usr/bin/chromium, and it could not be installed")
    return CHROMIUM
