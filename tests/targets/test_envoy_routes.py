"""Routes that Rollway writes: testers get the version they name from a real Envoy, all others by share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from examples.live.servers import Envoy, Places
from examples.live.servers.envoy import CONFIGURATION
from rollway.errors import InputError, TemporaryError
from rollway.rollout.ports import Surroundings
from rollway.targets.envoy import EnvoyTarget
from support.servers import or_skipped
from support.versions import Version, answers, versions, wait_until

EVERYBODY_OLD = {
    "version_info": "by hand",
    "resources": [
        {
            "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
            "name": "web",
            "virtual_hosts": [
                {
                    "name": "web",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "old"}}],
                }
            ],
        }
    ],
}
RDS = """\
                rds:
                  route_config_name: web
                  config_source: {path_config_source: {path: ROUTES}, resource_api_version: V3}
"""


class DynamicEnvoy(Envoy):
    """The Envoy of the examples, with its routes in a file."""

    def start(self) -> None:
        path, self.routes = self.folder / "envoy.yaml", self.folder / "routes.json"
        text = path.read_text()
        if "route_config:" in text:
            start, end = text.index("                route_config:"), text.index("  clusters:")
            path.write_text(text[:start] + RDS.replace("ROUTES", str(self.routes)) + text[end:])
            self.routes.write_text(json.dumps(EVERYBODY_OLD))
        super().start()


class Site:
    """An old and a new instance behind an Envoy whose routes stand in a file."""

    def __init__(self, balancer: DynamicEnvoy, new: Version) -> None:
        self.balancer, self.new = balancer, new

    def target(self, **routes: Any) -> EnvoyTarget:
        given = {"file": str(self.balancer.routes), "name": "web", "header": "x-version", "cookie": "version"}
        return EnvoyTarget(
            {
                "admin": self.balancer.admin,
                "file": str(self.balancer.file),
                "key": "rollway.web",
                "candidate": "new",
                "baseline": "old",
                "routes": {**given, **routes},
            },
            Surroundings(rollout="r", flags=None),  # type: ignore[arg-type]
        )

    def told(self, **headers: str) -> set[str]:
        return set(answers(self.balancer.port, 25, headers))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    assert CONFIGURATION.exists()
    with versions("old", "new") as (old, new):
        with or_skipped():
            running = DynamicEnvoy(Places(tmp_path, old=old.port, new=new.port))
        try:
            yield Site(running, new)
        finally:
            running.stop()


@pytest.mark.parametrize(
    "named", [{"x-version": "{}"}, {"cookie": "a=1; version={}; b=2"}, {"cookie": "version={}"}]
)
def test_testers_always_get_the_version_that_they_name(site: Site, named: dict[str, str]) -> None:
    """At nobody, a half and everyone, by header and by cookie; others get what the share says."""
    target = site.target()
    new, old = (
        {name: text.format(side) for name, text in named.items()} for side in ("candidate", "baseline")
    )
    for fence, (share, others) in enumerate([(0.0, {"old"}), (0.5, {"old", "new"}), (1.0, {"new"})]):
        target.apply(share, fence=fence)
        assert target.observe().share == share
        assert (site.told(**new), site.told(**old), site.told()) == ({"new"}, {"old"}, others)


@pytest.mark.parametrize(
    "cookie", ["version=candidates", "xversion=candidate", "a=version=candidate", "version="]
)
def test_a_cookie_that_only_looks_like_it_is_none(site: Site, cookie: str) -> None:
    """Neither a longer value nor a longer name makes a tester."""
    site.target().apply(0.0, fence=1)
    assert site.told(cookie=cookie) == {"old"}


def test_copies_are_sent_by_these_routes_too(site: Site) -> None:
    """Half the requests are copied, all are answered by the old version, and a restart keeps that."""
    target = site.target()
    target.apply(0.0, mirrored=0.5, fence=1)
    site.balancer.stop()
    site.balancer.start()
    assert target.observe().mirrored == 0.5
    assert set(answers(site.balancer.port, 200, path="/copied")) == {"old"}
    wait_until(lambda: site.new.seen["/copied"] >= 70)
    assert site.new.seen["/copied"] < 130


def test_testers_stay_testers_after_a_restart(site: Site) -> None:
    """Envoy reads share and routes from their files again."""
    target = site.target()
    target.apply(1.0, fence=1)
    site.balancer.stop()
    site.balancer.start()
    assert (site.told(), site.told(**{"x-version": "baseline"})) == ({"new"}, {"old"})
    served = target.observe()
    assert (served.share, served.refusal) == (1.0, "")


def test_a_preflight_leaves_routes_of_others_alone_and_says_what_will_be(site: Site) -> None:
    """The first step replaces them; until then they stand. Where there are none of this name it fails."""
    before = site.balancer.routes.read_text()
    checks = {check.name: check.state for check in site.target().preflight()}
    assert (checks["routes"], checks["way back"]) == ("unknown", "ok")
    assert site.balancer.routes.read_text() == before
    assert {one.name: one.state for one in site.target(name="shop").preflight()}["routes"] == "failed"
    site.target().apply(0.0, fence=1)
    assert {one.name: one.state for one in site.target().preflight()}["routes"] == "ok"


def test_routes_that_somebody_replaces_hold_the_rollout(site: Site) -> None:
    """What the fraction says then means nothing; it is told, and the next step writes them again."""
    target = site.target()
    target.apply(0.5, fence=1)
    site.balancer.routes.unlink()
    (site.balancer.folder / "mine.json").write_text(json.dumps(EVERYBODY_OLD))
    (site.balancer.folder / "mine.json").rename(site.balancer.routes)
    wait_until(lambda: target.observe().refusal)
    assert "other routes than those that Rollway writes" in target.observe().refusal
    target.apply(0.5, fence=2)
    assert (target.observe().refusal, target.observe().note) == ("", "")


def test_a_file_that_envoy_does_not_read_is_told(site: Site, tmp_path: Path) -> None:
    """Nobody is moved on the word of routes that nobody uses."""
    with pytest.raises(TemporaryError, match="does not take up"):
        site.target(file=str(tmp_path / "elsewhere.json")).apply(0.5, fence=1)


@pytest.mark.parametrize(
    ("routes", "problem"),
    [
        ("x", "target.routes.name: is missing"),
        ({"header": "x version"}, 'target.routes.header: "x version" is no name of a header'),
        ({"cookie": "a=b"}, "target.routes.cookie"),
        ({"domains": []}, "target.routes.domains"),
        ({"headers": "x"}, "target.routes.headers: routes has no such option"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(routes: Any, problem: str) -> None:
    """With its whole path."""
    given = {"admin": "http://a", "file": "f", "key": "k", "candidate": "new", "baseline": "old"}
    whole = {"file": "r", "name": "web", **routes} if isinstance(routes, dict) else routes
    with pytest.raises(InputError, match=problem):
        EnvoyTarget({**given, "routes": whole}, Surroundings("r", None))  # type: ignore[arg-type]
