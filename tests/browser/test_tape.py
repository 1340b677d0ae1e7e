"""The live tape in a real browser: cards without a run of a script, pause, choice, and a socket that was cut."""

import itertools
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from browser.harness import Dashboard, Watched, assert_whole, eventually, kept, number_after, open_page, watched
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
ALL_TYPES = "&".join(f"types={name}" for name in ("order", "position", "balance", "fill", "ledger", "system"))
MOST = 100

SPY = """
window.tapes = [];
window.isMute = false;
window.WebSocket = class extends window.WebSocket {
  constructor(address, protocols) {
    super(address, protocols);
    if (!this.isTape()) return;
    const tape = { socket: this, address: String(address), ticket: protocols[1], wasOpen: false };
    this.addEventListener('open', () => { tape.wasOpen = true; });
    window.tapes.push(tape);
  }
  isTape() { return this.url.includes('/live/tape'); }
  send(data) { if (!window.isMute || this.isTape()) super.send(data); }
};
"""
"""Notes the tape's sockets, and can hold back everything that the page would say to Streamlit."""


@pytest.fixture
def page(tab: Watched) -> Iterator[Page]:
    opened = tab.page()
    opened.add_init_script(SPY)
    yield opened
    assert_whole(opened)


def _open(page: Page, dashboard: Dashboard, query: str = "") -> None:
    open_page(page, f"{dashboard.url}/?look=tape&{query}")
    eventually(lambda: len(_seqs(page)) > 3, "cards")


def _seqs(page: Page) -> list[int]:
    """Return the numbers of the cards, from the top."""
    found = page.locator(".tape-card").evaluate_all("cards => cards.map((card) => Number(card.dataset.key))")
    return [int(seq) for seq in found]


def _head(page: Page) -> str:
    return page.locator(".tape-head").inner_text().replace("\n", " ")


