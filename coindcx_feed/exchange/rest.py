"""Signed reads. One table lists every method and path this package may call on the exchange: all of them only read."""

import email.utils
import time
from typing import Any, Final, NamedTuple

import aiohttp
from pydantic import SecretStr

from coindcx_feed.errors import NotJson, RestError
from coindcx_feed.exchange.numbers import parse_exact
from coindcx_feed.exchange.signing import signed_body

_F: Final = "/exchange/v1/derivatives/futures"

READS: Final = {
    "wallets": ("GET", f"{_F}/wallets"),
}
"""Signed reads: name to method and path. CoinDCX signs a GET by its body."""

CONVERSIONS_PATH: Final = "/api/v1/derivatives/futures/data/conversions"
"""Public: the exchange's internal rate between margin currencies, a slow peg."""

TIMEOUT_S: Final = 10.0
MAX_REPLY_BYTES: Final = 16 << 20


class Reply(NamedTuple):
    """A successful read. ``server_ms`` is the reply's ``Date``, whole seconds; ``received_ms`` our clock then."""

    data: Any
    server_ms: float | None
    received_ms: float


class RestReader:
    """Reads of one account.

    Args:
        url: ``https://`` address of the API host.
    """

    def __init__(self, url: str, key: SecretStr, secret: SecretStr) -> None:
        self._url, self._key, self._secret = url, key, secret

    async def read(self, name: str, body: dict[str, Any] | None = None) -> Reply:
        """Call one of ``READS``.

        Raises:
            RestError: With ``status`` 401 when the credentials are refused, 0 when no usable reply came.
        """
        method, path = READS[name]
        stamped = {**(body or {}), "timestamp": time.time_ns() // 1_000_000}
        raw, headers = signed_body(self._key.get_secret_value(), self._secret.get_secret_value(), stamped)
        return await _call(name, method, self._url + path, raw, headers)


async def read_conversions(url: str) -> Reply:
    """Read the exchange's conversion rates; unsigned.

    Raises:
        RestError: As ``RestReader.read``.
    """
    return await _call("conversions", "GET", url + CONVERSIONS_PATH, None, {})


async def _call(name: str, method: str, url: str, raw: bytes | None, headers: dict[str, str]) -> Reply:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(trust_env=True, timeout=timeout) as http,
            http.request(method, url, data=raw, headers=headers, allow_redirects=False) as response,
        ):
            return _reply(name, response, await response.content.read(MAX_REPLY_BYTES))
    except TimeoutError:
        raise RestError(f"{name}: expected a reply within {TIMEOUT_S:g} s, none came") from None
    except aiohttp.ClientError as error:
        raise RestError(f"{name}: {url} cannot be reached ({type(error).__name__})") from None


def _reply(name: str, response: aiohttp.ClientResponse, text: bytes) -> Reply:
    if response.status == 401:
        raise RestError(f"{name}: the exchange refused key or signature (401)", 401)
    if response.status != 200:
        raise RestError(f"{name}: expected HTTP 200, was {response.status}", response.status)
    try:
        data = parse_exact(text)
    except (ValueError, RecursionError) as error:
        raise RestError(f"{name}: expected JSON, was {response.content_type}", response.status) from NotJson(str(error))
    date = email.utils.parsedate_to_datetime(response.headers["Date"]) if "Date" in response.headers else None
    return Reply(data, date.timestamp() * 1000 if date else None, time.time() * 1000)
