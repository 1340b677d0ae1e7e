"""Names on CoinDCX's futures wire: hosts, channels, events. Pure data and text builders, no I/O.

Source: the exchange's API documentation and dated probes of the live socket.
"""

import re
from typing import Final, Literal

STREAM_URL: Final = "wss://stream.coindcx.com"
API_URL: Final = "https://api.coindcx.com"
PUBLIC_URL: Final = "https://public.coindcx.com"
SOCKETIO_PATH: Final = "socket.io"

PRIVATE_CHANNEL: Final = "coindcx"
CURRENT_PRICES_CHANNEL: Final = "currentPrices@futures@rt"

ORDER_EVENT: Final = "df-order-update"
POSITION_EVENT: Final = "df-position-update"
BALANCE_EVENT: Final = "balance-update"
TRADE_EVENT: Final = "new-trade"
PRICE_EVENT: Final = "price-change"
CANDLE_EVENT: Final = "candlestick"
DEPTH_SNAPSHOT_EVENT: Final = "depth-snapshot"
DEPTH_UPDATE_EVENT: Final = "depth-update"
PRICES_UPDATE_EVENT: Final = "currentPrices@futures#update"
PRICES_SNAPSHOT_EVENT: Final = "currentPrices@futures#snapshot"
LEFT_EVENT: Final = "Left Channel"

ACCOUNT_EVENTS: Final = frozenset({ORDER_EVENT, POSITION_EVENT, BALANCE_EVENT})

DEPTHS: Final = (10, 20, 50)
RESOLUTIONS: Final = ("1m", "5m", "15m", "30m", "1h", "4h", "8h", "1d", "3d", "1w", "1M")

PAIR = re.compile(r"B-[A-Z0-9]+_[A-Z0-9]+")


def is_pair(text: str) -> bool:
    """Tell whether a text is spelled like a futures pair, ``B-BTC_USDT``."""
    return PAIR.fullmatch(text) is not None


def trades_channel(pair: str) -> str:
    return f"{pair}@trades-futures"


def price_channel(pair: str) -> str:
    return f"{pair}@prices-futures"


def book_channel(pair: str, depth: Literal[10, 20, 50]) -> str:
    return f"{pair}@orderbook@{depth}-futures"


def candle_channel(pair: str, resolution: str) -> str:
    return f"{pair}_{resolution}-futures"


def relay_symbol(pair: str) -> str:
    """Return the spelling book frames use: ``B-ETH_USDT`` is ``ETHUSDT`` there."""
    return pair.removeprefix("B-").replace("_", "")
