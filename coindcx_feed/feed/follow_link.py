"""The link of a follower: one subscription to another process's sidecar, in the states and proofs that pages show.

What is shown is the other process's own state while the link is up and everything until now has been read, else never
better than ``reconnecting``.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, Final, NamedTuple

import aiohttp

from coindcx_feed.client.envelope import RESUME_GAP, Envelope
from coindcx_feed.client.position import Position
from coindcx_feed.client.subscribe import Request, subscribe
from coindcx_feed.errors import ClientError
from coindcx_feed.exchange.backoff import Backoff
from coindcx_feed.exchange.states import Account, Change, State
from coindcx_feed.feed.follow_start import NEWEST, Start, read_start, read_status
from coindcx_feed.feed.watch import ON_DEMAND

REFUSED_RETRY_S: Final = 60.0
"""A sidecar that refuses is asked again so often: its token may be set meanwhile."""
FIRST_DELAY_S: Final = 1.0
MOST_DELAY_S: Final = 5.0
"""A desk sees its feed again so soon after that is back; less than half of the handshakes a sidecar allows."""
SAYS: Final = " says: "
"""In reasons that are the other process's own."""
_PROOF: Final = "the state of the feed that is followed"

log = logging.getLogger(__name__)


class Told(NamedTuple):
    """The other process's state, as it said last."""

    state: State
    reason: str | None = None


