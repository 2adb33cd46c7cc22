"""Blue-green behind a real HAProxy: nobody meets what has not passed, and the way back is open."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollway.app.connectors import make_target
from rollway.errors import InputError, TemporaryError
from rollway.rollout.ports import Surroundings, Target, close_target, parts_of
from rollway.rollout.serving import Served
from support.haproxy import Haproxy, haproxy
from support.scripted import Cast
from support.versions import Version, answers, versions, wait_until


class Site:
    """A blue and a green environment behind HAProxy."""

    def __init__(self, balancer: Haproxy, old: Version, new: Version) -> None:
        self.balancer, self.old, self.new = balancer, old, new

    def switch(self) -> dict[str, Any]:
        places = {"socket": str(self.balancer.socket), "backend": "web"}
        return {"type": "haproxy", **places, "candidate": "green", "baseline": "blue"}

    def target(self, **options: Any) -> Target:
        around = Surroundings(rollout="r", flags=None, make=make_target)  # type: ignore[arg-type]
        return make_target("environment", {"switch": self.switch(), **options}, around)

    def smoke(self, **more: Any) -> dict[str, Any]:
        return {"get": f"http://127.0.0.1:{self.new.port}/login", "contains": "green", **more}

    def served(self) -> set[str]:
        return set(answers(self.balancer.port, 12))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    servers = contextlib.ExitStack()
    with servers:
        old, new = servers.enter_context(versions("blue", "green"))
        both = [("blue", old, 256), ("green", new, 0)]
        yield Site(servers.enter_context(haproxy(tmp_path, both)), old, new)


def passed(target: Target) -> None:
    """Tell it to prepare, and wait until it says that all is well."""
    target.apply(0.0, fence=1)
    wait_until(lambda: "smoke tests passed" in target.observe().note)


def test_an_environment_is_tried_before_anybody_meets_it(site: Site) -> None:
    """Warm, tested, ready; all the while the old one answers every user, and then the new one does."""
    target = site.target(
        warm_up=f"http://127.0.0.1:{site.new.port}/catalogue",
        smoke=[site.smoke(), [sys.executable, "-c", "print('orders can be placed')"]],
    )
    site.new.delay = 0.05
    target.apply(0.0, fence=1)
    began = target.observe()
    assert (began.share, began.candidate_ready) == (0.0, False)
    assert "warming up" in began.note or "smoke test" in began.note or "being tried" in began.note
    passed(target)
    assert target.observe().candidate_ready is True
    assert target.observe().note == "2 of 2 smoke tests passed"
    assert site.new.seen["/catalogue"] == 3
    assert site.served() == {"blue"}
    target.apply(1.0, fence=2)
    assert target.observe().share == 1.0
    assert site.served() == {"green"}


def test_an_environment_that_fails_its_smoke_test_is_not_ready_and_gets_nobody(site: Site) -> None:
    """What was found is told; the switch is refused; once it is mended it passes by itself."""
    target = site.target(smoke=[site.smoke(contains="Welcome"), site.smoke()], again=0.1)
    target.apply(0.0, fence=1)
    wait_until(lambda: "1 of 2 smoke tests failed" in target.observe().note)
    served = target.observe()
    assert served.candidate_ready is False
    assert "does not contain 'Welcome': 'green'" in served.note
    with pytest.raises(TemporaryError, match="before it has passed: 1 of 2 smoke tests failed"):
        target.apply(1.0, fence=2)
    assert (target.observe().share, site.served()) == (0.0, {"blue"})
    site.new.pages["/login"] = "Welcome to green"
    wait_until(lambda: target.observe().candidate_ready)
    target.apply(1.0, fence=3)
    assert target.observe().share == 1.0


@pytest.mark.parametrize(
    ("check", "told"),
    [
        ({"expect": 302}, "answers with status 200, not 302"),
        ({"get": "http://127.0.0.1:9/"}, "127.0.0.1:9/ does not answer"),
        ({"run": [sys.executable, "-c", "import sys; sys.exit('no orders')"]}, "ended with 1: no orders"),
    ],
)
def test_each_kind_of_failure_says_what_it_found(site: Site, check: dict[str, Any], told: str) -> None:
    """A status, an address that is gone, a program that ends badly."""
    whole = check if "run" in check else {**site.smoke(), **check}
    target = site.target(smoke=[whole])
    target.apply(0.0, fence=1)
    wait_until(lambda: told in target.observe().note)


def test_a_slow_environment_is_warmed_until_it_is_fast(site: Site) -> None:
    """The first answers take too long; when they come in time, three rounds in a row, it is warm."""
    site.new.delay = 0.3
    warm = {"ask": [f"http://127.0.0.1:{site.new.port}/"], "faster_than": 0.15, "within": 20}
    target = site.target(warm_up=warm)
    target.apply(0.0, fence=1)
    wait_until(lambda: "took 0.3" in target.observe().note)
    assert target.observe().candidate_ready is False
    site.new.delay = 0.0
    wait_until(lambda: target.observe().note == "it is warm")
    assert target.observe().candidate_ready is True


def test_an_environment_that_does_not_get_warm_is_given_up(site: Site) -> None:
    """After its time the warm-up says what was too slow."""
    site.new.delay = 0.1
    warm = {"ask": [f"http://127.0.0.1:{site.new.port}/"], "faster_than": 0.01, "within": 0.4}
    target = site.target(warm_up=warm, patience=0.1)
    target.apply(0.0, fence=1)
    wait_until(lambda: "not warm after 0.4 s" in target.observe().note)
    assert target.observe().candidate_ready is False


def test_a_restart_believes_the_switch_and_tests_again(site: Site) -> None:
    """A new process finds everyone on the new environment, or nobody and nothing tested."""
    first = site.target(smoke=[site.smoke()])
    passed(first)
    restarted = site.target(smoke=[site.smoke()])
    assert restarted.observe().note == "the new environment: it has not been tried yet"
    with pytest.raises(TemporaryError, match="being tried"):
        restarted.apply(1.0, fence=2)
    wait_until(lambda: restarted.observe().candidate_ready and "passed" in restarted.observe().note)
    restarted.apply(1.0, fence=3)
    assert site.target(smoke=[site.smoke()]).observe() == Served(1.0, 0.0, True, True)


def test_a_test_that_passed_too_long_ago_is_run_again_before_the_switch(site: Site) -> None:
    """Its validity is over: nobody is switched on its word."""
    target = site.target(smoke=[site.smoke()], smoke_valid=0.2)
    passed(target)
    time.sleep(0.25)
    seen = site.new.seen["/login"]
    with pytest.raises(TemporaryError):
        target.apply(1.0, fence=2)
    wait_until(lambda: site.new.seen["/login"] > seen)
    assert target.observe().share == 0.0


def test_going_back_waits_for_nothing(site: Site) -> None:
    """The new environment is broken, the old one seems to be gone, and still the switch goes back at once."""
    target = site.target(smoke=[site.smoke()], keep_warm=f"http://127.0.0.1:{site.old.port}/health", drain=60)
    passed(target)
    target.apply(1.0, fence=2)
    site.new.pages["/login"] = "error"
    site.old.is_sick = True
    target.apply(0.0, fence=3)
    assert target.observe().share == 0.0
    target.apply(1.0, fence=2)
    assert target.observe().share == 0.0


def test_a_switch_that_cannot_be_read_is_still_told_to_go_back() -> None:
    """Seeing is not needed for going back; it is needed for sending more users."""
    cast = Cast()
    options = {"switch": {"type": "scripted", "name": "s"}, "smoke": ["http://127.0.0.1:9/"]}
    target = _environment(options, cast)
    cast["s"].share, cast["s"].is_silent = 1.0, True
    with pytest.raises(TemporaryError, match="hung up"):
        target.apply(1.0, fence=1)
    target.apply(0.0, fence=2)
    assert cast["s"].told == [(0.0, 0.0, 2)]


def test_the_old_environment_is_drained_and_told(site: Site, tmp_path: Path) -> None:
    """After the switch its open connections are counted until none is left."""
    site.old.pages["/open"] = '{"open": 12}'
    target = site.target(drain={"get": f"http://127.0.0.1:{site.old.port}/open", "within": 60})
    assert target.observe().note == ""
    target.apply(1.0, fence=1)
    assert "the old environment is drained: 12 connections are open, 60 s left" in target.observe().note
    site.old.pages["/open"] = "0"
    assert target.observe().note == ""


def test_a_drain_has_its_limit(site: Site) -> None:
    """Who does not hang up within the time is told, and so is a count that cannot be read."""
    site.old.pages["/open"] = "many"
    target = site.target(drain={"get": f"http://127.0.0.1:{site.old.port}/open", "within": 0.2})
    target.apply(1.0, fence=1)
    target.observe()
    time.sleep(0.25)
    assert "was not empty after 0.2 s" in target.observe().note
    assert "does not tell how many are open: 'many'" in target.observe().note


def test_the_old_environment_is_looked_at_while_it_is_kept(site: Site) -> None:
    """No way back to what is not alive: that is seen before it is needed."""
    target = site.target(keep_warm=f"http://127.0.0.1:{site.old.port}/ready")
    target.apply(1.0, fence=1)
    assert target.observe().baseline_ready is True
    stopped = site.target(keep_warm={"get": f"http://127.0.0.1:{site.old.port}/ready", "contains": "warm"})
    served = stopped.observe()
    assert served.baseline_ready is False
    assert "the old environment is not ready: " in served.note


def test_a_canary_inside_blue_green_is_passed_on_to_the_switch(site: Site) -> None:
    """A quarter of the users first; the switch says what it can do."""
    target = site.target(smoke=[site.smoke()])
    passed(target)
    target.apply(0.25, fence=2)
    assert target.observe().share == pytest.approx(target.nearest(0.25))
    assert site.served() == {"blue", "green"}


def test_users_who_are_there_are_not_taken_away_by_a_trial_but_by_its_failure() -> None:
    """While it is tried again the switch's word stands; once it failed the version counts as dead."""
    cast = Cast()
    options = {"switch": {"type": "scripted", "name": "s"}, "smoke": ["http://127.0.0.1:9/"], "again": 0.1}
    target = _environment(options, cast)
    cast["s"].share = 0.25
    assert target.observe().candidate_ready is True
    with pytest.raises(TemporaryError):
        target.apply(0.5, fence=1)
    wait_until(lambda: target.observe().candidate_ready is False)
    assert cast["s"].told == []


