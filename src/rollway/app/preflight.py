"""Before anything is exposed: does every source answer, would a fault be seen, can the target go back?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from math import isclose

from rollway.app.busy import holder_of
from rollway.app.connectors import PluginConnectors
from rollway.app.planted import Found, find, law_of, made_worse, steps_of, with_patience
from rollway.app.proof import FROM_NOBODY, OLD_VERSION, SOURCE, TARGET, Finding, Proof, needed_later
from rollway.app.sampled import check_group, check_sampling, drawn_in
from rollway.app.selected import check_bad, check_silence, missing, onto_nothing, read, trials_of
from rollway.errors import InputError, RollwayError
from rollway.facts.duration import parse_duration
from rollway.judge import Counts, Histogram, Moments, Reading, Sample
from rollway.judge.words import amount, percent, seconds
from rollway.planning import Guard, Plan
from rollway.planning.durations import bounds_of
from rollway.rollout import Collected, Cursor, Interval, Signal, live_share, rules_of
from rollway.rollout.serving import Check, CheckState
from rollway.signals.examined import Examined
from rollway.store import SqlRollouts

LOOK_BACK = 600.0
"""Seconds that are asked for of a source that can tell of the past; of the others two looks are taken."""
LAST_MINUTE = 60.0
ENOUGH_TRIALS = 30
"""Trials of a minute from which its pace is known to about a fifth."""
ENOUGH = 0.9
HINT = "longer stages, larger shares, or start when there is more traffic"


@dataclass(frozen=True, slots=True)
class Ask:
    """How preflight looks: `pause` seconds between two looks, for at most `within` seconds; the fault that is
    planted makes a KPI `times` as bad."""

    pause: float = 5.0
    within: float = 30.0
    times: float = 5.0


@dataclass(slots=True)
class _Look:
    """A KPI's signal and what it has said so far; `pace` is in trials per second of both versions, where more
    is known of the last minute than of the whole reading; `examined` is what it says beyond the reading."""

    guard: Guard
    signal: Signal
    cursor: Cursor
    reading: Reading | None = None
    note: str = ""
    at: float = 0.0
    pace: float | None = None
    examined: Examined = field(default_factory=Examined)


class Preflight:
    """Looks at a plan's signals and its target, and changes nothing that users see."""

    def __init__(
        self,
        connectors: PluginConnectors,
        rollouts: SqlRollouts,
        clock: Callable[[], datetime],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connectors = connectors
        self._rollouts = rollouts
        self._clock = clock
        self._sleep = sleep

    def prove(self, plan: Plan, ask: Ask | None = None) -> Proof:
        """As `run`, with when it began and how long it took, fit for the record."""
        at, began = self._clock(), time.monotonic()
        found = self.run(plan, ask)
        return Proof(at, time.monotonic() - began, found)

    def run(self, plan: Plan, ask: Ask | None = None) -> tuple[Finding, ...]:
        """All findings: the target's first, then each KPI's in the plan's order. Raises nothing that a source
        or a target does."""
        name = f"preflight-{plan.hash[:12]}"
        ask = ask or Ask()
        try:
            share, of_target = self._target(name, plan)
            looks, broken = self._begin(name, plan, share or 0.0)
            self._look(looks, plan, share or 0.0, ask)
            for look in looks:
                look.pace = self._pace_now(look, self._interval(plan, share or 0.0))
                look.examined = self._examine(look, self._interval(plan, share or 0.0))
        finally:
            self._connectors.forget(name)
        found = [Finding(TARGET, check) for check in of_target]
        seen = {look.guard.kpi: look for look in looks}
        for guard in plan.guards:
            checks = broken.get(guard.kpi, [])
            if guard.kpi in seen:
                told = _of_guard(plan, seen[guard.kpi], share, ask)
                checks = [needed_later(plan, guard, check) for check in told]
            found += [Finding(guard.kpi, check) for check in checks]
        return tuple(found)

    # --- the target ---

    def _target(self, name: str, plan: Plan) -> tuple[float | None, list[Check]]:
        """The share that is served now, and what the target says of itself."""
        try:
            target = self._connectors.target(name, plan)
            holder = holder_of(target, self._rollouts, self._connectors)
            if holder is not None:
                return None, [Check("free", "failed", holder.told, holder.hint)]
            checks = [Check("free", "ok", f"no rollout uses {target.identity}")]
            checks += target.preflight()
            if any(check.state == "failed" and check.name == "reachable" for check in checks):
                return None, checks
            share = target.observe().share
            return share, [*checks, _from_nobody(plan, share), *check_sampling(plan, target)]
        except RollwayError as error:
            return None, [Check("reachable", "failed", error.message, error.hint)]
        except Exception as error:  # a plugin may raise what it likes
            return None, [Check("reachable", "failed", f"{type(error).__name__}: {error}")]

    # --- the signals ---

    def _begin(self, name: str, plan: Plan, share: float) -> tuple[list[_Look], dict[str, list[Check]]]:
        looks: list[_Look] = []
        broken: dict[str, list[Check]] = {}
        for guard in plan.guards:
            try:
                signal = self._connectors.signal(name, guard)
            except InputError as error:
                broken[guard.kpi] = [Check(SOURCE, "failed", error.message, error.hint)]
                continue
            look = _Look(guard, signal, {})
            self._ask(look, None, self._interval(plan, share))
            # Such a cursor says from when on to ask, so it can be set back.
            if look.reading is None and "until" in look.cursor:
                earlier = replace(self._interval(plan, share), now=look.at - LOOK_BACK)
                self._ask(look, None, earlier)
                look.examined = self._examine(look, self._interval(plan, share))
            looks.append(look)
        return looks, broken

    def _look(self, looks: list[_Look], plan: Plan, share: float, ask: Ask) -> None:
        waited = 0.0
        while True:
            for look in looks:
                is_due = waited > 0 or "until" in look.cursor
                if is_due and _is_open(plan, look, share):
                    self._ask(look, look.cursor or None, self._interval(plan, share))
            if not any(_is_open(plan, look, share) for look in looks) or waited >= ask.within:
                return
            self._sleep(ask.pause)
            waited += ask.pause

    def _ask(self, look: _Look, cursor: Cursor | None, interval: Interval) -> None:
        try:
            collected = look.signal.collect(cursor, interval)
        except Exception as error:  # a plugin may raise what it likes
            told = error.message if isinstance(error, RollwayError) else f"{type(error).__name__}: {error}"
            failed = Reading(
                look.guard.kpi, interval.now, interval.now, interval.stage, 0.0, problem="source_down"
            )
            collected = Collected(failed, cursor or {}, told)
        look.cursor, look.note = collected.cursor, collected.note
        if collected.reading is not None or look.reading is None:
            look.reading, look.at = collected.reading, interval.now

    def _pace_now(self, look: _Look, now: Interval) -> float | None:
        """Today's traffic is that of the last minute, where the source can tell and there is enough of it."""
        if look.reading is None or look.reading.problem is not None or "until" not in look.cursor:
            return None
        try:
            begun = look.signal.collect(None, replace(now, now=now.now - LAST_MINUTE))
            reading = look.signal.collect(begun.cursor, now).reading
        except Exception:  # a plugin may raise what it likes, and has told of the ten minutes already
            return None
        if reading is None or reading.problem is not None or reading.end <= reading.start:
            return None
        trials = trials_of(reading.baseline) + trials_of(reading.candidate)
        return trials / (reading.end - reading.start) if trials >= ENOUGH_TRIALS else None

    def _examine(self, look: _Look, now: Interval) -> Examined:
        """What a signal that can examine its source tells of it; nothing of one that is in trouble."""
        examine = getattr(look.signal, "examine", None)
        is_down = look.reading is not None and look.reading.problem is not None
        if is_down or not callable(examine):
            return Examined()
        try:
            examined = examine(now)
        except Exception:  # a plugin may raise what it likes, and its numbers are there without this
            return Examined()
        return examined if isinstance(examined, Examined) else Examined()

    def _interval(self, plan: Plan, share: float) -> Interval:
        return Interval(stage=plan.stages[0].id, share=share, now=self._clock().timestamp())


def _is_open(plan: Plan, look: _Look, share: float) -> bool:
    """Whether another look may show more: nothing came yet, or nobody used the old version meanwhile."""
    reading = look.reading
    if reading is None and drawn_in(plan) is not None:
        return missing(look.examined, "baseline", "candidate") is None
    if reading is None or reading.problem is not None:
        return True
    if look.guard.baseline != "concurrent" or share >= 1 or drawn_in(plan) is not None:
        return False
    # No series of either version: the source may not have asked the service yet.
    return reading.candidate is None if reading.baseline is None else not trials_of(reading.baseline)


def _from_nobody(plan: Plan, share: float) -> Check:
    if share > live_share(plan.stages[0]):
        told = f"the target serves the new version to {share:.2%} of the users already"
        return Check(FROM_NOBODY, "failed", told, "take it away: rollway start --reset-target REASON")
    return Check(FROM_NOBODY, "ok", f"{share:.2%} of the users have the new version")


# --- what is made of a KPI's numbers --------------------------------------------------------------


def _of_guard(plan: Plan, look: _Look, share: float | None, ask: Ask) -> list[Check]:
    reading = look.reading
    if reading is None:
        return check_silence(drawn_in(plan), look.examined, look.note, ask.within)
    if reading.problem is not None:
        told = look.note or reading.problem.replace("_", " ")
        return [Check(SOURCE, "failed", told, "until it answers the judge is blind, and holds")]
    length = reading.end - reading.start
    checks = [Check(SOURCE, "ok", f"told of {seconds(length)}"), _age(plan, look, reading)]
    if look.guard.baseline == "concurrent":
        checks.append(_old_version(plan, look, reading, length, share))
    checks.append(_new_version(look, reading, length, share))
    sample = next((one for one in (reading.baseline, reading.candidate) if isinstance(one, Histogram)), None)
    if sample is not None and plan.promises:
        checks.append(check_buckets(look.guard, sample))
    of_bad = check_bad(look.guard, reading, look.examined)
    if of_bad is not None:
        checks.append(of_bad)
    if look.guard.say != "watch" and look.guard.kind != "assignment":
        checks.append(_planted(plan, look, reading, length, ask.times))
    return checks


def _age(plan: Plan, look: _Look, reading: Reading) -> Check:
    age, most = max(0.0, look.at - reading.end), rules_of(plan).blind_seconds
    if age > most:
        hint = "read more often, shorten `delay`, or plan with a longer time until the judge is blind"
        return Check("age", "failed", f"{seconds(age)} old; after {seconds(most)} the judge is blind", hint)
    return Check("age", "ok", f"{seconds(age)} old; the judge allows {seconds(most)}")


def _old_version(plan: Plan, look: _Look, reading: Reading, length: float, share: float | None) -> Check:
    name = OLD_VERSION
    drawn = drawn_in(plan)
    if drawn is not None:
        pace = None
        if reading.baseline is not None and trials_of(reading.baseline):
            pace = _pace(reading.baseline, length)
        # A source that tells of the past may still have the group of an earlier try.
        return check_group(drawn, pace, may_be_old="until" in look.cursor)
    if share == 1 and not trials_of(reading.baseline):
        return Check(name, "unknown", "none, for it serves nobody now: everyone has the new version")
    if reading.baseline is None:
        unmatched = missing(look.examined, "baseline")
        if unmatched is not None:
            hint = f"compare `{unmatched.option}` with what the source really says, correct it, and plan anew"
            return Check(name, "failed", unmatched.told, hint)
        hint = "compare the option `baseline` with what the source really says"
        return Check(name, "failed", look.note or "nothing is reported of it", hint)
    if not trials_of(reading.baseline):
        return Check(name, "unknown", f"no trials in {seconds(length)}", "try again when there are users")
    return Check(name, "ok", _pace(reading.baseline, length))


def _new_version(look: _Look, reading: Reading, length: float, share: float | None) -> Check:
    name = "new version"
    if reading.candidate is not None and trials_of(reading.candidate):
        return Check(name, "ok", _pace(reading.candidate, length))
    state: CheckState = "failed" if share else "unknown"
    served = "" if not share else f", though {share:.2%} of the users have it"
    unmatched = missing(look.examined, "candidate")
    if unmatched is not None:
        return Check(name, state, f"{unmatched.told}{served}", _mend(unmatched.option, share))
    if share is None or share > 0:
        hint = "compare the option `candidate` with what the source really says"
        return Check(name, state, f"no trials in {seconds(length)}{served}", hint)
    if reading.candidate is not None and look.examined.unmatched is not None:
        return Check(name, "ok", "reported, at 0, for it serves nobody")
    told = "none yet, for it serves nobody: whether its numbers would be found cannot be known"
    return Check(name, "unknown", told, "send it one request by hand, and run this again")


def _mend(option: str, share: float | None) -> str:
    if option == "candidate" and not share:
        return (
            "if `candidate` is right, send the new version one request by hand and run this again; "
            "if not, correct it and plan anew"
        )
    return f"compare `{option}` with what the source really says, correct it, and plan anew"


def check_buckets(guard: Guard, sample: Histogram) -> Check:
    """Whether the histogram has the bounds that the promises were made for."""
    if _are_alike(sample.bounds, bounds_of(guard)):
        return Check("buckets", "ok", f"the {len(sample.bounds)} bounds that the plan was made for")
    planned = "those that are stated" if guard.buckets else "the usual ones, for none are stated"
    bounds = ", ".join(f"{bound:g}" for bound in sample.bounds)
    told = f"other bounds than the plan was made for ({planned}): what it promises of this KPI may not hold"
    return Check("buckets", "unknown", told, f"state kpis.buckets: [{bounds}] and plan anew")


def _are_alike(bounds: Sequence[float], planned: Sequence[float]) -> bool:
    """Whether they are the same, as people write them: with six digits."""
    return len(bounds) == len(planned) and all(map(partial(isclose, rel_tol=1e-5), bounds, planned))


def _pace(sample: Sample, length: float) -> str:
    pace = trials_of(sample) * 60 / length if length > 0 else 0.0
    told = f"{amount(pace)} a minute"
    if isinstance(sample, Counts):
        return f"{told}, {percent(sample.bad / sample.trials)} counted as `bad`"
    if isinstance(sample, Moments):
        return f"{told}, {sample.total / sample.units:.3g} on average"
    return told


def _planted(plan: Plan, look: _Look, reading: Reading, length: float, times: float) -> Check:
    """The numbers as read, of the old version if there are any, with a fault in the new version's copy."""
    guard = look.guard
    name = f"fault x{times:g} found"
    sample, so_far = read(reading), read(look.examined.so_far)
    law = law_of(sample, guard.expected) if sample is not None else None
    is_old = law is None and isinstance(so_far, Counts)
    if is_old and so_far is not None:
        law = law_of(so_far, guard.expected)
    if not steps_of(plan, guard):
        where = " in which it counts" if guard.stages else ""
        told = f"no stage{where} serves both versions, so there is nothing to compare"
        return Check(name, "unknown", told)
    if guard.baseline == "history":
        return Check(name, "unknown", "compared with past weeks, which never goes back by itself")
    if drawn_in(plan) is not None:
        return Check(name, "unknown", "the control group is still to be drawn: nobody knows how many it has")
    if law is None or made_worse(law, guard, times) == law:
        is_rate = guard.kind in ("rate", "check") and trials_of(sample) > 0
        hint = "state the KPI's usual rate as `expected`" if is_rate else ""
        return Check(name, "unknown", "there are no numbers into which a fault could be planted", hint)
    pace = (trials_of(reading.baseline) + trials_of(reading.candidate)) / length if length > 0 else 0.0
    pace = pace if look.pace is None else look.pace
    found = find(plan, guard, law, pace, times)
    if found.seconds is None or not found.is_likely:
        check = _unfound(name, guard, find(with_patience(plan), guard, law, pace, times), pace)
    else:
        check = onto_nothing(_told(name, found.seconds, found, pace), guard, sample, so_far)
    if not is_old or check.state == "ok":
        return check
    # What was counted over all the time is no proof of how the service does tonight.
    return replace(check, state="unknown", told=f"{check.told}; at the rate of all that was ever counted")


def _unfound(name: str, guard: Guard, later: Found, pace: float) -> Check:
    """It is not found within the bake times; `later` is when, where stages last as long as they may."""
    traffic = f"at {amount(60 * pace)} trials a minute"
    if not later.is_likely:
        state: CheckState = "failed" if guard.say == "gate" else "unknown"
        return Check(name, state, f"not before the end of the plan, {traffic}", HINT)
    soonest = seconds(later.seconds or 0.0)
    told = f"not within the bake times, {traffic}; after about {soonest} where stages last longer"
    return Check(name, "unknown", told, HINT)


def _told(name: str, after: float, found: Found, pace: float) -> Check:
    """It is found after so many seconds, and how likely that is."""
    traffic = f"at {amount(60 * pace)} trials a minute"
    told = f"after about {seconds(after)} of exposure, in stage {found.stage}, {traffic}"
    if found.power is None:
        return Check(name, "ok", told)
    chance = f"chance {found.power.caught:.0%}" if found.power.caught < 0.99 else "chance above 99%"
    nine = found.power.seconds[-1]
    soon = f", nine times in ten within {seconds(nine)}" if after < nine < float("inf") else ""
    if found.power.caught < ENOUGH:
        # More likely found than not, from numbers of a few seconds: for people to weigh.
        return Check(name, "unknown", f"{told}; {chance}{soon}", HINT)
    return Check(name, "ok", f"{told}; {chance}{soon}")


def seconds_of(text: str, option: str) -> float:
    """A duration as an option gives it, in seconds. Raises InputError."""
    try:
        return parse_duration(text).total_seconds()
    except ValueError as error:
        raise InputError(f"{option}: {text!r} is no duration", hint=str(error)) from error
