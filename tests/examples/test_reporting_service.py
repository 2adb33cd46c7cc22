"""The example service, run as by hand: its answers, its metrics, its faults, its end."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

Services = dict[str, Any]
Import = Callable[[str], ModuleType]


def counted(service: Any) -> Counter[tuple[str, ...]]:
    """Each series of the metrics page, by name and label values in the order of their labels' names."""
    _, _, body = service.get("/metrics")
    return Counter(
        {
            (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
            for family in text_string_to_metric_families(body.decode())
            for sample in family.samples
            if sample.name.startswith("report_")
        }
    )


def ask_often(module: Import, url: str, times: int, *, at_once: int) -> Counter[tuple[int, str]]:
    """So many reports for as many users; what came back."""
    client = module("users").HttpClient(url)

    async def one_after_the_other(first: int) -> list[tuple[int, str]]:
        return [
            await client.send("GET", f"/report?user=user-{user}") for user in range(first, times, at_once)
        ]

    async def all_of_them() -> Counter[tuple[int, str]]:
        answers = await asyncio.gather(*(one_after_the_other(first) for first in range(at_once)))
        client.close()
        return Counter(answer for some in answers for answer in some)

    return asyncio.run(all_of_them())


def test_every_series_is_there_before_the_first_request(services: Services) -> None:
    """So that "no error yet" can be told from "no such metric"."""
    series = counted(services["latency"])
    for variant in ("old", "new"):
        assert ("report_requests_total", "error", variant) in series
        assert ("report_feedback_total", "unhappy", variant) in series
        assert ("report_seconds_bucket", "+Inf", variant) in series


def test_the_flag_says_who_gets_which_report(services: Services, flags: Any) -> None:
    """A user keeps the version, the answer names it, and the page counts it."""
    flags.expose(0.5)
    service = services["good"]
    before = counted(service)
    met: dict[str, str] = {}
    for user in [f"user-{number}" for number in range(14)] * 2:
        status, headers, body = service.get(f"/report?user={user}")
        variant = headers["X-Variant"]
        assert met.setdefault(user, variant) == variant
        if status == 200 and variant == "new":
            assert json.loads(body)["chart"]["type"] == "line"
        elif status == 200:
            assert body.startswith(b"region ")
    counts = Counter(met.values())
    assert counts["new"] > 2
    assert counts["old"] > 2
    rise = counted(service)
    rise.subtract(before)
    for variant, users in counts.items():
        asked = sum(rise["report_requests_total", outcome, variant] for outcome in ("ok", "error"))
        assert asked == rise["report_seconds_count", variant] == 2 * users


def test_a_rollback_is_felt_at_the_next_request(services: Services, flags: Any) -> None:
    """Nothing on the way remembers who had the new version."""
    for share, variant in ((1.0, "new"), (0.0, "old"), (1.0, "new")):
        flags.expose(share)
        assert {services["good"].get(f"/report?user=u{n}")[1]["X-Variant"] for n in range(3)} == {variant}


def test_feedback_counts_for_the_version_that_was_met(services: Services, flags: Any) -> None:
    """A word about the new report stays one, even when it comes after the rollback."""
    service = services["good"]
    flags.expose(1.0)
    service.get("/report?user=critic")
    flags.expose(0.0)
    before = counted(service)
    assert service.post("/feedback?user=critic&happy=0")[0] == 204
    assert service.post("/feedback?user=critic&happy=1")[0] == 204
    rise = counted(service)
    rise.subtract(before)
    assert {key: value for key, value in rise.items() if value} == {
        ("report_feedback_total", "unhappy", "new"): 1,
        ("report_feedback_total", "happy", "new"): 1,
    }


@pytest.mark.parametrize("path", ["/feedback?user=stranger&happy=1", "/feedback?user=critic&happy=perhaps"])
def test_feedback_from_nobody_or_about_nothing_is_refused(services: Services, path: str) -> None:
    """It is not counted for a version that may not have been met."""
    assert services["good"].post(path)[0] == 400


def test_a_report_is_for_somebody(services: Services) -> None:
    """Without a user there is nobody to choose a version for."""
    assert services["good"].get("/report")[0] == 400


def test_without_rollway_the_old_report_is_served(services: Services) -> None:
    """Nobody there to ask is no reason to fail, nor to wait."""
    began = time.monotonic()
    answers = [services["alone"].get(f"/report?user=u{number}") for number in range(10)]
    assert time.monotonic() - began < 3
    assert {headers["X-Variant"] for _, headers, _ in answers} == {"old"}
    assert services["alone"].get("/healthz")[0] == 200


def test_a_rollway_that_hangs_is_not_waited_for(services: Services, flags: Any) -> None:
    """After a third of a second, the old report is served."""
    flags.expose(1.0)
    flags.delay = 2.0
    try:
        began = time.monotonic()
        _, headers, _ = services["good"].get("/report?user=patient")
        assert headers["X-Variant"] == "old"
        assert time.monotonic() - began < 1.5
    finally:
        flags.delay = 0.0
        time.sleep(0.35)  # the threads that still wait give up


def test_the_errors_build_fails_five_times_as_often(services: Services, flags: Any, module: Import) -> None:
    """In the real process, over the real wire, and in the new version only."""
    flags.expose(0.5)
    met = ask_often(module, services["errors"].url, 700, at_once=16)
    shares = {
        variant: met[500, variant] / (met[200, variant] + met[500, variant]) for variant in ("new", "old")
    }
    assert 0.13 < shares["new"] < 0.28
    assert shares["old"] < 0.09
    series = counted(services["errors"])
    for variant in ("new", "old"):
        assert series["report_requests_total", "error", variant] == met[500, variant]


def test_the_latency_build_has_a_slow_tenth(services: Services, flags: Any, module: Import) -> None:
    """Its histogram shows it above 150 ms, where the old version has next to nothing."""
    flags.expose(0.5)
    ask_often(module, services["latency"].url, 500, at_once=8)
    series = counted(services["latency"])
    slow = {
        variant: 1
        - series["report_seconds_bucket", "0.15", variant] / series["report_seconds_count", variant]
        for variant in ("new", "old")
    }
    assert slow["new"] > 0.05
    assert slow["new"] > 2.5 * slow["old"]


def test_it_ends_in_good_order(one_more: Any) -> None:
    """With code 0, without a traceback, and without having logged its requests."""
    assert one_more.get("/report?user=last")[0] in (200, 500)
    assert one_more.stop() == (0, "")
