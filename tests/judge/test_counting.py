"""Guards that count in some stages only: elsewhere they say nothing, ask for nothing, and learn nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.judge import Counts, GuardRule, JudgeState, Reading, Rules, Verdict, begin, dump, update, verdict

DIFFERENCES = GuardRule("differences", "rate", stages=("run",))
ERRORS = GuardRule("errors", "rate")
RULES = Rules(
    guards=(DIFFERENCES, ERRORS), margins={"run": {"differences": 3.0, "errors": 3.0}}, blind_seconds=60.0
)
GOOD = Counts(500, 10), Counts(500, 10)
BAD = Counts(500, 20), Counts(500, 10)


def reading(kpi: str, number: int, stage: str, counts: tuple[Counts, Counts] = GOOD) -> Reading:
    """The interval of ten seconds with this number."""
    return Reading(kpi, 10.0 * number, 10.0 * number + 10, stage, 0.5, *counts)


def absorbed(*readings: Reading, rules: Rules = RULES) -> JudgeState:
    return update(rules, begin(rules), readings)


def ask(state: JudgeState, number: int, stage: str, *, rules: Rules = RULES, share: float = 0.5) -> Verdict:
    """The verdict at the end of the interval with this number."""
    return verdict(rules, state, now=10.0 * number + 10, stage=stage, share=share)


def both(number: int, stage: str) -> list[Reading]:
    return [reading("differences", number, stage), reading("errors", number, stage)]


def test_it_is_not_blind_where_it_does_not_count() -> None:
    """An hour without its numbers keeps nobody waiting, and what counts decides by itself."""
    run = [each for number in range(20) for each in both(number, "run")]
    after = [reading("errors", number, "cutover") for number in range(20, 380)]
    said = ask(absorbed(*run, *after), 379, "cutover")
    assert said.kind == "healthy"
    assert [guard.state for guard in said.guards] == ["uncounted", "healthy"]
    assert said.guards[0].blind_reason is None
    everywhere = replace(RULES, guards=(replace(DIFFERENCES, stages=()), ERRORS))
    assert ask(absorbed(*run, *after, rules=everywhere), 379, "cutover", rules=everywhere).kind == "blind"


def test_nothing_is_asked_of_it_where_it_does_not_count() -> None:
    """Neither a margin, nor to be seen, nor numbers of the old version."""
    rules = replace(RULES, margins={"ten": {"errors": 3.0}})
    said = ask(
        absorbed(*(reading("errors", n, "ten") for n in range(20)), rules=rules), 19, "ten", rules=rules
    )
    assert (said.kind, said.baseline_ready) == ("healthy", True)
    assert "differences" not in said.drivers
    assert said.guards[0].margin == 0
    waiting = ask(absorbed(*(reading("errors", n, "run") for n in range(3))), 2, "run")
    assert waiting.kind == "undecided"
    assert not waiting.baseline_ready
    assert any("differences: no request" in line for line in waiting.missing)


def test_where_no_gate_counts_nothing_is_shown_to_be_safe() -> None:
    """It is undecided, and says why; a stage that time ends is left all the same."""
    rules = replace(RULES, guards=(DIFFERENCES, replace(ERRORS, say="brake")))
    said = ask(absorbed(reading("errors", 0, "cutover"), rules=rules), 0, "cutover", rules=rules)
    assert said.kind == "undecided"
    assert said.reason == "no gate counts in this stage, so nothing can show that the new version is safe"


def test_the_evidence_that_it_has_gathered_stays() -> None:
    """Bad numbers of the run count on in the average; more of them in the next run add up to harm."""
    rules = replace(RULES, guards=(replace(DIFFERENCES, stages=("run", "again")), ERRORS))
    some = [reading("differences", n, "run", BAD) for n in range(5)]
    calm = [reading("errors", n, "cutover") for n in range(5, 10)]
    before = ask(absorbed(*some, rules=rules), 4, "run", rules=rules)
    between = ask(absorbed(*some, *calm, rules=rules), 9, "cutover", rules=rules)
    assert before.kind != "harmful"
    assert between.guards[0].harm_log_e == before.guards[0].harm_log_e > 0
    more = [reading("differences", n, "again", BAD) for n in range(10, 15)]
    after = ask(absorbed(*some, *calm, *more, rules=rules), 14, "again", rules=rules)
    alone = ask(absorbed(*more, rules=rules), 14, "again", rules=rules)
    assert (after.kind, alone.kind) == ("harmful", "undecided")
    later = [*more, *(reading("errors", n, "cutover") for n in range(15, 20))]
    still = ask(absorbed(*some, *calm, *later, rules=rules), 19, "cutover", rules=rules)
    assert (still.kind, still.guards[0].state) == ("harmful", "harmful")


stages = st.lists(st.sampled_from(["run", "cutover", "kept"]), min_size=1, max_size=30)


@settings(max_examples=40, deadline=None)
@given(stages, st.randoms(use_true_random=False))
def test_readings_of_other_stages_teach_nothing(places: list[str], chance: object) -> None:
    """Whatever it reads where it does not count, the state is the one without these readings, and so is all
    that is said in the end."""
    draw = chance.choice  # type: ignore[attr-defined]
    every = [
        reading(kpi, number, stage, draw([GOOD, BAD]))
        for number, stage in enumerate(places)
        for kpi in ("differences", "errors")
    ]
    counted = [each for each in every if each.kpi == "errors" or each.stage == "run"]
    full, plain = absorbed(*every), absorbed(*counted)
    assert dump(full) == dump(plain)
    last = len(places) - 1
    assert ask(full, last, places[-1]) == ask(plain, last, places[-1])


def test_its_silence_counts_from_the_stage_in_which_it_counts() -> None:
    """A week in which nothing was asked is not silence; nothing for a minute from there on is."""
    rules = replace(RULES, guards=(replace(DIFFERENCES, stages=("run", "again")),))
    state = absorbed(*(reading("differences", n, "run") for n in range(5)), rules=rules)
    week = 604_800.0

    def kind(seconds: float) -> str:
        return verdict(rules, state, now=week + seconds, stage="again", share=0.5, since=week).kind

    assert (kind(0), kind(60), kind(61)) == ("undecided", "undecided", "blind")


def test_a_source_that_never_tells_anything_is_silent_from_the_stage_on() -> None:
    """Nothing was read of anybody before it, so that nothing else says since when there should be numbers."""
    rules = replace(RULES, guards=(replace(DIFFERENCES, stages=("again",)),))

    def kind(seconds: float) -> str:
        return verdict(rules, begin(rules), now=1000 + seconds, stage="again", share=0.5, since=1000.0).kind

    assert (kind(0), kind(60), kind(61)) == ("undecided", "undecided", "blind")


def test_an_interval_of_a_stage_in_between_is_none_of_the_next() -> None:
    """It comes back with intervals of its own; one that reaches back into what was counted is refused."""
    rules = replace(RULES, guards=(replace(DIFFERENCES, stages=("run", "again")), ERRORS))
    run = [reading("differences", n, "run") for n in range(5)]
    fresh = absorbed(*run, reading("differences", 20, "again"), rules=rules)
    assert ask(fresh, 20, "again", rules=rules).guards[0].candidate_trials == 3000
    overlapping = Reading("differences", 30.0, 210.0, "again", 0.5, *GOOD)
    assert (
        ask(absorbed(*run, overlapping, rules=rules), 20, "again", rules=rules).guards[0].candidate_trials
        == 2500
    )


@pytest.mark.slow
@pytest.mark.parametrize("tolerance", [1.0, 1.25])
def test_a_release_within_tolerance_is_taken_back_as_seldom_as_promised(tolerance: float) -> None:
    """Two guards that come and go by stages, looked at after every interval: at most alpha of all courses."""
    guards = (
        replace(DIFFERENCES, stages=("one", "three"), tolerance=tolerance),
        replace(ERRORS, stages=("two", "three", "four"), tolerance=tolerance),
    )
    rules = Rules(guards=guards, alpha=0.2, planned_seconds=400.0)
    rng, taken_back, courses = np.random.default_rng(11), 0, 400
    for _ in range(courses):
        state = begin(rules)
        for number in range(40):
            stage, share = ("one", "two", "three", "four")[number // 10], (0.1, 0.3, 0.5, 0.9)[number // 10]
            counts = []
            for rate in (0.02 * tolerance, 0.02):
                trials = int(rng.poisson(400 * (share if len(counts) == 0 else 1 - share)))
                counts.append(Counts(trials, int(rng.binomial(trials, rate))))
            place = 10.0 * number, 10.0 * number + 10, stage, share
            state = update(rules, state, [Reading(rule.kpi, *place, *counts) for rule in guards])
            if state.finding is not None:
                taken_back += 1
                break
    assert taken_back / courses <= 0.2 + 2 * (0.2 * 0.8 / courses) ** 0.5
