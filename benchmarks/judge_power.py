"""Does the plan's foresight come true? Promised chances and times beside courses drawn tick by tick.

    python -m benchmarks.judge_power                about two minutes
    python -m benchmarks.judge_power --runs 500     quicker and rougher
    python -m benchmarks.judge_power --only whole --runs 16000     some cases, closely: the whole judge is run
                                                    a twentieth as often as the others

The simulation shares nothing with the forecast but the formula of the evidence: every tick is drawn and
judged, each course spends its own prior mass, and wealth is kept as plain numbers.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rollway import judge
from rollway.judge import GuardRule, Histogram, Reading, Rules, difference
from rollway.judge import wager as wagers
from rollway.judge.comparison import ODDS
from rollway.judge.difference import Asked, Method, Null
from rollway.judge.dispersion import Dispersion
from rollway.judge.kinds import total
from rollway.judge.kinds.latency import SLOW_SHARES
from rollway.judge.logs import FloatArray
from rollway.judge.moments import Units
from rollway.judge.onset import (
    AT_STAGE_CHANGES,
    AT_START,
    LEFT_AFTER_A_CHANGE,
    OVER_LATER_TIME,
    OVER_PLANNED_TIME,
    Interval,
)
from rollway.judge.power import (
    FEWEST_PATHS,
    Durations,
    Means,
    Setting,
    Shares,
    Step,
    foresee,
    rate_fault,
    slower,
)
from rollway.judge.processes import EFFECTS

Counted = NDArray[Any]

RAMP = tuple(Step(name, share, 1200.0) for name, share in (("one", 0.01), ("ten", 0.1), ("half", 0.5)))
SLOW_RAMP = tuple(replace(step, seconds=7200.0) for step in RAMP)
SIGMA = 0.6
NEAR = 0.03
"""Chances that differ by less are called alike."""
FAULTS = ((0.001, 2.0), (0.01, 2.0), (0.01, 5.0), (0.01, 1.2))
TRAFFIC = (1.0, 100.0, 10_000.0)


@dataclass(frozen=True, slots=True)
class Case:
    """`runs` of the simulation, as a part of those asked for: the whole judge is slow."""

    name: str
    setting: Setting
    fault: Shares | Means | Durations
    part: float = 1.0

    def simulate(self, *, runs: int, seed: int) -> FloatArray:
        runs = max(20, round(runs * self.part))
        if isinstance(self.fault, Means):
            return simulate_means(self.setting, self.fault, runs=runs, seed=seed)
        if isinstance(self.fault, Durations):
            return simulate_durations(self.setting, self.fault, runs=runs, seed=seed)
        return simulate(self.setting, self.fault, runs=runs, seed=seed)


def setting_at(per_second: float, *, tolerance: float = 1.0, dispersion: Dispersion | None = None) -> Setting:
    """The ramp of these measurements: 20 minutes a stage, 2 hours where there is one request a second."""
    slow = per_second <= 1
    return Setting(
        per_second=per_second,
        stages=SLOW_RAMP if slow else RAMP,
        tick_seconds=60.0 if slow else 10.0,
        tolerance=tolerance,
        dispersion=dispersion or Dispersion(),
    )


def beyond_cuts(times: float, *, only_tail: bool = False) -> Shares:
    """Log-normal durations, all of them or only what is above p99 slower: shares beyond the judge's cuts."""
    normal = NormalDist(0.0, SIGMA)

    def beyond(share: float) -> float:
        if only_tail and share > 0.01:
            return share
        return 1 - normal.cdf(normal.inv_cdf(1 - share) - math.log(times))

    return Shares(SLOW_SHARES, tuple(beyond(share) for share in SLOW_SHARES))


