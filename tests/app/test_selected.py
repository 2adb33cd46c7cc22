"""Preflight says what a signal's options do not find: a slip is told before anybody is exposed."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server

from rollway.app import Rollway
from rollway.app.preflight import Ask, Preflight
from rollway.app.proof import Proof, is_telemetry_proven, refusals
from rollway.app.selected import check_bad, is_contradicted
from rollway.judge import Counts, Reading
from rollway.planning import Guard, Plan
from rollway.rollout.serving import Check
from rollway.signals.examined import Examined, Unmatched
from support.stories import GATE, START, canary, stage

Found = dict[tuple[str, str], Check]
TOTAL = "http_requests_total"


class Service:
    """Two servers behind one exporter; between two looks it serves `traffic`: (server, code, requests)."""

    def __init__(self, registry: CollectorRegistry, url: str) -> None:
        self.url = url
        self.traffic: tuple[tuple[str, str, int], ...] = ()
        self._requests = Counter("http_requests", "Requests.", ["server", "code"], registry=registry)
        self.seconds = Histogram(
            "took_seconds", "Durations.", ["server"], buckets=(0.1, 1), registry=registry
        )

    def serve(self, server: str, code: str, requests: int) -> None:
        self._requests.labels(server, code).inc(requests)

    def passes(self, _seconds: float) -> None:
        for server, code, requests in self.traffic:
            self.serve(server, code, requests)
            self.seconds.labels(server).observe(0.05)


@pytest.fixture
def service() -> Iterator[Service]:
    registry = CollectorRegistry()
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    yield Service(registry, f"http://127.0.0.1:{server.server_port}/metrics")
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def rollway(tmp_path: Path, fresh_data: Path) -> Iterator[Rollway]:
    rollway = Rollway(shutil.copytree(fresh_data, tmp_path / "data"))
    yield rollway
    rollway.close()


def a_plan(service: Service, *, expected: float | None = None, **options: str) -> Plan:
    signal = {
        "type": "scrape",
        "url": service.url,
        "arm_label": "server",
        "candidate": "new1",
        "baseline": "old1",
        "total": TOTAL,
        "bad": TOTAL + '{code=~"5.."}',
        **options,
    }
    stages = (
        stage("none", 0, "ready"),
        stage("ten", 0.1, bake_seconds=600),
        stage("half", 0.5, bake_seconds=600),
        stage("all", 1, "time"),
    )
    guard = Guard.model_validate({**GATE.model_dump(), "expected": expected, "signal": signal})
    target = {"type": "flag", "flag": "shop", "candidate": "new", "baseline": "old"}
    return canary(*stages, guards=(guard,), target=target)


def look(rollway: Rollway, service: Service, plan: Plan) -> Found:
    looked = Preflight(rollway.connectors, rollway.rollouts, rollway.clock, sleep=service.passes)
    proof = looked.prove(plan, Ask(pause=5, within=10))
    found = {(one.about, one.check.name): one.check for one in proof.findings}
    return {**found, ("", "stands"): Check("stands", "ok", told_of(plan, proof))}


def told_of(plan: Plan, proof: Proof) -> str:
    """What stands against a start, and whether the numbers count as proven."""
    names = [one.check.name for one in refusals(plan, proof, 30)]
    return f"{', '.join(names)}|{is_telemetry_proven(plan, proof)}"


# --- a slip in `bad` ------------------------------------------------------------------------------


def test_a_slip_in_bad_that_the_expected_rate_gives_away_stands_against_a_start(
    rollway: Rollway, service: Service
) -> None:
    """No series has this code, yet 1% is expected of 20,000 requests: it would see no fault, ever."""
    service.serve("old1", "200", 20_000)
    service.traffic = (("old1", "200", 225),)
    found = look(rollway, service, a_plan(service, expected=0.01, bad=TOTAL + '{code="5xxx"}'))
    bad = found["errors", "bad events"]
    assert bad.state == "failed"
    assert bad.told == (
        'no series of http_requests_total has code="5xxx"; there are: 200. '
        "0 of 20,225 so far are bad, 1.0% is expected"
    )
    assert "correct `bad`" in bad.hint
    fault = found["errors", "fault x5 found"]
    assert fault.state == "unknown"
    assert fault.told.startswith("none of 20,225 trials was bad, so nothing shows yet that `bad` finds any")
    assert found["", "stands"].told == "bad events|False"


@pytest.mark.parametrize(("say", "state"), [("gate", "failed"), ("brake", "unknown"), ("watch", "unknown")])
def test_such_a_slip_in_what_is_no_gate_is_told_and_stops_nothing(say: str, state: str) -> None:
    """As all that is found of brakes."""
    guard = GATE.model_copy(update={"expected": 0.01, "say": say})
    examined = Examined((Unmatched("bad", "no metric is called eror"),))
    check = check_bad(guard, a_reading(Counts(2_700, 0)), examined)
    assert check is not None
    assert check.state == state
    assert check.told == "no metric is called eror. 0 of 2,700 are bad, 1.0% is expected"


@pytest.mark.parametrize("expected", [None, 1e-6])
def test_a_service_without_an_error_so_far_is_asked_about_and_may_start(
    rollway: Rollway, service: Service, expected: float | None
) -> None:
    """Its client library makes the series with the first error; that none is there proves no slip."""
    service.serve("old1", "200", 20_000)
    service.traffic = (("old1", "200", 6_000),)
    found = look(rollway, service, a_plan(service, expected=expected))
    bad = found["errors", "bad events"]
    assert bad.state == "unknown"
    assert bad.told.endswith('has code=~"5.."; there are: 200. Right only if there was never a bad one')
    assert "cause one by hand" in bad.hint
    assert found["errors", "fault x5 found"].state != "ok"
    assert "errors" not in found["", "stands"].told


def test_errors_that_were_counted_earlier_prove_the_selector(rollway: Rollway, service: Service) -> None:
    """None within the few seconds of the look, but 400 of 40,000 before: the fault is put onto that 1%."""
    service.serve("old1", "200", 39_600)
    service.serve("old1", "503", 400)
    service.traffic = (("old1", "200", 500),)
    found = look(rollway, service, a_plan(service))
    assert ("errors", "bad events") not in found
    assert found["errors", "fault x5 found"].state == "ok"
    assert found["", "stands"].told == "|True"


def test_a_very_reliable_service_may_start_without_an_expected_rate(
    rollway: Rollway, service: Service
) -> None:
    """One error in 3,000,000,000: so rare a fault is not found in time, and nobody promised it."""
    service.serve("old1", "200", 2_999_999_999)
    service.serve("old1", "503", 1)
    service.traffic = (("old1", "200", 500),)
    found = look(rollway, service, a_plan(service))
    fault = found["errors", "fault x5 found"]
    assert fault.state == "unknown"
    assert "at the rate of all that was ever counted" in fault.told
    assert "errors" not in found["", "stands"].told


def test_an_old_incident_does_not_stand_for_tonight(rollway: Rollway, service: Service) -> None:
    """A fifth of all that was ever counted was bad; the fault is put onto the rate that is expected."""
    service.serve("old1", "200", 800_000)
    service.serve("old1", "503", 200_000)
    service.traffic = (("old1", "200", 500),)
    plain = look(rollway, service, a_plan(service, expected=0.01))["errors", "fault x5 found"]
    assert (plain.state, "ever counted" in plain.told) == ("ok", False)


def test_another_metric_for_bad_is_told_by_its_name(rollway: Rollway, service: Service) -> None:
    """And the numbers of the trials are there all the same."""
    service.traffic = (("old1", "200", 500),)
    found = look(rollway, service, a_plan(service, bad="http_request_total"))
    assert found["errors", "old version"].state == "ok"
    assert "no metric is called http_request_total; did you mean http_requests_total?" in (
        found["errors", "bad events"].told
    )


# --- rates that cannot be true --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "trials", "expected", "told"),
    [
        (0, 2_700, 0.01, "0 of 2,700 are bad, 1.0% is expected: is `bad` right?"),
        (270, 2_700, 0.01, "270 of 2,700 are bad (10.0%), 1.0% is expected: is `bad` right?"),
        (2_700, 2_700, 0.01, "2,700 of 2,700 are bad (100%), 1.0% is expected: is `bad` right?"),
        (1, 9_000, 0.01, "1 of 9,000 is bad (0.011%), 1.0% is expected: is `bad` right?"),
        (0, 1_500, 0.01, None),
        (40, 2_700, 0.01, None),
        (81, 2_700, 0.01, None),
        (0, 2_700, None, None),
        (2_700, 2_700, 0.6, None),
    ],
)
def test_a_rate_that_cannot_be_squared_with_the_expected_one_is_told(
    bad: int, trials: int, expected: float | None, told: str | None
) -> None:
    """By a chance below 1 in 1,000 even of a third, or of three times, of it."""
    guard = GATE.model_copy(update={"expected": expected})
    check = check_bad(guard, a_reading(Counts(trials, bad)), Examined())
    assert (check and check.told) == told
    assert check is None or check.state == "unknown"


def test_good_ones_are_called_so() -> None:
    """Where less is worse, `bad` counts them."""
    guard = GATE.model_copy(update={"expected": 0.9, "direction": "less_is_worse"})
    check = check_bad(guard, a_reading(Counts(2_700, 27)), Examined())
    assert check is not None
    assert check.told.startswith("27 of 2,700 are good (1.0%), 90.0% is expected")


def test_an_old_incident_in_the_counters_is_no_slip() -> None:
    """Of all that was ever counted, too many bad ones say nothing of today's."""
    guard = GATE.model_copy(update={"expected": 0.01})
    so_far = Examined((), a_reading(Counts(1_000_000, 200_000)))
    assert check_bad(guard, a_reading(Counts(2_700, 27)), so_far) is None


