"""Closing one socket."""

from collections import deque

import aiohttp
import pytest
from simulator.helpers import RawSocket, eventually

from coindcx_feed.exchange import wire
from coindcx_feed.simulator import peers
from coindcx_feed.simulator.server import ExchangeServer


async def test_socket_is_closed_without_a_status_after_a_moment(server: ExchangeServer) -> None:
    """The peer reads it as 1005; a second close does nothing."""
    async with RawSocket(server) as raw:
        await raw.open()
        await eventually(lambda: server.connections == 1)
        (peer,) = server.hub._peers.values()
        await peer.close_after(0.01)
        peer.close()
        message = await raw.ws.receive(timeout=5)
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert message.data in (None, 0, 1005)
        await eventually(lambda: server.connections == 0)


async def test_peer_that_reads_nothing_is_cut_off_after_the_close(
    server: ExchangeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection waited for ever for megabytes that nobody took."""
    monkeypatch.setattr(peers, "FLUSH_S", 0.1)
    async with RawSocket(server) as raw:
        await raw.open()
        await raw.ws.send_str('42["join",{"channelName":"B-BTC_USDT@trades-futures"}]')
        await eventually(lambda: server.hub.joined("B-BTC_USDT@trades-futures") == 1)
        (peer,) = server.hub._peers.values()
        for _ in range(400):  # more than the sockets of both sides hold
            await server.emit(wire.TRADE_EVENT, {"s": "B-BTC_USDT", "filling": "x" * 100_000})
        sizes: deque[int] = deque([0], maxlen=20)

        def is_stuck() -> bool:
            sizes.append(peer.transport.get_write_buffer_size())
            return 0 not in sizes and len(set(sizes)) == 1

        await eventually(is_stuck)
        await server.kick()
        await eventually(lambda: server.hub.sio.eio.sockets == {})
        assert peer.transport.get_write_buffer_size() == 0
