"""The embedded exchange's address: Socket.IO, REST and the demo's own routes on one loopback port."""

import asyncio
import errno
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Final

from aiohttp import web

from coindcx_feed.errors import ConfigError
from coindcx_feed.exchange import wire
from coindcx_feed.simulator import guard
from coindcx_feed.simulator.behaviour import Behaviour, RestFailure
from coindcx_feed.simulator.controls import Controls
from coindcx_feed.simulator.emissions import Emission
from coindcx_feed.simulator.hub import Credentials, SocketHub
from coindcx_feed.simulator.outbox import Arrangement
from coindcx_feed.simulator.peers import Cut, Join
from coindcx_feed.simulator.rest_faults import RestCall, RestFaults

logger = logging.getLogger(__name__)

DEFAULT_PORT: Final = 8010
DEMO_KEY: Final = "demo-key-not-a-real-one"
DEMO_SECRET: Final = "demo-secret-not-a-real-one"  # noqa: S105  (a made-up value that opens the simulator only)
DEMO_CREDENTIALS: Final = Credentials(DEMO_KEY, DEMO_SECRET)

BackgroundTask = Callable[["ExchangeServer"], Awaitable[None]]


class ExchangeServer:
    """A simulated exchange on the caller's event loop.

    Stream, API and public hosts are one address: ``http://127.0.0.1:PORT`` (``ws://`` for the socket). Bare, it accepts
    every well-formed channel and sends only what tests emit; :mod:`frames` and :mod:`exchange` add a life of its own.

    Threads: construct and use it on one loop.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        behaviour: Behaviour | None = None,
        credentials: Credentials | None = DEMO_CREDENTIALS,
        pairs: Collection[str] | None = None,
        routes: Iterable[web.AbstractRouteDef] = (),
        background: Iterable[BackgroundTask] = (),
    ) -> None:
        """Configure a server; nothing is bound before :meth:`start`.

        Args:
            host: A loopback name.
            port: TCP port; 0 lets the system choose one.
            behaviour: Delays; the measured ones by default.
            credentials: What a private join must carry; ``None`` accepts any complete one.
            pairs: Pairs whose channels exist; ``None`` means every well-formed name.
            routes: HTTP routes beside the socket.
            background: Coroutine functions that run from start to stop.
        Raises:
            ConfigError: If ``host`` is not a loopback name.
        """
        if not guard.is_loopback(host):
            raise ConfigError(f"the simulator's host: expected a loopback name, was {host!r}; use 127.0.0.1")
        self.host = host
        self.port = port
        self.behaviour = behaviour or Behaviour()
        self.credentials = credentials
        self._pairs = pairs
        self._routes = list(routes)
        self._background = list(background)
        self._tasks: list[asyncio.Task[None]] = []
        self._runner: web.AppRunner | None = None
        self.hub = SocketHub(self.behaviour, credentials, pairs)
        self.rest = RestFaults(self.behaviour, self.hub.gate)

    @property
    def url(self) -> str:
        """Address of stream, API and public host alike."""
        return f"http://{self.host}:{self.port}"

    @property
    def connections(self) -> int:
        """Sockets whose connect was acknowledged."""
        return self.hub.connections

    @property
    def joins(self) -> list[Join]:
        """Every join received so far, oldest first."""
        return self.hub.joins

    @property
    def reject_joins(self) -> bool:
        """Whether every private join is refused like one with wrong credentials."""
        return self.hub.reject_joins

    @reject_joins.setter
    def reject_joins(self, value: bool) -> None:
        self.hub.reject_joins = value

    @property
    def muted(self) -> bool:
        """Whether no frames are delivered, while sockets, joins and pings go on."""
        return self.hub.muted

    @muted.setter
    def muted(self, value: bool) -> None:
        self.hub.muted = value

    async def start(self) -> None:
        """Bind and serve.

        Raises:
            ConfigError: If the port cannot be bound.
        """
        app = web.Application(
            middlewares=[
                guard.refuse_browsers,
                self.rest.middleware(),
                guard.answer_like_the_exchange,
                guard.without_compression,
            ]
        )
        self.hub.sio.attach(app, socketio_path=wire.SOCKETIO_PATH)
        app.add_routes([*self._routes, *Controls(self).routes()])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self.port).start()
        except (OSError, OverflowError) as error:
            await runner.cleanup()
            raise ConfigError(_bind_message(self.host, self.port, error)) from error
        self._runner = runner
        self.port = runner.addresses[0][1]
        self._tasks = [asyncio.create_task(self._run(task)) for task in self._background]
        logger.info("simulator listening address=%s", self.url)

    async def stop(self) -> None:
        """Close every socket and free the port. Safe to call twice, and before :meth:`start`."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        runner, self._runner = self._runner, None
        self.rest.stop()
        if runner is not None:
            await self.hub.close()
            await runner.cleanup()
            logger.info("simulator stopped address=%s", self.url)

    async def __aenter__(self) -> "ExchangeServer":
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    @property
    def emissions(self) -> list[Emission]:
        """Account records that left or should have, oldest first; kept with :attr:`Behaviour.listed`."""
        return self.hub.outbox.emissions.rows

    @property
    def cuts(self) -> list[Cut]:
        """Every time sockets were ended on purpose, oldest first."""
        return self.hub.cuts

    @property
    def rest_calls(self) -> list[RestCall]:
        """The last calls of the REST hosts, oldest first."""
        return list(self.rest.calls)

    async def emit(self, event: str, data: object, channel: str | None = None) -> int:
        """Send one event to the sockets it belongs to; see :meth:`SocketHub.emit`. Returns the number of receivers."""
        return await self.hub.emit(event, data, channel)

    async def emit_raw(self, packet: str) -> int:
        """Send the text of a Socket.IO packet, well-formed or not, to every connected socket."""
        return await self.hub.emit_raw(packet)

    def drop_next(self, count: int = 1, event: str | None = None) -> None:
        """Lose the next account frames of an event, or of any."""
        self.hub.outbox.drop_next(count, event)

    def repeat_next(self, count: int = 1, event: str | None = None) -> None:
        """Send the next account frames of an event, or of any, twice in a row."""
        self.hub.outbox.repeat_next(count, event)

    def hold(self) -> None:
        """Keep account frames back until :meth:`release`."""
        self.hub.outbox.hold()

    async def release(self, arrangement: Arrangement = "kept", seed: int = 0) -> int:
        """Send the account frames that were held back. Returns the number of receivers in all."""
        return await self.hub.outbox.release(arrangement, seed)

    async def kick(self, private_only: bool = False, engine: bool = False) -> int:
        """Disconnect sockets, all or those with a private join: by packet ``41``, or by Engine.IO's close packet."""
        return await self.hub.kick(private_only, engine)

    def kick_next_joins(self, count: int = 1) -> None:
        """Accept the next private joins and kick them a moment later, although the credentials are right."""
        self.hub.join_kicks += count

    async def abort(self) -> int:
        """Cut every connection on the TCP level."""
        return self.hub.abort()

    def freeze(self) -> None:
        """Let nothing pass: no frame, ping, reply or handshake. Connections stay; frames of this time are lost."""
        self.hub.gate.freeze()

    def thaw(self) -> None:
        """End a freeze; requests that waited are answered."""
        self.hub.gate.thaw()

    async def revoke(self, kick: bool = True) -> int:
        """Make the credentials invalid from now on, and disconnect the sockets that joined with them.

        Returns:
            How many sockets were disconnected.
        """
        self.behaviour.is_revoked = True
        return await self.hub.kick(private_only=True) if kick else 0

    def fail_rest(self, kind: RestFailure, count: int = 1, path: str = "") -> None:
        """Let the next REST calls fail whose path contains ``path``."""
        self.rest.fail(kind, count, path)

    async def _run(self, task: BackgroundTask) -> None:
        try:
            await task(self)
        except Exception:
            # A task boundary: the sockets go on, and the reason is in the log instead of a silent stop.
            logger.exception("simulator task failed task=%s", getattr(task, "__qualname__", task))


def _bind_message(host: str, port: int, error: Exception) -> str:
    is_used = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
    reason = "in use by another program" if is_used else str(error)
    return (
        f"the simulator's port: expected a free one, was {host}:{port} ({reason}); "
        "stop the other program or choose another port (COINDCX_SIMULATOR_PORT)"
    )
