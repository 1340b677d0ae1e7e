"""Delays and choices of the simulated exchange, each of them a switch for a test. Data only."""

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True)
class Behaviour:
    """How the simulated exchange behaves where the real one was measured, or where nobody knows.

    Attributes:
        connect_ack_s: Wait before the Socket.IO connect is acknowledged (measured 0.265 to 0.281).
        refuse_join_s: Wait between a private join with wrong credentials and packet ``41`` (measured about 0.1).
        malformed_close_s: Wait before a socket that sent a malformed packet is closed (measured about 0.5).
        ping_interval_s: Time between the server's pings.
        ping_timeout_s: Time a client has for its pong.
        initial_repeat: Second ``initial`` frame of an order: an identical copy, one with a later ``updated_at``, none.
        initial_repeat_ms: Delay of that second frame.
        open_ms: From creation to ``open`` (measured 295).
        market_fill_ms: From creation to ``filled`` of a market order (measured 550).
        shows_market_open: Whether a market order passes through ``open``; the recorded one did not.

    Source: dated probes of the live socket and captures of public clients.
    """

    connect_ack_s: float = 0.265
    refuse_join_s: float = 0.1
    malformed_close_s: float = 0.5
    ping_interval_s: float = 25
    ping_timeout_s: float = 20
    initial_repeat: Literal["identical", "later", "none"] = "identical"
    initial_repeat_ms: int = 30
    open_ms: int = 295
    market_fill_ms: int = 550
    shows_market_open: bool = False


def instant() -> Behaviour:
    """Return a behaviour whose connection delays are zero, for tests that are not about them."""
    return Behaviour(connect_ack_s=0, refuse_join_s=0, malformed_close_s=0)
