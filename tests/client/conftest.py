"""Fixtures of the client's tests: a real sidecar, and a back-off that does not keep a test waiting."""

from collections.abc import AsyncIterator

import pytest
from sidecar.helpers import World

from coindcx_feed.client import subscribe


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A sidecar without a token on a free port."""
    async with World() as running:
        yield running


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """First delay 20 ms instead of 1 s."""
    monkeypatch.setattr(subscribe, "_FIRST_DELAY_S", 0.02)
