"""The nginx target splits real users through a real nginx, and a bad configuration never gets loaded."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from examples.live.servers import Places
from examples.live.servers.nginx import CONFIGURATION, NOBODY
from rollway.errors import InputError, TemporaryError
from rollway.rollout.ports import Surroundings
from rollway.targets.nginx import NginxTarget
from support.nginx import Nginx, nginx
from support.servers import or_skipped
from support.versions import Version, answers, versions, wait_until

USERS = [f"user-{number}" for number in range(120)]


class Site:
    """A service of an old and a new instance behind nginx."""

    def __init__(self, balancer: Nginx, old: Version, new: Version) -> None:
        self.balancer, self.old, self.new = balancer, old, new

    def options(self, **changes: Any) -> dict[str, Any]:
        given = {
            "file": str(self.balancer.file),
            "variable": "web",
            "key": "$http_user",
            "candidate": "web_new",
            "baseline": "web_old",
            "probe": f"http://127.0.0.1:{self.balancer.port}/rollway",
            "candidate_health": f"http://127.0.0.1:{self.new.port}/health",
            "baseline_health": f"http://127.0.0.1:{self.old.port}/health",
            "test": [*self.balancer.command, "-t"],
            "reload": [*self.balancer.command, "-s", "reload"],
            **changes,
        }
        return {name: value for name, value in given.items() if value is not ...}

    def target(self, **changes: Any) -> NginxTarget:
        return NginxTarget(self.options(**changes), Surroundings(rollout="r", flags=None))  # type: ignore[arg-type]

    def exposed(self) -> set[str]:
        """The users who are served by the new version."""
        told = {user: set(answers(self.balancer.port, 1, {"user": user})) for user in USERS}
        assert all(one <= {"old", "new"} for one in told.values())
        return {user for user, version in told.items() if version == {"new"}}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with versions("old", "new") as (old, new), nginx(tmp_path, old, new) as balancer:
        yield Site(balancer, old, new)


def test_users_get_the_share_that_was_asked_for_and_stay(site: Site) -> None:
    """Who has the new version keeps it while shares grow; everyone and nobody are exact."""
    target = site.target()
    groups = []
    for fence, share in enumerate([0.1, 0.5, 1.0, 0.0]):
        target.apply(share, fence=fence)
        assert target.observe().share == share
        groups.append(site.exposed())
    tenth, half, everyone, nobody = groups
    assert tenth < half < everyone == set(USERS)
    assert not nobody
    assert len(tenth) == pytest.approx(12, abs=11)
    assert len(half) == pytest.approx(60, abs=25)


def test_a_share_outlives_a_restart(site: Site) -> None:
    """nginx comes back with what the file says."""
    site.target().apply(1.0, fence=1)
    site.balancer.stop()
    site.balancer.start()
    assert site.target().observe().share == 1.0


def test_a_file_that_nginx_refuses_is_taken_back(site: Site) -> None:
    """An upstream that does not exist ends the test; users are served as before, and the old file is back."""
    target = site.target()
    target.apply(0.5, fence=1)
    before = site.balancer.file.read_text()
    with pytest.raises(TemporaryError, match="ended with 1"):
        site.target(variable="not_what_the_site_uses").apply(1.0, fence=2)
    assert site.balancer.file.read_text() == before
    assert target.observe().share == 0.5


def test_what_runs_is_read_back_and_not_what_the_file_says(site: Site) -> None:
    """Somebody edits the file without a reload: users are not touched, and the target says so."""
    site.target().apply(0.1, fence=1)
    text = site.balancer.file.read_text()
    site.balancer.file.write_text(text.replace("10.00%", "90.00%").replace('"1000"', '"9000"'))
    assert site.target().observe().share == 0.1


def test_a_reload_that_does_nothing_is_found(site: Site) -> None:
    """The command ended well, yet the workers tell the old share: the target does not believe it."""
    with pytest.raises(TemporaryError, match="still does not tell"):
        site.target(reload=["true"], timeout=1).apply(0.5, fence=1)


def test_a_dead_version_is_not_ready(site: Site) -> None:
    """The versions' own health checks are asked; where none is named nothing is known."""
    site.new.is_sick = True
    served = site.target(baseline_health=...).observe()
    assert (served.candidate_ready, served.baseline_ready) == (False, None)
    checks = {check.name: check.state for check in site.target(baseline_health=...).preflight()}
    assert (checks["candidate ready"], checks["baseline ready"]) == ("failed", "unknown")


