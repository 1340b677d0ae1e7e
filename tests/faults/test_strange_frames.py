"""Rows F10, F11 and F13: frames of every size and shape over the wire, and readers that were asleep."""

from pathlib import Path
from typing import Any

import pytest
from fakes.frames import order
from fakes.waiting import eventually
from faults.checker import Verdict, check_client
from faults.trials import Trial, figure, trial
from pydantic import SecretStr

from coindcx_feed import client
from coindcx_feed.errors import PositionLost
from coindcx_feed.exchange import wire

LARGE = 5 << 20


async def test_F10_every_size_of_frame_gives_as_many_events(tmp_path: Path) -> None:
    """500 records, none, one in a list, one as an object, one as an object that is not text."""
    async with trial(tmp_path) as there:
        rows = [order(f"o-{number}", updated_at=1_790_000_000_000 + number) for number in range(500)]
        await there.exchange.update("order", *rows)
        await there.exchange.server.emit(wire.ORDER_EVENT, "[]", wire.PRIVATE_CHANNEL)
        single = there.exchange.change("order", order("single"))
        there.exchange.sent.append(single)
        await there.exchange.server.emit(wire.ORDER_EVENT, single.text.decode(), wire.PRIVATE_CHANNEL)
        bare = there.exchange.change("order", order("object"))
        there.exchange.sent.append(bare)
        packet = b'2["%b",{"event":"%b","data":%b}]' % (wire.ORDER_EVENT.encode(), wire.ORDER_EVENT.encode(), bare.text)
        await there.exchange.server.emit_raw(packet.decode())
        verdict = await there.end()
    figure("F10", rows_in=502, rows_out=verdict.events, checker=verdict)
    assert verdict.events == 502
    assert verdict.quarantined == 0


def _mess() -> list[tuple[str, str]]:
    """Return frames as text of ``data``, each with a part of the reason that quarantine must give."""
    good = '"status":"open"'
    return [
        ('[{"id":"cut","status"', "expected"),
        ('[{"id":"n","status":"open","price":NaN}]', "JSON"),
        ('[{"id":"e","status":"open","price":1e999}]', "1e±40"),
        (f'[{{"id":"h","status":"open","price":{"9" * 5000}}}]', "price"),
        ("[" * 50_000, "nested"),
        ('[{"id":"d","status":"open","x":' + "[" * 5_000 + "]" * 5_000 + "}]", "nested"),
        ('[{"id":null,"status":null}]', "id"),
        (f"[{{{good}}}]", "id"),
        ('[{"id":7,"status":"open"}]', "id"),
        ('[{"id":"t","status":"open","price":"12x"}]', "price"),
        ("[1, null, true]", "expected an object"),
        ('"text"', "expected"),
        (f'[{{"id":"big","status":"open","note":"{"x" * LARGE}"}}]', "at most"),
        ('[{"id":"s","status":"open","note":"\\ud800"}]', ""),
    ]


async def test_F11_malformed_frames_among_good_ones(tmp_path: Path) -> None:
    """Each bad record is kept apart with its reason, the good ones around it are events, nobody reconnects."""
    async with trial(tmp_path) as there:
        mess = _mess()
        for data, _ in mess:
            await there.trader.steps(3)
            await there.exchange.server.emit(wire.ORDER_EVENT, data, wire.PRIVATE_CHANNEL)
        await there.exchange.server.emit_raw('2["df-order-update",{"data":"[{')
        await there.exchange.server.emit_raw('2["df-order-update"]')
        await there.exchange.server.emit_raw('2["no-such-event",{"data":"[]"}]')
        await there.trader.steps(5)
        expected = len(mess) + 2 + 3
        await eventually(lambda: there.service.status()["counters"]["quarantined"] >= expected)
        kept = list(reversed(there.service.feed()["quarantine"]))
        verdict = await there.end()
        assert there.runtime.supervisor is not None
        assert there.runtime.supervisor.connects == 1
        assert there.runtime.pipeline.counters["failures"] == 0
    reasons = [entry["reason"] for entry in kept]
    for _, reason in mess:
        assert any(reason in given for given in reasons), (reason, reasons)
    figure("F11", bad_frames=len(mess) + 3, quarantined=verdict.quarantined, checker=verdict)
    assert verdict.quarantined == expected


