"""Figures, cards and empty states."""

from datetime import UTC

from ui.fake_service import HOSTILE, FakeService
from ui.helpers import text_of, walk, with_class

from coindcx_feed.ui import cards


def _position(index: int = 0, **changes: object) -> dict[str, object]:
    return {**FakeService().positions()[index], **changes}


def test_position_card_says_what_is_computed() -> None:
    """The exchange does not send a PnL; the card says how it came about."""
    card = cards.position_card(_position(), pressed=False, live=True, now_ms=0.0)
    assert "+10.78 USDT" in text_of([card])
    assert any("does not send" in node.get("title", "") for node in walk([card]))


def test_position_card_is_a_button_that_names_its_position() -> None:
    """A click selects by id; a screen reader hears pair, side and margin currency."""
    card = cards.position_card(_position(), pressed=True, live=True, now_ms=0.0)
    assert (card["tag"], card["select"], card["pressed"]) == ("button", "p-eth", True)
    assert card["label"] == "Position B-ETH_USDT long, margin in USDT"


def test_pnl_that_is_not_live_is_grey() -> None:
    """Neither a gain nor a loss is claimed for a moment that is not now."""
    for live, fresh in ((False, True), (True, False)):
        card = cards.position_card(_position(mark_is_fresh=fresh), pressed=False, live=live, now_ms=0.0)
        assert with_class([card], "big")[0]["class"] == "big muted"


def test_near_liquidation_and_missing_stop_are_marked_by_glyph_too() -> None:
    """Colour alone never decides."""
    card = cards.position_card(_position(2), pressed=False, live=True, now_ms=0.0)
    assert "⚠ 4.8 %" in text_of([card])
    assert "⚠ No stop" in text_of([card])


def test_unknown_figures_are_dashes() -> None:
    """A position without mark shows no ruler and no zero."""
    card = cards.position_card(_position(3), pressed=False, live=True, now_ms=0.0)
    assert "–" in text_of([card])
    assert not with_class([card], "ruler")


def test_ruler_draws_to_scale_within_its_track() -> None:
    """Liquidation sits at the end, the mark right of the average when it is higher."""
    drawn = cards.ruler(_position(), "green")
    assert drawn is not None
    average, mark, liquidation = (with_class([drawn], name)[0] for name in ("avg", "tick", "liq"))
    ticks = with_class([drawn], "tick")
    assert all(0 <= tick["left"] <= 100 for tick in ticks)
    assert liquidation["left"] == 0
    assert average["left"] < ticks[-1]["left"]
    assert mark in ticks


def test_ruler_of_a_short_has_its_danger_on_the_right() -> None:
    """A short is liquidated above."""
    drawn = cards.ruler(_position(1), "green")
    assert drawn is not None
    assert with_class([drawn], "liq")[0]["left"] == 100


def test_ruler_needs_two_different_prices() -> None:
    """Mark and average at one price without a liquidation price leave nothing to draw."""
    assert cards.ruler(_position(mark_price="2898.40", liquidation_price=None), "") is None


def test_balance_card_keeps_every_digit() -> None:
    """The golden balance: digits after the second decimal are smaller, not cut."""
    card = cards.balance_card(FakeService().balances()[1], pressed=False, zone=UTC, now_ms=0.0)
    main, tail = with_class([card], "big")[0]["children"][:2]
    assert main["text"] + tail["text"] == "1,650,841.59606695345873"


def test_inr_value_shows_rate_and_time() -> None:
    """A conversion without its rate is a guess."""
    card = cards.balance_card(FakeService().balances()[0], pressed=False, zone=UTC, now_ms=0.0)
    assert "72,303.71 INR at 89.00," in text_of([card])


def test_cards_leave_no_hole() -> None:
    """Five cards stand three and two, not four and one."""
    assert cards.cards([{"tag": "div"}] * 5)["class"] == "cards by-3"
    assert cards.cards([{"tag": "div"}] * 4)["class"] == "cards by-4"


def test_no_events_lists_what_is_proven() -> None:
    """An idle account is no fault: connected, joined, alive, waiting."""
    service = FakeService(events=0, state="quiet")
    text = text_of([cards.no_events(service.status(), UTC)])
    for word in ("✓ connected", "✓ joined", "✓ alive", "· waiting", "sends nothing until an order"):
        assert word in text


def test_no_events_while_away_promises_nothing() -> None:
    """Without a connection the page does not say that it is up."""
    service = FakeService(events=0, state="connecting")
    text = text_of([cards.no_events(service.status(), UTC)])
    assert "The connection is up" not in text


def test_T13_hostile_status_and_currency_are_text() -> None:
    """Chips and names take any word."""
    chip = cards.status_chip(HOSTILE)
    assert chip["text"].startswith("? <img")
    wallet = {**FakeService().balances()[0], "currency": HOSTILE}
    card = cards.balance_card(wallet, pressed=False, zone=UTC, now_ms=0.0)
    assert all("\u202e" not in node.get("text", "") for node in walk([card]))
