"""Every test that takes ``store`` or ``url`` runs on each engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from store.made import opened, url_of

from coindcx_feed.store import EventStore


@pytest.fixture(params=["sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a log that does not exist yet."""
    return url_of(tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[EventStore]:
    """An empty log, its epoch begun."""
    opened_store = opened(url)
    yield opened_store
    opened_store.close()


@pytest.fixture(scope="module", params=["sqlite"])
def module_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    """A log that the tests of a module share."""
    opened_store = opened(url_of(tmp_path_factory.mktemp("store")))
    yield opened_store
    opened_store.close()
