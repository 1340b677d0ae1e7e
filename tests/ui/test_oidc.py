"""Whether readers sign in with a provider, and whom of them the list lets in."""

from typing import Any

import pytest
from pydantic import SecretStr

from coindcx_feed.errors import ConfigError
from coindcx_feed.settings import Settings
from coindcx_feed.ui import oidc, serving

WHOLE = {
    "redirect_uri": "https://feed.example/oauth2callback", "cookie_secret": "c" * 32, "client_id": "dashboard",
    "client_secret": "canary-secret", "server_metadata_url": "https://id.example/.well-known/openid-configuration",
}  # fmt: skip
READERS = Settings(dashboard_users=("me@example.com",))


def test_T20_provider_is_a_login_on_the_network_with_tls_only() -> None:
    """As the password is."""
    assert oidc.check(WHOLE, READERS)
    serving.check_access("0.0.0.0", READERS, has_tls=True, signs_in=True)
    with pytest.raises(ConfigError, match="expected TLS"):
        serving.check_access("0.0.0.0", READERS, has_tls=False, signs_in=True)


@pytest.mark.parametrize("name", oidc.NEEDED)
def test_T20_half_a_set_up_is_refused(name: str) -> None:
    """Also on loopback: who wrote it wants a gate. What is missing is named, no value is."""
    for broken in ({key: text for key, text in WHOLE.items() if key != name}, {**WHOLE, name: ""}):
        with pytest.raises(ConfigError, match=f"missing {name}$") as raised:
            oidc.check(broken, READERS)
        assert "canary" not in str(raised.value)


@pytest.mark.parametrize(
    ("found", "settings", "said"),
    [
        (WHOLE, Settings(), "was empty: a public provider signs in anybody"),
        (None, READERS, r"expected \[auth\] .* was none"),
        ({**WHOLE, "cookie_secret": "short"}, READERS, "at least 32 characters, was 5"),
        (WHOLE, Settings(dashboard_users=("a@b",), dashboard_password=SecretStr("x" * 12)), "expected one login"),
    ],
)
def test_T20_set_up_that_lets_in_anybody_or_nobody_is_refused(found: Any, settings: Settings, said: str) -> None:
    """One line, before anything is served."""
    with pytest.raises(ConfigError, match=said):
        oidc.check(found, settings)


def test_without_a_provider_nothing_is_asked() -> None:
    """The default on loopback."""
    assert not oidc.check(None, Settings())


@pytest.mark.parametrize(
    ("claims", "email"),
    [
        ({"email": "me@example.com"}, None),
        ({"email": "me@example.com", "email_verified": True}, "me@example.com"),
        ({"email": "me@example.com", "email_verified": False}, None),
        ({"email": "me@example.com", "email_verified": "false"}, None),
        ({"email": ["me@example.com"], "email_verified": True}, None),
        ({}, None),
    ],
)
def test_T20_address_counts_only_when_the_provider_vouches_for_it(claims: dict[str, Any], email: str | None) -> None:
    """Anybody may type any address where it is not verified; silence is no word for it."""
    assert oidc.email_of(claims) == email


def test_T20_silence_of_a_trusted_provider_is_enough_and_its_doubt_is_not() -> None:
    """Some providers of organisations never send the claim; whoever trusts them says so by a setting."""
    assert oidc.email_of({"email": "me@example.com"}, is_trusted=True) == "me@example.com"
    assert oidc.email_of({"email": "me@example.com", "email_verified": False}, is_trusted=True) is None
    assert not Settings().dashboard_trust_emails


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"email": "me@example.com"}, "COINDCX_DASHBOARD_TRUST_EMAILS=1"),
        ({"email": "me@example.com", "email_verified": False}, "is not verified by the provider"),
        ({"email": "me@example.com", "email_verified": True}, "is not on the list"),
    ],
)
def test_refused_reader_is_told_why(claims: dict[str, Any], said: str) -> None:
    """Each reason has another remedy."""
    assert said in oidc.reason(claims, is_trusted=False)
