"""Commands that read the same from the sidecar."""

import shlex

import pytest

from coindcx_feed.ui import curl

OPEN = {"url": "ws://127.0.0.1:8000/api/v1/ws/coindcx"}


def test_event_is_asked_for_by_the_position_before_it() -> None:
    """With the token's name, never the token; without one configured there is no header."""
    said = curl.event_command({**OPEN, "has_login": True}, 41_228, "20261123T101112-ab12")
    url = "http://127.0.0.1:8000/api/v1/events?since=41227&epoch=20261123T101112-ab12&limit=1"
    assert said == f"curl -H \"Authorization: Bearer $COINDCX_SIDECAR_TOKEN\" '{url}'"
    assert curl.event_command(OPEN, 41_228, "20261123T101112-ab12") == f"curl '{url}'"


def test_present_state_is_asked_for_by_the_kind_of_record() -> None:
    """Over TLS where the sidecar speaks it; a fill belongs to no state."""
    served = {"url": "wss://[::1]:8443/api/v1/ws/coindcx", "has_login": True}
    assert (curl.state_command(served, "position") or "").endswith(" 'https://[::1]:8443/api/v1/state/positions'")
    assert curl.state_command(OPEN, "balance") == "curl 'http://127.0.0.1:8000/api/v1/state/balances'"
    assert curl.state_command(served, "fill") is None


@pytest.mark.parametrize("epoch", ["a'; rm -rf ~; '", "$(id)", "a b&c", "`id`", 'a"b'])
def test_T13_hostile_epoch_stays_inside_the_address(epoch: str) -> None:
    """A shell reads two words, whatever a log holds."""
    said = curl.event_command(OPEN, 1, epoch) or ""
    words = shlex.split(said)
    assert [words[0], len(words)] == ["curl", 2]
    assert not set("'\"`$(); ") & set(words[1])


def test_nothing_is_offered_while_the_sidecar_is_down() -> None:
    """A command that cannot work helps nobody."""
    assert curl.event_command({"url": None}, 1, "e") is None
    assert curl.state_command({"url": None}, "order") is None