def cases() -> list[Case]:
    found = [
        Case(f"{base:.1%} x{ratio:g}, {traffic:,.0f}/s", setting_at(traffic), rate_fault(base, ratio))
        for base, ratio in FAULTS
        for traffic in TRAFFIC
    ]
    for base, ratio, traffic in ((0.01, 2.0, 100.0), (0.001, 2.0, 100.0), (0.01, 2.0, 10_000.0)):
        fault = rate_fault(base, ratio, onset_seconds=1800.0)
        found.append(
            Case(f"{base:.1%} x{ratio:g} from minute 30, {traffic:,.0f}/s", setting_at(traffic), fault)
        )
    fault = rate_fault(0.01, 1.5)
    found.append(Case("1.0% x1.5, tolerance 1.1, 100/s", setting_at(100.0, tolerance=1.1), fault))
    noisy = setting_at(100.0, dispersion=Dispersion(1.3, 0.04))
    found.append(Case("1.0% x2, arms' noise 20%, 100/s", noisy, rate_fault(0.01, 2.0)))
    found += late_and_noisy()
    for traffic in (10.0, 100.0, 1000.0):
        found.append(Case(f"all durations x1.1, {traffic:,.0f}/s", setting_at(traffic), beyond_cuts(1.1)))
    for traffic, times in ((100.0, 1.1), (1000.0, 1.1), (100.0, 1.5)):
        fault = beyond_cuts(times, only_tail=True)
        found.append(Case(f"above p99 x{times:g}, {traffic:,.0f}/s", setting_at(traffic), fault))
    for effect, traffic in ((0.05, 100.0), (0.1, 100.0), (0.1, 10.0)):
        means = Means(effect, burn_in=total.BURN_IN)
        found.append(
            Case(f"means by {effect:g} deviations, {traffic:,.0f}/s", setting_at(traffic), means, 0.5)
        )
    for times, is_tail, traffic in ((1.1, False, 10.0), (1.1, False, 100.0), (1.5, True, 100.0)):
        law = slower(median=0.1, p99=0.404, times=times, is_tail_only=is_tail)
        what = "slowest 1%" if is_tail else "all"
        found.append(
            Case(f"whole judge: {what} x{times:g}, {traffic:,.0f}/s", setting_at(traffic), law, 0.05)
        )
    return found


def late_and_noisy() -> list[Case]:
    """Faults that begin at half the traffic, where events come the faster for them: what the noise divides
    evidence by follows only slowly. The last stage is so short that some are missed."""
    found = []
    for ratio, growth, seconds, traffic in (
        (5.0, 0.015, 60.0, 100.0),
        (5.0, 0.015, 20.0, 1000.0),
        (5.0, 0.1, 180.0, 100.0),
        (2.0, 0.015, 300.0, 100.0),
    ):
        setting = setting_at(traffic, dispersion=Dispersion(1.0, growth))
        stages = (*setting.stages[:2], replace(setting.stages[2], seconds=seconds))
        noise = f"arms' noise {math.sqrt(growth):.0%}, {traffic:,.0f}/s"
        name = f"1.0% x{ratio:g} in the last {seconds:g} s, {noise}"
        fault = rate_fault(0.01, ratio, onset_seconds=2400.0)
        found.append(Case(name, replace(setting, stages=stages), fault))
    return found


def simulate(setting: Setting, fault: Shares, *, runs: int, seed: int) -> FloatArray:
    """When each of `runs` courses is found harmful, seconds; infinite where never. Tick by tick."""
    rng = np.random.default_rng(seed)
    cuts = len(fault.old)
    wealth = np.zeros((runs, cuts, len(EFFECTS)))
    elapsed, changes = np.zeros(runs), np.zeros(runs)
    stage_of, spent = np.full(runs, -1), np.zeros(runs)
    found, at = np.full(runs, np.inf), 0.0
    luck, pace = np.ones(runs), (np.zeros((runs, cuts)), 0.0)
    for number, stage in enumerate(setting.stages):
        for _ in range(round(stage.seconds / setting.tick_seconds)):
            luck = _luck(rng, setting.dispersion, at, luck)
            total = rng.poisson(setting.per_second * setting.tick_seconds, runs)
            new = rng.binomial(total, stage.share)
            shares = fault.new if at >= fault.onset_seconds else fault.old
            bad_new = _beyond(rng, new, shares, luck, setting.dispersion.floor)
            bad_old = _beyond(rng, total - new, fault.old, np.ones(runs), setting.dispersion.floor)
            usable = (new > 0) & (new < total)
            changes += usable & (stage_of >= 0) & (stage_of != number)
            stage_of = np.where(usable, number, stage_of)
            elapsed += np.where(usable, setting.tick_seconds / setting.planned_seconds, 0.0)
            now = np.where(stage_of >= 0, _spent(changes, elapsed), 0.0)
            pace = _pace(setting, pace, (bad_new + bad_old) * usable[:, None])
            gain = _gain(setting, new, total - new, bad_new, bad_old, pace) * usable[:, None, None]
            stake = (now - spent)[:, None, None] * np.exp(ODDS.log_effects)
            wealth = (wealth + stake) * np.exp(np.minimum(gain, 600.0))
            wealth = np.minimum(wealth, 1e30)
            spent, at = now, at + setting.tick_seconds
            evidence = wealth.sum(axis=2).mean(axis=1) + 1 - spent
            found = np.where(np.isinf(found) & (evidence >= 1 / setting.alpha), at, found)
            if np.isfinite(found).all():
                return found
    return found


