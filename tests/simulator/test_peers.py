"""Closing one socket."""

import aiohttp
from simulator.helpers import RawSocket, eventually

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
