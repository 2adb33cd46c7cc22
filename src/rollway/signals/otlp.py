"""Reads a KPI from OpenTelemetry metrics that services or a collector send to Rollway (OTLP over HTTP)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from rollway.errors import InputError
from rollway.rollout.ports import Cursor
from rollway.rollout.pushed import KeptCounter, PushedShelf
from rollway.signals.counted import CountedSignal
from rollway.signals.counted_options import PARTS, Kind, read_options
from rollway.signals.counters import Part, part_name
from rollway.signals.examined import Labels
from rollway.signals.otlp_json import prometheus_name
from rollway.signals.pages import Page, Sample, Source, Trouble
from rollway.signals.selector import Selector
from rollway.signals.spelling import LE


class OtlpSignal(CountedSignal):
    """Counters and histograms that were sent to `POST /v1/metrics`, told apart by an attribute.

    Options: `source`, the sender as its token names it; `arm_label`, `candidate`, `baseline`: the attribute
    (of the point or of its resource) and its two values; for a rate or a check `total` and `bad` (the good
    ones, for a rate of which less is worse), for an assignment `total`, for a latency `histogram`: selectors.

    Names are written as Prometheus writes them, without a unit: `http.server.request.duration` is
    `http_server_request_duration`. An interval ends when the newest of the counters came in.
    """

    name: ClassVar[str] = "otlp"
    reads_pushed: ClassVar[bool] = True

    def __init__(self, kpi: str, kind: Kind, options: Mapping[str, Any], *, pushed: PushedShelf) -> None:
        """Raises InputError, naming the option, without reading anything."""
        self.kpi, self.kind, self._pushed = kpi, kind, pushed
        self.source, others = _source(kpi, kind, options)
        read = read_options(self.name, kpi, kind, {**others, "url": "http://localhost"})
        self.options = replace(read, source=Source(self.source, 0.0))

    def page(self, now: float, before: Cursor | None = None) -> Page | Trouble:
        """The totals as they stand, added up over whatever no selector asks for: processes, hosts, routes."""
        names = {part: _name(selector, part) for part, selector in self.options.parts.items()}
        kept = self._pushed.counters(self.source, sorted(set(names.values())))
        ours = [one for one in kept if self._is_ours(one)]
        samples = self._added_up(ours)
        # What came in after `now` waits for the next look only where nothing else is new.
        return Page(samples, min(now, max(one.seen_at for one in ours)) if ours else None)

    def series_of(self, selector: Selector, part: Part, now: float) -> Sequence[Labels]:
        """Those that were sent, of whatever process."""
        return [one.labels for one in self._pushed.counters(self.source, [_name(selector, part)])]

    def _is_ours(self, one: KeptCounter) -> bool:
        if one.labels.get(self.options.arm_label, "") not in self.options.arms:
            return False
        return any(
            one.metric == _name(selector, part) and selector.matches(one.labels)
            for part, selector in self.options.parts.items()
        )

    def _added_up(self, kept: list[KeptCounter]) -> tuple[Sample, ...]:
        asked = {self.options.arm_label}
        asked |= {matcher.label for selector in self.options.parts.values() for matcher in selector.matchers}
        sums: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
        for one in kept:
            labels = tuple(sorted((name, one.labels[name]) for name in asked if name in one.labels))
            for name, more, total in _lines(one):
                sums[name, labels + more] = sums.get((name, labels + more), 0.0) + total
        return tuple(
            Sample(name, name.removesuffix("_total"), dict(labels), total)
            for (name, labels), total in sums.items()
        )


def _lines(one: KeptCounter) -> list[tuple[str, tuple[tuple[str, str], ...], float]]:
    """As a metrics page would have it. Histograms of other bounds are kept apart."""
    if not one.bounds:
        return [(f"{one.metric}_total", (), one.total[0])]
    which = ("bounds", " ".join(f"{bound:g}" for bound in one.bounds))
    edges = [*(repr(bound) for bound in one.bounds), "+Inf"]
    return [
        (part_name(one.metric, "bucket"), (which, (LE, edge)), total)
        for edge, total in zip(edges, one.total, strict=True)
    ]


def _name(selector: Selector, part: Part) -> str:
    return selector.metric if part == "bucket" else selector.metric.removesuffix("_total")


def _source(kpi: str, kind: Kind, options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    others = dict(options)
    source = others.pop("source", None)
    if isinstance(others.get("arm_label"), str):
        others["arm_label"] = prometheus_name(others["arm_label"])
    where = f"KPI '{kpi}', signal"
    if not isinstance(source, str) or not source:
        raise InputError(f"{where}.source: missing", hint="the sender, as `rollway tokens` names it")
    if kind not in PARTS:
        raise InputError(f"{where}: an otlp signal cannot read a {kind}", hint=f"it reads {', '.join(PARTS)}")
    for name in ("url", "timeout"):
        if name in others:
            raise InputError(
                f"{where}.{name}: an otlp signal has no such option", hint="nothing is asked; leave it out"
            )
    return source, others
