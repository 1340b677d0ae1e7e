"""The tape's cursor and pace, and who gets a socket: a real server, real sockets."""

import asyncio
import contextlib
import json
import logging
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextvars import copy_context
from functools import partial
from typing import Any

import aiohttp
import pytest
import uvicorn
from fakes.waiting import eventually
from starlette.applications import Starlette
from ui.fake_service import ANCHOR, FakeService, install
from ui.fake_words import EPOCH
from ui.helpers import text_of

from coindcx_feed.tickets import Grant, process_tickets
from coindcx_feed.ui import serving, tape_socket
from coindcx_feed.ui.tape_socket import PATH, PROTOCOL, Follower, Pace

GRANT: Grant = {"criteria": {}, "after": 0, "upto": None, "zone": "UTC", "is_indian": False}


def test_quiet_tape_is_read_at_once_and_a_busy_one_ten_times_a_second() -> None:
    """Up to 60 events in a second there is hardly a pause; a second later the burst is forgotten."""
    now = [0.0]
    pace = Pace(lambda: now[0])
    for _ in range(60):
        assert pace.after(1) <= 0.016
        now[0] += 1 / 61
    assert pace.after(2) == 0.1
    now[0] += 1.0
    assert pace.after(1) <= 0.016


def _seqs(message: dict[str, Any] | None) -> list[int]:
    assert message is not None
    return [card["key"] for card in message["cards"]]


def test_first_picture_is_the_newest_hundred() -> None:
    """Newest first; what is older was never meant to be there, so nothing is called left out."""
    found = Follower(FakeService(events=250), GRANT).read(is_due=True)
    assert found is not None
    assert _seqs(found) == list(range(250, 150, -1))
    assert (found["seq"], found["epoch"], found["left_out"], found["lost"], found["anew"]) == (250, EPOCH, 0, 0, True)


def test_cursor_gives_every_event_once() -> None:
    """Each read goes on after the one before; nothing new is no message, unless a sign of life is due."""
    service = FakeService(events=10)
    follower = Follower(service, GRANT)
    follower.read(is_due=True)
    service.add(3)
    assert _seqs(follower.read(is_due=False)) == [13, 12, 11]
    assert follower.read(is_due=False) is None
    assert _seqs(follower.read(is_due=True)) == []


def test_tape_that_is_behind_says_how_many_it_left_out() -> None:
    """Of 350 new ones the newest hundred are sent and 250 counted."""
    service = FakeService(events=10)
    follower = Follower(service, GRANT)
    follower.read(is_due=True)
    service.add(350)
    found = follower.read(is_due=False)
    assert found is not None
    assert _seqs(found) == list(range(360, 260, -1))
    assert found["left_out"] == 250


def test_F16_position_that_is_known_goes_on() -> None:
    """Nothing twice, nothing missed, and what is shown stays."""
    found = Follower(FakeService(events=50), GRANT, 45, EPOCH).read(is_due=True)
    assert found is not None
    assert _seqs(found) == [50, 49, 48, 47, 46]
    assert not found["anew"]


@pytest.mark.parametrize(("seq", "epoch"), [(45, "another"), (51, EPOCH), (45, "")])
def test_F16_position_that_is_not_known_begins_anew(seq: int, epoch: str) -> None:
    """Another life of the numbers: the old cards are replaced."""
    found = Follower(FakeService(events=50), GRANT, seq, epoch).read(is_due=True)
    assert found is not None
    assert found["anew"]
    assert len(found["cards"]) == 50


def test_F16_events_that_memory_lost_meanwhile_are_counted() -> None:
    """The ring went on by more than it holds."""

    class Small(FakeService):
        def select(self, *asked: Any, **more: Any) -> dict[str, Any]:
            return {**super().select(*asked, **more), "kept": 30}

    found = Follower(Small(events=90), GRANT, 40, EPOCH).read(is_due=True)
    assert found is not None
    assert found["lost"] == 20


def test_paused_view_begins_where_it_was_paused_and_a_cleared_one_after() -> None:
    """The ticket carries both; after the first picture the tape goes on."""
    service = FakeService(events=50)
    follower = Follower(service, {**GRANT, "upto": 40, "after": 35})
    assert _seqs(follower.read(is_due=True)) == [40, 39, 38, 37, 36]
    assert _seqs(follower.read(is_due=False)) == list(range(50, 40, -1))


def test_ticket_says_how_rupees_are_grouped() -> None:
    """A reader's choice holds for the own tape only: each read has a context of its own."""

    class Rich(FakeService):
        def row(self, seq: int) -> dict[str, Any]:
            return {**super().row(seq), "type": "balance", "pair": "INR", "quantity": "1650841.59"}

    def shown(is_indian: bool) -> str:
        follower = Follower(Rich(events=1), {**GRANT, "is_indian": is_indian})
        found = copy_context().run(partial(follower.read, is_due=True))
        assert found is not None
        return text_of(found["cards"])

    assert "16,50,841.59" in shown(True)
    assert "1,650,841.59" in shown(False)


def test_filter_of_the_ticket_holds() -> None:
    """The page cannot ask for more than the script granted."""
    found = Follower(FakeService(events=50), {**GRANT, "criteria": {"types": ["position"]}}).read(is_due=True)
    assert found is not None
    assert all("position" in card["label"] for card in found["cards"])
    assert 0 < len(found["cards"]) < 50


@pytest.fixture
def service() -> Iterator[FakeService]:
    before = sys.modules.get(ANCHOR)
    fake = FakeService(events=50)
    install(fake)
    yield fake
    sys.modules.pop(ANCHOR) if before is None else sys.modules.update({ANCHOR: before})


