"""Reads a KPI from a Prometheus server, or from whatever answers to the same HTTP API."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any, ClassVar
from urllib.parse import urlencode

from rollway.asking import Asker
from rollway.errors import TemporaryError
from rollway.signals.counted import CountedSignal
from rollway.signals.counters import Part
from rollway.signals.examined import Labels
from rollway.signals.pages import Page, Sample, Trouble
from rollway.signals.selector import Matcher, Selector

LOOK_BACK = "5m"
"""As long as Prometheus itself holds a series to be alive after its last sample."""


class PrometheusSignal(CountedSignal):
    """Counters that a Prometheus server has scraped, told apart by a label that names the version.

    Options: `url`, the server's address; `arm_label`, `candidate`, `baseline`: the label and its two values;
    for a rate or a check `total` and `bad` (the good ones, for a rate of which less is worse), for an
    assignment `total`, for a latency `histogram` (its base name): selectors of the raw counters, without
    `rate()` or `sum()`; `timeout` (default 2s); `token_env`, the environment variable with a bearer token.

    Raw samples with their own times are asked for, so each restart of each instance is seen, an interval ends
    where the newest sample was taken and not where it was asked for, and what is older than that is not
    counted twice. Nothing new from Prometheus is no reading at all.
    """

    name: ClassVar[str] = "prometheus"
    more: ClassVar[tuple[str, ...]] = ("token_env",)

    def page(self, now: float) -> Page | Trouble:
        """All parts as they were at the newest moment that each of them has samples for."""
        try:
            found = {part: self._series(selector, part) for part, selector in self.options.parts.items()}
            early = takewhile(lambda part: not found[part], tuple(found))
            if any(found.values()):
                # The first scrape may have come between two questions: what only the later one saw would
                # look as if the other series began at 0 after it, and their whole past be counted.
                found |= {part: self._series(self.options.parts[part], part) for part in tuple(early)}
        except TemporaryError as error:
            return Trouble(error.message)
        newest = [max(times[-1][0] for _, times in series) for series in found.values() if series]
        if not newest:
            return Page(())
        at = min(newest)
        # A series may be asked for as two parts at once; a page tells it once.
        samples = {
            (name, *sorted(labels.items())): Sample(name, name, labels, value)
            for series in found.values()
            for (name, labels), times in series
            if (value := _as_of(at, times)) is not None
        }
        return Page(tuple(samples.values()), min(at, now))

    def series_of(self, selector: Selector, part: Part, now: float) -> Sequence[Labels] | None:
        """One for each set of values that the label of the version and the selector's labels have."""
        metric = _name(selector, part)
        labels = sorted({self.options.arm_label, *(matcher.label for matcher in selector.matchers)})
        answer = self._ask(f"count by ({','.join(labels)}) ({metric})", "vector")
        return [dict(one["metric"]) for one in answer]

    def _series(self, selector: Selector, part: Part) -> _Found:
        answer = self._ask(self._query(selector, part), "matrix")
        return [found for one in answer if (found := _read(one)) is not None]

    def _query(self, selector: Selector, part: Part) -> str:
        metric = _name(selector, part)
        versions = "|".join(re.escape(value) for value in self.options.arms)
        both = Matcher(self.options.arm_label, "=~", versions)
        told = ",".join(_told(matcher) for matcher in (*selector.matchers, both))
        return f"{metric}{{{told}}}[{LOOK_BACK}]"

    def _ask(self, query: str, shape: str) -> list[Any]:
        url = f"{self.options.source.url.rstrip('/')}/api/v1/query?{urlencode({'query': query})}"
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


def _name(selector: Selector, part: Part) -> str:
    return f"{selector.metric}_bucket" if part == "bucket" else selector.metric


_Times = list[tuple[float, float]]
_Found = list[tuple[tuple[str, dict[str, str]], _Times]]


def _read(one: Mapping[str, Any]) -> tuple[tuple[str, dict[str, str]], _Times] | None:
    """One series: its name and labels, and its samples (unix seconds, value), oldest first."""
    labels = dict(one["metric"])
    times = [(float(at), float(value)) for at, value in one.get("values", ())]
    return ((labels.pop("__name__", ""), labels), times) if times else None


def _as_of(at: float, times: _Times) -> float | None:
    """The value of the last sample that is not newer; NaN marks a series that had ended by then."""
    values: Iterator[float] = (value for moment, value in reversed(times) if moment <= at)
    value = next(values, None)
    return None if value is None or math.isnan(value) else value


def _told(matcher: Matcher) -> str:
    return f"{matcher.label}{matcher.operator}{json.dumps(matcher.value)}"
