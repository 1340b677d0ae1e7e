"""Row F28: the lists disagree, fail, come late, or are refused. A failed query is never read as flat."""

import asyncio
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fakes.frames import balance, order, position
from fakes.rest_api import Say
from fakes.waiting import eventually
from faults.trials import Trial, figure, trial

TROUBLES = {
    "refused": Say({"message": "bad_request"}, 400),
    "not a list": Say({"orders": []}),
}


async def _open_account(there: Trial) -> None:
    await there.exchange.update("order", order("o-1", updated_at=_now_ms()))
    await there.exchange.update("position", position("p-1", updated_at=_now_ms()))
    await there.exchange.update("balance", balance("w-1", "100"))
    await there.end()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def _kicked(there: Trial) -> None:
    before = len(there.joins)
    await there.exchange.server.kick()
    await there.rejoined(before)


def _has_joined(there: Trial, before: int) -> bool:
    return len(there.joins) > before


def _sizes(there: Trial) -> tuple[int, str, str]:
    service = there.service
    free = service.balances()[0]["available"]
    return len(service.orders()), service.positions()[0]["size"], free


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_F28_failed_read_changes_nothing_and_is_said(tmp_path: Path, trouble: str) -> None:
    """The account stands as it was, the gap says that it was not compared, and the next read repairs."""
    async with trial(tmp_path) as there:
        await _open_account(there)
        held = _sizes(there)
        there.exchange.trouble = TROUBLES[trouble]
        await _kicked(there)
        assert _sizes(there) == held
        (gap,) = there.runtime.watch.gaps()
        assert (gap.recovered, "not compared" in (gap.unknown or "")) == (None, True)
        assert there.service.status()["state"] == "quiet"
        there.exchange.trouble = None
        there.exchange.change("order", order("o-1", status="filled", remaining_quantity=0, updated_at=_now_ms()))
        await _kicked(there)
        verdict = await there.end()
        gaps = there.runtime.watch.gaps()
        assert (gaps[1].recovered, gaps[1].unknown) == (1, None)
    figure("F28", trouble=trouble.replace(" ", "_"), read_as_flat=0, checker=verdict)


async def test_F28_reads_that_differ_become_events_of_exactly_what_differs(tmp_path: Path) -> None:
    """One order ended, one is new, the position is gone, the wallet changed: four events, the rest is confirmed."""
    async with trial(tmp_path) as there:
        await _open_account(there)
        await there.exchange.update("order", order("o-2", updated_at=_now_ms()))
        await there.end()
        before = there.runtime.ring.version
        there.exchange.change("order", order("o-1", status="cancelled", remaining_quantity=0, updated_at=_now_ms()))
        there.exchange.change("order", order("o-3", side="sell", updated_at=_now_ms()))
        there.exchange.change("position", position("p-1", active_pos=0, updated_at=_now_ms()))
        there.exchange.change("balance", balance("w-1", "120.5"))
        await _kicked(there)
        verdict = await there.end()
        found = [message for message in there.received if message.get("seq", 0) > before]
    rest = [message["data"]["id"] for message in found if message.get("source") == "rest"]
    figure("F28", differing=4, events=len(rest), checker=verdict)
    assert sorted(rest) == ["o-1", "o-3", "p-1", "w-1"]


async def test_F28_lists_that_trail_the_socket_never_move_the_state_back(tmp_path: Path) -> None:
    """Every read shows the account of two seconds ago; the stream is right all the time."""
    async with trial(tmp_path, seed=28) as there:
        there.exchange.lag_s = 2.0
        for _ in range(2):
            await there.trader.steps(10)
            await _kicked(there)
            await there.trader.steps(10)
        await there.trader.settle()
        there.exchange.lag_s = 0.0
        await _kicked(there)
        verdict = await there.end()
        older = _moved_back(there.taken_records())
    figure("F28", late_by_s=2, moved_back=len(older), checker=verdict)
    assert older == []


def _moved_back(records: list[dict[str, Any]]) -> list[str]:
    # Nothing that a read brought may be older than what was known of its id.
    newest: dict[str, int] = {}
    found = []
    for record in records:
        number = record["data"]["x_number"]
        if record["source"] == "rest" and number < newest.get(record["data"]["id"], 0):
            found.append(f"{record['data']['id']} #{number}")
        if not record.get("late"):
            newest[record["data"]["id"]] = max(number, newest.get(record["data"]["id"], 0))
    return found


async def test_F28_position_that_is_not_listed_yet_is_not_taken_as_flat(tmp_path: Path) -> None:
    """Opened by the stream a moment before the read: the list trails, the position stands."""
    async with trial(tmp_path) as there:
        there.exchange.lag_s = 5.0
        await there.exchange.update("position", position("p-1", updated_at=_now_ms()))
        await _kicked(there)
        verdict = await there.end()
        assert there.service.positions()[0]["size"] == "0.2"
        assert {message["source"] for message in there.taken_records()} == {"stream"}
    figure("F28", not_listed_yet=1, taken_as_flat=0, checker=verdict)


