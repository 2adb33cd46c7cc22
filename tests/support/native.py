"""A service that counts durations in native histograms, as the Go and Java clients do: Python's cannot.

Prometheus scrapes them as protobuf only; the few fields that it needs are written here by hand, after
io/prometheus/client/metrics.proto.
"""

from __future__ import annotations

import math
import struct
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PROTOBUF = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
COUNTER, HISTOGRAM, GAUGE_HISTOGRAM = 0, 4, 5


@dataclass
class Native:
    """One histogram: bucket i of a schema holds what is above 2^((i-1)/2^schema) s and at most
    2^(i/2^schema) s. It is also told as a classic one where it has bounds in `classic`, and only so
    where it is not native; `has_floats`: with bounds such as `1.0`, as Prometheus 3 stores `1`."""

    schema: int = 3
    classic: tuple[float, ...] = ()
    is_native: bool = True
    has_floats: bool = False
    is_float: bool = False
    type: int = HISTOGRAM
    zero_threshold: float = 2.0**-128
    zero: float = 0
    positive: Counter[int] = field(default_factory=Counter)
    negative: Counter[int] = field(default_factory=Counter)
    below: Counter[float] = field(default_factory=Counter)
    count: float = 0
    sum: float = 0.0

    def observe(self, seconds: float, times: float = 1) -> None:
        self.count += times
        self.sum += seconds * times
        for bound in self.classic:
            self.below[bound] += times if seconds <= bound else 0
        if math.isnan(seconds):
            return
        if abs(seconds) <= self.zero_threshold:
            self.zero += times
        else:
            index = math.ceil(math.log2(abs(seconds)) * 2.0**self.schema - 1e-9)
            (self.positive if seconds > 0 else self.negative)[index] += times

    def coarsen(self, schema: int) -> None:
        """As a client does whose buckets have become too many."""
        factor = 1 << (self.schema - schema)
        self.schema = schema
        for buckets in (self.positive, self.negative):
            old = dict(buckets)
            buckets.clear()
            for index, count in old.items():
                buckets[-(-index // factor)] += count

    def reset(self) -> None:
        """As a process does that starts again."""
        for buckets in (self.positive, self.negative, self.below):
            buckets.clear()
        self.count = self.zero = 0
        self.sum = 0.0

    def written(self) -> bytes:
        text = _number(4, self.count) if self.is_float else _whole(1, self.count)
        text += _number(2, self.sum)
        text += _varint(5 << 3) + _varint(_zigzag(self.schema)) + _number(6, self.zero_threshold)
        text += _number(8, self.zero) if self.is_float else _whole(7, self.zero)
        text += self._buckets(self.negative, 9)
        return text + self._buckets(self.positive, 12)

    def lines(self) -> Iterator[tuple[str, float]]:
        """The classic buckets, (le, count): a Prometheus that scrapes both forms stores these series."""
        if self.classic:
            spelled = repr if self.has_floats else "{:g}".format
            yield from ((spelled(bound), self.below[bound]) for bound in self.classic)
            yield "+Inf", self.count

    def _buckets(self, buckets: Counter[int], first: int) -> bytes:
        """Spans, then deltas or counts, in three fields that follow one another."""
        text, end, past = b"", 0, 0
        filled = sorted(index for index, count in buckets.items() if count)
        for index in filled:
            text += _message(first, _varint(1 << 3) + _varint(_zigzag(index - end)) + _whole(2, 1))
            end = index + 1
        for index in filled:
            if self.is_float:
                text += _number(first + 2, buckets[index])
            else:
                text += _varint((first + 1) << 3) + _varint(_zigzag(int(buckets[index]) - past))
                past = int(buckets[index])
        return text


Key = tuple[str, tuple[tuple[str, str], ...]]


class NativePage:
    """A page of such histograms; `url` is its address."""

    def __init__(self) -> None:
        self._histograms: dict[Key, Native] = {}
        self._lock = threading.Lock()
        self.is_down = False
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/metrics"

    def add(self, name: str, histogram: Native | None = None, **labels: str) -> Native:
        made = histogram or Native()
        with self._lock:
            self._histograms[name, tuple(sorted(labels.items()))] = made
        return made

    def remove(self, name: str, **labels: str) -> None:
        with self._lock:
            del self._histograms[name, tuple(sorted(labels.items()))]

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What is observed in this block is scraped as a whole."""
        with self._lock:
            yield

    def written(self) -> bytes:
        families: dict[tuple[str, int], list[bytes]] = {}
        with self._lock:
            for (name, labels), one in self._histograms.items():
                if one.is_native:
                    metric = _labels(labels) + _message(7, one.written())
                    families.setdefault((name, one.type), []).append(metric)
                for le, count in one.lines():
                    metric = _labels((*labels, ("le", le))) + _message(3, _number(1, count))
                    families.setdefault((f"{name}_bucket", COUNTER), []).append(metric)
        return b"".join(_family(name, kind, metrics) for (name, kind), metrics in families.items())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        page = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = page.written()
                self.send_response(503 if page.is_down else 200)
                self.send_header("Content-Type", PROTOBUF)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words: object) -> None:
                """Quiet."""

        return Handler


@contextmanager
def native_page() -> Iterator[NativePage]:
    """A page that is served as long as the block."""
    page = NativePage()
    thread = threading.Thread(target=page.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield page
    finally:
        page.server.shutdown()
        page.server.server_close()
        thread.join()


def _labels(labels: Iterable[tuple[str, str]]) -> bytes:
    return b"".join(_message(1, _text(1, key) + _text(2, value)) for key, value in labels)


def _family(name: str, kind: int, metrics: Iterable[bytes]) -> bytes:
    text = _text(1, name) + _text(2, "Durations") + _whole(3, kind)
    text += b"".join(_message(4, metric) for metric in metrics)
    return _varint(len(text)) + text


def _varint(value: int) -> bytes:
    text = bytearray()
    while value > 0x7F:
        text.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*text, value))


def _zigzag(value: int) -> int:
    return 2 * value if value >= 0 else -2 * value - 1


def _whole(number: int, value: float) -> bytes:
    return _varint(number << 3) + _varint(int(value))


def _number(number: int, value: float) -> bytes:
    return _varint(number << 3 | 1) + struct.pack("<d", value)


def _message(number: int, text: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(text)) + text


def _text(number: int, value: str) -> bytes:
    return _message(number, value.encode())


__all__ = ["GAUGE_HISTOGRAM", "Native", "NativePage", "native_page"]
