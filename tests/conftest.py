"""What the tests share: databases (SQLite in a folder, a real PostgreSQL server for each test process),
rollouts that are moved by real ticks, and a metrics page to read."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollway.app import Rollway
from support.servers import PostgresServer, postgres
from support.world import Metrics, metrics_server
from web.story import Story, make_story


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server that lives as long as the test process."""
    # Not below pytest's folder: each pytest that begins closes that to other users, as PostgreSQL's is.
    folder = Path(tempfile.mkdtemp(prefix="rollway-postgres-"))
    try:
        with postgres(folder) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """The URL of an empty database of this test's own."""
    return postgres_server.new_database()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Both databases Rollway runs on: a data folder, and the URL of a PostgreSQL database."""
    if request.param == "sqlite":
        return str(tmp_path / "data")
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def fresh_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose schema is up to date; copying it is faster than making another."""
    folder = tmp_path_factory.mktemp("fresh")
    Rollway(folder).close()
    return folder


@pytest.fixture
def story(tmp_path: Path, fresh_data: Path) -> Iterator[Story]:
    """A real Rollway whose service is made up."""
    made = make_story(shutil.copytree(fresh_data, tmp_path / "data"))
    yield made
    made.rollway.close()


@pytest.fixture
def metrics() -> Iterator[Metrics]:
    """The metrics page of both versions, over real HTTP."""
    with metrics_server() as metrics:
        yield metrics
