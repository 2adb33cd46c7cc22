"""The Envoy target moves real traffic through a real Envoy, and reads back what Envoy works with."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollway.errors import InputError, TemporaryError
from rollway.rollout.ports import Surroundings
from rollway.targets.envoy import EnvoyTarget
from support.envoy import Envoy, envoy
from support.versions import Version, answers, versions, wait_until

OPTIONS = {"key": "rollway.web", "candidate": "new", "baseline": "old"}


class Site:
    """A service of an old and a new instance behind Envoy."""

    def __init__(self, balancer: Envoy, old: Version, new: Version) -> None:
        self.balancer, self.old, self.new = balancer, old, new

    def target(self, **options: Any) -> EnvoyTarget:
        given = {"admin": self.balancer.admin, "file": str(self.balancer.file), **OPTIONS, **options}
        return EnvoyTarget(given, Surroundings(rollout="r", flags=None))  # type: ignore[arg-type]

    def share(self, requests: int = 400) -> float:
        told = answers(self.balancer.port, requests)
        assert set(told) <= {"old", "new"}, told
        return told["new"] / requests


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with versions("old", "new") as (old, new), envoy(tmp_path_factory.mktemp("envoy"), old, new) as balancer:
        yield Site(balancer, old, new)


@pytest.fixture
def site(running: Site) -> Site:
    """The site as at the beginning: nobody is served by the new version, and all are well."""
    running.new.is_sick = running.old.is_sick = False
    running.target().apply(0.0, fence=1)
    wait_until(lambda: running.target().observe().candidate_ready)
    running.new.seen.clear()
    return running


@pytest.mark.parametrize(("share", "give"), [(0.0, 0.0), (0.25, 0.08), (0.9, 0.06), (1.0, 0.0)])
def test_users_get_the_share_that_was_asked_for(site: Site, share: float, give: float) -> None:
    """Of real requests the share is served by the new version (drawn by Envoy), and is read back exactly."""
    site.target().apply(share, fence=1)
    assert site.target().observe().share == share
    assert site.share() == pytest.approx(share, abs=give)


def test_a_change_is_in_force_when_apply_returns(site: Site) -> None:
    """The first request after a rollback is answered by the old version, every time."""
    target = site.target()
    for fence in range(10):
        target.apply(1.0, fence=2 * fence)
        assert answers(site.balancer.port, 1) == {"new": 1}
        target.apply(0.0, fence=2 * fence + 1)
        assert answers(site.balancer.port, 1) == {"old": 1}


def test_copies_go_to_the_new_version_and_answers_come_from_the_old(site: Site) -> None:
    """Mirrored, the new version sees requests, and users do not see the new version."""
    site.target().apply(0.0, mirrored=0.5, fence=1)
    assert site.target().observe().mirrored == 0.5
    assert set(answers(site.balancer.port, 200, path="/copied")) == {"old"}
    wait_until(lambda: site.new.seen["/copied"] >= 70)
    assert site.new.seen["/copied"] < 130


def test_the_share_outlives_a_restart(site: Site) -> None:
    """Envoy comes back with the share of the file."""
    site.target().apply(1.0, fence=1)
    site.balancer.stop()
    site.balancer.start()
    assert site.target().observe().share == 1.0
    assert site.share(20) == 1.0


def test_what_somebody_else_set_is_read_back(site: Site) -> None:
    """A percentage set by hand over the admin interface is what users get, and what is told."""
    site.target().apply(0.1, fence=1)
    _modify(site, "rollway.web.share=100")
    assert site.target().observe().share == 1.0
    assert site.share(20) == 1.0
    _modify(site, "rollway.web.share=")
    assert site.target().observe().share == 0.1


def test_a_dead_version_is_not_ready(site: Site) -> None:
    """Envoy's health checks tell which version could take traffic."""
    site.new.is_sick = True
    wait_until(lambda: site.target().observe().candidate_ready is False)
    served = site.target().observe()
    assert (served.baseline_ready, served.note) == (True, "down: new (1 of 1 hosts)")
    assert {check.name: check.state for check in site.target().preflight()}["candidate ready"] == "failed"


def test_a_preflight_changes_nothing_and_times_the_way_back(site: Site) -> None:
    """What is served is told once more and taken up; users are served as before."""
    site.target().apply(0.25, fence=1)
    checks = {check.name: check for check in site.target().preflight()}
    assert {check.state for check in checks.values()} == {"ok"}
    assert checks["way back"].seconds is not None
    assert site.target().observe().share == 0.25


def test_a_file_that_envoy_does_not_read_fails_before_the_start(site: Site, tmp_path: Path) -> None:
    """The wrong path is found by the preflight: Envoy knows nothing of what is written there."""
    target = site.target(file=str(tmp_path / "elsewhere.json"), key="other.web")
    assert {check.name: check.state for check in target.preflight()}["way back"] == "failed"
    with pytest.raises(TemporaryError, match="does not take up"):
        target.apply(0.5, fence=1)


def test_an_unknown_cluster_fails_before_the_start(site: Site) -> None:
    """A version that Envoy does not know cannot be ready."""
    checks = {check.name: check for check in site.target(candidate="newer").preflight()}
    assert checks["candidate ready"].state == "failed"
    assert "newer (Envoy has no such cluster)" in checks["candidate ready"].told


def test_a_folder_that_cannot_be_written_is_told(site: Site, tmp_path: Path) -> None:
    """Nothing is half-written; the file is named."""
    with pytest.raises(TemporaryError, match="cannot be written"):
        site.target(file=str(tmp_path / "none" / "runtime.json")).apply(0.5, fence=1)


def test_an_envoy_that_is_gone_is_a_temporary_matter(tmp_path: Path) -> None:
    """Nothing listens: which address, in one sentence."""
    given = {"admin": "http://127.0.0.1:9", "file": str(tmp_path / "r.json"), **OPTIONS}
    target = EnvoyTarget(given, Surroundings("r", None))  # type: ignore[arg-type]
    with pytest.raises(TemporaryError, match=r"127\.0\.0\.1:9/runtime\?format=json does not answer"):
        target.observe()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"admin": "9901"}, 'target.admin: "9901" is no address'),
        ({"baseline": "new"}, "target.baseline: new is the candidate too"),
        ({"key": 3}, "target.key"),
        ({"clusters": "x"}, "target.clusters"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(options: dict[str, Any], problem: str) -> None:
    """A slip in the release file is told when the target is made."""
    with pytest.raises(InputError, match=problem):
        EnvoyTarget({"admin": "http://a", "file": "f", **OPTIONS, **options}, Surroundings("r", None))  # type: ignore[arg-type]


def _modify(site: Site, change: str) -> None:
    request = urllib.request.Request(f"{site.balancer.admin}/runtime_modify?{change}", method="POST")
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.status == 200
