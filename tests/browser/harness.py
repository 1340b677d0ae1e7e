"""The real dashboard as a child process, and a Chromium that tells every address it asks for."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

CHROMIUM = shutil.which("chromium-headless-shell") or "/usr/bin/chromium"
"""Debian's, rather without the parts that draw windows: a tenth of the browser's tests is spent on those."""
ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 30.0
START_S = 90.0
"""Of what everybody waits for: one late start would fail the whole room."""
PRESS_S = 5.0
KEPT = "cookies,local_storage,indexeddb,cache_storage,service_workers,websql,file_systems"
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


_rested: list[BrowserContext] = []
"""Of the one browser that is open: contexts that nobody uses now."""


def eventually(condition: Callable[[], Any], what: str, deadline_s: float = DEADLINE_S) -> Any:
    """Wait for a condition and return its value; the last one is in the failure.

    What a condition looks for in vain (a first row, a column) is not there yet: a page is drawn piece by piece.
    """
    end = time.monotonic() + deadline_s
    value: Any = None
    while time.monotonic() < end:
        try:
            value = condition()
        except LookupError as error:
            value = error
        else:
            if value:
                return value
        time.sleep(0.05)
    raise AssertionError(f"expected {what} within {deadline_s:g} s, was {value!r}")


def pressed_until(press: Callable[[], Any], condition: Callable[[], Any], what: str) -> None:
    """Press until a condition holds: a page that is still being drawn may not hear the first time."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        press()
        with suppress(AssertionError):
            eventually(condition, what, PRESS_S)
            return
    raise AssertionError(f"expected {what} within {DEADLINE_S:g} s of presses")


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@dataclass
class Dashboard:
    """A running ``streamlit run``."""

    process: subprocess.Popen[bytes]
    port: int
    sidecar_port: int
    simulator_port: int
    data_dir: Path

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def log(self) -> str:
        """Return the feed's log file."""
        return "".join(path.read_text(encoding="utf-8", errors="replace") for path in self.data_dir.rglob("*.log"))

    def is_healthy(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"the dashboard ended with {self.process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_stcore/health", timeout=2) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False

    def status(self) -> dict[str, Any]:
        """Return what the sidecar says of the feed, nothing while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.sidecar_port}/api/v1/ws/status", timeout=2) as reply:
                return dict(json.load(reply))
        except OSError:
            return {}

    def stop(self) -> float:
        """Ask the process to end and return the seconds it took."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(DEADLINE_S)
        return time.monotonic() - begun


@contextmanager
def running(data_dir: Path, script: Path = ROOT / "app.py", **settings: str) -> Iterator[Dashboard]:
    """Run the dashboard on free ports with its own data folder, and end it whatever happens."""
    port, sidecar, simulator = free_port(), free_port(), free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COINDCX_", "STREAMLIT_"))}
    environment |= {
        "COINDCX_DATA_DIR": str(data_dir),
        "COINDCX_SIDECAR_PORT": str(sidecar),
        "COINDCX_SIMULATOR_PORT": str(simulator),
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests"))),
        **settings,
    }
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(script),
        "--server.headless",
        "true",
        "--server.port",
        str(port),
    ]
    output = (data_dir / "output.txt").open("wb")
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield Dashboard(process, port, sidecar, simulator, data_dir)
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
        if process.poll() is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
        if process.poll() is None:
            process.kill()
            process.wait()
        output.close()


@dataclass
class Watched:
    """A reader's tabs, with every address they asked for and every error they met."""

    context: BrowserContext
    viewport: ViewportSize
    scheme: Literal["dark", "light"] = "dark"
    asked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def page(self) -> Page:
        page = self.context.new_page()
        page.set_viewport_size(self.viewport)
        page.emulate_media(color_scheme=self.scheme)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("websocket", lambda socket: self.asked.append(socket.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        return page

    def foreign(self) -> list[str]:
        """Return the addresses that leave this machine."""
        schemes = ("data", "blob", "about")
        parts = [urlsplit(address) for address in self.asked]
        return [
            part.geturl()
            for part in parts
            if part.scheme not in schemes and part.hostname not in ("localhost", "127.0.0.1")
        ]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser, or skip with the reason; ``REQUIRE_SERVICES=1`` makes a missing one a failure."""
    if not Path(CHROMIUM).exists():
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail(f"expected a Chromium at {CHROMIUM}: install it")
        pytest.skip(f"no Chromium at {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        try:
            yield browser
        finally:
            _rested.clear()
            browser.close()


@contextmanager
def watched(browser: Browser, width: int = 1400, height: int = 900, scheme: str = "dark") -> Iterator[Watched]:
    """Be a reader whose browser knows nothing of another's.

    Contexts go from one to the next, as a new one costs a window and every script again, about a quarter of a page.
    """
    context = _rested.pop() if _rested else _new_context(browser)
    opened = Watched(context, {"width": width, "height": height}, "light" if scheme == "light" else "dark")
    try:
        yield opened
    except BaseException:
        context.close()  # with pages that would go on beside whoever comes next
        raise
    _forget(opened)
    _rested.append(context)


def _new_context(browser: Browser) -> BrowserContext:
    return browser.new_context(
        viewport={"width": 1400, "height": 900},
        color_scheme="dark",
        timezone_id="Asia/Kolkata",
        permissions=["clipboard-read", "clipboard-write"],
        accept_downloads=True,
    )


def _forget(opened: Watched) -> None:
    """Close the pages of a reader and take away whatever they kept."""
    first, *others = opened.context.pages or [opened.context.new_page()]
    for page in others:
        page.close()
    first.goto("about:blank")  # or what the page writes as it goes would stay
    session = opened.context.new_cdp_session(first)
    parts = [urlsplit(address) for address in opened.asked]
    for origin in {f"{part.scheme}://{part.netloc}" for part in parts if part.scheme in ("http", "https")}:
        session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": KEPT})
    first.close()
    opened.context.clear_cookies()


def number_after(text: str, word: str) -> int:
    """Return the first whole number after a word, 0 without one."""
    rest = text.partition(word)[2].replace(",", "")
    digits = "".join(character if character.isdigit() else " " for character in rest).split()
    return int(digits[0]) if digits else 0


def status_text(page: Page) -> str:
    """Return the status line, empty while it is not drawn."""
    line = page.locator(".status")
    return line.first.inner_text().replace("\n", " ") if line.count() else ""


def kept(page: Page) -> int:
    return number_after(status_text(page), "kept")


def open_page(page: Page, address: str) -> None:
    """Open an address and wait until its first run has ended: a click before that is lost."""
    page.goto(address)
    eventually(lambda: "Live" in status_text(page), "the word Live")
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def assert_whole(page: Page) -> None:
    """Assert that no part of the page failed."""
    assert page.locator("[data-testid=stException]").count() == 0
    assert page.locator("[data-testid=stAlertContentError]").count() == 0
