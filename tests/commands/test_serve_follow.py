"""``serve`` that follows another ``serve``: real processes, killed and started again."""

import json
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from fakes.commands import SCRIPT, environment
from fakes.runtimes import free_port
from fakes.waiting import eventually_sync

from coindcx_feed.client import OrderEvent, connect
from coindcx_feed.client.retained import read_retained

END_S = 10.0
START_S = 80.0
"""Three demos start one after the other, on a machine that may be busy."""

pytestmark = pytest.mark.timeout(300)

TOKEN = "canary-9f3c1b7a5e2d4860"


class Serve:
    """One child process and what it says."""

    def __init__(self, folder: Path, port: int, root: Path | None = None, **settings: object) -> None:
        self.port = port
        env = environment(folder, DATA_DIR=folder, SIDECAR_PORT=port, **settings)
        env |= {} if root is None else {"SSL_CERT_FILE": str(root)}
        self.said = folder.with_suffix(f".{port}.txt")
        with self.said.open("ab") as output:
            self.process = subprocess.Popen(
                [*SCRIPT, "serve"], env=env, cwd=folder.parent, stdout=output, stderr=output
            )

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def status(self) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/ws/status", timeout=5) as answer:
                return dict(json.load(answer))
        except (urllib.error.URLError, OSError):
            return {}

    def is_connected(self) -> bool:
        return bool(self.status().get("coindcx_connected"))

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(END_S)


@pytest.fixture
def serves() -> Iterator[list[Serve]]:
    started: list[Serve] = []
    yield started
    for child in started:
        child.end(signal.SIGKILL)


def _bodies(child: Serve) -> list[bytes]:
    return [item.raw for item in read_retained(child.address)]


def test_F17_demo_is_followed_through_a_kill_and_a_restart(tmp_path: Path, serves: list[Serve]) -> None:
    """The same bytes, the mode DEMO passed on, *reconnecting* meanwhile, the new series afterwards."""
    port = free_port()
    leader = Serve(tmp_path / "leader", port)
    serves.append(leader)
    eventually_sync(leader.is_connected, START_S)
    follower = Serve(tmp_path / "follower", free_port(), FOLLOW=leader.address)
    serves.append(follower)
    eventually_sync(follower.is_connected, START_S)
    status = follower.status()
    assert status["mode"] == "demo"
    assert status["epoch"] == leader.status()["epoch"]
    newest = status["seq"]
    assert _bodies(follower)[:newest] == _bodies(leader)[:newest]
    with connect(follower.address, types=["order"]) as events:
        assert isinstance(next(iter(events)), OrderEvent)
    leader.end(signal.SIGKILL)
    killed_at = time.monotonic()
    eventually_sync(lambda: follower.status().get("state") == "reconnecting")
    assert time.monotonic() - killed_at < 10
    again = Serve(tmp_path / "leader", port)
    serves.append(again)
    eventually_sync(again.is_connected, START_S)
    eventually_sync(lambda: follower.is_connected() and follower.status()["epoch"] == again.status()["epoch"], START_S)
    newest = follower.status()["seq"]
    assert _bodies(follower)[:newest] == _bodies(again)[:newest]
    assert follower.end() == 0
    assert f"mode demo, following {leader.address}, events at {follower.address}" in follower.said.read_text()


def test_T18_followed_over_tls_with_a_token(tmp_path: Path, serves: list[Serve]) -> None:
    """As between two machines: encrypted, the certificate checked, the token in no output."""
    authority, port = trustme.CA(), free_port()
    certificate, key, root = (tmp_path / name for name in ("cert.pem", "key.pem", "root.pem"))
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(root)
    tls = {"SIDECAR_TLS_CERT": certificate, "SIDECAR_TLS_KEY": key, "SIDECAR_TOKEN": TOKEN}
    serves.append(leader := Serve(tmp_path / "leader", port, **tls))
    wanted = {"FOLLOW": f"wss://127.0.0.1:{port}", "FOLLOW_TOKEN": TOKEN}
    serves.append(follower := Serve(tmp_path / "follower", free_port(), root, **wanted))
    eventually_sync(follower.is_connected, START_S)
    assert follower.status()["mode"] == "demo"
    serves.append(unaware := Serve(tmp_path / "unaware", free_port(), **wanted))
    eventually_sync(lambda: "certificate" in unaware.said.read_text().lower(), START_S)
    assert unaware.status() == {}
    assert not [child for child in (leader, follower, unaware) if TOKEN in child.said.read_text()]


def test_F23_second_serve_names_owner_and_how_to_follow_it(tmp_path: Path, serves: list[Serve]) -> None:
    """One line; what it names works."""
    owner = Serve(tmp_path / "owner", free_port())
    serves.append(owner)
    eventually_sync(owner.is_connected, START_S)
    second = Serve(tmp_path / "owner", free_port())
    serves.append(second)
    assert second.process.wait(START_S) == 2
    (line,) = [line for line in second.said.read_text().splitlines() if line.startswith("coindcx-feed: ")]
    assert f"owned by serve (process {owner.process.pid} on " in line
    named = line.partition("COINDCX_FOLLOW=")[2].split()[0]
    third = Serve(tmp_path / "owner", free_port(), FOLLOW=named)
    serves.append(third)
    eventually_sync(third.is_connected, START_S)
    assert third.status()["mode"] == "demo"
