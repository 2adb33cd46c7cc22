"""Reads a KPI from a Prometheus server, or from whatever answers to the same HTTP API."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import takewhile
from typing import Any, ClassVar
from urllib.parse import urlencode

from rollway.asking import Asker
from rollway.errors import TemporaryError
from rollway.signals.counted import CountedSignal
from rollway.signals.counters import Part, part_name
from rollway.signals.examined import Labels
from rollway.signals.pages import NativeSample, Page, Sample, Trouble
from rollway.signals.selector import Matcher, Selector

LOOK_BACK = "5m"
"""As long as Prometheus itself holds a series to be alive after its last sample."""
ENDED_SECONDS = 60.0
"""How long before the newest sample a native histogram may have ended and still be read to its end."""


class PrometheusSignal(CountedSignal):
    """Counters that a Prometheus server has scraped, told apart by a label that names the version.

    Options: `url`, the server's address; `arm_label`, `candidate`, `baseline`: the label and its two values;
    for a rate or a check `total` and `bad` (the good ones, for a rate of which less is worse), for an
    assignment `total`, for a latency `histogram` (its base name): selectors of the raw counters, without
    `rate()` or `sum()`; `timeout` (default 2s); `token_env`, the environment variable with a bearer token.
    A histogram may be classic or native; of one that is both, the native form is read.

    Raw samples with their own times are asked for, so each restart of each instance is seen, an interval ends
    where the newest sample was taken and not where it was asked for, and what is older than that is not
    counted twice. Nothing new from Prometheus is no reading at all.
    """

    name: ClassVar[str] = "prometheus"
    more: ClassVar[tuple[str, ...]] = ("token_env",)

    def page(self, now: float, since: float | None = None) -> Page | Trouble:
        """All parts as they were at the newest moment that each of them has samples for."""
        try:
            return self._histograms(now, since) if self.kind == "latency" else self._counters(now)
        except TemporaryError as error:
            return Trouble(error.message)

    def series_of(self, selector: Selector, part: Part, now: float) -> Sequence[Labels] | None:
        """One for each set of values that the label of the version and the selector's labels have."""
        labels = sorted({self.options.arm_label, *(matcher.label for matcher in selector.matchers)})
        count = f"count by ({','.join(labels)})"
        answer = self._ask(f"{count} ({part_name(selector.metric, part)})", "vector")
        if part == "bucket":
            with suppress(TemporaryError):  # who has never heard of the function has no native histogram
                answer = answer + self._ask(f"{count} (histogram_count({selector.metric}))", "vector")
        return [dict(one["metric"]) for one in answer]

    def _counters(self, now: float) -> Page:
        found = {part: self._series(selector, part) for part, selector in self.options.parts.items()}
        early = takewhile(lambda part: not found[part], tuple(found))
        if any(found.values()):
            # The first scrape may have come between two questions: what only the later one saw would
            # look as if the other series began at 0 after it, and their whole past be counted.
            found |= {part: self._series(self.options.parts[part], part) for part in tuple(early)}
        newest = [_newest(series) for series in found.values() if series]
        if not newest:
            return Page(())
        at = min(newest)
        # A series may be asked for as two parts at once; a page tells it once.
        samples = {
            (one.name, *sorted(one.labels.items())): one
            for series in found.values()
            for one in _samples(series, at)
        }
        return Page(tuple(samples.values()), min(at, now))

    def _histograms(self, now: float, since: float | None) -> Page:
        """Classic and native ones. A service may have both, or go from one to the other."""
        selector = self.options.parts["bucket"]
        classic = self._series(selector, "bucket")
        times = self._times(selector)
        if not times:
            return _page(classic, now)
        newest = max(*times, _newest(classic)) if classic else max(times)
        natives = self._natives(selector, newest, min(times), since)
        if classic and _lag(classic, natives, newest):
            # Asked before the scrape that the native ones are of, or really over.
            classic = self._series(selector, "bucket")
            over = _lag(classic, natives, newest)
            classic = [one for one in classic if _unit(one[0][1]) not in over]
        if not natives:
            return _page(classic, now)
        told = tuple(native for native, _ in natives)
        return Page(_samples(classic, newest), min(newest, now), told)

    def _times(self, selector: Selector) -> list[float]:
        """When the newest samples of all series of this very name were taken; a classic one has none."""
        answer = self._ask(f"timestamp({self._selected(selector, selector.metric)})", "vector")
        return [float(one["value"][1]) for one in answer]

    def _natives(
        self, selector: Selector, at: float, oldest: float, since: float | None
    ) -> list[tuple[NativeSample, float]]:
        """The native histograms as of `at`, each with the time of its sample.

        A sample has a line for each bucket, so no more of the past is asked for than is needed: back to the
        `oldest` of the newest samples, and to the last look, for what has ended since.
        """
        back = min(oldest, at if since is None else max(since, at - ENDED_SECONDS))
        length = min(max(0, round(1000 * (at - back))) + 1, 300_000)
        query = f"{self._selected(selector, selector.metric)}[{length}ms]"
        answer = self._ask(query, "matrix", at=f"{at:.3f}")
        return [found for one in answer if (found := _read_native(one)) is not None]

    def _series(self, selector: Selector, part: Part) -> _Found:
        answer = self._ask(self._query(selector, part), "matrix")
        return [found for one in answer if (found := _read(one)) is not None]

    def _query(self, selector: Selector, part: Part) -> str:
        return f"{self._selected(selector, part_name(selector.metric, part))}[{LOOK_BACK}]"

    def _selected(self, selector: Selector, metric: str) -> str:
        versions = "|".join(re.escape(value) for value in self.options.arms)
        both = Matcher(self.options.arm_label, "=~", versions)
        told = ",".join(_told(matcher) for matcher in (*selector.matchers, both))
        return f"{metric}{{{told}}}"

    def _ask(self, query: str, shape: str, **more: str) -> list[Any]:
        asked = urlencode({"query": query, **({"time": more["at"]} if more else {})})
        url = f"{self.options.source.url.rstrip('/')}/api/v1/query?{asked}"
        text = Asker(self.options.source.timeout).ask(url, headers=self._headers())
        try:
            answer = json.loads(text)
            if answer["status"] != "success" or answer["data"]["resultType"] != shape:
                raise TemporaryError(f"{self.options.source.url} did not answer {query} with samples")
            result: list[Any] = answer["data"]["result"]
        except (ValueError, KeyError, TypeError) as error:
            raise TemporaryError(f"{self.options.source.url} does not answer as Prometheus does") from error
        return result

    def _headers(self) -> dict[str, str]:
        name = self.options.more.get("token_env")
        if name is None:
            return {}
        token = os.environ.get(name)
        if not token:
            raise TemporaryError(f"the environment has no {name}, the token for {self.options.source.url}")
        return {"Authorization": f"Bearer {token}"}