def _tapes(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(
        "window.tapes.map(({ address, ticket, wasOpen }) => ({ address, ticket, wasOpen }))"
    )
    return found


def _is_dense(seqs: list[int]) -> bool:
    return all(after == before - 1 for before, after in itertools.pairwise(seqs))


def test_cards_appear_without_a_run_of_any_script(dashboard: Dashboard, page: Page) -> None:
    """The page cannot say a word to Streamlit, its status line stands still, and the newest event is on top."""
    _open(page, dashboard, ALL_TYPES)
    page.evaluate("window.isMute = true")
    eventually(lambda: page.locator(".nodes.frozen").count(), "a status line that stands still")
    before, shown = kept(page), _seqs(page)
    eventually(lambda: _seqs(page)[0] > shown[0] + 3, "newer cards on top")
    assert kept(page) == before
    assert _is_dense(_seqs(page))
    assert len(_seqs(page)) <= MOST
    assert len(_tapes(page)) == 1
    assert page.locator("[role=log]").get_attribute("aria-live") == "off"


def test_paused_tape_counts_what_waits_and_then_shows_all_of_it(dashboard: Dashboard, page: Page) -> None:
    """Nothing is painted meanwhile; afterwards nothing is missing and nothing is there twice."""
    _open(page, dashboard, ALL_TYPES)
    page.get_by_role("button", name="Pause").click()
    eventually(lambda: "Paused" in _head(page), "a paused tape")
    shown = _seqs(page)
    waiting = eventually(lambda: number_after(_head(page), "Paused"), "events that wait")
    eventually(lambda: number_after(_head(page), "Paused") > waiting, "more events that wait")
    assert _seqs(page) == shown
    page.get_by_role("button", name="Resume").click()
    eventually(lambda: _seqs(page)[0] > shown[0] + waiting, "what waited")
    assert _is_dense(_seqs(page))
    assert shown[0] in _seqs(page)
    assert len(_tapes(page)) == 1


def test_pressed_card_chooses_its_event(dashboard: Dashboard, page: Page) -> None:
    """As a row does: the pane shows it, the card is marked and stays marked while it moves down."""
    _open(page, dashboard)
    page.get_by_role("button", name="Pause").click()
    eventually(lambda: "Paused" in _head(page), "a paused tape")
    seq = _seqs(page)[1]
    page.locator(".tape-card").nth(1).click()
    pane = page.locator(".st-key-pane-head .nodes")
    eventually(lambda: pane.count() and number_after(pane.inner_text(), "seq") == seq, "its details")
    page.get_by_role("button", name="Resume").click()
    eventually(lambda: _seqs(page)[0] > seq + 1, "newer cards")
    marked = page.locator(".tape-card[aria-pressed=true]")
    assert marked.evaluate_all("cards => cards.map((card) => Number(card.dataset.key))") == [seq]


def test_drawer_opens_from_a_card(dashboard: Dashboard, page: Page) -> None:
    """With the details as a drawer the tape has the whole width; a card pressed twice opens it twice."""
    _open(page, dashboard, "details=drawer")
    page.get_by_role("button", name="Pause").click()
    eventually(lambda: "Paused" in _head(page), "a paused tape")
    for _ in range(2):
        page.locator(".tape-card").nth(1).click()
        page.get_by_role("dialog").wait_for()
        page.keyboard.press("Escape")
        eventually(lambda: page.get_by_role("dialog").count() == 0, "a closed drawer")


def test_F16_cut_socket_comes_back_without_loss_or_double(dashboard: Dashboard, page: Page) -> None:
    """Three times: each time with another ticket and the position that was reached."""
    _open(page, dashboard, ALL_TYPES)
    for cut in range(1, 4):
        newest = _seqs(page)[0]
        page.evaluate("window.tapes.at(-1).socket.close()")
        eventually(lambda cut=cut: sum(tape["wasOpen"] for tape in _tapes(page)) > cut, "another socket")
        eventually(lambda newest=newest: _seqs(page)[0] > newest + 1, "newer cards")
        assert _is_dense(_seqs(page))
    assert "Live" in _head(page)
    tickets = [tape["ticket"] for tape in _tapes(page)]
    assert len(set(tickets)) == len(tickets)
    assert all("since=" in tape["address"] for tape in _tapes(page)[1:])
    assert not any(ticket in tape["address"] for ticket in tickets for tape in _tapes(page))
    output = dashboard.log() + (dashboard.data_dir / "output.txt").read_text()
    assert not any(ticket in output for ticket in tickets)


def test_server_that_stands_still_is_said_with_its_age(dashboard: Dashboard, page: Page) -> None:
    """No socket is closed by it; when it moves again the tape goes on where it was."""
    _open(page, dashboard, ALL_TYPES)
    before = _seqs(page)
    dashboard.process.send_signal(signal.SIGSTOP)
    try:
        eventually(lambda: "No connection" in _head(page), "the notice")
        assert number_after(_head(page), "for") >= 5
        assert _seqs(page)[0] >= before[0]
    finally:
        dashboard.process.send_signal(signal.SIGCONT)
    eventually(lambda: "Live" in _head(page), "a tape that is live again")
    eventually(lambda: _seqs(page)[0] > before[0] + 1, "newer cards")
    assert _is_dense(_seqs(page))


def test_filter_and_look_are_in_the_address(dashboard: Dashboard, page: Page) -> None:
    """The switch changes the look alone; another filter begins the tape anew."""
    open_page(page, f"{dashboard.url}/?types=order&sides=sell")
    eventually(lambda: page.locator("[data-testid=stDataFrame]").count(), "the table")
    page.get_by_role("radio", name="Tape").click()
    eventually(lambda: page.locator(".tape-card").count() > 3, "cards")
    assert "look=tape" in page.url
    assert page.locator("[data-testid=stDataFrame]").count() == 0
    labels = page.locator(".tape-card").evaluate_all("cards => cards.map((card) => card.getAttribute('aria-label'))")
    assert all(label.startswith("order sell") for label in labels)
    page.get_by_role("button", name="▼ sell").click()
    eventually(lambda: page.locator(".tape-card[aria-label^='order buy']").count(), "buys as well")
    page.get_by_role("radio", name="Table").click()
    eventually(lambda: page.locator("[data-testid=stDataFrame]").count(), "the table again")
    assert "look=" not in page.url


@pytest.mark.parametrize("width", [1400, 800])
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_tape_fits(dashboard: Dashboard, browser: Browser, scheme: str, width: int) -> None:
    """No sideways scrolling, no card cut off, nothing asked of another machine."""
    with watched(browser, width=width, scheme=scheme) as opened:
        page = opened.page()
        _open(page, dashboard, ALL_TYPES)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.locator(".tape-list").evaluate("list => list.scrollWidth <= list.clientWidth")
        assert opened.foreign() == []
        assert opened.errors == []


def test_reader_who_wants_less_motion_gets_none(dashboard: Dashboard, page: Page) -> None:
    """A new card is announced by a fading colour only for those who did not ask for stillness."""
    page.emulate_media(reduced_motion="reduce")
    _open(page, dashboard)
    card = page.locator(".tape-card.fresh").first
    card.wait_for()
    assert card.evaluate("card => getComputedStyle(card).animationName") == "none"
    page.emulate_media(reduced_motion="no-preference")
    assert card.evaluate("card => getComputedStyle(card).animationName") == "tape-arrives"
