"""Signatures of the join and of REST bodies."""

import hashlib
import hmac

from coindcx_feed.exchange import signing


def test_join_signs_channel_but_sends_channel_name() -> None:
    """The signed text is exactly {"channel":"coindcx"}; the sent key is channelName."""
    expected = hmac.new(b"secret", b'{"channel":"coindcx"}', hashlib.sha256).hexdigest()
    assert signing.join_payload("key", "secret") == {
        "channelName": "coindcx",
        "authSignature": expected,
        "apiKey": "key",
    }


def test_join_signature_is_checked() -> None:
    """The right signature passes, any other fails."""
    good = signing.join_payload("key", "secret")["authSignature"]
    assert signing.is_join_signature("secret", good)
    assert not signing.is_join_signature("secret", good[:-1] + "0")
    assert not signing.is_join_signature("other", good)


def test_body_is_signed_as_the_bytes_that_are_sent() -> None:
    """Compact JSON, signed byte for byte."""
    raw, headers = signing.signed_body("key", "secret", {"timestamp": 1, "page": "1"})
    assert raw == b'{"timestamp":1,"page":"1"}'
    assert headers["X-AUTH-APIKEY"] == "key"
    assert headers["X-AUTH-SIGNATURE"] == hmac.new(b"secret", raw, hashlib.sha256).hexdigest()
    assert signing.is_body_signature("secret", raw, headers["X-AUTH-SIGNATURE"])
    assert not signing.is_body_signature("secret", raw + b" ", headers["X-AUTH-SIGNATURE"])
