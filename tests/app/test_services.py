"""Whole rollouts of several services at once: all reach each stage, all come back, and nobody else may switch
one of them meanwhile."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from rollway.app import Rollway
from rollway.app.preflight import Ask, Preflight
from rollway.app.runtime import Runtime
from rollway.errors import ConflictError, RefusedError
from rollway.facts import Release
from rollway.flags import served_share
from support.envoy import envoy
from support.haproxy import haproxy
from support.nginx import nginx
from support.rollouts import start_plan, wait_for
from support.versions import answers, versions
from support.world import Metrics, release_facts

NAMES = ("database", "api", "web")


@pytest.fixture
def database(tmp_path: Path) -> str:
    """One kind of database is enough here: the engine has its own tests for both."""
    return str(tmp_path / "data")


def flag(name: str) -> dict[str, Any]:
    return {"type": "flag", "flag": name, "candidate": "new", "baseline": "old"}


def services(*names: str) -> dict[str, Any]:
    return {"type": "services", "services": [{"name": name, "target": flag(name)} for name in names]}


def started(rollway: Rollway, metrics: Metrics, target: dict[str, Any], **more: str) -> str:
    facts = {**release_facts(metrics.url, **more), "target": target}
    plan = rollway.plan(Release.model_validate(facts))
    rollway.approve(plan, "bo")
    return start_plan(rollway, plan, "ops")


def shares(rollway: Rollway) -> list[float]:
    definitions = [rollway.flags.read(name) for name in NAMES]
    return [served_share(one, "new", key="x", timestamp=0) if one else 0.0 for one in definitions]


def test_a_release_of_three_services_reaches_everyone_stage_by_stage(
    rollway: Rollway, runtime: Runtime, metrics: Metrics
) -> None:
    """Each stage counts once, when all three were read back; at the end all serve everyone."""
    rollout = started(rollway, metrics, services(*NAMES))
    wait_for(lambda: rollway.load(rollout).state.is_final)
    assert rollway.load(rollout).state.phase == "done"
    read_back = [e.data["share"] for e in rollway.rollouts.record(rollout) if e.kind == "exposure_verified"]
    assert read_back == [0.0, 0.1, 0.5, 0.95, 1.0]
    assert shares(rollway) == [1.0, 1.0, 1.0]


def test_a_bad_release_takes_all_three_services_back(
    rollway: Rollway, runtime: Runtime, metrics: Metrics
) -> None:
    """Five times the errors: none of the services stays behind."""
    metrics.break_new_version(0.10)
    rollout = started(rollway, metrics, services(*NAMES))
    wait_for(lambda: rollway.load(rollout).state.is_final)
    assert rollway.load(rollout).state.phase == "rolled_back"
    assert shares(rollway) == [0.0, 0.0, 0.0]


def test_a_service_that_does_not_follow_holds_the_release_and_all_can_be_taken_back(
    rollway: Rollway, runtime: Runtime, metrics: Metrics
) -> None:
    """It is named in the hold; the one that had moved goes back on a person's word."""
    stuck = {"type": "command", "apply": ["true"], "observe": ["echo", "0"]}
    target = services("database")
    target["services"].append({"name": "web", "target": stuck})
    rollout = started(rollway, metrics, {**target, "patience": 0.5})
    wait_for(lambda: rollway.load(rollout).state.phase == "paused")
    assert "web serves 0 and not 0.1, after 0.5 s." in rollway.load(rollout).state.standing
    assert shares(rollway) == [0.1, 0.0, 0.0]
    rollway.say(rollout, "rollback", "ops", "web is stuck")
    runtime.wake()
    wait_for(lambda: rollway.load(rollout).state.phase == "rolled_back")
    assert shares(rollway) == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("running", "refused"),
    [
        (services(*NAMES), flag("api")),
        (flag("api"), services(*NAMES)),
        (services("api"), services("web", "api")),
    ],
)
def test_two_rollouts_that_share_one_service_are_refused(
    rollway: Rollway, metrics: Metrics, running: dict[str, Any], refused: dict[str, Any]
) -> None:
    """The second is told who holds which part, at its start and by its preflight; others may start."""
    first = started(rollway, metrics, running, name="first")
    with pytest.raises(RefusedError, match=rf"{first} is carried out on the same target \(flag:api\)"):
        started(rollway, metrics, refused, name="second")
    plan = rollway.plan(
        Release.model_validate({**release_facts(metrics.url, name="second"), "target": refused})
    )
    looked = Preflight(rollway.connectors, rollway.rollouts, rollway.clock).run(plan, Ask(0.1, 0.1))
    assert [f.check.state for f in looked if f.check.name == "free"] == ["failed"]
    started(rollway, metrics, services("mail", "search"), name="third")


