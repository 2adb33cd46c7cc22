"""The options of signals that read counters: which series, which label tells the versions apart."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from rollway.errors import InputError
from rollway.facts.duration import parse_duration
from rollway.signals.counters import Arm, Part, base_name
from rollway.signals.pages import Source
from rollway.signals.selector import Selector, parse_selector
from rollway.signals.spelling import LE

Kind = Literal["rate", "latency", "check", "assignment"]

PARTS: Mapping[Kind, tuple[str, ...]] = {
    "rate": ("total", "bad"),
    "check": ("total", "bad"),
    "assignment": ("total",),
    "latency": ("histogram",),
}
COUNTED: tuple[Part, ...] = ("total", "bad")
COMMON = ("url", "arm_label", "candidate", "baseline")
LONGEST_TIMEOUT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class CountedOptions:
    """What such a signal was told. `parts` says which series are counted, and as what."""

    source: Source
    arm_label: str
    arms: Mapping[str, Arm]
    parts: Mapping[Part, Selector]
    more: Mapping[str, str] = field(default_factory=dict)


def read_options(
    signal: str, kpi: str, kind: Kind, raw: Mapping[str, Any], *, more: tuple[str, ...] = ()
) -> CountedOptions:
    """The options of a signal of this name, checked. Raises InputError with the option and the place."""
    where = f"KPI '{kpi}', signal"
    needed = (*COMMON, *PARTS[kind])
    _refuse_unknown(signal, raw, (*needed, "timeout", *more), where)
    given = {name: _needed_text(signal, raw, name, where) for name in needed}
    if given["candidate"] == given["baseline"]:
        raise InputError(
            f"{where}.candidate: the same as 'baseline'",
            hint=f"give the two values of the label '{given['arm_label']}' that tell the versions apart",
        )
    parts = {name: _selector(given[name], f"{where}.{name}", given["arm_label"]) for name in PARTS[kind]}
    return CountedOptions(
        source=Source(_url(given["url"], where), _timeout(raw.get("timeout", "2s"), where)),
        arm_label=given["arm_label"],
        arms={given["candidate"]: "candidate", given["baseline"]: "baseline"},
        parts=(
            {"bucket": _base_name(parts["histogram"], where)}
            if kind == "latency"
            else {part: parts[part] for part in COUNTED if part in parts}
        ),
        more={name: _needed_text(signal, raw, name, where) for name in more if name in raw},
    )


def _refuse_unknown(signal: str, raw: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for name in raw:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"known are: {', '.join(known)}"
            raise InputError(f"{where}.{name}: a {signal} signal has no such option", hint=hint)


def _needed_text(signal: str, raw: Mapping[str, Any], name: str, where: str) -> str:
    value = raw.get(name)
    if value is None or value == "":
        raise InputError(f"{where}.{name}: missing", hint=f"a {signal} signal needs '{name}'")
    if not isinstance(value, str):
        raise InputError(f"{where}.{name}: not a text: {value!r}", hint="put the value in quotes")
    return value


def _selector(text: str, where: str, arm_label: str) -> Selector:
    selector = parse_selector(text, where=where)
    if selector.names_label(arm_label):
        raise InputError(
            f"{where}: the selector already chooses '{arm_label}', the label that tells the versions apart",
            hint="leave that label out; 'candidate' and 'baseline' fill it in",
        )
    return selector


def _base_name(selector: Selector, where: str) -> Selector:
    base = base_name(selector.metric)
    if base != selector.metric or selector.names_label(LE):
        raise InputError(
            f"{where}.histogram: name the histogram, not its buckets", hint=f"write '{base}', without 'le'"
        )
    return selector


def _url(text: str, where: str) -> str:
    try:
        parts = urlsplit(text)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise InputError(f"{where}.url: not a web address: {text!r}", hint="write http://host:port/metrics")
    if parts.username or parts.password:
        raise InputError(
            f"{where}.url: a password does not belong into a release file",
            hint="let Rollway read the page without one, from an address that only it can reach",
        )
    return text


def _timeout(raw: Any, where: str) -> float:
    try:
        length = parse_duration(raw)
    except ValueError as error:
        raise InputError(f"{where}.timeout: {error}") from None
    if not timedelta(0) < length <= LONGEST_TIMEOUT:
        raise InputError(f"{where}.timeout: must be more than 0s and at most 60s")
    return length.total_seconds()
