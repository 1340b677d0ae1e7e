"""Credentials: the shared token, and tables of signed tokens that pass and that do not."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from coindcx_feed.errors import NotAuthorized
from coindcx_feed.settings import Settings
from coindcx_feed.sidecar.identity import Identity
from coindcx_feed.sidecar.tokens import AUDIENCE, Keys, WrongToken, bearer

TOKEN = "canary-9f3c1b7a5e2d4860"
SECRET = "canary-secret-that-is-long-enough-for-any-algorithm-of-its-kind-01"


def keys(**given: str) -> Keys:
    return Keys.from_settings(Settings(**{name: SecretStr(value) for name, value in given.items()}))  # type: ignore[arg-type]


JWT_KEYS = keys(sidecar_jwt_secret=SECRET)


def signed(secret: str = SECRET, algorithm: str = "HS256", /, **claims: Any) -> str:
    """Make a token that is good for a minute, but for the claims given; ``None`` leaves one out."""
    all_claims = {"aud": AUDIENCE, "exp": int(time.time()) + 60, **claims}
    left = {name: value for name, value in all_claims.items() if value is not None}
    return jwt.encode(left, secret, algorithm=algorithm)


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def test_T02_without_a_secret_nothing_is_needed() -> None:
    """On loopback a script needs no credential unless one is configured."""
    assert not Keys().are_needed
    assert keys(sidecar_token=TOKEN).are_needed
    assert JWT_KEYS.are_needed


def test_T02_the_configured_token_passes_whole_only() -> None:
    """With all rights and no end; a letter more or less is another token."""
    both = keys(sidecar_token=TOKEN, sidecar_jwt_secret=SECRET)
    assert both.identify(TOKEN) == Identity("token")
    for wrong in (f"{TOKEN}x", TOKEN[:-1], TOKEN.upper(), "", "\udcff", SECRET):
        for secrets in (both, keys(sidecar_token=TOKEN)):
            with pytest.raises(WrongToken):
                secrets.identify(wrong)


@pytest.mark.parametrize("header", ["Bearer x", "bearer x", "BEARER   x "])
def test_the_header_is_read_in_any_case(header: str) -> None:
    """Schemes have no case."""
    assert bearer(header) == "x"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic x", "x", TOKEN])
def test_T04_another_header_is_no_credential(header: str) -> None:
    """And its line does not repeat it."""
    with pytest.raises(WrongToken) as caught:
        bearer(header)
    assert TOKEN not in str(caught.value)


def test_a_signed_token_brings_its_end_and_its_scopes() -> None:
    """Without scopes it may see all."""
    end = int(time.time()) + 60
    assert JWT_KEYS.identify(signed(exp=end)) == Identity("jwt", None, None, float(end))
    scoped = signed(exp=end, sub="desk\n7", types=["order", "price"], pairs=["B-BTC_USDT"], aud=["x", AUDIENCE])
    expected = Identity("desk\\n7", frozenset({"order", "price"}), frozenset({"B-BTC_USDT"}), float(end))
    assert JWT_KEYS.identify(scoped) == expected
    assert JWT_KEYS.identify(signed(sub=7, jti=8)).name == "7"


def test_T10_an_end_beyond_all_time_is_far_away_and_no_error() -> None:
    """A number of 400 digits fits into no float."""
    identity = JWT_KEYS.identify(signed(exp=10**400))
    assert identity.expires_s is not None
    assert not identity.is_over(time.time() + 1e10)


NOW = int(time.time())
GOOD = {"aud": AUDIENCE, "exp": NOW + 3600}


@pytest.mark.parametrize(
    ("make", "kind", "line"),
    [
        (lambda: unsigned({"alg": "none"}, GOOD), WrongToken, "signed with the configured secret"),
        (lambda: unsigned({"alg": "None"}, GOOD), WrongToken, "signed with the configured secret"),
        (lambda: unsigned({"alg": "none"}, GOOD, b"x"), WrongToken, "signed with the configured secret"),
        (lambda: signed(SECRET, "HS512"), WrongToken, "signed with the configured secret"),
        (lambda: signed("another-secret-of-32-bytes-and-more"), WrongToken, "signed with the configured secret"),
        (lambda: signed()[:-2], WrongToken, "signed with the configured secret"),
        (lambda: signed().rpartition(".")[0] + ".", WrongToken, "signed with the configured secret"),
        (lambda: signed(nbf=NOW + 1000), NotAuthorized, "was for later"),
        (lambda: signed(iat=NOW + 1000), NotAuthorized, "was for later"),
        (lambda: signed(iat="soon"), NotAuthorized, "was for later"),
        (lambda: signed(exp="soon"), WrongToken, "signed with the configured secret"),
        (lambda: "[" * 3000, WrongToken, "signed with the configured secret"),
        (lambda: base64.urlsafe_b64encode(b"[" * 3000).decode()[:4000] + ".e.e", WrongToken, "signed with"),
        (lambda: "x" * 4097, WrongToken, "at most 4096 characters"),
        (lambda: signed(exp=NOW - 1), NotAuthorized, "was expired"),
        (lambda: signed(exp=None), NotAuthorized, "expected a token with exp"),
        (lambda: signed(aud=None), NotAuthorized, "expected a token with aud"),
        (lambda: signed(aud="another-feed"), NotAuthorized, "aud=coindcx-feed"),
        (lambda: signed(aud=[f"{AUDIENCE}2"]), NotAuthorized, "aud=coindcx-feed"),
        (lambda: signed(types=[]), NotAuthorized, "types to be a list"),
        (lambda: signed(types="order"), NotAuthorized, "types to be a list"),
        (lambda: signed(types=["orders"]), NotAuthorized, "types to be a list"),
        (lambda: signed(types=[1]), NotAuthorized, "types to be a list"),
        (lambda: signed(pairs=["BTCUSDT"]), NotAuthorized, "pairs to be a list"),
        (lambda: signed(pairs={}), NotAuthorized, "pairs to be a list"),
    ],
)
def test_T04_any_other_signed_token_is_refused(make: Callable[[], str], kind: type, line: str) -> None:
    """One line that says why and holds nothing of the token; what was not made with our secret may be a guess."""
    token = make()
    with pytest.raises(NotAuthorized) as caught:
        JWT_KEYS.identify(token)
    assert type(caught.value) is kind
    assert line in str(caught.value)
    assert token not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_T04_a_token_signed_with_the_shared_token_is_refused() -> None:
    """Each secret opens in its own way only."""
    with pytest.raises(WrongToken):
        keys(sidecar_token=TOKEN * 2, sidecar_jwt_secret=SECRET).identify(signed(TOKEN * 2))


@given(st.one_of(st.text(), st.text(alphabet="eyJhbGciOi.-_=", min_size=1)))
def test_T04_any_text_is_refused_with_one_line(text: str) -> None:
    """Nothing else comes out of it than our own refusal."""
    with pytest.raises(NotAuthorized) as caught:
        JWT_KEYS.identify(text)
    assert "\n" not in str(caught.value)


def test_T16_secrets_are_not_in_repr() -> None:
    """Objects end up in logs and tracebacks."""
    shown = repr(keys(sidecar_token=TOKEN, sidecar_jwt_secret=SECRET))
    assert "canary" not in shown
