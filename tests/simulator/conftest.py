"""Fixtures of the simulator's tests: servers on a free port."""

from collections.abc import AsyncIterator

import pytest
from simulator.helpers import Recorder

from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.server import ExchangeServer


@pytest.fixture
async def server() -> AsyncIterator[ExchangeServer]:
    """A bare server without delays: it sends only what the test emits."""
    async with ExchangeServer(port=0, behaviour=instant()) as running:
        yield running


@pytest.fixture
async def recorder(server: ExchangeServer) -> AsyncIterator[Recorder]:
    """A client connected to :func:`server`."""
    async with Recorder() as client:
        await client.connect(server)
        yield client
