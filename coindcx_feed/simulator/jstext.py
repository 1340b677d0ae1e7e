"""JSON text as CoinDCX's two publishers write it: Decimals exactly, ``10`` on the socket and ``10.0`` over REST."""

from decimal import Decimal
from typing import Any, Final

import msgspec

_encode = msgspec.json.Encoder(decimal_format="number").encode
_TENTH: Final = Decimal("0.1")
_ONE: Final = Decimal(1)


def plain(value: Decimal) -> Decimal:
    """Return the same number without trailing zeros and without an exponent for whole numbers: ``10.0`` is ``10``."""
    short = value.normalize()
    if short.as_tuple().exponent > 0:  # type: ignore[operator]
        return short.quantize(_ONE)
    return short if short else Decimal(0)


def _ruby(value: Decimal) -> Decimal:
    short = plain(value)
    return short.quantize(_TENTH) if short == short.to_integral_value() else short


def _walk(value: Any, is_socket: bool) -> Any:
    if isinstance(value, Decimal):
        return plain(value) if is_socket else _ruby(value)
    if isinstance(value, dict):
        return {key: _walk(item, is_socket) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_walk(item, is_socket) for item in value]
    return value


def socket_text(value: Any) -> str:
    """Write a value as the socket's JavaScript publisher does: no trailing zeros."""
    return _encode(_walk(value, True)).decode()


def rest_text(value: Any) -> str:
    """Write a value as the REST services do: whole Decimals end in ``.0``."""
    return _encode(_walk(value, False)).decode()


def amount_text(value: Decimal) -> str:
    """Write a wallet's amount: plain digits, no exponent, no trailing zeros."""
    return format(plain(value), "f")
