"""The HAProxy target moves real traffic through a real HAProxy, and tells the truth about what it finds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from examples.live.servers import Places
from examples.live.servers.haproxy import CONFIGURATION
from rollway.errors import InputError, TemporaryError
from rollway.judge import Counts
from rollway.rollout.ports import Interval, Surroundings
from rollway.signals.scrape import ScrapeSignal
from rollway.targets.haproxy import HaproxyTarget
from support.haproxy import Haproxy, haproxy
from support.servers import free_port, or_skipped
from support.versions import Version, answers, versions, wait_until

OPTIONS: dict[str, Any] = {"backend": "web", "candidate": "new", "baseline": ["old1", "old2"]}


class Site:
    """A service of two old instances and a new one behind HAProxy."""

    def __init__(self, balancer: Haproxy, old: Version, new: Version) -> None:
        self.balancer, self.old, self.new = balancer, old, new

    def target(self, **options: Any) -> HaproxyTarget:
        given = {"socket": str(self.balancer.socket), **OPTIONS, **options}
        return HaproxyTarget(given, Surroundings(rollout="r", flags=None))  # type: ignore[arg-type]

    def share(self, requests: int = 200) -> float:
        told = answers(self.balancer.port, requests)
        assert set(told) <= {"old1", "old2", "new"}, told
        return told["new"] / requests


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with versions("old1", "old2", "new") as (old1, old2, new):
        servers = [("old1", old1, 256), ("old2", old2, 256), ("new", new, 0)]
        with haproxy(tmp_path, servers) as balancer:
            yield Site(balancer, old1, new)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95, 1.0])
def test_users_get_the_share_that_was_asked_for(site: Site, share: float) -> None:
    """Of real requests the share is served by the new version, and is read back as such."""
    target = site.target()
    target.apply(share, fence=1)
    assert target.observe().share == pytest.approx(target.nearest(share), abs=1e-9)
    assert site.share() == pytest.approx(share, abs=0.011)


def test_a_share_too_fine_for_weights_is_told_as_it_will_be(site: Site) -> None:
    """One in ten thousand cannot be done with weights up to 256: the target says what it will serve."""
    assert site.target().nearest(0.0001) == pytest.approx(1 / (1 + 2 * 256))


def test_nobody_is_left_without_an_answer_while_shares_move(site: Site) -> None:
    """From nobody to everyone and back, each request is answered by one of the versions."""
    target = site.target()
    for fence, share in enumerate([0.0, 1.0, 0.0, 0.5, 1.0, 0.0]):
        target.apply(share, fence=fence)
        assert site.share(20) == pytest.approx(share, abs=0.1)


def test_a_delayed_call_does_not_undo_a_newer_one(site: Site) -> None:
    """A rollback at tick 8 stands, though the step of tick 7 arrives after it."""
    target = site.target()
    target.apply(0.0, fence=8)
    target.apply(0.5, fence=7)
    assert target.observe().share == 0


def test_the_share_outlives_a_restart_of_the_balancer(site: Site) -> None:
    """With its state file the balancer comes back with the weights that it was told."""
    target = site.target(state_file=str(site.balancer.folder / "state"))
    target.apply(0.5, fence=1)
    site.balancer.stop()
    site.balancer.start()
    assert target.observe().share == pytest.approx(0.5)
    assert site.share() == pytest.approx(0.5, abs=0.02)


def test_without_a_state_file_a_restart_is_seen(site: Site) -> None:
    """The balancer forgets; what is read back says so, and the preflight said so, with the remedy."""
    target = site.target()
    (check,) = (check for check in target.preflight() if check.name == "outlives a reload")
    assert check.state == "unknown"
    assert "nobody is served the new version then, and the rollout pauses" in check.told
    assert "target.state_file" in check.hint
    target.apply(0.5, fence=1)
    site.balancer.stop()
    site.balancer.start()
    assert target.observe().share == 0


def test_a_dead_version_is_not_ready(site: Site) -> None:
    """The balancer's own health checks tell which version could take traffic."""
    target = site.target()
    wait_until(lambda: target.observe().candidate_ready)
    site.new.is_sick = True
    wait_until(lambda: target.observe().candidate_ready is False)
    assert target.observe().baseline_ready is True
    assert target.observe().note == "down: new"
    assert {check.name: check.state for check in target.preflight()}["candidate ready"] == "failed"


def test_one_of_two_old_servers_down_leaves_the_old_version_ready(site: Site) -> None:
    """A version is ready as long as one of its servers is; the other is named."""
    target = site.target()
    site.old.is_sick = True
    wait_until(lambda: target.observe().note == "down: old1")
    assert target.observe().baseline_ready is True


def test_a_preflight_changes_nothing(site: Site) -> None:
    """All is checked, the way back is tried and timed, and users are served as before."""
    target = site.target()
    target.apply(0.1, fence=1)
    wait_until(lambda: target.observe().candidate_ready)
    checks = {check.name: check for check in target.preflight()}
    assert {name for name, check in checks.items() if check.state == "failed"} == set()
    assert checks["way back"].seconds is not None
    assert target.observe().share == pytest.approx(0.1)


