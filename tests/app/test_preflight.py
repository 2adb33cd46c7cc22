"""Preflight looks at real sources and a real flag, says what it found, and changes nothing."""

from __future__ import annotations

import importlib.metadata
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from rollway.app import Rollway
from rollway.app.planted import find, law_of, made_worse, steps_of
from rollway.app.preflight import Ask, Preflight, check_buckets
from rollway.app.proof import Proof, refusals
from rollway.facts.model import SignalSpec
from rollway.judge import Counts, Histogram, Moments
from rollway.planning import Exposure, Guard, Plan
from rollway.planning.durations import USUAL_BOUNDS
from rollway.rollout.pushed import SentRow
from rollway.rollout.serving import Check
from support.rollouts import start_plan, started
from support.stories import GATE, canary, stage
from support.world import Metrics, a_release

QUICK = Ask(pause=0.3, within=0.9)


@pytest.fixture
def rollway(tmp_path: Path, fresh_data: Path) -> Iterator[Rollway]:
    rollway = Rollway(shutil.copytree(fresh_data, tmp_path / "data"))
    yield rollway
    rollway.close()


@pytest.fixture
def push_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The push signal under its name, as its entry point gives it."""
    known = importlib.metadata.entry_points

    def found(**chosen: Any) -> list[EntryPoint]:
        more = [EntryPoint("push", "rollway.signals.push:PushSignal", "rollway.signals")]
        return [*known(**chosen), *(more if chosen["group"] == "rollway.signals" else [])]

    monkeypatch.setattr("rollway.app.connectors.entry_points", found)


def look(rollway: Rollway, plan: Plan, ask: Ask = QUICK) -> dict[tuple[str, str], Check]:
    found = looked(rollway).run(plan, ask)
    return {(finding.about, finding.check.name): finding.check for finding in found}


def looked(rollway: Rollway, sleep: Callable[[float], None] = time.sleep) -> Preflight:
    return Preflight(rollway.connectors, rollway.rollouts, rollway.clock, sleep=sleep)


def test_a_plan_that_can_run_is_clear(rollway: Rollway, metrics: Metrics) -> None:
    """Both versions tell, the numbers are young, a planted fault is found, and the target is free."""
    found = look(rollway, rollway.plan(a_release(metrics.url, bake="1m", check_every="1s")))
    assert {check.state for check in found.values()} == {"ok", "unknown"}
    assert found["errors", "old version"].state == "ok"
    assert "2.0% counted as `bad`" in found["errors", "old version"].told
    assert found["errors", "new version"].state == "ok"
    assert found["errors", "age"].state == "ok"
    fault = found["errors", "fault x5 found"]
    assert fault.state == "ok"
    assert "chance above 99%" in fault.told


def test_a_source_that_does_not_answer_fails(rollway: Rollway, metrics: Metrics) -> None:
    """With the source's own words, and nothing is said about numbers that nobody has seen."""
    plan = rollway.plan(a_release(metrics.url))
    metrics.is_down = True
    found = look(rollway, plan)
    assert found["errors", "source"].state == "failed"
    assert "503" in found["errors", "source"].told
    assert [name for about, name in found if about == "errors"] == ["source"]


def test_a_source_that_comes_back_within_the_time_is_fine(rollway: Rollway, metrics: Metrics) -> None:
    """One failed look is no verdict."""
    plan = rollway.plan(a_release(metrics.url))
    metrics.is_down = True

    def wait(seconds: float) -> None:
        metrics.is_down = False
        time.sleep(1.5)  # a source that failed is left alone for a second

    found = looked(rollway, wait).run(plan, Ask(pause=1, within=3))
    states = {finding.check.name: finding.check.state for finding in found if finding.about == "errors"}
    assert states["source"] == "ok"


