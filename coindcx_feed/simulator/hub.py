"""The sockets of the simulated exchange and what they joined: join, leave, refusals, fan-out. Knows no market."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import socketio

from coindcx_feed.exchange import codec, signing, wire
from coindcx_feed.simulator.behaviour import Behaviour
from coindcx_feed.simulator.jstext import socket_text
from coindcx_feed.simulator.topics import Topic, parse_topic, receivers

# A close frame without a status code, which the peer reads as 1005; aiohttp would always write a status.
_CLOSE_WITHOUT_STATUS: Final = b"\x88\x00"


class Credentials(NamedTuple):
    """Key and secret of the simulated account."""

    key: str
    secret: str


class Join(NamedTuple):
    """One ``join`` that named a channel; ``ok`` is false when it was refused or ignored."""

    mono: float
    channel: str
    ok: bool


@dataclass(eq=False, slots=True)
class Peer:
    """One connected socket."""

    sid: str
    eio_sid: str
    transport: asyncio.Transport
    topics: dict[str, Topic] = field(default_factory=dict)


class SocketHub:
    """Socket.IO side of the exchange: who joined what, and delivery of frames.

    All methods run on the server's loop. A frame is encoded once and queued for every receiver; nothing here waits for
    a reader.

    Attributes:
        joins: Every join received, in order.
        reject_joins: Treat every private join as one with wrong credentials.
        muted: Deliver no frames; sockets, joins and pings go on.
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
        self.delivered = 0
        self._behaviour = behaviour
        self._credentials = credentials
        self._pairs = pairs
        self._peers: dict[str, Peer] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        # cors_allowed_origins=[] switches the library's check off: web pages are refused by the guard before it.
        self.sio = socketio.AsyncServer(
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
        belongs = receivers(event, text) if channel is None else lambda topic: topic.channel == channel
        return await self.emit_envelope(event, {"event": event, "data": text}, belongs)

    async def emit_envelope(self, event: str, envelope: object, belongs: Callable[[Topic], bool]) -> int:
        """Send an envelope as it is to every socket with a joined topic for which ``belongs`` is true."""
        chosen = [peer for peer in self._peers.values() if any(map(belongs, peer.topics.values()))]
        if not chosen:
            return 0
        return await self._send("2" + codec.dumps([event, envelope]), chosen)

    async def emit_raw(self, packet: str) -> int:
        """Send the text of a Socket.IO packet, well-formed or not, to every connected socket."""
        return await self._send(packet, list(self._peers.values()))

    async def _send(self, packet: str, peers: Iterable[Peer]) -> int:
        if self.muted:
            return 0
        count = 0
        for peer in peers:
            await self.sio.eio.send(peer.eio_sid, packet)
            count += 1
        self.delivered += count
        return count

    async def kick(self, private_only: bool = False) -> int:
        """Disconnect sockets as the exchange does: packet ``41``, then close. Returns how many."""
        chosen = [p for p in self._peers.values() if not private_only or wire.PRIVATE_CHANNEL in p.topics]
        for peer in chosen:
            await self._disconnect(peer)
        return len(chosen)

    def abort(self) -> int:
        """Cut every connection on the TCP level, without a close frame. Returns how many."""
        peers = list(self._peers.values())
        for peer in peers:
            peer.transport.abort()
        return len(peers)

    async def close(self) -> None:
        """Close every socket and end the tasks of this hub."""
        for task in list(self._tasks):
            task.cancel()
        for peer in list(self._peers.values()):
            _close(peer.transport)
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
        if self.reject_joins or not is_known:
            self._later(self._behaviour.refuse_join_s, peer, self._disconnect)
            return False
        return True

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
            self._later(self._behaviour.malformed_close_s, peer, _close_peer)
        return self.sio.not_handled

    async def _disconnect(self, peer: Peer) -> None:
        await self.sio.disconnect(peer.sid)  # packet 41
        self._later(0.02, peer, _close_peer)

    def _later(self, delay_s: float, peer: Peer, action: Callable[[Peer], Any]) -> None:
        async def run() -> None:
            await asyncio.sleep(delay_s)
            await action(peer)

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _close_peer(peer: Peer) -> None:
    _close(peer.transport)


def _close(transport: asyncio.Transport) -> None:
    if not transport.is_closing():
        transport.write(_CLOSE_WITHOUT_STATUS)
        transport.close()
