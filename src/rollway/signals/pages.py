"""Fetches pages of metrics: one fetch per address and moment, bounded in time and size."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from httpx2 import Client, Response
    from prometheus_client import Metric

LARGEST_PAGE = 8 * 1024 * 1024
KEPT_SOURCES = 64
# Ticks of several rollouts overlap, so a source has a page for each of their moments.
KEPT_PAGES = 4
# Within one tick all KPIs see the same page; a moment that comes back later is a new question.
FRESH_SECONDS = 5.0
# A source that failed is left alone for as long as the failure took, and this much longer. So at least
# half of the time nobody waits for it, and a single error that came at once is soon forgiven.
REST_SECONDS = 1.0
OPENMETRICS = "application/openmetrics-text"
HEADERS = {
    "Accept": f"text/plain;version=0.0.4, {OPENMETRICS};version=1.0.0;q=0.5, */*;q=0.1",
    # A compressed page could unfold without bound; metrics pages are small.
    "Accept-Encoding": "identity",
    "User-Agent": "rollway",
}


class Sample(NamedTuple):
    """One line of a page. `alias` is the other name that a counter goes by, or the same name again."""

    name: str
    alias: str
    labels: dict[str, str]
    value: float


class NativeSample(NamedTuple):
    """One native histogram: how many were observed, and its buckets (from, to, count)."""

    name: str
    labels: dict[str, str]
    observed: float
    buckets: tuple[tuple[float, float, float], ...]


class Source(NamedTuple):
    """Where a page is, and how many seconds it may take."""

    url: str
    timeout: float


@dataclass(frozen=True, slots=True)
class Page:
    """What a page said at one moment: `at` (unix seconds); None means the moment it was asked for.
    `fallen`: a counter of it that fell since the last look, though it may have risen again."""

    samples: tuple[Sample, ...]
    at: float | None = None
    natives: tuple[NativeSample, ...] = ()
    fallen: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no page, in one sentence for people."""

    note: str


Answer = Page | Trouble


@dataclass(slots=True)
class _Fetch:
    """A fetch that is under way; `done` is set once `answer` is there."""

    began: float
    done: Event = field(default_factory=Event)
    answer: Answer | None = None


@dataclass(slots=True)
class _Slot:
    """What is known of one source. `lock` is never held while a fetch is under way."""

    lock: Lock = field(default_factory=Lock)
    fetches: dict[float, _Fetch] = field(default_factory=dict)
    pages: OrderedDict[float, tuple[float, Page]] = field(default_factory=OrderedDict)
    trouble: Trouble | None = None
    rests_until: float = 0.0

    def known(self, source: Source, moment: float, now: float) -> Answer | None:
        """The answer that needs no fetch and no waiting, if there is one. `now` is monotonic seconds."""
        fetched, page = self.pages.get(moment, (-FRESH_SECONDS, None))
        if page is not None and now - fetched < FRESH_SECONDS:
            return page
        if self.trouble is not None and (self.fetches or now < self.rests_until):
            return self.trouble
        # A name server that hangs does not know of our timeout; who comes later need not wait for it.
        if any(now - fetch.began > source.timeout for fetch in self.fetches.values()):
            return _too_late(source)
        return None

    def keep(self, fetch: _Fetch, answer: Answer, moment: float, now: float) -> None:
        if isinstance(answer, Trouble):
            self.trouble, self.rests_until = answer, now + (now - fetch.began) + REST_SECONDS
            return
        self.trouble = None
        self.pages[moment] = (now, answer)
        self.pages.move_to_end(moment)
        while len(self.pages) > KEPT_PAGES:
            self.pages.popitem(last=False)