@given(trials=st.integers(1, 400), part=st.floats(0, 1), expected=st.floats(0.001, 0.999, exclude_max=True))
def test_the_bound_is_the_exact_binomial_one(trials: int, part: float, expected: float) -> None:
    """As the plain sum over all outcomes has it."""
    bad = round(trials * part)

    def chance(rate: float, outcomes: range) -> float:
        return math.fsum(math.comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in outcomes)

    if bad < trials * expected:
        plain = chance(expected / 3, range(bad + 1))
    else:
        plain = chance(3 * expected, range(bad, trials + 1)) if 3 * expected < 1 else 1.0
    if abs(plain - 1e-3) > 1e-9:
        assert is_contradicted(bad, trials, expected) == (plain < 1e-3)


# --- a slip in a version, a label, a metric -------------------------------------------------------


def test_a_slip_in_the_new_versions_name_is_told_with_those_that_are_there(
    rollway: Rollway, service: Service
) -> None:
    """The exporter lists new1 at 0 already, and has no new2."""
    service.serve("new1", "200", 0)
    service.traffic = (("old1", "200", 500), ("old1", "503", 5))
    new = look(rollway, service, a_plan(service, candidate="new2"))["errors", "new version"]
    assert (new.state, new.told) == ("unknown", 'no series has server="new2" yet; there are: new1, old1')
    assert "if not, correct it" in new.hint


