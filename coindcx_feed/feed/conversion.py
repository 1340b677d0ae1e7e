"""The exchange's rate of rupees per USDT, read every ten minutes, with its time. Used for reading only."""

import asyncio
import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, NamedTuple

from coindcx_feed.errors import RestError
from coindcx_feed.exchange.rest import read_conversions

log = logging.getLogger(__name__)

EVERY_S: Final = 600.0
RETRY_S: Final = 30.0


class Rate(NamedTuple):
    """Rupees per USDT and when the exchange last set it, epoch ms."""

    rate: Decimal
    at_ms: int


def rate_in(data: Any) -> Rate | None:
    """Find the USDT rate in a conversions reply, or ``None``."""
    for item in data if isinstance(data, list) else []:
        if isinstance(item, dict) and item.get("symbol") == "USDTINR":
            price, at_ms = item.get("conversion_price"), item.get("last_updated_at")
            if isinstance(price, Decimal | int) and price > 0 and isinstance(at_ms, int):
                return Rate(Decimal(price), at_ms)
    return None


async def keep_reading(url: str, take: Callable[[Rate], None]) -> None:
    """Read until cancelled; a failed read keeps the rate that is known."""
    while True:
        try:
            rate = rate_in((await read_conversions(url)).data)
        except RestError as error:
            rate = None
            log.warning("conversion rate not read reason=%r", str(error))
        if rate is not None:
            take(rate)
        await asyncio.sleep(RETRY_S if rate is None else EVERY_S)
