"""``connect``: a sidecar's events as an asynchronous or a synchronous iterator that reconnects and resumes."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Iterator
from contextlib import aclosing
from functools import partial
from typing import Final, Self

from coindcx_feed.client.items import Item, item_of
from coindcx_feed.client.position import Position, Since
from coindcx_feed.client.pump import Pump
from coindcx_feed.client.subscribe import Request, request, subscribe

DEFAULT_URL: Final = "ws://127.0.0.1:8000"


class Connection:
    """Events of a sidecar, one reader at a time.

    ``async for`` reads in the caller's loop. ``for`` reads in a thread with a loop of its own, so that it also works
    where a loop runs already, as in a notebook; it ends with the loop over it, with ``close``, with Ctrl-C, or with the
    next ``for`` over the same connection. Either goes on where the last one was left. Use it as a context (``with``,
    ``async with``) where the end must not wait for the garbage collector.

    Both raise ``ClientError`` when trying again cannot help: refused request, wrong token, no sidecar there.
    """

    def __init__(self, wanted: Request, position: Position) -> None:
        self._wanted, self._position = wanted, position
        self._ahead: deque[Item] = deque()
        self._pump: Pump[Item] | None = None
        self._stream: AsyncGenerator[Item, None] | None = None

    def __aiter__(self) -> AsyncIterator[Item]:
        self._stream = _continued(self._ahead, self._wanted, self._position)
        return self._stream

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End ``async for`` and its connection. Call it in the task that reads."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.aclose()

    def __iter__(self) -> Iterator[Item]:
        return self._read_in_thread()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End ``for`` and its connection, from any thread; harmless when nothing is read."""
        pump = self._pump
        if pump is not None:
            pump.stop()

    def _read_in_thread(self) -> Generator[Item, None, None]:
        self.close()  # of a loop that a notebook interrupted, the end may never come
        self._pump = Pump(partial(_read, self._wanted, self._position), self._ahead)
        yield from self._pump.given()


# Not methods: a stream that held its connection could only be closed by the collector of cycles, piece by piece.
async def _continued(ahead: deque[Item], wanted: Request, position: Position) -> AsyncGenerator[Item, None]:
    while ahead:
        yield ahead.popleft()
    async with aclosing(_read(wanted, position)) as stream:
        async for item in stream:
            yield item


async def _read(wanted: Request, position: Position) -> AsyncGenerator[Item, None]:
    async with aclosing(subscribe(wanted, position)) as envelopes:
        async for envelope in envelopes:
            yield item_of(envelope)


def connect(
    url: str = DEFAULT_URL,
    *,
    since: Since | None = None,
    epoch: str | None = None,
    types: Iterable[str] | None = None,
    pairs: Iterable[str] | None = None,
    token: str | None = None,
) -> Connection:
    """Read a sidecar's events; connects when the reading begins, reconnects and resumes by itself.

    Args:
        url: ``ws://host:port`` or ``wss://…``; without a path the sidecar's is taken.
        since: Last ``seq`` seen (with its ``epoch``), or ``earliest``; ``None`` means from now on.
        epoch: Series that ``since`` belongs to, when it is a number.
        types: ``order``, ``position``, … or ``all`` for both feeds; ``None`` means the account feed.
        pairs: Filters the types that have a pair.
        token: Sent as a header, never in the address.
    Raises:
        ConfigError: If ``url`` is no WebSocket address.
    """
    return Connection(request(url, types, pairs, token), Position(since, epoch))
