"""Hard stops: plain rules beside the statistics, for what needs no test. Each says itself in one sentence.

They are exempt from alpha: their errors are bounded by no probability but by how plain the case must be.
Intervals without numbers neither count nor reset anything, so a gap never stops a release.

1. Nothing succeeds: in intervals in a row every request of the new version failed, while most of the
   old one's succeeded.
2. Checks fail: in intervals in a row every check of the new version failed (or as many as the rule's
   limit), and the old one's did not.
3. The whole service burns its error budget: both versions together, over a long and a short window.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rollway.judge.model import Counts, GuardRule, Reading
from rollway.judge.quick import quick
from rollway.judge.words import percent, seconds

CHECK = "check"
RATE = "rate"
# One bad interval may be a hiccup of the network or of the source; three in a row are not.
IN_A_ROW = 3
# So many requests without a single success, where more than half of the old version's succeed: below
# one in a thousand million if they fail independently, and not yet one user with a broken client.
ENOUGH_FAILED = 30
MOST_FAIL = 0.5

# The fast-burn alert of Google's SRE Workbook (2018, chapter 5): at 14.4 times the rate that the objective
# allows, a month's error budget is gone in two days. The short window says that it is still going on.
FAST_BURN = 14.4
LONG_SECONDS = 3600.0
SHORT_SECONDS = 300.0
SLOT_SECONDS = 60.0
# With less than this in the short window a few failures or seconds would decide.
ENOUGH_BURNT = 10
ENOUGH_SECONDS = SHORT_SECONDS / 2


@quick
@dataclass(frozen=True, slots=True)
class Slot:
    """One minute of both versions together; `number` counts minutes since 1970."""

    number: int
    trials: float
    failed: float
    seconds: float


@quick
@dataclass(frozen=True, slots=True)
class Stops:
    """What the rules remember of one KPI: the run of intervals with only failures, and the last hour."""

    in_a_row: int = 0
    since: float = 0.0
    trials: float = 0.0
    failed: float = 0.0
    baseline_trials: float = 0.0
    baseline_failed: float = 0.0
    slots: tuple[Slot, ...] = ()


NO_STOPS = Stops()


def watches(rule: GuardRule) -> bool:
    """Whether there is a hard stop for the rule's kind."""
    return rule.say != "watch" and rule.kind in (RATE, CHECK)


def faults(rule: GuardRule) -> tuple[str, ...]:
    """What in the rule's objective cannot be judged by."""
    if rule.objective is None:
        return ()
    if rule.kind != RATE:
        return (f"an objective is judged for rates, not for the kind {rule.kind!r}",)
    if not 0 < rule.objective < 1:
        return (f"objective is {rule.objective!r}, not between 0 and 1",)
    if FAST_BURN * (1 - rule.objective) >= 1:
        return (f"objective {rule.objective!r} is so low that its budget can never burn {FAST_BURN} times",)
    return ()


def add(stops: Stops, rule: GuardRule, reading: Reading) -> Stops:
    """After one more plausible reading. Before the new version is exposed only the service is watched."""
    if not watches(rule):
        return stops
    candidate, baseline = _failures(rule, reading.candidate), _failures(rule, reading.baseline)
    if rule.objective is not None:
        trials, failed = candidate[0] + baseline[0], candidate[1] + baseline[1]
        stops = replace(stops, slots=_add_slot(stops.slots, reading, trials, failed))
    if reading.share <= 0 or candidate[0] <= 0:
        return stops
    if not _is_failing(rule, candidate):
        return Stops(slots=stops.slots) if stops.in_a_row else stops
    if rule.kind == CHECK and baseline[0] > 0 and _is_failing(rule, baseline):
        # Both fail: that tells of the checks, not of the new version.
        return stops
    return replace(
        stops,
        in_a_row=stops.in_a_row + 1,
        since=stops.since if stops.in_a_row else float(reading.start),
        trials=stops.trials + candidate[0],
        failed=stops.failed + candidate[1],
        baseline_trials=stops.baseline_trials + baseline[0],
        baseline_failed=stops.baseline_failed + baseline[1],
    )


def _failures(rule: GuardRule, sample: object) -> tuple[float, float]:
    """Trials, and how many failed: the bad ones, or those that did not happen where fewer is worse."""
    if not isinstance(sample, Counts):
        return 0.0, 0.0
    is_reversed = rule.direction == "less_is_worse"
    return float(sample.trials), float(sample.trials - sample.bad if is_reversed else sample.bad)


