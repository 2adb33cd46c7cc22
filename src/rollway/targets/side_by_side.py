"""Asking many targets at once: one that hangs keeps nobody else waiting, and is not asked twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

MOST_AT_ONCE = 32

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Question(Generic[Answer]):
    future: Future[Answer]
    age: int


class SideBySide(Generic[Answer]):
    """The same question to many, each in a thread of a bounded pool.

    What was asked and not answered in time goes on; its answer is given at the next time of asking, unless
    the one who was asked has been told something since (`told`).
    """

    def __init__(self, question: Callable[[str], Answer], many: int, *, may_overlap: bool = False) -> None:
        """`question` is asked by name, for at most `many` names. `may_overlap`: one who has been told
        something since is asked anew at once, though the old question is still open."""
        self._question, self._may_overlap = question, may_overlap
        self._pool = ThreadPoolExecutor(min(MOST_AT_ONCE, max(1, many)), "rollway-side-by-side")
        self._asked: dict[str, _Question[Answer]] = {}
        self._ages: dict[str, int] = {}
        self._lock = threading.Lock()

    def told(self, name: str) -> None:
        """From now on an answer to an older question counts for nothing."""
        with self._lock:
            self._ages[name] = self._ages.get(name, 0) + 1

    def ask(self, names: Iterable[str], within: float) -> dict[str, Answer | Exception | None]:
        """Each one's answer, or what it raised; None where there is none within so many seconds."""
        end = time.monotonic() + within
        with self._lock:
            mine = {name: self._begin(name) for name in names}
        wait([one.future for one in mine.values() if one is not None], end - time.monotonic())
        return {name: None if one is None else self._end(name, one) for name, one in mine.items()}

    def close(self) -> None:
        """Ask nothing more. A question that is open is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _begin(self, name: str) -> _Question[Answer] | None:
        age, before = self._ages.get(name, 0), self._asked.get(name)
        if before is not None and before.age == age:
            return before
        if before is not None and not before.future.done() and not self._may_overlap:
            return None
        self._asked[name] = _Question(self._pool.submit(self._question, name), age)
        return self._asked[name]

    def _end(self, name: str, asked: _Question[Answer]) -> Answer | Exception | None:
        if not asked.future.done():
            return None
        with self._lock:
            if self._asked.get(name) is asked:
                del self._asked[name]
            if asked.age != self._ages.get(name, 0):
                return None
        error = asked.future.exception()
        if isinstance(error, Exception):
            return error
        return asked.future.result()
