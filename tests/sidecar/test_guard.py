"""The one door of all routes over real sockets: who passes, with what identity, and what is counted."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from aiohttp import web
from sidecar.helpers import TOKEN, World, eventually
from sidecar.test_tokens import SECRET, signed

from coindcx_feed.errors import BadRequest, NotAuthorized
from coindcx_feed.sidecar.guard import NEEDS, STATUS_PATH, TICKET_PATH, Need, Refusal
from coindcx_feed.sidecar.limits import Limits
from coindcx_feed.sidecar.rates import FREE_GUESSES

DASHBOARD = "http://localhost:8501"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def guarded() -> AsyncIterator[World]:
    """A sidecar with a shared token and a secret for signed ones."""
    async with World(token=TOKEN, jwt_secret=SECRET, limits=Limits(tick_s=0.02)) as running:
        yield running


async def answer_of(world: World, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    async with world.http.request(method, world.url(path=path, scheme="http"), **options) as answer:
        text = await answer.text()
        assert "\n" not in text
        return answer.status, await answer.json() if text else {}, dict(answer.headers)


@pytest.mark.parametrize("path", ["/", "/api/v1/events", "/api/v1/nothing", TICKET_PATH])
async def test_T04_a_route_that_is_not_in_the_table_needs_proof(guarded: World, path: str) -> None:
    """Also one that does not exist: who has no token learns nothing, and a new route is closed until it is listed."""
    for method in ("GET", "POST"):
        status, body, headers = await answer_of(guarded, method, path)
        assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
        assert list(body) == ["error"]
    assert (await answer_of(guarded, "GET", path, headers=bearer(TOKEN)))[0] in (200, 404, 405)
    assert guarded.sidecar.refusals["no_token"] == 2


def test_T24_the_table_of_open_routes_is_short() -> None:
    """Health of the process, counts, and the socket that asks by itself."""
    assert {path for path, need in NEEDS.items() if need is Need.NOTHING} == {"/healthz", "/readyz"}
    assert sum(need is Need.LATER for need in NEEDS.values()) == 2


async def test_T23_every_route_only_reads(world: World) -> None:
    """Nothing but a ticket is made here, and that changes no account."""
    assert world.sidecar._runner is not None
    routes = {(route.method, route.resource) for route in world.sidecar._runner.app.router.routes()}
    writing = {(method, place and place.canonical) for method, place in routes if method not in ("GET", "HEAD")}
    assert writing == {("POST", TICKET_PATH)}


@pytest.mark.parametrize("make", [lambda: TOKEN, signed])
async def test_T04_either_credential_opens_every_route(guarded: World, make: Any) -> None:
    """In the header of HTTP and of the socket, and as the first message."""
    status, body, _ = await answer_of(guarded, "GET", STATUS_PATH, headers=bearer(make()))
    assert (status, "epoch" in body) == (200, True)
    async with guarded.connect(headers=bearer(make())) as client:
        assert (await client.next())["type"] == "system"
    async with guarded.connect() as client:
        await client.ws.send_json({"action": "auth", "token": make()})
        assert (await client.next())["type"] == "system"


@pytest.mark.parametrize("claims", [{"exp": 1}, {"exp": None}, {"aud": "other"}])
async def test_T04_a_signed_token_that_is_not_good_is_refused_everywhere(guarded: World, claims: Any) -> None:
    """401 before the upgrade, 4500 after, with the reason."""
    status, message = await guarded.refusal(**bearer(signed(**claims)))
    assert (status, message[:16]) == (401, "expected a valid" if claims == {"exp": 1} else "expected a token")
    async with guarded.connect() as client:
        await client.ws.send_json({"action": "auth", "token": signed(**claims)})
        assert await client.end() == (4500, message)
    assert guarded.sidecar.refusals["claims"] == 2


async def test_T04_scopes_narrow_a_connection(guarded: World) -> None:
    """Asked for nothing it gets the scope, asked for more it is refused, in both ways to authenticate."""
    token = signed(types=["order"], pairs=["B-ETH_USDT"])
    async with guarded.connect(headers=bearer(token)) as early, guarded.connect() as late:
        await late.ws.send_json({"action": "auth", "token": token})
        for client in (early, late):
            assert (await client.next())["type"] == "system"
        guarded.publish("balance", None)
        guarded.publish("order", "B-BTC_USDT")
        guarded.publish("order", "B-ETH_USDT")
        for client in (early, late):
            assert (await client.next())["seq"] == 3
    line = "types: expected some of order (the token's scope), was balance: ask for less"
    assert await guarded.refusal("types=balance,order", **bearer(token)) == (401, line)
    async with guarded.connect("types=balance,order") as client:
        await client.ws.send_json({"action": "auth", "token": token})
        assert await client.end() == (4500, line)


async def test_T07_a_connection_ends_with_its_token(guarded: World) -> None:
    """Within a tick (1 s as configured, 20 ms here), and the client is told to get another."""
    token = signed(exp=int(time.time()) + 2)
    async with guarded.connect(headers=bearer(token)) as client:
        await client.next()
        assert await client.end() == (4502, "expired: get a new token")
        assert time.time() < jwt.decode(token, options={"verify_signature": False})["exp"] + 1
    await eventually(lambda: guarded.sidecar.refusals.get("expired") == 1)


async def test_T04_a_ticket_opens_one_socket_with_the_rights_of_whoever_asked(guarded: World) -> None:
    """Its scope and its end go along; a second use is refused."""
    end = int(time.time()) + 2
    status, body, headers = await answer_of(
        guarded, "POST", TICKET_PATH, headers=bearer(signed(types=["order"], exp=end))
    )
    assert (status, list(body), body["expires_in"]) == (200, ["ticket", "expires_in"], 30)
    assert headers["Cache-Control"] == "no-store"
    async with guarded.connect(f"ticket={body['ticket']}") as client:
        assert (await client.next())["type"] == "system"
        guarded.publish("balance")
        guarded.publish("order")
        assert (await client.next())["seq"] == 2
        status, message = await guarded.refusal(f"ticket={body['ticket']}")
        assert (status, "was used" in message) == (401, True)
        assert (await client.end())[0] == 4502


async def test_T07_a_ticket_ends_with_the_token_that_asked_for_it(guarded: World) -> None:
    """It lives for 30 s at most; where the token ended before, nothing at all is sent for it."""
    guarded.publish(count=3)
    end_s = int(time.time()) + 2
    _, body, _ = await answer_of(guarded, "POST", TICKET_PATH, headers=bearer(signed(exp=end_s)))
    await eventually(lambda: time.time() > end_s)
    status, message = await guarded.refusal(f"since=earliest&ticket={body['ticket']}")
    assert (status, "was expired" in message) == (401, True)


@pytest.mark.parametrize("query", ["ticket=", "ticket=x", "ticket=a&ticket=b", f"ticket={'x' * 5000}"])
async def test_T04_another_ticket_is_refused(guarded: World, query: str) -> None:
    """Also with no token configured: a ticket says that its holder wants to be known."""
    assert (await guarded.refusal(query))[0] in (400, 401)
    async with World() as open_world:
        assert (await open_world.refusal(query))[0] in (400, 401)


async def test_a_ticket_is_for_the_socket_only(guarded: World) -> None:
    """Elsewhere a header does, and no address holds a secret."""
    _, body, _ = await answer_of(guarded, "POST", TICKET_PATH, headers=bearer(TOKEN))
    for path in (STATUS_PATH, "/healthz", "/api/v1/events"):
        assert (await answer_of(guarded, "GET", f"{path}?ticket={body['ticket']}"))[0] == 400
    assert (await guarded.refusal("token=x"))[0] == 400
    assert (await answer_of(guarded, "GET", f"{STATUS_PATH}?Token={TOKEN}"))[0] == 400


async def test_T06_guesses_are_soon_not_looked_at(guarded: World) -> None:
    """A thousand tries accept nobody, and after the free ones the right token waits too; open clients do not notice."""
    async with guarded.connect(headers=bearer(TOKEN)) as client:
        await client.next()
        answers: list[int] = []
        for first in range(0, 1000, 50):
            tries = (guarded.refusal(**bearer(f"guess-{number}")) for number in range(first, first + 50))
            answers += [status for status, _ in await asyncio.gather(*tries)]
        assert 200 not in answers
        assert FREE_GUESSES <= answers.count(401) <= FREE_GUESSES + 8
        assert answers.count(401) + answers.count(429) == 1000
        status, body, headers = await answer_of(guarded, "GET", STATUS_PATH, headers=bearer(TOKEN))
        assert (status, list(body)) == (429, ["error"])
        assert int(headers["Retry-After"]) > 0
        async with guarded.connect() as late:
            await late.ws.send_json({"action": "auth", "token": TOKEN})
            assert (await late.end())[0] == 4500
        guarded.publish()
        assert (await client.next())["seq"] == 1
    assert guarded.sidecar.refusals["guess"] >= 900


async def test_T06_a_script_with_an_old_token_locks_nobody_out(guarded: World) -> None:
    """The same wrong token again is no further guess."""
    for _ in range(30):
        assert (await guarded.refusal(**bearer("old-token-of-yesterday")))[0] == 401
    assert (await answer_of(guarded, "GET", STATUS_PATH, headers=bearer(TOKEN)))[0] == 200


async def test_cors_is_the_exact_list_on_every_route(guarded: World) -> None:
    """Answers and refusals alike name the listed page; a preflight needs no credential."""
    for path in (STATUS_PATH, TICKET_PATH, "/nowhere"):
        for headers in ({"Origin": DASHBOARD}, {"Origin": DASHBOARD, **bearer(TOKEN)}):
            _, _, came = await answer_of(guarded, "GET", path, headers=headers)
            assert (came["Access-Control-Allow-Origin"], came["Vary"]) == (DASHBOARD, "Origin")
        status, _, came = await answer_of(guarded, "OPTIONS", path, headers={"Origin": DASHBOARD})
        assert (status, came["Access-Control-Allow-Origin"]) == (204, DASHBOARD)
        status, _, came = await answer_of(guarded, "OPTIONS", path, headers={"Origin": "http://evil.example"})
        assert status == 403
        assert "Access-Control-Allow-Origin" not in came


async def test_handlers_refuse_in_their_own_words(world: World) -> None:
    """What they raise becomes a status and one line, counted under its kind."""
    raised: list[Exception] = [Refusal(409, "own", "a"), BadRequest("b"), NotAuthorized("c")]

    async def refuse(_: web.Request) -> web.Response:
        raise raised.pop(0)

    async def through(request: web.Request) -> web.StreamResponse:
        return await world.sidecar._guard.middleware(request, refuse)

    server = web.Server(through)  # type: ignore[arg-type]
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    answers = []
    for _ in range(3):
        async with world.http.get(f"http://127.0.0.1:{port}/") as answer:
            answers.append((answer.status, (await answer.json())["error"]))
    await runner.cleanup()
    assert answers == [(409, "a"), (400, "b"), (401, "c")]
    assert world.sidecar.refusals == {"own": 1, "query": 1, "scope": 1}


async def test_what_this_side_closes_is_counted_by_code(world: World) -> None:
    """Under the code's name; a client that leaves by itself is no refusal."""
    async with world.connect() as client:
        await client.ws.send_bytes(b"x")
        await client.end()
    async with world.connect() as client:
        await client.ws.close()
    await eventually(lambda: world.sidecar.refusals == {"binary": 1})


async def test_T04_behind_a_proxy_the_forwarded_address_is_judged() -> None:
    """One caller's guesses do not lock out another's; without trust the headers mean nothing."""
    async with World(token=TOKEN, sidecar_trusted_proxies=("127.0.0.1",)) as world:
        for number in range(FREE_GUESSES):
            headers = {"X-Forwarded-For": "8.8.8.8, 1.2.3.4", **bearer(f"guess-{number}")}
            assert (await world.refusal(**headers))[0] == 401
        for ip, status in (("1.2.3.4", 429), ("8.8.8.8", 200)):
            headers = {"X-Forwarded-For": ip, **bearer(TOKEN)}
            assert (await answer_of(world, "GET", STATUS_PATH, headers=headers))[0] == status
