"""One request over a real socket, through a proxy that breaks it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from fakes.clock import START_MS, FakeClock
from fakes.proxy import FaultProxy, fault_proxy
from fakes.rest_api import FakeApi, Say, fake_api
from fakes.waiting import eventually
from multidict import CIMultiDict

from coindcx_feed.errors import BadReply, CredentialsRefused, NoReply, RateLimited, RequestRefused, ServerTrouble
from coindcx_feed.exchange import rest_http
from coindcx_feed.exchange.rest_clock import SYSTEM_CLOCK
from coindcx_feed.exchange.rest_http import Answer, Http, Request, check_answer
from coindcx_feed.exchange.rest_routes import READS

BULK = [{"id": "x" * 900, "n": number} for number in range(2_000)]


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with fake_api() as running:
        running.answer("wallets", Say([]))
        yield running


@pytest.fixture
async def proxy(api: FakeApi) -> AsyncIterator[FaultProxy]:
    async with fault_proxy(api.url) as running:
        yield running


@contextlib.asynccontextmanager
async def _http(timeout_s: float = 5) -> AsyncIterator[Http]:
    http = Http(timeout_s, SYSTEM_CLOCK)
    http.open()
    try:
        yield http
    finally:
        await http.close()


def _request(url: str, raw: bytes | None = None) -> Request:
    return Request("wallets", "GET", url + READS["wallets"].path, {}, raw, {"X-AUTH-APIKEY": "canary-key"})


def _answer(status: int, text: bytes, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, text, CIMultiDict(named), START_MS, START_MS)


async def test_large_reply_is_read_to_its_end(api: FakeApi) -> None:
    """1.8 MB arrive in many pieces; none is missing."""
    api.answer("wallets", Say(BULK))
    async with _http() as http:
        answer = await http.send(_request(api.url))
    assert (answer.status, len(answer.text)) == (200, len(Say(BULK).response().body or b""))  # type: ignore[arg-type]


async def test_reply_in_tiny_segments_is_put_together(api: FakeApi, proxy: FaultProxy) -> None:
    """A slow, finely cut connection changes nothing but the time."""
    api.answer("wallets", Say([{"id": "w-1"}]))
    proxy.down.slice_bytes = 3
    async with _http() as http:
        assert (await http.send(_request(proxy.url))).text == b'[{"id":"w-1"}]'


async def test_connections_are_kept_while_open(api: FakeApi, proxy: FaultProxy) -> None:
    """Ten reads, one connection; without opening each read has its own and leaves none behind."""
    async with _http() as http:
        for _ in range(10):
            await http.send(_request(proxy.url))
        assert proxy.accepted == 1
    await Http(5, SYSTEM_CLOCK).send(_request(proxy.url))
    assert proxy.accepted == 2


async def test_closing_is_safe_at_any_time() -> None:
    """Twice, and before opening."""
    http = Http(1, SYSTEM_CLOCK)
    await http.close()
    http.open()
    http.open()
    await http.close()
    await http.close()


async def test_body_of_a_get_arrives_as_sent(api: FakeApi) -> None:
    """The exchange signs a GET by its body, which many clients cannot send."""
    async with _http() as http:
        await http.send(_request(api.url, b'{"timestamp":1}'))
    assert api.calls[0].body == {"timestamp": 1}


async def test_F02_closed_port_is_named_without_the_key() -> None:
    """T16: the library's own error may hold the request's headers; ours does not."""
    with pytest.raises(NoReply, match=r"127\.0\.0\.1:9.*cannot be reached.*check network") as caught:
        await Http(5, SYSTEM_CLOCK).send(_request("http://127.0.0.1:9"))
    assert caught.value.status == 0
    assert "canary" not in repr(caught.value) + repr(caught.value.__cause__)


async def test_F02_unknown_host_is_no_reply() -> None:
    """DNS failure."""
    with pytest.raises(NoReply, match="cannot be reached"):
        await Http(5, SYSTEM_CLOCK).send(_request("https://no-such-host.invalid"))


async def test_F03_black_hole_ends_at_the_time_out(proxy: FaultProxy) -> None:
    """Accepted, then silence."""
    proxy.hold("down")
    with pytest.raises(NoReply, match=r"within 0\.2 s, none came"):
        await Http(0.2, SYSTEM_CLOCK).send(_request(proxy.url))


async def test_F03_reply_that_stops_half_way_ends_at_the_time_out(api: FakeApi, proxy: FaultProxy) -> None:
    """The header came and a part of the body: that is no reply."""
    api.answer("wallets", Say(BULK))
    proxy.down.bandwidth_bps = 10_000
    with pytest.raises(NoReply, match="none came"):
        await Http(0.3, SYSTEM_CLOCK).send(_request(proxy.url))


async def test_F02_reply_cut_in_the_middle_is_not_taken_for_whole(api: FakeApi, proxy: FaultProxy) -> None:
    """FIN after 60,000 bytes of 1.8 MB."""
    api.answer("wallets", Say(BULK))
    proxy.down.limit_bytes = 60_000
    with pytest.raises(NoReply, match="cannot be reached"):
        await Http(5, SYSTEM_CLOCK).send(_request(proxy.url))


async def test_F02_reset_while_waiting_is_no_reply(proxy: FaultProxy) -> None:
    """RST instead of an answer; the HTTP library does not repeat the request behind our back."""
    proxy.hold("down")
    sending = asyncio.create_task(Http(5, SYSTEM_CLOCK).send(_request(proxy.url)))
    await eventually(lambda: proxy.bytes["up"])
    await proxy.reset()
    with pytest.raises(NoReply, match="cannot be reached"):
        await sending
    assert proxy.accepted == 1


async def test_oversized_reply_is_refused(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded whatever the server sends."""
    monkeypatch.setattr(rest_http, "MAX_REPLY_BYTES", 100_000)
    api.answer("wallets", Say(BULK))
    with pytest.raises(BadReply, match="at most 100,000 bytes") as caught:
        await Http(5, SYSTEM_CLOCK).send(_request(api.url))
    assert len(caught.value.raw) == 4_096