class Link:
    """Reads another process's sidecar until cancelled.

    ``run`` belongs to the feed's loop; everything that is read here may be read from any thread.

    Args:
        wanted: What is read, and the limit of silence.
        take: Gets every message in order.
        on_start: Gets the account as it was at the place where the reading begins, if it does not begin at the oldest.
        on_greeting: Told of each connection: mode, epoch and newest number there.
        on_change: Told of each transition.
        owner: Who runs the other process, for the reader, or ``None``.
        most: Events read at the start at most.
    """

    private_joins = 0

    def __init__(
        self,
        wanted: Request,
        take: Callable[[Envelope], Awaitable[None]],
        on_start: Callable[[Start], None],
        on_greeting: Callable[[Mapping[str, Any]], None],
        on_change: Callable[[Change], None],
        owner: str | None = None,
        most: int = NEWEST,
    ) -> None:
        self._wanted, self._take, self._on_start, self._most = wanted, take, on_start, most
        self._on_greeting, self._on_change = on_greeting, on_change
        self.owner = owner
        self.address = str(wanted.address).partition("/api/")[0]
        self.connects = 0
        self.change = Change(State.STARTING, time.time_ns(), f"follow: {self.address}")
        self._position = Position("earliest")
        self._told: Told | None = None
        self._account: Account | None = None
        self._target = 0
        self._read_to = 0
        self._is_up = False
        self._proven_mono: float | None = None
        self._asking: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        """Whether the other process answers. Threads: any."""
        return self._is_up

    @property
    def proof_limit_s(self) -> float:
        return self._wanted.proof_s or 0.0

    @property
    def transport_age_s(self) -> float | None:
        """Seconds since the last sign of the other process while it watched the exchange."""
        return None if self._proven_mono is None else time.monotonic() - self._proven_mono

    @property
    def account(self) -> Account:
        """What the other process knows of its private channel, as far as it says."""
        if self._account is Account.NONE:
            return Account.NONE
        known = {State.LIVE: Account.PROVEN, State.QUIET: Account.JOINED}
        return known.get(self.change.state, Account.UNPROVEN)

    @property
    def account_age_s(self) -> None:
        """Not told by the other process."""
        return

    async def run(self) -> None:
        """Follow until cancelled; leaves the state at ``stopped``."""
        self._set(State.CONNECTING, f"follow: {self.address}")
        try:
            while True:
                try:
                    await self._begin()
                    async with aclosing(subscribe(self._wanted, self._position, self)) as envelopes:
                        async for envelope in envelopes:
                            await self._hear(envelope)
                except ClientError as error:
                    self._end(State.REJECTED, f"follow: {self.address} refused: {error}", REFUSED_RETRY_S)
                await asyncio.sleep(REFUSED_RETRY_S)
        finally:
            if self._asking is not None:
                self._asking.cancel()
            self._end(State.STOPPED, "stopped here")

    async def _begin(self) -> None:
        """Find the first place, as soon as the other process answers."""
        backoff = Backoff(FIRST_DELAY_S, MOST_DELAY_S)
        while self._position.since == "earliest":
            try:
                start = await read_start(self._wanted.address, self._wanted.token, self._most)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                delay = backoff.next()
                self.lost(str(error) or type(error).__name__, delay)
                await asyncio.sleep(delay)
                continue
            if start is not None:
                log.info("follow begins after=%d known=%d", start.seq, len(start.known))
                self._position = Position(start.seq, start.epoch)
                self._on_start(start)
            return

    def greeted(self, data: Mapping[str, Any]) -> None:
        """A connection began. Its exact state is asked for; until then the weakest that fits is shown."""
        self._is_up = True
        self.connects += 1
        self._target, since = int(data["seq"]), self._position.since
        # Nothing is to be read where the place is the newest one; a place beyond it is answered with a gap.
        self._read_to = (since if since <= self._target else -1) if isinstance(since, int) else 0
        is_connected = data.get("coindcx_connected") is True
        self._told = Told(State.QUIET) if is_connected else Told(State.RECONNECTING, "not connected to the exchange")
        self._on_greeting(data)
        self._asking = asyncio.get_running_loop().create_task(self._ask(self._told), name="follow-status")
        self._show()

    def heard(self) -> None:
        """Something came: the other process lives, and what it said of the exchange still holds."""
        if self._told is not None and self._told.state.is_connected:
            self._proven_mono = time.monotonic()

    def lost(self, problem: str, retry_s: float) -> None:
        """The link is down; another try follows."""
        more = "; if that process has ended for good, start this one again" if self.owner else ""
        self._end(State.RECONNECTING, f"follow: the link to {self.address} is down: {problem}{more}", retry_s)

    def miss(self, what: str) -> None:
        """Say that events are missing: a time that was not watched, also where the link never broke."""
        self._set(State.CONNECTING, f"follow: {what}")

    async def _hear(self, envelope: Envelope) -> None:
        seq = envelope.get("seq")
        if isinstance(seq, int):
            self._read_to = seq
        elif envelope.get("type") == "system" and envelope["data"].get("message") == RESUME_GAP:
            self._read_to = envelope["data"].get("missed_to") or 0
        if envelope.get("type") == "system" and (seq is None or seq > self._target):
            self._hear_state(envelope["data"])
        await self._take(envelope)
        if self.change.state is State.CONNECTING or envelope.get("type") == "system":
            self._show()

    def _hear_state(self, data: Mapping[str, Any]) -> None:
        state = _state(data.get("state"))
        if state is not None and str(data.get("message")).startswith("upstream "):
            reason = str(data["message"]).partition(": ")[2] or None
            self._told = Told(state, reason)

    def _show(self) -> None:
        """Show the other process's state, once everything that it has told so far was read."""
        told = self._told
        if not self._is_up or told is None:
            return
        if self._read_to < self._target:
            if self.change.state is not State.CONNECTING:
                self._set(State.CONNECTING, f"follow: reading what is kept at {self.address}")
            return
        if told.state.is_connected or told.reason == ON_DEMAND:
            self._set(told.state, told.reason)
        else:
            self._set(told.state, f"follow: {self.address}{SAYS}{told.reason or told.state}")

    async def _ask(self, before: Told) -> None:
        """Ask for the exact state; the answer counts unless events have told of another meanwhile."""
        try:
            status = await read_status(self._wanted.address, self._wanted.token)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            log.warning("status not read address=%s reason=%r", self.address, str(error) or type(error).__name__)
            return
        account = status.get("account")
        self._account = Account(account) if account in list(Account) else None
        state = _state(status.get("state"))
        if state is not None and self._told is before and self._is_up:
            self._told = Told(state, before.reason if state is before.state else None)
            self._show()

    def _end(self, state: State, reason: str, next_try_s: float | None = None) -> None:
        self._is_up, self._told = False, None
        self._set(state, reason, next_try_s)

    def _set(self, state: State, reason: str | None = None, next_try_s: float | None = None) -> None:
        before = self.change
        if (state, reason, next_try_s) == before[0:1] + before[2:4]:
            return
        age_s = self.transport_age_s
        now_ns = time.time_ns()
        proven_ns = None if age_s is None else now_ns - int(age_s * 1e9)
        proof = _PROOF if state.is_connected else None
        self.change = Change(state, now_ns, reason, next_try_s, proven_ns, time.monotonic_ns(), proof)
        if (state, reason) != (before.state, before.reason):
            log.info("follow state=%s reason=%r next_try_s=%s", state, reason, next_try_s and round(next_try_s, 1))
        self._on_change(self.change)


def _state(text: object) -> State | None:
    return State(text) if isinstance(text, str) and text in list(State) else None
