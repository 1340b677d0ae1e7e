"""The one feed of a process: started once, found again after a reload, stopped with the server."""

import importlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.plain import is_plain
from fakes.runtimes import free_port, settings_for
from fakes.waiting import eventually_sync

from coindcx_feed.errors import ConfigError, OwnerLocked
from coindcx_feed.feed import process as process_module
from coindcx_feed.feed.owner import OwnerLock
from coindcx_feed.feed.process import new_runtime, start_process_service, start_runtime, stop_process_service
from coindcx_feed.feed.runtime import FeedRuntime, account_name
from coindcx_feed.feed.service import FeedService


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Settings of a live process whose exchange cannot be reached."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "MODE": "live",
        "STREAM_URL": f"ws://127.0.0.1:{free_port()}",
        "API_URL": f"http://127.0.0.1:{free_port()}",
        "SIDECAR_PORT": str(free_port()),
        "DATA_DIR": str(tmp_path / "data"),
    }.items():
        monkeypatch.setenv(f"COINDCX_{name}", value)
    yield tmp_path
    stop_process_service()


def _feed_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "coindcx-feed"]


def test_F26_process_has_one_service_however_many_ask_for_it(environment: Path) -> None:
    """Ten sessions at once: one object, one thread."""
    found: list[FeedService] = []
    askers = [threading.Thread(target=lambda: found.append(start_process_service(8501))) for _ in range(10)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(20)
    assert len(found) == 10
    assert len(set(map(id, found))) == 1
    assert len(_feed_threads()) == 1


def test_stop_ends_the_thread_and_a_later_start_is_a_new_one(environment: Path) -> None:
    """Stopping twice is harmless."""
    first = start_process_service()
    stop_process_service()
    stop_process_service()
    assert _feed_threads() == []
    assert start_process_service() is not first


def test_F26_hot_reload_finds_the_same_running_service(environment: Path) -> None:
    """All modules of the package are imported anew, as Streamlit does after an edit."""
    before = start_process_service()
    eventually_sync(lambda: before.version() >= 1)
    kept = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "coindcx_feed"}
    try:
        for name in kept:
            del sys.modules[name]
        reloaded = importlib.import_module("coindcx_feed.feed.process")
        assert reloaded is not process_module
        after = reloaded.process_service()
        assert after is before
        assert len(_feed_threads()) == 1
        assert after.select({})["matching"] >= 1
        assert is_plain(after.status())
        with pytest.raises(kept["coindcx_feed.errors"].BadRequest):
            after.select({"types": ["nonsense"]})
        reloaded.stop_process_service()
        assert _feed_threads() == []
    finally:
        sys.modules.update(kept)


def test_wrong_setting_stops_the_start_with_one_line_and_leaves_nothing(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next start, with the setting corrected, succeeds."""
    with monkeypatch.context() as wrong:
        wrong.setenv("COINDCX_SIDECAR_PROT", "1")
        with pytest.raises(ConfigError, match="COINDCX_SIDECAR_PROT is no setting: did you mean COINDCX_SIDECAR_PORT"):
            start_process_service()
    assert _feed_threads() == []
    assert start_process_service().status()["state"] in ("starting", "connecting", "reconnecting")


def test_second_dashboard_shows_the_owner(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F23: it starts, says who has the feed, and offers no sidecar."""
    owner = start_process_service()
    other = FeedService(FeedRuntime(owner.runtime.settings, "dashboard"))
    other.runtime.start()
    try:
        status = other.status()
        assert "owned by dashboard" in status["owner"]
        assert (status["state"], status["label"], status["reason"]) == ("stopped", "Disconnected", status["owner"])
        assert status["sidecar"] == {"url": None, "clients": 0, "error": None, "has_login": False}
        assert set(status["account"]) == {"fact", "since_ms", "age_s"}
        assert is_plain(status)
    finally:
        other.runtime.stop()
    assert owner.status()["owner"] is None


def test_F23_dashboard_of_an_owned_account_follows_the_owner(environment: Path) -> None:
    """By the address in the lock file, with the owner's process named; it opens no sidecar and takes no lock."""
    owner = start_process_service()
    eventually_sync(lambda: owner.version() >= 1)
    second = start_runtime(owner.runtime.settings, "dashboard")
    try:
        service = FeedService(second)
        eventually_sync(lambda: service.version() == owner.version())
        eventually_sync(lambda: service.status()["state"] == owner.status()["state"])
        status, address = service.status(), f"ws://127.0.0.1:{owner.runtime.sidecar.port}"
        expected = {"address": address, "owner": f"process {os.getpid()}", "is_up": True, "serves": False}
        assert status["following"] == expected
        assert status["owner"] is None
        assert status["sidecar"] == {"url": address, "clients": None, "error": None, "has_login": False}
        assert is_plain(status)
        assert is_plain(service.feed())
        assert "alerts are raised by the process that joins the exchange" in str(second.alerts.book.locked)
        owner.runtime.stop()
        eventually_sync(lambda: service.status()["following"]["is_up"] is False)
        assert "start this one again" in service.status()["reason"]
    finally:
        second.stop()


def test_dashboard_whose_owner_offers_nothing_says_so(environment: Path) -> None:
    """A lock without an address: nothing to follow."""
    settings = settings_for("http://127.0.0.1:9", environment)
    lock = OwnerLock(settings.data_dir, account_name(settings))
    lock.acquire("dashboard")
    try:
        second = start_runtime(settings, "dashboard")
        assert "use that one, or stop it first" in (second.owner or "")
        assert second.following() is None
        with pytest.raises(OwnerLocked):
            start_runtime(settings, "serve")
    finally:
        lock.release()


def test_runtime_that_follows_is_chosen_by_the_setting(environment: Path, tmp_path: Path) -> None:
    """Whatever mode and key say."""
    settings = settings_for("http://127.0.0.1:9", tmp_path, follow="ws://127.0.0.1:8000")
    following = new_runtime(settings, "serve").following()
    assert following == {"address": "ws://127.0.0.1:8000", "owner": None, "is_up": False, "serves": True}


def test_runtime_of_a_live_mode_has_no_demo(environment: Path, tmp_path: Path) -> None:
    """The embedded exchange belongs to the demo mode only."""
    assert new_runtime(settings_for("http://127.0.0.1:9", tmp_path), "serve").demo is None
    assert new_runtime(settings_for("http://127.0.0.1:9", tmp_path, mode="demo"), "serve").demo is not None
