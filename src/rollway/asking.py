"""Asking others over HTTP: bounded in time and size; any trouble is a TemporaryError in one sentence."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rollway.errors import TemporaryError

if TYPE_CHECKING:
    from httpx2 import Client

LARGEST_ANSWER = 8 * 1024 * 1024


@lru_cache(maxsize=1)
def _client() -> Client:
    """One for all, so that connections are reused and none is left behind by a finished rollout."""
    import httpx2

    return httpx2.Client(trust_env=False, follow_redirects=False)


class Asker:
    """Asks addresses. `timeout`: seconds for each step of a request; `within`: for reading a whole answer,
    as much as `timeout` where nothing is said: who sends a byte now and then keeps nobody waiting."""

    def __init__(self, timeout: float, *, within: float | None = None) -> None:
        self._timeout = timeout
        self._within = timeout if within is None else within

    def ask(
        self,
        url: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """The text of an answer with status 2xx. Raises TemporaryError for every other outcome."""
        status, text = self.answer(url, method=method, body=body, headers=headers)
        if not 200 <= status < 300:
            told = f": {text.strip().splitlines()[0][:200]}" if text.strip() else ""
            raise TemporaryError(f"{url} answers with status {status}{told}")
        return text

    def answer(
        self,
        url: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, str]:
        """Status and text of an answer, whatever they are. Raises TemporaryError where there is none."""
        import httpx2

        try:
            with _client().stream(
                method, url, content=body, headers=dict(headers or {}), timeout=self._timeout
            ) as answer:
                return answer.status_code, self._text(url, answer)
        except httpx2.TimeoutException as error:
            raise TemporaryError(f"{url} did not answer within {self._timeout:g} s") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise TemporaryError(f"{url} does not answer: {error}") from error

    def ask_json(self, url: str, *, headers: Mapping[str, str] | None = None) -> Any:
        """The answer as JSON. Raises TemporaryError where it is none."""
        text = self.ask(url, headers=headers)
        try:
            return json.loads(text)
        except ValueError as error:
            raise TemporaryError(f"{url} does not answer with JSON: {text[:80]!r}") from error

    def is_well(self, url: str) -> bool:
        """Whether a health check answers with status 2xx."""
        try:
            self.ask(url)
        except TemporaryError:
            return False
        return True

    def _text(self, url: str, answer: Any) -> str:
        pieces, size = list[bytes](), 0
        end = time.monotonic() + self._within
        for piece in answer.iter_bytes():
            pieces.append(piece)
            size += len(piece)
            if size > LARGEST_ANSWER:
                raise TemporaryError(f"{url} answers with more than {LARGEST_ANSWER // 1024**2} MiB")
            if time.monotonic() > end:
                raise TemporaryError(f"{url} did not end its answer within {self._within:g} s")
        return b"".join(pieces).decode(errors="replace")
