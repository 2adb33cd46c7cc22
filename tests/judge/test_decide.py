"""The verdict: what it takes to be harmful, healthy, undecided; and what people are told."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.judge import (
    Assigned,
    Counts,
    GuardRule,
    Histogram,
    Moments,
    Past,
    Reading,
    Rules,
    begin,
    update,
    verdict,
)

RULES = Rules(
    guards=(GuardRule("errors", "rate"), GuardRule("logins", "rate")),
    margins={"one": {"errors": 3.0, "logins": 3.0}, "ten": {"errors": 1.5}},
    blind_seconds=60.0,
)


def course(
    rows: list[tuple[str, float, tuple[int, int], tuple[int, int]]], *, calm: str = "logins"
) -> list[Reading]:
    """One reading every 10 s of errors with these counts, and of a second KPI in which nothing differs."""
    found = []
    for number, (stage, share, candidate, baseline) in enumerate(rows):
        place = (10.0 * number, 10.0 * number + 10, stage, share)
        found.append(Reading("errors", *place, Counts(*candidate), Counts(*baseline)))
        steady = Counts(candidate[0], candidate[0] // 50), Counts(baseline[0], baseline[0] // 50)
        found.append(Reading(calm, *place, *steady))
    return found


GOOD = ("one", 0.1, (100, 2), (900, 18))
BAD = ("one", 0.1, (100, 10), (900, 18))


def judge(rules: Rules, rows: list[Any], *, stage: str = "one", share: float = 0.1) -> Any:
    state = update(rules, begin(rules), course(rows))
    return verdict(rules, state, now=10.0 * len(rows), stage=stage, share=share)


def test_a_fault_is_harmful_and_the_sentence_has_the_numbers() -> None:
    """The reason names the KPI, the ratio, both rates, how many requests, and the evidence."""
    said = judge(RULES, [BAD] * 4)
    assert said.kind == "harmful"
    assert said.drivers == ("errors",)
    assert said.harm_log_e >= math.log(said.harm_threshold) == pytest.approx(math.log(100))
    assert said.reason.startswith(
        "errors: the new version's rate is 5 times the old one's (10.0% against 2.0%, "
    )
    assert " requests in " in said.reason
    assert said.reason.endswith("against the threshold 100")
    assert said.guards[0].state == "harmful"
    assert said.guards[0].ratio == pytest.approx(5.0)


def test_a_fault_that_begins_late_is_told_with_its_own_numbers() -> None:
    """After an hour of calm the sentence speaks of the minutes since the fault began."""
    said = judge(RULES, [GOOD] * 360 + [BAD] * 6)
    assert said.kind == "harmful"
    assert "10.0% against 2.0%" in said.reason
    assert said.guards[0].candidate_rate == pytest.approx(0.0213, abs=0.001)


def test_harmful_stays_harmful() -> None:
    """Once the threshold was reached, later calm, another stage or silence does not take it back."""
    state = update(RULES, begin(RULES), course([BAD] * 4 + [GOOD] * 200))
    first = verdict(RULES, state, now=2040, stage="one", share=0.1)
    much_later = verdict(RULES, state, now=1e6, stage="ten", share=0.5)
    assert first.kind == much_later.kind == "harmful"
    assert first.reason == much_later.reason
    assert update(RULES, begin(RULES), course([BAD] * 40)).finding == state.finding
    assert much_later.guards[0].state == "harmful"


def test_a_healthy_release_is_shown_to_be_healthy() -> None:
    """With both gates below their margins the verdict says how far, and nothing is missing."""
    said = judge(RULES, [GOOD] * 20)
    assert said.kind == "healthy"
    assert said.missing == ()
    assert all(guard.safe_log_e >= math.log(said.safe_threshold) for guard in said.guards)
    assert said.reason.startswith("errors is below 3 times the old version's")


def test_too_little_evidence_is_undecided_and_says_what_is_missing() -> None:
    """Each gate that lacks evidence says how much it has and about how many more requests it takes."""
    said = judge(RULES, [GOOD])
    assert said.kind == "undecided"
    assert said.reason == said.missing[0]
    assert len(said.missing) == 2
    assert said.missing[0].startswith("errors: evidence of safety e = ")
    assert " of 20 needed: about " in said.missing[0]
    assert said.missing[0].endswith(" more requests of the new version, 11 s at the present traffic")


def test_the_promised_number_of_requests_is_about_right() -> None:
    """Following the advice on how many requests are missing leads to a healthy verdict."""
    lacking = judge(RULES, [GOOD]).missing[0].split("about ")[1].split(" ")[0]
    needed = math.ceil(int(lacking.replace(",", "")) / 100)
    assert judge(RULES, [GOOD] * (1 + max(1, needed // 2 - 1))).kind == "undecided"
    assert judge(RULES, [GOOD] * (3 + needed)).kind == "healthy"


@pytest.mark.parametrize("speed", [1, 20])
def test_the_time_to_a_decision_comes_true(speed: int) -> None:
    """The told seconds, at the traffic of this stage, are about when the verdict turns healthy."""
    quick = ("one", 0.1, (100 * speed, 2 * speed), (900 * speed, 18 * speed))
    slow = ("zero", 0.1, (1, 0), (9, 0))
    rules = replace(RULES, margins={"one": {"errors": 1.5, "logins": 1.5}})
    state = update(rules, begin(rules), course([slow] * 50 + [quick]))
    said = verdict(rules, state, now=510.0, stage="one", share=0.1)
    assert said.wait_seconds is not None
    assert said.wait_seconds == max(guard.wait_seconds or 0.0 for guard in said.guards)
    ticks = max(1, round(said.wait_seconds / 10))
    rows = [slow] * 50 + [quick] * (1 + round(1.3 * ticks) + 1)
    assert judge(rules, rows).kind == "healthy"
    assert judge(rules, rows).wait_seconds == 0.0
    assert speed == 20 or judge(rules, rows[: 50 + round(0.7 * ticks)]).kind == "undecided"


def test_no_time_is_told_where_more_traffic_alone_decides_nothing() -> None:
    """A gate that stands beyond its margin, or one that saw nothing bad, is not on its way."""
    worse = ("one", 0.1, (100, 8), (900, 18))
    rules = replace(RULES, alpha=1e-9)
    assert judge(rules, [worse] * 6).wait_seconds is None
    assert judge(rules, [("one", 0.1, (100, 0), (900, 0))] * 6).wait_seconds is None


def test_every_verdict_names_the_rule_it_was_made_by() -> None:
    """Harmful, healthy, undecided and blind each give their rule in one sentence, with its numbers."""
    said = {
        "harmful": judge(RULES, [BAD] * 4),
        "healthy": judge(RULES, [GOOD] * 20),
        "undecided": judge(RULES, [GOOD]),
        "blind": verdict(
            RULES, update(RULES, begin(RULES), course([GOOD])), now=500.0, stage="one", share=0.1
        ),
    }
    for kind, one in said.items():
        assert one.kind == kind
        assert one.rule.lower().startswith(kind)
        assert one.is_stop is False
    assert "reaches 100" in said["harmful"].rule
    assert "20" in said["healthy"].rule
    assert "60 s" in said["blind"].rule


EVERY_KIND = Rules(
    guards=(
        GuardRule("errors", "rate", objective=0.99),
        GuardRule("speed", "latency"),
        GuardRule("revenue", "total", cap=100.0),
        GuardRule("share", "mean", bound=1.0),
        GuardRule("users", "assignment"),
        GuardRule("checks", "check"),
        GuardRule("weeks", "past"),
    ),
    margins={"one": dict.fromkeys(("errors", "speed", "revenue", "share", "weeks"), 1.5)},
)
USABLE: dict[str, Any] = {
    "errors": Counts(50, 2),
    "speed": Histogram((0.1, 0.5), (40, 9, 1)),
    "revenue": Moments(50, 100.0, 400.0),
    "share": Moments(50, 10.0, 10.0),
    "users": Assigned(50),
    "checks": Counts(4, 4),
    "weeks": Counts(50, 40),
}
NONSENSE = [Moments(5, math.nan, 1.0), Counts(math.nan, 0), Counts(3, 9), Assigned(-1), Past((math.nan,) * 4)]  # type: ignore[arg-type]
EMPTY = [Counts(0, 0), Histogram((0.1, 0.5), (0, 0, 0)), Moments(0, 0.0, 0.0), Assigned(0)]


@st.composite
def gaps(draw: st.DrawFn) -> list[Reading]:
    """Readings in which never both versions have usable numbers."""
    found = []
    for tick in range(draw(st.integers(1, 12))):
        for kpi, usable in USABLE.items():
            useless = st.sampled_from([None, *NONSENSE, *EMPTY])
            arms = [draw(useless), draw(useless)]
            kind = draw(st.sampled_from(["nothing", "one arm", "problem", "no reading"]))
            if kind == "one arm" and kpi != "checks":
                arms[draw(st.integers(0, 1))] = usable
            if kind != "no reading":
                problem: Any = "source_down" if kind == "problem" else None
                place = (10.0 * tick, 10.0 * tick + 10, "one", draw(st.sampled_from([0.01, 0.1, 0.5])))
                found.append(Reading(kpi, *place, *arms, problem))
    return found


@settings(max_examples=60, deadline=None)
@given(given=gaps(), now=st.sampled_from([0.0, 100.0, 1e4]), share=st.sampled_from([0.01, 0.1, 0.5]))
def test_gaps_are_neither_harm_nor_health(given: list[Reading], now: float, share: float) -> None:
    """NaN, silence, missing versions and problems in any order, in every kind: undecided or blind, with
    not the least evidence either way."""
    said = verdict(
        EVERY_KIND, update(EVERY_KIND, begin(EVERY_KIND), given), now=now, stage="one", share=share
    )
    assert said.kind in ("undecided", "blind")
    assert said.harm_log_e <= 1e-12
    assert all(guard.safe_log_e <= 1e-12 for guard in said.guards)


def test_every_stage_earns_its_own_safety() -> None:
    """What an earlier stage has shown does not pass a later one, so a fault under load is not waved on."""
    rows = [GOOD] * 50 + [("ten", 0.1, (100, 2), (900, 18))]
    assert judge(RULES, rows).kind == "undecided"
    said = judge(RULES, rows, stage="ten")
    assert said.kind == "undecided"
    assert said.guards[0].margin == 1.5
    assert judge(RULES, rows + [rows[-1]] * 60, stage="ten").kind == "healthy"


def test_a_gate_without_a_margin_only_has_to_be_seen() -> None:
    """A stage that asks for no margin is passed once both versions were seen in it."""
    unseen = [("free", 0.1, (0, 0), (900, 18))]
    said = judge(RULES, unseen, stage="free")
    assert said.kind == "undecided"
    assert said.reason == "errors: no request of the new version yet in this stage"
    assert judge(RULES, [*unseen, ("free", 0.1, (100, 2), (900, 18))], stage="free").kind == "healthy"


def test_suspicion_holds_a_release_that_would_pass() -> None:
    """Evidence of harm of 3 or more keeps the verdict undecided even where every gate is safe."""
    brake = GuardRule("logins", "rate", say="brake")
    rules = replace(RULES, guards=(GuardRule("calm", "rate"), brake), margins={"one": {"calm": 3.0}})
    rows = [("one", 0.1, (100, 2), (900, 18))] * 20
    calm = [replace(r, kpi="calm") for r in course(rows) if r.kpi == "errors"]
    worse = [
        Reading("logins", r.start, r.end, "one", 0.1, Counts(100, 6 if r.end > 150 else 2), Counts(900, 18))
        for r in calm
    ]
    said = verdict(rules, update(rules, begin(rules), calm + worse), now=200, stage="one", share=0.1)
    assert said.kind == "undecided"
    assert said.reason.startswith("suspicious: evidence of harm e = ")
    assert said.drivers[0] == "logins"
    assert said.guards[0].safe_log_e > math.log(20)


def test_a_brake_can_stop_and_needs_no_proof() -> None:
    """A brake rolls back like a gate, but a stage is passed without evidence of its safety."""
    rules = replace(RULES, guards=(GuardRule("errors", "rate", say="brake"), GuardRule("logins", "rate")))
    assert judge(rules, [BAD] * 5).kind == "harmful"
    nothing = [("one", 0.1, (100, 0), (900, 0))] * 20
    assert judge(rules, nothing).kind == "healthy"


def test_a_watch_decides_nothing() -> None:
    """The worst of numbers in a KPI that is only watched shows as harmful there and nowhere else."""
    rules = replace(RULES, guards=(GuardRule("errors", "rate", say="watch"), GuardRule("logins", "rate")))
    said = judge(rules, [BAD] * 20)
    assert said.kind == "healthy"
    assert said.guards[0].state == "harmful"
    assert said.harm_log_e < 0.1


def test_without_a_gate_nothing_is_called_healthy() -> None:
    """Where no KPI has to be shown safe, the judge does not pretend that one was."""
    rules = replace(RULES, guards=(GuardRule("errors", "rate", say="brake"),))
    said = judge(rules, [GOOD] * 20)
    assert said.kind == "undecided"
    assert "no gate" in said.reason


def test_a_heavier_guard_is_heard_sooner() -> None:
    """The weights share out the evidence: the same fault in a guard of little weight takes longer."""
    heavy, light = (
        replace(RULES, guards=(GuardRule("errors", "rate", weight=weight), GuardRule("logins", "rate")))
        for weight in (9.0, 0.1)
    )
    rows = [BAD] * 3
    assert judge(heavy, rows).harm_log_e > judge(light, rows).harm_log_e + 2


def test_nothing_bad_is_told_as_such() -> None:
    """With no errors in either version the ratio cannot be judged, and the verdict says so."""
    said = judge(RULES, [("one", 0.1, (100, 0), (900, 0))] * 20)
    assert said.kind == "undecided"
    assert "nothing bad was seen of the old version yet" in said.missing[0]
