"""What one client may cost, and how long it may take. All bounds of this room stand here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of the sidecar. Units: ``_bytes`` bytes, ``_s`` seconds, the rest are counts.

    ``behind_bytes`` bounds what one client makes the process hold: above it nothing is written and the client's cursor
    waits in the ring, which costs nothing. ``unsent_bytes`` is the second line, for answers and very large events.
    """

    message_bytes: int = 64 * 1024
    messages_per_s: int = 20
    clients: int = 1000
    backlog: int = 1024
    """Connections that wait to be accepted: with aiohttp's 128, a thousand that come at once wait seconds."""
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
    poll_s: float = 0.01
    auth_s: float = 10.0
    idle_s: float = 30.0
    ping_s: float = 20.0
    missed_pings: int = 3
    """Times ``ping_s`` without a pong until the client is closed: 60 s."""
    grace_s: float = 1.0
    """A peer that does not answer a close frame for so long is cut off."""
    tick_s: float = 1.0