def _is_failing(rule: GuardRule, counts: tuple[float, float]) -> bool:
    trials, failed = counts
    least = rule.limit if rule.kind == CHECK and rule.limit is not None else 1.0
    return failed >= least * trials


def _add_slot(slots: tuple[Slot, ...], reading: Reading, trials: float, failed: float) -> tuple[Slot, ...]:
    """The minutes of the last hour; an interval counts for the minute in which it ends."""
    if trials <= 0:
        return slots
    number = int(reading.end // SLOT_SECONDS)
    length = float(reading.end - reading.start)
    before = slots[-1] if slots and slots[-1].number == number else Slot(number, 0.0, 0.0, 0.0)
    kept = slots[:-1] if slots and slots[-1].number == number else slots
    new = Slot(number, before.trials + trials, before.failed + failed, before.seconds + length)
    first = number - int(LONG_SECONDS // SLOT_SECONDS)
    return (*(slot for slot in kept if slot.number > first), new)


def is_near(rule: GuardRule, stops: Stops) -> bool:
    """Whether the next look could stop the release at all."""
    return stops.in_a_row >= IN_A_ROW or rule.objective is not None


def found(rule: GuardRule, stops: Stops, reading: Reading) -> str:
    """Why the reading stops the release, in one sentence; empty where it does not."""
    if not watches(rule) or reading.share <= 0 or not _has_numbers(reading):
        return ""
    if stops.in_a_row >= IN_A_ROW:
        text = (
            _checks_fail(rule, stops) if rule.kind == CHECK else _nothing_succeeds(rule, stops, reading.end)
        )
        if text:
            return text
    return _burns(rule, stops, reading.end)


def _has_numbers(reading: Reading) -> bool:
    return any(isinstance(one, Counts) and one.trials > 0 for one in (reading.candidate, reading.baseline))


def _nothing_succeeds(rule: GuardRule, stops: Stops, at: float) -> str:
    enough = stops.trials >= ENOUGH_FAILED and stops.baseline_trials >= ENOUGH_FAILED
    if not enough or stops.baseline_failed > MOST_FAIL * stops.baseline_trials:
        return ""
    succeeded = 1 - stops.baseline_failed / stops.baseline_trials
    return (
        f"{rule.kpi}: none of the new version's last {stops.trials:,.0f} requests succeeded "
        f"(in {seconds(at - stops.since)}), while {percent(succeeded)} of the old one's did"
    )


def _checks_fail(rule: GuardRule, stops: Stops) -> str:
    return (
        f"{rule.kpi}: the new version failed {stops.failed:,.0f} of {stops.trials:,.0f} checks "
        f"in {stops.in_a_row} intervals in a row"
    )


def _burns(rule: GuardRule, stops: Stops, at: float) -> str:
    if rule.objective is None:
        return ""
    short = _window(stops.slots, at, SHORT_SECONDS)
    if short.failed < ENOUGH_BURNT or short.seconds < ENOUGH_SECONDS:
        return ""
    if short.failed / short.trials / (1 - rule.objective) < FAST_BURN:
        return ""
    long = _window(stops.slots, at, LONG_SECONDS)
    rates = short.failed / short.trials, long.failed / long.trials
    burn = min(rates) / (1 - rule.objective)
    if burn < FAST_BURN:
        return ""
    return (
        f"{rule.kpi}: both versions together burn the error budget {burn:.3g} times too fast "
        f"({percent(rates[0])} failed in the last {seconds(SHORT_SECONDS)}, {percent(rates[1])} in the last "
        f"{seconds(LONG_SECONDS)}; the objective is {100 * rule.objective:g}% good)"
    )


def _window(slots: tuple[Slot, ...], at: float, length: float) -> Slot:
    number = int(at // SLOT_SECONDS)
    minutes = int(length // SLOT_SECONDS)
    # There is one slot for each minute at most, and the last ones are the latest.
    inside = [slot for slot in slots[-minutes - 1 :] if slot.number > number - minutes]
    return Slot(
        number,
        sum(slot.trials for slot in inside),
        sum(slot.failed for slot in inside),
        sum(slot.seconds for slot in inside),
    )


def warning(rule: GuardRule, stops: Stops) -> str:
    """What keeps a gate from being healthy although it does not stop yet; empty where nothing does."""
    if rule.kind != CHECK or not stops.in_a_row:
        return ""
    return f"{rule.kpi}: failed in the last interval; {IN_A_ROW} in a row stop the release"
