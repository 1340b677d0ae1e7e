"""An exchange that sends what a replay shows: stored account records over the real wire, for programs written for it.

Only order, position and balance records are in the log: there is no market data and no REST.
"""

from collections.abc import Sequence
from typing import Final

from coindcx_feed.events import Event, EventType
from coindcx_feed.exchange import wire
from coindcx_feed.simulator.behaviour import Behaviour
from coindcx_feed.simulator.frames import SETTLE_S, wait_for_listeners
from coindcx_feed.simulator.server import ExchangeServer
from coindcx_feed.simulator.topics import Topic

_EVENTS: Final = {
    EventType.ORDER: wire.ORDER_EVENT,
    EventType.POSITION: wire.POSITION_EVENT,
    EventType.BALANCE: wire.BALANCE_EVENT,
}


class PlaybackExchange:
    """Serves from ``start`` to ``stop`` on loopback; any complete private join is accepted. Threads: one loop.

    Attributes:
        sent: Frames sent, one record each.
        undelivered: Those among them that nobody had joined for.
    """

    def __init__(self, port: int, *, settle_s: float = SETTLE_S, behaviour: Behaviour | None = None) -> None:
        self.sent = self.undelivered = 0
        self._settle_s = settle_s
        self._server = ExchangeServer(port=port, credentials=None, behaviour=behaviour)

    @property
    def url(self) -> str:
        """Address to give to a program as that of the exchange."""
        return self._server.url

    async def start(self) -> None:
        """Bind.

        Raises:
            ConfigError: If the port cannot be bound.
        """
        await self._server.start()

    async def stop(self) -> None:
        """Close every socket and free the port."""
        await self._server.stop()

    async def listened(self) -> None:
        """Return when somebody has joined the private channel: what comes before that is lost, as on the real wire."""
        await wait_for_listeners(self._server, needs_private=True, settle_s=self._settle_s)

    async def send(self, events: Sequence[Event]) -> None:
        """Send the records among the events, in order, as they once came."""
        for event in events:
            name = _EVENTS.get(event.type)
            if name is None:
                continue
            envelope = {"event": name, "data": f"[{event.record.decode()}]"}
            count = await self._server.hub.emit_envelope(name, envelope, _is_private)
            self.sent += 1
            self.undelivered += count == 0


def _is_private(topic: Topic) -> bool:
    return topic.kind == "account"
