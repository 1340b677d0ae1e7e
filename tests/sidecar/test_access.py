"""Host list and Origin list: tables of what passes."""

import pytest
from pydantic import SecretStr

from coindcx_feed.settings import Settings
from coindcx_feed.sidecar.access import Access, printable

TOKEN = "canary-9f3c1b7a5e2d4860"


def access(dashboard_port: int | None = 8501, **settings: object) -> Access:
    return Access.from_settings(Settings(**settings), dashboard_port)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8000",
        "localhost:8000",
        "LocalHost:9",
        "localhost",
        "127.0.0.1",
        "[::1]:8000",
        "[::1]",
        "127.0.0.1:65535",
    ],
)
def test_T03_loopback_names_pass(host: str) -> None:
    """Any port: a forwarded port keeps the name and changes the number."""
    assert access().host_refusal([host]) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example:8000",
        "localhost.",
        "localhost:8000.evil.example",
        "127.1:8000",
        "127.0.0.2",
        "2130706433",
        "0x7f.0.0.1",
        "0.0.0.0:8000",
        "::1",
        "[::1].evil.example",
        "[::ffff:127.0.0.1]",
        "user@localhost",
        "localhost:",
        "localhost:80a",
        "localhost:123456",
        "localhost, evil.example",
        "localhost\t",
        "lосalhost",
        "",
    ],
)
def test_T03_foreign_hosts_are_refused(host: str) -> None:
    """A page that rebinds its own name to loopback carries that name."""
    refusal = access().host_refusal([host])
    assert refusal is not None
    assert "expected a Host" in refusal
    assert "COINDCX_SIDECAR_HOSTS" in refusal


@pytest.mark.parametrize("hosts", [[], ["localhost", "localhost"], ["localhost", "evil.example"]])
def test_T03_exactly_one_host_is_needed(hosts: list[str]) -> None:
    """No Host, or two, is no browser's and no library's request."""
    assert access().host_refusal(hosts) is not None


def test_configured_hosts_are_added_with_or_without_port() -> None:
    """A name alone stands for any port, a name with a port for that port."""
    both = access(sidecar_hosts=("feed.example", "other.example:444"))
    assert both.host_refusal(["feed.example:1"]) is None
    assert both.host_refusal(["other.example:444"]) is None
    assert both.host_refusal(["other.example:445"]) is not None
    assert both.host_refusal(["localhost"]) is None


def test_a_bound_address_is_a_host_but_a_wildcard_is_not() -> None:
    """Who binds 10.0.0.5 is addressed by that name; nobody is addressed as 0.0.0.0."""
    bound = access(sidecar_host="10.0.0.5", sidecar_token=SecretStr(TOKEN))
    assert bound.host_refusal(["10.0.0.5:8000"]) is None
    wildcard = access(sidecar_host="0.0.0.0", sidecar_token=SecretStr(TOKEN))
    assert wildcard.host_refusal(["0.0.0.0:8000"]) is not None


@pytest.mark.parametrize("origin", ["http://localhost:8501", "http://127.0.0.1:8501"])
def test_T01_dashboard_origins_pass(origin: str) -> None:
    """The default list are the loopback origins of the dashboard's port."""
    assert access().origin_refusal([origin]) is None


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://localhost",
        "http://localhost:8502",
        "https://localhost:8501",
        "HTTP://LOCALHOST:8501",
        "http://LocalHost:8501",
        "http://localhost:8501/",
        "http://localhost:8501 ",
        "http://localhost:8501.evil.example",
        "http://localhost.evil.example:8501",
        "http://localhost:8501@evil.example",
        "http://evil.example",
        "https://good.example.evil",
        "http://127.0.0.1:85010",
        "http://127.1:8501",
        "http://[::1]:8501",
        "http://lосalhost:8501",
        "ws://localhost:8501",
        "file://",
        "http://localhost:8501, http://evil.example",
    ],
)
def test_T01_other_origins_are_refused(origin: str) -> None:
    """Exact match only: case, port, scheme, look-alike letters and suffixes all differ."""
    refusal = access().origin_refusal([origin])
    assert refusal is not None
    assert "expected an Origin of the dashboard" in refusal


def test_T01_two_origin_headers_are_refused() -> None:
    """Even when the first is listed."""
    assert access().origin_refusal(["http://localhost:8501", "http://evil.example"]) is not None


def test_configured_origins_replace_the_default() -> None:
    """The list is exact: what the user wrote, nothing more."""
    mine = access(sidecar_origins=("https://desk.example",))
    assert mine.origin_refusal(["https://desk.example"]) is None
    assert mine.origin_refusal(["http://localhost:8501"]) is not None


def test_without_a_dashboard_no_page_may_connect() -> None:
    """A headless server has no page of its own."""
    assert access(dashboard_port=None).origin_refusal(["http://localhost:8501"]) is not None


def test_T15_printable_is_one_short_ascii_line() -> None:
    """Line breaks, terminal escapes and right-to-left marks must not reach a log."""
    assert printable("a\r\nb\x1b[31m\u202e") == r"a\r\nb\x1b[31m\u202e"
    assert len(printable("x" * 10_000)) < 100
