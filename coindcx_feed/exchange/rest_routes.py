"""Every method and path this package may request from the exchange. All of them only read; nothing else builds one."""

import re
from typing import Final, Literal, NamedTuple

from coindcx_feed.errors import RequestRefused
from coindcx_feed.exchange import wire

_F: Final = "/exchange/v1/derivatives/futures"
_DATA: Final = "/api/v1/derivatives/futures/data"
_MARKET: Final = "/market_data"

# What may stand for a placeholder: no slash and no dot, so that a name cannot lead to another path.
_PART = re.compile(r"[A-Za-z0-9_-]{1,40}")


class Route(NamedTuple):
    """One allowed request. CoinDCX signs a GET by its body as well."""

    method: Literal["GET", "POST"]
    path: str

    @property
    def is_on_public_host(self) -> bool:
        return self.path.startswith(_MARKET)

    @property
    def is_signed(self) -> bool:
        return not (self.is_on_public_host or "/data/" in self.path)


READS: Final[dict[str, Route]] = {
    "orders": Route("POST", f"{_F}/orders"),
    "positions": Route("POST", f"{_F}/positions"),
    "wallets": Route("GET", f"{_F}/wallets"),
    "fills": Route("POST", f"{_F}/trades"),
    "ledger": Route("POST", f"{_F}/positions/transactions"),
    "wallet_log": Route("GET", f"{_F}/wallets/transactions"),
    "cross_margin": Route("GET", f"{_F}/positions/cross_margin_details"),
    "instruments": Route("GET", f"{_F}/data/active_instruments"),
    "instrument": Route("GET", f"{_F}/data/instrument"),
    "conversions": Route("GET", f"{_DATA}/conversions"),
    "current_prices": Route("GET", f"{_MARKET}/v3/current_prices/futures/rt"),
    # Without the suffix the same path answers with the spot book.
    "book": Route("GET", f"{_MARKET}/v3/orderbook/{{pair}}-futures/{{depth}}"),
    "candles": Route("GET", f"{_MARKET}/candlesticks"),
}
"""Source: exchange docs and dated probes; where they disagree on the method, the probe is right."""


def route_of(name: str, **parts: str) -> Route:
    """Return an allowed request with its placeholders filled.

    Raises:
        RequestRefused: If the name is not in ``READS``, or a part could lead to another path.
    """
    route = READS.get(name)
    if route is None:
        raise RequestRefused(f"expected one of the reads {', '.join(READS)}, was {name!r:.60}: nothing was sent")
    for part, text in parts.items():
        if not _PART.fullmatch(text):
            raise RequestRefused(f"{name}: expected letters and digits as {part}, was {text!r:.60}: nothing was sent")
    return route._replace(path=route.path.format(**parts))


def checked_pair(name: str, pair: str) -> str:
    """Return the pair.

    Args:
        name: The read's, for the message.
    Raises:
        RequestRefused: If it is not spelled like a futures pair.
    """
    if not wire.is_pair(pair):
        raise RequestRefused(f"{name}: expected a pair like B-BTC_USDT, was {pair!r:.60}: nothing was sent")
    return pair
