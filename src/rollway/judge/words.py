"""Numbers as people read them."""

from __future__ import annotations

import math

from rollway.judge.evidence import Accused, Safety
from rollway.judge.model import GuardRule
from rollway.judge.sight import Blindness, Sight, expected_arms


def percent(rate: float) -> str:
    """9.7%, 0.12%, 100%."""
    value = 100 * rate
    if value == 0 or value >= 99.95:
        return f"{value:.0f}%"
    return f"{value:.1f}%" if value >= 1 else f"{value:.2g}%"


def e_value(log_e: float) -> str:
    """exp(log_e) with two digits or so: 0.04, 7, 120, 1.2e+03."""
    exponent = log_e / math.log(10)
    if abs(exponent) > 300:
        return f"1e{exponent:+.0f}"
    value = math.exp(log_e)
    return f"{value:.0f}" if 10 <= value < 999.5 else f"{value:.2g}"


def seconds(length: float) -> str:
    """40 s, 12 min, 3.5 h."""
    if length < 120:
        return f"{length:.0f} s"
    return f"{length / 60:.0f} min" if length < 7200 else f"{length / 3600:.1f} h"


def amount(number: float) -> str:
    """About how many, with two digits: 90, 1,300, 52,000."""
    if number < 10:
        return f"{max(1, math.ceil(number))}"
    unit = 10 ** (math.floor(math.log10(number)) - 1)
    return f"{math.ceil(number / unit) * unit:,}"


def times(ratio: float) -> str:
    """4.8 times, 1.07 times, 120 times."""
    return (
        f"{ratio:.3g} times" if ratio < 2 else f"{ratio:.2g} times" if ratio < 100 else f"{ratio:.0f} times"
    )


def accusation(rule: GuardRule, found: Accused, at: float, *, what: str) -> str:
    """What speaks against the new version: the KPI, by how much, out of how many requests.

    errors: the new version's rate is 4.8 times the old one's (9.7% against 2.0%, 310 requests in 40 s)
    """
    within = "" if found.since is None else f" in {seconds(max(0.0, at - found.since))}"
    extent = f"{found.trials:,} requests{within}"
    new = percent(found.candidate_rate)
    start = f"{rule.kpi}: the new version's {what}"
    if found.baseline_rate is None:
        return f"{start} is {new} ({extent}), above the limit of {percent(rule.limit or 0.0)}"
    if found.baseline_rate <= 0:
        return f"{start} is {new} ({extent}), where the old one's is 0%"
    ratio = times(found.candidate_rate / found.baseline_rate)
    return f"{start} is {ratio} the old one's ({new} against {percent(found.baseline_rate)}, {extent})"


def blind_text(kpi: str, blind: Blindness) -> str:
    """Why a KPI is blind, and for how long."""
    lasting = seconds(blind.seconds)
    return {
        "source_down": f"{kpi}: the source of its numbers has not answered for {lasting}",
        "implausible": f"{kpi}: the numbers cannot be right, and no usable ones came for {lasting}",
        "no_past": f"{kpi}: fewer than three past weeks to compare with, for {lasting}",
        "no_traffic": f"{kpi}: no request at all was seen for {lasting}",
        "candidate_silent": f"{kpi}: no request of the new version was seen for {lasting}",
        "baseline_silent": f"{kpi}: no request of the old version was seen for {lasting}",
        "stale": f"{kpi}: no reading has come for {lasting}",
        "waiting": f"{kpi}: its readings have not been complete for {lasting}",
    }[blind.reason]


def unseen_text(kpi: str, sight: Sight, stage: str, share: float, *, alone: bool = False) -> str:
    """Which version has not been seen yet in this stage."""
    candidate, baseline = expected_arms(share, alone=alone)
    here = sight.stage == stage
    lacking = [
        name
        for name, is_expected, arm in (
            ("the new version", candidate, sight.candidate),
            ("the old version", baseline, sight.baseline),
        )
        if is_expected and not (here and arm.is_seen_in_stage)
    ]
    return f"{kpi}: no request of {' nor of '.join(lacking)} yet in this stage"


def safety_text(
    kpi: str, safety: Safety, margin: float, alpha_promote: float, needed: float | None, wait: float | None
) -> str:
    """How far a gate is from its margin; about how many more requests and seconds that takes, if known.

    A kind that counts other things than requests says how many it needs in its obstacle.
    """
    start = f"{kpi}: evidence of safety e = {e_value(safety.log_e)} of {1 / alpha_promote:.4g} needed"
    lasting = "" if wait is None else f", {seconds(wait)} at the present traffic"
    if safety.obstacle:
        return f"{start}: {safety.obstacle}{lasting}"
    if needed is None:
        return f"{start}: {_no_outlook(safety)}"
    text = f"{start}: about {amount(needed)} more requests of the new version{lasting}"
    if safety.ratio is not None and safety.ratio >= margin:
        text += f", if both are alike, but the ratio stands at {safety.ratio:.3g} (margin {margin:g})"
    return text


def _no_outlook(safety: Safety) -> str:
    if safety.base_rate:
        return "it cannot grow without both versions at work"
    return "nothing bad was seen of the old version yet, so there is nothing to compare"


def loss_text(kpi: str, late: int, lost: int) -> str:
    """How many readings were not judged, and why; empty where all were."""
    parts = [f"{late} came too late"] if late else []
    parts += [f"{lost} were never completed or waited too long"] if lost else []
    return f"{kpi}: of its readings {' and '.join(parts)}, and were not judged" if parts else ""
