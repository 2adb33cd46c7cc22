"""Whole rollouts on real load balancers: what users get through them, and what happens when things die."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rollway.app import Rollway
from rollway.app.runtime import Runtime
from rollway.facts import Release
from support.envoy import envoy
from support.haproxy import haproxy
from support.nginx import nginx
from support.rollouts import start_plan, wait_for
from support.versions import Version, answers, versions
from support.world import Metrics, release_facts


@dataclass
class Site:
    """A service of two versions behind a balancer, and the target by which that is switched."""

    target: dict[str, Any]
    balancer: Any
    old: Version
    new: Version

    def served(self) -> Counter[str]:
        """Who answers forty users, each over a connection of its own."""
        told: Counter[str] = Counter()
        for number in range(40):
            told += answers(self.balancer.port, 1, {"user": f"user-{number}"})
        return told


@pytest.fixture
def database(tmp_path: Path) -> str:
    """One kind of database is enough here: the engine has its own tests for both."""
    return str(tmp_path / "data")


@pytest.fixture(params=["haproxy", "envoy", "nginx"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with versions("old", "new") as (old, new):
        if request.param == "haproxy":
            with haproxy(tmp_path, [("old", old, 256), ("new", new, 0)]) as running:
                options = {
                    "socket": str(running.socket),
                    "backend": "web",
                    "state_file": str(tmp_path / "state"),
                }
                yield Site({"candidate": "new", "baseline": "old", **options}, running, old, new)
        elif request.param == "envoy":
            with envoy(tmp_path, old, new) as proxy:
                options = {"admin": proxy.admin, "file": str(proxy.file), "key": "rollway.web"}
                yield Site({"candidate": "new", "baseline": "old", **options}, proxy, old, new)
        else:
            with nginx(tmp_path, old, new) as server:
                yield Site(_nginx_options(server, old, new), server, old, new)


@pytest.fixture(autouse=True)
def _named(site: Site, request: pytest.FixtureRequest) -> None:
    site.target["type"] = request.node.callspec.params["site"]


def _nginx_options(server: Any, old: Version, new: Version) -> dict[str, Any]:
    return {
        "file": str(server.file),
        "variable": "web",
        "key": "$http_user",
        "candidate": "web_new",
        "baseline": "web_old",
        "probe": f"http://127.0.0.1:{server.port}/rollway",
        "candidate_health": f"http://127.0.0.1:{new.port}/health",
        "baseline_health": f"http://127.0.0.1:{old.port}/health",
        "test": [*server.command, "-t"],
        "reload": [*server.command, "-s", "reload"],
    }


def started(rollway: Rollway, metrics: Metrics, site: Site, **more: str) -> str:
    facts = {**release_facts(metrics.url, **more), "target": site.target}
    plan = rollway.plan(Release.model_validate(facts))
    rollway.approve(plan, "bo")
    return start_plan(rollway, plan, "ops")


def test_a_healthy_release_reaches_every_user(
    rollway: Rollway, runtime: Runtime, metrics: Metrics, site: Site
) -> None:
    """Stage by stage on the balancer's own weights, until the new version answers everyone."""
    assert site.served().keys() == {"old"}
    rollout = started(rollway, metrics, site)
    wait_for(lambda: rollway.load(rollout).state.is_final)
    assert rollway.load(rollout).state.phase == "done"
    assert site.served().keys() == {"new"}
    shares = [e.data["share"] for e in rollway.rollouts.record(rollout) if e.kind == "exposure_verified"]
    assert shares == [0.0, 0.1, 0.5, 0.95, 1.0]


def test_a_bad_release_is_taken_back_from_every_user(
    rollway: Rollway, runtime: Runtime, metrics: Metrics, site: Site
) -> None:
    """Five times the errors: the old version answers everyone again."""
    metrics.break_new_version(0.10)
    rollout = started(rollway, metrics, site)
    wait_for(lambda: rollway.load(rollout).state.is_final)
    assert rollway.load(rollout).state.phase == "rolled_back"
    assert site.served().keys() == {"old"}


def test_a_new_version_that_dies_is_taken_back_though_its_numbers_are_fine(
    rollway: Rollway, runtime: Runtime, metrics: Metrics, site: Site
) -> None:
    """The balancer's health checks, or those that Rollway asks, end the rollout; no KPI is needed for it."""
    rollout = started(rollway, metrics, site, bake="60s")
    wait_for(lambda: rollway.load(rollout).state.served_share == 0.1)
    site.new.is_sick = True
    wait_for(lambda: rollway.load(rollout).state.phase == "rolled_back")
    assert site.served().keys() == {"old"}
    entry = next(entry for entry in rollway.rollouts.record(rollout) if entry.kind == "rollback")
    assert "is not ready" in entry.text


def test_a_balancer_that_is_restarted_goes_on_where_it_was(
    rollway: Rollway, runtime: Runtime, metrics: Metrics, site: Site
) -> None:
    """It is told in the record that the target was gone and is back; users keep the share of the stage."""
    rollout = started(rollway, metrics, site, bake="6s")
    wait_for(lambda: rollway.load(rollout).state.served_share == 0.1)
    site.balancer.stop()
    wait_for(lambda: bool(rollway.load(rollout).state.target_problem))
    site.balancer.start()
    wait_for(lambda: not rollway.load(rollout).state.target_problem)
    state = rollway.load(rollout).state
    assert (state.phase, state.served_share) == ("running", 0.1)
    wait_for(lambda: rollway.load(rollout).state.served_share == 0.5)
    kinds = [entry.kind for entry in rollway.rollouts.record(rollout)]
    assert kinds.count("target_failed") == 1
    assert "drift" not in kinds
