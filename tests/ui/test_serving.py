"""What the server does around the pages."""

from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.types import Message

from coindcx_feed.errors import ConfigError
from coindcx_feed.settings import Settings
from coindcx_feed.ui import charts, scripts, serving

PASSWORD = Settings(dashboard_password=SecretStr("correct horse battery"))


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.4", None, ""])
def test_T20_dashboard_refuses_the_network_without_a_login(address: str | None) -> None:
    """One line says what to do instead; encryption alone is no login."""
    for has_tls in (False, True):
        with pytest.raises(ConfigError, match=r"expected 127\.0\.0\.1, was .*SSH tunnel.*DASHBOARD_PASSWORD"):
            serving.check_access(address, Settings(), has_tls=has_tls)


def test_T20_a_password_crosses_the_network_encrypted_only() -> None:
    """Without TLS here or in front the start is refused as well; with it the dashboard is served."""
    with pytest.raises(ConfigError, match=r"expected TLS on '0\.0\.0\.0'.*sslCertFile.*BEHIND_TLS_PROXY"):
        serving.check_access("0.0.0.0", PASSWORD, has_tls=False)
    serving.check_access("0.0.0.0", PASSWORD, has_tls=True)


def test_T20_loopback_is_served() -> None:
    """The default starts, with a login and without."""
    serving.check_access("127.0.0.1", Settings(), has_tls=False)
    serving.check_access("localhost", PASSWORD, has_tls=False)


async def _get(path: str, host: str) -> tuple[int, dict[str, str], bytes]:
    app = Starlette(routes=list(serving.ROUTES), middleware=list(serving.MIDDLEWARE))
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": path}
    scope |= {
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", host.encode())],
        "root_path": "",
        "asgi": {"spec_version": "2.4"},
    }
    await app(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent)


async def test_chart_library_comes_from_this_server() -> None:
    """Offline, without a CDN, and kept by the browser because the version is in its address."""
    status, headers, body = await _get(charts.PLOTLY_PATH, "localhost:8501")
    assert status == 200
    assert "immutable" in headers["cache-control"]
    assert headers["x-content-type-options"] == "nosniff"
    assert b"plotly" in body[:2_000].lower()


async def test_T03_foreign_host_gets_nothing() -> None:
    """Not even the library."""
    status, _, body = await _get(charts.PLOTLY_PATH, "evil.example:8501")
    assert status == 421
    assert b"localhost" in body


async def test_code_of_components_comes_from_this_server() -> None:
    """A browser keeps each file by its address; a version that is no more is named as such."""
    for path, content in scripts.served().items():
        status, headers, body = await _get(path, "localhost:8501")
        assert (status, body) == (200, content)
        assert "immutable" in headers["cache-control"]
        assert headers["content-type"].startswith("text/javascript")
    status, _, body = await _get(f"{scripts.PREFIX}nodes-0000.js", "localhost:8501")
    assert (status, b"load the page again" in body) == (404, True)
