"""Which records leave, in which frames and when."""

from decimal import Decimal as D

import msgspec
from simulator.helpers import START_MS, records

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.announcer import Announcer
from coindcx_feed.simulator.behaviour import Behaviour
from coindcx_feed.simulator.core import Core
from coindcx_feed.simulator.orders import Order, OrderRequest

ETH = "B-ETH_USDT"


def new_core(behaviour: Behaviour | None = None) -> tuple[Core, list[Order]]:
    core = Core(1, START_MS, behaviour)
    orders = [core.new_order(OrderRequest("buy", ETH, D(size), D(2000))) for size in (1, 2)]
    core.keep(orders)
    core.account.position(orders[0].instrument, "USDT", D(5), START_MS)
    return core, orders


def test_orders_share_a_frame_or_not() -> None:
    """A switch: nobody knows."""
    for one_frame, sizes in ((True, [2]), (False, [1, 1])):
        core, orders = new_core(Behaviour(one_frame=one_frame))
        Announcer(core).orders(orders)
        assert [len(msgspec.json.decode(frame.data)) for frame in core.frames] == sizes


def test_repetition_of_a_first_frame_is_what_was_sent_first() -> None:
    """Also when the order has changed meanwhile."""
    core, orders = new_core(Behaviour(initial_repeat_ms=400))
    Announcer(core).new_orders(orders[:1])
    orders[0].status = "open"
    frames = core.advance(START_MS + 500)
    assert [row["status"] for row in records(frames, wire.ORDER_EVENT)] == ["initial", "initial"]


def test_position_and_wallet_follow_with_their_delays() -> None:
    """Both are switches; ten seconds for the wallet were seen once."""
    core, _ = new_core(Behaviour(position_lag_ms=40, balance_lag_ms=10_500))
    Announcer(core).state_later(ETH, "USDT")
    frames = core.advance(START_MS + 20_000)
    assert [(frame.event, frame.at_ms - START_MS) for frame in frames] == [
        (wire.POSITION_EVENT, 40),
        (wire.BALANCE_EVENT, 10_500),
    ]
    assert records(frames, wire.POSITION_EVENT)[0]["updated_at"] == START_MS + 40


def test_what_leaves_is_known_to_lists_that_trail() -> None:
    """From that moment on, not before; an order can be noted without a frame."""
    core, orders = new_core()
    announcer = Announcer(core)
    announcer.orders(orders[:1])
    announcer.note(orders[1])
    assert len(core.frames) == 1
    assert all(core.versions.at(order.id, START_MS, Order) is not None for order in orders)
    assert core.versions.at(orders[0].id, START_MS - 1, Order) is None
