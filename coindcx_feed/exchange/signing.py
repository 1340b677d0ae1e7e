"""HMAC signatures of the private join and of REST bodies. The only module that touches the secret's bytes."""

import hashlib
import hmac
from typing import Any

import msgspec

from coindcx_feed.exchange import wire

# The signed key is ``channel`` while the emitted key is ``channelName``; no spaces.
_JOIN_MESSAGE = b'{"channel":"coindcx"}'


def _sign(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def join_payload(key: str, secret: str) -> dict[str, str]:
    """Build the private join. The signature is a constant per secret and replayable: treat it as the secret."""
    return {"channelName": wire.PRIVATE_CHANNEL, "authSignature": _sign(secret, _JOIN_MESSAGE), "apiKey": key}


def is_join_signature(secret: str, signature: str) -> bool:
    return hmac.compare_digest(_sign(secret, _JOIN_MESSAGE), signature)


def signed_body(key: str, secret: str, body: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """Serialise a REST body once and sign exactly these bytes.

    Args:
        body: Must hold ``timestamp`` in epoch milliseconds.
    Returns:
        The bytes to send and the headers that go with them.
    """
    raw = msgspec.json.encode(body)
    headers = {
        "Content-Type": "application/json",
        "X-AUTH-APIKEY": key,
        "X-AUTH-SIGNATURE": _sign(secret, raw),
    }
    return raw, headers


def is_body_signature(secret: str, raw: bytes, signature: str) -> bool:
    return hmac.compare_digest(_sign(secret, raw), signature)