def test_a_rollout_that_ended_holds_nothing(rollway: Rollway, runtime: Runtime, metrics: Metrics) -> None:
    """Once the first is over its services are free again."""
    first = started(rollway, metrics, services("api", "web"), name="first", bake="60s")
    rollway.say(first, "rollback", "ops", "never mind")
    runtime.wake()
    wait_for(lambda: rollway.load(first).state.is_final)
    started(rollway, metrics, flag("api"), name="second")


def test_one_release_behind_three_real_balancers(
    rollway: Rollway, runtime: Runtime, metrics: Metrics, tmp_path: Path
) -> None:
    """HAProxy, Envoy and nginx, each before a service of its own, reach every stage together."""
    with ExitStack() as stack:
        ports, listed = [], []
        for number, name in enumerate(("database", "api", "web")):
            folder = tmp_path / name
            folder.mkdir()
            old, new = stack.enter_context(versions("old", "new"))
            port, target = _balancer(number, folder, old, new, stack)
            ports.append(port)
            listed.append({"name": name, "target": target})
        rollout = started(rollway, metrics, {"type": "services", "services": listed})
        wait_for(lambda: rollway.load(rollout).state.is_final)
        assert rollway.load(rollout).state.phase == "done"
        entries = rollway.rollouts.record(rollout)
        assert [e.data["share"] for e in entries if e.kind == "exposure_verified"] == [
            0.0,
            0.1,
            0.5,
            0.95,
            1.0,
        ]
        assert [set(answers(port, 10)) for port in ports] == [{"new"}] * 3


def _balancer(number: int, folder: Path, old: Any, new: Any, stack: ExitStack) -> tuple[int, dict[str, Any]]:
    sides = {"candidate": "new", "baseline": "old"}
    if number == 0:
        running = stack.enter_context(haproxy(folder, [("old", old, 256), ("new", new, 0)]))
        return running.port, {"type": "haproxy", "socket": str(running.socket), "backend": "web", **sides}
    if number == 1:
        proxy = stack.enter_context(envoy(folder, old, new))
        places = {"admin": proxy.admin, "file": str(proxy.file), "key": "rollway.web"}
        return proxy.port, {"type": "envoy", **places, **sides}
    server = stack.enter_context(nginx(folder, old, new))
    commands = {"test": [*server.command, "-t"], "reload": [*server.command, "-s", "reload"]}
    places = {"file": str(server.file), "variable": "web", "probe": f"http://127.0.0.1:{server.port}/rollway"}
    return server.port, {"type": "nginx", **places, **commands, "candidate": "web_new", "baseline": "web_old"}


def test_a_release_waits_for_the_smoke_test_of_its_new_environment(
    rollway: Rollway, runtime: Runtime, metrics: Metrics, tmp_path: Path
) -> None:
    """Nobody is switched while it fails, the record says why, and once it passes the release goes on."""
    with ExitStack() as stack:
        old, new = stack.enter_context(versions("old", "new"))
        running = stack.enter_context(haproxy(tmp_path, [("old", old, 256), ("new", new, 0)]))
        switch = {"type": "haproxy", "socket": str(running.socket), "backend": "web"}
        smoke = [{"get": f"http://127.0.0.1:{new.port}/login", "contains": "Welcome"}]
        target = {
            "type": "environment",
            "switch": {**switch, "candidate": "new", "baseline": "old"},
            "smoke": smoke,
            "again": 0.2,
        }
        rollout = started(rollway, metrics, target)
        wait_for(lambda: "the new version is not ready" in rollway.load(rollout).state.standing)
        assert set(answers(running.port, 10)) == {"old"}
        said = [entry.text for entry in rollway.rollouts.record(rollout) if entry.kind == "target"]
        assert any("1 of 1 smoke tests failed" in text for text in said)
        new.pages["/login"] = "Welcome"
        wait_for(lambda: rollway.load(rollout).state.is_final)
        assert rollway.load(rollout).state.phase == "done"
        assert set(answers(running.port, 10)) == {"new"}


def test_two_that_share_a_service_and_start_at_the_same_moment_do_not_both_run(
    rollway: Rollway, runtime: Runtime, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither saw the other before it began: the one that sees it afterwards is called off, and says why."""
    first = started(rollway, metrics, services("api", "web"), name="first", bake="60s")
    monkeypatch.setattr(rollway, "_refuse_busy_target", lambda target: None)
    with pytest.raises(ConflictError, match=f"second-2.4.0-1 is called off: {first} is carried out"):
        started(rollway, metrics, services("web", "mail"), name="second")
    runtime.wake()
    wait_for(lambda: rollway.load("second-2.4.0-1").state.phase == "rolled_back")
    assert rollway.load(first).state.phase != "rolled_back"