@pytest.mark.parametrize("status", ["OPEN", "some_new_status", ""])
async def test_F11_unknown_status_and_numbers_as_text_are_events(tmp_path: Path, status: str) -> None:
    """Kept word for word and counted as quirks; only an empty status is none."""
    async with trial(tmp_path) as there:
        await there.exchange.update("order", order("o-1", status=status or "open", price="2900.50"))
        verdict = await there.end()
        quirks = {met.quirk.name for met in there.runtime.pipeline.quirks.met()}
    assert "NUMBER_AS_TEXT" in quirks
    assert ("UNKNOWN_STATUS" in quirks) == (status == "some_new_status")
    assert verdict.quarantined == 0


@pytest.mark.parametrize("has_log", [False, True])
async def test_F13_sleeping_client_is_told_exactly_what_it_missed(tmp_path: Path, has_log: bool) -> None:
    """A ring of 1,000, 2,500 records, a client that comes back: what came and what was named missing is everything, and
    with a log nothing is missing.
    """
    settings = {} if has_log else {"store_url": SecretStr("none")}
    async with trial(tmp_path, ring_capacity=1_000, **settings) as there:
        await there.trader.steps(5)
        await there.end()
        woke_at, epoch = there.runtime.ring.version, there.runtime.ring.epoch
        for _ in range(10):
            await there.trader.steps(100)
        await eventually(lambda: there.service.status()["counters"]["records"] == len(there.exchange.sent))
        newest = there.runtime.ring.version
        await eventually(lambda: len(there.received) and there.received[-1].get("seq", 0) >= newest)
        messages = await _resumed(there.runtime.sidecar.port, woke_at, epoch, newest)
        with pytest.raises(PositionLost):
            there.runtime.ring.since(woke_at, 10)
        page = there.service.select({}, after=woke_at, limit=100_000)
        verdict = _whole(there, woke_at, newest, messages)
    told = [message["data"] for message in messages if message["type"] == "system" and "seq" not in message]
    heard = [message["seq"] for message in messages if "seq" in message]
    missing = {seq for gap in told for seq in range(gap["missed_from"], gap["missed_to"] + 1)}
    assert [gap["recovered"] for gap in told] == ([] if has_log else [False])
    assert bool(missing) is not has_log
    assert missing | set(heard) == set(range(woke_at + 1, newest + 1))
    assert not missing & set(heard)
    assert page["kept"] == 1_000
    figure("F13", missed_and_told=len(missing), heard=len(heard), silent_holes=len(verdict.lost), checker=verdict)
    assert verdict.findings == {}


def _whole(there: Trial, woke_at: int, newest: int, resumed: list[Any]) -> Verdict:
    # What the sleeper had before it fell asleep, and what it got afterwards.
    had: list[Any] = [message for message in there.received if message.get("seq", woke_at + 1) <= woke_at]
    messages = [*had, *(message for message in resumed if "seq" in message or message["type"] == "system")]
    ring, verdict = there.runtime.ring, Verdict()
    bodies = {event.seq: event.body for event in ring.since(ring.oldest - 1, 1_000_000) if event.seq <= newest}
    check_client(verdict, bodies, messages, [message.raw for message in messages])
    return verdict


async def _resumed(port: int, since: int, epoch: str, newest: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    stream = client.events(f"ws://127.0.0.1:{port}", since, epoch)
    async for message in stream:
        found.append(message)
        if message.get("seq", 0) >= newest:
            break
    await stream.aclose()
    return found
