"""Episodes: from the first order to flat, step by step."""

from decimal import Decimal as D

import numpy as np
from fakes.notes import ledger, note, order, position
from fakes.traded import traded

from coindcx_feed.analysis import episodes
from coindcx_feed.analysis.noted import Noted, noted
from coindcx_feed.events import EventType

OPENING = order(2, 1_000, "initial"), order(3, 2_000, "filled", "1", avg_price="100", fee_amount="0.06", previous=2)
HELD = (
    position(1, 900, "0"),
    position(4, 2_002, "1"),
    position(7, 4_000, "1", stop_loss_trigger="90"),
    position(8, 5_000, "1", stop_loss_trigger="90", locked_margin="9.9"),
    position(10, 6_002, "0"),
)
FILLS = (
    note("fill", 5, 1_990, fill_id="f-1", order_id="o-1", price="100", quantity="1", fee_amount="0.06"),
    note("fill", 11, 5_990, fill_id="f-2", order_id="o-2", price="110", quantity="1", fee_amount="0.07"),
)
CLOSING = order(9, 6_000, "filled", "1", side="sell", id="o-2", avg_price="110", fee_amount="0.07")
ROWS = (
    ledger(6, 2_000, "default", "0", "0.06"),
    ledger(12, 6_000, "exit", "10", "0.07", parent_id="o-2"),
    ledger(13, 5_000, "funding", "-0.1"),
)


def told(*events: Noted) -> list[episodes.Step]:
    (span,) = episodes.spans(HELD)
    first = episodes.first_order(span, OPENING)
    assert first is not None
    return episodes.steps(span, events, first.at_ms)


def test_spans_run_from_open_to_flat() -> None:
    """One is closed, the next lasts; the largest size is kept."""
    later = position(20, 9_000, "-2"), position(21, 9_500, "-5"), position(22, 9_900, "-3")
    found = episodes.spans([*HELD, *later])
    assert [(one.first_seq, one.closed_ms, one.side, one.most) for one in found] == [
        (4, 6_002, "long", D(1)),
        (20, None, "short", D(5)),
    ]
    assert all(one.is_whole for one in found)
    assert not episodes.spans(HELD[1:])[0].is_whole


def test_turning_over_ends_one_and_begins_another() -> None:
    """There is no flat record between."""
    found = episodes.spans([*HELD[:2], position(20, 9_000, "-2")])
    assert [(one.first_seq, one.last_seq, one.closed_ms) for one in found] == [(4, 20, 9_000), (20, 20, None)]


def test_first_order_is_the_one_that_filled_at_the_opening() -> None:
    """Its first record begins the episode; the other side's and other times' orders did not open it."""
    (span,) = episodes.spans(HELD)
    other = order(1, 800, "filled", "1", side="sell", id="o-9", avg_price="99")
    found = episodes.first_order(span, [other, *OPENING])
    assert found is not None
    assert (found.seq, found.at_ms) == (2, 1_000)
    assert episodes.first_order(span, [other]) is None


def test_every_step_names_its_event() -> None:
    """Orders, fills, sizes, protection, margin, bookings, in the exchange's order of time."""
    found = told(*OPENING, *HELD, *FILLS, CLOSING, *ROWS)
    assert [(step.seq, step.what, step.word) for step in found] == [
        (2, "order", "initial"),
        (5, "fill", "fill"),
        (3, "order", "filled"),
        (6, "booked", "booked default"),
        (4, "size", "opened"),
        (7, "protection", "stop set and no target"),
        (8, "margin", "margin, as a funding moves it"),
        (13, "funding", "funding"),
        (11, "fill", "fill"),
        (9, "order", "filled"),
        (12, "booked", "booked exit"),
        (10, "size", "flat"),
    ]


def test_sums_run_along_and_money_counts_once() -> None:
    """Ledger rows replace what orders and margin tell; fees are positive costs."""
    last = told(*OPENING, *HELD, *FILLS, CLOSING, *ROWS)[-1]
    assert (last.fees, last.funding, last.realised) == (D("0.13"), D("-0.1"), D(10))
    assert (last.size, last.average, last.margin) == (0, D(100), None)


def test_without_rows_the_steps_tell_the_money() -> None:
    """Fee and result of the orders, funding of the margin: marked as computed."""
    found = told(*OPENING, *HELD, CLOSING)
    assert (found[-1].fees, found[-1].funding, found[-1].realised) == (D("0.13"), D("-0.1"), D(10))
    assert [step.seq for step in found if step.is_computed] == [3, 8, 9]


def test_repeats_of_a_status_are_no_steps() -> None:
    """A doubled first frame says nothing new."""
    found = told(OPENING[0], OPENING[0]._replace(seq=99), OPENING[1])
    assert [step.word for step in found] == ["initial", "filled"]


def test_way_is_the_highest_and_lowest_result() -> None:
    """From marks; holes do not count, and without a mark nothing is known."""
    t_ms, pnl = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.5, np.nan, -2.0, 3.0])
    assert episodes.way(t_ms, pnl) == episodes.Way(3.0, 4.0, -2.0, 3.0)
    assert episodes.way(t_ms, np.full(4, np.nan)).best is None


def test_sums_of_the_simulated_account_are_its_books() -> None:
    """What all episodes of a position realised, paid and were funded is what its ledger rows say."""
    exchange, pipeline = traded(3, 4)
    events = [event for event in map(noted, pipeline.ring.since(0, 1_000_000)) if event is not None]
    for position_id in {event.data.id for event in events if event.kind is EventType.POSITION}:
        own = [event for event in events if event.kind is EventType.POSITION and event.data.id == position_id]
        beside = [
            event
            for event in events
            if event.kind in (EventType.ORDER, EventType.FILL, EventType.LEDGER)
            and (event.data.pair, event.currency) == (own[0].data.pair, own[0].currency)
        ]
        rows = [row for row in exchange.account.rows if row.position_id == position_id]
        spans = episodes.spans(own)
        lasts = [episodes.steps(span, [*own, *beside], span.opened_ms - 2_000)[-1] for span in spans[-1:]]
        if len(spans) == 1:
            (last,) = lasts
            assert last.realised == sum((row.profit for row in rows if row.stage != "funding"), D(0))
            assert last.fees == sum((row.fee for row in rows), D(0))
            assert last.funding == sum((row.profit for row in rows if row.stage == "funding"), D(0))
