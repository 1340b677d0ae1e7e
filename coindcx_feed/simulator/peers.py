"""One socket of the simulated exchange, and what is noted of sockets: joins and cuts."""

import asyncio
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from coindcx_feed.simulator.topics import Topic

# A close frame without a status code, which the peer reads as 1005; aiohttp would always write a status.
_CLOSE_WITHOUT_STATUS: Final = b"\x88\x00"

FLUSH_S: Final = 2.0
"""What a peer has not taken so long after the close frame is given up."""


class Join(NamedTuple):
    """One ``join`` that named a channel; ``ok`` is false when it was refused or ignored."""

    mono: float
    channel: str
    ok: bool


class Cut(NamedTuple):
    """Sockets ended on purpose: when, how, and how many. Frames of the moment before may not have been read."""

    mono_s: float
    kind: Literal["kick", "engine", "abort"]
    sockets: int


@dataclass(eq=False, slots=True)
class Peer:
    """One connected socket."""

    sid: str
    eio_sid: str
    transport: asyncio.Transport
    topics: dict[str, Topic] = field(default_factory=dict)

    def close(self) -> None:
        """End the connection with a close frame; a peer that does not read it is cut off ``FLUSH_S`` later."""
        if not self.transport.is_closing():
            self.transport.write(_CLOSE_WITHOUT_STATUS)
            self.transport.close()
            if self.transport.get_write_buffer_size():
                asyncio.get_running_loop().call_later(FLUSH_S, self._give_up)

    def _give_up(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()

    async def close_after(self, delay_s: float) -> None:
        """End the connection a moment from now."""
        await asyncio.sleep(delay_s)
        self.close()
