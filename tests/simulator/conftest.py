"""Fixtures of the simulator's tests: servers on a free port."""

from collections.abc import AsyncIterator

import pytest
from simulator.helpers import START_MS, Clock, Recorder, funded_exchange

from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.exchange import build_exchange_server
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


@pytest.fixture
def clock() -> Clock:
    """The wall clock of :func:`live_server`: it stands still until a test moves it."""
    return Clock(START_MS)


@pytest.fixture
def exchange() -> Exchange:
    """An engine with money and no trader."""
    return funded_exchange()


@pytest.fixture
async def live_server(exchange: Exchange, clock: Clock) -> AsyncIterator[ExchangeServer]:
    """A server around :func:`exchange`, driven by :func:`clock`."""
    async with build_exchange_server(exchange, port=0, behaviour=instant(), clock_ms=clock) as running:
        yield running
