"""Reads a KPI from a Prometheus server, or from whatever answers to the same HTTP API."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import takewhile
from typing import Any, ClassVar
from urllib.parse import urlencode

from rollway.asking import Asker
from rollway.errors import TemporaryError
from rollway.rollout.ports import Cursor
from rollway.signals.answers import Found, newest_of, newest_page, page_of, read_natives, read_series
from rollway.signals.counted import CountedSignal
from rollway.signals.counters import Part, part_name
from rollway.signals.examined import Labels
from rollway.signals.look import series_text
from rollway.signals.pages import NativeSample, Page, Trouble
from rollway.signals.selector import Matcher, Operator, Selector
from rollway.signals.spelling import LE, spellings

LOOK_BACK = "5m"
"""As long as Prometheus itself holds a series to be alive after its last sample."""
SEEN_SECONDS = 300.0
"""The same in seconds."""
RAW_SECONDS = 60.0
"""Of no longer time all samples of native histograms are asked for."""


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

    def page(self, now: float, before: Cursor | None = None) -> Page | Trouble:
        """All parts as they were at the newest moment of which the answers know all."""
        try:
            asked = self._histograms if self.kind == "latency" else self._counters
            return asked(now, before or {})
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

    def _counters(self, now: float, before: Cursor) -> Page:
        found = {part: self._series(selector, part) for part, selector in self.options.parts.items()}
        early = tuple(takewhile(lambda part: not found[part], tuple(found)))
        asked_first = next((series for series in found.values() if series), None)
        if asked_first is None:
            return Page(())
        # Up to its newest sample the later answers have all there is. Those may end earlier: the last series
        # of errors ends with its instance, and is seen for as long as Prometheus looks back.
        at = newest_of(asked_first)
        # The first scrape may have come between two questions: what only the later one saw would
        # look as if the other series began at 0 after it, and their whole past be counted.
        found |= {part: self._series(self.options.parts[part], part) for part in early}
        # A series may be asked for as two parts at once; a page tells it once.
        every = {series_text(*one[0]): one for series in found.values() for one in series}
        return page_of(list(every.values()), at, before.get("at"), now)

    def _histograms(self, now: float, before: Cursor) -> Page:
        """Classic and native ones. A service may have both, or go from one to the other."""
        selector = self.options.parts["bucket"]
        classic = self._series(selector, "bucket")
        alive = self._alive(selector)
        times = [time for unit, time in alive.items() if not _is_classic(unit)]
        if classic and alive and not times and not before.get("native"):
            return newest_page(classic, before.get("at"), now)
        at = max([*times, *([newest_of(classic)] if classic else [])], default=now)
        # Who asks for all that was ever counted asks of what is alive.
        since = before.get("at") or at
        if classic:
            # What has ended is told for as long in both forms, or one would seem to go on alone.
            since = max(since, at - SEEN_SECONDS)
        natives, back = self._natives(selector, at, min(times, default=at), since)
        if not natives:
            return newest_page(classic, before.get("at"), now)
        if classic:
            # Asked again, for the first scrape of some may have come in between.
            classic, alive = self._series(selector, "bucket"), self._alive(selector, at=f"{at:.3f}")
            natives = [one for one in natives if not _is_over(one.labels, alive, native=True)]
            classic = [
                one
                for one in classic
                if (one[1][-1][0] >= back or _unit(one[0][1], le="+Inf") in alive)
                and not _is_over(one[0][1], alive, native=False)
            ]
        return page_of(classic, at, before.get("at"), now, natives=tuple(natives))

    def _natives(
        self, selector: Selector, at: float, oldest: float, since: float
    ) -> tuple[list[NativeSample], float]:
        """The native histograms as of `at`, and back to when they were asked for.

        Back to the `oldest` of the newest samples, and to the last look, for what has ended since. A sample
        has a line for each bucket: of a long time each histogram's newest is asked for, and where the server
        cannot do that, or it is too much, less of the past.
        """
        asked, moment = self._selected(selector, selector.metric), f"{at:.3f}"
        back = min(oldest, since)
        if at - back > RAW_SECONDS:
            last = f"last_over_time({asked}[{_length(at - back)}])"
            with suppress(TemporaryError):
                found = read_natives(self._ask(last, "vector", at=moment))
                if found:  # Prometheus 2.42 makes a plain 0 of each
                    return found, back
            back = min(oldest, max(since, at - RAW_SECONDS))
        try:
            answer = self._ask(f"{asked}[{_length(at - back)}]", "matrix", at=moment)
        except TemporaryError:
            if back == oldest:
                raise
            back = oldest
            answer = self._ask(f"{asked}[{_length(at - back)}]", "matrix", at=moment)
        return read_natives(answer), back

    def _alive(self, selector: Selector, **more: str) -> dict[_Unit, float]:
        """When the newest samples of all histograms that have not ended were taken; of classic ones, of the
        bucket that holds all."""
        bucket = self._selected(selector, part_name(selector.metric, "bucket"), Matcher(LE, "=", "+Inf"))
        query = f"timestamp({self._selected(selector, selector.metric)}) or timestamp({bucket})"
        answer = self._ask(query, "vector", **more)
        return {_unit(one["metric"]): float(one["value"][1]) for one in answer}

    def _series(self, selector: Selector, part: Part) -> Found:
        return read_series(self._ask(self._query(selector, part), "matrix"))

    def _query(self, selector: Selector, part: Part) -> str:
        return f"{self._selected(selector, part_name(selector.metric, part))}[{LOOK_BACK}]"

    def _selected(self, selector: Selector, metric: str, *more: Matcher) -> str:
        versions = "|".join(re.escape(value) for value in self.options.arms)
        both = Matcher(self.options.arm_label, "=~", versions)
        told = ",".join(_told(matcher) for matcher in (*selector.matchers, both, *more))
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


_Unit = frozenset[tuple[str, str]]


def _unit(labels: Labels, **more: str) -> _Unit:
    return frozenset({**labels, **more}.items())


def _is_classic(unit: _Unit) -> bool:
    return any(name == LE for name, _ in unit)


def _is_over(labels: Labels, alive: Mapping[_Unit, float], *, native: bool) -> bool:
    """Whether a histogram has ended in this form and goes on in the other one."""
    plain = {name: value for name, value in labels.items() if name != LE}
    told = (_unit(plain) in alive, _unit(plain, le="+Inf") in alive)
    return told == ((False, True) if native else (True, False))


def _length(seconds: float) -> str:
    """As a range; a millisecond more, for some servers leave out what lies at its very beginning."""
    return f"{max(0, round(1000 * seconds)) + 1}ms"


def _told(matcher: Matcher) -> str:
    """In PromQL, where a bound is a text."""
    operator, value = matcher.operator, matcher.value
    ways = spellings(value) if matcher.label == LE and operator in _ANY_OF else ()
    if len(ways) > 1:
        operator, value = _ANY_OF[operator], "|".join(map(re.escape, ways))
    return f"{matcher.label}{operator}{json.dumps(value)}"


_ANY_OF: Mapping[Operator, Operator] = {"=": "=~", "!=": "!~"}