def test_a_new_version_that_is_listed_at_zero_is_found(rollway: Rollway, service: Service) -> None:
    """Its series is there: that is more than silence."""
    service.serve("new1", "200", 0)
    service.traffic = (("old1", "200", 500), ("old1", "503", 5))
    new = look(rollway, service, a_plan(service))["errors", "new version"]
    assert (new.state, new.told) == ("ok", "reported, at 0, for it serves nobody")


def test_a_new_version_that_is_served_and_not_found_fails_with_those_that_are_there(
    rollway: Rollway, service: Service
) -> None:
    """Half of the users have it, so its series must be there."""
    service.traffic = (("old1", "200", 500), ("new1", "200", 500))
    plan = a_plan(service, candidate="new2")
    rollway.connectors.target("earlier", plan).apply(0.5, fence=1)
    new = look(rollway, service, plan)["errors", "new version"]
    assert new.state == "failed"
    assert new.told.endswith("there are: new1, old1, though 50.00% of the users have it")


def test_a_slip_in_the_old_versions_name_fails(rollway: Rollway, service: Service) -> None:
    """With those that are there, and the option to mend."""
    service.traffic = (("old1", "200", 500),)
    old = look(rollway, service, a_plan(service, baseline="old"))["errors", "old version"]
    assert (old.state, old.told) == ("failed", 'no series has server="old" yet; there are: old1')
    assert "`baseline`" in old.hint


def test_a_slip_in_the_metrics_name_is_told_before_the_labels(rollway: Rollway, service: Service) -> None:
    """Of both versions: it is no slip in `baseline` nor in `candidate`."""
    service.traffic = (("old1", "200", 500),)
    metric = "http_request_total"
    found = look(rollway, service, a_plan(service, total=metric, bad=metric + '{code="503"}'))
    told = "no metric is called http_request_total; did you mean http_requests_total?"
    for version, state in (("old version", "failed"), ("new version", "unknown")):
        check = found["errors", version]
        assert (check.state, check.told) == (state, told)
        assert "`total`" in check.hint
    assert ("errors", "bad events") not in found


def test_a_slip_in_the_label_of_the_version_is_told_with_the_labels(
    rollway: Rollway, service: Service
) -> None:
    """Neither version's name is wrong."""
    service.traffic = (("old1", "200", 500),)
    old = look(rollway, service, a_plan(service, arm_label="sever"))["errors", "old version"]
    assert (old.state, old.told) == ("failed", "no series has a label sever; there are: code, server")
    assert "`arm_label`" in old.hint


def test_a_signal_that_fails_to_examine_its_source_has_its_numbers_all_the_same(
    rollway: Rollway, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it cannot tell is left out."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("rollway.signals.scrape.ScrapeSignal.examine", broken)
    service.traffic = (("old1", "200", 500), ("old1", "503", 5))
    found = look(rollway, service, a_plan(service, candidate="new2"))
    assert found["errors", "old version"].state == "ok"
    assert "serves nobody" in found["errors", "new version"].told


def a_reading(old: Any) -> Reading:
    return Reading("errors", START.timestamp() - 60, START.timestamp(), "none", 0.0, None, old)
