"""Owns the connection's life: connect, join, demand proof of life, back off, and tell what is known.

python-socketio stays disconnected for good after the server ends a session, and a refused join looks the same.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable
from typing import Final

from pydantic import SecretStr

from coindcx_feed.errors import RestError, UpstreamError
from coindcx_feed.exchange import wire
from coindcx_feed.exchange.backoff import Backoff
from coindcx_feed.exchange.rest import RestReader
from coindcx_feed.exchange.session import Receive, Session
from coindcx_feed.exchange.signing import join_payload
from coindcx_feed.exchange.states import DEFAULT_TIMINGS, Account, Change, State, Timings

log = logging.getLogger(__name__)

REFUSALS_TO_ASK: Final = 2
"""So many closes right after the private join in a row lead to one signed read."""

WITHOUT_PRICES: Final = 3
"""So many times longer a join must stand when nothing that was joined after it has spoken yet."""
BY_FRAME: Final = "a private frame"
BY_READ: Final = "signed reads that match"
BY_MARKET: Final = "market frames only"

_PRICE_EVENTS = frozenset({wire.PRICES_UPDATE_EVENT, wire.PRICES_SNAPSHOT_EVENT})


class Supervisor:
    """Keep one session alive. All methods run on one loop.

    Args:
        stream_url: Address of the Socket.IO server.
        reader: Signed reads; ``None`` without credentials.
        credentials: Key and secret of the private join, or ``None``.
        channels: Public channels to join first, besides the current prices; ``set_channels`` changes them.
        receive: Gets every event of every session, in order.
        on_change: Told of each transition.
    """

    def __init__(
        self,
        stream_url: str,
        credentials: tuple[SecretStr, SecretStr] | None,
        reader: RestReader | None,
        channels: Iterable[str],
        receive: Receive,
        on_change: Callable[[Change], None],
        timings: Timings = DEFAULT_TIMINGS,
    ) -> None:
        self._url = stream_url
        self._credentials, self._reader = credentials, reader
        self._channels = (wire.CURRENT_PRICES_CHANNEL, *channels)
        self._receive, self._on_change = receive, on_change
        self._timings = timings
        self._backoff = Backoff(timings.retry_first_s, timings.retry_most_s)
        self._refusals = 0
        self._session: Session | None = None
        self._prices_seen = False
        self._asleep_s = 0.0
        self._joined_mono: float | None = None
        self._private_mono: float | None = None
        self._private_proof = BY_FRAME
        self.change = Change(State.STARTING, time.time_ns())
        self._proven_ns: int | None = None
        self.stop_reason = "stopped here"
        self.connects = 0
        self.private_joins = 0

    @property
    def account(self) -> Account:
        """What is known of the private channel now. Threads: any."""
        if self._credentials is None:
            return Account.NONE
        joined, private, now = self._joined_mono, self._private_mono, time.monotonic()
        wait_s = self._timings.joined_after_s * (1 if self._prices_seen else WITHOUT_PRICES)
        if joined is None or now - joined < wait_s:
            return Account.UNPROVEN
        is_proven = private is not None and now - private <= self._timings.account_proof_s
        return Account.PROVEN if is_proven else Account.JOINED

    @property
    def account_age_s(self) -> float | None:
        """Seconds since the last private frame, or since the join when none came."""
        last = self._private_mono or self._joined_mono
        return None if last is None else time.monotonic() - last

    def prove_account(self) -> None:
        """Note that signed reads after the join agree with what is known: as good as a private frame."""
        if self._joined_mono is not None:
            self._private_mono, self._private_proof = time.monotonic(), BY_READ

    @property
    def transport_age_s(self) -> float | None:
        """Seconds since the last frame of the present session."""
        session = self._session
        return None if session is None else time.monotonic() - session.last_frame_mono

    @property
    def proof_limit_s(self) -> float:
        return self._timings.proof_s if self._prices_seen else self._timings.proof_without_prices_s

    async def set_channels(self, channels: Iterable[str]) -> None:
        """Join and leave public channels now; every later session joins what was set last. One caller at a time.

        The current prices and the private channel always stay.
        """
        before, self._channels = self._channels, (wire.CURRENT_PRICES_CHANNEL, *dict.fromkeys(channels))
        session = self._session
        if session is None:
            return
        for channel in before:
            if channel not in self._channels:
                await session.leave(channel)
        with contextlib.suppress(UpstreamError):  # it has ended: the next session joins them
            for channel in self._channels:
                if channel not in before:
                    await session.join({"channelName": channel})

    async def run(self) -> None:
        """Connect and stay connected until cancelled; leaves the state at ``stopped`` with ``stop_reason``."""
        self.stop_reason = "stopped here"
        try:
            while True:
                await self._wait_before_retry(await self._one_session())
        finally:
            self._set(State.STOPPED, self.stop_reason)

    async def _one_session(self) -> str:
        # Returns why it ended.
        self._set(State.RECONNECTING if self.connects else State.CONNECTING, self.change.reason)
        self.connects += 1
        self._prices_seen, self._joined_mono, self._private_mono = False, None, None
        self._asleep_s = 0.0
        session = Session(self._url, self._on_event)
        try:
            await session.open(self._timings.connect_s)
            self._session = session
            await self._join(session)
            return await self._watch(session)
        except UpstreamError as error:
            return str(error)
        except Exception as error:
            log.exception("supervisor failure")
            return f"internal error {type(error).__name__}"
        finally:
            self._proven_ns = self._last_proof_ns()
            self._session = None
            await session.close()

    async def _join(self, session: Session) -> None:
        # The private channel first: a line keeps the order, so a price that comes proves that its join arrived, too.
        if self._credentials is not None:
            key, secret = self._credentials
            await session.join(join_payload(key.get_secret_value(), secret.get_secret_value()))
            self._joined_mono = time.monotonic()
            self.private_joins += 1
        for channel in self._channels:
            if channel in self._channels:  # it may have been left while this waited
                await session.join({"channelName": channel})
        log.info("joined channels=%d private=%s", len(self._channels), self._credentials is not None)

    async def _watch(self, session: Session) -> str:
        started = ticked = time.monotonic()
        while (cause := await session.wait_closed(self._timings.tick_s)) is None:
            now = time.monotonic()
            asleep_s, ticked = now - ticked, now
            if asleep_s > self.proof_limit_s:
                # Frames that waited in the socket's buffer meanwhile would make the silence look short.
                self._asleep_s = asleep_s
                reason = f"this process stood still for {asleep_s:.1f} s, the limit is {self.proof_limit_s:g} s"
                self._set(State.STALE, reason)
                return reason
            if now - session.last_frame_mono > self.proof_limit_s:
                reason = (
                    f"nothing arrived for {now - session.last_frame_mono:.1f} s, the limit is {self.proof_limit_s:g} s"
                )
                self._set(State.STALE, reason)
                return reason
            self._show_proof()
            if now - started > self._timings.stable_s:
                self._backoff.reset()
        if self._was_refused():
            self._refusals += 1
            return f"{cause} right after the private join"
        return cause

    def _show_proof(self) -> None:
        account = self.account
        if account is Account.UNPROVEN:
            return
        self._refusals = 0
        if account is Account.NONE:
            self._set(State.QUIET, "no credentials: public market data only")
        else:
            self._set(State.LIVE if account is Account.PROVEN else State.QUIET)

    def _was_refused(self) -> bool:
        joined = self._joined_mono
        return joined is not None and time.monotonic() - joined < self._timings.joined_after_s

    async def _wait_before_retry(self, reason: str) -> None:
        delay = self._backoff.next()
        state = State.STALE if self.change.state is State.STALE else State.RECONNECTING
        if self._refusals >= REFUSALS_TO_ASK and self._reader is not None:
            is_rejected, reason = await _ask_why(self._reader, reason)
            if is_rejected:
                # One join each five minutes: far below five in ten, and the account may be repaired meanwhile.
                state, delay = State.REJECTED, self._timings.rejected_retry_s
        self._set(state, reason, delay)
        await asyncio.sleep(delay)

    def _on_event(self, event: str, argument: object) -> None:
        self._receive(event, argument)
        if event in wire.ACCOUNT_EVENTS:
            self._private_mono, self._private_proof = time.monotonic(), BY_FRAME
        elif event in _PRICE_EVENTS:
            self._prices_seen = True

    def _last_proof_ns(self) -> int | None:
        age_s = self.transport_age_s
        return self._proven_ns if age_s is None else time.time_ns() - int(max(age_s, self._asleep_s) * 1e9)

    def _set(self, state: State, reason: str | None = None, next_try_s: float | None = None) -> None:
        present = self.change
        if state is present.state and (state.is_connected or (reason, next_try_s) == present[2:4]):
            return
        proven_ns, mono_ns = self._last_proof_ns(), time.monotonic_ns()
        self.change = Change(state, time.time_ns(), reason, next_try_s, proven_ns, mono_ns, self._proof_of(state))
        log.info("upstream state=%s reason=%r next_try_s=%s", state, reason, next_try_s and round(next_try_s, 1))
        self._on_change(self.change)

    def _proof_of(self, state: State) -> str | None:
        if state is State.LIVE:
            return self._private_proof
        return BY_MARKET if state is State.QUIET else None


async def _ask_why(reader: RestReader, cause: str) -> tuple[bool, str]:
    # A refused join and an ordinary close look alike; only a signed read tells them apart.
    try:
        await reader.read("wallets", attempts=1)
    except RestError as error:
        if error.status == 401:
            return True, (
                f"{cause}, twice, and a signed read was refused (401): key or signature is wrong. "
                "Check COINDCX_API_KEY and COINDCX_API_SECRET"
            )
        return False, f"{cause}, twice; a signed read did not answer either ({error})"
    return False, f"{cause}, twice, although a signed read succeeds: the exchange closes right after the join"
