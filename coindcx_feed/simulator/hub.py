"""The sockets of the simulated exchange and what they joined: join, leave, refusals, fan-out. Knows no market."""

import asyncio
import time
from collections.abc import Callable, Collection, Coroutine, Iterable
from typing import Any, Final, NamedTuple

import socketio

from coindcx_feed.exchange import codec, signing, wire
from coindcx_feed.simulator.behaviour import Behaviour
from coindcx_feed.simulator.emissions import Emissions, Fate
from coindcx_feed.simulator.jstext import socket_text
from coindcx_feed.simulator.line import Gate, Pings, line_factory
from coindcx_feed.simulator.outbox import Outbox
from coindcx_feed.simulator.peers import Cut, Join, Peer
from coindcx_feed.simulator.topics import Topic, kind_of, parse_topic, receivers

# After the packet that ends a socket, its connection is closed this much later.
_CLOSE_S: Final = 0.02


class Credentials(NamedTuple):
    """Key and secret of the simulated account."""

    key: str
    secret: str


def _new_server(behaviour: Behaviour) -> socketio.AsyncServer:
    # cors_allowed_origins=[] switches the library's check off: web pages are refused by the guard before it.
    return socketio.AsyncServer(
        async_mode="aiohttp",
        json=codec,
        transports=["websocket"],
        ping_interval=behaviour.ping_interval_s,
        ping_timeout=behaviour.ping_timeout_s,
        http_compression=False,
        max_http_buffer_size=1_000_000,
        cors_allowed_origins=[],
        async_handlers=False,
    )