@pytest.fixture
async def origin(service: FakeService) -> AsyncIterator[str]:
    """Serve our routes behind our middleware as Streamlit's server does, in a thread and loop of their own."""
    app = Starlette(routes=list(serving.ROUTES), middleware=list(serving.MIDDLEWARE))
    config = uvicorn.Config(app, ws="websockets-sansio", log_level="trace", lifespan="off", timeout_graceful_shutdown=3)
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    await eventually(lambda: server.started)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await asyncio.to_thread(thread.join, 10)
    assert not thread.is_alive()


@contextlib.asynccontextmanager
async def _tape(
    origin: str, ticket: str | None, query: str = "", **headers: str
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    protocols = (PROTOCOL,) if ticket is None else (PROTOCOL, ticket)
    sent = {"Origin": origin, **headers}
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(origin + PATH + query, protocols=protocols, headers=sent) as tape,
    ):
        yield tape


async def _refusal(origin: str, ticket: str | None, **headers: str) -> int:
    try:
        async with _tape(origin, ticket, **headers):
            return 101
    except aiohttp.WSServerHandshakeError as error:
        return error.status


async def _next(tape: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await tape.receive_str(timeout=5))
    return message


async def test_new_event_comes_without_being_asked_for(origin: str, service: FakeService) -> None:
    """The feed's thread rings, the server's loop writes."""
    async with _tape(origin, process_tickets().mint(GRANT)) as tape:
        assert tape.protocol == PROTOCOL
        assert (await _next(tape))["seq"] == 50
        service.add()
        assert _seqs(await _next(tape)) == [51]


async def test_resumed_tape_misses_nothing(origin: str, service: FakeService) -> None:
    """``since`` and ``epoch`` in the address, a new ticket beside them."""
    service.add(7)
    async with _tape(origin, process_tickets().mint(GRANT), f"?since=50&epoch={EPOCH}") as tape:
        assert _seqs(await _next(tape)) == list(range(57, 50, -1))


async def test_T04_socket_needs_an_unused_ticket_of_at_most_30_s(origin: str) -> None:
    """None, a wrong one, a used one, and one of a tape that is open: refused before the upgrade."""
    tickets = process_tickets()
    assert await _refusal(origin, None) == 403
    assert await _refusal(origin, "wrong") == 403
    ticket = tickets.mint(GRANT)
    async with _tape(origin, ticket) as tape:
        await _next(tape)
        assert await _refusal(origin, ticket) == 403
    assert await _refusal(origin, ticket) == 403


@pytest.mark.parametrize("foreign", ["http://localhost:1", "http://evil.example", "null", "HTTP://LOCALHOST", ""])
async def test_T01_socket_needs_the_exact_origin(origin: str, foreign: str) -> None:
    """With a good ticket, which stays good for its owner."""
    ticket = process_tickets().mint(GRANT)
    assert await _refusal(origin, ticket, Origin=foreign) == 403
    assert await _refusal(origin, ticket) == 101


async def test_T03_socket_needs_an_allowed_host(origin: str) -> None:
    """A rebound name carries an origin that fits it; the name itself is refused."""
    ticket = process_tickets().mint(GRANT)
    assert await _refusal(origin, ticket, Host="evil.example:8501", Origin="http://evil.example:8501") == 403


async def test_ticket_is_in_no_log(origin: str, caplog: pytest.LogCaptureFixture) -> None:
    """Not of the server with everything it can log about addresses, not of ours."""
    ticket = process_tickets().mint(GRANT)
    loggers = [logging.getLogger(name) for name in ("coindcx_feed.tape", "uvicorn.access", "uvicorn.error")]
    for logger in loggers:
        logger.addHandler(caplog.handler)
        caplog.set_level(logging.INFO, logger.name)
    try:
        async with _tape(origin, ticket) as tape:
            await _next(tape)
        await eventually(lambda: "tape closed" in caplog.text)
    finally:
        for logger in loggers:
            logger.removeHandler(caplog.handler)
    assert PATH in caplog.text
    assert ticket not in caplog.text


async def test_tape_only_listens(origin: str) -> None:
    """Whatever a page says ends its socket: there is no command to find."""
    async with _tape(origin, process_tickets().mint(GRANT)) as tape:
        await _next(tape)
        await tape.send_str('{"action":"subscribe"}')
        ended = await tape.receive(timeout=5)
        assert (ended.type, ended.data) == (aiohttp.WSMsgType.CLOSE, tape_socket.REFUSED)


async def test_T07_tape_does_not_outlive_its_time(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the page needs a ticket from a script that still runs for its reader."""
    monkeypatch.setattr(tape_socket, "LIFE_S", 0.3)
    async with _tape(origin, process_tickets().mint(GRANT)) as tape:
        await _next(tape)
        assert (await tape.receive(timeout=5)).data == tape_socket.RENEW


async def test_quiet_tape_gives_signs_of_life(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without them a page could not tell a quiet account from a dead server."""
    monkeypatch.setattr(tape_socket, "HEARTBEAT_S", 0.2)
    async with _tape(origin, process_tickets().mint(GRANT)) as tape:
        await _next(tape)
        sign = await _next(tape)
        assert (sign["cards"], sign["seq"], sign["anew"]) == ([], 50, False)


async def test_listening_ends_with_the_tape(origin: str, service: FakeService) -> None:
    """A hundred visits leave nothing behind in the feed."""
    for _ in range(5):
        async with _tape(origin, process_tickets().mint(GRANT)) as tape:
            await _next(tape)
    await eventually(lambda: not service.wakeups._bells)
