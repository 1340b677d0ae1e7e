"""``serve`` that follows another ``serve``: real processes, killed and started again."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.runtimes import free_port
from fakes.waiting import eventually_sync

from coindcx_feed.client import OrderEvent, connect
from coindcx_feed.client.retained import read_retained

COMMAND = [sys.executable, "-m", "coindcx_feed.cli", "serve"]
END_S = 10.0


class Serve:
    """One child process and what it says."""

    def __init__(self, folder: Path, port: int, **settings: object) -> None:
        self.port = port
        given = {"DATA_DIR": folder, "SIDECAR_PORT": port, "SIMULATOR_PORT": free_port(), **settings}
        own = {name: value for name, value in os.environ.items() if not name.startswith("COINDCX_")}
        environment = own | {f"COINDCX_{name}": str(value) for name, value in given.items()}
        self.said = folder.with_suffix(f".{port}.txt")
        with self.said.open("ab") as output:
            self.process = subprocess.Popen(COMMAND, env=environment, cwd=folder.parent, stdout=output, stderr=output)

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
def children(tmp_path: Path) -> Iterator[list[Serve]]:
    started: list[Serve] = []
    yield started
    for child in started:
        child.end(signal.SIGKILL)


def _bodies(child: Serve) -> list[bytes]:
    return [item.raw for item in read_retained(child.address)]


def test_F17_demo_is_followed_through_a_kill_and_a_restart(tmp_path: Path, children: list[Serve]) -> None:
    """The same bytes, the mode DEMO passed on, *reconnecting* meanwhile, the new series afterwards."""
    port = free_port()
    leader = Serve(tmp_path / "leader", port)
    children.append(leader)
    eventually_sync(leader.is_connected, 40)
    follower = Serve(tmp_path / "follower", free_port(), FOLLOW=leader.address)
    children.append(follower)
    eventually_sync(follower.is_connected, 40)
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
    children.append(again)
    eventually_sync(again.is_connected, 40)
    eventually_sync(lambda: follower.is_connected() and follower.status()["epoch"] == again.status()["epoch"], 40)
    newest = follower.status()["seq"]
    assert _bodies(follower)[:newest] == _bodies(again)[:newest]
    assert follower.end() == 0
    assert f"mode demo, following {leader.address}, events at {follower.address}" in follower.said.read_text()


def test_F23_second_serve_names_owner_and_how_to_follow_it(tmp_path: Path, children: list[Serve]) -> None:
    """One line; what it names works."""
    owner = Serve(tmp_path / "owner", free_port())
    children.append(owner)
    eventually_sync(owner.is_connected, 40)
    second = Serve(tmp_path / "owner", free_port())
    children.append(second)
    assert second.process.wait(40) == 2
    (line,) = [line for line in second.said.read_text().splitlines() if line.startswith("coindcx-feed: ")]
    assert f"owned by serve (process {owner.process.pid} on " in line
    named = line.partition("COINDCX_FOLLOW=")[2].split()[0]
    third = Serve(tmp_path / "owner", free_port(), FOLLOW=named)
    children.append(third)
    eventually_sync(third.is_connected, 40)
    assert third.status()["mode"] == "demo"
