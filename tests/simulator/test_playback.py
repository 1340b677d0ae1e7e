"""Stored account records over the real wire: names, envelope, join, receivers."""

import json
from collections.abc import AsyncIterator

import pytest
from fakes.stored import stored_account
from simulator.helpers import Recorder, eventually

from coindcx_feed.errors import ConfigError
from coindcx_feed.events import EventType
from coindcx_feed.exchange import wire
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.playback import PlaybackExchange

EVENTS = stored_account()[0].events
NAMES = {"order": wire.ORDER_EVENT, "position": wire.POSITION_EVENT, "balance": wire.BALANCE_EVENT}
SENT = [(NAMES[event.type], event.record.decode()) for event in EVENTS if event.type != EventType.SYSTEM]


@pytest.fixture
async def exchange() -> AsyncIterator[PlaybackExchange]:
    """A started one on a free port."""
    made = PlaybackExchange(0, settle_s=0.01, behaviour=instant())
    await made.start()
    yield made
    await made.stop()


async def test_records_arrive_as_the_exchange_sent_them(exchange: PlaybackExchange) -> None:
    """Event name outside and inside, ``data`` as the JSON text of a list, the record word for word, in order."""
    async with Recorder() as client:
        await client.connect(exchange._server)
        await client.join_private(exchange._server, "any key", "any secret")
        await exchange.listened()
        await exchange.send(EVENTS)
        await eventually(lambda: len(client.frames) == len(SENT))
    assert client.frames == [(name, {"event": name, "data": f"[{record}]"}) for name, record in SENT]
    assert (exchange.sent, exchange.undelivered) == (len(SENT), 0)
    assert json.loads(client.frames[0][1]["data"])[0]["id"] == EVENTS[0].facts.key


async def test_nobody_hears_without_a_private_join(exchange: PlaybackExchange) -> None:
    """A public join brings nothing; what nobody had joined for is counted."""
    async with Recorder() as client:
        await client.connect(exchange._server)
        await client.join(exchange._server, wire.CURRENT_PRICES_CHANNEL)
        await exchange.send(EVENTS[:5])
        assert (client.frames, exchange.sent, exchange.undelivered) == ([], 5, 5)


async def test_busy_port_is_one_line(exchange: PlaybackExchange) -> None:
    """It names the setting."""
    with pytest.raises(ConfigError, match=r"in use.*COINDCX_SIMULATOR_PORT"):
        await PlaybackExchange(exchange._server.port).start()