def test_a_socket_that_may_only_read_fails_the_preflight(tmp_path: Path) -> None:
    """Without the right to change weights the way back is not clear, and that is found before the start."""
    with versions("old1", "old2", "new") as (old1, old2, new):
        servers = [("old1", old1, 256), ("old2", old2, 256), ("new", new, 0)]
        with haproxy(tmp_path, servers, level="user") as balancer:
            target = Site(balancer, old1, new).target()
            failed = [check for check in target.preflight() if check.state == "failed"]
            assert failed
            assert "admin" in failed[0].hint
            with pytest.raises(TemporaryError, match="Permission denied"):
                target.apply(0.5, fence=1)


def test_a_server_of_neither_version_fails_the_preflight(site: Site) -> None:
    """A third server with traffic would make every share a lie."""
    checks = {check.name: check for check in site.target(baseline="old1").preflight()}
    assert checks["all servers named"].state == "failed"
    assert "old2" in checks["all servers named"].told


def test_sticky_users_leave_a_version_in_maintenance(tmp_path: Path) -> None:
    """A user with the balancer's cookie stays at weight 0, and is moved where `at_zero` says maint."""
    with versions("old1", "old2", "new") as (old1, old2, new):
        servers = [("old1", old1, 256), ("old2", old2, 256), ("new", new, 0)]
        with haproxy(tmp_path, servers, cookie=True) as balancer:
            site, sticky = Site(balancer, old1, new), {"cookie": "SERVER=new"}
            site.target().apply(0.5, fence=1)
            site.target().apply(0.0, fence=2)
            assert answers(balancer.port, 5, sticky) == {"new": 5}
            site.target(at_zero="maint").apply(0.0, fence=3)
            assert answers(balancer.port, 5, sticky).keys() <= {"old1", "old2"}
            site.target(at_zero="maint").apply(0.5, fence=4)
            wait_until(lambda: site.target().observe().candidate_ready)
            assert answers(balancer.port, 5, sticky) == {"new": 5}


def test_a_balancer_that_is_gone_is_a_temporary_matter(tmp_path: Path) -> None:
    """Nothing listens: it is said which socket, and that trying again may help."""
    target = HaproxyTarget({**OPTIONS, "socket": str(tmp_path / "none.sock")}, Surroundings("r", None))  # type: ignore[arg-type]
    with pytest.raises(TemporaryError, match=r"none\.sock does not answer"):
        target.observe()
    assert [check.state for check in target.preflight()] == ["failed"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"backend": ""}, "target.backend"),
        ({"candidate": []}, "target.candidate"),
        ({"baseline": ["new"]}, "target.baseline: new is a server of the candidate too"),
        ({"at_zero": "off"}, "target.at_zero"),
        ({"timeout": -1}, "target.timeout"),
        ({"weigth": 3}, "target.weigth"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(options: dict[str, Any], problem: str) -> None:
    """A slip in the release file is told when the target is made, not at the first step."""
    with pytest.raises(InputError, match=problem):
        HaproxyTarget({"socket": "x", **OPTIONS, **options}, Surroundings("r", None))  # type: ignore[arg-type]


def test_requests_that_are_still_answered_are_told_until_they_are_over(site: Site) -> None:
    """The new version gets nobody any more, and finishes what it has begun: nobody's request is cut off."""
    target = site.target()
    target.apply(1.0, fence=1)
    site.new.delay = 1.5
    told: list[set[str]] = []
    slow = threading.Thread(target=lambda: told.append(set(answers(site.balancer.port, 1))))
    slow.start()
    wait_until(lambda: site.new.seen["/"])
    target.apply(0.0, fence=2)
    assert target.observe().note == "draining: new (1 requests)"
    slow.join(5)
    wait_until(lambda: target.observe().note == "")
    assert told == [{"new"}]


def test_each_servers_own_metrics_are_a_signal(tmp_path: Path) -> None:
    """HAProxy's exporter counts answers by server; the versions are told apart by it, without a change to the
    service."""
    port = free_port()
    exporter = (
        f"frontend metrics\n    bind 127.0.0.1:{port}\n    http-request use-service prometheus-exporter\n"
    )
    with versions("old", "new") as (old, new), or_skipped():
        places = Places(tmp_path, old=old.port, new=new.port)
        balancer = Haproxy(places, CONFIGURATION.read_text() + exporter)
        try:
            given = {"socket": str(balancer.socket), "backend": "web", "candidate": "new", "baseline": "old"}
            HaproxyTarget(given, Surroundings("r", None)).apply(0.25, fence=1)  # type: ignore[arg-type]
            options = {
                "url": f"http://127.0.0.1:{port}/metrics",
                "arm_label": "server",
                "candidate": "new",
                "baseline": "old",
                "total": "haproxy_server_http_responses_total",
                "bad": 'haproxy_server_http_responses_total{code="5xx"}',
            }
            signal = ScrapeSignal("errors", "rate", options)
            began = signal.collect(None, Interval("s", 0.25, 0.0))
            answers(balancer.port, 40)
            read = signal.collect(began.cursor, Interval("s", 0.25, 10.0)).reading
        finally:
            balancer.stop()
    assert read is not None
    assert (read.candidate, read.baseline) == (Counts(10, 0), Counts(30, 0))
