"""What one client may cost, and how long it may take. All bounds of this room stand here."""

from dataclasses import dataclass
from typing import Self

from coindcx_feed.settings import Settings
from coindcx_feed.sidecar.codes import CloseCode


@dataclass(frozen=True)
class Limits:
    """Bounds of the sidecar. Units: ``_bytes`` bytes, ``_s`` seconds, the rest are counts.

    ``behind_bytes`` bounds what one client makes the process hold: above it nothing is written and the client's cursor
    waits in the ring, which costs nothing. ``unsent_bytes`` is the second line, for answers and very large events.
    """

    message_bytes: int = 64 * 1024
    messages_per_s: int = 20
    fragments: int = 128
    """Frames of one message."""
    frames_per_s: int = 1000
    connections_per_ip: int = 50
    handshakes_per_minute: int = 60
    """Of one address, tickets included."""
    refusals_per_minute: int = 20
    """Told to an address with too many handshakes; who goes on gets no connection until its minute is over."""
    spare_connections: int = 256
    """Besides ``clients``: HTTP requests, and who has not said yet what it wants."""
    request_s: float = 10.0
    """Until a request is complete, and between two of one connection."""
    clients: int = 1000
    unproven: int = 64
    """Clients that may wait for their first message with a token at the same time."""
    unsent_bytes: int = 1024 * 1024
    behind_bytes: int = 256 * 1024
    behind_s: float = 5.0
    slice_events: int = 250
    """Events read from the ring per turn of the loop: about 0.5 ms with a filter, 0.1 ms without."""
    slice_bytes: int = 64 * 1024
    """Written to one client at a time. With ``behind_s`` it sets the slowest link that is served: 13 KB/s."""
    past_pause_s: float = 0.002
    """Between two reads of the log: clients that resume leave room for the live path."""
    past_wait_s: float = 10.0
    """A client waits so long for a log that cannot be read; then it is told what it does not get."""
    past_retry_s: float = 0.5
    poll_s: float = 0.01
    auth_s: float = 10.0
    idle_s: float = 30.0
    ping_s: float = 20.0
    missed_pings: int = 3
    """Times ``ping_s`` without a pong until the client is closed: 60 s."""
    grace_s: float = 1.0
    """A peer that does not answer a close frame for so long is cut off."""
    tick_s: float = 1.0

    @property
    def reasons(self) -> dict[CloseCode, str]:
        """What close frames say instead of the table's words, whose figures are the defaults."""
        size = f"expected at most {self.message_bytes // 1024} KiB in {self.fragments} fragments"
        return {
            CloseCode.TOO_BIG: size,
            CloseCode.TOO_FAST: f"too fast: at most {self.messages_per_s} messages a second",
        }

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls(
            message_bytes=settings.sidecar_max_message_kib * 1024,
            messages_per_s=settings.sidecar_max_messages_per_s,
            connections_per_ip=settings.sidecar_max_connections_per_ip,
            handshakes_per_minute=settings.sidecar_max_handshakes_per_minute,
            clients=settings.sidecar_max_clients,
        )