def test_nothing_is_tested_once_the_rollout_is_over(site: Site) -> None:
    """A trial that fails and would be run again ends with the target."""
    target = site.target(smoke=[site.smoke(contains="never")], again=0.05)
    target.apply(0.0, fence=1)
    wait_until(lambda: site.new.seen["/login"] > 2)
    close_target(target)
    time.sleep(0.2)
    seen = site.new.seen["/login"]
    time.sleep(0.3)
    assert site.new.seen["/login"] == seen


def test_a_preflight_runs_the_smoke_tests_and_looks_at_the_old_environment(site: Site) -> None:
    """Beside what the switch finds; nothing moves."""
    keep = f"http://127.0.0.1:{site.old.port}/health"
    site.old.is_sick = True
    target = site.target(smoke=[site.smoke(), site.smoke(contains="x")], keep_warm=keep)
    found = [(check.name, check.state) for check in target.preflight()][-3:]
    assert found == [("smoke test", "ok"), ("smoke test", "failed"), ("old environment", "failed")]
    assert target.observe().share == 0.0


def test_the_identity_is_that_of_the_switch(site: Site) -> None:
    """A second rollout that uses the balancer alone is refused."""
    alone = make_target("haproxy", _without_type(site.switch()), _nowhere())
    assert site.target().identity == alone.identity
    assert parts_of(site.target()) == (alone.identity,)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"switch": None}, "^target.switch: is missing"),
        ({"switch": {"type": "haproxy", "backend": "web"}}, r"^target.switch.candidate: is missing"),
        ({"smoke": [{"expect": 200}]}, r"^target.smoke\[0\].get: name an address"),
        (
            {"smoke": [{"get": "shop.example.com"}]},
            r'^target.smoke\[0\].get: "shop.example.com" is no address',
        ),
        ({"smoke": [{"run": "./test.sh"}]}, r"^target.smoke\[0\].run: is no list of words"),
        ({"smoke": [{"run": ["x"], "expect": 200}]}, r"^target.smoke\[0\].expect: belongs to an address"),
        ({"warm_up": {"ask": "http://a/", "faster": 1}}, r"^target.warm_up.faster: "),
        ({"drain": "long"}, r"^target.drain: "),
        ({"drain": {"within": 5}}, r"^target.drain.get: name an address"),
        ({"keep_warm": {"get": 7}}, r"^target.keep_warm.get: "),
        ({"smokes": []}, r"^target.smokes: "),
    ],
)
def test_an_option_that_cannot_be_used_is_named(options: dict[str, Any], problem: str) -> None:
    """With its whole path, however deep it stands."""
    switch = {"type": "command", "apply": ["a"], "observe": ["b"]}
    with pytest.raises(InputError, match=problem):
        make_target("environment", {"switch": switch, **options}, _nowhere())


def _environment(options: dict[str, Any], cast: Cast) -> Target:
    return make_target("environment", options, cast.around())


def _nowhere() -> Surroundings:
    return Surroundings(rollout="r", flags=None, make=make_target)  # type: ignore[arg-type]


def _without_type(spec: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if name != "type"}
