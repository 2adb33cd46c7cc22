"""A real Rollway on a database of its own, with its runtime, and a metrics page to read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rollway.app import Rollway
from rollway.app.runtime import Runtime
from support.world import Metrics, metrics_server


@pytest.fixture
def metrics() -> Iterator[Metrics]:
    with metrics_server() as metrics:
        yield metrics


@pytest.fixture
def rollway(database: str) -> Iterator[Rollway]:
    rollway = Rollway(database)
    yield rollway
    rollway.close()


@pytest.fixture
def runtime(rollway: Rollway) -> Iterator[Runtime]:
    runtime = Runtime(rollway)
    runtime.start()
    yield runtime
    runtime.stop()
