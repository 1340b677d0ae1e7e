"""The doctor: each thing that could keep the feed from running, with what to do."""

import email.utils
import os
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web
from fakes.rest import wallets_route
from fakes.runtimes import free_port
from sidecar.helpers import World

from coindcx_feed.doctor import Finding, examine
from coindcx_feed.feed.owner import OwnerLock
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.server import DEMO_KEY, DEMO_SECRET, ExchangeServer

Set = Callable[..., None]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Set:
    """Set settings of this test only; a data folder and free ports are there already."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("COINDCX_")]:
        monkeypatch.delenv(name)

    def change(**given: object) -> None:
        for name, value in given.items():
            monkeypatch.setenv(f"COINDCX_{name}", str(value))

    change(DATA_DIR=tmp_path / "data", SIDECAR_PORT=free_port(), SIMULATOR_PORT=free_port())
    return change


@pytest.fixture
async def exchange() -> AsyncIterator[ExchangeServer]:
    async with ExchangeServer(port=0, behaviour=instant(), routes=[wallets_route(DEMO_KEY, DEMO_SECRET)]) as server:
        yield server


def _live(settings: Set, url: str, key: str = DEMO_KEY, secret: str = DEMO_SECRET) -> None:
    settings(MODE="live", API_KEY=key, API_SECRET=secret, API_URL=url, STREAM_URL=url.replace("http", "ws"))


async def _found() -> dict[str, Finding]:
    findings = await examine()
    assert all("\n" not in finding.text for finding in findings)
    return {finding.what: finding for finding in findings}


async def test_healthy_demo_has_no_bad_finding(settings: Set, tmp_path: Path) -> None:
    """Versions, mode, ports, lock and where the log will be."""
    found = await _found()
    assert [finding.what for finding in found.values() if finding.is_bad] == []
    assert "mode demo" in found["settings"].text
    assert "coindcx-feed 0." in found["versions"].text
    assert "Python 3." in found["versions"].text
    assert found["sidecar port"].text.endswith("is free")
    assert found["simulator port"].text.endswith("is free")
    assert str(tmp_path / "data") in found["owner lock"].text
    assert str(tmp_path / "data" / "logs" / "coindcx-feed.log") in found["log file"].text
    assert all(finding.mark == "ok " for finding in found.values())


async def test_follower_is_told_whether_the_other_process_answers(settings: Set) -> None:
    """Neither key nor lock nor log matter to it; a token that is wanted is named."""
    settings(FOLLOW=f"ws://127.0.0.1:{free_port()}")
    found = await _found()
    assert list(found) == ["versions", "settings", "follow", "sidecar port", "log file"]
    assert found["follow"].is_bad
    assert "does not answer" in found["follow"].text
    async with World(token="canary-9f3c1b7a5e2d4860") as world:
        settings(FOLLOW=f"ws://127.0.0.1:{world.sidecar.port}")
        assert "set COINDCX_FOLLOW_TOKEN" in (await _found())["follow"].text
        settings(FOLLOW_TOKEN="canary-9f3c1b7a5e2d4860")
        found = await _found()
        assert not found["follow"].is_bad
        assert "mode demo, state live, event 0" in found["follow"].text


async def test_wrong_setting_ends_the_examination_with_its_line(settings: Set) -> None:
    """Without settings nothing else can be looked at."""
    settings(SIDECAR_PORT="canary")
    found = await _found()
    assert list(found) == ["versions", "settings"]
    assert found["settings"].is_bad
    assert found["settings"].mark == "bad"
    assert found["settings"].text.startswith("COINDCX_SIDECAR_PORT: ")
    assert "canary" not in found["settings"].text


async def test_a_certificate_that_cannot_be_used_is_named(settings: Set, tmp_path: Path) -> None:
    """Before the start would fail."""
    settings(SIDECAR_TLS_CERT=tmp_path / "cert.pem", SIDECAR_TLS_KEY=tmp_path / "key.pem")
    found = await _found()
    assert found["sidecar TLS"].is_bad
    assert found["sidecar TLS"].text.startswith("COINDCX_SIDECAR_TLS_CERT: expected a PEM file")


async def test_live_without_credentials_is_no_fault(settings: Set) -> None:
    """Public market data only."""
    settings(MODE="live")
    found = await _found()
    assert not found["credentials"].is_bad
    assert "COINDCX_API_KEY" in found["credentials"].text
    assert "simulator port" not in found


async def test_good_credentials_are_proven_by_one_signed_read_and_the_clock_is_compared(
    settings: Set, exchange: ExchangeServer
) -> None:
    """Within a second of the reply's date."""
    _live(settings, exchange.url)
    found = await _found()
    assert "accepted" in found["credentials"].text
    assert not found["clock"].is_bad
    assert "against the exchange" in found["clock"].text


