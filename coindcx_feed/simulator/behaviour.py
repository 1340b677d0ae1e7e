"""Delays and choices of the simulated exchange, each of them a switch for a test. Data only."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

RestFailure = Literal["500", "503", "429", "html", "timeout", "empty", "reset"]
"""How a REST call fails: an internal error, overload, rate limit, Cloudflare's page, silence, ``[]``, a cut."""


@dataclass(slots=True)
class Behaviour:
    """How the simulated exchange behaves where the real one was measured, or where nobody knows.

    One object serves a whole server; every field may be changed while it runs and holds from then on. A *share* is a
    probability from 0 to 1, drawn with ``fault_seed``: the same seed and the same calls give the same faults.

    Sockets:
        connect_ack_s: Wait before the Socket.IO connect is acknowledged (measured 0.265 to 0.281).
        refuse_join_s: Wait between a private join with wrong credentials and packet ``41`` (measured about 0.1).
        malformed_close_s: Wait before a socket that sent a malformed packet is closed (measured about 0.5).
        ping_interval_s: Time between the server's pings; announced in whole seconds. Read at the start only, like the
            next one.
        ping_timeout_s: Time a client has for its pong.
        sends_pings: Off: no ping leaves while everything else goes on; a client ends the socket itself.
        reads_pongs: Off: the server behaves as if no pong came and closes after the timeout.
        is_revoked: Credentials are refused by joins (``41``) and REST (401); open sockets are not touched by this.

    Orders:
        initial_repeat: Second ``initial`` frame of an order: an identical copy, one with a later ``updated_at``, none.
        initial_repeat_ms: Delay of that second frame.
        open_ms: From creation to ``open`` (measured 295).
        market_fill_ms: From creation to ``filled`` of a market order (measured 550).
        shows_market_open: Whether a market order passes through ``open``; the recorded one did not.
        rejects_orders: Every new order is accepted and rejected a moment later.
        rejected_remainder: Where the quantity of a rejected order is shown.
        shows_sibling: Whether the cancelled sibling of a fired stop or target gets a frame; else only REST tells.
        one_frame: Orders that change together (exit, cancel all, liquidation) share a frame, or get one each.
        split_exit_usdt: Value from which an exit is split into two orders of one group.
        position_lag_ms: Delay of the position's frame after the order's (seen: 2).
        balance_lag_ms: Delay of the wallet's frame after the order's.
        funding_interval_ms: Time between fundings; ``None`` takes each contract's own hours.

    Account frames on their way; times are the exchange's own:
        fault_seed: Seed of everything below. Read at the start only.
        repeat_share: Frames sent twice.
        repeat_ms: Delay of the repetition.
        repeat_kind: An identical repetition, or records with an ``updated_at`` that much later.
        terminal_repeats: How often the last frame of an ended order is sent again, ``repeat_ms`` apart.
        twin_share: Order frames that come a second time under the spot name ``order-update``.
        jitter_ms: Each frame is delayed by 0 to this much, so that later ones overtake it.
        late_share: Frames held back, so that they arrive stale.
        late_ms: How long they are held back.
        drop_share: Frames lost.
        drop_balance_share: Balance frames lost, besides.
        batch_ms: Records of one event within this time share one frame; 0 leaves frames as they are.

    REST:
        rest_lag_ms: Lists show the account as it was this long ago, behind the socket.
        rest_reply_ms: Wait between reading the account and sending the reply, also of a create or cancel.
        rest_failure: Every call fails like this; see :meth:`ExchangeServer.fail_rest` for some calls only.
        rest_limit: Calls per window, answered with ``ratelimit`` headers; beyond, 429. ``None``: no limit, no headers.
        rest_window_s: Length of that window.
        clock_skew_ms: The ``Date`` of replies is ahead by this much.

    For checkers:
        numbered: Each account record carries ``x_number``, counted up; repetitions keep theirs. Implies ``listed``.
        listed: Every account record that left, or should have, is kept in :attr:`ExchangeServer.emissions`.

    Source: dated probes of the live socket and captures of public clients; the rest is what nobody knows.
    """

    connect_ack_s: float = 0.265
    refuse_join_s: float = 0.1
    malformed_close_s: float = 0.5
    ping_interval_s: float = 25
    ping_timeout_s: float = 20
    sends_pings: bool = True
    reads_pongs: bool = True
    is_revoked: bool = False

    initial_repeat: Literal["identical", "later", "none"] = "identical"
    initial_repeat_ms: int = 30
    open_ms: int = 295
    market_fill_ms: int = 550
    shows_market_open: bool = False
    rejects_orders: bool = False
    rejected_remainder: Literal["cancelled", "remaining"] = "cancelled"
    shows_sibling: bool = True
    one_frame: bool = True
    split_exit_usdt: Decimal = Decimal(25_000)
    position_lag_ms: int = 2
    balance_lag_ms: int = 5
    funding_interval_ms: int | None = None

    fault_seed: int = 0
    repeat_share: float = 0
    repeat_ms: int = 40
    repeat_kind: Literal["identical", "later"] = "identical"
    terminal_repeats: int = 0
    twin_share: float = 0
    jitter_ms: int = 0
    late_share: float = 0
    late_ms: int = 3_000
    drop_share: float = 0
    drop_balance_share: float = 0
    batch_ms: int = 0

    rest_lag_ms: int = 0
    rest_reply_ms: int = 0
    rest_failure: RestFailure | None = None
    rest_limit: int | None = None
    rest_window_s: float = 60
    clock_skew_ms: int = 0

    numbered: bool = False
    listed: bool = False


def instant() -> Behaviour:
    """Return a behaviour whose connection delays are zero, for tests that are not about them."""
    return Behaviour(connect_ack_s=0, refuse_join_s=0, malformed_close_s=0)