def test_a_source_that_has_not_asked_the_service_yet_is_given_its_time(
    rollway: Rollway, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prometheus takes some seconds to find whom to scrape; until then it answers, and knows no series."""
    plan = rollway.plan(a_release(metrics.url))
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        time.sleep(0.2)
        if len(waited) == 2:
            monkeypatch.undo()

    monkeypatch.setattr(metrics, "page", lambda: "# TYPE process_open_fds gauge\nprocess_open_fds 7\n")
    found = looked(rollway, wait).run(plan, Ask(pause=1, within=30))
    states = {finding.check.name: finding.check.state for finding in found if finding.about == "errors"}
    assert states["old version"] == "ok"
    assert len(waited) < 6


def test_a_version_that_serves_nobody_is_unknown_and_told_plainly(rollway: Rollway, tmp_path: Path) -> None:
    """Whether its numbers would be found cannot be known; the fault is planted into the old one's."""
    plan = with_csv(tmp_path, old=30_000)
    found = look(rollway, plan)
    assert found["errors", "new version"].state == "unknown"
    assert "serves nobody" in found["errors", "new version"].told
    assert found["errors", "fault x5 found"].state == "ok"


def test_a_version_that_is_served_and_has_no_numbers_fails(rollway: Rollway, tmp_path: Path) -> None:
    """Half of the users have it, and no trial of it was seen: its numbers are not found."""
    plan = with_csv(tmp_path, old=30_000)
    rollway.connectors.target("earlier", plan).apply(0.5, fence=1)
    found = look(rollway, plan)
    assert found["errors", "new version"].state == "failed"
    assert "`candidate`" in found["errors", "new version"].hint
    assert found["target", "starts from nobody"].state == "failed"
    assert "50.00%" in found["target", "starts from nobody"].told


def test_a_source_that_is_needed_in_a_later_stage_only_need_not_be_there_yet(
    rollway: Rollway, tmp_path: Path
) -> None:
    """The survey's file comes with its answers: nobody is refused a start for that, and is told from when on
    it is asked. One that counts from the first stage on has to be there."""
    plan = with_csv(tmp_path, old=30_000)
    spec = SignalSpec.model_validate(
        {**plan.guards[0].signal.model_dump(), "file": str(tmp_path / "survey.csv")}
    )
    survey = plan.guards[0].model_copy(update={"kpi": "survey", "signal": spec, "stages": ("half", "all")})
    later = plan.model_copy(update={"guards": (*plan.guards, survey)})
    found = look(rollway, later)
    assert refusals(later, looked(rollway).prove(later, QUICK), waited=60) == ()
    assert found["survey", "source"].state == "unknown"
    assert found["survey", "source"].hint == "it is asked from 'half' on; look again before that"
    assert found["errors", "source"].state == "ok"
    early = survey.model_copy(update={"stages": ("baseline", "half")})
    found = look(rollway, plan.model_copy(update={"guards": (*plan.guards, early)}))
    assert found["survey", "source"].state == "failed"


def test_what_tells_of_the_past_is_asked_for_ten_minutes_at_once(rollway: Rollway, tmp_path: Path) -> None:
    """No waiting: a file, a database or a service knows what happened before."""

    def wait(seconds: float) -> None:
        raise AssertionError("there is nothing to wait for")

    found = looked(rollway, wait).run(with_csv(tmp_path, old=30_000), QUICK)
    told = {finding.check.name: finding.check.told for finding in found if finding.about == "errors"}
    assert told["source"] == "told of 10 min"
    assert told["old version"] == "3,000 a minute, 2.0% counted as `bad`"


def test_too_little_traffic_for_the_plan_fails(rollway: Rollway, tmp_path: Path) -> None:
    """Five requests in ten minutes tell nothing in stages of a minute; the hint says what would help."""
    found = look(rollway, with_csv(tmp_path, old=5, bad=1))
    fault = found["errors", "fault x5 found"]
    assert (fault.state, fault.told) == ("failed", "not before the end of the plan, at 1 trials a minute")
    assert "longer stages" in fault.hint


def test_nothing_bad_at_all_can_be_multiplied_only_with_an_expected_rate(
    rollway: Rollway, tmp_path: Path
) -> None:
    """Five times nothing is nothing: unknown, with what to state; put upon the usual rate it would be found,
    which still shows nothing of the selector."""
    found = look(rollway, with_csv(tmp_path, old=30_000, bad=0))
    assert found["errors", "fault x5 found"].state == "unknown"
    assert "`expected`" in found["errors", "fault x5 found"].hint
    found = look(rollway, with_csv(tmp_path, old=30_000, bad=0, expected=0.02))
    fault = found["errors", "fault x5 found"]
    assert fault.state == "unknown"
    assert "nothing shows yet that `bad` finds any; at the rate expected: after about" in fault.told
    assert found["errors", "bad events"].told.endswith("are bad, 2.0% is expected: is `bad` right?")


def test_numbers_that_are_older_than_the_judge_allows_fail(rollway: Rollway, tmp_path: Path) -> None:
    """It would call itself blind at the first look."""
    found = look(rollway, with_csv(tmp_path, old=30_000, delay="5m"))
    assert found["errors", "age"].state == "failed"
    assert "300 s old" in found["errors", "age"].told or "5 min old" in found["errors", "age"].told


def test_a_signal_that_is_not_installed_or_not_told_enough_fails(rollway: Rollway) -> None:
    """The same words as at the start, before the start."""
    unknown = GATE.model_copy(update={"kpi": "odd", "signal": SignalSpec(type="crystal-ball")})
    found = look(rollway, canary(guards=(GATE, unknown)))
    assert "signal.url: missing" in found["errors", "source"].told
    assert "not installed" in found["odd", "source"].told
    assert found["target", "reachable"].state == "failed"


def test_a_target_that_is_in_use_is_left_alone(rollway: Rollway, metrics: Metrics) -> None:
    """Trying it would get in the way of the rollout that has it."""
    rollout = started(rollway, metrics)
    found = look(rollway, rollway.plan(a_release(metrics.url)))
    assert [name for about, name in found if about == "target"] == ["free"]
    assert found["target", "free"].state == "failed"
    assert rollout in found["target", "free"].told


def test_rows_that_were_pushed_are_looked_at_too(rollway: Rollway, push_installed: None) -> None:
    """What was sent in the last ten minutes counts, and a version of which nothing was sent is named."""
    now = datetime.now(UTC).timestamp()
    rows = [SentRow("errors", "old", now - 70 - n, now - 60 - n, Counts(100, 2)) for n in range(60)]
    rollway.pushed.take("desk", "k", b"", rows)
    spec = SignalSpec.model_validate(
        {"type": "push", "source": "desk", "candidate": "new", "baseline": "old", "delay": "2s"}
    )
    found = look(rollway, canary(guards=(GATE.model_copy(update={"signal": spec}),)))
    assert found["errors", "source"].state == "ok"
    assert found["errors", "old version"].state == "ok"
    assert found["errors", "new version"].state in ("unknown", "failed")


def test_a_sender_that_tells_of_the_old_version_only_holds_up_no_control_group(
    rollway: Rollway, push_installed: None
) -> None:
    """Nobody is in the group yet. A sender that lives is not silent; a silent one stands against a start."""
    spec = SignalSpec.model_validate(
        {"type": "push", "source": "desk", "candidate": "new", "baseline": "control", "delay": "2s"}
    )
    stages = (stage("look", 0, "ready", exposure=Exposure(share=0, control=0.1)), stage("all", 1, "time"))
    plan = canary(*stages, guards=(GATE.model_copy(update={"signal": spec}),))
    slept: list[float] = []

    def refused() -> list[str]:
        findings = looked(rollway, slept.append).run(plan, Ask(pause=20, within=60))
        proof = Proof(datetime.now(UTC), 0.0, findings)
        return [one.check.told for one in refusals(plan, proof, 60) if one.about == "errors"]

    assert refused() == ["desk has sent nothing for errors for 5 minutes"]
    now = datetime.now(UTC).timestamp()
    rollway.pushed.take("desk", "k", b"", [SentRow("errors", "old", now - 20, now - 10, Counts(100, 2))])
    slept.clear()
    assert refused() == []
    assert slept == []


def test_a_version_that_a_sender_calls_by_another_name_is_named(
    rollway: Rollway, push_installed: None
) -> None:
    """It is not said that nothing came, but what did."""
    now = datetime.now(UTC).timestamp()
    rollway.pushed.take("desk", "k", b"", [SentRow("errors", "v1", now - 20, now - 10, Counts(100, 2))])
    spec = SignalSpec.model_validate(
        {"type": "push", "source": "desk", "candidate": "new", "baseline": "old", "delay": "2s"}
    )
    found = look(rollway, canary(guards=(GATE.model_copy(update={"signal": spec}),)))
    assert found["errors", "source"].state == "unknown"
    assert found["errors", "source"].told == 'desk sends errors with no arm "old"; there are: v1'
    assert "compare `baseline`" in found["errors", "source"].hint


def test_a_plugin_that_raises_is_a_finding_and_no_crash(
    rollway: Rollway, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it raises, the other checks are made."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("rollway.signals.scrape.ScrapeSignal.collect", broken)
    found = look(rollway, rollway.plan(a_release(metrics.url)))
    assert found["errors", "source"].told == "ZeroDivisionError: oops"
    assert found["target", "free"].state == "ok"


# --- the flag tries itself ------------------------------------------------------------------------


def test_preflight_leaves_a_flag_as_it_was(rollway: Rollway, metrics: Metrics) -> None:
    """A missing flag is not made, one with other rules is not replaced, one of ours is set once more."""
    plan = rollway.plan(a_release(metrics.url))
    assert look(rollway, plan)["target", "way back"].state == "unknown"
    assert rollway.flags.read("reporting-flag") is None
    target = rollway.connectors.target("earlier", plan)
    target.apply(0.0, fence=7)
    before = rollway.flags.read("reporting-flag")
    way_back = look(rollway, plan)["target", "way back"]
    assert way_back.state == "ok"
    assert way_back.seconds is not None
    assert rollway.flags.read("reporting-flag") == before
    assert before is not None
    other = {**before, "variants": {**before["variants"], "third": "third"}}
    rollway.flags.write("reporting-flag", other, owner="somebody", fence=1)
    found = look(rollway, plan)
    assert found["target", "way back"].state == "unknown"
    assert "rules of somebody else" in found["target", "way back"].told
    assert rollway.flags.read("reporting-flag") == other


def test_a_rollout_can_be_started_after_preflight(rollway: Rollway, metrics: Metrics) -> None:
    """The try holds nothing back."""
    plan = rollway.plan(a_release(metrics.url))
    rollway.connectors.target("earlier", plan).apply(0.0, fence=7)
    assert look(rollway, plan)["target", "way back"].state == "ok"
    rollway.approve(plan, "bo")
    rollout = start_plan(rollway, plan, "ops")
    rollway.connectors.target(rollout, plan).apply(0.1, fence=1)
    assert rollway.connectors.target(rollout, plan).observe().share == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("stated", "bounds", "state", "told"),
    [
        ((), USUAL_BOUNDS, "ok", "the 14 bounds"),
        ((0.1, 1.0), (0.1, 1.0), "ok", "the 2 bounds"),
        ((), (0.1, 1.0), "unknown", "the usual ones, for none are stated"),
        ((0.1, 2.0), (0.1, 1.0), "unknown", "those that are stated"),
    ],
)
def test_buckets_that_were_not_planned_with_are_told(
    stated: tuple[float, ...], bounds: tuple[float, ...], state: str, told: str
) -> None:
    """What is promised of a latency holds for the histogram that it was promised for."""
    one = guard("latency", buckets=stated)
    found = check_buckets(one, Histogram(bounds, (1,) * (len(bounds) + 1)))
    assert (found.state, told in found.told) == (state, True)
    assert state == "ok" or "kpis.buckets: [0.1, 1] and plan anew" in found.hint


# --- planting -------------------------------------------------------------------------------------


def guard(kind: str = "rate", **more: Any) -> Guard:
    return Guard.model_validate({**GATE.model_dump(), "kind": kind, **more})


LONG = canary(stage("ten", 0.1, bake_seconds=600), stage("half", 0.5, bake_seconds=600))


@pytest.mark.parametrize(
    ("one", "sample"),
    [
        (guard(), Counts(1000, 20)),
        (guard(direction="less_is_worse"), Counts(1000, 600)),
        (guard("check", limit=0.5), Counts(1000, 200)),
        (guard("latency"), Histogram((0.01, 0.1, 1.0), (100, 700, 180, 20))),
        (guard("mean", bound=10.0), Moments(1000, 1500.0, 3500.0)),
        (guard("mean", bound=10.0, direction="less_is_worse"), Moments(1000, 8000.0, 66_000.0)),
    ],
)
def test_a_fault_is_found_and_no_fault_is_not(one: Guard, sample: Any) -> None:
    """The judge itself finds what was planted; the same numbers without a fault are not found harmful."""
    plan = LONG.model_copy(update={"guards": (one,)})
    law = law_of(sample, None)
    assert law is not None
    found = find(plan, one, law, 200.0, 5.0)
    assert found.seconds is not None
    assert found.stage == "ten"
    assert find(plan, one, law, 200.0, 1.0 + 1e-9).seconds is None


def test_more_traffic_finds_it_sooner() -> None:
    """Ten times as many trials take less than half of the time, at the least."""
    law = law_of(Counts(1000, 20), None)
    assert law is not None
    slow, fast = (find(LONG, GATE, law, pace, 5.0) for pace in (20.0, 200.0))
    assert slow.seconds is not None
    assert fast.seconds is not None
    assert fast.seconds < slow.seconds / 2
    assert slow.power is not None
    assert slow.power.caught > 0.9


def test_durations_are_made_longer_within_their_buckets() -> None:
    """What was up to 0.1 s in half of the cases is up to 0.5 s in half of them after a fault of x5."""
    law = law_of(Histogram((0.02, 0.1, 0.5), (2, 3, 3, 2)), None)
    assert law is not None
    assert made_worse(law, guard("latency"), 5.0).shares == pytest.approx((0.04, 0.16, 0.3, 0.5))


def test_a_bound_of_zero_is_no_division_by_zero() -> None:
    """Some exporters begin their buckets there."""
    law = law_of(Histogram((0.0, 0.1, 0.5), (0, 5, 3, 2)), None)
    assert law is not None
    worse = made_worse(law, guard("latency"), 5.0)
    assert worse.shares == pytest.approx((0.0, 0.1, 0.4, 0.5))


def test_only_stages_with_both_versions_are_looked_at() -> None:
    """The stage before anybody is served and the one where all are say nothing of a comparison."""
    assert [step.name for step in steps_of(canary())] == ["ten", "half"]


# --- helpers --------------------------------------------------------------------------------------


def with_csv(
    folder: Path, *, old: int, bad: int | None = None, expected: float | None = None, delay: str = "0s"
) -> Plan:
    """A plan whose gate reads a file: the old version's figures of the last ten minutes, in 60 rows."""
    bad = old // 50 if bad is None else bad
    now = datetime.now(UTC)
    lines = ["time,arm,trials,bad"]
    for n in range(60):
        at = now - timedelta(seconds=10 * n + 5)
        trials, faults = (old * (n + 1) // 60 - old * n // 60), (bad * (n + 1) // 60 - bad * n // 60)
        lines.append(f"{at.timestamp()},old,{trials},{min(trials, faults)}")
    (folder / "figures.csv").write_text("\n".join(lines))
    spec = {"type": "csv", "file": str(folder / "figures.csv"), "candidate": "new", "baseline": "old"}
    one = {**GATE.model_dump(), "expected": expected, "signal": {**spec, "delay": delay}}
    stages = (
        stage("baseline", 0, "ready"),
        stage("ten", 0.1, bake_seconds=60),
        stage("half", 0.5, bake_seconds=60),
        stage("all", 1, "time"),
    )
    target = {"type": "flag", "flag": "reporting-flag", "candidate": "new", "baseline": "old"}
    return canary(*stages, guards=(Guard.model_validate(one),), target=target)