def simulate_means(setting: Setting, fault: Means, *, runs: int, seed: int) -> FloatArray:
    """The same for means, by the real comparison of a total, which learns the figures' spread."""
    rng = np.random.default_rng(seed)
    method = Method(total.views, bound=None, needs=(total.BURN_IN, total.BURN_IN))
    asked = Asked(Null(1.0, 1.0, fault.tolerated))
    known = difference.warm(difference.start(runs), _figures(rng, np.full(runs, 5000), 0.0))
    found, at = np.full(runs, np.inf), 0.0
    for stage in setting.stages:
        for _ in range(round(stage.seconds / setting.tick_seconds)):
            place = Interval(stage.name, at, setting.tick_seconds, setting.planned_seconds)
            units = rng.poisson(setting.per_second * setting.tick_seconds, runs)
            new = rng.binomial(units, stage.share)
            mean = fault.effect if at >= fault.onset_seconds else 0.0
            arms = _figures(rng, new, mean), _figures(rng, units - new, 0.0)
            known = difference.compare(known, arms, place, method, asked)
            at += setting.tick_seconds
            evidence = wagers.harm_of(known.wager, setting.planned_seconds)
            found = np.where(np.isinf(found) & (evidence >= -math.log(setting.alpha)), at, found)
    return found


def _figures(rng: np.random.Generator, units: Counted, mean: float) -> Units:
    """The sums of normal figures around 2 + mean, with a deviation of 1."""
    n = units.astype(float)
    total_ = np.sqrt(n) * rng.standard_normal(len(n))
    about = np.where(
        n > 0, total_**2 / np.maximum(n, 1) + 2 * rng.standard_gamma(np.maximum(n - 1, 0) / 2), 0.0
    )
    shift, none = 2.0 + mean, np.zeros(len(n))
    return Units(n, total_ + shift * n, about + 2 * shift * total_ + shift**2 * n, none, none, none)


def simulate_durations(setting: Setting, fault: Durations, *, runs: int, seed: int) -> FloatArray:
    """The same for durations, by the judge as it runs: readings in, verdicts out."""
    rng, found = np.random.default_rng(seed), np.full(runs, np.inf)
    rule = GuardRule("durations", "latency", tolerance=setting.tolerance)
    rules = Rules((rule,), alpha=setting.alpha, planned_seconds=setting.planned_seconds)

    def drawn(requests: float, law: tuple[float, ...]) -> Histogram:
        return Histogram(fault.bounds, tuple(rng.poisson(requests * np.array(law)).tolist()))

    for run in range(runs):
        first = Reading("durations", -600.0, 0.0, "before", 0.0, None, drawn(100_000, fault.old))
        state, at = judge.update(rules, judge.begin(rules), [first]), 0.0
        for stage in setting.stages:
            requests = setting.per_second * setting.tick_seconds
            for _ in range(round(stage.seconds / setting.tick_seconds)):
                law = fault.new if at >= fault.onset_seconds else fault.old
                arms = drawn(requests * stage.share, law), drawn(requests * (1 - stage.share), fault.old)
                end = at + setting.tick_seconds
                reading = Reading("durations", at, end, stage.name, stage.share, *arms)
                state, at = judge.update(rules, state, [reading]), end
                if state.finding is not None:
                    break
            if state.finding is not None:
                found[run] = at
                break
    return found


def _spent(changes: FloatArray, elapsed: FloatArray) -> FloatArray:
    ramps = AT_STAGE_CHANGES * (1 - LEFT_AFTER_A_CHANGE**changes)
    later = OVER_LATER_TIME * (1 - 0.5 ** np.maximum(0.0, elapsed - 1))
    mass: FloatArray = AT_START + ramps + OVER_PLANNED_TIME * np.minimum(elapsed, 1.0) + later
    return mass


def _luck(rng: np.random.Generator, dispersion: Dispersion, at: float, luck: FloatArray) -> FloatArray:
    if dispersion.growth <= 0 or at % dispersion.block_seconds:
        return luck
    return rng.gamma(1 / dispersion.growth, dispersion.growth, len(luck))


