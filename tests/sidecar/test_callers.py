"""Who is asking: the peer, or what a trusted proxy says; nobody else is believed."""

import pytest
from pydantic import SecretStr

from coindcx_feed.settings import Settings
from coindcx_feed.sidecar.callers import Caller, Callers, key_of

SETTINGS = Settings(
    sidecar_token=SecretStr("canary-9f3c1b7a5e2d4860"), sidecar_trusted_proxies=("10.0.0.5", "10.1.0.0/16", "::1")
)
CALLERS = Callers.from_settings(SETTINGS)


def test_without_proxies_headers_are_ignored() -> None:
    """Anybody can write them."""
    assert Callers().caller(("10.0.0.5", 7), ["1.2.3.4"], ["https"]) == Caller("10.0.0.5", "10.0.0.5:7")
    assert CALLERS.caller(("10.0.0.6", 7), ["1.2.3.4"], ["https"]) == Caller("10.0.0.6", "10.0.0.6:7")


@pytest.mark.parametrize(
    ("headers", "ip"),
    [
        (["1.2.3.4"], "1.2.3.4"),
        (["9.9.9.9, 1.2.3.4"], "1.2.3.4"),
        (["9.9.9.9", "1.2.3.4"], "1.2.3.4"),
        (["1.2.3.4, 10.1.2.3, 10.0.0.5"], "1.2.3.4"),
        (["::ffff:1.2.3.4"], "1.2.3.4"),
        (["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        ([], "10.0.0.5"),
        (["unknown"], "10.0.0.5"),
        (["1.2.3.4, not an address"], "10.0.0.5"),
        (["10.1.2.3"], "10.0.0.5"),
        (["1.2.3.4" + ", 10.0.0.5" * 1000], "10.0.0.5"),
    ],
)
def test_of_a_proxy_the_rightmost_foreign_address_counts(headers: list[str], ip: str) -> None:
    """What stands left of it was written by the caller."""
    caller = CALLERS.caller(("10.0.0.5", 7), headers, ["https"])
    assert (caller.ip, caller.is_proxied, caller.is_clear) == (ip, True, False)
    assert caller.shown.isprintable()


def test_a_proxy_tells_whether_the_way_to_it_was_encrypted() -> None:
    """The last word is the proxy's own."""
    assert CALLERS.caller(("::1", 7, 0, 0), ["1.2.3.4"], ["https", "http"]).is_clear
    assert not CALLERS.caller(("::1", 7, 0, 0), ["1.2.3.4"], ["http", "https"]).is_clear


def test_peers_count_by_address_and_networks_of_one_owner_once() -> None:
    """IPv4 by itself, also when mapped; IPv6 by its /64."""
    assert key_of(("127.0.0.1", 5)) == key_of(("::ffff:127.0.0.1", 5, 0, 0)) == "127.0.0.1"
    assert key_of(("fe80::1%eth0", 5, 0, 2)) == "fe80::/64"
    assert key_of(None) == "unknown"