class PageReader:
    """Fetches pages, and gives everyone who asks for one moment the same page. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._slots: OrderedDict[Source, _Slot] = OrderedDict()
        self._client: Client | None = None

    def read(self, source: Source, moment: float) -> Answer:
        """The page as it is now, or as it was when the same `moment` (unix seconds) was first asked for.

        A page is never older than FRESH_SECONDS. Each moment has a fetch of its own, so nobody queues. A
        failure holds for every moment: for a while nobody asks again, then one does, and the others have
        the old answer at once until that one is back.
        """
        slot = self._slot(source)
        with slot.lock:
            known = slot.known(source, moment, time.monotonic())
            if known is not None:
                return known
            running = slot.fetches.get(moment)
            if running is None:
                mine = slot.fetches[moment] = _Fetch(time.monotonic())
        if running is not None:
            running.done.wait(source.timeout)
            return running.answer or _too_late(source)
        return self._fetch_for_all(source, slot, mine, moment)

    def _fetch_for_all(self, source: Source, slot: _Slot, mine: _Fetch, moment: float) -> Answer:
        answer: Answer = Trouble(f"{source.url} could not be asked")
        try:
            answer = self._fetch(source)
        finally:
            with slot.lock:
                slot.fetches.pop(moment, None)
                slot.keep(mine, answer, moment, time.monotonic())
            mine.answer = answer
            mine.done.set()
        return answer

    def close(self) -> None:
        """Forget the answers and close the connections; the reader can be used again."""
        with self._lock:
            client, self._client = self._client, None
            self._slots.clear()
        if client is not None:
            client.close()

    def _slot(self, source: Source) -> _Slot:
        with self._lock:
            slot = self._slots.setdefault(source, _Slot())
            self._slots.move_to_end(source)
            if len(self._slots) > KEPT_SOURCES:
                self._slots.popitem(last=False)
            return slot

    def _http(self) -> Client:
        import httpx2

        with self._lock:
            if self._client is None:
                # Proxies and passwords of the environment are not meant for metrics pages.
                self._client = httpx2.Client(headers=HEADERS, follow_redirects=False, trust_env=False)
            return self._client

    def _fetch(self, source: Source) -> Answer:
        import httpx2

        deadline = time.monotonic() + source.timeout
        try:
            try:
                return self._get(source, deadline)
            except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError):
                # The server may have closed a kept connection just as it was used again.
                return self._get(source, deadline)
        except httpx2.TimeoutException:
            return _too_late(source)
        except httpx2.HTTPError as error:
            return Trouble(f"{source.url} did not answer: {error or type(error).__name__}")

    def _get(self, source: Source, deadline: float) -> Answer:
        import httpx2

        remaining = max(deadline - time.monotonic(), 0.001)
        timeout = httpx2.Timeout(remaining)
        with self._http().stream("GET", source.url, timeout=timeout) as response:
            if response.status_code != 200:
                return Trouble(f"{source.url} answered with status {response.status_code}")
            if response.headers.get("content-encoding", "identity") != "identity":
                return Trouble(f"{source.url} answered with a compressed page, which was not asked for")
            body = _body(response, deadline)
            kind = response.headers.get("content-type", "")
        if body is None:
            return Trouble(f"{source.url} answered with more than {LARGEST_PAGE // 2**20} MiB")
        return parse_page(body, content_type=kind, where=source.url)


def _too_late(source: Source) -> Trouble:
    return Trouble(f"{source.url} did not answer within {source.timeout:g} s")


def _body(response: Response, deadline: float) -> bytes | None:
    """The whole body; None where it is too large. Raises ReadTimeout past the deadline."""
    import httpx2

    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > LARGEST_PAGE:
            return None
        # A server that sends a byte now and then never runs into the timeout of a single read.
        if time.monotonic() > deadline:
            raise httpx2.ReadTimeout("the page came too slowly", request=response.request)
    return bytes(body)


def parse_page(body: bytes, *, content_type: str, where: str) -> Answer:
    """A page in the Prometheus text format, or in OpenMetrics where `content_type` says so."""
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
    from prometheus_client.parser import text_string_to_metric_families as text_families

    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    parse = openmetrics_families if kind == OPENMETRICS else text_families
    try:
        samples = [sample for family in parse(body.decode("utf-8")) for sample in _samples(family)]
    except Exception as error:  # the parsers raise more than ValueError when a text is broken enough
        return Trouble(f"{where} answered with a text that is no metrics page: {_first_line(error)}")
    return Page(tuple(samples))


def _samples(family: Metric) -> Iterator[Sample]:
    # A counter `requests` and its line `requests_total` are the same thing; both names are right.
    counted = f"{family.name}_total" if family.type == "counter" else ""
    for name, labels, value, *_ in family.samples:
        if value is not None:  # a native histogram has none
            yield Sample(name, family.name if name == counted else name, labels, float(value))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200] or type(error).__name__