async def test_F05_refused_credentials_are_told_with_what_to_check(settings: Set, exchange: ExchangeServer) -> None:
    """One read, 401, no retry, no secret."""
    _live(settings, exchange.url, "canary-key", "canary-secret")
    found = await _found()
    assert found["credentials"].is_bad
    assert "401" in found["credentials"].text
    assert "COINDCX_API_SECRET" in found["credentials"].text
    assert "canary" not in repr(found)


async def test_unreachable_exchange_is_told(settings: Set) -> None:
    """The address and what to check."""
    _live(settings, f"http://127.0.0.1:{free_port()}")
    found = await _found()
    assert found["credentials"].is_bad
    assert "check" in found["credentials"].text


@pytest.mark.parametrize(("skew_s", "sign"), [(0, ""), (3, "+"), (-3_600, "-"), (3_600, "+")])
async def test_clock_that_is_off_is_bad(settings: Set, skew_s: int, sign: str) -> None:
    """F19: the exchange refuses requests that are ten seconds old; NTP is the cure."""

    async def wallets(_request: web.Request) -> web.Response:
        return web.json_response([], headers={"Date": email.utils.formatdate(time.time() - skew_s, usegmt=True)})

    routes = [web.get("/exchange/v1/derivatives/futures/wallets", wallets)]
    async with ExchangeServer(port=0, behaviour=instant(), routes=routes) as server:
        _live(settings, server.url)
        found = await _found()
    is_bad = abs(skew_s) > 5
    assert found["clock"].is_bad is is_bad
    assert ("NTP" in found["clock"].text) is is_bad
    assert found["clock"].text.startswith(sign)


@pytest.mark.parametrize("name", ["SIDECAR_PORT", "SIMULATOR_PORT"])
async def test_busy_port_is_named_with_its_setting(settings: Set, name: str) -> None:
    """What to stop or to set."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings(**{name: taken.getsockname()[1]})
        found = await _found()
    bad = [finding for finding in found.values() if finding.is_bad]
    assert [finding.what for finding in bad] == [name.lower().replace("_", " ")]
    assert f"COINDCX_{name}" in bad[0].text


async def test_F23_owner_of_the_feed_is_named_and_its_ports_are_not_called_busy(settings: Set, tmp_path: Path) -> None:
    """The owner itself holds them."""
    lock = OwnerLock(tmp_path / "data", "demo")
    lock.acquire("dashboard", "ws://127.0.0.1:8000/api/v1/ws/coindcx")
    try:
        found = await _found()
    finally:
        lock.release()
    assert found["owner lock"].is_bad
    assert f"dashboard (process {os.getpid()} on " in found["owner lock"].text
    assert not any("port" in what for what in found)


async def test_folder_that_cannot_be_used_is_bad(settings: Set, tmp_path: Path) -> None:
    """The setting that names it."""
    (tmp_path / "file").write_text("x", encoding="utf-8")
    settings(DATA_DIR=tmp_path / "file")
    found = await _found()
    assert found["data folder"].is_bad
    assert "COINDCX_DATA_DIR" in found["data folder"].text


async def test_doctor_leaves_lock_and_ports_free(settings: Set, tmp_path: Path) -> None:
    """It reads only: a second look sees the same."""
    first, second = await _found(), await _found()
    assert first == second
    assert not any(path.name.endswith(".json") for path in (tmp_path / "data").iterdir())


async def test_T22_foreign_file_at_the_log_s_place_is_named_and_untouched(settings: Set, tmp_path: Path) -> None:
    """What it is, and that another path helps; the file stays as it was."""
    path = tmp_path / "notes.txt"
    path.write_text("mine" * 100)
    settings(MODE="live", STORE_URL=f"sqlite:///{path}")
    found = (await _found())["store"]
    assert found.is_bad
    assert "was another program's file" in found.text
    assert path.read_text() == "mine" * 100


async def test_log_is_said_to_come_or_to_be_off(settings: Set) -> None:
    """A first start has none yet; `none` keeps events in memory."""
    settings(MODE="live")
    assert "made at the first start" in (await _found())["store"].text
    settings(STORE_URL="none")
    assert "memory only" in (await _found())["store"].text