def test_a_preflight_changes_nothing_and_times_the_way_back(site: Site) -> None:
    """All is well: each check says so, and users are served as before."""
    site.target().apply(0.5, fence=1)
    checks = {check.name: check for check in site.target().preflight()}
    assert {check.state for check in checks.values()} == {"ok"}
    assert checks["way back"].seconds is not None
    assert site.target().observe().share == 0.5


def test_a_site_without_the_probe_fails_before_the_start(site: Site) -> None:
    """Without it nobody could tell what the workers really do."""
    checks = site.target(probe=f"http://127.0.0.1:{site.balancer.port}/other").preflight()
    assert [check.state for check in checks] == ["failed"]
    assert "return 200 $web_told" in checks[0].hint


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"variable": "web; }"}, "target.variable"),
        ({"key": '$a" $b { * x; } #'}, "target.key"),
        ({"candidate": "web_old"}, "target.baseline: web_old is the candidate too"),
        ({"reload": []}, "target.reload"),
        ({"probes": "x"}, "target.probes"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(site: Site, options: dict[str, Any], problem: str) -> None:
    """Nothing that could end a line of the configuration is ever written into it."""
    with pytest.raises(InputError, match=problem):
        site.target(**options)


@pytest.fixture
def copying(tmp_path: Path) -> Iterator[Site]:
    """A site with the mirror location of the documentation."""
    with versions("old", "new") as (old, new), or_skipped():
        places = Places(tmp_path, old=old.port, new=new.port)
        text = CONFIGURATION.read_text().replace(
            "        location / {",
            "        location = /copy {\n"
            "            internal;\n"
            '            if ($web_copy = "") { return 204; }\n'
            "            proxy_pass http://$web_copy$request_uri;\n"
            "        }\n"
            "        location / {\n            mirror /copy;",
        )
        nobody = NOBODY + 'map "" $web_copy { default ""; }\n'
        balancer = Nginx(places, text, split=nobody)
        try:
            yield Site(balancer, old, new)
        finally:
            balancer.stop()


def test_copies_go_to_the_new_version_and_answers_come_from_the_old(copying: Site) -> None:
    """Half of the requests are copied, each drawn by itself; all of them, and none again."""
    target = copying.target(copies=True)
    for fence, (copies, least, most) in enumerate([(0.5, 65, 135), (1.0, 200, 200), (0.0, 0, 0)]):
        target.apply(0.0, mirrored=copies, fence=fence)
        assert (target.observe().share, target.observe().mirrored) == (0.0, copies)
        # A worker of before the reload may still end what it had taken up.
        wait_until(lambda least=least, most=most: least <= copied(copying) <= most)  # type: ignore[misc]


BATCHES = count()


def copied(site: Site) -> int:
    """How many of 200 requests to the old version the new one had a copy of, once no more come."""
    path = f"/copied?a={next(BATCHES)}"
    assert set(answers(site.balancer.port, 200, path=path)) == {"old"}
    had = -1
    while had != (had := site.new.seen[path]):
        time.sleep(0.5)
    return had


def test_users_of_the_new_version_are_not_copied_to_it(copying: Site) -> None:
    """Everyone is served by it: each request reaches it once."""
    target = copying.target(copies=True)
    target.apply(1.0, mirrored=1.0, fence=1)
    assert set(answers(copying.balancer.port, 50, path="/once")) == {"new"}
    assert copying.new.seen["/once"] == 50


def test_without_the_mirror_location_copies_are_refused(site: Site) -> None:
    """Nobody is told that copies are sent where none are; nothing changes."""
    with pytest.raises(TemporaryError, match="sends no copies"):
        site.target().apply(0.0, mirrored=0.5, fence=1)
    assert site.target().observe().mirrored == 0.0