class SocketHub:
    """Socket.IO side of the exchange: who joined what, and delivery of frames.

    All methods run on the server's loop. A frame is encoded once and queued for every receiver; nothing here waits for
    a reader.

    Attributes:
        joins: Every join received, in order.
        reject_joins: Treat every private join as one with wrong credentials.
        muted: Deliver no frames; sockets, joins and pings go on.
        join_kicks: So many of the next private joins are accepted and then kicked, as by a restart of the exchange.
        outbox: Where account frames go through: numbers, list, and the faults ordered for the next of them.
        cuts: Every time sockets were ended on purpose.
        gate: Closed, nothing moves on any connection.
        delivered: Frames queued, counted once per receiver.
    """

    def __init__(
        self, behaviour: Behaviour, credentials: Credentials | None, pairs: Collection[str] | None = None
    ) -> None:
        """Prepare the Socket.IO server.

        Args:
            behaviour: Delays.
            credentials: Accepted key and secret; ``None`` accepts any that are complete.
            pairs: Pairs whose channels exist; ``None`` means every well-formed name.
        """
        self.joins: list[Join] = []
        self.reject_joins = False
        self.muted = False
        self.join_kicks = 0
        self.delivered = 0
        self.outbox = Outbox(Emissions(behaviour), self._emit)
        self.cuts: list[Cut] = []
        self.gate = Gate(behaviour)
        self._behaviour = behaviour
        self._credentials = credentials
        self._pairs = pairs
        self._peers: dict[str, Peer] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self.sio = _new_server(behaviour)
        # The library has no public way to its WebSockets; pings and freezing need one.
        engine = self.sio.eio
        lines = line_factory(engine._async["websocket"], self.gate, Pings(engine))
        engine._async = {**engine._async, "websocket": lines}
        self.sio.on("connect", self._on_connect)
        self.sio.on("disconnect", self._on_disconnect)
        self.sio.on("join", self._on_join)
        self.sio.on("leave", self._on_leave)
        self.sio.on(codec.MALFORMED, self._on_malformed)

    @property
    def connections(self) -> int:
        """Sockets whose connect was acknowledged."""
        return len(self._peers)

    def topics(self) -> set[Topic]:
        """Return every topic that at least one socket has joined."""
        return {topic for peer in self._peers.values() for topic in peer.topics.values()}

    def joined(self, channel: str) -> int:
        """Count the sockets that have joined a channel."""
        return sum(channel in peer.topics for peer in self._peers.values())

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        """Return when a condition on connections or joins holds; it is looked at after every change of them."""
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    async def emit(self, event: str, data: object, channel: str | None = None) -> int:
        """Send one event to the sockets it belongs to.

        Args:
            event: Socket.IO event name.
            data: Ready text of the envelope's ``data``, JSON or not, or an object to be written as JSON text.
            channel: Only the sockets that joined this one; ``None`` finds the channels from event and data.
        Returns:
            The number of receivers.
        """
        text = data if isinstance(data, str) else socket_text(data)
        if kind_of(event) == "account":
            return await self.outbox.emit(event, text, channel)
        return (await self._emit(event, text, channel))[0]

    async def _emit(self, event: str, text: str, channel: str | None) -> tuple[int, Fate]:
        belongs = receivers(event, text) if channel is None else lambda topic: topic.channel == channel
        count = await self.emit_envelope(event, {"event": event, "data": text}, belongs)
        if count:
            return count, "delivered"
        return 0, "muted" if self.muted else "frozen" if self.gate.is_frozen else "nobody"

    async def emit_envelope(self, event: str, envelope: object, belongs: Callable[[Topic], bool]) -> int:
        """Send an envelope as it is to every socket with a joined topic for which ``belongs`` is true."""
        chosen = [
            peer
            for peer in self._peers.values()
            if not peer.transport.is_closing() and any(map(belongs, peer.topics.values()))
        ]
        if not chosen:
            return 0
        return await self._send("2" + codec.dumps([event, envelope]), chosen)

    async def emit_raw(self, packet: str) -> int:
        """Send the text of a Socket.IO packet, well-formed or not, to every connected socket."""
        return await self._send(packet, list(self._peers.values()))

    async def _send(self, packet: str, peers: Iterable[Peer]) -> int:
        if self.muted or self.gate.is_frozen:
            return 0
        count = 0
        for peer in peers:
            await self.sio.eio.send(peer.eio_sid, packet)
            count += 1
        self.delivered += count
        return count

    async def kick(self, private_only: bool = False, engine: bool = False) -> int:
        """Disconnect sockets as the exchange does, then close. Returns how many.

        Args:
            private_only: Only those with the private channel.
            engine: By Engine.IO's close packet ``1`` instead of Socket.IO's ``41``.
        """
        chosen = [p for p in self._peers.values() if not private_only or wire.PRIVATE_CHANNEL in p.topics]
        self.cuts.append(Cut(time.monotonic(), "engine" if engine else "kick", len(chosen)))
        for peer in chosen:
            await (self._close_engine(peer) if engine else self._disconnect(peer))
        return len(chosen)

    def abort(self) -> int:
        """Cut every connection on the TCP level, without a close frame. Returns how many."""
        peers = list(self._peers.values())
        self.cuts.append(Cut(time.monotonic(), "abort", len(peers)))
        for peer in peers:
            peer.transport.abort()
        return len(peers)

    async def close(self) -> None:
        """Close every socket and end the tasks of this hub."""
        self.gate.thaw()
        for task in list(self._tasks):
            task.cancel()
        for peer in list(self._peers.values()):
            peer.close()
        await self.sio.shutdown()

    async def _on_connect(self, sid: str, environ: dict[str, Any], _auth: object = None) -> bool:
        await asyncio.sleep(self._behaviour.connect_ack_s)
        transport = environ["aiohttp.request"].transport
        if transport is None or transport.is_closing():
            return False
        eio_sid = self.sio.manager.eio_sid_from_sid(sid, "/")
        self._peers[sid] = Peer(sid, eio_sid, transport)
        self._changed.set()
        return True

    async def _on_disconnect(self, sid: str, _reason: object = None) -> None:
        self._peers.pop(sid, None)
        self._changed.set()

    async def _on_join(self, sid: str, *arguments: object) -> object:
        request = arguments[0] if arguments else None
        peer = self._peers.get(sid)
        name = request.get("channelName") if isinstance(request, dict) else None
        if peer is not None and isinstance(request, dict) and isinstance(name, str):
            topic = parse_topic(name)
            ok = topic is not None and self._admits(peer, topic, request)
            if ok and topic is not None:
                peer.topics[name] = topic
            self.joins.append(Join(time.monotonic(), name, ok))
            self._changed.set()
        return self.sio.not_handled  # no acknowledgement, ever

    def _admits(self, peer: Peer, topic: Topic, request: dict[str, Any]) -> bool:
        if topic.kind != "account":
            return self._pairs is None or topic.pair is None or topic.pair in self._pairs
        key, signature = request.get("apiKey"), request.get("authSignature")
        if not isinstance(key, str) or not isinstance(signature, str):
            return False
        wanted = self._credentials
        is_known = wanted is None or (key == wanted.key and signing.is_join_signature(wanted.secret, signature))
        is_refused = self.reject_joins or self._behaviour.is_revoked or not is_known
        if is_refused or self.join_kicks > 0:
            self._start(self._disconnect(peer, self._behaviour.refuse_join_s))
        if not is_refused and self.join_kicks > 0:
            self.join_kicks -= 1
        return not is_refused

    async def _on_leave(self, sid: str, *arguments: object) -> object:
        request = arguments[0] if arguments else None
        peer = self._peers.get(sid)
        name = request.get("channelName") if isinstance(request, dict) else None
        if peer is not None and isinstance(name, str) and peer.topics.pop(name, None) is not None:
            # The payload of this event was never recorded; the channel's name in the usual envelope is an assumption.
            envelope = {"event": wire.LEFT_EVENT, "data": socket_text({"channelName": name})}
            await self._send("2" + codec.dumps([wire.LEFT_EVENT, envelope]), [peer])
            self._changed.set()
        return self.sio.not_handled

    async def _on_malformed(self, sid: str, *_arguments: object) -> object:
        peer = self._peers.get(sid)
        if peer is not None:
            self._start(peer.close_after(self._behaviour.malformed_close_s))
        return self.sio.not_handled

    async def _disconnect(self, peer: Peer, delay_s: float = 0) -> None:
        await asyncio.sleep(delay_s)
        await self.sio.disconnect(peer.sid)  # packet 41
        self._start(peer.close_after(_CLOSE_S))

    async def _close_engine(self, peer: Peer) -> None:
        await self.sio.eio.disconnect(peer.eio_sid)  # packet 1
        self._start(peer.close_after(_CLOSE_S))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
