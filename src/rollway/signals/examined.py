"""What a signal's options name and its source does not have, and what the source has instead; pure."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rollway.judge import Reading
from rollway.signals.counted_options import CountedOptions
from rollway.signals.counters import Part
from rollway.signals.selector import Matcher, Selector
from rollway.signals.spelling import LE

Labels = Mapping[str, str]
SHOWN = 6


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An option of a signal for which nothing was found; `told` says in one sentence what there is."""

    option: str
    told: str


@dataclass(frozen=True, slots=True)
class Examined:
    """What a signal says of its source beyond the numbers of an interval.

    `unmatched` is None where it cannot be told. `so_far` holds all that was counted since the counters began;
    None where nobody knows.
    """

    unmatched: tuple[Unmatched, ...] | None = None
    so_far: Reading | None = None


def find_unmatched(
    options: CountedOptions, series: Mapping[Part, Sequence[Labels]], metrics: Collection[str] = ()
) -> tuple[Unmatched, ...]:
    """The options that match nothing: a metric's name first, then its labels, then the versions.

    `series` has, for each part, the labels of all series of its metric, of whatever version; `metrics` are
    the names that the source knows, where it tells them.
    """
    found: dict[str, Unmatched] = {}
    for part, selector in options.parts.items():
        told = _of_selector(selector, series[part], metrics)
        if told:
            found.setdefault(told, Unmatched("histogram" if part == "bucket" else part, told))
    main: Part = "bucket" if "bucket" in options.parts else "total"
    counted = [labels for labels in series[main] if options.parts[main].matches(labels)]
    return (*found.values(), *(_of_versions(options, counted) if counted else ()))


def _of_selector(selector: Selector, series: Sequence[Labels], metrics: Collection[str]) -> str:
    """Why no series is meant; empty where one is."""
    if not series:
        near = difflib.get_close_matches(selector.metric, metrics, n=1)
        return f"no metric is called {selector.metric}{f'; did you mean {near[0]}?' if near else ''}"
    for matcher in selector.matchers:
        if not any(matcher.matches(labels) for labels in series):
            there = there_are(labels.get(matcher.label, "") for labels in series)
            return f"no series of {selector.metric} has {_written(matcher)}{there}"
    if not any(selector.matches(labels) for labels in series):
        all_of = ",".join(map(_written, selector.matchers))
        return f"no series of {selector.metric} has all of {all_of} at once"
    return ""


def _of_versions(options: CountedOptions, series: Sequence[Labels]) -> tuple[Unmatched, ...]:
    label = options.arm_label
    values = {labels[label] for labels in series if labels.get(label)}
    if not values:
        others = there_are({name for labels in series for name in labels} - {LE})
        return (Unmatched("arm_label", f"no series has a label {label}{others}"),)
    there = there_are(values)
    return tuple(
        Unmatched(arm, f"no series has {label}={json.dumps(value, ensure_ascii=False)} yet{there}")
        for value, arm in options.arms.items()
        if value not in values
    )


def there_are(values: Iterable[str]) -> str:
    """`; there are: new, old`, or nothing."""
    known = sorted({value for value in values if value})
    more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    return f"; there are: {', '.join(known[:SHOWN])}{more}" if known else ""


def _written(matcher: Matcher) -> str:
    return f"{matcher.label}{matcher.operator}{json.dumps(matcher.value, ensure_ascii=False)}"
