"""T16: canary credentials never appear in anything the program puts out."""

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from fakes.frames import balance, order, position
from fakes.rest import wallets_route
from fakes.waiting import eventually
from pydantic import SecretStr

from coindcx_feed.errors import ConfigError
from coindcx_feed.exchange import wire
from coindcx_feed.exchange.signing import join_payload
from coindcx_feed.exchange.states import Timings
from coindcx_feed.feed.process import secrets_of
from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.feed.service import FeedService
from coindcx_feed.logs import log_path, start_logging, stop_logging
from coindcx_feed.settings import Settings, load_settings
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.hub import Credentials
from coindcx_feed.simulator.server import ExchangeServer

KEY, SECRET, TOKEN = "canary-key-4711", "canary-secret-0815", "canary-token-1234567890"
JWT_SECRET = "canary-signing-secret-of-many-bytes-0123"
SIGNATURE = join_payload(KEY, SECRET)["authSignature"]
CANARIES = (KEY, SECRET, TOKEN, JWT_SECRET, SIGNATURE)
FAST = Timings(joined_after_s=0.2, retry_first_s=0.02, retry_most_s=0.1, tick_s=0.02)


def _assert_clean(text: str, where: str) -> None:
    for canary in CANARIES:
        assert canary not in text, f"a secret stands in {where}"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _settings(url: str, folder: Path, **more: Any) -> Settings:
    return Settings(
        _env_file=None,  # type: ignore[call-arg]
        mode="live",
        api_key=SecretStr(KEY),
        api_secret=SecretStr(SECRET),
        sidecar_token=SecretStr(TOKEN),
        sidecar_jwt_secret=SecretStr(JWT_SECRET),
        stream_url=url.replace("http", "ws"),
        api_url=url,
        public_url=url,
        sidecar_port=0,
        data_dir=folder,
        **more,
    )


@pytest.fixture
def captured_log(tmp_path: Path) -> Iterator[Path]:
    yield log_path(tmp_path)
    stop_logging()


@pytest.mark.parametrize("accepted", [True, False])
async def test_T16_running_feed_shows_no_secret_anywhere(tmp_path: Path, captured_log: Path, accepted: bool) -> None:
    """Joined or refused: log, status, pages' data, exports, sidecar messages and reprs are clean."""
    known = Credentials(KEY, SECRET) if accepted else Credentials("other", "other")
    routes = [wallets_route(known.key, known.secret)]
    async with ExchangeServer(port=0, behaviour=instant(), credentials=known, routes=routes) as exchange:
        settings = _settings(exchange.url, tmp_path)
        recent = start_logging(tmp_path, secrets_of(settings))
        runtime = FeedRuntime(settings, "dashboard", timings=FAST)
        service = FeedService(runtime, recent)
        await asyncio.to_thread(runtime.start)
        try:
            state = "quiet" if accepted else "rejected"
            await eventually(lambda: service.status()["state"] == state)
            if accepted:
                for event, record in (
                    (wire.ORDER_EVENT, order()),
                    (wire.POSITION_EVENT, position()),
                    (wire.BALANCE_EVENT, balance()),
                    (wire.ORDER_EVENT, {"id": "no status"}),
                ):
                    await exchange.emit(event, [record])
                await eventually(lambda: service.status()["counters"]["quarantined"] == 1)
            outputs = await asyncio.to_thread(_everything, service, runtime)
            outputs["sidecar"] = await _sidecar(runtime)
        finally:
            await asyncio.to_thread(runtime.stop)
    stop_logging()
    outputs["log file"] = captured_log.read_text(encoding="utf-8")
    outputs["repr"] = repr((settings, runtime, service, vars(runtime))) + str(settings) + repr(settings.model_dump())
    outputs["files"] = "".join(path.read_text("utf-8", "replace") for path in tmp_path.rglob("*") if path.is_file())
    for where, text in outputs.items():
        _assert_clean(text, where)
    assert "upstream state=" in outputs["log file"]


def _everything(service: FeedService, runtime: FeedRuntime) -> dict[str, str]:
    export = service.export({}, "csv")
    return {
        "status": json.dumps(service.status()),
        "feed": repr(service.feed()),
        "events": repr(service.select({})) + repr([service.event(n) for n in range(1, service.version() + 1)]),
        "account": repr((service.orders(), service.positions(), service.balances())),
        "export": Path(export["path"]).read_text("utf-8") + Path(export["meta_path"]).read_text("utf-8"),
        "bodies": repr(runtime.ring.bodies_since(0, 1_000)),
    }


async def _sidecar(runtime: FeedRuntime) -> str:
    base = f"http://127.0.0.1:{runtime.sidecar.port}/api/v1/ws"
    heard = ""
    async with aiohttp.ClientSession() as http:
        for headers in ({}, {"Authorization": "Bearer wrong-token-123456"}, {"Authorization": f"Bearer {TOKEN}"}):
            async with http.get(f"{base}/status", headers=headers) as answer:
                heard += await answer.text() + repr(answer.headers)
        async with http.ws_connect(f"{base}/coindcx", headers=headers) as socket_:
            heard += (await socket_.receive()).data
    return heard


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COINDCX_API_SECRETS", SECRET),
        ("COINDCX_SIDECAR_TOKEN", TOKEN[:12]),
        ("COINDCX_API_KEY", KEY),
        ("COINDCX_STREAM_URL", f"wss://{SECRET}@stream.coindcx.com"),
        ("COINDCX_MODE", SECRET),
    ],
)
def test_T16_wrong_settings_are_named_without_their_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    """Misspelt, too short, without its partner, in the wrong place: the line names the setting only."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert "canary" not in shown
    assert "COINDCX_" in str(caught.value)


def test_T16_command_line_shows_no_secret(tmp_path: Path) -> None:
    """doctor with credentials that are refused, and with nothing to reach: neither output nor log holds them."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("COINDCX_")},
        "COINDCX_MODE": "live", "COINDCX_API_KEY": KEY, "COINDCX_API_SECRET": SECRET, "COINDCX_SIDECAR_TOKEN": TOKEN,
        "COINDCX_STREAM_URL": f"ws://127.0.0.1:{_free_port()}", "COINDCX_API_URL": f"http://127.0.0.1:{_free_port()}",
        "COINDCX_SIDECAR_PORT": str(_free_port()), "COINDCX_DATA_DIR": str(tmp_path),
    }  # fmt: skip
    command = [sys.executable, "-m", "coindcx_feed.cli", "doctor"]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "credentials" in done.stdout
    _assert_clean(done.stdout + done.stderr, "doctor")


def test_T16_log_of_a_library_error_is_redacted(tmp_path: Path, captured_log: Path) -> None:
    """Whatever a message brings along, the formatter cuts it out."""
    start_logging(tmp_path, [KEY, SECRET, TOKEN])
    logging.getLogger("coindcx_feed.test").error("failed with %s and %s", SECRET, SIGNATURE)
    stop_logging()
    _assert_clean(captured_log.read_text(encoding="utf-8"), "log")
