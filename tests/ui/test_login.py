"""The password in front of the dashboard."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import uvicorn
from fakes.clock import FakeClock
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from coindcx_feed.settings import Settings
from coindcx_feed.ui import login

PASSWORD = "correct horse & battery"


async def _account(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("the account")


async def _stream(socket: WebSocket) -> None:
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text)


@pytest.fixture
def configured() -> Iterator[login.Login]:
    login.configure(Settings(dashboard_password=SecretStr(PASSWORD)), is_secure=False)
    yield login._configured[0]
    login.configure(Settings(), is_secure=False)


@asynccontextmanager
async def _served() -> AsyncIterator[str]:
    routes = [Route("/{path:path}", _account), WebSocketRoute("/stream", _stream)]
    app = Starlette(routes=routes, middleware=[Middleware(login.LoginGate)])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(10):
            while not server.started:
                await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


async def _sign_in(http: aiohttp.ClientSession, url: str, password: str = PASSWORD, **headers: str) -> Any:
    return await http.post(f"{url}/login", data={"password": password}, headers=headers, allow_redirects=False)


def _jar() -> aiohttp.CookieJar:
    return aiohttp.CookieJar(unsafe=True)


async def test_T20_nothing_is_answered_before_the_password(configured: login.Login) -> None:
    """A page leads to the form, anything else and every socket is refused; the health check says no more than it."""
    async with _served() as url, aiohttp.ClientSession(cookie_jar=_jar()) as http:
        page = await http.get(f"{url}/orders?pair=B", headers={"Accept": "text/html"}, allow_redirects=False)
        assert (page.status, page.headers["Location"]) == (303, "/login?next=%2Forders%3Fpair%3DB")
        for method, path in (("GET", "/static/x.js"), ("POST", "/orders"), ("GET", "/_stcore/host-config")):
            assert (await http.request(method, url + path)).status == 401
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{url}/stream")
        assert refused.value.status == 403
        assert (await http.get(f"{url}/_stcore/health")).status == 200


async def test_T07_the_password_opens_pages_and_sockets_until_the_end(configured: login.Login) -> None:
    """The cookie is for this server's requests only, and leaving closes a page that is still open."""
    async with _served() as url, aiohttp.ClientSession(cookie_jar=_jar()) as http:
        form = await http.get(f"{url}/login?next=/orders")
        assert "frame-ancestors 'none'" in form.headers["Content-Security-Policy"]
        entered = await http.post(f"{url}/login?next=/orders", data={"password": PASSWORD}, allow_redirects=False)
        assert (entered.status, entered.headers["Location"]) == (303, "/orders")
        cookie = entered.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert await (await http.get(f"{url}/orders")).text() == "the account"
        async with http.ws_connect(f"{url}/stream") as socket:
            await socket.send_str("here")
            assert (await socket.receive(5)).data == "here"
            await http.get(f"{url}/logout", allow_redirects=False)
            closed = await socket.receive(login.LOOK_S + 5)
            assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, login.UNAUTHORISED)


async def test_T06_wrong_passwords_are_counted_and_then_not_looked_at(configured: login.Login) -> None:
    """After five wrong ones a right one is refused as well, with the time to wait, until the minute is over."""
    clock = FakeClock()
    configured.tries = login.Tries(clock.monotonic)
    async with _served() as url, aiohttp.ClientSession() as http:
        answers = [await _sign_in(http, url, f"guess {number}") for number in range(300)]
        assert [answer.status for answer in answers[: login.TRIES]] == [401] * login.TRIES
        assert {answer.status for answer in answers[login.TRIES :]} == {429}
        late = await _sign_in(http, url)
        assert late.status == 429
        assert int(late.headers["Retry-After"]) <= login.TRIES_S + 1
        await clock.advance(login.TRIES_S + 1)
        assert (await _sign_in(http, url)).status == 303


async def test_T01_a_page_of_another_origin_cannot_sign_anyone_in(configured: login.Login) -> None:
    """The form is accepted from this server's own page, or from a script that has no origin."""
    async with _served() as url, aiohttp.ClientSession() as http:
        for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example"):
            assert (await _sign_in(http, url, Origin=origin)).status == 403
        assert (await _sign_in(http, url, Origin=url)).status == 303


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "", "/\r\nX: y"])
async def test_the_way_back_stays_on_this_server(configured: login.Login, wanted: str) -> None:
    """An address that leads elsewhere is replaced by the first page."""
    async with _served() as url, aiohttp.ClientSession() as http:
        entered = await http.post(
            f"{url}/login", params={"next": wanted}, data={"password": PASSWORD}, allow_redirects=False
        )
        assert entered.headers["Location"] == "/"


async def test_hostile_address_is_text_in_the_form(configured: login.Login) -> None:
    """What came in the address is never markup."""
    async with _served() as url, aiohttp.ClientSession() as http:
        text = await (await http.get(f"{url}/login", params={"next": '/"><script>x</script>'})).text()
        assert "<script" not in text


async def test_a_giant_form_is_not_read(configured: login.Login) -> None:
    """It counts as a wrong password."""
    async with _served() as url, aiohttp.ClientSession() as http:
        assert (await _sign_in(http, url, PASSWORD + "x" * login.FORM_BYTES)).status == 401


async def test_sessions_end_after_half_a_day() -> None:
    """The cookie of yesterday opens nothing, and is not kept."""
    clock = FakeClock()
    sessions = login.Sessions(clock.monotonic)
    cookie = sessions.begin()
    await clock.advance(login.SESSION_S - 1)
    assert sessions.knows(cookie)
    await clock.advance(2)
    assert not sessions.knows(cookie)
    sessions.begin()
    assert len(sessions._ends) == 1


async def test_without_a_password_everything_passes() -> None:
    """The dashboard on loopback asks nothing."""
    login.configure(Settings(), is_secure=False)
    async with _served() as url, aiohttp.ClientSession() as http:
        assert await (await http.get(f"{url}/orders")).text() == "the account"
