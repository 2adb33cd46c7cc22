"""What the judge promises, checked against the figures: a line each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.judge.measure import ALPHAS, LEARNED, ROLLWAY, USERS
from benchmarks.judge.scenarios import Scenario

MOST_FALSE_UNDER_NOISE = 0.08
MOST_TIMES_LIMIT = {
    "errors-1-to-2-at-100": 1.55,
    "errors-0.1-to-0.2-at-100": 2.1,
    "errors-1-to-2-at-10k": 1.3,
    "late-1-to-2-at-100": 4.3,
    "latency-all-at-100": 1.6,
    "latency-tail-10-at-100": 3.5,
    "latency-tail-50-at-100": 3.5,
}
PROMISE = "false rollbacks"
NOISY = {
    "arm-noise-at-100": (LEARNED,),
    "arm-noise-at-10k": (LEARNED,),
    "sticky-users": (LEARNED, USERS),
}


@dataclass(frozen=True, slots=True)
class Check:
    """A promise, whether it was kept, and the figure."""

    text: str
    is_kept: bool

    def __str__(self) -> str:
        return f"{'pass' if self.is_kept else 'FAIL'}  {self.text}"


def check(found: Mapping[str, Any], scenarios: Mapping[str, Scenario]) -> list[Check]:
    """All promises that these scenarios can tell of; `found` holds each scenario's result by name."""
    checks = []
    for name, result in found.items():
        if name in scenarios and scenarios[name].is_calibrated:
            checks += [_false(result, alpha) for alpha in ALPHAS]
    for name, methods in NOISY.items():
        if name in found:
            checks += [_noisy(found[name], method) for method in methods]
    checks += [_near_limit(found[name], most) for name, most in MOST_TIMES_LIMIT.items() if name in found]
    return checks


def summary(checks: Sequence[Check]) -> list[str]:
    """The kept promises of false rollbacks in one line, all others in a line each."""
    kept = [each for each in checks if each.is_kept and each.text.endswith(PROMISE)]
    others = [str(each) for each in checks if each not in kept]
    line = f"pass  false rollbacks within alpha (0.05, 0.01) and three standard errors: {len(kept)} cells"
    return [line, *others] if kept else others


def _false(result: Mapping[str, Any], alpha: float) -> Check:
    rate = result["methods"][ROLLWAY][f"{alpha:g}"]["false"]
    most = alpha + 3 * math.sqrt(alpha * (1 - alpha) / result["runs"])
    text = f"{result['title']}, alpha {alpha:g}: {100 * rate:.1f}% <= {100 * most:.1f}% {PROMISE}"
    return Check(text, rate <= most)


def _noisy(result: Mapping[str, Any], method: str) -> Check:
    rate = result["methods"][method]["0.05"]["false"]
    most = MOST_FALSE_UNDER_NOISE
    text = (
        f"{result['title']}, {method}: false rollbacks {100 * rate:.1f}% <= {100 * most:.0f}% at alpha 0.05"
    )
    return Check(text, rate <= most)


def _near_limit(result: Mapping[str, Any], most: float) -> Check:
    told = result["methods"][ROLLWAY]["0.05"]
    times = told["times_limit"]
    error = times * told["exposed_error"] / told["exposed"]
    text = f"{result['title']}: {times:.2f} x limit (+-{error:.2f}) <= {most:g} at alpha 0.05"
    return Check(text, times <= most)
