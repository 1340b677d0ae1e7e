"""Signed reads against a real HTTP server: what is signed, retried, rationed and measured."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fakes.clock import START_MS, FakeClock
from fakes.proxy import fault_proxy
from fakes.rest_api import KEY, SECRET, FakeApi, Say, fake_api
from fakes.waiting import eventually
from pydantic import SecretStr

from coindcx_feed.errors import (
    BadReply,
    CredentialsRefused,
    NoReply,
    RateLimited,
    RequestRefused,
    RestError,
    ServerTrouble,
)
from coindcx_feed.exchange.rest import NO_RETRY, Reply, RestReader, Retry, read_conversions
from coindcx_feed.exchange.rest_budget import Budget
from coindcx_feed.simulator.server import ExchangeServer

REFUSED = Say({"code": 401, "message": "Invalid credentials", "status": "error"}, 401)
BUSY = Say({"code": 503, "message": "", "status": "error"}, 503)
CHALLENGE = Say("<html>Just a moment...</html>", 403)


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with fake_api() as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(is_automatic=True)


def _reader(api: FakeApi, clock: FakeClock, **options: Any) -> RestReader:
    chosen = {"clock": clock, "uniform": lambda: 0.0, **options}
    return RestReader(api.url, SecretStr(KEY), SecretStr(SECRET), api.url, **chosen)


async def test_signed_read_carries_time_and_signature(api: FakeApi, clock: FakeClock) -> None:
    """The time is milliseconds, and the very bytes that are sent are signed."""
    api.answer("orders", Say([]))
    reply = await _reader(api, clock).read("orders", {"page": "1"})
    assert reply.data == []
    (call,) = api.calls
    assert call.is_signed
    assert call.body == {"page": "1", "timestamp": START_MS}


async def test_public_read_carries_neither_key_nor_body(api: FakeApi, clock: FakeClock) -> None:
    """Nothing about the account leaves where it is not needed."""
    api.answer("current_prices", Say({}))
    await _reader(api, clock).read("current_prices")
    (call,) = api.calls
    assert not call.is_signed
    assert call.body == {}


async def test_public_data_needs_no_credentials(api: FakeApi, clock: FakeClock) -> None:
    """A signed read without them says which settings are missing, and sends nothing."""
    api.answer("conversions", Say([]))
    reader = RestReader(api.url, clock=clock)
    await reader.read("conversions")
    with pytest.raises(CredentialsRefused, match="COINDCX_API_KEY and COINDCX_API_SECRET"):
        await reader.read("wallets")
    assert [call.name for call in api.calls] == ["conversions"]


async def test_numbers_keep_their_digits(api: FakeApi, clock: FakeClock) -> None:
    """No amount passes through a binary float."""
    api.answer("wallets", Say('[{"balance":1650841.59606695345873}]'))
    reply = await _reader(api, clock).read("wallets")
    assert str(reply.data[0]["balance"]) == "1650841.59606695345873"
    assert b"1650841.59606695345873" in reply.text


async def test_F05_refused_credentials_are_not_tried_again(api: FakeApi, clock: FakeClock) -> None:
    """T16: one request, one clear error, no secret in it."""
    api.answer("wallets", REFUSED)
    with pytest.raises(CredentialsRefused, match="401") as caught:
        await _reader(api, clock).read("wallets")
    assert caught.value.status == 401
    assert len(api.calls) == 1
    assert "canary" not in repr(caught.value)


@pytest.mark.parametrize("status", [400, 403, 404, 422])
async def test_F28_refused_request_is_not_tried_again(api: FakeApi, clock: FakeClock, status: int) -> None:
    """It would be refused in the same way."""
    api.answer("orders", Say({"message": "no"}, status))
    with pytest.raises(RequestRefused, match=f"{status} \\(no\\)"):
        await _reader(api, clock).read("orders")
    assert len(api.calls) == 1


@pytest.mark.parametrize("trouble", [BUSY, CHALLENGE, Say("<html>", 200), Say("", 502), Say('[{"cut', 200)])
async def test_F28_trouble_that_passes_is_survived(api: FakeApi, clock: FakeClock, trouble: Say) -> None:
    """Errors of the server, challenge pages and cut replies: tried again, longer and longer apart."""
    api.answer("orders", trouble, trouble, trouble, Say([7]))
    assert (await _reader(api, clock).read("orders")).data == [7]
    assert [pause for pause in clock.slept if pause] == [0.5, 1.0, 2.0]


async def test_F28_trouble_that_stays_ends_in_an_error(api: FakeApi, clock: FakeClock) -> None:
    """Four attempts, then the caller knows: never an empty list."""
    api.answer("orders", BUSY)
    with pytest.raises(ServerTrouble, match="503"):
        await _reader(api, clock).read("orders")
    assert len(api.calls) == 4


async def test_waits_are_jittered_and_bounded(api: FakeApi, clock: FakeClock) -> None:
    """Readers that failed together do not come back together, and none waits longer than the bound."""
    api.answer("orders", BUSY)
    reader = _reader(api, clock, uniform=lambda: 0.5, retry=Retry(attempts=8, first_s=1, most_s=4))
    with pytest.raises(ServerTrouble):
        await reader.read("orders")
    assert [pause for pause in clock.slept if pause] == [0.75, 1.5, 3.0, 3.0, 3.0, 3.0, 3.0]


async def test_attempts_can_be_limited_for_one_read(api: FakeApi, clock: FakeClock) -> None:
    """The supervisor's question about refused joins wants one answer now."""
    api.answer("wallets", BUSY)
    with pytest.raises(ServerTrouble):
        await _reader(api, clock).read("wallets", attempts=1)
    assert len(api.calls) == 1