def _beyond(
    rng: np.random.Generator, trials: Counted, shares: tuple[float, ...], luck: FloatArray, floor: float
) -> FloatArray:
    """How many trials lie beyond each cut, shape (runs, cuts): each cut thins the one before it."""
    left: Counted = trials
    before, counts = 1.0, []
    for share in shares:
        chance = np.minimum(share / before * (luck if before == 1.0 else 1.0), 1.0)
        left = floor * rng.binomial(np.round(left / floor).astype(int), chance)
        counts.append(left)
        before = share
    return np.stack(counts, axis=1).astype(float)


def _pace(setting: Setting, pace: tuple[FloatArray, float], events: FloatArray) -> tuple[FloatArray, float]:
    left = math.exp(-setting.tick_seconds / setting.dispersion.block_seconds)
    return left * pace[0] + events, left * pace[1] + setting.tick_seconds


def _gain(
    setting: Setting,
    new: Counted,
    old: Counted,
    bad_new: FloatArray,
    bad_old: FloatArray,
    pace: tuple[FloatArray, float],
) -> FloatArray:
    """Log wealth of a tick, shape (runs, cuts, effects), written from the formula."""
    weight = new * setting.tolerance
    ahead = (weight[:, None] * EFFECTS + old[:, None]) / np.maximum(weight + old, 1e-9)[:, None]
    events = bad_new + bad_old
    gain = bad_new[..., None] * np.log(EFFECTS) - events[..., None] * np.log(np.maximum(ahead, 1e-9))[:, None]
    spread = setting.dispersion
    if spread.is_none:
        return gain
    share = weight / np.maximum(weight + old, 1e-9)
    block = pace[0] / pace[1] * max(spread.block_seconds, setting.tick_seconds)
    phi = spread.floor + spread.growth * block * (share * (1 - share))[:, None]
    divided: FloatArray = gain / phi[..., None]
    return divided


def compare(case: Case, *, runs: int, seed: int = 5) -> tuple[float, float, str]:
    """The largest difference of a chance, its standard error (of the forecast's courses and of those drawn
    here), and a line to print."""
    began = time.process_time()
    power = foresee(case.setting, case.fault)
    took = time.process_time() - began
    found = case.simulate(runs=runs, seed=seed)
    ends = np.cumsum([step.seconds for step in case.setting.stages])
    seen = [float(np.mean(found <= end)) for end in ends]
    lasted = np.maximum(found - case.fault.onset_seconds, 0)
    middle = float(np.quantile(lasted, 0.5, method="inverted_cdf"))
    chances = " ".join(f"{p:4.0%}/{s:4.0%}" for p, s in zip(power.caught_by, seen, strict=True))
    times = f"{_minutes(power.seconds[1])}/{_minutes(middle)}"
    tails = " ".join(
        f"{_minutes(power.seconds[i])}/{_minutes(float(np.quantile(lasted, q, method='inverted_cdf')))}"
        for i, q in ((0, 0.1), (2, 0.9))
    )
    pairs = zip(power.caught_by, seen, strict=True)
    promised, drawn = max(pairs, key=lambda pair: abs(pair[0] - pair[1]))
    error = math.sqrt((promised * (1 - promised) + 0.25 / len(found)) * (1 / len(found) + 1 / FEWEST_PATHS))
    off = f"{100 * (drawn - promised):+5.1f} ({100 * error:.1f})"
    line = f"{case.name:<52} {chances}  {off:>12} {times:>14}   {tails:>24}   {took * 1000:4.0f} ms"
    return drawn - promised, error, line


def _minutes(seconds: float) -> str:
    return "never" if math.isinf(seconds) else f"{seconds / 60:.1f}"


def main() -> None:
    """Print a line for each case, and how far promise and simulation are apart."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--only", default="", help="cases whose name contains this")
    runs, only = (given := parser.parse_known_args()[0]).runs, given.only
    print(f"{'case':<52} {'caught by stage (promised/drawn)':<32} points (se)   median min.   10% and 90%")
    differences = []
    for case in cases():
        if only in case.name:
            off, error, line = compare(case, runs=runs)
            differences.append((abs(off), error, case.name))
            print(line, flush=True)
    largest, error, name = max(differences, default=(0.0, 0.0, "no case"))
    off_by_more = sum(off > NEAR + 2 * error for off, error, _ in differences)
    within = sum(off <= NEAR for off, _, _ in differences)
    print(f"{within} of {len(differences)} cases within {100 * NEAR:.0f} points, {off_by_more} off by more")
    print(f"than that and two standard errors; the largest: {100 * largest:.1f} ({100 * error:.1f}), {name}")


if __name__ == "__main__":
    main()
