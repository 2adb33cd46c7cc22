"""The example's release file: it loads, it leads to a canary, and its KPIs are read from the real service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rollway.choice import choose
from rollway.facts import load_release
from rollway.facts.model import Kpi, Release
from rollway.judge import Counts, Histogram
from rollway.readiness import assess
from rollway.rollout.ports import Interval
from rollway.signals.scrape import ScrapeSignal

SERVICE = "http://127.0.0.1:8101"


@pytest.fixture(scope="module")
def release(example: Path) -> Release:
    return load_release(example / "release.yaml")


def test_it_is_ready_and_leads_to_a_canary(release: Release) -> None:
    """A change of performance and workflow: no big bang, nothing missing that a review would ask for."""
    assert {touch for item in release.backlog.items for touch in item.touches} >= {"performance", "workflow"}
    open_checks = [(check.id, check.state) for check in assess(release).checks if check.state != "ok"]
    assert open_checks == [("cutover.freezes", "unknown")]  # it has no date yet, and says so
    choice = choose(release)
    assert choice.recommended == "canary"
    assert choice.of("big_bang").state == "blocked"


def test_the_steps_are_those_of_the_method_document(release: Release) -> None:
    """10 percent in a low-traffic window, then 50, then 100, by a flag that switches back at once."""
    assert release.rollout.shares == (0.10, 0.50, 1.00)
    (window,) = release.agreements.windows
    assert (window.opens, window.closes) == ("20:00", "06:00")
    assert release.target is not None
    assert release.target.type == "flag"
    assert release.release.prepared_by not in release.agreements.approvers


def test_every_kpi_finds_its_numbers_in_the_service(
    release: Release, services: dict[str, Any], flags: Any
) -> None:
    """Both arms, from the first page on, with nothing left to remark."""
    flags.expose(0.5)
    service = services["good"]
    signals = {kpi.name: signal(kpi, service.url) for kpi in release.kpis}
    first = {name: one.collect(None, Interval("baseline", 0.5, 1.0)) for name, one in signals.items()}
    for user in [f"user-{number}" for number in range(12)]:
        service.get(f"/report?user={user}")
        service.post(f"/feedback?user={user}&happy=0")
    second = {
        name: one.collect(first[name].cursor, Interval("first", 0.5, 2.0)) for name, one in signals.items()
    }
    assert {name: one.note for name, one in second.items()} == dict.fromkeys(signals, "")
    readings = {name: one.reading for name, one in second.items()}
    for arm in ("candidate", "baseline"):
        errors, feedback, latency = (
            getattr(readings[name], arm) for name in ("errors", "feedback", "latency")
        )
        assert isinstance(errors, Counts)
        assert isinstance(latency, Histogram)
        assert errors.trials == sum(latency.counts) == feedback.trials == feedback.bad > 0


def signal(kpi: Kpi, url: str) -> ScrapeSignal:
    options = kpi.signal.options()
    assert options["url"] == f"{SERVICE}/metrics"
    return ScrapeSignal(kpi.name, kpi.kind, {**options, "url": f"{url}/metrics"})