_Times = list[tuple[float, float]]
_Found = list[tuple[tuple[str, dict[str, str]], _Times]]


def _read(one: Mapping[str, Any]) -> tuple[tuple[str, dict[str, str]], _Times] | None:
    """One series: its name and labels, and its samples (unix seconds, value), oldest first."""
    labels = dict(one["metric"])
    times = [(float(at), float(value)) for at, value in one.get("values", ())]
    return ((labels.pop("__name__", ""), labels), times) if times else None


def _newest(series: _Found) -> float:
    return max(times[-1][0] for _, times in series)


def _samples(series: _Found, at: float) -> tuple[Sample, ...]:
    """Each as of `at`."""
    return tuple(
        Sample(name, name, labels, value)
        for (name, labels), times in series
        if (value := _as_of(at, times)) is not None
    )


def _page(series: _Found, now: float) -> Page:
    """All of them as of the newest sample."""
    if not series:
        return Page(())
    at = _newest(series)
    return Page(_samples(series, at), min(at, now))


_Unit = frozenset[tuple[str, str]]


def _unit(labels: Labels) -> _Unit:
    """The histogram that a bucket is of."""
    return frozenset((name, value) for name, value in labels.items() if name != "le")


def _lag(classic: _Found, natives: Sequence[tuple[NativeSample, float]], at: float) -> set[_Unit]:
    """The histograms whose native form has newer samples than their classic one: a scrape tells both, or
    only one from now on."""
    known = {_unit(native.labels): moment for native, moment in natives}
    last: dict[_Unit, float] = {}
    for (_, labels), times in classic:
        unit = _unit(labels)
        moments = (moment for moment, _ in reversed(times) if moment <= at)
        last[unit] = max(last.get(unit, 0.0), next(moments, 0.0))
    return {unit for unit, moment in last.items() if moment < known.get(unit, 0.0)}


def _read_native(one: Mapping[str, Any]) -> tuple[NativeSample, float] | None:
    """The newest sample of a series, with its time; None for one that has no histograms, as a summary.

    Of a bucket the API tells first whether its bounds are its own, then the bounds and how many.
    """
    try:
        samples = one.get("histograms") or ()
        plain = one.get("values") or ()
        if not samples or (plain and float(plain[-1][0]) > float(samples[-1][0])):
            return None
        at, told = samples[-1]
        labels = dict(one["metric"])
        buckets = tuple(
            (float(low), float(high), float(count)) for _, low, high, count in told.get("buckets") or ()
        )
        name = labels.pop("__name__", "")
        return NativeSample(name, labels, float(told["count"]), buckets), float(at)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TemporaryError("a native histogram is not told as Prometheus tells it") from error


def _as_of(at: float, times: _Times) -> float | None:
    """The value of the last sample that is not newer; NaN marks a series that had ended by then."""
    values: Iterator[float] = (value for moment, value in reversed(times) if moment <= at)
    value = next(values, None)
    return None if value is None or math.isnan(value) else value


def _told(matcher: Matcher) -> str:
    return f"{matcher.label}{matcher.operator}{json.dumps(matcher.value)}"
