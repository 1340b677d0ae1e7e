"""Signing in with an OpenID provider, in a real browser against a real provider on this machine."""

from pathlib import Path

import pytest
from browser.harness import Dashboard, eventually, running, watched
from fakes.oidc import CLIENT, CLIENT_KEY, Provider, provider
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
READER = "reader@example.com"


def _home(folder: Path, known: Provider) -> str:
    """Write the secrets into a home folder: Streamlit looks there, too, and the working one is the project's."""
    secrets = folder / "home" / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir(parents=True)
    secrets.write_text(f'''[auth]
redirect_uri = "http://localhost:{{port}}/oauth2callback"
cookie_secret = "canary-cookie-secret-0123456789abcdef"
client_id = "{CLIENT}"
client_secret = "{CLIENT_KEY}"
server_metadata_url = "{known.url}/.well-known/openid-configuration"
''')
    return str(folder / "home")


def _sign_in(page: Page, dashboard: Dashboard) -> None:
    page.goto(dashboard.url)
    page.get_by_role("button", name="Sign in").click()


def test_T20_only_readers_of_the_list_see_the_account(browser: Browser, tmp_path: Path) -> None:
    """Nobody sees more than the button before; a stranger and an unverified address are told so and no more."""
    with (
        provider() as known,
        running(tmp_path, HOME=_home(tmp_path, known), COINDCX_DASHBOARD_USERS=READER.upper()) as dashboard,
        watched(browser) as tab,
    ):
        eventually(dashboard.is_healthy, "a healthy dashboard")
        page = tab.page()
        for claims, said in (
            ({"email": "stranger@example.com", "email_verified": True}, "is not on the list"),
            ({"email": READER, "email_verified": False}, "is not verified"),
            ({"email": READER}, "COINDCX_DASHBOARD_TRUST_EMAILS=1"),
        ):
            known.claims = claims
            _sign_in(page, dashboard)
            page.get_by_text(said).wait_for()
            page.goto(f"{dashboard.url}/orders")
            page.get_by_text(said).wait_for()
            assert page.locator("[data-testid=stTopNavLink], [data-testid=stDataFrame], .status").count() == 0
            page.get_by_role("button", name="Sign out").click()
            page.get_by_role("button", name="Sign in").wait_for()
        known.claims = {"email": READER, "email_verified": True}
        _sign_in(page, dashboard)
        eventually(lambda: "Live · Events" in page.title(), "the events page")
        assert known.asked.count("/token") == 4
        page.goto(f"{dashboard.url}/?look=tape")
        page.locator(".tape-head").get_by_text("Live").wait_for()
        log = dashboard.log()
        assert CLIENT_KEY not in log
        assert "canary-cookie-secret" not in log


def test_T20_list_without_a_provider_ends_the_start(tmp_path: Path) -> None:
    """One line says what is missing."""
    with running(tmp_path, HOME=str(tmp_path), COINDCX_DASHBOARD_USERS=READER) as started:
        assert started.process.wait(20) != 0
    output = (tmp_path / "output.txt").read_text()
    assert "expected [auth] in .streamlit/secrets.toml, was none" in output
    assert "Traceback" not in output
