"""A latency that only a native histogram tells: a slow build is taken back, a good one is not."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from rollway.app import Rollway
from rollway.app.preflight import Ask, Preflight
from rollway.app.runtime import Runtime
from rollway.facts.model import Release
from support.native import Native, NativePage, native_page
from support.prometheus import prometheus
from support.rollouts import share_of_users, start_plan, wait_for
from support.world import release_facts

METRIC = "http_request_duration_seconds"
PACE = 40
"""Requests of the new version in each turn; the old one has four times as many."""


class Service:
    """Serves both versions, the new one `slower` times as slow, until it is closed."""

    def __init__(self, page: NativePage, url: str) -> None:
        self.url, self.slower = url, 1.0
        self._page = page
        self._arms = {version: page.add(METRIC, Native(3), version=version) for version in ("new", "old")}
        self._drawn = random.Random(11)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._is_over.set()
        self._thread.join()

    def _serve(self) -> None:
        while not self._is_over.wait(0.05):
            with self._page.at_once():
                for version, requests, slower in (("new", PACE, self.slower), ("old", 4 * PACE, 1.0)):
                    for _ in range(requests):
                        self._arms[version].observe(slower * self._drawn.lognormvariate(-2.5, 0.7))


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NativePage, str]]:
    folder = tmp_path_factory.mktemp("prometheus")
    with native_page() as page, prometheus(folder, page.url, features=("native-histograms",)) as server:
        yield page, server.url


@pytest.fixture
def service(scraped: tuple[NativePage, str]) -> Iterator[Service]:
    service = Service(*scraped)
    yield service
    service.close()


def a_release(service: Service, **more: Any) -> Release:
    facts = release_facts("http://127.0.0.1:1/metrics", bake="2s", check_every="0.5s")
    signal = {
        "type": "prometheus",
        "url": service.url,
        "arm_label": "version",
        "candidate": "new",
        "baseline": "old",
        "histogram": METRIC,
    }
    kpi = {"name": "latency", "kind": "latency", "tolerance": 1.25, "signal": signal, **more}
    return Release.model_validate({**facts, "kpis": [kpi]})


def started(rollway: Rollway, service: Service) -> str:
    plan = rollway.plan(a_release(service))
    rollway.approve(plan, "bo")
    return start_plan(rollway, plan, "ops")


def test_a_slow_build_is_taken_back(rollway: Rollway, runtime: Runtime, service: Service) -> None:
    """Twice as slow: nobody has it any more, and the record names the KPI."""
    service.slower = 2.0
    rollout = started(rollway, service)
    wait_for(lambda: rollway.load(rollout).state.is_final, within=90)
    assert rollway.load(rollout).state.phase == "rolled_back"
    entry = next(entry for entry in rollway.rollouts.record(rollout) if entry.kind == "rollback")
    assert "latency" in entry.text
    assert share_of_users(runtime.book) == 0.0


def test_a_build_as_fast_as_the_old_one_reaches_everyone(
    rollway: Rollway, runtime: Runtime, service: Service
) -> None:
    """Every stage on evidence of native histograms alone."""
    rollout = started(rollway, service)
    wait_for(lambda: rollway.load(rollout).state.is_final, within=90)
    assert rollway.load(rollout).state.phase == "done"
    assert share_of_users(runtime.book) == 1.0


def test_preflight_finds_the_versions_and_a_planted_fault(rollway: Rollway, service: Service) -> None:
    """Both versions are found though nothing is called `_bucket`; the bounds that it tells may be stated as
    they are written there."""
    wait_for(lambda: "new version" in _found(rollway, service), within=15)
    found = _found(rollway, service)
    assert found["source"].state == found["old version"].state == found["new version"].state == "ok"
    assert found["fault x5 found"].state == "ok"
    assert found["buckets"].state == "unknown"
    stated = found["buckets"].hint.partition("[")[2].partition("]")[0]
    again = _found(rollway, service, buckets=[float(bound) for bound in stated.split(",")])
    assert again["buckets"].state == "ok"
    assert "41 bounds" in again["buckets"].told


def _found(rollway: Rollway, service: Service, **more: Any) -> dict[str, Any]:
    plan = rollway.plan(a_release(service, **more))
    looked = Preflight(rollway.connectors, rollway.rollouts, rollway.clock, sleep=time.sleep)
    found = looked.run(plan, Ask(pause=1, within=6))
    return {one.check.name: one.check for one in found if one.about == "latency"}
