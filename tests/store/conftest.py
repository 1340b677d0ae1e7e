"""Every test that takes ``store`` or ``url`` runs on each engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.postgres import Postgres, running
from store.made import opened, url_of

from coindcx_feed.store import EventStore

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server that the tests of this room share; each has a database of its own."""
    with running() as server:
        yield server


@pytest.fixture
def own_server() -> Iterator[Postgres]:
    """A PostgreSQL server for one test that stops it."""
    with running() as server:
        yield server


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a log that does not exist yet."""
    return _url(request, tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[EventStore]:
    """An empty log, its epoch begun."""
    opened_store = opened(url)
    yield opened_store
    opened_store.close()


@pytest.fixture(scope="module", params=ENGINES)
def module_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    """A log that the tests of a module share."""
    opened_store = opened(_url(request, tmp_path_factory.mktemp("store")))
    yield opened_store
    opened_store.close()


def _url(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "sqlite":
        return url_of(folder)
    server: Postgres = request.getfixturevalue("postgres")
    return server.url()
