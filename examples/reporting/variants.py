"""Asks which version a user gets: the published OpenFeature client, speaking OFREP with Rollway."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

FLAG = "new-reporting"
DEFAULT = "old"
WORKERS = 4
PATIENCE_SECONDS = 0.3

# The client writes a traceback for each answer that it does not like. We serve the default and say nothing.
logging.getLogger("openfeature").setLevel(logging.CRITICAL)


class Variants:
    """Which version a user gets: `new` if the flag says so, otherwise `old`, also when nobody answers.

    The provider is synchronous and its HTTP session is not promised to be safe for threads. So a few
    threads ask, each with a provider and a connection of its own, and the event loop never waits.
    """

    def __init__(self, ofrep_url: str, flag: str = FLAG) -> None:
        self._url, self._flag = ofrep_url, flag
        self._own = threading.local()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="flag", initializer=self._prepare)

    async def of(self, user: str) -> str:
        """`new` or `old`, within PATIENCE_SECONDS."""
        asked = asyncio.get_running_loop().run_in_executor(self._pool, self._ask, user)
        try:
            return await asyncio.wait_for(asked, PATIENCE_SECONDS)
        except TimeoutError:
            return DEFAULT

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        api.shutdown()

    def _prepare(self) -> None:
        domain = threading.current_thread().name
        provider = OFREPProvider(self._url, timeout=PATIENCE_SECONDS)
        # Looking for a proxy in the environment at each question costs a quarter of the whole question.
        provider.session.trust_env = False
        api.set_provider_and_wait(provider, domain)
        self._own.client = api.get_client(domain)

    def _ask(self, user: str) -> str:
        client: OpenFeatureClient = self._own.client
        said = client.get_string_value(self._flag, DEFAULT, EvaluationContext(targeting_key=user))
        return "new" if said == "new" else DEFAULT