async def test_redirect_is_not_followed(api: FakeApi) -> None:
    """It would carry key and signature to another address."""
    api.answer("wallets", Say("", 302, {"Location": api.url + READS["orders"].path}))
    async with _http() as http:
        answer = await http.send(_request(api.url))
    assert [call.name for call in api.calls] == ["wallets"]
    with pytest.raises(RequestRefused, match="was 302"):
        check_answer("wallets", answer)


async def test_times_are_ours_and_the_date_is_the_servers(api: FakeApi) -> None:
    """Asked, received, and the reply's date of whole seconds."""
    api.answer("wallets", Say([], headers={"Date": "Wed, 23 Sep 2026 05:06:40 GMT"}))
    answer = await Http(5, FakeClock()).send(_request(api.url))
    assert (answer.asked_ms, answer.received_ms, answer.server_ms) == (START_MS, START_MS, START_MS)


@pytest.mark.parametrize("headers", [{}, {"Date": "soon"}, {"Date": "Wed, 23 Sep 2026 05:06:40 GMT", "Age": "3"}])
def test_missing_odd_or_cached_date_is_no_time(headers: dict[str, str]) -> None:
    """A cache's date is of an earlier moment."""
    assert _answer(200, b"[]", **headers).server_ms is None


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (_answer(401, b'{"message":"Invalid credentials"}'), CredentialsRefused, "key or signature"),
        (_answer(401, b"<html>"), CredentialsRefused, "key or signature"),
        (_answer(429, b"{}"), RateLimited, "too many requests"),
        (
            _answer(400, b'{"status":"error","message":"bad_request","code":400}'),
            RequestRefused,
            r"400 \(bad_request\)",
        ),
        (_answer(404, b'{"message":"not_found"}'), RequestRefused, r"404 \(not_found\)"),
        (_answer(422, b'{"message":"x"}'), RequestRefused, r"422 \(x\)"),
        (_answer(403, b'{"message":"ip not allowed"}'), RequestRefused, r"403 \(ip not allowed\)"),
        (_answer(403, b"<html>Just a moment</html>"), ServerTrouble, "HTTP 200, was 403$"),
        (_answer(500, b'{"message":""}'), ServerTrouble, "was 500$"),
        (_answer(502, b""), ServerTrouble, "was 502$"),
        (_answer(503, b'{"message":7}'), ServerTrouble, "was 503$"),
        (_answer(408, b""), ServerTrouble, "was 408$"),
        (_answer(200, b"<html>challenge</html>", Content_Type="text/html; charset=utf-8"), ServerTrouble, "text/html;"),
        (_answer(200, b'[{"id":"w'), ServerTrouble, "expected JSON"),
        (_answer(200, b""), ServerTrouble, "was nothing"),
        (_answer(200, b"[" * 100_000), ServerTrouble, "expected JSON"),
    ],
)
def test_each_answer_has_its_error(answer: Answer, error: type[Exception], message: str) -> None:
    """F28: what may pass, what will not, and what the exchange said about it."""
    with pytest.raises(error, match=message):
        check_answer("orders", answer)


def test_long_or_odd_message_of_the_exchange_is_cut() -> None:
    """T13: text of the feed does not fill a log."""
    with pytest.raises(RequestRefused) as caught:
        check_answer("orders", _answer(422, b'{"message":"' + b"x" * 1_000_000 + b'"}'))
    assert len(str(caught.value)) < 250


def test_time_the_exchange_asks_for_is_in_the_error() -> None:
    """For whoever decides whether to wait."""
    with pytest.raises(RateLimited) as caught:
        check_answer("orders", _answer(429, b""), 30.0)
    assert (caught.value.status, caught.value.retry_after_s) == (429, 30.0)


def test_json_with_status_200_passes() -> None:
    """Whatever it holds: its shape is judged where it is known."""
    check_answer("orders", _answer(200, b"[]"))
