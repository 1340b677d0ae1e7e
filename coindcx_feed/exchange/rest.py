"""Reads of the exchange over HTTPS: signed, rationed, retried. Their content: ``rest_account`` and ``rest_market``."""

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

from pydantic import SecretStr

from coindcx_feed.errors import BadReply, CredentialsRefused, NoReply, RateLimited, RestError, ServerTrouble
from coindcx_feed.exchange import wire
from coindcx_feed.exchange.backoff import Backoff
from coindcx_feed.exchange.numbers import parse_exact
from coindcx_feed.exchange.rest_budget import Budget, limits_in
from coindcx_feed.exchange.rest_clock import SYSTEM_CLOCK, Clock
from coindcx_feed.exchange.rest_http import Answer, Http, Request, check_answer
from coindcx_feed.exchange.rest_routes import READS, Route, route_of
from coindcx_feed.exchange.rest_skew import ClockSkew
from coindcx_feed.exchange.signing import signed_body

__all__ = ["CONVERSIONS_PATH", "READS", "Reply", "RestReader", "Retry", "read_conversions"]

log = logging.getLogger(__name__)

CONVERSIONS_PATH: Final = READS["conversions"].path
TIMEOUT_S: Final = 10.0

_NOTHING: Final[Mapping[str, str]] = {}


class Retry(NamedTuple):
    """How often a read is sent at most, and the waits between, seconds."""

    attempts: int = 4
    first_s: float = 0.5
    most_s: float = 8.0


DEFAULT_RETRY: Final = Retry()
NO_RETRY: Final = Retry(attempts=1)


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful read.

    Attributes:
        text: JSON as sent.
        asked_ms: Our wall clock when it was sent: what the reply shows is not older. Unix ms.
        received_ms: Our wall clock when it was complete. Unix ms.
        server_ms: The reply's date, whole seconds, if it has one. Unix ms.
    """

    text: bytes
    asked_ms: float
    received_ms: float
    server_ms: float | None

    @property
    def data(self) -> Any:
        """The reply with every fraction as ``Decimal``; parsed at each call.

        Raises:
            BadReply: If a number is too large to be represented.
        """
        try:
            return parse_exact(self.text)
        except (ValueError, RecursionError) as error:
            raise BadReply(f"expected JSON: {error}", raw=self.text) from None


class RestReader:
    """Reads of one account and of public data, sharing one budget.

    Opened (``async with``), it keeps its connections; otherwise each read connects anew.

    Args:
        url: ``https://`` address of the API host.
        key: With ``secret``; without both, only unsigned reads are possible.
        secret: See ``key``.
        public_url: Address of the host for prices, books and candles.
        budget: How often to ask; share it among readers of one account.
        retry: What to do about answers that may pass.
        clock: Time and waiting.
        timeout_s: For one request.
        uniform: Source of randomness in [0, 1) for the waits.

    Threads: one loop.
    """

    def __init__(
        self,
        url: str,
        key: SecretStr | None = None,
        secret: SecretStr | None = None,
        public_url: str = wire.PUBLIC_URL,
        *,
        budget: Budget | None = None,
        retry: Retry = DEFAULT_RETRY,
        clock: Clock = SYSTEM_CLOCK,
        timeout_s: float = TIMEOUT_S,
        uniform: Callable[[], float] = random.random,
    ) -> None:
        self._url, self._public_url = url, public_url
        self._key, self._secret = key, secret
        self._retry, self._clock, self._uniform = retry, clock, uniform
        self._http = Http(timeout_s, clock)
        self.budget = budget or Budget(clock=clock)
        self.skew = ClockSkew()

    async def __aenter__(self) -> Self:
        self.open()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    def open(self) -> None:
        """Keep connections from now on. Call it on the loop; safe to call twice."""
        self._http.open()

    async def close(self) -> None:
        """Close them. Safe to call twice, and before ``open``."""
        await self._http.close()

    @property
    def now_ms(self) -> int:
        """The reader's wall clock, Unix ms."""
        return self._clock.time_ns() // 1_000_000

    async def read(
        self,
        name: str,
        body: Mapping[str, Any] = _NOTHING,
        query: Mapping[str, str] = _NOTHING,
        *,
        attempts: int | None = None,
        **parts: str,
    ) -> Reply:
        """Call one of ``READS``; errors that may pass are retried within ``retry``.

        Args:
            name: Key of the table.
            body: What is signed besides the time; for signed reads only.
            query: Of the address.
            attempts: Instead of the reader's own.
            parts: Placeholders of the path.
        Raises:
            CredentialsRefused: Never retried.
            RequestRefused: Never retried; nothing was sent if ``status`` is 0.
            RateLimited: The exchange wants to be left alone for longer than is worth waiting.
            ServerTrouble: At each attempt.
            NoReply: At each attempt.
            BadReply: If the reply is larger than any of the documented ones.
        """
        route = route_of(name, **parts)
        waits = Backoff(self._retry.first_s, self._retry.most_s, self._uniform)
        left = attempts or self._retry.attempts
        while True:
            await self.budget.take()
            left -= 1
            try:
                return await self._once(name, route, body, query)
            except (ServerTrouble, NoReply, RateLimited) as error:
                if not left:
                    raise
                await self._wait(error, waits)

    async def _once(self, name: str, route: Route, body: Mapping[str, Any], query: Mapping[str, str]) -> Reply:
        answer = await self._http.send(self._request(name, route, body, query))
        limits = limits_in(answer.headers, answer.received_ms / 1000)
        self.budget.heed(answer.status, limits)
        # The public host is a cache in front of another service: its clock decides nothing.
        if answer.server_ms is not None and not route.is_on_public_host:
            self.skew.add(answer.asked_ms, answer.received_ms, answer.server_ms)
        check_answer(name, answer, limits.retry_after_s)
        return _reply(answer)

    def _request(self, name: str, route: Route, body: Mapping[str, Any], query: Mapping[str, str]) -> Request:
        url = (self._public_url if route.is_on_public_host else self._url) + route.path
        if not route.is_signed:
            return Request(name, route.method, url, query, None, _NOTHING)
        if self._key is None or self._secret is None:
            raise CredentialsRefused(
                f"{name}: expected key and secret, were none: set COINDCX_API_KEY and COINDCX_API_SECRET"
            )
        # Signed for each attempt: what waited for the budget would be too old.
        stamped = {**body, "timestamp": self.now_ms}
        raw, headers = signed_body(self._key.get_secret_value(), self._secret.get_secret_value(), stamped)
        return Request(name, route.method, url, query, raw, headers)

    async def _wait(self, error: RestError, waits: Backoff) -> None:
        # After a 429 the budget itself pauses, for all readers.
        delay_s = 0.0 if isinstance(error, RateLimited) else waits.next()
        log.warning("read repeated delay_s=%.1f pause_s=%.0f reason=%r", delay_s, self.budget.pause_s, str(error))
        await self._clock.sleep(delay_s)


def _reply(answer: Answer) -> Reply:
    return Reply(answer.text, answer.asked_ms, answer.received_ms, answer.server_ms)


async def read_conversions(url: str) -> Reply:
    """Read the exchange's conversion rates once, unsigned: the internal peg between margin currencies.

    Raises:
        RestError: As ``RestReader.read``.
    """
    return await RestReader(url).read("conversions", attempts=1)
