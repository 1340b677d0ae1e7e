"""Client of the simulator's own order routes, on this machine's loopback only. There is no address to set."""

import http.client
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

import msgspec

from coindcx_feed.errors import ConfigError

# Literal on purpose: no setting and no name resolution can lead an order anywhere else.
HOST: Final = "127.0.0.1"
TIMEOUT_S: Final = 5.0
_SERVICE: Final = "coindcx-feed simulator"
_MAX_REPLY_BYTES: Final = 1_000_000

Number = str | int | Decimal


def place_order(
    port: int,
    side: str,
    pair: str,
    qty: Number,
    price: Number | None = None,
    leverage: Number | None = None,
    margin_currency: str | None = None,
) -> dict[str, Any]:
    """Place an order on the simulated exchange.

    Args:
        port: The simulator's port.
        side: ``buy`` or ``sell``.
        pair: ``B-ETH_USDT``.
        qty: Base coins.
        price: Limit price; ``None`` for a market order.
        leverage: ``None`` takes the position's, or 5.
        margin_currency: ``USDT`` or ``INR``; ``None`` is USDT.
    Returns:
        The order's record.
    Raises:
        ConfigError: One line, if nothing listens, if it is not the simulator, or if it refuses.
    """
    fields = {
        "side": side,
        "pair": pair,
        "qty": str(qty),
        "price": None if price is None else str(price),
        "leverage": None if leverage is None else str(leverage),
        "margin_currency": margin_currency,
    }
    body = msgspec.json.encode({name: value for name, value in fields.items() if value is not None})
    return _call(port, "POST", "/simulator/orders", body)


def cancel_order(port: int, order_id: str) -> dict[str, Any]:
    """Cancel an order on the simulated exchange.

    Returns:
        Its id and the acceptance; the order ends a moment later.
    Raises:
        ConfigError: One line, as for :func:`place_order`.
    """
    return _call(port, "DELETE", f"/simulator/orders/{quote(order_id, safe='')}")


def check_marker(port: int) -> None:
    """Make sure that what listens is the simulator.

    Raises:
        ConfigError: If nothing listens, or something else does.
    """
    status, reply = _request(port, "GET", "/simulator")
    if status != 200 or reply.get("service") != _SERVICE:
        raise _not_ours(port, f"another program (HTTP {status} without the simulator's mark)")


def _call(port: int, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
    check_marker(port)
    status, reply = _request(port, method, path, body)
    if status == 200:
        return reply
    error = reply.get("error")
    raise ConfigError(error if isinstance(error, str) else f"expected HTTP 200 of the simulator, was {status}")


def _request(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection(HOST, port, timeout=TIMEOUT_S)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        response = connection.getresponse()
        status, text = response.status, response.read(_MAX_REPLY_BYTES)
    except (ConnectionRefusedError, OverflowError) as error:
        raise ConfigError(
            f"expected the simulator on {HOST}:{port}, was nothing; start `coindcx-feed simulate` or the demo"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise _not_ours(port, f"a program that does not answer ({type(error).__name__})") from error
    finally:
        connection.close()
    return status, _parse(text)


def _parse(text: bytes) -> dict[str, Any]:
    try:
        reply = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return {}
    return reply if isinstance(reply, dict) else {}


def _not_ours(port: int, what: str) -> ConfigError:
    return ConfigError(
        f"expected the simulator on {HOST}:{port}, was {what}; "
        "stop that program or set COINDCX_SIMULATOR_PORT to the simulator's port"
    )