async def test_F28_frames_during_a_slow_read_are_not_doubled(tmp_path: Path) -> None:
    """Every page takes 0.2 s while the account goes on moving: nothing twice, nothing back."""
    async with trial(tmp_path, seed=29) as there:
        await there.trader.steps(10)
        there.exchange.api.delay_s = 0.2
        before = len(there.joins)
        await there.exchange.server.kick()
        await eventually(partial(_has_joined, there, before))
        await _busy_until_compared(there)
        there.exchange.api.delay_s = 0.0
        verdict = await there.end()
        older = _moved_back(there.taken_records())
    figure("F28", slow_reads=1, moved_back=len(older), checker=verdict)
    assert older == []


async def _busy_until_compared(there: Trial) -> None:
    for _ in range(500):
        await there.trader.step()
        await asyncio.sleep(0.02)  # the pace of the account
        if there.is_compared:
            return


async def test_F28_refused_for_asking_too_much_is_left_alone_and_repaired_later(tmp_path: Path) -> None:
    """429 with its time: no request before it, the account untouched, then the comparison."""
    async with trial(tmp_path) as there:
        await _open_account(there)
        there.exchange.trouble = Say({"message": "too many"}, 429, {"Retry-After": "1"})
        before, started = len(there.joins), time.monotonic()
        await there.exchange.server.kick()
        await eventually(lambda: len(there.joins) > before and there.is_watched)
        await eventually(lambda: there.runtime.reader is not None and there.runtime.reader.budget.pause_s > 0)
        asked = len(there.exchange.api.calls)
        there.exchange.trouble = None
        await there.watched()
        waited_s = time.monotonic() - started
        verdict = await there.end()
        assert there.runtime.watch.gaps()[0].unknown is None
    figure("F28", retry_after_s=1, waited_s=waited_s, requests_before=asked, checker=verdict)
    assert waited_s >= 1


async def test_F28_reads_stay_within_the_budget(tmp_path: Path) -> None:
    """As shipped, 60 a minute with a burst of 10: six quick kicks do not ask more often than that."""
    async with trial(tmp_path, rest_per_minute=60) as there:
        await _open_account(there)
        started = time.monotonic()
        first = len(_signed(there))
        for _ in range(6):
            before = len(there.joins)
            await there.exchange.server.kick()
            await eventually(partial(_has_joined, there, before))
            await eventually(lambda: there.is_watched)
        verdict = await there.end()
        asked, span_s = len(_signed(there)) - first, time.monotonic() - started
    figure("F28", asked=asked, within_s=span_s, allowed=10 + span_s, checker=verdict)
    assert asked <= 10 + span_s + 1


def _signed(there: Trial) -> list[Any]:
    return [call for call in there.exchange.api.calls if call.is_signed]


async def test_F28_order_of_a_gap_that_could_not_be_compared_is_found_by_the_next_read(tmp_path: Path) -> None:
    """Two orders end while the lists fail; newer frames follow; the next complete reading still goes back so far."""
    async with trial(tmp_path) as there:
        await _open_account(there)
        there.exchange.trouble = TROUBLES["refused"]
        long_ago_ms = _now_ms() - 20_000
        there.exchange.change("order", order("o-1", status="filled", remaining_quantity=0, updated_at=_now_ms()))
        there.exchange.change("order", order("o-2", status="cancelled", remaining_quantity=0, updated_at=long_ago_ms))
        await _kicked(there)
        there.exchange.trouble = None
        await there.exchange.update("order", order("o-3", updated_at=_now_ms() + 30_000))
        await eventually(lambda: there.service.order("o-3"))
        await _kicked(there)
        verdict = await there.end()
    figure("F28", missed_while_reads_failed=2, recovered=verdict.recovered, checker=verdict)


async def test_C7_two_gaps_before_one_comparison_both_get_their_outcome(tmp_path: Path) -> None:
    """The connection ends again while the lists are read: each gap is told with what became of it."""
    async with trial(tmp_path) as there:
        await _open_account(there)
        there.exchange.api.delay_s = 0.5
        for count in (2, 3):
            await there.exchange.server.kick()
            await eventually(partial(_has_joined, there, count - 1))
            await eventually(lambda: there.is_watched)
        there.exchange.api.delay_s = 0.0
        await eventually(lambda: len(there.notes("upstream_gap")) == 2)
        await there.end()
        gaps = there.runtime.watch.gaps()
    assert [gap.recovered for gap in gaps] == [0, 0]
    assert [gap.unknown for gap in gaps] == [None, None]