async def test_each_attempt_is_signed_with_its_own_time(api: FakeApi, clock: FakeClock) -> None:
    """What waited for the budget or a retry would be too old for the exchange."""
    api.answer("orders", BUSY, BUSY, Say([]))
    await _reader(api, clock, budget=Budget(1, 1, clock)).read("orders")
    assert [call.body["timestamp"] - START_MS for call in api.calls] == [0, 60_000, 120_000]
    assert all(call.is_signed for call in api.calls)


async def test_F28_429_is_waited_for_as_long_as_the_exchange_says(api: FakeApi, clock: FakeClock) -> None:
    """By all reads of the account, not only by the one that was refused."""
    api.answer("orders", Say({}, 429, {"Retry-After": "30"}), Say([]))
    api.answer("wallets", Say([]))
    reader = _reader(api, clock)
    start = clock.monotonic()
    await asyncio.gather(reader.read("orders"), reader.read("wallets"))
    assert clock.monotonic() - start >= 30
    assert [call.name for call in api.calls].count("orders") == 2


async def test_F28_429_without_a_time_is_retried_a_bounded_number_of_times(api: FakeApi, clock: FakeClock) -> None:
    """``Retry-After`` was never seen on the exchange: ten seconds each, then an error of its own kind."""
    api.answer("orders", Say({}, 429))
    with pytest.raises(RateLimited):
        await _reader(api, clock).read("orders")
    assert len(api.calls) == 4
    assert sum(clock.slept) == pytest.approx(32)  # and after the second and third pause one second of the budget


async def test_F28_reads_stay_inside_the_budget(api: FakeApi, clock: FakeClock) -> None:
    """Retries count: 40 reads of a failing exchange are still at most ten and then one a second."""
    api.answer("orders", BUSY)
    times: list[float] = []
    api.serve("orders", lambda _call: times.append(clock.monotonic()) or BUSY)  # type: ignore[func-returns-value]
    reader = _reader(api, clock, retry=Retry(attempts=3, first_s=0.1, most_s=0.1))
    await asyncio.gather(*(reader.read("orders") for _ in range(40)), return_exceptions=True)
    assert len(times) == 120
    for second in range(int(times[-1]) + 1):
        # The burst and both ends of a minute; the clock moves on while a request is on its way to the server.
        assert sum(second <= at < second + 60 for at in times) <= 71 + 4


async def test_F28_headers_of_the_exchange_are_followed(api: FakeApi, clock: FakeClock) -> None:
    """Nothing left until the window ends."""
    api.answer("orders", Say([], headers={"RateLimit": "limit=60, remaining=0, reset=25"}), Say([]))
    reader = _reader(api, clock)
    await reader.read("orders")
    assert reader.budget.pause_s == 25
    await reader.read("orders")
    assert api.calls[1].body["timestamp"] - START_MS >= 25_000


