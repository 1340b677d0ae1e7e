"""The states a user sees and the two facts behind them. Pure data."""

from enum import StrEnum
from typing import Final, NamedTuple, Protocol


class State(StrEnum):
    """``live`` and ``quiet`` are the only ones in which the account is being watched."""

    STARTING = "starting"
    CONNECTING = "connecting"
    LIVE = "live"
    QUIET = "quiet"
    STALE = "stale"
    RECONNECTING = "reconnecting"
    REJECTED = "rejected"
    STOPPED = "stopped"

    @property
    def is_connected(self) -> bool:
        return self in (State.LIVE, State.QUIET)

    @property
    def label(self) -> str:
        """One of three words for a glance; the exact state stands beside it."""
        if self.is_connected:
            return "Live"
        return "Disconnected" if self in (State.REJECTED, State.STOPPED) else "Reconnecting"


class Account(StrEnum):
    """What is known of the private channel: ``none`` means that no credentials were given."""

    NONE = "none"
    UNPROVEN = "unproven"
    JOINED = "joined"
    PROVEN = "proven"


class Change(NamedTuple):
    """One transition.

    ``at_ns`` is the wall clock; ``next_try_s`` counts from it, if another try is planned; ``proven_ns`` is when the
    last frame of the last session arrived. ``mono_ns`` is the monotonic clock at ``at_ns``: durations are told by it.
    ``proof`` says what the state rests on, where the account is watched.
    """

    state: State
    at_ns: int
    reason: str | None = None
    next_try_s: float | None = None
    proven_ns: int | None = None
    mono_ns: int | None = None
    proof: str | None = None


class Connection(Protocol):
    """What is known of a connection now. Ages are seconds, ``None`` before the first proof. Threads: any."""

    connects: int
    private_joins: int

    @property
    def change(self) -> Change: ...
    @property
    def account(self) -> Account: ...
    @property
    def account_age_s(self) -> float | None: ...
    @property
    def transport_age_s(self) -> float | None: ...
    @property
    def proof_limit_s(self) -> float: ...


class Timings(NamedTuple):
    """Limits of the supervisor, seconds. Tests shorten them."""

    connect_s: float = 15.0
    joined_after_s: float = 2.0
    proof_s: float = 10.0
    proof_without_prices_s: float = 35.0
    account_proof_s: float = 300.0
    stable_s: float = 60.0
    retry_first_s: float = 1.0
    retry_most_s: float = 30.0
    rejected_retry_s: float = 300.0
    tick_s: float = 0.25


DEFAULT_TIMINGS: Final = Timings()
"""Proof limits follow the wire: current prices arrive 2-3 times a second, the server's ping every 25 s."""
