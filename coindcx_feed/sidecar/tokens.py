"""Which credentials open the sidecar: the shared token, or a signed token (JWT) with an end and scopes. Pure."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Self

import jwt

from coindcx_feed.errors import NotAuthorized
from coindcx_feed.exchange.wire import is_pair
from coindcx_feed.settings import Settings
from coindcx_feed.sidecar.access import printable
from coindcx_feed.sidecar.identity import Identity
from coindcx_feed.sidecar.query import ACCOUNT_TYPES, MARKET_TYPES

AUDIENCE: Final = "coindcx-feed"
MAX_CHARACTERS: Final = 4096
_KNOWN_TYPES: Final = ACCOUNT_TYPES | MARKET_TYPES
_NAME_CHARACTERS: Final = 40
_MOST_S: Final = 10**12
_OPTIONS: Final[Any] = {"require": ["exp", "aud"], "verify_sub": False, "verify_jti": False}
"""``sub`` is for the log and ``jti`` for nobody: whatever they are, they let nobody in."""


class WrongToken(NotAuthorized):
    """The credential was not made with our secret: perhaps somebody guesses."""


@dataclass(frozen=True)
class Keys:
    """The secrets, as configured; never printed."""

    token: bytes | None = field(default=None, repr=False)
    jwt_secret: bytes | None = field(default=None, repr=False)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        given = (settings.sidecar_token, settings.sidecar_jwt_secret)
        return cls(*(secret.get_secret_value().encode() if secret is not None else None for secret in given))

    @property
    def are_needed(self) -> bool:
        return self.token is not None or self.jwt_secret is not None

    def identify(self, credential: str) -> Identity:
        """Judge one credential.

        Raises:
            WrongToken: It is none of ours.
            NotAuthorized: It is ours but no longer good, or says what is not understood. Both in one line, without it.
        """
        if self.token is not None and hmac.compare_digest(_digest(self.token), _digest(_encoded(credential))):
            return Identity("token")
        if self.jwt_secret is None:
            raise WrongToken("expected the configured token, was another: correct it")
        return _read_jwt(credential, self.jwt_secret)


def bearer(authorization: str) -> str:
    """Return the credential of an ``Authorization`` header.

    Raises:
        WrongToken: If the header is of another kind.
    """
    scheme, _, credential = authorization.partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise WrongToken("expected Authorization: Bearer TOKEN, was of another form: correct it")
    return credential.strip()


def _read_jwt(text: str, secret: bytes) -> Identity:
    if len(text) > MAX_CHARACTERS:
        raise WrongToken(f"expected a token of at most {MAX_CHARACTERS} characters, was longer: claim less")
    try:
        claims = jwt.decode(text, secret, algorithms=["HS256"], audience=AUDIENCE, options=_OPTIONS)
    except jwt.ExpiredSignatureError:
        raise NotAuthorized("expected a valid token, was expired: get a new one") from None
    except jwt.InvalidAudienceError:
        raise NotAuthorized(f"expected a token for aud={AUDIENCE}, was for another: get one for this feed") from None
    except jwt.MissingRequiredClaimError as problem:
        claim = printable(problem.claim)
        raise NotAuthorized(f"expected a token with {claim}, was without: make one that says it") from None
    except (jwt.ImmatureSignatureError, jwt.InvalidIssuedAtError):
        # Found after the signature was right: a clock that is behind must not look like guessing.
        raise NotAuthorized("expected a valid token, was for later (nbf, iat): compare the clocks") from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        # Whatever else a hostile text may set off on its way through base64 and JSON.
        raise WrongToken("expected a token signed with the configured secret, was another: correct it") from None
    return _identity_of(claims)


def _identity_of(claims: dict[str, Any]) -> Identity:
    types = _scope(claims, "types", lambda name: name in _KNOWN_TYPES)
    pairs = _scope(claims, "pairs", is_pair)
    name = printable(str(claims.get("sub", "jwt"))[:_NAME_CHARACTERS])
    # Of an end beyond all time only that much is kept: a float holds no number of hundreds of digits.
    return Identity(name, types, pairs, float(min(int(claims["exp"]), _MOST_S)))


def _scope(claims: dict[str, Any], name: str, is_known: Callable[[str], bool]) -> frozenset[str] | None:
    """Read a list of names; an empty one would mean nothing here and everything in a filter, so it is refused."""
    value = claims.get(name)
    if name not in claims:
        return None
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and is_known(item) for item in value):
        raise NotAuthorized(f"expected the token's {name} to be a list of known names, was other: correct the claim")
    return frozenset(value)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _digest(secret: bytes) -> bytes:
    # Of one length, whatever was sent.
    return hashlib.sha256(secret).digest()
