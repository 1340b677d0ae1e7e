"""Fixtures of the sidecar's tests: one running server with an empty ring."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import settings
from sidecar.helpers import World

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A sidecar without a token on a free port."""
    async with World() as running:
        yield running
