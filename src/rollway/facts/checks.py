"""What must hold between values, and no single value can tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from rollway.facts.model import Agreements, Kpi, Release
from rollway.facts.problems import Where, did_you_mean, dotted, shown
from rollway.facts.time_zones import known_zones
from rollway.facts.words import Misfit

Finding = tuple[Where, Misfit]
LARGEST_LIMIT = 1 - 1e-9
"""From here on a limit is as good as 1."""
HOURS = (24, 7 * 24)
"""How many figures an hourly profile has: those of a day, or of a week."""


def cross_checks(release: Release) -> Iterator[Finding]:
    """Everything that is at odds inside the release."""
    yield from _repeated(("kpis",), "name", (kpi.name for kpi in release.kpis))
    yield from _repeated(("backlog", "items"), "id", (item.id for item in release.backlog.items))
    yield from _repeated(("risks", "items"), "id", (risk.id for risk in release.risks.items))
    yield from _repeated(("stakeholders", "groups"), "name", (g.name for g in release.stakeholders.groups))
    yield from _time_zones(release)
    yield from _periods(release)
    yield from _windows(release.agreements)
    yield from _limits(release.kpis)
    yield from _buckets(release.kpis)
    yield from _only_of_rates(release.kpis)
    yield from _means(release.kpis)
    yield from _baselines(release.kpis)
    yield from _hours(release)
    yield from _shares(release.rollout.shares)
    yield from _approvers(release.agreements)


def _repeated(where: Where, key: str, names: Iterable[str]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if name in first:
            message = f"{shown(name)} is also the {key} of {dotted((*where, first[name]))}"
            yield (*where, index, key), Misfit(message, f"give each its own {key}")
        first.setdefault(name, index)


def _time_zones(release: Release) -> Iterator[Finding]:
    groups, agreements = release.stakeholders.groups, release.agreements
    named = (
        (("stakeholders", "groups"), [group.timezone for group in groups]),
        (("agreements", "windows"), [window.timezone for window in agreements.windows]),
        (("agreements", "freezes"), [freeze.timezone for freeze in agreements.freezes]),
    )
    for where, zones in named:
        for index, zone in enumerate(zones):
            if zone not in known_zones():
                yield (
                    (*where, index, "timezone"),
                    Misfit(f"{shown(zone)} is not a time zone", _zone_meant(zone)),
                )


def _zone_meant(name: str) -> str:
    by_city = {zone.rsplit("/")[-1]: zone for zone in sorted(known_zones(), reverse=True)}
    city = name.strip().rsplit("/")[-1].replace(" ", "_").title()
    if city in by_city:
        return f"did you mean '{by_city[city]}'?"
    return did_you_mean(name, known_zones()) or "write a name such as Europe/Zurich or UTC"


def _periods(release: Release) -> Iterator[Finding]:
    for index, freeze in enumerate(release.agreements.freezes):
        if freeze.last < freeze.first:
            message = f"this freeze ends on {freeze.last}, before its first day {freeze.first}"
            yield ("agreements", "freezes", index, "last"), Misfit(message, "swap the two")
    for index, party in enumerate(release.architecture.third_parties):
        if party.valid_from and party.valid_until and party.valid_until < party.valid_from:
            message = f"this ends on {party.valid_until}, before it begins on {party.valid_from}"
            yield ("architecture", "third_parties", index, "valid_until"), Misfit(message, "swap the two")


def _windows(agreements: Agreements) -> Iterator[Finding]:
    for index, window in enumerate(agreements.windows):
        where = ("agreements", "windows", index)
        if window.opens == "24:00":
            yield (*where, "opens"), Misfit("a window cannot open at 24:00", "write 00:00")
        elif window.opens == window.closes:
            message = f"this window opens and closes at {window.opens}, so it is never open"
            yield (
                (*where, "closes"),
                Misfit(message, "for the whole day write opens: 00:00 and closes: 24:00"),
            )


def _limits(kpis: tuple[Kpi, ...]) -> Iterator[Finding]:
    """A latency limit is a share of requests and a duration; one without the other would never fire."""
    for index, kpi in enumerate(kpis):
        has_share, has_seconds = kpi.limit is not None, kpi.limit_seconds is not None
        if kpi.kind != "latency" and has_seconds:
            message = f"{_one(kpi.kind)} has no limit_seconds"
            yield ("kpis", index, "limit_seconds"), Misfit(message, "remove it, or make it a latency")
        elif kpi.kind == "latency" and has_share != has_seconds:
            given, lacking = ("limit", "limit_seconds") if has_share else ("limit_seconds", "limit")
            message = f"a latency limit needs both limit and limit_seconds, and {lacking} is not there"
            hint = "such as limit: 0.05 with limit_seconds: 2, at most 5% of requests slower than 2 s"
            yield ("kpis", index, given), Misfit(message, hint)
        if kpi.kind != "check" and kpi.limit is not None and kpi.limit >= LARGEST_LIMIT:
            message, usual = "a limit of 1 says nothing, for no rate is above 100%", "0.05"
            if kpi.direction == "less_is_worse":
                message, usual = "a limit of 1 asks for a rate of 100%, which a single miss breaks", "0.9"
            hint = f"write a rate below 1, such as {usual}, or leave the limit out"
            yield ("kpis", index, "limit"), Misfit(message, hint)


def _buckets(kpis: tuple[Kpi, ...]) -> Iterator[Finding]:
    """Bounds of a histogram rise, and only durations are read from one."""
    for index, kpi in enumerate(kpis):
        where = ("kpis", index, "buckets")
        if kpi.buckets and kpi.kind != "latency":
            yield where, Misfit(f"{_one(kpi.kind)} has no buckets", "remove them, or make it a latency")
        for before, after in pairwise(kpi.buckets):
            if after <= before:
                message = f"the bounds of the buckets do not rise: {before:g} is followed by {after:g}"
                yield where, Misfit(message, "write them in seconds and in order, without the last one, +Inf")
                break


def _only_of_rates(kpis: tuple[Kpi, ...]) -> Iterator[Finding]:
    """What only a rate can have would be passed over in silence elsewhere."""
    for index, kpi in enumerate(kpis):
        if kpi.kind == "rate":
            continue
        for key, is_given in (
            ("direction", kpi.direction != "more_is_worse" and kpi.kind != "mean"),
            ("objective", kpi.objective is not None),
        ):
            if is_given:
                message = f"{_one(kpi.kind)} has no {key}"
                yield ("kpis", index, key), Misfit(message, "remove it, or make it a rate")


def _means(kpis: tuple[Kpi, ...]) -> Iterator[Finding]:
    """A mean is judged by its range and by a tolerance; nothing else has a range."""
    for index, kpi in enumerate(kpis):
        if kpi.kind == "mean" and kpi.bound is None:
            message = "a mean needs a bound: the highest figure that a single user or order can have"
            yield ("kpis", index, "kind"), Misfit(message, "such as bound: 5 for a score of 1 to 5")
        elif kpi.kind == "mean" and kpi.limit is not None:
            message = "a mean has no limit to be stopped at, only a tolerance"
            yield ("kpis", index, "limit"), Misfit(message, "remove it, or count bad answers as a rate")
        elif kpi.kind != "mean" and kpi.bound is not None:
            message = f"{_one(kpi.kind)} has no bound"
            yield ("kpis", index, "bound"), Misfit(message, "remove it, or make it a mean")


def _baselines(kpis: tuple[Kpi, ...]) -> Iterator[Finding]:
    """What is not compared with the old version at the same time needs a limit, and is a rate."""
    for index, kpi in enumerate(kpis):
        if kpi.baseline == "concurrent":
            continue
        where = ("kpis", index, "baseline")
        if kpi.kind != "rate":
            message = f"{_one(kpi.kind)} is compared with the old version at the same time only"
            yield where, Misfit(message, "write concurrent, or make it a rate")
        elif kpi.limit is None:
            message = f"a baseline of {kpi.baseline} needs a limit: by itself it shows nothing"
            yield where, Misfit(message, "such as limit: 0.05")


def _hours(release: Release) -> Iterator[Finding]:
    architecture = release.architecture
    hours, zone = architecture.requests_by_hour, architecture.requests_timezone
    if hours and len(hours) not in HOURS:
        message = f"these are {len(hours)} figures"
        hint = "write 24, one for each hour of the day, or 168, one for each hour of the week"
        yield ("architecture", "requests_by_hour"), Misfit(message, hint)
    elif hours and not sum(hours):
        message = "a service that gets no request at any hour cannot be watched"
        yield ("architecture", "requests_by_hour"), Misfit(message, "remove it, or write what it gets")
    if zone and zone not in known_zones():
        message = f"{shown(zone)} is not a time zone"
        yield ("architecture", "requests_timezone"), Misfit(message, _zone_meant(zone))


def _one(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _shares(shares: tuple[float, ...]) -> Iterator[Finding]:
    for index, (before, share) in enumerate(pairwise(shares), start=1):
        if share <= before:
            message = f"{share:g} is no more than the share before it, {before:g}"
            yield ("rollout", "shares", index), Misfit(message, "write the shares in rising order")


def _approvers(agreements: Agreements) -> Iterator[Finding]:
    people, required = len(set(agreements.approvers)), agreements.approvals_required
    if agreements.approvers and people < required:
        named = "only 1 person may" if people == 1 else f"only {people} people may"
        message = f"{required} approvals are required, and {named} approve"
        yield (
            ("agreements", "approvals_required"),
            Misfit(message, "name more approvers, or require fewer approvals"),
        )
