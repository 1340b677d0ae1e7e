"""Rows F04 and F05: an exchange that goes on without saying anything, and one that wants nothing to do with us."""

import json
import time
from functools import partial
from pathlib import Path

import pytest
from fakes.rest_api import KEY, SECRET
from fakes.waiting import DEADLINE_S, eventually
from faults.trials import SHORT, Trial, figure, trial

from coindcx_feed.exchange.supervisor import BY_FRAME
from coindcx_feed.logs import log_path, start_logging, stop_logging
from coindcx_feed.simulator.behaviour import Behaviour


@pytest.mark.timed
async def test_F04_frozen_exchange_that_answers_pings_is_left(tmp_path: Path) -> None:
    """Pings alone prove nothing for longer than the limit; what was swallowed comes back by the reads."""
    behaviour = Behaviour(connect_ack_s=0, refuse_join_s=0, ping_interval_s=2.5)
    async with trial(tmp_path, behaviour=behaviour) as there:
        await there.trader.steps(10)
        before, started = len(there.joins), time.monotonic()
        there.exchange.has_prices, there.exchange.is_swallowing = False, True
        await there.trader.steps(10)
        await eventually(lambda: not there.is_watched)
        verdict_s = time.monotonic() - started
        there.exchange.has_prices, there.exchange.is_swallowing = True, False
        await there.rejoined(before)
        verdict = await there.end()
        await there.fills_arrived()
    figure("F04", verdict_s=verdict_s, limit_s=SHORT.proof_s, checker=verdict)
    assert verdict_s <= SHORT.proof_s + 1
    assert verdict.recovered > 0


@pytest.mark.timed
async def test_F04_mute_account_is_no_longer_called_live(tmp_path: Path) -> None:
    """C6: prices go on, private frames do not: from live to quiet at the limit, without a false alarm."""
    async with trial(tmp_path, SHORT._replace(account_proof_s=1.0)) as there:
        await there.trader.steps(5)
        await eventually(lambda: there.service.status()["state"] == "live")
        started = time.monotonic()
        await eventually(lambda: there.service.status()["account"]["fact"] == "joined")
        await eventually(lambda: there.service.status()["state"] == "quiet")
        quiet_s = time.monotonic() - started
        assert there.runtime.watch.gaps() == []
        await there.trader.steps(3)
        await eventually(lambda: there.runtime.change.proof == BY_FRAME)
        await there.end()
    figure("F04", quiet_after_s=quiet_s, limit_s=1.0, false_alarms=0)
    assert quiet_s <= 2.0


async def test_F04_swallowed_fill_is_found_when_the_price_crosses_its_limit(tmp_path: Path) -> None:
    """Only account frames are lost. An open order far behind the mark is odd: one read brings order and fill."""
    async with trial(tmp_path, odd_after_s=1) as there:
        order_id = await there.trader.rest("buy")
        await eventually(lambda: there.service.order(order_id))
        there.exchange.is_swallowing = True
        await there.trader.fill(order_id)
        there.exchange.is_swallowing = False
        started = time.monotonic()
        there.exchange.prices = {"B-ETH_USDT": {"ls": 2800.0, "mp": 2800.0}}
        await eventually(lambda: there.service.orders()[0]["status"] == "filled")
        found_s = time.monotonic() - started
        await there.fills_arrived()
        verdict = await there.end()
        assert there.runtime.watch.gaps() == []
    figure("F04", fill_found_s=found_s, limit_s=1, checker=verdict)
    assert verdict.swallowed > 0


QUICK = 240
"""Ten minutes pass in two and a half seconds: the times of the refused join are divided by this."""


@pytest.mark.timeout(900)
async def test_F05_refused_credentials_are_tried_rarely_and_never_shown(tmp_path: Path, is_long: bool) -> None:
    """Revoked in mid-session: rejected with the cause, at most 5 joins in 10 minutes, no secret in any output."""
    recent = start_logging(tmp_path, [])
    speed = 1 if is_long else QUICK
    timings = SHORT._replace(rejected_retry_s=300 / speed, joined_after_s=0.3)
    try:
        async with trial(tmp_path, timings) as there:
            await there.trader.steps(5)
            before, started = len(there.joins), time.monotonic()
            there.exchange.revoke()
            await there.exchange.server.kick()
            await eventually(lambda: there.service.status()["state"] == "rejected")
            await eventually(lambda: time.monotonic() >= started + 600 / speed, 700)
            joins = len(there.joins) - before
            shown = json.dumps([there.service.status(), there.service.gaps()]) + repr(there.received) + repr(recent)
            assert "COINDCX_API_SECRET" in there.service.status()["reason"]
            assert there.service.status()["label"] == "Disconnected"
            await _accepted_again(there, 400 / speed)
            verdict = await there.end()
    finally:
        stop_logging()
    shown += log_path(tmp_path).read_text(encoding="utf-8")
    figure("F05", joins_in_10_min=joins, speed=speed, secret_occurrences=shown.count(SECRET), checker=verdict)
    assert 2 <= joins <= 5
    assert (shown.count(SECRET), shown.count(KEY)) == (0, 0)


async def _accepted_again(there: Trial, within_s: float) -> None:
    there.exchange.is_revoked = there.exchange.server.reject_joins = False
    await eventually(lambda: there.is_compared, max(within_s, DEADLINE_S))


def _has_joined(there: Trial, before: int) -> bool:
    return len(there.joins) > before


@pytest.mark.parametrize("kicks", [1, 3])
async def test_F05_kicks_right_after_the_join_are_not_read_as_a_refusal(tmp_path: Path, kicks: int) -> None:
    """Good credentials and an exchange in a bad mood: back to normal, never rejected."""
    async with trial(tmp_path, SHORT._replace(joined_after_s=0.4)) as there:
        await there.trader.steps(5)
        await there.exchange.server.kick()
        for _ in range(kicks):
            before = len(there.joins)
            await eventually(partial(_has_joined, there, before))
            await there.exchange.server.kick()
        await there.rejoined(len(there.joins) - 1)
        await there.trader.steps(5)
        verdict = await there.end()
        assert "rejected" not in there.states
    figure("F05", kicks_after_join=kicks, checker=verdict)


@pytest.mark.timed
@pytest.mark.parametrize(("has_prices", "least_s", "most_s"), [(True, 0.5, 1.4), (False, 1.5, 3.0)])
async def test_C6_join_counts_when_something_joined_after_it_speaks(
    tmp_path: Path, has_prices: bool, least_s: float, most_s: float
) -> None:
    """A slow line may still hold the private join: prices, asked for behind it, show that it arrived."""
    async with trial(tmp_path, SHORT._replace(joined_after_s=0.5, proof_s=5.0)) as there:
        there.exchange.has_prices = has_prices
        before = len(there.joins)
        await there.exchange.server.kick()
        await eventually(partial(_has_joined, there, before))
        await eventually(lambda: there.is_watched)
        waited_s = time.monotonic() - there.joins[before]
    assert least_s - 0.05 <= waited_s <= most_s
