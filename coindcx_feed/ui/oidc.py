"""Sign-in by an OpenID provider, as Streamlit does it (``st.login``): its set-up, and the gate before every page."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Final

import streamlit as st

from coindcx_feed.errors import ConfigError
from coindcx_feed.feed.process import process_service
from coindcx_feed.settings import Settings
from coindcx_feed.ui import format as fmt

SECTION: Final = "auth"
NEEDED: Final = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
"""Of ``[auth]`` in ``.streamlit/secrets.toml``; one provider, so none of them in a section of its own."""
COOKIE_CHARACTERS: Final = 32
"""The cookie's secret stands for every reader: whoever guesses it is anybody."""


def section() -> Mapping[str, Any] | None:
    """Return ``[auth]`` of the secrets, ``None`` when there is none. Its values are secrets: show names only."""
    if not st.secrets.load_if_toml_exists():
        return None
    found: Mapping[str, Any] | None = st.secrets.get(SECTION)
    return found


def check(found: Mapping[str, Any] | None, settings: Settings) -> bool:
    """Say whether readers sign in with a provider; a set-up that lets in nobody, or anybody, is refused.

    Raises:
        ConfigError: If a value or the list of readers is missing, or a password is asked for as well.
    """
    if found is None:
        if settings.dashboard_users:
            raise ConfigError(
                "COINDCX_DASHBOARD_USERS: expected [auth] in .streamlit/secrets.toml, was none: nobody could sign in"
            )
        return False
    if find_spec("authlib") is None or find_spec("httpx") is None:
        raise ConfigError("[auth] in .streamlit/secrets.toml: expected Authlib, was none: install coindcx-feed[oidc]")
    missing = [name for name in NEEDED if not isinstance(found.get(name), str) or not found[name]]
    if missing:
        raise ConfigError(
            f"[auth] in .streamlit/secrets.toml: expected {', '.join(NEEDED)}, missing {', '.join(missing)}"
        )
    if len(found["cookie_secret"]) < COOKIE_CHARACTERS:
        raise ConfigError(
            f"[auth] in .streamlit/secrets.toml: expected a cookie_secret of at least {COOKIE_CHARACTERS} characters, "
            f"was {len(found['cookie_secret'])}: take a random one"
        )
    if not settings.dashboard_users:
        raise ConfigError(
            "COINDCX_DASHBOARD_USERS: expected the e-mail addresses that may look, was empty: a public provider signs "
            "in anybody"
        )
    if settings.dashboard_password is not None:
        raise ConfigError("expected one login, was COINDCX_DASHBOARD_PASSWORD and [auth]: leave one of them out")
    return True


def gate() -> None:
    """End the run here until a reader of the list has signed in. To be called before anything of a page is drawn.

    A part of a page runs by itself only after a whole run has drawn it, so what passes here covers those as well.
    """
    # Not whether there are secrets now: a file that was removed since the start must not open the door.
    if not process_service().signs_in():
        return
    user = st.user.to_dict()
    if not user.get("is_logged_in"):
        _ask()
    elif not process_service().may_look(email_of(user, is_trusted=process_service().trusts_emails())):
        _refuse(user)
    else:
        return
    st.stop()


def email_of(user: Mapping[str, Any], *, is_trusted: bool = False) -> str | None:
    """Return the address that the provider vouches for; any other one somebody may just have typed.

    Args:
        is_trusted: Silence of the provider is enough, as where an organisation hands out the addresses itself; what
            it calls unverified never is.
    """
    email = user.get("email")
    return email if isinstance(email, str) and user.get("email_verified", is_trusted) is True else None


def _ask() -> None:
    st.title("CoinDCX feed")
    st.text("This dashboard shows an account. Sign in with an address that may look.")
    st.button("Sign in", type="primary", icon=":material/login:", on_click=st.login, key="sign-in")


def _refuse(user: Mapping[str, Any]) -> None:
    st.title("CoinDCX feed")
    shown = fmt.visible(str(user.get("email") or "no address"), 80)
    why = reason(user, is_trusted=process_service().trusts_emails())
    st.text(f"Signed in as {shown}, which {why}. Ask whoever runs this dashboard, or sign in as somebody else.")
    st.button("Sign out", icon=":material/logout:", on_click=st.logout, key="sign-out")


def reason(user: Mapping[str, Any], *, is_trusted: bool) -> str:
    """Say why an address does not count, so that whoever runs the dashboard knows what to change."""
    if email_of(user, is_trusted=is_trusted) is not None:
        return "is not on the list"
    if "email_verified" in user:
        return "is not verified by the provider"
    return "the provider does not say to be verified (COINDCX_DASHBOARD_TRUST_EMAILS=1 takes its word for it)"


def leave() -> None:
    """Draw the button that ends the session, where readers sign in at all."""
    if process_service().signs_in():
        st.button("Sign out", icon=":material/logout:", on_click=st.logout, key="sign-out")
