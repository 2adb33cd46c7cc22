"""What a rehearsal has shown, for people in lines of text and for programs as plain JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, get_args

from rollway.planning import Plan
from rollway.planning.words import about, listing, percent, times
from rollway.rehearsal.course import Wait
from rollway.rehearsal.findings import Finding, Rehearsal, figure_words
from rollway.rehearsal.leaps import longest_leap
from rollway.rehearsal.many import Outcome, Result
from rollway.rehearsal.promises import Kept
from rollway.rehearsal.world import Recorded, World

ENDING_WORDS = {
    "done": "reach everyone",
    "evidence": "are taken back on evidence",
    "hard stop": "are taken back by a hard stop",
    "blind": "are taken back for want of numbers",
    "patience": "are taken back for want of an answer",
    "person": "are taken back by a person",
    "held": "are held past the point of no return",
    "not over": "do not end",
}
NEVER = "-"
NOTED_TICKS = 100
STORY_WAITS: tuple[Wait, ...] = ("the target", "numbers", "evidence")
"""What a story is told to wait for, where it is long; windows and people are those of the healthy one."""
NOTED_SECONDS = 60.0


def conclusion(rehearsal: Rehearsal) -> tuple[str, str]:
    """`ok` or `missed`, and the answer in one sentence."""
    missed = [finding for finding in rehearsal.findings if finding.level == "missed"]
    if not missed:
        kept = f", and its {len(rehearsal.promises)} promises" if rehearsal.promises else ""
        return "ok", f"In rehearsal the plan does what it says: {len(rehearsal.results)} stories{kept}."
    names = listing(dict.fromkeys(finding.about for finding in missed), 4)
    return "missed", f"In rehearsal the plan does not do what it says: {names}."


def endings(result: Result) -> str:
    """`of 400 runs 397 reach everyone, 3 are taken back on evidence`."""
    runs = len(result.outcomes)
    told = [f"{count:,} {ENDING_WORDS[ending]}" for ending, count in result.endings.most_common()]
    if len(told) == 1:
        return f"all {runs:,} runs {ENDING_WORDS[next(iter(result.endings))]}"
    return f"of {runs:,} runs {', '.join(told)}"


def times_back(result: Result) -> str:
    """How long until the old version serves everyone again: half, and nine in ten runs."""
    return _pair(result, lambda outcome: outcome.back)


def healthy_lines(plan: Plan, result: Result) -> Iterator[str]:
    """How a good release goes: how it ends, how long it takes, where it waits."""
    yield f"{_first_up(endings(result))}."
    lasted, before = (_pair(result, of) for of in (lambda o: o.lasted, lambda o: o.started))
    yield f"It takes {lasted} from the first user to the end, and {before} before that."
    waits = list(_waits(result))
    if waits:
        yield f"Beyond the bake times it waits {'; '.join(waits)}."
    ticks = longest_leap(plan)
    if ticks > NOTED_TICKS:
        yield (
            f"While a stage bakes, up to {ticks:,} of the plan's ticks were read as one here; what decides "
            "something was read tick by tick."
        )


def _waits(result: Result, told: Sequence[Wait] = get_args(Wait), least: float = 10.0) -> Iterator[str]:
    keys = dict.fromkeys(key for outcome in result.outcomes for key in outcome.waits)
    for stage, what in keys:
        long = sorted(outcome.waits.get((stage, what), 0.0) for outcome in result.outcomes)
        half, most = long[len(long) // 2], long[len(long) * 9 // 10]
        if what in told and most >= least:
            yield f"{_time(half)} / {_time(most)} for {what} in {stage}"


def story_line(result: Result) -> str:
    """How a scenario ends, when the old version is back, and whom it reaches."""
    scenario, told = result.scenario, [endings(result)]
    if any(outcome.back is not None for outcome in result.outcomes):
        since = "" if scenario.fault else " after the first user"
        told.append(f"back within {times_back(result)}{since}")
    elif any(outcome.largest > 0 for outcome in result.outcomes):
        told.append(f"in {_pair(result, lambda outcome: outcome.lasted)}")
    else:
        told.append("no user is given it")
    if scenario.fault is not None:
        met = [result.quantile(lambda outcome: outcome.met_users, at) or 0.0 for at in (0.5, 0.9)]
        whom = "users" if scenario.world.users else "requests"
        share = result.quantile(lambda outcome: outcome.largest, 0.9) or 0.0
        told.append(f"it reaches {met[0]:,.0f} / {met[1]:,.0f} {whom}, up to {percent(share)} of all")
    waits = list(_waits(result, STORY_WAITS, NOTED_SECONDS))
    if waits and scenario.expected in ("done", "any"):
        told.append(f"waits {'; '.join(waits)}")
    return f"{_first_up('; '.join(told))}."


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]


def world_words(world: World) -> str:
    """`200 requests per second, 3,000 users`."""
    traffic = world.traffic
    if isinstance(traffic, Recorded):
        told = f"traffic as recorded over {about(traffic.seconds)}"
    else:
        day = 7 * 86_400.0
        told = f"{traffic.expected(0.0, day) / day:.3g} requests per second"
    return f"{told}, {world.users:,} users" if world.users else told


def promise_rows(kept: Kept) -> list[str]:
    """A promise in a line of the table."""
    promise = kept.promise
    figures = {figure.name: figure for figure in kept.figures}
    chance, seconds, users = (figures.get(n) for n in ("probability", "rollback_seconds", "exposed"))

    def pair(figure: Any, tell: Callable[[float], str]) -> str:
        return NEVER if figure is None else f"{tell(figure.promised)} / {tell(figure.rehearsed)}"

    return [
        kept.stage,
        f"{promise.kpi} {times(promise.ratio)}",
        pair(chance, lambda value: f"{value:.0%}") if chance else f"{NEVER} / {kept.caught:.0%}",
        pair(seconds, _time),
        pair(users, lambda value: f"{value:,.0f}"),
        ("kept" if kept.figures else "not promised") if kept.is_kept else "MISSED",
    ]


def _pair(result: Result, what: Callable[[Outcome], float | None]) -> str:
    found = [result.quantile(what, at) for at in (0.5, 0.9)]
    return " / ".join(_time(each) for each in found)


def _time(value: float | None) -> str:
    if value is None:
        return NEVER
    return "0 s" if value < 0.05 else short(value)


def short(seconds: float) -> str:
    """A length in a few characters: `45 s`, `3.5 min`, `2.1 h`, `12 d`."""
    for unit, size in (("d", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"


# --- for programs -----------------------------------------------------------------------------------


def to_json(rehearsal: Rehearsal) -> dict[str, Any]:
    """All figures as plain JSON; what never happens is null."""
    word, sentence = conclusion(rehearsal)
    return {
        "plan": rehearsal.plan.hash,
        "seed": rehearsal.seed,
        "is_kept": rehearsal.is_kept,
        "conclusion": sentence,
        "stories": [_story_json(result) for result in rehearsal.results],
        "promises": [_promise_json(kept) for kept in rehearsal.promises],
        "findings": [_finding_json(finding) for finding in rehearsal.findings],
        "state": word,
    }


def _story_json(result: Result) -> dict[str, Any]:
    scenario = result.scenario
    figures: Sequence[tuple[str, Callable[[Outcome], float | None]]] = (
        ("seconds_before_first_user", lambda o: o.started),
        ("seconds", lambda o: o.lasted),
        ("found_after_seconds", lambda o: o.found),
        ("back_after_seconds", lambda o: o.back),
        ("requests", lambda o: o.exposed),
        ("requests_with_fault", lambda o: o.met),
        ("users", lambda o: o.users),
        ("users_with_fault", lambda o: o.met_users),
        ("largest_share", lambda o: o.largest),
    )
    return {
        "name": scenario.name,
        "told": scenario.told,
        "fault": None if scenario.fault is None else asdict(scenario.fault),
        "troubles": [asdict(trouble) for trouble in scenario.troubles],
        "runs": len(result.outcomes),
        "endings": dict(result.endings),
        "left_on_new_version": sum(outcome.left > 0 for outcome in result.outcomes),
        **{
            name: {"half": result.quantile(of, 0.5), "nine_in_ten": result.quantile(of, 0.9)}
            for name, of in figures
        },
        "waits": _waits_json(result),
        "example": [list(line) for line in result.outcomes[0].story],
    }


def _waits_json(result: Result) -> list[dict[str, Any]]:
    keys = dict.fromkeys(key for outcome in result.outcomes for key in outcome.waits)
    told = []
    for stage, what in keys:
        values = [outcome.waits.get((stage, what), 0.0) for outcome in result.outcomes]
        told.append({"stage": stage, "for": what, "mean_seconds": sum(values) / len(values)})
    return told


def _promise_json(kept: Kept) -> dict[str, Any]:
    return {
        "stage": kept.stage,
        "kpi": kept.promise.kpi,
        "ratio": kept.promise.ratio,
        "runs": kept.runs,
        "caught": kept.caught,
        "asked": kept.asked,
        "is_kept": kept.is_kept,
        "figures": [{**asdict(figure), "told": figure_words(figure)} for figure in kept.figures],
    }


def _finding_json(finding: Finding) -> dict[str, str]:
    return {"level": finding.level, "about": finding.about, "text": finding.text}


__all__ = [
    "conclusion",
    "endings",
    "healthy_lines",
    "percent",
    "promise_rows",
    "short",
    "story_line",
    "to_json",
    "world_words",
]
