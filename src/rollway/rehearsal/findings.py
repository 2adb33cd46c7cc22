"""What a rehearsal has shown: what the plan keeps, what it misses, and what people should know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rollway.planning import Plan
from rollway.planning.words import about, percent, times
from rollway.rehearsal.course import Ending
from rollway.rehearsal.many import STANDARD_ERRORS, Outcome, Result, standard_error
from rollway.rehearsal.promises import Figure, Kept

Level = Literal["ok", "warning", "missed"]
SLOW_PART = 0.05
"""Healthy runs that do not get to the end by themselves are told from this share on."""
NOTED_WAIT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know. missed: the plan does not do what it promises, and the rehearsal fails."""

    level: Level
    about: str
    text: str


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A plan, its stories as they went, its promises as they were kept, and what follows."""

    plan: Plan
    seed: int
    results: tuple[Result, ...]
    promises: tuple[Kept, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        of_stories = (finding for result in self.results for finding in judge_result(self.plan, result))
        of_promises = (finding for kept in self.promises for finding in judge_promise(self.plan, kept))
        return (*of_stories, *of_promises)

    @property
    def is_kept(self) -> bool:
        return all(finding.level != "missed" for finding in self.findings)


def judge_result(plan: Plan, result: Result) -> Iterator[Finding]:
    """Whether a scenario ended as it should."""
    scenario, runs = result.scenario, len(result.outcomes)
    name = scenario.name
    level: Level = "warning" if scenario.is_a_warning else "missed"
    match scenario.expected:
        case "done":
            yield from _false_alarms(plan, result, level)
            yield from _unfinished(result)
        case "back" | "not_passed":
            left = sum(_is_missed(scenario.fault is not None, outcome) for outcome in result.outcomes)
            most = plan.policy.alpha_promote if scenario.expected == "not_passed" else 0.0
            if left / runs > most + STANDARD_ERRORS * standard_error(most, runs):
                allowed = f"; at most {percent(most)} may be" if most else ""
                what = "users are left on the bad version" if scenario.fault else "nobody notices"
                text = f"in {left:,} of {runs:,} runs {what}{allowed}"
                yield Finding(level, name, text)
        case "blind_back":
            stayed = runs - result.endings["blind"]
            if stayed:
                text = f"{stayed:,} of {runs:,} runs were not taken back, as the policy on blindness says"
                yield Finding("missed", name, text)
    if scenario.expected == "done":
        yield from _waits(result)


def _is_missed(is_bad: bool, outcome: Outcome) -> bool:
    """With a fault: users are left on it. Else: it is called done, though nobody was served."""
    return outcome.left > 0 if is_bad else outcome.ending == "done"


def _false_alarms(plan: Plan, result: Result, level: Level) -> Iterator[Finding]:
    runs, alpha = len(result.outcomes), plan.policy.alpha
    alarms = result.endings["evidence"] + result.endings["hard stop"]
    if alarms / runs > alpha + STANDARD_ERRORS * standard_error(alpha, runs):
        hint = "; learn the noise with `rollway judge calibrate`" if level == "warning" else ""
        text = f"{alarms:,} of {runs:,} healthy releases are taken back; {percent(alpha)} is promised{hint}"
        yield Finding(level, result.scenario.name, text)


def _unfinished(result: Result) -> Iterator[Finding]:
    """Healthy runs that a person, patience or blindness ended."""
    runs = len(result.outcomes)
    words: dict[Ending, str] = {
        "person": "nobody answers what is asked in time, or it stays paused, and a person takes it back",
        "patience": "no answer comes within the patience, and the policy takes it back",
        "blind": "too long without numbers, and the policy takes it back",
        "held": "it is held past the point of no return",
        "not over": "it does not end",
    }
    for ending, told in words.items():
        count = result.endings[ending]
        if count / runs > SLOW_PART:
            where = {outcome.stage for outcome in result.outcomes if outcome.ending == ending}
            text = f"in {count:,} of {runs:,} runs {told} (stage {', '.join(sorted(where))})"
            yield Finding("warning", result.scenario.name, text)


def _waits(result: Result) -> Iterator[Finding]:
    """Where a healthy release stands still for evidence or numbers, beyond its bake time."""
    if result.scenario.name != "healthy":
        return
    for stage, what in sorted({key for outcome in result.outcomes for key in outcome.waits}):
        half = float(np.median([outcome.waits.get((stage, what), 0.0) for outcome in result.outcomes]))
        if what in ("evidence", "numbers", "the target") and half > NOTED_WAIT_SECONDS:
            text = f"half of the runs wait {about(half)} or longer for {what} in {stage}, after its bake time"
            yield Finding("warning", "healthy", text)


FIGURE_WORDS = {
    "probability": "caught in {rehearsed} of the runs, promised are {promised}",
    "asked": "a person is asked in {rehearsed} of the runs, promised are {promised}",
    "rollback_seconds": "found after {rehearsed}, promised are {promised}",
    "served": "{rehearsed} requests meet it, promised are {promised}",
    "exposed": "{rehearsed} users meet it, promised are {promised}",
}


def judge_promise(plan: Plan, kept: Kept) -> Iterator[Finding]:
    """Whether a promise was kept."""
    promise = kept.promise
    name = f"{promise.kpi} {times(promise.ratio)} in {kept.stage}"
    if kept.runs == 0:
        yield Finding("warning", name, "no healthy run came to this stage, so the promise was not rehearsed")
    for figure in kept.figures:
        if not figure.is_kept:
            yield Finding("missed", name, figure_words(figure))


def figure_words(figure: Figure) -> str:
    """`caught in 61% of the runs, promised are 90%`."""
    told = {
        "promised": _amount(figure.name, figure.promised),
        "rehearsed": _amount(figure.name, figure.rehearsed),
    }
    return FIGURE_WORDS[figure.name].format(**told)


def _amount(name: str, value: float) -> str:
    if name in ("probability", "asked"):
        return f"{value:.1%}"
    return about(max(value, 0.1)) if name == "rollback_seconds" else f"{value:,.0f}"