async def test_F02_connection_lost_is_retried(api: FakeApi) -> None:
    """A reset connection costs one attempt; a closed port ends in ``NoReply`` after all of them."""
    api.answer("orders", Say([]))
    async with fault_proxy(api.url) as proxy:
        quick = Retry(attempts=3, first_s=0.01, most_s=0.01)
        async with RestReader(proxy.url, SecretStr(KEY), SecretStr(SECRET), retry=quick, timeout_s=5) as reader:
            await reader.read("orders")
            proxy.hold("down")
            reading = asyncio.create_task(reader.read("orders"))
            await eventually(lambda: len(api.calls) == 2)
            proxy.heal()
            await proxy.reset()
            assert (await reading).data == []
            await proxy.refuse()
            await proxy.cut()
            with pytest.raises(NoReply) as caught:
                await reader.read("orders")
    assert caught.value.status == 0


async def test_F03_silence_ends_at_the_time_out_of_each_attempt(api: FakeApi, clock: FakeClock) -> None:
    """Two attempts of a fifth of a second."""
    async with fault_proxy(api.url) as proxy:
        proxy.hold("down")
        two = Retry(attempts=2, first_s=0.01, most_s=0.01)
        reader = RestReader(proxy.url, SecretStr(KEY), SecretStr(SECRET), retry=two, clock=clock, timeout_s=0.2)
        with pytest.raises(NoReply, match=r"within 0\.2 s"):
            await reader.read("orders")
        assert proxy.accepted == 2


async def test_F19_skew_is_estimated_from_replies_of_the_account_host(api: FakeApi, clock: FakeClock) -> None:
    """Our clock is an hour ahead; the public host's cache does not count, a refusal does."""
    date = {"Date": "Wed, 23 Sep 2026 04:06:40 GMT"}
    api.answer("current_prices", Say({}, headers={"Date": "Wed, 23 Sep 2020 05:06:40 GMT"}))
    api.answer("wallets", Say({}, 401, date))
    reader = _reader(api, clock)
    await reader.read("current_prices")
    assert reader.skew.estimate() is None
    with pytest.raises(CredentialsRefused):
        await reader.read("wallets")
    skew = reader.skew.estimate()
    assert skew is not None
    assert abs(skew.offset_ms - 3_600_000) <= skew.uncertainty_ms == 500


async def test_T16_retries_are_logged_without_secrets(
    api: FakeApi, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """One line for each repeat, with its cause."""
    api.answer("orders", BUSY, Say([]))
    with caplog.at_level(logging.DEBUG):
        await _reader(api, clock).read("orders")
    lines = [record.getMessage() for record in caplog.records if record.name == "coindcx_feed.exchange.rest"]
    assert len(lines) == 1
    assert "was 503" in lines[0]
    assert "canary" not in caplog.text


def test_T16_reader_does_not_show_its_secret() -> None:
    """Nor its key."""
    reader = RestReader("http://127.0.0.1:9", SecretStr(KEY), SecretStr(SECRET))
    assert "canary" not in repr(reader) + repr(vars(reader))


async def test_unknown_read_takes_nothing_from_the_budget(api: FakeApi, clock: FakeClock) -> None:
    """C9: what is not in the table is not sent."""
    reader = _reader(api, clock)
    with pytest.raises(RequestRefused):
        await reader.read("orders/create")
    assert reader.budget.taken == 0


async def test_number_beyond_all_bounds_is_a_bad_reply() -> None:
    """F11: valid JSON that no decimal can hold."""
    with pytest.raises(BadReply, match="exponent"):
        _ = Reply(b"[1e9999999999999999999]", 0, 0, None).data


async def test_conversions_are_read_once_without_credentials(api: FakeApi) -> None:
    """Its caller repeats it by itself."""
    api.answer("conversions", Say([{"symbol": "USDTINR"}]), BUSY)
    assert (await read_conversions(api.url)).data == [{"symbol": "USDTINR"}]
    with pytest.raises(ServerTrouble):
        await read_conversions(api.url)
    assert len(api.calls) == 2


async def test_nothing_listening_is_status_zero() -> None:
    """No reply at all is not a refusal."""
    with pytest.raises(RestError, match="cannot be reached") as caught:
        await read_conversions("http://127.0.0.1:9")
    assert caught.value.status == 0


async def test_server_without_the_read_is_told_from_an_empty_account() -> None:
    """404 of the simulator's bare server."""
    async with ExchangeServer(port=0) as server:
        reader = RestReader(server.url, SecretStr(KEY), SecretStr(SECRET), retry=NO_RETRY)
        with pytest.raises(RequestRefused, match=r"404 \(not_found\)"):
            await reader.read("wallets")
